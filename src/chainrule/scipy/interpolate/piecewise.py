"""Piecewise polynomials: Σₘ c[m, i] (x - xᵢ)^(k-m) for xᵢ ≤ x < xᵢ₊₁.

Differentiable in the points asked for, in the coefficients and in the breakpoints. Which piece a
point lies in is piecewise constant and carries no derivative.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import scipy.interpolate

from chainrule.graph import Traced
from chainrule.scipy.forwarding import array, double, is_traced, refused
from chainrule.tracing.conversion import concrete


def pieces_of(breaks: Any, x: Any) -> Any:
    """The number of the piece in which each entry of `x` lies; the outer ones reach on."""
    breaks, x = concrete(breaks), concrete(x)
    direction = 1 if breaks[-1] >= breaks[0] else -1
    found = np.searchsorted(direction * breaks, direction * x, side="right") - 1
    return np.clip(found, 0, len(breaks) - 2)


def outside(breaks: Any, x: Any) -> Any:
    """Where `x` lies beyond the ends."""
    breaks, x = concrete(breaks), concrete(x)
    low, high = min(breaks[0], breaks[-1]), max(breaks[0], breaks[-1])
    return (x < low) | (x > high)


def placed(values: Any, ndim: int, axis: int) -> Any:
    """The axes of the points, which come first, moved to the axis of interpolation."""
    if axis == 0:
        return values
    order = list(range(values.ndim))
    return np.transpose(values, [*order[ndim : ndim + axis], *order[:ndim], *order[ndim + axis :]])


class PPoly:
    """`scipy.interpolate.PPoly` for plain and traced coefficients, breakpoints and points.

    On plain values its methods are SciPy's own. `roots` and `solve` exist for plain ones alone.

    >>> import chainrule as cr
    >>> parabola = PPoly(np.array([[1.0], [0.0], [0.0]]), np.array([0.0, 2.0]))
    >>> cr.grad(parabola)(1.5)
    np.float64(3.0)
    """

    c: Any
    x: Any
    axis: int
    extrapolate: Any
    _plain: Any

    def __init__(self, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> None:
        if not is_traced((c, x)):
            self._hold(scipy.interpolate.PPoly(c, x, extrapolate, axis))
            return
        c = double(c)
        if axis:
            c = np.moveaxis(np.moveaxis(c, axis + 1, 0), axis + 1, 0)
        self._make(c, double(x), True if extrapolate is None else extrapolate, axis)

    def _hold(self, plain: Any) -> Self:
        """Stand for an object of SciPy."""
        self._make(plain.c, plain.x, plain.extrapolate, plain.axis)
        self._plain = plain
        return self

    def _make(self, c: Any, x: Any, extrapolate: Any, axis: int) -> Self:
        self.c, self.x, self.extrapolate, self.axis = c, x, extrapolate, axis
        self._plain = None
        return self

    def _like(self, c: Any, extrapolate: Any) -> PPoly:
        return PPoly.__new__(PPoly)._make(c, self.x, extrapolate, self.axis)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(scipy.interpolate.PPoly, name):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        if self._plain is None:
            raise refused(getattr(scipy.interpolate.PPoly, name), "for traced coefficients")
        return getattr(self._plain, name)

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The value, or the derivative of order `nu`, at every entry of `x`."""
        if self._plain is not None and not is_traced(x):
            return self._plain(x, nu, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        x = array(x)
        breaks, c = self.x, self._of_order(nu)
        if extrapolate == "periodic":
            x = breaks[0] + np.remainder(x - breaks[0], breaks[-1] - breaks[0])
        i = pieces_of(breaks, x)
        room = (1,) * (c.ndim - 2)
        offset = np.reshape(x - breaks[i], (*np.shape(x), *room))
        values = c[0][i] + 0 * offset
        for row in c[1:]:
            values = values * offset + row[i]
        if not extrapolate:
            hidden = np.reshape(outside(breaks, x), (*np.shape(x), *room))
            values = np.where(hidden, np.nan, values)
        return placed(values, np.ndim(x), self.axis)

    def _of_order(self, nu: int) -> Any:
        """The coefficients of the derivative of order `nu`."""
        if nu < 0:
            return self.antiderivative(-nu).c
        rows = self.c.shape[0]
        if nu >= rows:
            return 0 * self.c[:1]
        powers = np.arange(rows - 1, nu - 1, -1)
        factors = np.array([float(math.perm(int(p), nu)) for p in powers])
        return self.c[: rows - nu] * np.reshape(factors, (-1,) + (1,) * (self.c.ndim - 1))

    def derivative(self, nu: int = 1) -> PPoly:
        """The piecewise polynomial of the derivative."""
        if self._plain is not None:
            return PPoly.__new__(PPoly)._hold(self._plain.derivative(nu))
        return self._like(self._of_order(nu), self.extrapolate)

    def antiderivative(self, nu: int = 1) -> PPoly:
        """The antiderivative that is 0 at the first breakpoint, and continuous."""
        if self._plain is not None:
            return PPoly.__new__(PPoly)._hold(self._plain.antiderivative(nu))
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        c = self.c
        for _ in range(nu):
            c = self._integrated(c)
        return self._like(c, extrapolate) if nu >= 0 else self.derivative(-nu)

    def _integrated(self, c: Any) -> Any:
        rows = c.shape[0]
        room = (1,) * (c.ndim - 2)
        c = c / np.reshape(np.arange(rows, 0, -1), (-1, 1, *room))
        width = np.reshape(np.diff(self.x), (-1, *room))
        gain = c[0] * width
        for row in c[1:]:
            gain = (gain + row) * width
        first = np.zeros_like(gain[:1])
        constants = np.concatenate([first, np.cumsum(gain, axis=0)[:-1]])
        return np.concatenate([c, constants[None]])

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """∫ₐᵇ, over several periods where the polynomial is periodic."""
        if self._plain is not None and not is_traced((a, b)):
            return self._plain.integrate(a, b, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        whole = self.antiderivative()
        if whole._plain is not None:
            whole = whole._like(whole.c, whole.extrapolate)
        whole.axis = 0  # of the values at one point there is no axis to move

        def upto(t: Any) -> Any:
            if extrapolate != "periodic":
                return whole(t, extrapolate=extrapolate)
            start, period = self.x[0], self.x[-1] - self.x[0]
            turns = np.floor(concrete((t - start) / period))
            left = t - turns * period
            return turns * whole(self.x[-1], extrapolate=True) + whole(left, extrapolate=True)

        return upto(array(b)) - upto(array(a))


def check_nodes(x: Any, y: Any, axis: int) -> tuple[Any, Any, int]:
    """Nodes, and values with the axis of interpolation first, as SciPy's constructors take them."""
    x, y = double(x), double(y)
    axis = axis % y.ndim
    if x.ndim != 1 or x.shape[0] < 2 or x.shape[0] != y.shape[axis]:
        raise ValueError("x must have one axis of at least 2 entries, as many as y along `axis`")
    for name, values in (("x", x), ("y", y)):
        if not np.all(np.isfinite(concrete(values))):
            raise ValueError(f"`{name}` must contain only finite values.")
    if np.any(np.diff(concrete(x)) <= 0):
        raise ValueError("`x` must be strictly increasing sequence.")
    return x, np.moveaxis(y, axis, 0), axis


def like_column(x: Any, y: Any) -> Any:
    """A vector along the first axis of `y`."""
    return np.reshape(x, (-1,) + (1,) * (y.ndim - 1))


def hermite(x: Any, y: Any, s: Any) -> Any:
    """The coefficients of the cubic pieces with values `y` and slopes `s` at their ends."""
    h = like_column(np.diff(x), y)
    slope = np.diff(y, axis=0) / h
    t = (s[:-1] + s[1:] - 2 * slope) / h
    return np.stack([t / h, (slope - s[:-1]) / h - t, s[:-1], y[:-1]])


def is_plain(*values: Any) -> bool:
    return not any(isinstance(value, Traced) or is_traced(value) for value in values)
