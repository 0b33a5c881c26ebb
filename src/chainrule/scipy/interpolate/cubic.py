"""Cubic interpolation: splines, PCHIP, Akima, and given slopes.

All are cubic pieces with values y and slopes s at their ends; they differ in how s is found.
Sources: C. de Boor, A Practical Guide to Splines, chapter IV; F. Fritsch, J. Butland, SIAM J. Sci.
Stat. Comput. 5 (1984) with C. Moler, Numerical Computing with MATLAB, 3.6 for the ends (PCHIP);
H. Akima, J. ACM 17 (1970), and the "makima" weights of MATLAB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate

from chainrule.scipy.forwarding import array
from chainrule.scipy.interpolate.banded import banded_solve
from chainrule.scipy.interpolate.piecewise import PPoly, check_nodes, hermite, is_plain, like_column

_FIXED = {"clamped": 1, "natural": 2}


class CubicHermiteSpline(PPoly):
    """`scipy.interpolate.CubicHermiteSpline`: values and slopes are given."""

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        if is_plain(x, y, dydx):
            self._hold(scipy.interpolate.CubicHermiteSpline(x, y, dydx, axis, extrapolate))
            return
        x, y, axis = check_nodes(x, y, axis)
        slopes = np.moveaxis(array(dydx), axis, 0)
        if slopes.shape != y.shape:
            raise ValueError("The shapes of `y` and `dydx` must be identical.")
        self._make(hermite(x, y, slopes), x, extrapolate is None or extrapolate, axis)


class CubicSpline(PPoly):
    """`scipy.interpolate.CubicSpline`: twice continuously differentiable.

    Differentiable in the nodes x, the values y, the points asked for and the slopes or second
    derivatives given as `bc_type`; `not-a-knot`, `periodic`, `clamped`, `natural` as in SciPy.

    >>> import chainrule as cr
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> cr.grad(lambda y: CubicSpline(x, y)(1.5))(x**2)
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        axis: int = 0,
        bc_type: Any = "not-a-knot",
        extrapolate: Any = None,
    ) -> None:
        if is_plain(x, y, bc_type):
            self._hold(scipy.interpolate.CubicSpline(x, y, axis, bc_type, extrapolate))
            return
        x, y, axis = check_nodes(x, y, axis)
        ends = _conditions(bc_type, y)
        periodic = ends[0] == "periodic"
        if extrapolate is None:
            extrapolate = "periodic" if periodic else True
        flat = np.reshape(y, (y.shape[0], -1))
        slopes = _periodic_slopes(x, flat) if periodic else _slopes(x, flat, ends)
        self._make(hermite(x, y, np.reshape(slopes, y.shape)), x, extrapolate, axis)


def _conditions(bc_type: Any, y: Any) -> tuple[Any, Any]:
    """What holds at either end: a name, or (order of a derivative, its flattened values)."""
    if isinstance(bc_type, str):
        if bc_type == "periodic" and not np.allclose(y[0], y[-1], rtol=1e-15, atol=1e-15):
            raise ValueError("the first and last y must be identical when bc_type='periodic'")
        bc_type = (bc_type, bc_type)
    elif len(bc_type) != 2 or "periodic" in [bc for bc in bc_type if isinstance(bc, str)]:
        raise ValueError("`bc_type` must be a name, or a pair of conditions, none of it 'periodic'")
    found = []
    for bc in bc_type:
        if isinstance(bc, str):
            if bc not in (*_FIXED, "not-a-knot", "periodic"):
                raise ValueError(f"bc_type={bc} is not allowed.")
            found.append((_FIXED[bc], np.zeros(y[0].size)) if bc in _FIXED else bc)
        else:
            order, value = bc
            value = array(value)
            if order not in (1, 2) or value.shape != y.shape[1:]:
                raise ValueError("a condition is (1 or 2, a value with the shape of one y)")
            found.append((order, np.reshape(value, (-1,))))
    return found[0], found[1]


def _slopes(x: Any, y: Any, ends: tuple[Any, Any]) -> Any:
    """The slopes at the nodes, from a tridiagonal system."""
    h = np.diff(x)
    slope = np.diff(y, axis=0) / h[:, None]
    size = x.shape[0]
    first, last = ends
    if size == 2:
        first, last = ((1, slope[0]) if end == "not-a-knot" else end for end in ends)
    if size == 3 and first == "not-a-knot" and last == "not-a-knot":
        return _parabola(h, slope)
    left = _end(first, h[0], h[1] if size > 2 else None, slope[:2], y[1] - y[0])
    right = _end(last, h[-1], h[-2] if size > 2 else None, slope[:-3:-1], y[-1] - y[-2], -1)
    inner = 3 * (h[1:, None] * slope[:-1] + h[:-1, None] * slope[1:])
    b = np.concatenate([left[2][None], inner, right[2][None]])
    zero = np.zeros(1)
    upper = np.concatenate([zero, np.stack([left[1]]), h[:-1]])
    diagonal = np.concatenate([np.stack([left[0]]), 2 * (h[:-1] + h[1:]), np.stack([right[0]])])
    lower = np.concatenate([h[1:], np.stack([right[1]]), zero])
    return banded_solve(np.stack([upper, diagonal, lower]), b, lower=1, upper=1)


def _end(bc: Any, h0: Any, h1: Any, slope: Any, rise: Any, side: int = 1) -> tuple[Any, Any, Any]:
    """Diagonal, neighbour and right-hand side of the equation at one end."""
    if bc == "not-a-knot":
        d = h0 + h1
        return h1, d, ((h0 + 2 * d) * h1 * slope[0] + h0**2 * slope[1]) / d
    order, value = bc
    if order == 1:
        return 0 * h0 + 1, 0 * h0, value + 0 * h0
    return 2 * h0, h0, 3 * rise - side * 0.5 * value * h0**2


