"""The training loop: minibatches, gradients, updates; after each epoch a record and the weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import chainrule as cr
from chainrule.data import minibatches
from chainrule.errors import DivergenceError, SettingError, WeightsError
from chainrule.optim import Optimiser
from chainrule.train.atomic import remove_partials
from chainrule.train.metrics import Record, accuracy, append_metrics, start_metrics
from chainrule.train.progress import progress_bar
from chainrule.train.weights import save_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray


WEIGHTS = "weights.npz"
METRICS = "metrics.jsonl"

Step = Callable[..., tuple[Any, Any, float]]


@dataclass(frozen=True)
class Fitted:
    """What a training gives: the parameters, and one record for each epoch."""

    params: Any
    history: list[Record]


def fit(
    loss: Callable[..., Any],
    params: Any,
    optimiser: Optimiser,
    examples: tuple[NDArray[Any], ...],
    *,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    predict: Callable[..., NDArray[Any]] | None = None,
    run_dir: str | Path | None = None,
    progress: bool | None = None,
) -> Fitted:
    """Minimise `loss(params, *batch)` over minibatches of the examples.

    A step is `cr.value_and_grad(loss)(params, *batch)` and one update of the optimiser. With
    `predict(params, features) -> scores`, examples are (features, labels), and the accuracy on all
    of them is taken after each epoch. `progress` shows a bar, by default when standard error is a
    terminal.

    With a run_dir, every epoch ends by writing `weights.npz` and a line of `metrics.jsonl` (epoch,
    loss, examples_per_second, seconds, accuracy). Whenever the process is stopped, both files are
    whole; those of an earlier run stay until the first epoch is over. A folder serves one run at a
    time: what a killed run left unfinished in it is removed.

    Raises DivergenceError when the loss is infinite or not a number (the files keep the last whole
    epoch), SettingError for fewer than one epoch or a batch size below one, and WeightsError when
    the folder cannot be used.

    >>> x = np.linspace(-1, 1, 20)
    >>> def loss(w, x, y):
    ...     return np.mean((w[0] + w[1] * x - y) ** 2)
    >>> fitted = fit(loss, np.zeros(2), cr.optim.sgd(0.5), (x, 3 + 2 * x), epochs=50,
    ...              batch_size=5, rng=np.random.default_rng(0))
    >>> fitted.params.round(3)
    array([3., 2.])
    """
    if epochs < 1 or batch_size < 1:
        raise SettingError(
            f"A training of {epochs} epochs in batches of {batch_size} was asked for. "
            "Give at least 1 of both."
        )
    folder = None if run_dir is None else _prepared(Path(run_dir))
    step = _step(loss, optimiser)
    state = optimiser.init(params)
    history: list[Record] = []
    known = None
    batches_in_epoch = math.ceil(len(examples[0]) / batch_size)
    with progress_bar(epochs, batches_in_epoch, progress) as show:
        for epoch in range(1, epochs + 1):
            batches = minibatches(*examples, size=batch_size, rng=rng)
            report = partial(show, epoch=epoch, accuracy=known)
            params, state, record = _epoch(step, params, state, epoch, batches, report)
            if predict is not None:
                known = accuracy(predict(params, examples[0]), examples[1])
                record["accuracy"] = known
            history.append(record)
            if folder is not None:
                _write(folder, params, history)
    return Fitted(params, history)


def _step(loss: Callable[..., Any], optimiser: Optimiser) -> Step:
    """Join the gradient of a loss and an update rule: (params, state, batch) to all three anew."""
    value_and_gradient = cr.value_and_grad(loss)

    def step(params: Any, state: Any, batch: tuple[NDArray[Any], ...]) -> tuple[Any, Any, float]:
        value, gradient = value_and_gradient(params, *batch)
        params, state = optimiser.update(gradient, state, params)
        return params, state, float(value)

    return step


def _epoch(
    step: Step,
    params: Any,
    state: Any,
    epoch: int,
    batches: Iterable[tuple[NDArray[Any], ...]],
    report: Callable[..., None],
) -> tuple[Any, Any, Record]:
    """Go once through the batches; the loss of the record is the mean over the examples."""
    start = time.perf_counter()
    total, seen = 0.0, 0
    for number, batch in enumerate(batches, start=1):
        params, state, value = step(params, state, batch)
        if not math.isfinite(value):
            raise DivergenceError(
                f"The loss is {value} in epoch {epoch}, batch {number}. "
                "Lower the learning rate, or look for a logarithm or a division at 0 in the loss."
            )
        seen += len(batch[0])
        total += value * len(batch[0])
        report(loss=total / seen, rate=seen / (time.perf_counter() - start))
    seconds = time.perf_counter() - start
    record: Record = {
        "epoch": epoch,
        "loss": total / seen,
        "examples_per_second": round(seen / seconds, 1),
        "seconds": round(seconds, 4),
    }
    return params, state, record


def _prepared(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(
            f"The folder {folder} cannot be made: {error.strerror}. Choose another run folder."
        ) from error
    remove_partials(folder)
    return folder


def _write(folder: Path, params: Any, history: list[Record]) -> None:
    save_weights(folder / WEIGHTS, params)
    write = start_metrics if len(history) == 1 else append_metrics
    write(folder / METRICS, history[-1])
