"""Inverses of SciPy's distribution functions, in the point or in a parameter.

Where F(x, θ) = p holds x fast: ∂x/∂p = 1/F_x and ∂x/∂θ = -F_θ/F_x; the same for an unknown θ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.declare import ZERO, Elementwise, elementwise
from chainrule.primitives.samples import POSITIVE, REAL, case, domain, integers, uniform
from chainrule.scipy.special.distribution_functions import (
    beta_slopes,
    binomial,
    fdtr_slopes,
    gamma_slopes,
    negative_binomial,
    poisson,
    stdtr_density,
    stdtr_in_df,
    trials,
)

_COUNT = ZERO("a count, rounded down")
_SHAPE, _FRACTION, _POINT = (1.0, 4.0), (0.2, 0.8), (0.4, 4.0)


def _inverse(
    name: str, slopes: tuple[Any, ...], *intervals: tuple[float, float], samples: Any = None
) -> Elementwise:
    places = ", ".join(f"{{x{k + 1}}}" for k in range(len(slopes)))
    return elementwise(
        name,
        numpy=getattr(special, name),
        partials=slopes,
        domain=domain(*intervals) if intervals else None,
        samples=samples,
        latex=rf"\operatorname{{{{{name}}}}}({places})",
        flops=1000,
    )


chdtri = _inverse(
    "chdtri",
    (
        lambda x1, y: -gamma_slopes(x1 / 2, y / 2)[0] / gamma_slopes(x1 / 2, y / 2)[1],
        lambda x1, y: -2 / gamma_slopes(x1 / 2, y / 2)[1],
    ),
    _SHAPE,
    _FRACTION,
)
chdtriv = _inverse(
    "chdtriv",
    (
        lambda x2, y: 2 / gamma_slopes(y / 2, x2 / 2)[0],
        lambda x2, y: -gamma_slopes(y / 2, x2 / 2)[1] / gamma_slopes(y / 2, x2 / 2)[0],
    ),
    _FRACTION,
    _POINT,
)
gdtrix = _inverse(
    "gdtrix",
    (
        lambda x1, y: -y / x1,
        lambda x1, x2, y: -(gamma_slopes(x2, x1 * y)[0] / gamma_slopes(x2, x1 * y)[1] / x1),
        lambda x1, x2, y: 1 / (x1 * gamma_slopes(x2, x1 * y)[1]),
    ),
    _SHAPE,
    _SHAPE,
    _FRACTION,
)
gdtria = _inverse(
    "gdtria",
    (
        lambda x2, x3, y: 1 / (x3 * gamma_slopes(x2, y * x3)[1]),
        lambda x2, x3, y: -(gamma_slopes(x2, y * x3)[0] / gamma_slopes(x2, y * x3)[1] / x3),
        lambda x3, y: -y / x3,
    ),
    _FRACTION,
    _SHAPE,
    _POINT,
)
gdtrib = _inverse(
    "gdtrib",
    (
        lambda x1, x3, y: -x3 * gamma_slopes(y, x1 * x3)[1] / gamma_slopes(y, x1 * x3)[0],
        lambda x1, x3, y: 1 / gamma_slopes(y, x1 * x3)[0],
        lambda x1, x3, y: -x1 * gamma_slopes(y, x1 * x3)[1] / gamma_slopes(y, x1 * x3)[0],
    ),
    _SHAPE,
    _FRACTION,
    _POINT,
)


def _quotient(slopes: Callable[..., tuple[Any, ...]], over: int, under: int, *xs: Any) -> Any:
    found = slopes(*xs)
    return -found[over] / found[under]


fdtri = _inverse(
    "fdtri",
    (
        lambda x1, x2, y: _quotient(fdtr_slopes, 0, 2, x1, x2, y),
        lambda x1, x2, y: _quotient(fdtr_slopes, 1, 2, x1, x2, y),
        lambda x1, x2, y: 1 / fdtr_slopes(x1, x2, y)[2],
    ),
    _SHAPE,
    _SHAPE,
    _FRACTION,
)
fdtridfd = _inverse(
    "fdtridfd",
    (
        lambda x1, x3, y: _quotient(fdtr_slopes, 0, 1, x1, y, x3),
        lambda x1, x3, y: 1 / fdtr_slopes(x1, y, x3)[1],
        lambda x1, x3, y: _quotient(fdtr_slopes, 2, 1, x1, y, x3),
    ),
    samples=[case(uniform(2.0, 4.0, 4), uniform(0.55, 0.6, 4), uniform(1.3, 1.5, 4))],
)
btdtria = _inverse(
    "btdtria",
    (
        lambda x2, x3, y: 1 / beta_slopes(y, x2, x3)[0],
        lambda x2, x3, y: _quotient(beta_slopes, 1, 0, y, x2, x3),
        lambda x2, x3, y: _quotient(beta_slopes, 2, 0, y, x2, x3),
    ),
    _FRACTION,
    _SHAPE,
    _FRACTION,
)
btdtrib = _inverse(
    "btdtrib",
    (
        lambda x1, x3, y: _quotient(beta_slopes, 0, 1, x1, y, x3),
        lambda x1, x3, y: 1 / beta_slopes(x1, y, x3)[1],
        lambda x1, x3, y: _quotient(beta_slopes, 2, 1, x1, y, x3),
    ),
    _SHAPE,
    _FRACTION,
    _FRACTION,
)
stdtrit = _inverse(
    "stdtrit",
    (
        lambda x1, y: -stdtr_in_df(x1, y) / stdtr_density(x1, y),
        lambda x1, y: 1 / stdtr_density(x1, y),
    ),
    samples=[
        case(uniform(1.0, 5.0, 4), uniform(0.6, 0.9, 3, 1)),
        case(uniform(1.0, 5.0, 4), uniform(0.1, 0.4, 4)),
    ],
)
stdtridf = _inverse(
    "stdtridf",
    (
        lambda x2, y: 1 / stdtr_in_df(y, x2),
        lambda x2, y: -stdtr_density(y, x2) / stdtr_in_df(y, x2),
    ),
    samples=[case(uniform(0.8, 0.82, 4), uniform(1.05, 1.2, 3, 1))],
)
nrdtrimn = _inverse(
    "nrdtrimn",
    (
        lambda x1, x2: -x2 * math.sqrt(2 * math.pi) * np.exp(special.ndtri(x1) ** 2 / 2),
        lambda x1: -special.ndtri(x1),
        lambda: 1,
    ),
    samples=[case(uniform(*_FRACTION, 4), uniform(*POSITIVE, 3, 1), uniform(*REAL, 4))],
)
nrdtrisd = _inverse(
    "nrdtrisd",
    (
        lambda x2: -1 / special.ndtri(x2),
        lambda x2, y: (
            -y * math.sqrt(2 * math.pi) * np.exp(special.ndtri(x2) ** 2 / 2) / special.ndtri(x2)
        ),
        lambda x2: 1 / special.ndtri(x2),
    ),
    samples=[case(uniform(-2.0, 0.0, 4), uniform(0.6, 0.9, 3, 1), uniform(1.0, 2.0, 4))],
)
pdtri = _inverse(
    "pdtri",
    (_COUNT, lambda x1, y: -1 / poisson(x1, y)),
    samples=[case(integers(0, 6, 3, 1), uniform(*_FRACTION, 4))],
)
pdtrik = _inverse(
    "pdtrik",
    (
        lambda x2, y: -1 / gamma_slopes(y + 1, x2)[0],
        lambda x2, y: -gamma_slopes(y + 1, x2)[1] / gamma_slopes(y + 1, x2)[0],
    ),
    samples=[case(uniform(0.6, 0.9, 4), uniform(1.0, 4.0, 3, 1))],
)
bdtri = _inverse(
    "bdtri",
    (_COUNT, _COUNT, lambda x1, x2, y: -1 / binomial(x1, x2, y)),
    samples=[case(integers(0, 4, 3, 1), trials, uniform(*_FRACTION, 4))],
)
nbdtri = _inverse(
    "nbdtri",
    (_COUNT, _COUNT, lambda x1, x2, y: 1 / negative_binomial(x1, x2, y)),
    samples=[case(integers(0, 4, 3, 1), integers(2, 6, 4), uniform(*_FRACTION, 4))],
)


def _bdtr_slopes(k: Any, n: Any, p: Any) -> tuple[Any, Any, Any]:
    """I_{1-p}(n - k, k + 1) by k, n and p; here k is a real number."""
    in_a, in_b, density = beta_slopes(n - k, k + 1, 1 - p)
    return in_b - in_a, in_a, -density


def _nbdtr_slopes(k: Any, n: Any, p: Any) -> tuple[Any, Any, Any]:
    """I_p(n, k + 1) by k, n and p."""
    in_a, in_b, density = beta_slopes(n, k + 1, p)
    return in_b, in_a, density


bdtrik = _inverse(
    "bdtrik",
    (
        lambda x2, x3, y: 1 / _bdtr_slopes(y, x2, x3)[0],
        lambda x2, x3, y: _quotient(_bdtr_slopes, 1, 0, y, x2, x3),
        lambda x2, x3, y: _quotient(_bdtr_slopes, 2, 0, y, x2, x3),
    ),
    samples=[case(uniform(0.5, 0.9, 4), uniform(6.0, 9.0, 3, 1), uniform(0.4, 0.6, 4))],
)
bdtrin = _inverse(
    "bdtrin",
    (
        lambda x1, x3, y: _quotient(_bdtr_slopes, 0, 1, x1, y, x3),
        lambda x1, x3, y: 1 / _bdtr_slopes(x1, y, x3)[1],
        lambda x1, x3, y: _quotient(_bdtr_slopes, 2, 1, x1, y, x3),
    ),
    samples=[case(uniform(2.0, 4.0, 4), uniform(0.2, 0.8, 3, 1), uniform(0.4, 0.6, 4))],
)
nbdtrik = _inverse(
    "nbdtrik",
    (
        lambda x2, x3, y: 1 / _nbdtr_slopes(y, x2, x3)[0],
        lambda x2, x3, y: _quotient(_nbdtr_slopes, 1, 0, y, x2, x3),
        lambda x2, x3, y: _quotient(_nbdtr_slopes, 2, 0, y, x2, x3),
    ),
    samples=[case(uniform(0.5, 0.9, 4), uniform(3.0, 5.0, 3, 1), uniform(0.4, 0.6, 4))],
)
nbdtrin = _inverse(
    "nbdtrin",
    (
        lambda x1, x3, y: _quotient(_nbdtr_slopes, 0, 1, x1, y, x3),
        lambda x1, x3, y: 1 / _nbdtr_slopes(x1, y, x3)[1],
        lambda x1, x3, y: _quotient(_nbdtr_slopes, 2, 1, x1, y, x3),
    ),
    samples=[case(uniform(2.0, 4.0, 4), uniform(0.2, 0.8, 3, 1), uniform(0.4, 0.6, 4))],
)
