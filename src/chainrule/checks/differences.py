"""Directional derivatives measured by central differences, with how far they can be trusted.

    D(h) = (f(x + h t) - f(x - h t)) / 2h = J t + O(h²),    (4 D(h/2) - D(h)) / 3 = J t + O(h⁴)

The second is Richardson's extrapolation. Rounding adds about ε|f|/h, so that h = ε^(1/5) is near
the best step and ε^(4/5) the error, for numbers of size 1. Source: Ridders, Accurate computation
of F'(x), 1982.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chainrule.checks.space import Leaves, Map, Vector, epsilon, from_vector, sizes, to_vector

SMALLER_STEPS = (1.0, 1 / 32, 1 / 1024)
ROUNDING = 8.0  # in units of ε|f|/h: a few roundings in f, and 8/3 from the extrapolation


class Difference(NamedTuple):
    """J t for one direction t: value ± uncertainty, and the second difference at h and h/2."""

    value: Vector
    uncertainty: Vector
    bend: Vector
    bend_at_half: Vector

    @property
    def finite(self) -> bool:
        return bool(np.all(np.isfinite(self.value)))

    def kinked(self, entry: int) -> bool:
        """Whether the slopes left and right differ however small the step.

        Where f is smooth, right minus left slope is about h f'' and halves with the step.
        """
        bend, half = abs(self.bend[entry]), abs(self.bend_at_half[entry])
        noise = 4 * self.uncertainty[entry] + 1e-3 * abs(self.value[entry])
        return bool(half > 0.75 * bend and half > noise)

    def slopes(self, entry: int) -> tuple[float, float]:
        """The one-sided slopes, left and right."""
        value, half = float(self.value[entry]), float(self.bend_at_half[entry]) / 2
        return value - half, value + half


def default_step(point: Leaves, direction: Vector, eps: float) -> float:
    """ε^(1/5) of the way along `direction` that changes a leaf by its own size."""
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
        middle = function(list(point))
        eps = epsilon(point, middle)
        if step is not None:
            return _measure(function, point, direction, step, middle, eps)
        first = default_step(point, direction, eps)
        best: Difference | None = None
        for factor in SMALLER_STEPS:
            found = _measure(function, point, direction, first * factor, middle, eps)
            size = np.max(np.abs(found.value), initial=0.0)
            doubt = np.max(found.uncertainty, initial=0.0)
            if found.finite and doubt <= default_tolerance(eps) * size:
                return found
            if (
                best is None
                or not best.finite
                or (found.finite and doubt < np.max(best.uncertainty, initial=0.0))
            ):
                best = found
        assert best is not None
        return best


def _measure(
    function: Map, point: Leaves, direction: Vector, h: float, middle: Leaves, eps: float
) -> Difference:
    base, center = to_vector(point), to_vector(middle)

    def at(distance: float) -> Vector:
        return to_vector(function(from_vector(base + distance * direction, point)))

    ahead, behind = at(h), at(-h)
    half_ahead, half_behind = at(h / 2), at(-h / 2)
    coarse = (ahead - behind) / (2 * h)
    fine = (half_ahead - half_behind) / h
    value = (4 * fine - coarse) / 3
    return Difference(
        value,
        np.abs(value - fine) + ROUNDING * eps * sizes(middle) / h,
        (ahead - 2 * center + behind) / h,
        2 * (half_ahead - 2 * center + half_behind) / h,
    )
