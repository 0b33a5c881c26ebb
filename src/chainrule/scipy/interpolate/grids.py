"""Interpolation between the points of a line or of a grid, by straight lines or by steps."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.interpolate

from chainrule.scipy.forwarding import array, is_traced, refused
from chainrule.scipy.interpolate.bsplines import make_interp_spline
from chainrule.scipy.interpolate.piecewise import outside, pieces_of, placed
from chainrule.tracing.conversion import concrete

_DEGREES = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}
_STEPS = ("nearest", "nearest-up", "previous", "next")


class interp1d:  # noqa: N801  SciPy's name
    """`scipy.interpolate.interp1d` for plain and traced points and values.

    Straight lines, splines (`quadratic`, `cubic`, or a degree) and steps (`previous`, `next`,
    `nearest`, `zero`), of which only the values have a derivative.

    >>> import chainrule as cr
    >>> line = interp1d([0.0, 1.0, 3.0], [0.0, 2.0, 0.0])
    >>> cr.grad(line)(2.0)
    np.float64(-1.0)
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        kind: Any = "linear",
        axis: int = -1,
        copy: bool = True,
        bounds_error: bool | None = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> None:
        x, y = array(x), array(y)
        fill = fill_value if isinstance(fill_value, str) else concrete(fill_value)
        if isinstance(fill, tuple):
            fill = tuple(concrete(part) for part in fill)
        self._plain = scipy.interpolate.interp1d(
            concrete(x), concrete(y), kind, axis, copy, bounds_error, fill, assume_sorted
        )
        self._traced = is_traced((x, y, fill_value))
        self.axis = axis % y.ndim
        self._kind = "cubic" if kind == 3 else kind
        self._fill = fill_value
        y = np.moveaxis(y, self.axis, 0)
        if not assume_sorted:
            order = np.argsort(concrete(x), kind="mergesort")
            x, y = x[order], y[order]
        self.x, self._y = x, y

    @property
    def y(self) -> Any:
        return np.moveaxis(self._y, 0, self.axis)

    def __call__(self, x: Any) -> Any:
        """The values at `x`."""
        if not self._traced and not is_traced(x):
            return self._plain(x)
        x = array(x)
        self._plain(concrete(x))  # raises where SciPy does
        values = self._at(x)
        if not isinstance(self._fill, str):
            values = self._filled(values, x)
        return placed(values, np.ndim(x), self.axis)

    def _at(self, x: Any) -> Any:
        if self._kind in _STEPS:
            return self._y[self._step(concrete(self.x), concrete(x))]
        if self._kind != "linear":
            degree = int(_DEGREES.get(self._kind, self._kind))
            return make_interp_spline(self.x, self._y, degree)(x)
        return self._y[0] + 0 * x if len(self.x) == 1 else self._line(x)

    def _line(self, x: Any) -> Any:
        i = pieces_of(self.x, x)
        room = (1,) * (self._y.ndim - 1)
        share = np.reshape((x - self.x[i]) / (self.x[i + 1] - self.x[i]), (*np.shape(x), *room))
        return self._y[i] + share * (self._y[i + 1] - self._y[i])

    def _step(self, nodes: Any, x: Any) -> Any:
        last = len(nodes) - 1
        if self._kind == "previous":
            found = np.searchsorted(nodes, x, side="right") - 1
        elif self._kind == "next":
            found = np.searchsorted(nodes, x, side="left")
        else:
            middles = (nodes[1:] + nodes[:-1]) / 2
            nearest = self._kind == "nearest"
            found = np.searchsorted(middles, x, side="left" if nearest else "right")
        return np.clip(found, 0, last)

    def _filled(self, values: Any, x: Any) -> Any:
        below, above = self._fill if isinstance(self._fill, tuple) else (self._fill, self._fill)
        nodes, points = concrete(self.x), concrete(x)
        room = (*np.shape(points), *(1,) * (self._y.ndim - 1))
        for beyond, fill in ((points < nodes[0], below), (points > nodes[-1], above)):
            if np.any(beyond):
                values = np.where(np.reshape(beyond, room), fill, values)
        return values


