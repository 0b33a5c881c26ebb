"""Integer labels: one class number for each row of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import LabelError
from chainrule.nn.array import Array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def labelled_rows(scores: Array, labels: ArrayLike) -> tuple[Array, Array]:
    """Give scores as rows (n, classes) and labels as (n,), after a check that they fit together.

    Scores may have any shape (..., classes) and labels the shape (...): a single row of scores
    takes a single number. Raises LabelError for labels of another shape, labels that are not
    whole numbers, and labels outside 0 … classes - 1.

    >>> rows, flat = labelled_rows(np.array([0.1, 0.9]), 1)
    >>> rows.shape, flat
    ((1, 2), array([1]))
    """
    if np.ndim(scores) == 0 or np.shape(labels) != np.shape(scores)[:-1]:
        raise LabelError(
            f"Labels of shape {np.shape(labels)} do not fit scores of shape {np.shape(scores)}. "
            "The last axis of the scores counts the classes; the labels have the other axes."
        )
    classes = np.shape(scores)[-1]
    rows = np.reshape(scores, (-1, classes))
    flat = np.reshape(labels, (-1,))
    if flat.dtype.kind not in "iu":
        raise LabelError(
            f"Labels are class numbers 0 … {classes - 1}, but these have the type {flat.dtype}. "
            "Convert them with labels.astype(int), or one-hot rows with labels.argmax(axis=-1)."
        )
    # A negative index would silently count from the last class.
    if np.any((flat < 0) | (flat >= classes)):
        raise LabelError(
            f"There are scores for {classes} classes, so labels run from 0 to {classes - 1}, "
            f"but these run from {int(flat.min())} to {int(flat.max())}. "
            "Number the classes from 0, or widen the last layer."
        )
    return rows, flat


def pick(rows: Array, flat: Array) -> Array:
    """Take from each row the entry that its label points at.

    >>> pick(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0]))
    array([2., 3.])
    """
    return rows[np.arange(rows.shape[0]), flat]