def _parabola(h: Any, slope: Any) -> Any:
    """The slopes of the one parabola through three points."""
    second = (slope[1] - slope[0]) / (h[0] + h[1])
    return np.stack([slope[0] - h[0] * second, slope[0] + h[0] * second, slope[1] + h[1] * second])


def _periodic_slopes(x: Any, y: Any) -> Any:
    """The same where the ends are one node: a cyclic system, condensed to a tridiagonal one."""
    h = np.diff(x)
    slope = np.diff(y, axis=0) / h[:, None]
    size = x.shape[0]
    if size == 2:
        return np.concatenate([slope, slope])
    if size == 3:
        mean = np.sum(slope / h[:, None], axis=0) / np.sum(1 / h)
        return np.stack([mean] * 3)
    before, after = np.roll(h, 1), h  # the widths on either side of the nodes 0 … n - 2
    slope_before = np.roll(slope, 1, axis=0)
    b = 3 * (after[:, None] * slope_before + before[:, None] * slope)
    zero = np.zeros(1)
    bands = np.stack(
        [
            np.concatenate([zero, before[:-2]]),
            2 * (before + after)[:-1],
            np.concatenate([after[1:-1], zero]),
        ]
    )
    # The last unknown is taken out; what it does to its two neighbours is the second column.
    rows = np.arange(size - 2)[:, None]
    coupling = np.where(rows == 0, -after[0], 0.0) + np.where(rows == size - 3, -before[-2], 0.0)
    columns = banded_solve(bands, np.concatenate([b[:-1], coupling], axis=1), lower=1, upper=1)
    s1, s2 = columns[:, :-1], columns[:, -1:]
    above, below, diagonal = before[-1], after[-1], 2 * (before[-1] + after[-1])
    top = b[-1] - above * s1[0] - below * s1[-1]
    last = top / (diagonal + above * s2[0] + below * s2[-1])
    inner = s1 + last * s2
    return np.concatenate([inner, last[None], inner[:1]])


class PchipInterpolator(PPoly):
    """`scipy.interpolate.PchipInterpolator`: monotone where the values are.

    The slope at a local extremum is 0, and has derivative 0 there.
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
        if is_plain(x, y):
            self._hold(scipy.interpolate.PchipInterpolator(x, y, axis, extrapolate))
            return
        x, y, axis = check_nodes(x, y, axis)
        slopes = _monotone_slopes(x, y)
        self._make(hermite(x, y, slopes), x, extrapolate is None or extrapolate, axis)


def _monotone_slopes(x: Any, y: Any) -> Any:
    """Weighted harmonic means of the neighbouring slopes; 0 where their signs differ."""
    h = like_column(np.diff(x), y)
    m = np.diff(y, axis=0) / h
    if y.shape[0] == 2:
        return np.concatenate([m, m])
    flat = (np.sign(m[1:]) != np.sign(m[:-1])) | (m[1:] == 0) | (m[:-1] == 0)
    before, after = np.where(flat, 1.0, m[:-1]), np.where(flat, 1.0, m[1:])
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    mean = (w1 + w2) / (w1 / before + w2 / after)
    inner = np.where(flat, 0.0, mean)
    first, last = _monotone_end(h[:2], m[:2]), _monotone_end(h[:-3:-1], m[:-3:-1])
    return np.concatenate([first[None], inner, last[None]])


def _monotone_end(h: Any, m: Any) -> Any:
    d = ((2 * h[0] + h[1]) * m[0] - h[0] * m[1]) / (h[0] + h[1])
    turned = (np.sign(m[0]) != np.sign(m[1])) & (np.abs(d) > 3 * np.abs(m[0]))
    return np.where(np.sign(d) != np.sign(m[0]), 0.0, np.where(turned, 3 * m[0], d))


class Akima1DInterpolator(PPoly):
    """`scipy.interpolate.Akima1DInterpolator`: local, and little moved by outliers."""

    def __init__(
        self,
        x: Any,
        y: Any,
        axis: int = 0,
        *,
        method: str = "akima",
        extrapolate: Any = None,
    ) -> None:
        if is_plain(x, y):
            plain = scipy.interpolate.Akima1DInterpolator(
                x, y, axis, method=method, extrapolate=extrapolate
            )
            self._hold(plain)
            return
        if method not in ("akima", "makima"):
            raise ValueError(f"`method`={method} is unsupported.")
        x, y, axis = check_nodes(x, y, axis)
        slopes = _akima_slopes(x, y, method)
        self._make(hermite(x, y, slopes), x, bool(extrapolate), axis)


def _akima_slopes(x: Any, y: Any, method: str) -> Any:
    m = np.diff(y, axis=0) / like_column(np.diff(x), y)
    if y.shape[0] == 2:
        return np.concatenate([m, m])
    left = 2 * m[:1] - m[1:2]
    right = 2 * m[-1:] - m[-2:-1]
    m = np.concatenate([2 * left - m[:1], left, m, right, 2 * right - m[-1:]])
    weight = np.abs(np.diff(m, axis=0))
    if method == "makima":
        weight = weight + 0.5 * np.abs(m[1:] + m[:-1])
    f1, f2 = weight[2:], weight[:-2]
    both = f1 + f2
    known = both > 1e-9 * np.max(both)  # SciPy's threshold for a slope that is not determined
    share = f2 / np.where(known, both, 1.0)
    return np.where(known, m[1:-2] + share * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))
