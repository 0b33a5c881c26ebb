"""Exponentials, logarithms, trigonometric and hyperbolic functions and their inverses.

Derivatives: Abramowitz & Stegun, Handbook of Mathematical Functions, chapter 4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.declare import Elementwise, elementwise
from chainrule.primitives.samples import POSITIVE, REAL, UNIT, case, domain, positive, real, uniform

LOG_2, LOG_10 = math.log(2.0), math.log(10.0)

exp = elementwise(
    "exp", numpy=np.exp, partials=(lambda y: y,), domain=real, latex="e^{{{x}}}", flops=15
)
exp2 = elementwise(
    "exp2", numpy=np.exp2, partials=(lambda y: LOG_2 * y,), domain=real, latex="2^{{{x}}}", flops=15
)
expm1 = elementwise(
    "expm1",
    numpy=np.expm1,
    partials=(lambda y: y + 1,),
    domain=real,
    latex="e^{{{x}}} - 1",
    flops=20,
)
log = elementwise(
    "log",
    numpy=np.log,
    partials=(lambda x: 1 / x,),
    domain=positive,
    latex=r"\log {x}",
    flops=20,
)
log2 = elementwise(
    "log2",
    numpy=np.log2,
    partials=(lambda x: 1 / (LOG_2 * x),),
    domain=positive,
    latex=r"\log_2 {x}",
    flops=20,
)
log10 = elementwise(
    "log10",
    numpy=np.log10,
    partials=(lambda x: 1 / (LOG_10 * x),),
    domain=positive,
    latex=r"\log_{{10}} {x}",
    flops=20,
)
log1p = elementwise(
    "log1p",
    numpy=np.log1p,
    partials=(lambda x: 1 / (1 + x),),
    domain=positive,
    latex=r"\log(1 + {x})",
    flops=20,
)
sin = elementwise(
    "sin", numpy=np.sin, partials=(lambda x: np.cos(x),), domain=real, latex=r"\sin {x}", flops=15
)
cos = elementwise(
    "cos", numpy=np.cos, partials=(lambda x: -np.sin(x),), domain=real, latex=r"\cos {x}", flops=15
)
tan = elementwise(
    "tan",
    numpy=np.tan,
    partials=(lambda y: 1 + y * y,),
    domain=domain((-1.2, 1.2)),
    latex=r"\tan {x}",
    flops=20,
)


def _leg(x: Any) -> Any:
    """√(1 - x²), for complex x on the side of the cuts |x| > 1 on which NumPy's arcsin is."""
    if x.dtype.kind == "c":
        return np.sqrt(-(x - 1)) * np.sqrt(x + 1)
    return np.sqrt(1 - x * x)


arcsin = elementwise(
    "arcsin",
    numpy=np.arcsin,
    partials=(lambda x: 1 / _leg(x),),
    domain=domain(UNIT),
    latex=r"\arcsin {x}",
    flops=20,
)
arccos = elementwise(
    "arccos",
    numpy=np.arccos,
    partials=(lambda x: -1 / _leg(x),),
    domain=domain(UNIT),
    latex=r"\arccos {x}",
    flops=20,
)
arctan = elementwise(
    "arctan",
    numpy=np.arctan,
    partials=(lambda x: 1 / (1 + x * x),),
    domain=real,
    latex=r"\arctan {x}",
    flops=20,
)
arctan2 = elementwise(
    "arctan2",
    numpy=np.arctan2,
    partials=(
        lambda x1, x2: x2 / (x1 * x1 + x2 * x2),
        lambda x1, x2: -x1 / (x1 * x1 + x2 * x2),
    ),
    domain=domain(REAL, POSITIVE),
    latex=r"\operatorname{{arctan2}}({x1}, {x2})",
    flops=25,
)
sinh = elementwise(
    "sinh",
    numpy=np.sinh,
    partials=(lambda x: np.cosh(x),),
    domain=real,
    latex=r"\sinh {x}",
    flops=20,
)
cosh = elementwise(
    "cosh",
    numpy=np.cosh,
    partials=(lambda x: np.sinh(x),),
    domain=real,
    latex=r"\cosh {x}",
    flops=20,
)
tanh = elementwise(
    "tanh",
    numpy=np.tanh,
    partials=(lambda y: 1 - y * y,),
    domain=real,
    latex=r"\tanh {x}",
    flops=20,
)
arcsinh = elementwise(
    "arcsinh",
    numpy=np.arcsinh,
    partials=(lambda x: 1 / np.sqrt(1 + x * x),),
    domain=real,
    latex=r"\operatorname{{arsinh}} {x}",
    flops=25,
)
arccosh = elementwise(
    "arccosh",
    numpy=np.arccosh,
    partials=(lambda x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),),
    domain=domain((1.2, 3.0)),
    latex=r"\operatorname{{arcosh}} {x}",
    flops=25,
)
arctanh = elementwise(
    "arctanh",
    numpy=np.arctanh,
    partials=(lambda x: 1 / (1 - x * x),),
    domain=domain(UNIT),
    latex=r"\operatorname{{artanh}} {x}",
    flops=25,
)
radians = elementwise(
    "radians",
    numpy=np.radians,
    partials=(lambda: np.pi / 180,),
    domain=real,
    latex=r"\frac{{\pi}}{{180}} {x}",
)
degrees = elementwise(
    "degrees",
    numpy=np.degrees,
    partials=(lambda: 180 / np.pi,),
    domain=real,
    latex=r"\frac{{180}}{{\pi}} {x}",
)
composition(np.deg2rad)(radians)
composition(np.rad2deg)(degrees)


