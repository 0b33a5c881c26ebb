"""Convolutions, interpolation, differences and integrals along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from chainrule.graph import composition
from chainrule.primitives.declare import Multilinear, multilinear
from chainrule.primitives.indexing import get_entries
from chainrule.primitives.samples import case, normal


def _transposed_signal(g: Any, x2: Any, mode: str) -> Any:
    """x̄ᵢ = Σ_k ḡ_k v_(k-i): the convolution with v turned round, of the other extent."""
    return convolution(g, x2[::-1], mode="valid" if mode == "full" else "full")


def _transposed_kernel(g: Any, x1: Any, mode: str) -> Any:
    if mode == "full":
        return convolution(g, x1[::-1], mode="valid")
    return convolution(x1, g[::-1], mode="valid")[::-1]


# "valid" takes the longer array first; "same" is a part of "full".
convolution: Multilinear = multilinear(
    "convolve",
    compute=lambda x1, x2, *, mode: np.convolve(x1, x2, mode),
    transposed=(_transposed_signal, _transposed_kernel),
    latex="{x1} * {x2}",
    samples=[
        case(normal(5), normal(3), mode="full"),
        case(normal(2), normal(4), mode="full"),
        case(normal(5), normal(3), mode="valid"),
        case(normal(4), normal(4), mode="valid"),
    ],
)


def _vector(x: Any) -> Any:
    return np.atleast_1d(np.asarray(x) if isinstance(x, list | tuple) else x)


@composition(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """`np.convolve`: y_k = Σᵢ aᵢ v_(k-i).

    >>> import chainrule as cr
    >>> cr.grad(lambda v: np.convolve([1.0, 2.0, 4.0], v, "same")[0])(np.array([1.0, 1.0, 0.0]))
    array([2., 1., 0.])
    """
    a, v = _vector(a), _vector(v)
    if len(v) > len(a):
        a, v = v, a
    if not len(v):
        raise ValueError("np.convolve of an empty array")
    if mode in ("valid", "full"):
        return convolution(a, v, mode=mode)
    if mode != "same":
        raise ValueError(f"mode must be 'full', 'same' or 'valid', not {mode!r}")
    start = (len(v) - 1) // 2
    return convolution(a, v, mode="full")[start : start + len(a)]


@composition(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """`np.correlate`: y_k = Σₙ a_(n+k) v̄ₙ; with a shorter first array the order is reversed."""
    a, v = _vector(a), _vector(v)
    if mode == "same" and len(v) > len(a):
        return np.conjugate(correlate(v, a, "same"))[::-1]
    return np.convolve(a, np.conjugate(v)[::-1], mode)  # type: ignore[call-overload]


@composition(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """`np.interp`: straight lines between the points (xp, fp), constant outside.

    At a knot the derivative is the slope of the line on its right, at the last one on its left.
    """
    x, xp, fp = (v if hasattr(v, "dtype") else np.asarray(v) for v in (x, xp, fp))
    if x.dtype.kind == "c" or xp.dtype.kind == "c":
        raise TypeError("np.interp interpolates between real points")
    if xp.ndim != 1 or fp.shape != xp.shape or not len(xp):
        raise ValueError("fp and xp are not of the same length, or are empty or not vectors")
    if period is not None:
        x, xp, fp, left, right = _periodic(x, xp, fp, abs(period))
    x, xp = x.astype(np.float64), xp.astype(np.float64)  # NumPy computes it in double precision
    fp = fp.astype(np.result_type(fp.dtype, np.float64))
    left, right = fp[0] if left is None else left, fp[-1] if right is None else right
    if len(xp) == 1:
        y: Any = fp[0]
    else:
        last = len(xp) - 2
        k = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, last)
        start, value = get_entries(xp, k), get_entries(fp, k)
        slope = (get_entries(fp, k + 1) - value) / (get_entries(xp, k + 1) - start)
        y = np.where(x == xp[-1], fp[-1] + slope * (x - xp[-1]), value + slope * (x - start))
    return np.where(x < xp[0], left, np.where(x > xp[-1], right, y))


def _periodic(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, ...]:
    """One period of sorted points, with one more at either end."""
    xp = xp % period
    order = np.argsort(xp)
    xp, fp = get_entries(xp, order), get_entries(fp, order)
    around = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x % period, around, np.concatenate([fp[-1:], fp, fp[:1]]), None, None


def _slab(axis: int, *ends: int | None) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(*ends))


@composition(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """`np.gradient`: slopes of the parabola through three neighbours, one-sided at the ends."""
    f = np.asarray(f) if isinstance(f, list | tuple) else f
    f = f.astype(np.float64) if f.dtype.kind in "biu" else f
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    steps: list[Any] = [1.0] * len(axes)
    if len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        steps = list(varargs) * len(axes)
    elif varargs:
        if len(varargs) != len(axes):
            raise TypeError("np.gradient takes no spacing, one, or one for each axis")
        steps = list(varargs)
    if edge_order not in (1, 2):
        raise ValueError("edge_order must be 1 or 2")
    slopes = [_slopes(f, step, k, edge_order) for step, k in zip(steps, axes, strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _slopes(f: Any, step: Any, axis: int, edge_order: int) -> Any:
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"np.gradient needs at least {edge_order + 1} entries along an axis")
    before: Any = None
    after: Any = None
    if np.ndim(step):
        step = np.asarray(step) if isinstance(step, list | tuple) else step
        if step.shape != (n,):
            raise ValueError("distances must be scalars, or as long as the axis")
        gaps: Any = np.diff(step.astype(np.float64) if step.dtype.kind in "biu" else step)
        gaps = np.reshape(gaps, [-1 if k == axis else 1 for k in range(f.ndim)])
        before, after = gaps[_slab(axis, None, -1)], gaps[_slab(axis, 1, None)]
    else:
        gaps = None
    rises = f[_slab(axis, 1, None)] - f[_slab(axis, None, -1)]
    rates = rises / (step if gaps is None else gaps)
    back, ahead = rates[_slab(axis, None, -1)], rates[_slab(axis, 1, None)]
    first, last = rates[_slab(axis, None, 1)], rates[_slab(axis, -1, None)]
    if gaps is None:
        inner = (back + ahead) / 2
        share, other = 0.5, 0.5
    else:
        inner = (back * after + ahead * before) / (before + after)
        share = (before / (before + after))[_slab(axis, None, 1)] if n > 2 else 0.5
        other = (after / (before + after))[_slab(axis, -1, None)] if n > 2 else 0.5
    if edge_order == 2:
        second, next_to_last = rates[_slab(axis, 1, 2)], rates[_slab(axis, -2, -1)]
        first = first + (first - second) * share
        last = last + (last - next_to_last) * other
    return np.concatenate([first, inner, last], axis=axis).astype(f.dtype)


@composition(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """`np.trapezoid`: Σ (x_(k+1) - x_k) (y_(k+1) + y_k) / 2."""
    y, x = (np.asarray(v) if isinstance(v, list | tuple) else v for v in (y, x))
    axis = normalize_axis_index(axis, np.ndim(y))
    gaps = dx
    if x is not None and np.ndim(x) == 1:
        gaps = np.reshape(np.diff(x), [-1 if k == axis else 1 for k in range(np.ndim(y))])
    elif x is not None:
        gaps = np.diff(x, axis=axis - np.ndim(y))
    heights = (y[_slab(axis, 1, None)] + y[_slab(axis, None, -1)]) / 2
    return np.sum(gaps * heights, axis=axis)


@composition(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ary = np.ravel(ary)
    parts = [to_begin, ary[1:] - ary[:-1], to_end]
    given = [np.ravel(part) for part in parts if part is not None]
    return np.concatenate(given).astype(ary.dtype) if len(given) > 1 else given[0]


@composition(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    """`np.unwrap`: whole periods are added where neighbours are further apart than half of one.

    How many is piecewise constant, so the derivative is the identity; a traced period gets theirs.
    """
    axis = normalize_axis_index(axis, p.ndim)
    step = np.diff(p, axis=axis)
    turns = np.floor((step + period / 2) / period)
    on_edge = (step - turns * period == -period / 2) & (step > 0)
    turns = np.where(on_edge, turns - 1, turns)
    turns = np.where(np.abs(step) < (period / 2 if discont is None else discont), 0, turns)
    turns = np.concatenate([np.zeros_like(p[_slab(axis, None, 1)]), turns], axis=axis)
    return p - np.cumsum(turns, axis=axis) * period


@composition(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """`np.vander`: the powers of x as columns, by running products."""
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    x = x.astype(np.promote_types(x.dtype, int))
    count = len(x) if N is None else int(N)
    ones = np.ones((len(x), 1), x.dtype)
    factors = np.broadcast_to(x[:, None], (len(x), max(count - 1, 0)))
    powers = np.cumprod(np.concatenate([ones, factors], axis=1), axis=1)[:, :count]
    return powers if increasing else powers[:, ::-1]
