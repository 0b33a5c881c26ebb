"""The logistic function, its inverse and its logarithm.

Derivatives: y = 1 / (1 + e⁻ˣ) satisfies y' = y (1 - y), with 1 - y(x) = y(-x) where y is near 1.
"""

from __future__ import annotations

from scipy import special

from chainrule.primitives.declare import elementwise
from chainrule.primitives.samples import domain, real

expit = elementwise(
    "expit",
    numpy=special.expit,
    partials=(lambda x, y: y * special.expit(-x),),
    domain=real,
    latex=r"\sigma({x})",
    flops=20,
)
logit = elementwise(
    "logit",
    numpy=special.logit,
    partials=(lambda x: 1 / (x * (1 - x)),),
    domain=domain((0.05, 0.95)),
    latex=r"\log \frac{{{x}}}{{1 - {x}}}",
    flops=20,
)
log_expit = elementwise(
    "log_expit",
    numpy=special.log_expit,
    partials=(lambda x: special.expit(-x),),
    domain=real,
    latex=r"\log \sigma({x})",
    flops=30,
)
