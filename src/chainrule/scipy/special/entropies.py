"""x log y and its kin, losses and power transforms, with the limits that they take at their edges.

Derivatives are those of the definitions. Where x = 0 makes x log y count as 0, ∂/∂y is 0 also at
y = 0, as `docs/conventions.md` says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.declare import elementwise
from chainrule.primitives.samples import POSITIVE, REAL, apart, case, domain, positive, uniform


def _ratio(x: Any, y: Any) -> Any:
    """x / y, and 0 / 0 = 0: a denominator of 1 there keeps the derivatives finite too."""
    return x / np.where((x == 0) & (y == 0), 1, y)


def _log_ratio(x: Any, y: Any) -> Any:
    """log(x / y), and 0 where both are 0."""
    both = (x == 0) & (y == 0)
    return np.log(np.where(both, 1, x) / np.where(both, 1, y))


xlogy = elementwise(
    "xlogy",
    numpy=special.xlogy,
    partials=(lambda x2: np.log(x2), lambda x1, x2: _ratio(x1, x2)),
    domain=domain(REAL, POSITIVE),
    latex=r"{x1} \log {x2}",
    flops=25,
)
xlog1py = elementwise(
    "xlog1py",
    numpy=special.xlog1py,
    partials=(lambda x2: np.log1p(x2), lambda x1, x2: _ratio(x1, 1 + x2)),
    domain=domain(REAL, POSITIVE),
    latex=r"{x1} \log(1 + {x2})",
    flops=25,
)
entr = elementwise(
    "entr",
    numpy=special.entr,
    partials=(lambda x: -np.log(x) - 1,),
    domain=positive,
    latex=r"-{x} \log {x}",
    flops=25,
)
rel_entr = elementwise(
    "rel_entr",
    numpy=special.rel_entr,
    partials=(lambda x1, x2: _log_ratio(x1, x2) + 1, lambda x1, x2: -_ratio(x1, x2)),
    domain=domain(POSITIVE, POSITIVE),
    latex=r"{x1} \log \frac{{{x1}}}{{{x2}}}",
    flops=30,
)
kl_div = elementwise(
    "kl_div",
    numpy=special.kl_div,
    partials=(lambda x1, x2: _log_ratio(x1, x2), lambda x1, x2: 1 - _ratio(x1, x2)),
    domain=domain(POSITIVE, POSITIVE),
    latex=r"{x1} \log \frac{{{x1}}}{{{x2}}} - {x1} + {x2}",
    flops=30,
)
huber = elementwise(
    "huber",
    numpy=special.huber,
    partials=(
        lambda x1, x2: np.maximum(np.abs(x2) - x1, 0),
        lambda x1, x2: np.where(np.abs(x2) <= x1, x2, x1 * np.sign(x2)),
    ),
    samples=[case(uniform(0.73, 0.77), apart(3, 4)), case(uniform(0.73, 0.77, 3), apart(3))],
    latex=r"\operatorname{{huber}}_{{{x1}}}({x2})",
    flops=10,
)


def _unless_both_are_zero(x: Any, y: Any) -> Any:
    """√(x² + y²), and 1 where that is 0 and would be divided by."""
    return np.hypot(np.where((x == 0) & (y == 0), 1, x), y)


def _pseudo_huber_in_delta(x1: Any, x2: Any) -> Any:
    """(s - δ)² / s with s = √(δ² + r²), and s - δ = r² / (s + δ), which does not cancel."""
    s = _unless_both_are_zero(x1, x2)
    return (x2 * x2 / (s + x1)) ** 2 / s


pseudo_huber = elementwise(
    "pseudo_huber",
    numpy=special.pseudo_huber,
    partials=(
        _pseudo_huber_in_delta,
        lambda x1, x2: x1 * x2 / _unless_both_are_zero(x1, x2),
    ),
    domain=domain(POSITIVE, REAL),
    latex=r"{x1}^2 (\sqrt{{1 + ({x2} / {x1})^2}} - 1)",
    flops=30,
)


def _exprel_slope(x: Any) -> Any:
    """d/dx (eˣ - 1)/x = ₁F₁(2; 3; x) / 2, DLMF 13.6.2 with 13.3.15; smooth at 0."""
    return special.hyp1f1(2.0, 3.0, x) / 2


exprel = elementwise(
    "exprel",
    numpy=special.exprel,
    partials=(_exprel_slope,),
    domain=domain(REAL),
    latex=r"\frac{{e^{{{x}}} - 1}}{{{x}}}",
    flops=25,
)


def _log1p_quotient_slope(u: Any) -> Any:
    """d/du log(1 + u)/u; near 0, where the quotient cancels, Σ (-1)ⁿ n uⁿ⁻¹/(n + 1).

    Fourteen terms leave less than 1e-16 for |u| < 0.06.
    """
    near = np.abs(u) < 0.06
    small, large = np.where(near, u, 0), np.where(near, 1, u)
    series = 0.0
    for n in range(14, 0, -1):
        series = (-1) ** n * n / (n + 1) + small * series
    return np.where(near, series, (1 / (1 + large) - np.log1p(large) / large) / large)


# (x^λ - 1)/λ = L exprel(λ L) with L = log x: no division by λ, so λ = 0 is an ordinary point.
boxcox = elementwise(
    "boxcox",
    numpy=special.boxcox,
    partials=(
        lambda x1, x2: x1 ** (x2 - 1),
        lambda x1, x2: np.log(x1) ** 2 * _exprel_slope(x2 * np.log(x1)),
    ),
    domain=domain(POSITIVE, REAL),
    latex=r"\frac{{{x1}^{{{x2}}} - 1}}{{{x2}}}",
    flops=40,
)
boxcox1p = elementwise(
    "boxcox1p",
    numpy=special.boxcox1p,
    partials=(
        lambda x1, x2: (1 + x1) ** (x2 - 1),
        lambda x1, x2: np.log1p(x1) ** 2 * _exprel_slope(x2 * np.log1p(x1)),
    ),
    domain=domain(POSITIVE, REAL),
    latex=r"\frac{{(1 + {x1})^{{{x2}}} - 1}}{{{x2}}}",
    flops=40,
)
inv_boxcox = elementwise(
    "inv_boxcox",
    numpy=special.inv_boxcox,
    partials=(
        lambda x1, x2, y: y / (1 + x1 * x2),
        lambda x1, x2, y: y * x1 * x1 * _log1p_quotient_slope(x1 * x2),
    ),
    domain=domain((0.2, 1.5), (0.1, 2.0)),
    latex=r"(1 + {x1} {x2})^{{1 / {x2}}}",
    flops=40,
)
inv_boxcox1p = elementwise(
    "inv_boxcox1p",
    numpy=special.inv_boxcox1p,
    partials=(
        lambda x1, x2, y: (1 + y) / (1 + x1 * x2),
        lambda x1, x2, y: (1 + y) * x1 * x1 * _log1p_quotient_slope(x1 * x2),
    ),
    domain=domain((0.2, 1.5), (0.1, 2.0)),
    latex=r"(1 + {x1} {x2})^{{1 / {x2}}} - 1",
    flops=40,
)
powm1 = elementwise(
    "powm1",
    numpy=special.powm1,
    partials=(lambda x1, x2: x2 * x1 ** (x2 - 1), lambda x1, y: (1 + y) * np.log(x1)),
    domain=domain(POSITIVE, REAL),
    latex=r"{x1}^{{{x2}}} - 1",
    flops=30,
)


def _tukey_slope(y: Any, shape: Any) -> Any:
    """dx/dy of the quantile x = boxcox(y, λ) - boxcox(1 - y, λ)."""
    return y ** (shape - 1) + (1 - y) ** (shape - 1)


def _tukey_in_shape(x2: Any, y: Any) -> Any:
    def moved(p: Any) -> Any:
        return np.log(p) ** 2 * _exprel_slope(x2 * np.log(p))

    return -(moved(y) - moved(1 - y)) / _tukey_slope(y, x2)


tklmbda = elementwise(
    "tklmbda",
    numpy=special.tklmbda,
    partials=(lambda x2, y: 1 / _tukey_slope(y, x2), _tukey_in_shape),
    domain=domain((-0.5, 0.5), (0.1, 1.2)),
    latex=r"\operatorname{{tklmbda}}({x1}, {x2})",
    flops=200,
)
LOG_10 = math.log(10.0)
exp10 = elementwise(
    "exp10",
    numpy=special.exp10,
    partials=(lambda y: LOG_10 * y,),
    domain=domain(REAL),
    latex="10^{{{x}}}",
    flops=15,
)
