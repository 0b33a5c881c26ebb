"""Ufuncs along an axis: `np.add.reduce`, `np.maximum.accumulate` and their kin."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from chainrule.graph import registry
from chainrule.primitives.shapes import as_tuple
from chainrule.tracing.conversion import name_of, unsupported

_KNOWN: dict[tuple[Any, str], Any] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.logical_and, "reduce"): np.all,
    (np.logical_or, "reduce"): np.any,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}


def fold(ufunc: Any, method: str, array: Any, axis: Any = 0, **options: Any) -> Any:
    """`ufunc.reduce` or `ufunc.accumulate`: a function of NumPy where there is one, else a loop."""
    if method == "reduceat":
        return _reduceat(ufunc, array, axis, **options)
    known = _KNOWN.get((ufunc, method))
    if known is not None:
        return known(array, axis=axis, **options)
    meaning = registry.meanings.get(getattr(ufunc, method))
    if meaning is not None:
        return meaning(array, axis=axis, **options)
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise unsupported(f"{name_of(ufunc)}.{method}")
    if array.dtype.kind == "c" and not any("D" in loop for loop in ufunc.types):
        raise TypeError(f"{name_of(ufunc)} takes real numbers only")
    return _LOOPS[method](ufunc, array, axis, **options)


def _reduce(
    ufunc: Any,
    array: Any,
    axis: Any,
    dtype: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """f(… f(f(x₀, x₁), x₂) …) along `axis`; an entry where `where` is False is passed over."""
    array = array if dtype is None else array.astype(dtype)
    if where is not True:
        if initial is None and ufunc.identity is None:
            raise ValueError(
                f"{ufunc.__name__}.reduce has no identity, so with `where` it needs an initial"
            )
        return _masked(ufunc, array, axis, keepdims, _start(ufunc, initial, array), where)
    if not array.ndim and axis in (0, -1):
        axis = ()  # NumPy takes these of an array without dimensions
    axes = normalize_axis_tuple(range(array.ndim) if axis is None else as_tuple(axis), array.ndim)
    kept = tuple(1 if k in axes else n for k, n in enumerate(array.shape))
    shape = kept if keepdims else tuple(n for k, n in enumerate(array.shape) if k not in axes)
    rest = tuple(n for k, n in enumerate(array.shape) if k not in axes)
    count = math.prod(array.shape[k] for k in axes)
    rows = np.reshape(np.moveaxis(array, axes, range(len(axes))), (count, *rest))
    entries = [rows[k] for k in range(count)]
    start = _start(ufunc, initial, array)
    if start is not None:
        entries.insert(0, np.broadcast_to(start, rest))
    if not entries:
        raise ValueError(f"{ufunc.__name__}.reduce of no entries has no value")
    return np.reshape(functools.reduce(ufunc, entries), shape)


def _start(ufunc: Any, initial: Any, array: Any) -> Any:
    """What a reduction begins with, a number in the dtype of the array; None: the first entry."""
    start = ufunc.identity if initial is None else initial
    return array.dtype.type(start) if isinstance(start, float | int) else start


def _masked(ufunc: Any, array: Any, axis: Any, keepdims: Any, initial: Any, where: Any) -> Any:
    axes = normalize_axis_tuple(range(array.ndim) if axis is None else as_tuple(axis), array.ndim)
    taken = np.broadcast_to(where, array.shape)
    rows, flags = (np.moveaxis(v, axes, range(len(axes))) for v in (array, taken))
    rest = rows.shape[len(axes) :]
    y: Any = np.broadcast_to(initial, rest)
    for row, flag in zip(
        np.reshape(rows, (-1, *rest)), np.reshape(flags, (-1, *rest)), strict=True
    ):
        y = np.where(flag, ufunc(y, row), y)
    kept = tuple(1 if k in axes else n for k, n in enumerate(array.shape))
    return np.reshape(y, kept) if keepdims else y


def _reduceat(ufunc: Any, array: Any, axis: Any, indices: Any, dtype: Any = None) -> Any:
    """f over x[i], …, x[j - 1] for neighbours i < j of the indices; x[i] alone where j <= i."""
    array = array if dtype is None else array.astype(dtype)
    axis = normalize_axis_index(axis, array.ndim)
    starts = [int(k) for k in np.ravel(indices)]
    size = array.shape[axis]
    if any(not 0 <= k < size for k in starts):
        raise IndexError(f"an index of {ufunc.__name__}.reduceat is out of bounds")
    lead = (slice(None),) * axis
    pieces = []
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        if end <= start:
            pieces.append(array[(*lead, start)])
        else:
            pieces.append(fold(ufunc, "reduce", array[(*lead, slice(start, end))], axis))
    if not pieces:
        return array[(*lead, slice(0, 0))]
    return np.stack(pieces, axis=axis)


def _accumulate(ufunc: Any, array: Any, axis: Any, dtype: Any = None) -> Any:
    """x₀, f(x₀, x₁), f(f(x₀, x₁), x₂), … along `axis`."""
    array = array if dtype is None else array.astype(dtype)
    steps = list(itertools.accumulate(np.moveaxis(array, axis, 0), ufunc))
    return np.stack(steps, axis=axis) if steps else array


_LOOPS: dict[str, Callable[..., Any]] = {"reduce": _reduce, "accumulate": _accumulate}
