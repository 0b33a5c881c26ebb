"""Accuracy, and records as JSON lines."""

import numpy as np
import pytest

from chainrule import train
from chainrule.train.metrics import append_metrics, start_metrics


def test_accuracy_counts_the_highest_scores():
    scores = np.array([[0.1, 0.9, 0.0], [3.0, -1.0, 2.0], [0.0, 0.0, -1.0], [0.0, 1.0, 5.0]])
    assert train.accuracy(scores, np.array([1, 2, 0, 2])) == 0.75


def test_records_come_back_and_a_new_file_replaces_the_old(tmp_path):
    path = tmp_path / "metrics.jsonl"
    start_metrics(path, {"epoch": 1, "loss": 0.25})
    start_metrics(path, {"epoch": 1, "loss": 0.5})
    append_metrics(path, {"epoch": 2, "loss": 1 / 3})
    assert (
        path.read_text() == '{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "loss": 0.3333333333333333}\n'
    )
    assert train.read_metrics(path) == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 1 / 3}]


def test_what_json_cannot_hold_is_refused_before_the_file_is_touched(tmp_path):
    path = tmp_path / "metrics.jsonl"
    start_metrics(path, {"loss": 0.5})
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_metrics(path, {"loss": float("nan")})
    assert train.read_metrics(path) == [{"loss": 0.5}]
