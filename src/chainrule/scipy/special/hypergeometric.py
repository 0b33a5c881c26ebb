"""Hypergeometric functions, in z: their parameters have no derivative that is known here.

Derivatives: DLMF 15.5.1, 16.3.1, 13.3.15, 13.3.22; Wright's function term by term.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from chainrule.primitives.declare import elementwise
from chainrule.primitives.samples import case, integers, uniform
from chainrule.scipy.special.unknown import unknown

_parameter = unknown("a parameter of a hypergeometric function")
_wright = unknown("a parameter of Wright's function")

hyp0f1 = elementwise(
    "hyp0f1",
    numpy=special.hyp0f1,
    partials=(_parameter, lambda x1, x2: special.hyp0f1(x1 + 1, x2) / x1),
    samples=[case(integers(1, 4, 4), uniform(-2.0, 2.0, 3, 4))],
    latex=r"{{}}_0F_1(; {x1}; {x2})",
    flops=100,
)
hyp1f1 = elementwise(
    "hyp1f1",
    numpy=special.hyp1f1,
    partials=(
        _parameter,
        _parameter,
        lambda x1, x2, x3: x1 / x2 * special.hyp1f1(x1 + 1, x2 + 1, x3),
    ),
    samples=[case(integers(1, 4, 4), integers(2, 5, 3, 1), uniform(-2.0, 2.0, 3, 4))],
    latex=r"{{}}_1F_1({x1}; {x2}; {x3})",
    flops=100,
)
hyp2f1 = elementwise(
    "hyp2f1",
    numpy=special.hyp2f1,
    partials=(
        _parameter,
        _parameter,
        _parameter,
        lambda x1, x2, x3, x4: x1 * x2 / x3 * special.hyp2f1(x1 + 1, x2 + 1, x3 + 1, x4),
    ),
    samples=[
        case(integers(1, 4, 4), integers(1, 4, 4), integers(2, 5, 3, 1), uniform(-0.6, 0.6, 3, 4))
    ],
    latex=r"{{}}_2F_1({x1}, {x2}; {x3}; {x4})",
    flops=100,
)
hyperu = elementwise(
    "hyperu",
    numpy=special.hyperu,
    partials=(
        _parameter,
        _parameter,
        lambda x1, x2, x3: -x1 * special.hyperu(x1 + 1, x2 + 1, x3),
    ),
    samples=[case(integers(1, 3, 4), integers(1, 3, 3, 1), uniform(1.0, 3.0, 3, 4))],
    latex="U({x1}, {x2}, {x3})",
    flops=100,
)
wright_bessel = elementwise(
    "wright_bessel",
    numpy=special.wright_bessel,
    partials=(_wright, _wright, lambda x1, x2, x3: special.wright_bessel(x1, x1 + x2, x3)),
    samples=[case(integers(1, 3, 4), integers(1, 3, 3, 1), uniform(0.5, 2.0, 3, 4))],
    latex=r"\Phi({x1}, {x2}; {x3})",
    flops=200,
)
log_wright_bessel = elementwise(
    "log_wright_bessel",
    numpy=special.log_wright_bessel,
    partials=(
        _wright,
        _wright,
        lambda x1, x2, x3, y: np.exp(special.log_wright_bessel(x1, x1 + x2, x3) - y),
    ),
    samples=[case(integers(1, 3, 4), integers(1, 3, 3, 1), uniform(0.5, 2.0, 3, 4))],
    latex=r"\log \Phi({x1}, {x2}; {x3})",
    flops=200,
)
