"""Choices between arrays by conditions and by index: the entries not chosen get exact zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.graph import composition
from chainrule.primitives.indexing import get_entries, set_entries


def _array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, list | tuple) else value


@composition(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """`np.select`: of each entry the first choice whose condition holds, else the default."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError("np.select needs as many choices as conditions, and at least one")
    y = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        y = np.where(condition, _array(choice), y)
    return y


@composition(np.choose)
def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    """`np.choose`: entry k of the result is choices[a[k]][k]."""
    a, layers = _array(a), [_array(choice) for choice in choices]
    if mode == "wrap":
        a = a % len(layers)
    elif mode == "clip":
        a = np.clip(a, 0, len(layers) - 1)
    elif np.any(a < 0) or np.any(a >= len(layers)):
        raise ValueError("invalid entry in choice array")
    a, *layers = np.broadcast_arrays(a, *layers)
    return np.take_along_axis(np.stack(layers), a[None], axis=0)[0]


@composition(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """`np.piecewise`: each function sees the entries of its condition only, the last the rest.

    >>> import chainrule as cr
    >>> f = lambda x: np.sum(np.piecewise(x, [x > 0], [np.sqrt, 3.0]))
    >>> cr.grad(f)(np.array([-1.0, 4.0]))
    array([0.  , 0.25])
    """
    single = np.ndim(condlist) == 0 or (x.ndim and np.ndim(condlist[0]) == 0)
    conditions = (
        [np.asarray(c) if isinstance(c, list | bool) else c for c in condlist]
        if (not single)
        else [_array(condlist)]
    )
    functions = list(funclist)
    if len(conditions) == len(functions) - 1:
        conditions.append(~np.any(np.stack(conditions), axis=0))
    if len(conditions) != len(functions):
        raise ValueError("np.piecewise needs one function per condition, or one more")
    y: Any = np.zeros(x.shape, x.dtype)
    for condition, function in zip(conditions, functions, strict=True):
        condition = np.broadcast_to(condition, x.shape).astype(bool)
        value = function
        if isinstance(function, Callable):  # type: ignore[arg-type]
            entries = get_entries(x, condition)
            if not entries.size:
                continue
            value = function(entries, *args, **kw)
        y = set_entries(y, value, condition)
    return y


@composition(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """`np.compress`: the slices of the axis for which the condition holds."""
    a = _array(a)
    if axis is None:
        a, axis = np.ravel(a), 0
    positions = np.flatnonzero(_array(condition))
    return get_entries(a, (slice(None),) * normalize_axis_index(axis, a.ndim) + (positions,))


@composition(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return get_entries(np.ravel(arr), np.flatnonzero(np.ravel(condition)))


@composition(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """`np.real_if_close`: without the imaginary parts if all of them are rounding errors."""
    if a.dtype.kind != "c":
        return a
    limit = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return np.real(a) if np.all(np.abs(np.imag(a)) < limit) else a