def _exponent(x: Any, other: Any, y: Any, half: float) -> Any:
    """x - y, with the limits at infinity: log ½ where both are equal, 0 where x alone is y."""
    return np.where(x == y, half * (x == other).astype(y.dtype), x - y)


logaddexp = elementwise(
    "logaddexp",
    numpy=np.logaddexp,
    partials=(
        lambda x1, x2, y: np.exp(_exponent(x1, x2, y, -LOG_2)),
        lambda x1, x2, y: np.exp(_exponent(x2, x1, y, -LOG_2)),
    ),
    domain=domain(REAL, REAL),
    latex=r"\log(e^{{{x1}}} + e^{{{x2}}})",
    flops=40,
)
logaddexp2 = elementwise(
    "logaddexp2",
    numpy=np.logaddexp2,
    partials=(
        lambda x1, x2, y: np.exp2(_exponent(x1, x2, y, -1.0)),
        lambda x1, x2, y: np.exp2(_exponent(x2, x1, y, -1.0)),
    ),
    domain=domain(REAL, REAL),
    latex=r"\log_2(2^{{{x1}}} + 2^{{{x2}}})",
    flops=40,
)


def _sinc_slope(x: Any) -> Any:
    """d sinc/dx with sinc x = sin(πx)/(πx); the series near 0, where the quotient cancels.

    Terms up to x⁷ leave less than 1e-15 for |πx| < 0.1.
    """
    a = np.pi * x
    near = np.abs(a) < 0.1
    far = np.where(near, 1.0, a)
    quotient = np.pi * (np.cos(far) - np.sin(far) / far) / far
    b = a * a
    series = np.pi * a * (-1 / 3 + b * (1 / 30 + b * (-1 / 840 + b / 45360)))
    return np.where(near, series, quotient)


sinc = elementwise(
    "sinc",
    numpy=np.sinc,
    partials=(_sinc_slope,),
    domain=real,
    latex=r"\operatorname{{sinc}} {x}",
    flops=20,
)


def _bessel(x: Any, *, order: int) -> Any:
    # SciPy takes longer to import than all of this package; few programs come here.
    from scipy.special import iv  # noqa: PLC0415

    return iv(order, x)


# d I_n / dx = (I_(n-1) + I_(n+1)) / 2. Source: NIST Digital Library of Mathematical Functions,
# equation 10.29.1.
modified_bessel: Elementwise = elementwise(
    "modified_bessel",
    compute=_bessel,
    partials=(
        lambda x, order: (
            (modified_bessel(x, order=order - 1) + modified_bessel(x, order=order + 1)) / 2
        ),
    ),
    samples=[case(uniform(*REAL, 3, 4), order=1), case(uniform(*REAL), order=2)],
    latex="I_{{{order}}}({x})",
    flops=60,
)
bessel_i0 = elementwise(
    "i0",
    compute=np.i0,
    partials=(lambda x: modified_bessel(x, order=1),),
    domain=real,
    latex="I_0({x})",
    flops=60,
)


@composition(np.i0)
def i0(x: Any) -> Any:
    """`np.i0`: the modified Bessel function of order 0."""
    return bessel_i0(x)
