"""Norms of vectors and matrices, made of the operations whose conventions they inherit.

√Σx² at 0 is ∞ · 0 in the chain rule, a strong zero: norm'(0) = 0. Ties of a largest entry, row or
singular value share the derivative equally; singular values that are 0 carry none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.graph import composition
from chainrule.primitives.reductions import Axis

_MATRIX_ORDERS = (None, "fro", "f", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


def _length(x: Any, axis: Axis, keepdims: bool) -> Any:
    """√Σ|x|²."""
    squares = np.real(x) ** 2 + np.imag(x) ** 2 if x.dtype.kind == "c" else x * x
    return np.sqrt(np.sum(squares, axis=axis, keepdims=keepdims))


def _of_vectors(x: Any, order: Any, axis: Axis, keepdims: bool) -> Any:
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order {order!r} for vectors")
    if order is None or order == 2:
        return _length(x, axis, keepdims)
    if order == 0:  # how many entries are not zero: piecewise constant
        counted = np.real(np.ones_like(x)) * (x != 0)
        return np.sum(counted, axis=axis, keepdims=keepdims)
    sizes = np.abs(x)
    if order == np.inf:
        return np.max(sizes, axis=axis, keepdims=keepdims)
    if order == -np.inf:
        return np.min(sizes, axis=axis, keepdims=keepdims)
    if order == 1:
        return np.sum(sizes, axis=axis, keepdims=keepdims)
    return np.sum(sizes**order, axis=axis, keepdims=keepdims) ** (1 / order)


def _of_matrices(x: Any, order: Any) -> Any:
    """The norms over the last two axes."""
    if order not in _MATRIX_ORDERS:
        raise ValueError(f"Invalid norm order {order!r} for matrices")
    if order in (None, "fro", "f"):
        return _length(x, (-2, -1), False)
    if order in ("nuc", 2, -2):
        # |s| for its convention: the derivative 0 at a singular value 0
        s = np.abs(np.linalg.svdvals(x))
        if order == "nuc":
            return np.sum(np.where(s > _rounding(s, x.shape), s, 0), axis=-1)
        return np.max(s, axis=-1) if order == 2 else np.min(s, axis=-1)
    sums = np.sum(np.abs(x), axis=-2 if abs(order) == 1 else -1)
    return np.max(sums, axis=-1) if order > 0 else np.min(sums, axis=-1)


def _rounding(s: Any, shape: tuple[int, ...]) -> Any:
    """Below this a singular value is a zero with a rounding error, and its vectors are noise."""
    return max(shape[-2:]) * np.finfo(s.dtype).eps * s[..., :1]


@composition(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`np.linalg.norm`: of all entries, or of vectors (one axis) or matrices (two).

    >>> import chainrule as cr
    >>> cr.grad(np.linalg.norm)(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    >>> cr.grad(np.linalg.norm)(np.zeros(2))
    array([0., 0.])
    """
    if axis is None:
        if ord is None:
            return _length(x, None, keepdims)
        axis = tuple(range(x.ndim))
    given = tuple(axis) if isinstance(axis, tuple | list) else (int(axis),)
    axes = tuple(normalize_axis_index(k, x.ndim) for k in given)
    if len(axes) == 1:
        return _of_vectors(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    if axes[0] == axes[1]:
        raise ValueError("Duplicate axes given.")
    y = _of_matrices(np.moveaxis(x, axes, (-2, -1)), ord)
    return np.expand_dims(y, tuple(sorted(axes))) if keepdims else y


@composition(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """`np.linalg.vector_norm`: of all entries together, or over one or several axes."""
    return _of_vectors(x, ord, axis, keepdims)


@composition(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """`np.linalg.matrix_norm`: over the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


@composition(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """`np.linalg.cond`: largest by smallest singular value, or |A| |A⁻¹| in the norm `p`."""
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        largest, smallest = s[..., 0], s[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return norm(x, p, (-2, -1)) * norm(np.linalg.inv(x), p, (-2, -1))
