"""B-splines: Σᵢ cᵢ Bᵢ,ₖ(x; t), evaluated by the recursion of de Boor.

Differentiable in the points, the coefficients and the knots.
Source: C. de Boor, A Practical Guide to Splines, chapters IX, X and XIII.
"""

from __future__ import annotations

import operator
from typing import Any, Self

import numpy as np
import scipy.interpolate

from chainrule.scipy.forwarding import array, double, is_traced, refused
from chainrule.scipy.interpolate.banded import banded_solve
from chainrule.scipy.interpolate.piecewise import check_nodes, placed
from chainrule.tracing.conversion import concrete


def _intervals(t: Any, k: int, x: Any) -> Any:
    """i with tᵢ ≤ x < tᵢ₊₁, from k to n - 1; the outer intervals reach on."""
    t, x = concrete(t), concrete(x)
    return np.clip(np.searchsorted(t, x, side="right") - 1, k, len(t) - k - 2)


def _evaluated(t: Any, c: Any, k: int, x: Any) -> Any:
    """de Boor's recursion for all points at once."""
    i = _intervals(t, k, x)
    room = (1,) * (c.ndim - 1)
    d = [c[i - k + j] for j in range(k + 1)]
    for r in range(1, k + 1):
        for j in range(k, r - 1, -1):
            low, high = t[i - k + j], t[i + j + 1 - r]
            alpha = np.reshape((x - low) / (high - low), (*np.shape(x), *room))
            d[j] = (1 - alpha) * d[j - 1] + alpha * d[j]
    return d[k]


def basis(t: Any, k: int, x: Any, nu: int = 0) -> tuple[Any, Any]:
    """The k + 1 B-splines that are not zero at each x, or their derivatives, and the first one.

    Row by row the values of Bᵢ₋ₖ … Bᵢ.
    """
    i = _intervals(t, k, x)
    values = [np.ones(np.shape(x))]
    for r in range(1, k + 1):
        new: list[Any] = [0.0] * (r + 1)
        for j in range(r):
            low, high = t[i - r + 1 + j], t[i + 1 + j]
            width = high - low
            if r > k - nu:  # the last nu steps differentiate: B' = r (B / Δ - B / Δ)
                part = r * values[j] / width
                new[j], new[j + 1] = new[j] - part, new[j + 1] + part
            else:
                part = values[j] / width
                new[j] = new[j] + (high - x) * part
                new[j + 1] = new[j + 1] + (x - low) * part
        values = new
    return np.stack(values, axis=-1), i - k


