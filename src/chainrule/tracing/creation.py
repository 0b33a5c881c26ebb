"""New arrays into which traced values can be written, and traced values gathered into arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import Level, spec_of
from chainrule.tracing.array import TracedArray
from chainrule.tracing.conversion import gathered, operand


def made(level: Level, array: Any) -> Any:
    """An array of floating point numbers as a traced constant of `level`; any other as it is."""
    floating = isinstance(array, np.ndarray) and array.dtype.kind in "fc"
    return level.constant(array) if floating else array


def array(object: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **rest: Any) -> Any:
    """`np.array`, also of traced values and of nested lists with traced values in them."""
    value: Any = gathered(object)
    if not isinstance(value, TracedArray):
        return np.array(object, dtype, copy=copy, ndmin=ndmin, **rest)
    if dtype is not None and np.dtype(dtype) != value.dtype:
        value = value.astype(dtype)
    elif copy:
        value = value.copy()
    return value.reshape((1,) * (ndmin - value.ndim) + value.shape) if ndmin > value.ndim else value


def asarray(a: Any, dtype: Any = None, **rest: Any) -> Any:
    """`np.asarray`, also of traced values."""
    value: Any = gathered(a)
    if not isinstance(value, TracedArray):
        return np.asarray(a, dtype, **rest)
    return value if dtype is None or value.dtype == dtype else value.astype(dtype)


def require(a: Any, dtype: Any = None, requirements: Any = None) -> Any:
    """`np.require`; how a traced array lies in memory is not for its user to say."""
    return asarray(a, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.full`, also with a traced value."""
    value: Any = gathered(fill_value)
    if not isinstance(value, TracedArray):
        return np.full(shape, fill_value, dtype, **options)
    filled = np.broadcast_to(value, shape)
    return filled.copy() if dtype is None else filled.astype(dtype)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None, **_: Any) -> Any:
    """`np.full_like`: an array with the shape and dtype of `a` that can be written."""
    shape = a.shape if shape is None else shape
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    if isinstance(fill_value, TracedArray):
        return full(shape, fill_value, dtype)
    return made(a.level, np.full(shape, fill_value, dtype))


def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None, **_: Any) -> Any:
    return full_like(a, 0, dtype, shape=shape)


def ones_like(a: Any, dtype: Any = None, *, shape: Any = None, **_: Any) -> Any:
    return full_like(a, 1, dtype, shape=shape)


def arange(*args: Any, **options: Any) -> Any:
    """`np.arange`, also with traced ends: start + step · (0, 1, 2, …)."""
    if not any(isinstance(a, TracedArray) for a in args):
        return np.arange(*args, **options)
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    count = max(0, int(np.ceil((stop - start) / step)))
    return start + step * np.arange(count, dtype=spec_of(stop - start).dtype)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`np.linspace` with traced ends: start + k (stop - start) / (num - 1)."""
    start, stop = operand(start), operand(stop)
    pieces = num - 1 if endpoint else num
    step = (stop - start) / pieces if pieces > 0 else np.nan * (stop - start)
    k = np.arange(num, dtype=spec_of(step).dtype).reshape((num,) + (1,) * np.ndim(step))
    values = start + k * step if pieces > 0 else start + 0 * k * (stop - start)
    if endpoint and num > 1:  # exactly, where the sum is rounded
        end = stop if hasattr(stop, "dtype") else np.asarray(stop, values.dtype)
        last = np.broadcast_to(end, values.shape[1:])[None]
        values = np.concatenate([values[:-1], last])
    if axis:
        values = np.moveaxis(values, 0, axis)
    if dtype is not None:
        values = values.astype(dtype)
    return (values, step) if retstep else values


_CREATING = (np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.arange, np.fromfunction)
_READING = (np.fromiter, np.frombuffer, np.fromfile, np.fromstring, np.loadtxt, np.genfromtxt)

CREATIONS: dict[Any, Callable[..., Any]] = {
    np.full: full,
    **{function: function for function in _CREATING + _READING},
}
"""They come here through `like=`: np.zeros(n, like=x)."""

MEANINGS: dict[Any, Callable[..., Any]] = {
    np.array: array,
    np.asarray: asarray,
    np.asanyarray: asarray,
    np.ascontiguousarray: asarray,
    np.asfortranarray: asarray,
    np.require: require,
    np.zeros_like: zeros_like,
    np.empty_like: zeros_like,
    np.ones_like: ones_like,
    np.full_like: full_like,
    np.linspace: linspace,
}
