"""Elliptic integrals and functions, Carlson's symmetric integrals, the arithmetic-geometric mean.

Derivatives: DLMF 19.18.1 and 19.25, so that no division by m or 1 - m remains; Jacobi's functions
through their amplitude, whose derivative in m is that of the inverse of F(φ, m), 22.16.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import Elementwise, elementwise, primitive
from chainrule.primitives.samples import POSITIVE, REAL, case, domain, uniform
from chainrule.scipy.special.tails import in_blocks

_STEP = 0.3
_T = np.exp(np.arange(-90.0, 90.0, _STEP))


def _complex_too(function: Any) -> Any:
    """In blocks for real numbers; complex ones at once."""
    real = in_blocks(function)

    def compute(*xs: Any, **params: Any) -> Any:
        if np.result_type(*xs).kind != "c":
            return real(*xs, **params)
        arrays = np.broadcast_arrays(*[np.asarray(x, np.complex128) for x in xs])
        return function(*arrays, **params).astype(np.result_type(*xs))[()]

    return compute


@_complex_too
def _carlson(x: Any, y: Any, z: Any, p: Any, *, powers: tuple[int, int, int, int]) -> Any:
    """∫₀^∞ (t + x)^(-i-½) (t + y)^(-j-½) (t + z)^(-k-½) (t + p)^(-l) dt.

    With t = s exp(w) and s of the size of the arguments, the trapezoidal rule in w is exact to
    rounding: the integrand is analytic for |Im w| < π - arg, and the error exp(-2π(π - arg)/step).
    """
    i, j, k, l = powers
    scale = np.maximum.reduce([np.abs(v) for v in (x, y, z)])[..., None]
    with np.errstate(all="ignore"):
        t = scale * _T
        value = (t + x[..., None]) ** (-i - 0.5) * (t + y[..., None]) ** (-j - 0.5)
        value = value * (t + z[..., None]) ** (-k - 0.5) * (t + p[..., None]) ** float(-l)
        return np.sum(value * scale * _STEP * _T, axis=-1)


def _raised(powers: tuple[int, int, int, int], at: int) -> tuple[int, int, int, int]:
    raised = [*powers]
    raised[at] += 1
    return (raised[0], raised[1], raised[2], raised[3])


carlson: Elementwise = elementwise(
    "carlson",
    compute=_carlson,
    partials=(
        lambda x1, x2, x3, x4, powers: (
            -(powers[0] + 0.5) * carlson(x1, x2, x3, x4, powers=_raised(powers, 0))
        ),
        lambda x1, x2, x3, x4, powers: (
            -(powers[1] + 0.5) * carlson(x1, x2, x3, x4, powers=_raised(powers, 1))
        ),
        lambda x1, x2, x3, x4, powers: (
            -(powers[2] + 0.5) * carlson(x1, x2, x3, x4, powers=_raised(powers, 2))
        ),
        lambda x1, x2, x3, x4, powers: (
            -powers[3] * carlson(x1, x2, x3, x4, powers=_raised(powers, 3))
        ),
    ),
    samples=[
        case(*[uniform(*POSITIVE, 4)] * 4, powers=(0, 0, 1, 0)),
        case(*[uniform(*POSITIVE, 3, 1)] * 3, uniform(*POSITIVE, 4), powers=(0, 0, 0, 1)),
    ],
    latex=r"\int_0^\infty R_{{{powers}}}(t; {x1}, {x2}, {x3}, {x4}) dt",
    flops=10_000,
)


def _r(x: Any, y: Any, z: Any, *powers: int) -> Any:
    """The integral without its fourth factor."""
    i, j, k = powers
    return carlson(x, y, z, np.ones_like(z), powers=(i, j, k, 0))


elliprf = elementwise(
    "elliprf",
    numpy=special.elliprf,
    partials=(
        lambda x1, x2, x3: -special.elliprd(x2, x3, x1) / 6,
        lambda x1, x2, x3: -special.elliprd(x1, x3, x2) / 6,
        lambda x1, x2, x3: -special.elliprd(x1, x2, x3) / 6,
    ),
    domain=domain(POSITIVE, POSITIVE, POSITIVE),
    latex="R_F({x1}, {x2}, {x3})",
    flops=200,
)
elliprd = elementwise(
    "elliprd",
    numpy=special.elliprd,
    partials=(
        lambda x1, x2, x3: -0.75 * _r(x1, x2, x3, 1, 0, 1),
        lambda x1, x2, x3: -0.75 * _r(x1, x2, x3, 0, 1, 1),
        lambda x1, x2, x3: -2.25 * _r(x1, x2, x3, 0, 0, 2),
    ),
    domain=domain(POSITIVE, POSITIVE, POSITIVE),
    latex="R_D({x1}, {x2}, {x3})",
    flops=200,
)
elliprc = elementwise(
    "elliprc",
    numpy=special.elliprc,
    partials=(
        lambda x1, x2: -special.elliprd(x2, x2, x1) / 6,
        lambda x1, x2: -special.elliprd(x1, x2, x2) / 3,
    ),
    domain=domain(POSITIVE, POSITIVE),
    latex="R_C({x1}, {x2})",
    flops=200,
)
elliprj = elementwise(
    "elliprj",
    numpy=special.elliprj,
    partials=(
        lambda x1, x2, x3, x4: -0.75 * carlson(x1, x2, x3, x4, powers=(1, 0, 0, 1)),
        lambda x1, x2, x3, x4: -0.75 * carlson(x1, x2, x3, x4, powers=(0, 1, 0, 1)),
        lambda x1, x2, x3, x4: -0.75 * carlson(x1, x2, x3, x4, powers=(0, 0, 1, 1)),
        lambda x1, x2, x3, x4: -1.5 * carlson(x1, x2, x3, x4, powers=(0, 0, 0, 2)),
    ),
    domain=domain(POSITIVE, POSITIVE, POSITIVE, POSITIVE),
    latex="R_J({x1}, {x2}, {x3}, {x4})",
    flops=300,
)


def _rg_slope(x: Any, y: Any, z: Any) -> Any:
    """∂R_G/∂x = ⅛ ∫ t (t + x)^(-3/2) (t + y)^(-½) (t + z)^(-½) dt = (R_F - x R_D(y, z, x)/3)/4."""
    return special.elliprf(x, y, z) / 4 - x * special.elliprd(y, z, x) / 12


elliprg = elementwise(
    "elliprg",
    numpy=special.elliprg,
    partials=(
        lambda x1, x2, x3: _rg_slope(x1, x2, x3),
        lambda x1, x2, x3: _rg_slope(x2, x1, x3),
        lambda x1, x2, x3: _rg_slope(x3, x1, x2),
    ),
    domain=domain(POSITIVE, POSITIVE, POSITIVE),
    latex="R_G({x1}, {x2}, {x3})",
    flops=200,
)


def _k_slope(m: Any) -> Any:
    return special.elliprd(np.zeros_like(m), np.ones_like(m), 1 - m) / 6


def _e_slope(m: Any) -> Any:
    return -special.elliprd(np.zeros_like(m), 1 - m, np.ones_like(m)) / 6


ellipk = elementwise(
    "ellipk",
    numpy=special.ellipk,
    partials=(lambda x: _k_slope(x),),
    domain=domain((-0.9, 0.9)),
    latex="K({x})",
    flops=60,
)
ellipkm1 = elementwise(
    "ellipkm1",
    numpy=special.ellipkm1,
    partials=(lambda x: -special.elliprd(np.zeros_like(x), np.ones_like(x), x) / 6,),
    domain=domain((0.1, 1.5)),
    latex="K(1 - {x})",
    flops=60,
)
ellipe = elementwise(
    "ellipe",
    numpy=special.ellipe,
    partials=(lambda x: _e_slope(x),),
    domain=domain((-0.9, 0.9)),
    latex="E({x})",
    flops=60,
)


def _reduced(phi: Any) -> tuple[Any, Any, Any]:
    """How often π goes into φ; sine and squared cosine of what is left, at most π/2."""
    turns = np.round(phi / math.pi)
    rest = phi - math.pi * turns
    return turns, np.sin(rest), np.cos(rest) ** 2


def _f_in_m(phi: Any, m: Any) -> Any:
    turns, s, c2 = _reduced(phi)
    local = s**3 / 6 * special.elliprd(c2, np.ones_like(c2), 1 - m * s * s)
    return local + 2 * turns * _k_slope(m)


def _e_in_m(phi: Any, m: Any) -> Any:
    turns, s, c2 = _reduced(phi)
    local = -(s**3) / 6 * special.elliprd(c2, 1 - m * s * s, np.ones_like(c2))
    return local + 2 * turns * _e_slope(m)


ellipkinc = elementwise(
    "ellipkinc",
    numpy=special.ellipkinc,
    partials=(
        lambda x1, x2: 1 / np.sqrt(1 - x2 * np.sin(x1) ** 2),
        lambda x1, x2: _f_in_m(x1, x2),
    ),
    domain=domain((-6.0, 6.0), (-0.9, 0.9)),
    latex="F({x1}, {x2})",
    flops=200,
)
ellipeinc = elementwise(
    "ellipeinc",
    numpy=special.ellipeinc,
    partials=(
        lambda x1, x2: np.sqrt(1 - x2 * np.sin(x1) ** 2),
        lambda x1, x2: _e_in_m(x1, x2),
    ),
    domain=domain((-6.0, 6.0), (-0.9, 0.9)),
    latex="E({x1}, {x2})",
    flops=200,
)


def _amplitude_in_m(x2: Any, y3: Any, y4: Any) -> Any:
    """∂φ/∂m where F(φ, m) = u stays: -dn ∂F/∂m."""
    return -y3 * _f_in_m(y4, x2)


ellipj = primitive(
    "ellipj",
    batch=entrywise,
    numpy=special.ellipj,
    inputs=2,
    outputs=4,
    jvp=(
        lambda t, y2, y3: y2 * y3 * t,
        lambda t, y1, y3: -y1 * y3 * t,
        lambda t, x2, y1, y2: -x2 * y1 * y2 * t,
        lambda t, y3: y3 * t,
        lambda t, x2, y2, y3, y4: y2 * _amplitude_in_m(x2, y3, y4) * t,
        lambda t, x2, y1, y3, y4: -y1 * _amplitude_in_m(x2, y3, y4) * t,
        lambda t, x2, y1, y2, y3, y4: (
            -y1 / (2 * y3) * (y1 + 2 * x2 * y2 * _amplitude_in_m(x2, y3, y4)) * t
        ),
        lambda t, x2, y3, y4: _amplitude_in_m(x2, y3, y4) * t,
    ),
    samples=[
        case(uniform(*REAL, 3, 4), uniform(0.1, 0.9, 4)),
        case(uniform(*REAL), uniform(0.1, 0.9)),
    ],
    latex=r"\operatorname{{sn}}, \operatorname{{cn}}, \operatorname{{dn}}, "
    r"\operatorname{{am}}({x1}, {x2})",
    flops=300,
)


def _agm_slope(x: Any, other: Any, y: Any) -> Any:
    """∂/∂x of π / (2 R_F(0, x², o²)), DLMF 19.22.1."""
    return 2 * x * y * y / (3 * math.pi) * special.elliprd(np.zeros_like(x), other**2, x * x)


agm = elementwise(
    "agm",
    numpy=special.agm,
    partials=(
        lambda x1, x2, y: _agm_slope(x1, x2, y),
        lambda x1, x2, y: _agm_slope(x2, x1, y),
    ),
    domain=domain(POSITIVE, POSITIVE),
    latex=r"\operatorname{{agm}}({x1}, {x2})",
    flops=60,
)
