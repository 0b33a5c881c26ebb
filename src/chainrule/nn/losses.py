"""Losses and penalties: arrays in, one number out.

Means are taken over the examples, so a step does not grow with the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import trees
from chainrule.errors import SettingError
from chainrule.nn.activations import log_softmax, relu
from chainrule.nn.array import Array
from chainrule.nn.labels import labelled_rows, pick

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def cross_entropy(scores: Array, labels: ArrayLike, *, smoothing: float = 0.0) -> Array:
    """Give the mean over the examples of -log softmax(scores)[label].

    scores (..., classes) are the logits, labels (...) class numbers. The gradient with respect to
    the scores of one example is (softmax(scores) - onehot(label)) / examples. With smoothing s the
    target is not onehot but (1 - s) onehot + s / classes, which keeps a network from growing its
    scores without end. Raises LabelError for labels that do not fit, SettingError for a smoothing
    outside [0, 1]. Source of the smoothing: Szegedy et al., "Rethinking the Inception architecture
    for computer vision", CVPR 2016, section 7.

    >>> cross_entropy(np.log([[0.25, 0.75]]), [0])  # log 4
    np.float64(1.3862943611198906)
    """
    if not 0 <= smoothing <= 1:
        raise SettingError(
            f"The label smoothing is {smoothing}. It is the share of the target that is spread "
            "over all classes: give a number from 0 to 1."
        )
    rows, flat = labelled_rows(scores, labels)
    logs = log_softmax(rows)
    loss = -np.mean(pick(logs, flat))
    return (1 - smoothing) * loss - smoothing * np.mean(logs) if smoothing else loss


def hinge_loss(scores: Array, labels: ArrayLike, *, margin: float = 1.0) -> Array:
    """Give the multiclass SVM loss, the mean over examples of Σ_{j≠y} max(0, sⱼ - s_y + margin).

    scores (..., classes), labels (...) class numbers. Where sⱼ - s_y + margin is 0 the derivative
    is 0, as in `relu`. Raises LabelError for labels that do not fit. Source: Weston and Watkins,
    "Support vector machines for multi-class pattern recognition", ESANN 1999.

    >>> hinge_loss(np.array([[3.2, 5.1, -1.7]]), [0])
    np.float64(2.8999999999999995)
    """
    rows, flat = labelled_rows(scores, labels)
    excess = relu(rows - pick(rows, flat)[:, None] + margin)
    others = np.arange(rows.shape[1]) != flat[:, None]
    return np.sum(np.where(others, excess, 0)) / rows.shape[0]


def half_squared_error(prediction: Array, target: ArrayLike) -> Array:
    """Give ½ Σ (f - y)², summed over all entries, with derivative f - y.

    Raises SettingError when the shapes differ: broadcasting would compare every pair.

    >>> half_squared_error(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    np.float64(2.5)
    """
    return 0.5 * np.sum(np.square(_difference(prediction, target)))


def mean_squared_error(prediction: Array, target: ArrayLike) -> Array:
    """Give the mean of (f - y)² over all n entries, with derivative 2 (f - y) / n.

    Raises SettingError when the shapes differ: broadcasting would compare every pair.

    >>> mean_squared_error(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    np.float64(2.5)
    """
    return np.mean(np.square(_difference(prediction, target)))


def l2_penalty(tree: Any, strength: float, *, minimum_axes: int = 2) -> Any:
    """Give λ/2 Σ‖W‖² over the weights in a tree, with derivative λW; λ is the strength.

    A weight is a leaf with at least `minimum_axes` axes. By default these are the matrices, so the
    biases of the same tree are left free; with 0 every number in the tree counts. Raises
    SettingError when the tree holds no such leaf, for then nothing would be penalised.

    >>> l2_penalty({"weight": np.array([[1.0, 2.0]]), "bias": np.array([9.0])}, 0.1)
    np.float64(0.25)
    """
    leaves, _ = trees.flatten(tree)
    weights = [leaf for leaf in leaves if leaf is not None and np.ndim(leaf) >= minimum_axes]
    if not weights:
        raise SettingError(
            f"None of the {len(leaves)} leaves has {minimum_axes} or more axes, so the penalty "
            "would be 0 for all weights. Pass the weights, or a smaller minimum_axes."
        )
    total = np.sum(np.square(weights[0]))
    for weight in weights[1:]:
        total = total + np.sum(np.square(weight))
    return 0.5 * strength * total


def _difference(prediction: Array, target: ArrayLike) -> Any:
    if np.shape(prediction) != np.shape(target):
        raise SettingError(
            f"The prediction has shape {np.shape(prediction)}, the target {np.shape(target)}. "
            "Reshape one of them: an error is taken entry by entry."
        )
    return prediction - target
