"""Directional derivatives measured by central differences, with how far they can be trusted.

    D(h) = (f(x + h t) - f(x - h t)) / 2h = J t + O(h²),    (4 D(h/2) - D(h)) / 3 = J t + O(h⁴)

The second is Richardson's extrapolation. Rounding adds about ε|f|/h, so that h = ε^(1/5) is near
the best step and ε^(4/5) the error, for numbers of size 1. Source: Ridders, Accurate computation
of F'(x), 1982.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chainrule.checks.space import (
    Leaves,
    Map,
    Vector,
    epsilon,
    extents,
    from_vector,
    sizes,
    to_vector,
)

SMALLER_STEPS = (1.0, 2.0**-5, 2.0**-10, 2.0**-15)
ROUNDING = 8.0  # in units of noise/h: a few roundings in f, and 8/3 from the extrapolation
MOST_NOISE = 1e3  # in units of ε: what else the fourth difference shows is not rounding


class Difference(NamedTuple):
    """J t for one direction t: value ± (truncation + rounding), and second differences at h, h/2.

    The truncation is that of the finer difference, which the extrapolated value undercuts.
    """

    value: Vector
    truncation: Vector
    rounding: Vector
    bend: Vector
    bend_at_half: Vector

    @property
    def finite(self) -> bool:
        return bool(np.all(np.isfinite(self.value)))

    def doubt(self, limit: float) -> Vector:
        """How far the value can be off; of the truncation only `limit` times the largest entry.

        What the differences leave open beyond that limit is not excused: a check that cannot tell
        must not say that all is right.
        """
        with np.errstate(invalid="ignore"):
            most = limit * np.max(np.abs(self.value), initial=0.0)
            excused: Vector = np.minimum(self.truncation, most) + self.rounding
        return excused

    def kinked(self, entry: int) -> bool:
        """Whether the slopes left and right differ however small the step.

        Where f is smooth, right minus left slope is about h f'' and halves with the step.
        """
        bend, half = abs(self.bend[entry]), abs(self.bend_at_half[entry])
        noise = 4 * self.rounding[entry] + 1e-3 * abs(self.value[entry])
        return bool(half > 0.75 * bend and half > noise)

    def slopes(self, entry: int) -> tuple[float, float]:
        """The one-sided slopes, left and right."""
        value, half = float(self.value[entry]), float(self.bend_at_half[entry]) / 2
        return value - half, value + half


def default_step(point: Leaves, direction: Vector, eps: float) -> float:
    """ε^(1/5) of the way along `direction` that changes a coordinate by its own size."""
    changes = np.abs(direction) / sizes(point)
    fastest = float(np.max(changes, initial=0.0))
    return float(eps**0.2) / (fastest if fastest > 0 else 1.0)


def default_tolerance(eps: float) -> float:
    """ε^(2/5): half the digits of a difference, the other half left for the conditioning of f."""
    return float(eps**0.4)


def directional(
    function: Map, point: Leaves, direction: Vector, *, step: float | None = None
) -> Difference:
    """Measure J t along the vector `direction` at `point`.

    Without a `step` of the caller's choice, smaller steps are tried where f is not finite beside
    the point, or where the two differences disagree because something bends between them.
    """
    with np.errstate(all="ignore"):
        stencil = Stencil(function, point, direction)
        if step is not None:
            return stencil.measured(step)
        first = default_step(point, direction, stencil.eps)
        best, least = None, np.inf
        for factor in SMALLER_STEPS:
            found = stencil.measured(first * factor)
            size = np.max(np.abs(found.value), initial=0.0)
            doubt = np.max(found.truncation + found.rounding, initial=0.0)
            if found.finite and doubt <= default_tolerance(stencil.eps) * size:
                return found
            if best is None or (found.finite and not doubt >= least):
                best, least = found, doubt if found.finite else np.inf
        assert best is not None
        return best


class Stencil:
    """A function along a line, measured at five points; it remembers the noise that it saw.

    Noise is ε|f|, and more where larger numbers cancel inside f, as in 1 - tanh(12)²: that shows in
    the fourth difference, where a smooth f leaves only h⁴. A kink leaves far more and is no noise.
    """

    def __init__(self, function: Map, point: Leaves, direction: Vector) -> None:
        self.function = function
        self.point = point
        self.base = to_vector(point)
        self.direction = direction
        middle = function(list(point))
        self.center = to_vector(middle)
        self.eps = epsilon(point, middle)
        self.usual = self.eps * extents(middle)
        self.most = MOST_NOISE * self.eps * max(1.0, np.max(extents(point), initial=0.0))
        self.cancelled: Vector = np.zeros(self.center.size)

    def at(self, distance: float) -> Vector:
        moved = from_vector(self.base + distance * self.direction, self.point)
        return to_vector(self.function(moved))

    def measured(self, h: float) -> Difference:
        ahead, behind, center = self.at(h), self.at(-h), self.center
        half_ahead, half_behind = self.at(h / 2), self.at(-h / 2)
        coarse = (ahead - behind) / (2 * h)
        fine = (half_ahead - half_behind) / h
        value = (4 * fine - coarse) / 3
        fourth = np.abs(ahead - 4 * half_ahead + 6 * center - 4 * half_behind + behind)
        self.cancelled = np.fmax(self.cancelled, np.minimum(fourth, self.most))
        return Difference(
            value,
            np.abs(value - fine),
            ROUNDING * (self.usual + self.cancelled) / h,
            (ahead - 2 * center + behind) / h,
            2 * (half_ahead - 2 * center + half_behind) / h,
        )
