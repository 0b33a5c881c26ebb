"""Ufuncs along an axis: `np.add.reduce`, `np.maximum.accumulate` and their kin."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

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
    known = _KNOWN.get((ufunc, method))
    if known is not None:
        return known(array, axis=axis, **options)
    meaning = registry.meanings.get(getattr(ufunc, method))
    if meaning is not None:
        return meaning(array, axis=axis, **options)
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise unsupported(f"{name_of(ufunc)}.{method}")
    return _LOOPS[method](ufunc, array, axis, **options)


def _reduce(
    ufunc: Any, array: Any, axis: Any, dtype: Any = None, keepdims: Any = False, initial: Any = None
) -> Any:
    """f(… f(f(x₀, x₁), x₂) …) along `axis`."""
    array = array if dtype is None else array.astype(dtype)
    axes = normalize_axis_tuple(range(array.ndim) if axis is None else as_tuple(axis), array.ndim)
    kept = tuple(1 if k in axes else n for k, n in enumerate(array.shape))
    shape = kept if keepdims else tuple(n for k, n in enumerate(array.shape) if k not in axes)
    entries = np.moveaxis(array, axes, range(len(axes)))
    entries = list(np.reshape(entries, (-1, *entries.shape[len(axes) :])))
    if initial is not None:
        entries.insert(0, initial)
    if not entries:
        raise ValueError(f"{ufunc.__name__}.reduce of no entries has no value")
    return np.reshape(functools.reduce(ufunc, entries), shape)


def _accumulate(ufunc: Any, array: Any, axis: Any, dtype: Any = None) -> Any:
    """x₀, f(x₀, x₁), f(f(x₀, x₁), x₂), … along `axis`."""
    array = array if dtype is None else array.astype(dtype)
    steps = list(itertools.accumulate(np.moveaxis(array, axis, 0), ufunc))
    return np.stack(steps, axis=axis) if steps else array


_LOOPS: dict[str, Callable[..., Any]] = {"reduce": _reduce, "accumulate": _accumulate}
