"""SciPy's variants of NumPy's functions, and trigonometry in degrees."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from chainrule.graph import composition
from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import elementwise, flat
from chainrule.primitives.samples import REAL, case, domain, real, uniform

for _ours, _theirs in (
    (special.cbrt, np.cbrt),
    (special.exp2, np.exp2),
    (special.expm1, np.expm1),
    (special.log1p, np.log1p),
):
    composition(_ours)(_theirs)

DEGREE = math.pi / 180
ANGLE = (10.0, 80.0)

cosm1 = elementwise(
    "cosm1",
    numpy=special.cosm1,
    partials=(lambda x: -np.sin(x),),
    domain=real,
    latex=r"\cos {x} - 1",
    flops=15,
)
sindg = elementwise(
    "sindg",
    numpy=special.sindg,
    partials=(lambda x: DEGREE * special.cosdg(x),),
    domain=domain(ANGLE),
    latex=r"\sin {x}^\circ",
    flops=15,
)
cosdg = elementwise(
    "cosdg",
    numpy=special.cosdg,
    partials=(lambda x: -DEGREE * special.sindg(x),),
    domain=domain(ANGLE),
    latex=r"\cos {x}^\circ",
    flops=15,
)
tandg = elementwise(
    "tandg",
    numpy=special.tandg,
    partials=(lambda y: DEGREE * (1 + y * y),),
    domain=domain(ANGLE),
    latex=r"\tan {x}^\circ",
    flops=20,
)
cotdg = elementwise(
    "cotdg",
    numpy=special.cotdg,
    partials=(lambda y: -DEGREE * (1 + y * y),),
    domain=domain(ANGLE),
    latex=r"\cot {x}^\circ",
    flops=20,
)
radian = elementwise(
    "radian",
    numpy=special.radian,
    partials=(lambda: DEGREE, lambda: DEGREE / 60, lambda: DEGREE / 3600),
    domain=domain(REAL, REAL, REAL),
    latex=r"\operatorname{{radian}}({x1}, {x2}, {x3})",
    flops=5,
)
round_half_even = flat(
    "round_half_even",
    batch=entrywise,
    numpy=special.round,
    reason="piecewise constant",
    samples=[case(uniform(0.6, 1.4, 3, 4))],
    latex=r"\operatorname{{round}}({x})",
)
