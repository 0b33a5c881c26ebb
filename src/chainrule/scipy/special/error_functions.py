"""Error functions, the normal distribution's integrals, and their inverses.

Derivatives: DLMF 7.2, 7.10; inverses by the rule of the inverse function. Owen's T: D. B. Owen,
Tables for computing bivariate normal probabilities, 1956. `erfcx` and `dawsn` satisfy
y' = ±(2xy - c), which cancels for large x; there the asymptotic series 7.12.1 stands instead.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import elementwise, primitive
from chainrule.primitives.samples import (
    POSITIVE,
    REAL,
    case,
    domain,
    normal,
    real,
    uniform,
    with_imaginary,
)

SLOPE = 2 / math.sqrt(math.pi)
ROOT_2 = math.sqrt(2.0)
DENSITY = 1 / math.sqrt(2 * math.pi)
FAR = 10.0  # from here nine terms of the asymptotic series leave less than 1e-15


def _remainder(x: Any, sign: float) -> Any:
    """Σ_{m≥1} (2m-1)!! (sign / 2x²)^m, where |x| ≥ FAR; what 2xy - c cancels to."""
    r = sign / (2 * x * x)
    total = 0.0
    for m in range(9, 0, -1):
        total = (2 * m - 1) * r * (1 + total)
    return total


def _without_cancelling(x: Any, direct: Any, factor: float, sign: float, far: Any) -> Any:
    if x.dtype.kind == "c":
        return direct  # the series holds in a sector only
    return np.where(far, factor * _remainder(np.where(far, x, FAR), sign), direct)


def _erfcx_slope(x: Any, y: Any) -> Any:
    return _without_cancelling(x, 2 * x * y - SLOPE, SLOPE, -1.0, x.real > FAR)


def _dawsn_slope(x: Any, y: Any) -> Any:
    return _without_cancelling(x, 1 - 2 * x * y, -1.0, 1.0, abs(x.real) > FAR)


erf = elementwise(
    "erf",
    numpy=special.erf,
    partials=(lambda x: SLOPE * np.exp(-x * x),),
    domain=real,
    latex=r"\operatorname{{erf}} {x}",
    flops=30,
)
erfc = elementwise(
    "erfc",
    numpy=special.erfc,
    partials=(lambda x: -SLOPE * np.exp(-x * x),),
    domain=real,
    latex=r"\operatorname{{erfc}} {x}",
    flops=30,
)
erfcx = elementwise(
    "erfcx",
    numpy=special.erfcx,
    partials=(_erfcx_slope,),
    samples=[case(normal(3, 4)), case(uniform(9.0, 12.0, 4))],
    latex=r"e^{{{x}^2}} \operatorname{{erfc}} {x}",
    flops=30,
)
erfi = elementwise(
    "erfi",
    numpy=special.erfi,
    partials=(lambda x: SLOPE * np.exp(x * x),),
    domain=real,
    latex=r"\operatorname{{erfi}} {x}",
    flops=30,
)
dawsn = elementwise(
    "dawsn",
    numpy=special.dawsn,
    partials=(_dawsn_slope,),
    samples=[case(normal(3, 4)), case(uniform(9.0, 12.0, 4))],
    latex="F({x})",
    flops=30,
)
wofz = elementwise(
    "wofz",
    numpy=special.wofz,
    partials=(lambda x, y: 1j * SLOPE - 2 * x * y,),
    samples=[case(with_imaginary(normal(3, 4)))],
    latex="w({x})",
    flops=60,
)
erfinv = elementwise(
    "erfinv",
    numpy=special.erfinv,
    partials=(lambda y: np.exp(y * y) / SLOPE,),
    domain=domain((-0.9, 0.9)),
    latex=r"\operatorname{{erf}}^{{-1}} {x}",
    flops=40,
)
erfcinv = elementwise(
    "erfcinv",
    numpy=special.erfcinv,
    partials=(lambda y: -np.exp(y * y) / SLOPE,),
    domain=domain((0.1, 1.9)),
    latex=r"\operatorname{{erfc}}^{{-1}} {x}",
    flops=40,
)


def _normal_density(x: Any) -> Any:
    return DENSITY * np.exp(-x * x / 2)


def _inverse_mills(x: Any) -> Any:
    """φ(x) / Φ(x), without the cancelling and the underflow of the two."""
    return (2 * DENSITY) / special.erfcx(-x / ROOT_2)


ndtr = elementwise(
    "ndtr",
    numpy=special.ndtr,
    partials=(_normal_density,),
    domain=real,
    latex=r"\Phi({x})",
    flops=30,
)
log_ndtr = elementwise(
    "log_ndtr",
    numpy=special.log_ndtr,
    partials=(_inverse_mills,),
    samples=[case(normal(3, 4)), case(uniform(-20.0, -12.0, 4))],
    latex=r"\log \Phi({x})",
    flops=40,
)
ndtri = elementwise(
    "ndtri",
    numpy=special.ndtri,
    partials=(lambda y: np.exp(y * y / 2) / DENSITY,),
    domain=domain((0.05, 0.95)),
    latex=r"\Phi^{{-1}}({x})",
    flops=40,
)
ndtri_exp = elementwise(
    "ndtri_exp",
    numpy=special.ndtri_exp,
    partials=(lambda y: special.erfcx(-y / ROOT_2) / (2 * DENSITY),),
    domain=domain((-9.0, -0.1)),
    latex=r"\Phi^{{-1}}(e^{{{x}}})",
    flops=60,
)
owens_t = elementwise(
    "owens_t",
    numpy=special.owens_t,
    partials=(
        lambda x1, x2: -0.5 * _normal_density(x1) * special.erf(x1 * x2 / ROOT_2),
        lambda x1, x2: np.exp(-x1 * x1 * (1 + x2 * x2) / 2) / (2 * math.pi * (1 + x2 * x2)),
    ),
    domain=domain(REAL, REAL),
    latex="T({x1}, {x2})",
    flops=80,
)


def _voigt(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """The complex argument z of Faddeeva's w, and w'(z): the profile is Re w(z) / (σ √2π)."""
    z = (x + 1j * gamma) / (sigma * ROOT_2)
    return z, 1j * SLOPE - 2 * z * special.wofz(z)


def _voigt_in_sigma(x1: Any, x2: Any, x3: Any, y: Any) -> Any:
    z, slope = _voigt(x1, x2, x3)
    return -(y + DENSITY * np.real(slope * z) / x2) / x2


voigt_profile = elementwise(
    "voigt_profile",
    numpy=special.voigt_profile,
    partials=(
        lambda x1, x2, x3: DENSITY * np.real(_voigt(x1, x2, x3)[1]) / (ROOT_2 * x2 * x2),
        _voigt_in_sigma,
        lambda x1, x2, x3: -DENSITY * np.imag(_voigt(x1, x2, x3)[1]) / (ROOT_2 * x2 * x2),
    ),
    domain=domain(REAL, POSITIVE, POSITIVE),
    latex="V({x1}; {x2}, {x3})",
    flops=80,
)
fresnel = primitive(
    "fresnel",
    batch=entrywise,
    numpy=special.fresnel,
    jvp=(
        lambda t, x: np.sin(math.pi / 2 * x * x) * t,
        lambda t, x: np.cos(math.pi / 2 * x * x) * t,
    ),
    outputs=2,
    samples=[case(normal(3, 4)), case(normal())],
    latex="S({x}), C({x})",
    flops=60,
)
