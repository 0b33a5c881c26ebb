"""Distributions on whole numbers. Formulas: SciPy's definitions of each; DLMF 8.4.8 and 8.17.5."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from chainrule.scipy.stats.distribution import Discrete


class Poisson(Discrete):
    name = "poisson"
    shapes = ("mu",)

    def is_valid(self, *shapes: Any) -> Any:
        return shapes[0] >= 0

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, np.inf

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        (mu,) = shapes
        return special.xlogy(k, mu) - special.gammaln(k + 1) - mu

    def below(self, k: Any, *shapes: Any) -> Any:
        return special.gammaincc(k + 1, shapes[0])

    def above(self, k: Any, *shapes: Any) -> Any:
        return special.gammainc(k + 1, shapes[0])

    def mean_of(self, *shapes: Any) -> Any:
        return shapes[0]

    def var_of(self, *shapes: Any) -> Any:
        return shapes[0]


def _is_fraction(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


class Binomial(Discrete):
    name = "binom"
    shapes = ("n", "p")

    def is_valid(self, *shapes: Any) -> Any:
        n, p = shapes
        return (n >= 0) & (np.floor(n) == n) & _is_fraction(p)

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, shapes[0]

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        n, p = shapes
        choices = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        return choices + special.xlogy(k, p) + special.xlog1py(n - k, -p)

    def below(self, k: Any, *shapes: Any) -> Any:
        n, p = shapes
        return special.betaincc(k + 1, np.maximum(n - k, 1), p)

    def above(self, k: Any, *shapes: Any) -> Any:
        n, p = shapes
        return special.betainc(k + 1, np.maximum(n - k, 1), p)

    def mean_of(self, *shapes: Any) -> Any:
        n, p = shapes
        return n * p

    def var_of(self, *shapes: Any) -> Any:
        n, p = shapes
        return n * p * (1 - p)


class NegativeBinomial(Discrete):
    name = "nbinom"
    shapes = ("n", "p")

    def is_valid(self, *shapes: Any) -> Any:
        n, p = shapes
        return (n > 0) & (p > 0) & (p <= 1)

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, np.inf

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        n, p = shapes
        choices = special.gammaln(n + k) - special.gammaln(k + 1) - special.gammaln(n)
        return choices + n * np.log(p) + special.xlog1py(k, -p)

    def below(self, k: Any, *shapes: Any) -> Any:
        n, p = shapes
        return special.betainc(n, k + 1, p)

    def above(self, k: Any, *shapes: Any) -> Any:
        n, p = shapes
        return special.betaincc(n, k + 1, p)

    def mean_of(self, *shapes: Any) -> Any:
        n, p = shapes
        return n * (1 - p) / p

    def var_of(self, *shapes: Any) -> Any:
        n, p = shapes
        return n * (1 - p) / (p * p)


class Geometric(Discrete):
    name = "geom"
    shapes = ("p",)

    def is_valid(self, *shapes: Any) -> Any:
        return (shapes[0] > 0) & (shapes[0] <= 1)

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 1.0, np.inf

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        return special.xlog1py(k - 1, -shapes[0]) + np.log(shapes[0])

    def below(self, k: Any, *shapes: Any) -> Any:
        return -np.expm1(k * np.log1p(-shapes[0]))

    def above(self, k: Any, *shapes: Any) -> Any:
        return np.exp(k * np.log1p(-shapes[0]))

    def log_above(self, k: Any, *shapes: Any) -> Any:
        return k * np.log1p(-shapes[0])

    def mean_of(self, *shapes: Any) -> Any:
        return 1 / shapes[0]

    def var_of(self, *shapes: Any) -> Any:
        (p,) = shapes
        return (1 - p) / (p * p)


class Bernoulli(Discrete):
    name = "bernoulli"
    shapes = ("p",)

    def is_valid(self, *shapes: Any) -> Any:
        return _is_fraction(shapes[0])

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        (p,) = shapes
        return special.xlogy(k, p) + special.xlog1py(1 - k, -p)

    def below(self, k: Any, *shapes: Any) -> Any:
        return 1 - shapes[0] + 0 * k

    def above(self, k: Any, *shapes: Any) -> Any:
        return shapes[0] + 0 * k

    def mean_of(self, *shapes: Any) -> Any:
        return shapes[0]

    def var_of(self, *shapes: Any) -> Any:
        (p,) = shapes
        return p * (1 - p)


poisson, binom, nbinom = Poisson(), Binomial(), NegativeBinomial()
geom, bernoulli = Geometric(), Bernoulli()

__all__ = ["bernoulli", "binom", "geom", "nbinom", "poisson"]
