"""Bessel functions of order 0 and 1, and integrals of those of order 0.

Derivatives: DLMF 10.6.2 and 10.6.1, 10.29.3 and 10.29.1; integrals by their integrands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import Elementwise, General, elementwise, primitive
from chainrule.primitives.samples import case, domain, integers, uniform
from chainrule.scipy.special.unknown import unknown

_POSITIVE = domain((0.7, 4.0))


def _bessel(name: str, slope: Any, latex: str) -> Elementwise:
    ufunc = getattr(special, name)
    return elementwise(
        f"bessel_{name}",
        numpy=ufunc,
        partials=(slope,),
        domain=_POSITIVE,
        latex=latex,
        flops=40,
    )


j0 = _bessel("j0", lambda x: -special.j1(x), "J_0({x})")
j1 = _bessel("j1", lambda x: (special.j0(x) - special.jv(2, x)) / 2, "J_1({x})")
y0 = _bessel("y0", lambda x: -special.y1(x), "Y_0({x})")
y1 = _bessel("y1", lambda x: (special.y0(x) - special.yv(2, x)) / 2, "Y_1({x})")
i0 = _bessel("i0", lambda x: special.i1(x), "I_0({x})")
i1 = _bessel("i1", lambda x: (special.i0(x) + special.iv(2, x)) / 2, "I_1({x})")
k0 = _bessel("k0", lambda x: -special.k1(x), "K_0({x})")
k1 = _bessel("k1", lambda x: -(special.k0(x) + special.kv(2, x)) / 2, "K_1({x})")
i0e = _bessel("i0e", lambda x, y: special.i1e(x) - np.sign(x) * y, "e^{{-|{x}|}} I_0({x})")
i1e = _bessel(
    "i1e",
    lambda x, y: (special.i0e(x) + special.ive(2, x)) / 2 - np.sign(x) * y,
    "e^{{-|{x}|}} I_1({x})",
)
k0e = _bessel("k0e", lambda x, y: y - special.k1e(x), "e^{{{x}}} K_0({x})")
k1e = _bessel(
    "k1e", lambda x, y: y - (special.k0e(x) + special.kve(2, x)) / 2, "e^{{{x}}} K_1({x})"
)


def _integrals(name: str, slopes: tuple[Any, Any], latex: str) -> General:
    return primitive(
        name,
        batch=entrywise,
        numpy=getattr(special, name),
        jvp=slopes,
        outputs=2,
        samples=[case(uniform(0.7, 4.0, 3, 4)), case(uniform(0.7, 4.0))],
        latex=latex,
        flops=200,
    )


def _over(numerator: Any, x: Any) -> Any:
    """numerator / x, and 0 at 0: an even function less its value there."""
    return np.where(x == 0, 0, numerator / np.where(x == 0, 1, x))


itj0y0 = _integrals(
    "itj0y0",
    (lambda t, x: special.j0(x) * t, lambda t, x: special.y0(x) * t),
    r"\int_0^{{{x}}} J_0, \int_0^{{{x}}} Y_0",
)
iti0k0 = _integrals(
    "iti0k0",
    (lambda t, x: special.i0(x) * t, lambda t, x: special.k0(x) * t),
    r"\int_0^{{{x}}} I_0, \int_0^{{{x}}} K_0",
)
it2j0y0 = _integrals(
    "it2j0y0",
    (lambda t, x: _over(1 - special.j0(x), x) * t, lambda t, x: -special.y0(x) / x * t),
    r"\int_0^{{{x}}} \frac{{1 - J_0(t)}}{{t}} dt, \int_{{{x}}}^\infty \frac{{Y_0(t)}}{{t}} dt",
)
it2i0k0 = _integrals(
    "it2i0k0",
    (lambda t, x: _over(special.i0(x) - 1, x) * t, lambda t, x: -special.k0(x) / x * t),
    r"\int_0^{{{x}}} \frac{{I_0(t) - 1}}{{t}} dt, \int_{{{x}}}^\infty \frac{{K_0(t)}}{{t}} dt",
)
besselpoly = elementwise(
    "besselpoly",
    numpy=special.besselpoly,
    partials=(
        lambda x1, x2, x3: (
            special.besselpoly(x1, x2 + 1, x3 - 1) - special.besselpoly(x1, x2 + 1, x3 + 1)
        ),
        unknown("the power of the weight of besselpoly"),
        unknown("the order of a Bessel function"),
    ),
    samples=[case(uniform(0.7, 2.0, 3, 4), integers(1, 3, 4), integers(2, 4, 4))],
    latex=r"\int_0^1 t^{{{x2}}} J_{{{x3}}}(2 {x1} t) dt",
    flops=200,
)