class RegularGridInterpolator:
    """`scipy.interpolate.RegularGridInterpolator`, with methods "linear" and "nearest".

    Differentiable in the points asked for, in the values and in the grid; other methods are
    SciPy's on plain values, and refused for traced ones.

    >>> import chainrule as cr
    >>> grid = ([0.0, 1.0], [0.0, 2.0])
    >>> plane = RegularGridInterpolator(grid, np.array([[0.0, 2.0], [3.0, 5.0]]))
    >>> cr.grad(lambda p: plane(p)[0])(np.array([0.5, 0.5]))
    array([3., 1.])
    """

    def __init__(
        self,
        points: Any,
        values: Any,
        method: str = "linear",
        bounds_error: bool = True,
        fill_value: Any = np.nan,
        **solver: Any,
    ) -> None:
        self.grid = tuple(array(axis) for axis in points)
        self.values = array(values)
        self.method, self.fill_value = method, fill_value
        self._plain = scipy.interpolate.RegularGridInterpolator(
            tuple(concrete(axis) for axis in self.grid),
            concrete(self.values),
            method,
            bounds_error,
            concrete(fill_value),
            **solver,
        )
        self._traced = is_traced((self.grid, self.values, fill_value))

    def __call__(self, xi: Any, method: str | None = None, **options: Any) -> Any:
        """The values at the points, whose coordinates are along the last axis of `xi`."""
        if not self._traced and not is_traced(xi):
            return self._plain(xi, method, **options)
        method = self.method if method is None else method
        if method not in ("linear", "nearest") or options:
            raise refused(
                scipy.interpolate.RegularGridInterpolator,
                f"with method={method!r}; use 'linear' or 'nearest'",
            )
        if isinstance(xi, tuple):
            xi = np.stack(np.broadcast_arrays(*map(array, xi)), axis=-1)
        xi = array(xi)
        self._plain(concrete(xi), method)  # raises where SciPy does
        if xi.ndim == 1:
            xi = xi[None, :] if len(self.grid) > 1 else xi[:, None]
        pieces = [pieces_of(axis, xi[..., k]) for k, axis in enumerate(self.grid)]
        shares = [
            (xi[..., k] - axis[i]) / (axis[i + 1] - axis[i])
            for k, (axis, i) in enumerate(zip(self.grid, pieces, strict=True))
        ]
        found = (
            self._nearest(pieces, shares) if method == "nearest" else self._mixed(pieces, shares)
        )
        return self._filled(found, xi)

    def _nearest(self, pieces: list[Any], shares: list[Any]) -> Any:
        index = [i + (concrete(s) > 0.5) for i, s in zip(pieces, shares, strict=True)]
        return self.values[tuple(index)]

    def _mixed(self, pieces: list[Any], shares: list[Any]) -> Any:
        """Σ over the corners of each cell: the product of the shares, times the value there."""
        room = (1,) * (self.values.ndim - len(self.grid))
        total: Any = 0.0
        for corner in itertools.product((0, 1), repeat=len(self.grid)):
            weight: Any = 1.0
            for side, share in zip(corner, shares, strict=True):
                weight = weight * (share if side else 1 - share)
            index = tuple(i + side for i, side in zip(pieces, corner, strict=True))
            total = total + np.reshape(weight, (*np.shape(weight), *room)) * self.values[index]
        return total

    def _filled(self, values: Any, xi: Any) -> Any:
        if self.fill_value is None:
            return values
        beyond = np.any([outside(axis, xi[..., k]) for k, axis in enumerate(self.grid)], axis=0)
        room = (1,) * (self.values.ndim - len(self.grid))
        return np.where(np.reshape(beyond, (*beyond.shape, *room)), self.fill_value, values)
