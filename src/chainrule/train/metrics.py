"""Numbers about a training: how many examples are right, and a record for each epoch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.train.atomic import write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray


Record = dict[str, float]


def accuracy(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Give the share of examples whose highest score is at their label.

    scores (examples, classes), labels (examples,); among equal scores the first class counts.

    >>> accuracy(np.array([[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]]), np.array([1, 1, 1]))
    0.6666666666666666
    """
    return float(np.mean(np.argmax(scores, axis=-1) == labels))


def start_metrics(path: Path, record: Mapping[str, float]) -> None:
    """Put the first record into a new file, in place of an earlier one."""
    write_atomically(path, _line(record))


def append_metrics(path: Path, record: Mapping[str, float]) -> None:
    """Add a record as the last line of the file."""
    # One write of one short line: a kill comes before it or after it, never within.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, _line(record))
    finally:
        os.close(descriptor)


def read_metrics(path: str | Path) -> list[Record]:
    """Read the records of a metrics file, first to last, one dict for each line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     start_metrics(Path(folder, "metrics.jsonl"), {"epoch": 1, "loss": 0.5})
    ...     append_metrics(Path(folder, "metrics.jsonl"), {"epoch": 2, "loss": 0.25})
    ...     read_metrics(Path(folder, "metrics.jsonl"))
    [{'epoch': 1, 'loss': 0.5}, {'epoch': 2, 'loss': 0.25}]
    """
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def _line(record: Mapping[str, float]) -> bytes:
    return json.dumps(record, allow_nan=False).encode() + b"\n"
