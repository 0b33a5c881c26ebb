"""Sums, means, extrema and products along axes."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from chainrule.graph import composition
from chainrule.primitives.batching import over_axes
from chainrule.primitives.declare import linear, primitive
from chainrule.primitives.samples import apart, case, normal
from chainrule.primitives.shapes import broadcasted

Axis = int | tuple[int, ...] | None


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The reduced axes as non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(a % ndim if ndim else a for a in axes)


def spread(reduced: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """Put the reduced axes back with length 1, so that `reduced` broadcasts against the input."""
    if keepdims or not shape or axis is None:
        return reduced  # a full reduction is a scalar, which broadcasts as it is
    axes = _axes(axis, len(shape))
    return np.reshape(reduced, tuple(1 if a in axes else n for a, n in enumerate(shape)))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    return int(np.prod([shape[a] for a in _axes(axis, len(shape))], dtype=int))


_add_reduce: Any = np.add.reduce


def _sum(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return _add_reduce(x, axis=axis, keepdims=keepdims)


total = linear(
    "sum",
    compute=_sum,
    transposed=lambda g, shape, axis, keepdims: broadcasted(
        spread(g, shape, axis, keepdims), to=shape
    ),
    latex=r"\sum {x}",
    batch=over_axes,
    samples=[
        case(normal(3, 4), axis=None, keepdims=False),
        case(normal(3, 4), axis=0, keepdims=False),
        case(normal(2, 3, 4), axis=(0, -1), keepdims=True),
    ],
)


@composition(np.sum)
def sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """`np.sum`. d(Σx)/dx = 1 for every entry."""
    if dtype is not None:
        a = np.asarray(a).astype(dtype) if isinstance(a, list | tuple) else a.astype(dtype)
    if where is not True:
        a = np.where(where, a, 0)
    y = total(a, axis=axis, keepdims=bool(keepdims))
    return y if initial is None else y + initial


def _mean(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.mean(x, axis=axis, keepdims=keepdims)


average = linear(
    "mean",
    compute=_mean,
    transposed=lambda g, shape, axis, keepdims: broadcasted(
        spread(g, shape, axis, keepdims) / _count(shape, axis), to=shape
    ),
    latex=r"\operatorname{{mean}} {x}",
    batch=over_axes,
    samples=[
        case(normal(3, 4), axis=None, keepdims=False),
        case(normal(3, 4), axis=1, keepdims=True),
    ],
)


def _counted(where: Any, a: Any, axis: Axis, keepdims: bool) -> Any:
    """How many entries `where` takes, in the precision of `a`."""
    taken = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    return taken.astype(np.empty(0, a.dtype).real.dtype)


@composition(np.mean)
def mean(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True
) -> Any:
    """`np.mean`. d(mean x)/dx = 1/n for every entry."""
    if dtype is not None:
        a = a.astype(dtype)
    if where is not True:
        counted = _counted(where, a, axis, keepdims)
        return np.sum(a, axis=axis, keepdims=keepdims, where=where) / counted
    return average(a, axis=axis, keepdims=bool(keepdims))


@composition(np.var)
def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
    where: Any = True,
    mean: Any = None,
) -> Any:
    """`np.var`: Σ|x - mean|² / (n - ddof)."""
    if dtype is not None:
        a = a.astype(dtype)
    if mean is None:
        mean = np.mean(a, axis=axis, keepdims=True, where=where)
    apart_from_mean = a - mean
    if a.dtype.kind == "c":
        squares = np.real(apart_from_mean * np.conjugate(apart_from_mean))
    else:
        squares = np.square(apart_from_mean)
    counted: Any = _count(a.shape, axis)
    if where is not True:
        counted = _counted(where, a, axis, keepdims)
    freedom = counted - (ddof if correction is None else correction)
    summed = np.sum(squares, axis=axis, keepdims=keepdims, where=where)
    return summed / (builtins.max(freedom, 0) if where is True else np.maximum(freedom, 0))


@composition(np.std)
def std(a: Any, axis: Axis = None, dtype: Any = None, **rest: Any) -> Any:
    """`np.std`: the root of `np.var`; its derivative is 0 where all entries are equal."""
    return np.sqrt(np.var(a, axis=axis, dtype=dtype, **rest))


def _chosen(x: Any, y: Any, axis: Axis, keepdims: bool) -> Any:
    """The weights of an extremum: 1 at the entry that is taken, shared equally by a tie."""
    hits = x == spread(y, x.shape, axis, keepdims)
    weights = hits.astype(x.dtype)
    return weights / np.sum(weights, axis=axis, keepdims=True)


def _extremum(name: str, ufunc: Any) -> Any:
    return primitive(
        name,
        compute=lambda x, *, axis, keepdims: ufunc.reduce(x, axis=axis, keepdims=keepdims),
        jvp=(
            lambda t, x, y, axis, keepdims: np.sum(
                _chosen(x, y, axis, keepdims) * t, axis=axis, keepdims=keepdims
            ),
        ),
        latex=rf"\{name} {{x}}",
        batch=over_axes,
        samples=[
            case(apart(3, 4), axis=None, keepdims=False),
            case(apart(3, 4), axis=1, keepdims=False),
            case(apart(2, 3, 4), axis=(0, 2), keepdims=True),
        ],
    )


_max, _min = _extremum("max", np.maximum), _extremum("min", np.minimum)


def _of_initial(a: Any, initial: Any, axis: Axis) -> Any:
    """An array of `initial` whose reduced axes have length 1, in place of one without entries."""
    axes = _axes(axis, a.ndim)
    shape = tuple(1 if k in axes else n for k, n in enumerate(a.shape))
    value = initial if hasattr(initial, "dtype") else np.asarray(initial, a.dtype)
    return np.broadcast_to(value, shape)


@composition(np.max, np.amax)
def max(
    a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """`np.max`; a tie shares the derivative equally."""
    if where is not True:
        a = np.where(where, a, -np.inf)
    if initial is not None and not a.size:
        a, initial = _of_initial(a, initial, axis), None
    y = _max(a, axis=axis, keepdims=bool(keepdims))
    return y if initial is None else np.maximum(y, initial)


@composition(np.min, np.amin)
def min(
    a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """`np.min`; a tie shares the derivative equally."""
    if where is not True:
        a = np.where(where, a, np.inf)
    if initial is not None and not a.size:
        a, initial = _of_initial(a, initial, axis), None
    y = _min(a, axis=axis, keepdims=bool(keepdims))
    return y if initial is None else np.minimum(y, initial)


@composition(np.ptp)
def ptp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@composition(np.prod)
def prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """`np.prod`, multiplied in pairs: derivatives stay right at zeros, at every order."""
    if dtype is not None:
        a = a.astype(dtype)
    if where is not True:
        a = np.where(where, a, 1)
    shape = a.shape
    axes = normalize_axis_tuple(range(a.ndim) if axis is None else axis, a.ndim)
    kept = tuple(n for k, n in enumerate(shape) if k not in axes)
    a = np.reshape(np.moveaxis(a, axes, range(-len(axes), 0)) if axes else a, (*kept, -1))
    while a.shape[-1] > 1:
        half = a.shape[-1] // 2
        paired = a[..., :half] * a[..., half : 2 * half]
        a = np.concatenate([paired, a[..., 2 * half :]], axis=-1) if a.shape[-1] % 2 else paired
    y = a[..., 0] if a.shape[-1] else np.ones(kept, a.dtype)
    if keepdims:
        y = np.reshape(y, [1 if k in axes else n for k, n in enumerate(shape)])
    return y if initial is None else y * initial


def _cumsum(x: Any, *, axis: int) -> Any:
    return np.add.accumulate(x, axis=axis)


running_total = linear(
    "cumsum",
    compute=_cumsum,
    transposed=lambda g, axis: np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis),
    latex=r"\operatorname{{cumsum}} {x}",
    batch=over_axes,
    samples=[case(normal(5), axis=0), case(normal(3, 4), axis=1)],
)


@composition(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    if dtype is not None:
        a = a.astype(dtype)
    if axis is None or (not a.ndim and axis in (0, -1)):
        return running_total(np.ravel(a), axis=0)
    return running_total(a, axis=axis)


@composition(np.cumprod)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running products by doubling steps (Hillis and Steele): right at zeros, at every order."""
    if dtype is not None:
        a = a.astype(dtype)
    if not a.ndim and axis in (0, -1):
        axis = None
    a = np.ravel(a) if axis is None else np.moveaxis(a, axis, -1)
    step = 1
    while step < a.shape[-1]:
        a = np.concatenate([a[..., :step], a[..., step:] * a[..., :-step]], axis=-1)
        step *= 2
    return a if axis is None else np.moveaxis(a, -1, axis)


