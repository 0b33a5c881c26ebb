"""The training loop and the files it leaves behind.

loop.py      fit: minibatches through value_and_grad and an update rule
digits.py    a whole job: a perceptron for handwritten digits
metrics.py   accuracy; records as JSON lines
weights.py   trees of arrays to and from a checked .npz file
atomic.py    a file that is old or new, never half
progress.py  the bar on the terminal
"""

from chainrule.train.digits import DigitsRun, train_digits
from chainrule.train.loop import Fitted, fit
from chainrule.train.metrics import accuracy, read_metrics
from chainrule.train.weights import load_weights, save_weights

__all__ = [
    "DigitsRun",
    "Fitted",
    "accuracy",
    "fit",
    "load_weights",
    "read_metrics",
    "save_weights",
    "train_digits",
]
