"""The gamma and beta functions, their logarithms, reciprocals and quotients.

Derivatives: DLMF 5.2.2 (Γ' = Γ ψ) and what follows from it. 1/Γ is entire: left of ½ its derivative
comes from the reflection 5.5.3, so that the zeros at 0, -1, -2 … have their slopes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import elementwise, flat
from chainrule.primitives.samples import POSITIVE, case, domain, positive, uniform


def _rgamma_slope(x: Any, y: Any) -> Any:
    """-ψ(x) / Γ(x); left of ½, d/dx sin(πx) Γ(1 - x) / π."""
    left = np.real(x) < 0.5
    there, here = np.where(left, x, 0), np.where(left, 1, x)
    reflected = special.gamma(1 - there)
    angle = math.pi * there
    turned = np.cos(angle) - np.sin(angle) * special.digamma(1 - there) / math.pi
    return np.where(left, reflected * turned, -special.digamma(here) * special.rgamma(here))


gamma = elementwise(
    "gamma",
    numpy=special.gamma,
    partials=(lambda x, y: y * special.digamma(x),),
    samples=[case(uniform(0.5, 4.0, 3, 4)), case(uniform(-0.8, -0.2, 4))],
    latex=r"\Gamma({x})",
    flops=50,
)
gammaln = elementwise(
    "gammaln",
    numpy=special.gammaln,
    partials=(lambda x: special.digamma(x),),
    samples=[case(uniform(0.5, 4.0, 3, 4)), case(uniform(-0.8, -0.2, 4))],
    latex=r"\log |\Gamma({x})|",
    flops=50,
)
loggamma = elementwise(
    "loggamma",
    numpy=special.loggamma,
    partials=(lambda x: special.digamma(x),),
    domain=positive,
    latex=r"\log \Gamma({x})",
    flops=50,
)
rgamma = elementwise(
    "rgamma",
    numpy=special.rgamma,
    partials=(_rgamma_slope,),
    samples=[case(uniform(0.6, 4.0, 3, 4)), case(uniform(-1.8, 0.4, 4)), case(np.array([-1.0]))],
    latex=r"\frac{{1}}{{\Gamma({x})}}",
    flops=50,
)
gammasgn = flat(
    "gammasgn",
    batch=entrywise,
    numpy=special.gammasgn,
    reason="piecewise constant",
    samples=[case(uniform(-0.9, -0.1, 3, 4))],
    latex=r"\operatorname{{sign}} \Gamma({x})",
)


def _digamma_difference(x: Any, y: Any) -> Any:
    return special.digamma(x) - special.digamma(y)


poch = elementwise(
    "poch",
    numpy=special.poch,
    partials=(
        lambda x1, x2, y: y * _digamma_difference(x1 + x2, x1),
        lambda x1, x2, y: y * special.digamma(x1 + x2),
    ),
    domain=domain(POSITIVE, POSITIVE),
    latex="({x1})_{{{x2}}}",
    flops=100,
)
beta = elementwise(
    "beta",
    numpy=special.beta,
    partials=(
        lambda x1, x2, y: y * _digamma_difference(x1, x1 + x2),
        lambda x1, x2, y: y * _digamma_difference(x2, x1 + x2),
    ),
    domain=domain(POSITIVE, POSITIVE),
    latex="B({x1}, {x2})",
    flops=100,
)
betaln = elementwise(
    "betaln",
    numpy=special.betaln,
    partials=(
        lambda x1, x2: _digamma_difference(x1, x1 + x2),
        lambda x1, x2: _digamma_difference(x2, x1 + x2),
    ),
    domain=domain(POSITIVE, POSITIVE),
    latex=r"\log |B({x1}, {x2})|",
    flops=100,
)
binom = elementwise(
    "binom",
    numpy=special.binom,
    partials=(
        lambda x1, x2, y: y * _digamma_difference(x1 + 1, x1 - x2 + 1),
        lambda x1, x2, y: y * _digamma_difference(x1 - x2 + 1, x2 + 1),
    ),
    domain=domain((4.0, 6.0), (1.2, 3.0)),
    latex=r"\binom{{{x1}}}{{{x2}}}",
    flops=150,
)
