"""Distributions whose support is an interval or begins elsewhere than at 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from chainrule.scipy.special.incomplete_beta import log_beta_density
from chainrule.scipy.stats.distribution import Continuous
from chainrule.scipy.stats.real_line import LOG_ROOT_2_PI


class Beta(Continuous):
    name = "beta"
    shapes = ("a", "b")

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        a, b = shapes
        return log_beta_density(a, b, z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.betainc(*shapes, z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.betaincc(*shapes, z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return special.betaincinv(*shapes, q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return special.betainccinv(*shapes, q)

    def mean_of(self, *shapes: Any) -> Any:
        a, b = shapes
        return a / (a + b)

    def var_of(self, *shapes: Any) -> Any:
        a, b = shapes
        return a * b / ((a + b) ** 2 * (a + b + 1))


class Uniform(Continuous):
    name = "uniform"

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.zeros_like(z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return z

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return q

    def mean_of(self, *shapes: Any) -> Any:
        return 0.5

    def var_of(self, *shapes: Any) -> Any:
        return 1 / 12


class Pareto(Continuous):
    name = "pareto"
    shapes = ("b",)
    inside = 2.0

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 1.0, np.inf

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (b,) = shapes
        return np.log(b) - (b + 1) * np.log(z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-shapes[0] * np.log(z))

    def above(self, z: Any, *shapes: Any) -> Any:
        return z ** -shapes[0]

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return -shapes[0] * np.log(z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return np.exp(-np.log1p(-q) / shapes[0])

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return q ** (-1 / shapes[0])

    def mean_of(self, *shapes: Any) -> Any:
        (b,) = shapes
        return np.where(b > 1, b / (b - 1), np.inf)

    def var_of(self, *shapes: Any) -> Any:
        (b,) = shapes
        return np.where(b > 2, b / ((b - 1) ** 2 * (b - 2)), np.inf)


def _log_difference(larger: Any, smaller: Any) -> Any:
    """log(eᵘ - eᵛ) for u ≥ v."""
    return larger + np.log(-np.expm1(smaller - larger))


def log_mass_between(a: Any, b: Any) -> Any:
    """log(Φ(b) - Φ(a)), from the side on which the two are small."""
    right = a > 0
    low, high = np.where(right, -b, a), np.where(right, -a, b)  # the mass of its mirror image
    left = high <= 0
    tail = _log_difference(
        special.log_ndtr(np.where(left, high, 0.0)), special.log_ndtr(np.where(left, low, -1.0))
    )
    return np.where(left, tail, np.log1p(-special.ndtr(low) - special.ndtr(-high)))


class TruncatedNormal(Continuous):
    name = "truncnorm"
    shapes = ("a", "b")

    def is_valid(self, *shapes: Any) -> Any:
        return shapes[0] < shapes[1]

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return shapes

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -z * z / 2 - LOG_ROOT_2_PI - log_mass_between(*shapes)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        """By its complement where it is near 0, which would cancel."""
        a, b = shapes
        direct = log_mass_between(a, z) - log_mass_between(a, b)
        return np.where(direct > -0.1, np.log1p(-np.exp(self._direct_above(z, a, b))), direct)

    def _direct_above(self, z: Any, a: Any, b: Any) -> Any:
        return log_mass_between(z, b) - log_mass_between(a, b)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        a, b = shapes
        return self.log_below(-z, -b, -a)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.exp(self.log_below(z, *shapes))

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(self.log_above(z, *shapes))

    def quantile(self, q: Any, *shapes: Any) -> Any:
        a, b = shapes
        mass = log_mass_between(a, b)
        from_left = np.logaddexp(special.log_ndtr(a), np.log(q) + mass)
        from_right = np.logaddexp(special.log_ndtr(-b), np.log1p(-q) + mass)
        return np.where(a < 0, special.ndtri_exp(from_left), -special.ndtri_exp(from_right))

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        a, b = shapes
        return -self.quantile(q, -b, -a)

    def mean_of(self, *shapes: Any) -> Any:
        return self._at(shapes[0], shapes) - self._at(shapes[1], shapes)

    def var_of(self, *shapes: Any) -> Any:
        a, b = (np.where(np.isinf(end), 0.0, end) for end in shapes)
        ends = a * self._at(shapes[0], shapes) - b * self._at(shapes[1], shapes)
        return 1 + ends - self.mean_of(*shapes) ** 2

    def _at(self, end: Any, shapes: tuple[Any, ...]) -> Any:
        return np.exp(self.log_density(end, *shapes))


beta, uniform, pareto, truncnorm = Beta(), Uniform(), Pareto(), TruncatedNormal()

__all__ = ["beta", "pareto", "truncnorm", "uniform"]
