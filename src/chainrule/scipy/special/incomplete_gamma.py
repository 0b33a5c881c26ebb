"""The incomplete gamma functions P(a, x) and Q = 1 - P, in x and in a, and their inverses in x.

∂P/∂x is the gamma density (DLMF 8.8.13). ∂ᵏP/∂aᵏ has no closed form: it is the integral of the
density times a polynomial in its scores (`tails.py`), good to 1e-10 relative for 1e-3 ≤ a ≤ 1e5.
Inverses follow by the rule of the inverse function. All is differentiable again, to any order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.declare import Elementwise, chain_product, elementwise
from chainrule.primitives.samples import case, domain, uniform
from chainrule.scipy.special.polygamma_functions import polygamma_record as polygamma
from chainrule.scipy.special.tails import density_factor, in_blocks, integral

_SHAPE = (0.5, 4.0)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def _stirling_remainder(a: Any) -> Any:
    """log Γ(a) - (a - ½) log a + a - ½ log 2π for a ≥ 10, DLMF 5.11.1 with seven terms."""
    r = 1 / (a * a)
    total = 0.0
    for c in reversed(_STIRLING):
        total = c + r * total
    return total / a


@in_blocks
def _log_density(a: Any, x: Any) -> Any:
    """(a - 1) log x - x - log Γ(a); by the deviation of x from a where a is large."""
    with np.errstate(all="ignore"):
        direct = special.xlogy(a - 1, x) - x - special.gammaln(a)
        d = (x - a) / a
        centred = a * (np.log1p(d) - d) + 0.5 * np.log(a / (2 * np.pi)) - _stirling_remainder(a)
        y = np.where((a > 10) & (np.abs(d) < 0.9), centred - np.log(x), direct)
        return np.where(x == np.inf, -np.inf, y)


def _slope_in_x(x1: Any, x2: Any) -> Any:
    """(a - 1) / x - 1, and -1 where a = 1 and x = 0."""
    return (x1 - 1) / np.where((x1 == 1) & (x2 == 0), 1, x2) - 1


log_gamma_density = elementwise(
    "log_gamma_density",
    compute=_log_density,
    partials=(lambda x1, x2: np.log(x2) - special.digamma(x1), _slope_in_x),
    samples=[
        case(uniform(*_SHAPE, 3, 4), uniform(*_SHAPE, 4)),
        case(uniform(20.0, 30.0, 4), uniform(20.0, 30.0, 4)),
    ],
    latex=r"\log \frac{{{x2}^{{{x1} - 1}} e^{{-{x2}}}}}{{\Gamma({x1})}}",
    flops=60,
)


def _scores(a: Any, log_t: Any, k: int) -> dict[tuple[int, int], Any]:
    """∂ᵖ/∂aᵖ of the log density at t, p = 1 … k."""
    return {(1, 0): log_t - special.digamma(a)} | {
        (p, 0): -polygamma(p - 1, a) for p in range(2, k + 1)
    }


@in_blocks
def _in_a(a: Any, x: Any, *, k: int) -> Any:
    """∂ᵏP/∂aᵏ: below the mean with t = x exp(-u), above it the upper tail with t = x + u."""
    with np.errstate(all="ignore"):
        lower = x < a
        room = np.where(a < 1, 1.0, x / (x - a + np.sqrt(np.maximum(a, 1))))
        width = np.where(lower, 1 / np.where(a < 1, a, a - x + np.sqrt(x)), room)
        start, below = (x * np.exp(log_gamma_density(a, x)))[..., None], lower[..., None]
        scores = _scores(a[..., None], 0.0, k)
        shift, x, a = scores[1, 0] + np.log(x[..., None]), x[..., None], a[..., None]

        def integrand(u: Any) -> Any:
            v = np.where(below, -u, np.log1p(u / x))
            fall = np.exp(a * v - np.where(below, x * np.expm1(-u), u))
            measure = np.where(below, 1, 1 / (x + u))
            return start * fall * measure * density_factor(scores | {(1, 0): shift + v}, k, 0)

        tail = integral(integrand, width)
    x, a = x[..., 0], a[..., 0]
    inside = (x > 0) & np.isfinite(x) & (a > 0)
    outside = np.where((x >= 0) & (a > 0), 0.0, np.nan)  # P(a, 0) = 0 and P(a, ∞) = 1 for all a
    return np.where(inside, np.where(lower, tail, -tail), outside)


def _density_in_a(x1: Any, x2: Any, k: int) -> Any:
    """∂ᵏ/∂aᵏ of the gamma density; 0 where the density is, also against log 0."""
    density = np.exp(log_gamma_density(x1, x2))
    return chain_product(density, density_factor(_scores(x1, np.log(x2), k), k, 0))


gammainc_in_a: Elementwise = elementwise(
    "gammainc_in_a",
    compute=_in_a,
    partials=(lambda x1, x2, k: gammainc_in_a(x1, x2, k=k + 1), _density_in_a),
    samples=[
        case(uniform(*_SHAPE, 3, 4), uniform(*_SHAPE, 4), k=1),
        case(uniform(*_SHAPE, 4), uniform(*_SHAPE, 4), k=2),
    ],
    latex=r"\partial^{{{k}}}_{{{x1}}} P({x1}, {x2})",
    flops=10_000,
)


def _density(x1: Any, x2: Any) -> Any:
    return np.exp(log_gamma_density(x1, x2))


def _inverse_slope(x1: Any, y: Any) -> Any:
    return np.exp(-log_gamma_density(x1, y))


def _inverse_in_a(x1: Any, y: Any) -> Any:
    return -chain_product(gammainc_in_a(x1, y, k=1), _inverse_slope(x1, y))


gammainc = elementwise(
    "gammainc",
    numpy=special.gammainc,
    partials=(lambda x1, x2: gammainc_in_a(x1, x2, k=1), _density),
    domain=domain(_SHAPE, _SHAPE),
    latex="P({x1}, {x2})",
    flops=100,
)
gammaincc = elementwise(
    "gammaincc",
    numpy=special.gammaincc,
    partials=(
        lambda x1, x2: -gammainc_in_a(x1, x2, k=1),
        lambda x1, x2: -_density(x1, x2),
    ),
    domain=domain(_SHAPE, _SHAPE),
    latex="Q({x1}, {x2})",
    flops=100,
)
gammaincinv = elementwise(
    "gammaincinv",
    numpy=special.gammaincinv,
    partials=(_inverse_in_a, _inverse_slope),
    domain=domain(_SHAPE, (0.1, 0.9)),
    latex="P^{{-1}}({x1}, {x2})",
    flops=300,
)
gammainccinv = elementwise(
    "gammainccinv",
    numpy=special.gammainccinv,
    partials=(_inverse_in_a, lambda x1, y: -_inverse_slope(x1, y)),
    domain=domain(_SHAPE, (0.1, 0.9)),
    latex="Q^{{-1}}({x1}, {x2})",
    flops=300,
)
