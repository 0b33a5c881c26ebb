"""Functions that solve a linear equation of second order: their outputs are y and y'.

Derivatives: those of the equation, DLMF 11.4 (Struve), 12.2 (parabolic cylinder), 4.13 (Lambert),
and the definitions of SciPy for the modified Fresnel integrals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from chainrule.graph import composition
from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import Elementwise, General, elementwise, primitive
from chainrule.primitives.samples import case, integers, uniform
from chainrule.scipy.special.unknown import unknown

_order = unknown("the order of a Struve function")
_parameter = unknown("the parameter of a parabolic cylinder function")


def _struve_term(v: Any, x: Any) -> Any:
    """(x/2)ᵛ / (√π Γ(v + 3/2))."""
    return (x / 2) ** v * special.rgamma(v + 1.5) / math.sqrt(math.pi)


struve = elementwise(
    "struve",
    numpy=special.struve,
    partials=(
        _order,
        lambda x1, x2: (
            (special.struve(x1 - 1, x2) - special.struve(x1 + 1, x2) + _struve_term(x1, x2)) / 2
        ),
    ),
    samples=[case(integers(0, 3, 3, 1), uniform(0.5, 4.0, 4))],
    latex="H_{{{x1}}}({x2})",
    flops=100,
)
modstruve = elementwise(
    "modstruve",
    numpy=special.modstruve,
    partials=(
        _order,
        lambda x1, x2: (
            (special.modstruve(x1 - 1, x2) + special.modstruve(x1 + 1, x2) + _struve_term(x1, x2))
            / 2
        ),
    ),
    samples=[case(integers(0, 3, 3, 1), uniform(0.5, 4.0, 4))],
    latex="L_{{{x1}}}({x2})",
    flops=100,
)


def _integral(name: str, slope: Callable[..., Any], latex: str) -> Elementwise:
    return elementwise(
        name,
        numpy=getattr(special, name),
        partials=(slope,),
        samples=[case(uniform(0.5, 4.0, 3, 4))],
        latex=latex,
        flops=200,
    )


itstruve0 = _integral(
    "itstruve0", lambda x: special.struve(np.zeros_like(x), x), r"\int_0^{{{x}}} H_0"
)
itmodstruve0 = _integral(
    "itmodstruve0", lambda x: special.modstruve(np.zeros_like(x), x), r"\int_0^{{{x}}} L_0"
)
it2struve0 = _integral(
    "it2struve0",
    lambda x: -special.struve(np.zeros_like(x), x) / x,
    r"\int_{{{x}}}^\infty \frac{{H_0(t)}}{{t}} dt",
)
wrightomega = elementwise(
    "wrightomega",
    numpy=special.wrightomega,
    partials=(lambda y: y / (1 + y),),
    samples=[case(uniform(-2.0, 2.0, 3, 4))],
    latex=r"\omega({x})",
    flops=60,
)


def _solutions(
    name: str, second: Callable[[Any, Any, Any], Any], latex: str, **record: Any
) -> General:
    """(y, y') of a parameter and x, where y'' = second(parameter, x, y)."""
    return primitive(
        name,
        batch=entrywise,
        **record,
        inputs=2,
        outputs=2,
        jvp=(
            _raising(_parameter),
            _raising(_parameter),
            lambda t, y2: y2 * t,
            lambda t, x1, x2, y1: second(x1, x2, y1) * t,
        ),
        samples=[case(integers(0, 3, 3, 1), uniform(0.5, 2.5, 4))],
        latex=latex,
        flops=300,
    )


def _raising(partial: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda t: partial() * t


pbdv = _solutions(
    "pbdv", lambda v, x, y: (x * x / 4 - v - 0.5) * y, "D_{{{x1}}}({x2})", numpy=special.pbdv
)


def _pbvv(v: Any, x: Any) -> Any:
    """In double precision: SciPy's loop in single precision gives NaN."""
    dtype = np.asarray(x).dtype
    return tuple(y.astype(dtype) for y in special.pbvv(v, np.asarray(x, np.float64)))


pbvv = _solutions(
    "pbvv",
    lambda v, x, y: (x * x / 4 - v - 0.5) * y,
    "V_{{{x1}}}({x2})",
    compute=_pbvv,
)
composition(special.pbvv)(pbvv)
pbwa = _solutions("pbwa", lambda a, x, y: (a - x * x / 4) * y, "W({x1}, {x2})", numpy=special.pbwa)


def _modified_fresnel(name: str, sign: int) -> General:
    """F = ∫ₓ^∞ exp(±i t²) dt and K = c exp(∓i x²) F with c = exp(∓iπ/4) / √π."""
    c = complex(np.exp(-sign * 0.25j * math.pi) / math.sqrt(math.pi))
    turn = sign * 1j
    return primitive(
        name,
        batch=entrywise,
        numpy=getattr(special, name),
        outputs=2,
        jvp=(
            lambda t, x: -np.exp(turn * x * x) * t,
            lambda t, x, y2: (-2 * turn * x * y2 - c) * t,
        ),
        samples=[case(uniform(0.3, 2.3, 3, 4))],
        latex=r"F_\pm({x}), K_\pm({x})",
        flops=100,
    )


modfresnelp = _modified_fresnel("modfresnelp", 1)
modfresnelm = _modified_fresnel("modfresnelm", -1)