class BSpline:
    """`scipy.interpolate.BSpline` for plain and traced knots, coefficients and points.

    On plain values its methods are SciPy's own.

    >>> import chainrule as cr
    >>> t = np.array([0.0, 0.0, 1.0, 2.0, 2.0])
    >>> cr.grad(lambda c: BSpline(t, c, 1)(0.25))(np.zeros(3))
    array([0.75, 0.25, 0.  ])
    """

    t: Any
    c: Any
    k: int
    axis: int
    extrapolate: Any
    _plain: Any

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        k = operator.index(k)
        if not is_traced((t, c)):
            self._hold(scipy.interpolate.BSpline(t, c, k, extrapolate, axis))
            return
        t, c = double(t), double(c)
        # SciPy's constructor checks the numbers.
        scipy.interpolate.BSpline(concrete(t), concrete(c), k, extrapolate, axis)
        self._make(t, np.moveaxis(c, axis, 0), k, extrapolate, axis % c.ndim)

    def _hold(self, plain: Any) -> Self:
        self._make(plain.t, plain.c, plain.k, plain.extrapolate, plain.axis)
        self._plain = plain
        return self

    def _make(self, t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> Self:
        self.t, self.c, self.k, self.extrapolate, self.axis = t, c, k, extrapolate, axis
        self._plain = None
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(scipy.interpolate.BSpline, name):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        if self._plain is None:
            raise refused(getattr(scipy.interpolate.BSpline, name), "for traced coefficients")
        return getattr(self._plain, name)

    @property
    def tck(self) -> tuple[Any, Any, int]:
        return self.t, self.c, self.k

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The value, or the derivative of order `nu`, at every entry of `x`."""
        if self._plain is not None and not is_traced(x):
            return self._plain(x, nu, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        x = array(x)
        low, high = self.t[self.k], self.t[self.t.shape[0] - self.k - 1]
        if extrapolate == "periodic":
            x = low + np.remainder(x - low, high - low)
        t, c, k = self._of_order(nu)
        values = _evaluated(t, c, k, x)
        if not extrapolate:
            hidden = (concrete(x) < concrete(low)) | (concrete(x) > concrete(high))
            hidden = np.reshape(hidden, (*np.shape(x), *(1,) * (c.ndim - 1)))
            values = np.where(hidden, np.nan, values)
        return placed(values, np.ndim(x), self.axis)

    def _of_order(self, nu: int) -> tuple[Any, Any, int]:
        """Knots, coefficients and degree of the derivative of order `nu`."""
        t, k = self.t, self.k
        c = self.c[: t.shape[0] - k - 1]
        for _ in range(nu):
            if k == 0:
                return t, 0 * c, 0
            width = t[k + 1 : -1] - t[1 : -k - 1]
            width = np.reshape(np.where(width == 0, 1.0, width), (-1,) + (1,) * (c.ndim - 1))
            c, t, k = k * (c[1:] - c[:-1]) / width, t[1:-1], k - 1
        return t, c, k

    def derivative(self, nu: int = 1) -> BSpline:
        """The B-spline of the derivative, of a degree lower by `nu`."""
        if self._plain is not None:
            return BSpline.__new__(BSpline)._hold(self._plain.derivative(nu))
        if nu > self.k:
            raise ValueError(
                f"a spline of a degree {self.k} has no B-spline as derivative of order {nu}"
            )
        t, c, k = self._of_order(nu)
        return BSpline.__new__(BSpline)._make(t, c, k, self.extrapolate, self.axis)

    def antiderivative(self, nu: int = 1) -> BSpline:
        """The B-spline of the antiderivative that is 0 at the first knot."""
        if self._plain is not None:
            return BSpline.__new__(BSpline)._hold(self._plain.antiderivative(nu))
        t, k = self.t, self.k
        c = self.c[: t.shape[0] - k - 1]
        for _ in range(nu):
            width = np.reshape((t[k + 1 :] - t[: -k - 1]) / (k + 1), (-1,) + (1,) * (c.ndim - 1))
            sums = np.cumsum(c * width, axis=0)
            c, k = np.concatenate([np.zeros_like(sums[:1]), sums]), k + 1
            t = np.concatenate([t[:1], t, t[-1:]])
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return BSpline.__new__(BSpline)._make(t, c, k, extrapolate, self.axis)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """∫ₐᵇ; without extrapolation the spline is 0 beyond its ends."""
        if self._plain is not None and not is_traced((a, b)):
            return self._plain.integrate(a, b, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        own = BSpline.__new__(BSpline)._make(self.t, self.c, self.k, True, 0)
        whole = own.antiderivative()
        low, high = self.t[self.k], self.t[self.t.shape[0] - self.k - 1]

        def upto(x: Any) -> Any:
            if extrapolate == "periodic":
                turns = np.floor(concrete((x - low) / (high - low)))
                return turns * (whole(high) - whole(low)) + whole(x - turns * (high - low))
            return whole(x if extrapolate else np.clip(x, low, high))

        return upto(array(b)) - upto(array(a))


def _knots(x: Any, k: int, augmented: bool) -> Any:
    """Not-a-knot: inner nodes are knots, but for the first and last (k - 1) / 2 of them."""
    if augmented:
        inner = x[1:-1]
    elif k % 2:
        inner = x[(k + 1) // 2 : x.shape[0] - (k + 1) // 2]
    else:
        middle = (x[1:] + x[:-1]) / 2
        inner = middle[k // 2 : middle.shape[0] - k // 2]
    ends = [np.stack([x[end]] * (k + 1)) for end in (0, -1)]
    return np.concatenate([ends[0], inner, ends[1]])


_NAMED = {"natural": (2, 0.0), "clamped": (1, 0.0)}


def _at_an_end(condition: Any, y: Any) -> list[tuple[int, Any]]:
    """Derivatives given at one end: (order, one value per column)."""
    if condition is None:
        return []
    if isinstance(condition, str):
        if condition not in _NAMED:
            raise ValueError(f"Unknown boundary condition : {condition}")
        order, value = _NAMED[condition]
        return [(order, np.full(y.shape[1], value))]
    return [(int(order), np.reshape(array(value), (-1,))) for order, value in condition]


def make_interp_spline(
    x: Any,
    y: Any,
    k: int = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: int = 0,
    check_finite: bool = True,
) -> Any:
    """`scipy.interpolate.make_interp_spline`: the B-spline of degree k through all points.

    Differentiable in x, y, the knots t and the derivatives given as `bc_type`; periodic splines
    of traced values are refused (use CubicSpline).

    >>> import chainrule as cr
    >>> x = np.arange(5.0)
    >>> cr.grad(lambda y: make_interp_spline(x, y)(2.0))(x**2).round(12) + 0.0
    array([0., 0., 1., 0., 0.])
    """
    if not is_traced((x, y, t, bc_type)):
        plain = scipy.interpolate.make_interp_spline(x, y, k, t, bc_type, axis, check_finite)
        return BSpline.__new__(BSpline)._hold(plain)
    if isinstance(bc_type, str) and bc_type == "periodic":
        raise refused(
            scipy.interpolate.make_interp_spline, "with bc_type='periodic'; use CubicSpline"
        )
    x, y, axis = check_nodes(x, y, axis)
    k = operator.index(k)
    if k == 0:
        knots = np.concatenate([x, x[-1:]])
        return BSpline.__new__(BSpline)._make(knots, y, 0, True, axis)
    if bc_type is None or isinstance(bc_type, str):
        bc_type = None if bc_type == "not-a-knot" else bc_type
        bc_type = (bc_type, bc_type)
    flat = np.reshape(y, (y.shape[0], -1))
    first, last = (_at_an_end(condition, flat) for condition in bc_type)
    knots = _knots(x, k, bool(first or last)) if t is None else array(t)
    size = knots.shape[0] - k - 1
    if size != x.shape[0] + len(first) + len(last):
        raise ValueError("the numbers of knots, points and derivatives at the ends do not fit")
    c = _coefficients(knots, k, x, flat, first, last)
    return BSpline.__new__(BSpline)._make(knots, np.reshape(c, (size, *y.shape[1:])), k, True, axis)


def _coefficients(t: Any, k: int, x: Any, y: Any, first: Any, last: Any) -> Any:
    """Solve the banded system of the values and the derivatives at the ends."""
    rows: list[Any] = []
    starts: list[Any] = []
    right: list[Any] = []
    for order, value in first:
        values, start = basis(t, k, x[:1], order)
        rows, starts, right = [*rows, values], [*starts, start], [*right, value[None]]
    values, start = basis(t, k, x)
    rows, starts, right = [*rows, values], [*starts, start], [*right, y]
    for order, value in last:
        values, start = basis(t, k, x[-1:], order)
        rows, starts, right = [*rows, values], [*starts, start], [*right, value[None]]
    columns = np.concatenate(starts)[:, None] + np.arange(k + 1)
    size = len(columns)
    entries = np.concatenate(rows)
    lines = np.arange(size)[:, None] + 0 * columns
    width = int(np.max(np.abs(lines - columns), initial=0))
    inside = np.abs(lines - columns) <= width
    bands = np.zeros((2 * width + 1, size), like=entries)
    bands[width + (lines - columns)[inside], columns[inside]] = entries[inside]
    return banded_solve(bands, np.concatenate(right), lower=width, upper=width)