def _cumulative(
    running: Any, first: float, x: Any, axis: int | None, dtype: Any, include_initial: bool
) -> Any:
    """A running sum or product; with `include_initial` it begins before the first entry."""
    x = x if x.ndim else np.reshape(x, (1,))
    if axis is None:
        if x.ndim > 1:
            raise ValueError("For arrays with more than one dimension the axis has to be given")
        axis = 0
    y = running(x, axis=axis, dtype=dtype)
    if not include_initial:
        return y
    start = np.full_like(np.take(y, [0], axis=axis), first)
    return np.concatenate([start, y], axis=axis)


@composition(np.cumulative_sum)
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return _cumulative(np.cumsum, 0.0, x, axis, dtype, include_initial)


@composition(np.cumulative_prod)
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    return _cumulative(np.cumprod, 1.0, x, axis, dtype, include_initial)


@composition(np.average)
def weighted_average(
    a: Any,
    axis: Axis = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """`np.average`: Σ w x / Σ w."""
    if weights is None:
        y = np.mean(a, axis=axis, keepdims=keepdims)
        return (y, np.full_like(y, _count(np.shape(a), axis))) if returned else y
    if np.shape(weights) != np.shape(a):  # weights along the one axis
        if not isinstance(axis, int) or np.ndim(weights) != 1:
            raise ValueError("weights of another shape than the array need one axis and dimension")
        weights = np.moveaxis(np.reshape(weights, (-1,) + (1,) * (np.ndim(a) - 1)), 0, axis)
    weights = np.broadcast_to(weights, np.shape(a))
    scale = np.sum(weights, axis=axis, keepdims=keepdims)
    y = np.sum(a * weights, axis=axis, keepdims=keepdims) / scale
    return (y, scale) if returned else y
