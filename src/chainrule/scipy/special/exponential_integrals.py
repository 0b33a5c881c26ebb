"""Exponential, sine, cosine and hyperbolic integrals, and the dilogarithm.

Derivatives: the integrands, DLMF 6.2 and 8.19.13; the dilogarithm 25.12.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import elementwise, primitive
from chainrule.primitives.samples import case, integers, positive, uniform
from chainrule.scipy.special.unknown import unknown

exp1 = elementwise(
    "exp1",
    numpy=special.exp1,
    partials=(lambda x: -np.exp(-x) / x,),
    domain=positive,
    latex="E_1({x})",
    flops=60,
)
expi = elementwise(
    "expi",
    numpy=special.expi,
    partials=(lambda x: np.exp(x) / x,),
    domain=positive,
    latex=r"\operatorname{{Ei}} {x}",
    flops=60,
)


def _previous(n: Any, x: Any) -> Any:
    """E_{n-1}(x); below n = 1 by its closed form, since SciPy has no negative orders."""
    first = np.exp(-x) * (1 / x + 1 / (x * x))
    return np.where(n < 1, first, special.expn(np.maximum(n - 1, 0), x))


expn = elementwise(
    "expn",
    numpy=special.expn,
    partials=(unknown("the order of expn"), lambda x1, x2: -_previous(x1, x2)),
    samples=[case(integers(0, 4, 4), uniform(0.5, 3.0, 3, 4))],
    latex="E_{{{x1}}}({x2})",
    flops=60,
)


def _sinc(x: Any) -> Any:
    """sin x / x."""
    return np.sinc(x / math.pi)


def _sinhc(x: Any) -> Any:
    """sinh x / x, even; real ones by (e²ˣ - 1)/2x, which does not cancel."""
    if x.dtype.kind == "c":
        return np.sinc(1j * x / math.pi)
    return np.exp(-x) * special.exprel(2 * x)


sici = primitive(
    "sici",
    batch=entrywise,
    numpy=special.sici,
    jvp=(lambda t, x: _sinc(x) * t, lambda t, x: np.cos(x) / x * t),
    outputs=2,
    samples=[case(uniform(0.3, 4.0, 3, 4))],
    latex=r"\operatorname{{Si}} {x}, \operatorname{{Ci}} {x}",
    flops=100,
)
shichi = primitive(
    "shichi",
    batch=entrywise,
    numpy=special.shichi,
    jvp=(lambda t, x: _sinhc(x) * t, lambda t, x: np.cosh(x) / x * t),
    outputs=2,
    samples=[case(uniform(0.3, 4.0, 3, 4))],
    latex=r"\operatorname{{Shi}} {x}, \operatorname{{Chi}} {x}",
    flops=100,
)


def _spence_slope(x: Any) -> Any:
    """log x / (1 - x); near 1, -Σ (1 - x)ⁿ / (n + 1)."""
    u = 1 - x
    near = np.abs(u) < 0.06
    small, large = np.where(near, u, 0), np.where(near, 0.5, x)
    series: Any = 0.0
    for n in range(14, 0, -1):
        series = 1 / n + small * series
    return np.where(near, -series, np.log(large) / (1 - large))


spence = elementwise(
    "spence",
    numpy=special.spence,
    partials=(_spence_slope,),
    samples=[case(uniform(0.3, 3.0, 3, 4)), case(uniform(0.97, 1.03, 4))],
    latex=r"\operatorname{{Li}}_2(1 - {x})",
    flops=60,
)
