"""Distributions on the positive half line. Formulas: SciPy's definitions of each, and DLMF 8."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.scipy.special.incomplete_gamma import log_gamma_density
from chainrule.scipy.stats.distribution import Continuous
from chainrule.scipy.stats.real_line import LOG_ROOT_2_PI

SMALLEST = np.nextafter(0.0, 1.0)


class HalfLine(Continuous):
    inside = 1.0

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, np.inf


class OpenHalfLine(HalfLine):
    """Where the density at 0 is the limit 0 of an expression that is not a number there."""

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return SMALLEST, np.inf


class Gamma(HalfLine):
    name = "gamma"
    shapes = ("a",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return log_gamma_density(shapes[0], z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(shapes[0], z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(shapes[0], z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return special.gammaincinv(shapes[0], q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return special.gammainccinv(shapes[0], q)

    def mean_of(self, *shapes: Any) -> Any:
        return shapes[0]

    def var_of(self, *shapes: Any) -> Any:
        return shapes[0]


class ChiSquared(HalfLine):
    name = "chi2"
    shapes = ("df",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return log_gamma_density(shapes[0] / 2, z / 2) - math.log(2)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(shapes[0] / 2, z / 2)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(shapes[0] / 2, z / 2)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return 2 * special.gammaincinv(shapes[0] / 2, q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return 2 * special.gammainccinv(shapes[0] / 2, q)

    def mean_of(self, *shapes: Any) -> Any:
        return shapes[0]

    def var_of(self, *shapes: Any) -> Any:
        return 2 * shapes[0]


class Exponential(HalfLine):
    name = "expon"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -z

    def below(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-z)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return -z

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return -np.log1p(-q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return -np.log(q)

    def mean_of(self, *shapes: Any) -> Any:
        return 1.0

    def var_of(self, *shapes: Any) -> Any:
        return 1.0


class Weibull(HalfLine):
    name = "weibull_min"
    shapes = ("c",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        return np.log(c) + special.xlogy(c - 1, z) - z**c

    def below(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-(z ** shapes[0]))

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-(z ** shapes[0]))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return -(z ** shapes[0])

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return (-np.log1p(-q)) ** (1 / shapes[0])

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return (-np.log(q)) ** (1 / shapes[0])

    def mean_of(self, *shapes: Any) -> Any:
        return special.gamma(1 + 1 / shapes[0])

    def var_of(self, *shapes: Any) -> Any:
        return special.gamma(1 + 2 / shapes[0]) - self.mean_of(*shapes) ** 2


class Lognormal(OpenHalfLine):
    name = "lognorm"
    shapes = ("s",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (s,) = shapes
        u = np.log(z)
        return -u * u / (2 * s * s) - np.log(s) - u - LOG_ROOT_2_PI

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(np.log(z) / shapes[0])

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(-np.log(z) / shapes[0])

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(np.log(z) / shapes[0])

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(-np.log(z) / shapes[0])

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return np.exp(shapes[0] * special.ndtri(q))

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return np.exp(-shapes[0] * special.ndtri(q))

    def mean_of(self, *shapes: Any) -> Any:
        return np.exp(shapes[0] ** 2 / 2)

    def var_of(self, *shapes: Any) -> Any:
        square = shapes[0] ** 2
        return np.expm1(square) * np.exp(square)


class HalfNormal(HalfLine):
    name = "halfnorm"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return math.log(2) - LOG_ROOT_2_PI - z * z / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.erf(z / math.sqrt(2))

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.erfc(z / math.sqrt(2))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return math.log(2) + special.log_ndtr(-z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return math.sqrt(2) * special.erfinv(q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return math.sqrt(2) * special.erfcinv(q)

    def mean_of(self, *shapes: Any) -> Any:
        return math.sqrt(2 / math.pi)

    def var_of(self, *shapes: Any) -> Any:
        return 1 - 2 / math.pi


class Rayleigh(HalfLine):
    name = "rayleigh"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(z) - z * z / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-z * z / 2)

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-z * z / 2)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return -z * z / 2

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return np.sqrt(-2 * np.log1p(-q))

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return np.sqrt(-2 * np.log(q))

    def mean_of(self, *shapes: Any) -> Any:
        return math.sqrt(math.pi / 2)

    def var_of(self, *shapes: Any) -> Any:
        return 2 - math.pi / 2


class InverseGamma(OpenHalfLine):
    name = "invgamma"
    shapes = ("a",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return log_gamma_density(shapes[0], 1 / z) - 2 * np.log(z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(shapes[0], 1 / z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(shapes[0], 1 / z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return 1 / special.gammainccinv(shapes[0], q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return 1 / special.gammaincinv(shapes[0], q)

    def mean_of(self, *shapes: Any) -> Any:
        (a,) = shapes
        return np.where(a > 1, 1 / (a - 1), np.inf)

    def var_of(self, *shapes: Any) -> Any:
        (a,) = shapes
        return np.where(a > 2, 1 / ((a - 1) ** 2 * (a - 2)), np.inf)


class FisherF(HalfLine):
    name = "f"
    shapes = ("dfn", "dfd")

    def log_density(self, z: Any, *shapes: Any) -> Any:
        n, m = shapes
        rest = (n + m) / 2 * np.log1p(n * z / m) + special.betaln(n / 2, m / 2)
        return n / 2 * np.log(n / m) + special.xlogy(n / 2 - 1, z) - rest

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.fdtr(*shapes, z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.fdtrc(*shapes, z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        n, m = shapes
        return m / (n * special.betaincinv(m / 2, n / 2, 1 - q)) - m / n

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        n, m = shapes
        return m / n * (1 / special.betaincinv(m / 2, n / 2, q) - 1)

    def mean_of(self, *shapes: Any) -> Any:
        _, m = shapes
        return np.where(m > 2, m / (m - 2), np.inf)

    def var_of(self, *shapes: Any) -> Any:
        n, m = shapes
        found = 2 * m * m * (n + m - 2) / (n * (m - 2) ** 2 * (m - 4))
        return np.where(m > 4, found, np.inf)


gamma, chi2, expon, weibull_min, lognorm = (
    Gamma(),
    ChiSquared(),
    Exponential(),
    Weibull(),
    Lognormal(),
)
halfnorm, rayleigh, invgamma, f = HalfNormal(), Rayleigh(), InverseGamma(), FisherF()

__all__ = [
    "chi2",
    "expon",
    "f",
    "gamma",
    "halfnorm",
    "invgamma",
    "lognorm",
    "rayleigh",
    "weibull_min",
]
