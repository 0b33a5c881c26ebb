"""A whole job on real data: a perceptron with one hidden layer learns handwritten digits.

The settings below were chosen by five-fold cross-validation within the training part of seed 0; no
test example took part in the choice. Tried there: widths 128 to 512, gradient descent and Adam at
several rates, weight decay, dropout, noise, shifted images, hinge loss and smoothed labels. The
smoothing alone took away more than half of the errors (0.977 to 0.990 right, standard error 0.001).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import nn, optim
from chainrule.data import digits, split
from chainrule.train.loop import METRICS, WEIGHTS, Fitted, fit
from chainrule.train.metrics import accuracy, append_metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray


HIDDEN = 256
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
SMOOTHING = 0.1
BATCH_SIZE = 32
EPOCHS = 40


@dataclass(frozen=True)
class DigitsRun:
    """What the job gives: the accuracy on the test part, the training, and its two files."""

    test_accuracy: float
    fitted: Fitted
    weights: Path
    metrics: Path


def train_digits(
    run_dir: str | Path,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: bool | None = None,
) -> DigitsRun:
    """Train a 64-256-10 perceptron in float32 on four fifths of the digits; test it on the rest.

    The seed decides the split, the first weights and the order of the examples. The last line of
    the metrics is the accuracy on the test part, which is looked at once, after training. Raises
    what `fit` raises.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train_digits(folder, epochs=3)
    >>> run.test_accuracy > 0.9
    True
    """
    train, (features, labels) = split(*digits(), seed=seed)
    rng = np.random.default_rng(seed)
    layers = nn.init_mlp([64, HIDDEN, 10], rng=rng, dtype=np.float32)
    fitted = fit(
        _loss,
        layers,
        optim.sgd(LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY),
        train,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        rng=rng,
        predict=nn.mlp,
        run_dir=run_dir,
        progress=progress,
    )
    test_accuracy = accuracy(nn.mlp(fitted.params, features), labels)
    folder = Path(run_dir)
    append_metrics(folder / METRICS, {"epoch": epochs, "test_accuracy": test_accuracy})
    return DigitsRun(test_accuracy, fitted, folder / WEIGHTS, folder / METRICS)


def _loss(layers: Any, x: NDArray[Any], y: NDArray[Any]) -> Any:
    return nn.cross_entropy(nn.mlp(layers, x), y, smoothing=SMOOTHING)
