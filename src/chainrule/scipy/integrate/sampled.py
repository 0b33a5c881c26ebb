"""Integrals of samples: linear in y, rational in the places x.

Sources: K. Cartwright, Simpson's rule cumulative integration with MS Excel and irregularly-spaced
data, J. Math. Sci. Math. Educ. 12 (2017), for uneven samples and the last interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.integrate

from chainrule.scipy.forwarding import array, stands_for


def _last(y: Any, x: Any, dx: Any, axis: int) -> tuple[Any, Any]:
    """`y` and the widths of its intervals, with the axis of integration last."""
    y = array(y)
    size = y.shape[axis]
    y = np.moveaxis(y, axis, -1)
    if x is None:
        dx = np.asarray(dx, y.real.dtype) if isinstance(dx, float | int) else array(dx)
        if np.ndim(dx):
            dx = np.moveaxis(dx, axis, -1)
        return y, np.broadcast_to(dx, (*np.shape(dx)[:-1], size - 1))
    x = array(x)
    if x.ndim not in (1, y.ndim) or x.shape[axis if x.ndim > 1 else 0] != size:
        raise ValueError("x must have one axis, or as many as y, and the length of y along `axis`")
    return y, np.diff(np.moveaxis(x, axis, -1) if x.ndim > 1 else x, axis=-1)


@stands_for(scipy.integrate.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """`scipy.integrate.trapezoid`: Σ hₖ (yₖ + yₖ₊₁) / 2.

    >>> import chainrule as cr
    >>> cr.grad(trapezoid)(np.array([1.0, 2.0, 4.0]))
    array([0.5, 1. , 0.5])
    """
    y, h = _last(y, x, dx, axis)
    return np.sum(h * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)


@stands_for(scipy.integrate.cumulative_trapezoid)
def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """`scipy.integrate.cumulative_trapezoid`: the trapezoidal rule up to every sample."""
    y, h = _last(y, x, dx, axis)
    if initial is not None and initial != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    return _cumulative(h * (y[..., 1:] + y[..., :-1]) / 2, initial, axis)


def _cumulative(parts: Any, initial: Any, axis: int) -> Any:
    """The running sums of the parts, after `initial` if that is given."""
    sums = np.cumsum(parts, axis=-1)
    if initial is not None:
        first = array(initial)
        if first.ndim:
            first = np.moveaxis(first, axis, -1)
        first = np.broadcast_to(first, (*sums.shape[:-1], 1))
        sums = np.concatenate([first, sums + first], axis=-1)
    return np.moveaxis(sums, -1, axis)


@stands_for(scipy.integrate.simpson)
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """`scipy.integrate.simpson`: parabolas through three samples each, evenly spaced or not.

    >>> import chainrule as cr
    >>> cr.grad(simpson)(np.array([1.0, 2.0, 4.0])).round(6)
    array([0.333333, 1.333333, 0.333333])
    """
    y, h = _last(y, x, dx, axis)
    size = y.shape[-1]
    if size < 3:
        return np.sum(h * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)
    even = size if size % 2 else size - 1
    h0, h1 = h[..., 0 : even - 1 : 2], h[..., 1 : even - 1 : 2]
    y0, y1, y2 = (y[..., k : even - 2 + k : 2] for k in range(3))
    both = h0 + h1
    parts = y0 * (2 - h1 / h0) + y1 * (both**2 / (h0 * h1)) + y2 * (2 - h0 / h1)
    total = np.sum(both / 6 * parts, axis=-1)
    if even < size:
        a, b = h[..., -2], h[..., -1]
        total = total + y[..., -1] * (2 * b**2 + 3 * a * b) / (6 * (a + b))
        total = total + y[..., -2] * (b**2 + 3 * a * b) / (6 * a)
        total = total - y[..., -3] * b**3 / (6 * a * (a + b))
    return total


def _first_of_three(y: Any, h: Any) -> Any:
    """The integral over the first of two neighbouring intervals, by the parabola over both."""
    h0, h1 = h[..., :-1], h[..., 1:]
    whole = h0 / (h0 + h1)
    skew = whole * h0 / h1
    parts = (3 - whole) * y[..., :-2] + (3 + skew + whole) * y[..., 1:-1] - skew * y[..., 2:]
    return h0 / 6 * parts


@stands_for(scipy.integrate.cumulative_simpson)
def cumulative_simpson(
    y: Any, *, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """`scipy.integrate.cumulative_simpson`: Simpson's rule up to every sample."""
    y, h = _last(y, x, dx, axis)
    if y.shape[-1] < 3:
        return _cumulative(h * (y[..., 1:] + y[..., :-1]) / 2, initial, axis)
    if np.any(h <= 0) and x is not None:
        raise ValueError("Input x must be strictly increasing.")
    h = np.broadcast_to(h, (*y.shape[:-1], y.shape[-1] - 1))
    left = _first_of_three(y, h)
    right = np.flip(_first_of_three(np.flip(y, -1), np.flip(h, -1)), -1)
    # Even intervals are the first of their parabola, odd ones and the last the second.
    size = h.shape[-1]
    first = (np.arange(size) % 2 == 0) & (np.arange(size) < size - 1)
    edge = np.zeros_like(left[..., :1])
    parts = np.where(
        first, np.concatenate([left, edge], axis=-1), np.concatenate([edge, right], axis=-1)
    )
    return _cumulative(parts, initial, axis)


@stands_for(scipy.integrate.romb)
def romb(y: Any, dx: Any = 1.0, axis: int = -1, show: Any = False) -> Any:
    """`scipy.integrate.romb`: Romberg's extrapolation of 2ᵏ + 1 evenly spaced samples."""
    y = np.moveaxis(array(y), axis, -1)
    intervals = y.shape[-1] - 1
    if intervals < 1 or intervals & (intervals - 1):
        raise ValueError("Number of samples must be one plus a non-negative power of 2.")
    row: list[Any] = []
    step = intervals
    while step:
        samples = y[..., ::step]
        row_before, row = row, [trapezoid_of(samples, step * dx)]
        for j, before in enumerate(row_before, start=1):
            row.append(row[-1] + (row[-1] - before) / (4**j - 1))
        step //= 2
    return row[-1]


def trapezoid_of(samples: Any, h: Any) -> Any:
    """The trapezoidal rule of evenly spaced samples along the last axis."""
    return h * (np.sum(samples, axis=-1) - (samples[..., 0] + samples[..., -1]) / 2)
