"""Distributions on the whole real line. Formulas: SciPy's definitions of each, and DLMF 7 and 8."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.declare import elementwise
from chainrule.primitives.samples import REAL, domain
from chainrule.scipy.special.tails import in_blocks, integral
from chainrule.scipy.stats.distribution import Continuous

LOG_ROOT_2_PI = 0.5 * math.log(2 * math.pi)


class RealLine(Continuous):
    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return -np.inf, np.inf


class Normal(RealLine):
    name = "norm"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -z * z / 2 - LOG_ROOT_2_PI

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(-z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(z)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(-z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return special.ndtri(q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return -special.ndtri(q)

    def mean_of(self, *shapes: Any) -> Any:
        return 0.0

    def var_of(self, *shapes: Any) -> Any:
        return 1.0


class StudentT(RealLine):
    name = "t"
    shapes = ("df",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (df,) = shapes
        scale = special.betaln(df / 2, 0.5) + np.log(df) / 2
        return -(df + 1) / 2 * np.log1p(z * z / df) - scale

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.stdtr(shapes[0], z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.stdtr(shapes[0], -z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return special.stdtrit(shapes[0], q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return -special.stdtrit(shapes[0], q)

    def mean_of(self, *shapes: Any) -> Any:
        return np.where(shapes[0] > 1, 0.0, np.inf)

    def var_of(self, *shapes: Any) -> Any:
        (df,) = shapes
        return np.where(df > 2, df / (df - 2), np.where(df > 1, np.inf, np.nan))


class Laplace(RealLine):
    name = "laplace"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -np.abs(z) - math.log(2)

    def below(self, z: Any, *shapes: Any) -> Any:
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z > 0, 1 - tail, tail)

    def above(self, z: Any, *shapes: Any) -> Any:
        return self.below(-z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return np.where(z > 0, np.log1p(-0.5 * np.exp(-np.abs(z))), z - math.log(2))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return self.log_below(-z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return np.where(q > 0.5, -np.log(2 * (1 - q)), np.log(2 * q))

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return -self.quantile(q)

    def mean_of(self, *shapes: Any) -> Any:
        return 0.0

    def var_of(self, *shapes: Any) -> Any:
        return 2.0


class Logistic(RealLine):
    name = "logistic"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(z) + special.log_expit(-z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.expit(z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.expit(-z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(z)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(-z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return special.logit(q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return -special.logit(q)

    def mean_of(self, *shapes: Any) -> Any:
        return 0.0

    def var_of(self, *shapes: Any) -> Any:
        return math.pi**2 / 3


class Cauchy(RealLine):
    name = "cauchy"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -math.log(math.pi) - np.log1p(z * z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.arctan2(1.0, -z) / math.pi

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.arctan2(1.0, z) / math.pi

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return -self.upper_quantile(q)

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        """cot πq, from the nearer of its two poles."""
        near_1 = q > 0.5
        return np.where(near_1, -1, 1) / np.tan(math.pi * np.where(near_1, 1 - q, q))

    def mean_of(self, *shapes: Any) -> Any:
        return np.nan

    def var_of(self, *shapes: Any) -> Any:
        return np.nan


class Gumbel(RealLine):
    name = "gumbel_r"

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -z - np.exp(-z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-np.exp(-z))

    def above(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-np.exp(-z))

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return -np.exp(-z)

    def quantile(self, q: Any, *shapes: Any) -> Any:
        return -np.log(-np.log(q))

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        return -np.log(-np.log1p(-q))

    def mean_of(self, *shapes: Any) -> Any:
        return np.euler_gamma

    def var_of(self, *shapes: Any) -> Any:
        return math.pi**2 / 6


class VonMises(RealLine):
    name = "vonmises"
    shapes = ("kappa",)

    def is_valid(self, *shapes: Any) -> Any:
        return shapes[0] >= 0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (kappa,) = shapes
        return kappa * special.cosm1(z) - math.log(2 * math.pi) - np.log(special.i0e(kappa))


@in_blocks
def _skew_normal_below(z: Any, a: Any) -> Any:
    """Φ(z) - 2 T(z, a); in the lower tail of a > 0, where that cancels, ∫ 2 φ(t) Φ(at) dt."""
    y = special.ndtr(z) - 2 * special.owens_t(z, a)
    tail = (z < -0.5) & (a > 0)
    t, shape = z[tail][:, None], a[tail][:, None]
    width = 1 / (np.abs(z[tail]) * (1 + a[tail] ** 2))

    def integrand(u: Any) -> Any:
        log_density = -((t - u) ** 2) / 2 - LOG_ROOT_2_PI + special.log_ndtr(shape * (t - u))
        return 2 * np.exp(log_density)

    y[tail] = integral(integrand, width)
    return y


skew_normal_below = elementwise(
    "skew_normal_below",
    compute=_skew_normal_below,
    partials=(
        lambda x1, x2: 2 * np.exp(-x1 * x1 / 2 - LOG_ROOT_2_PI + special.log_ndtr(x1 * x2)),
        lambda x1, x2: np.exp(-x1 * x1 * (1 + x2 * x2) / 2) / (-math.pi * (1 + x2 * x2)),
    ),
    domain=domain(REAL, REAL),
    latex=r"\Phi({x1}) - 2 T({x1}, {x2})",
    flops=10_000,
)


class SkewNormal(RealLine):
    name = "skewnorm"
    shapes = ("a",)

    def is_valid(self, *shapes: Any) -> Any:
        return np.isfinite(shapes[0])

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return math.log(2) - LOG_ROOT_2_PI - z * z / 2 + special.log_ndtr(shapes[0] * z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return skew_normal_below(z, shapes[0])

    def above(self, z: Any, *shapes: Any) -> Any:
        return skew_normal_below(-z, -shapes[0])

    def mean_of(self, *shapes: Any) -> Any:
        (a,) = shapes
        return math.sqrt(2 / math.pi) * a / np.sqrt(1 + a * a)

    def var_of(self, *shapes: Any) -> Any:
        return 1 - self.mean_of(*shapes) ** 2


norm, t, laplace, logistic = Normal(), StudentT(), Laplace(), Logistic()
cauchy, gumbel_r, vonmises, skewnorm = Cauchy(), Gumbel(), VonMises(), SkewNormal()

__all__ = ["cauchy", "gumbel_r", "laplace", "logistic", "norm", "skewnorm", "t", "vonmises"]
