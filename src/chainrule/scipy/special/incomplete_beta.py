"""The regularised incomplete beta function I_x(a, b) in all its arguments, and its inverses in x.

∂I/∂x is the beta density (DLMF 8.17.1). Derivatives in a and b have no closed form: they are the
integral of the density times a polynomial in its scores (`tails.py`). All is differentiable again,
to any order.
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
_FRACTION = (0.1, 0.9)


def log_beta_density(a: Any, b: Any, x: Any) -> Any:
    """(a - 1) log x + (b - 1) log(1 - x) - log B(a, b)."""
    return special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)


def _scores(a: Any, b: Any, logs: tuple[Any, Any], i: int, j: int) -> dict[tuple[int, int], Any]:
    """The derivatives of the log density at t by the orders in a and in b; logs of t and 1 - t."""
    scores: dict[tuple[int, int], Any] = {}
    for p in range(i + 1):
        for q in range(j + 1):
            if p + q == 0:
                continue
            score = polygamma(p + q - 1, a + b)
            if q == 0:
                score = score - polygamma(p - 1, a)
            if p == 0:
                score = score - polygamma(q - 1, b)
            if p + q == 1:
                score = score + logs[q]
            scores[p, q] = score
    return scores


def _lower(a: Any, b: Any, x: Any, i: int, j: int) -> Any:
    """∂ⁱ⁺ʲI / ∂aⁱ∂bʲ from the left, with t = x exp(-u); for x below the mean."""
    odds = x / (1 - x)
    rate = np.maximum(a - b * odds, 0) + np.sqrt(b * odds / (1 - x))
    width = 1 / np.where(a < 1, a, rate)
    start = (x * np.exp(log_beta_density(a, b, x)))[..., None]
    a, b, x = a[..., None], b[..., None], x[..., None]
    fixed = _scores(a, b, (0.0, 0.0), i, j)
    log_x, log_rest = np.log(x), np.log1p(-x)

    def integrand(u: Any) -> Any:
        rest = np.log1p(-x * np.exp(-u))
        scores = dict(fixed)
        if i:
            scores[1, 0] = fixed[1, 0] + log_x - u
        if j:
            scores[0, 1] = fixed[0, 1] + rest
        fall = np.exp(-a * u + (b - 1) * (rest - log_rest))
        return start * fall * density_factor(scores, i, j)

    return integral(integrand, width)


@in_blocks
def _in_parameters(a: Any, b: Any, x: Any, *, p: int, q: int) -> Any:
    """∂ᵖ⁺ᑫI / ∂aᵖ∂bᑫ, above the mean by I_x(a, b) = 1 - I_{1-x}(b, a)."""
    inside = (x > 0) & (x < 1) & (a > 0) & (b > 0)
    outside = np.where((x >= 0) & (x <= 1) & (a > 0) & (b > 0), 0.0, np.nan)  # constant at 0 and 1
    a, b, x = (np.where(inside, v, w) for v, w in ((a, 1.0), (b, 1.0), (x, 0.5)))
    out = np.empty(np.shape(x))
    with np.errstate(all="ignore"):
        lower = x < a / (a + b)
        out[lower] = _lower(a[lower], b[lower], x[lower], p, q)
        upper = ~lower
        out[upper] = -_lower(b[upper], a[upper], 1 - x[upper], q, p)
    return np.where(inside, out, outside)


betainc_in_parameters: Elementwise = elementwise(
    "betainc_in_parameters",
    compute=_in_parameters,
    partials=(
        lambda x1, x2, x3, p, q: betainc_in_parameters(x1, x2, x3, p=p + 1, q=q),
        lambda x1, x2, x3, p, q: betainc_in_parameters(x1, x2, x3, p=p, q=q + 1),
        lambda x1, x2, x3, p, q: _density_in_parameters(x1, x2, x3, p, q),
    ),
    samples=[
        case(uniform(*_SHAPE, 3, 4), uniform(*_SHAPE, 4), uniform(*_FRACTION, 4), p=1, q=0),
        case(uniform(*_SHAPE, 4), uniform(*_SHAPE, 4), uniform(*_FRACTION, 4), p=0, q=1),
    ],
    latex=r"\partial^{{{p}}}_{{{x1}}} \partial^{{{q}}}_{{{x2}}} I_{{{x3}}}({x1}, {x2})",
    flops=10_000,
)


def _density_in_parameters(a: Any, b: Any, x: Any, i: int, j: int) -> Any:
    """∂ⁱ⁺ʲ/∂aⁱ∂bʲ of the beta density; 0 where the density is, also against log 0."""
    scores = _scores(a, b, (np.log(x), np.log1p(-x)), i, j)
    return chain_product(np.exp(log_beta_density(a, b, x)), density_factor(scores, i, j))


def _in_a(a: Any, b: Any, x: Any) -> Any:
    return betainc_in_parameters(a, b, x, p=1, q=0)


def _in_b(a: Any, b: Any, x: Any) -> Any:
    return betainc_in_parameters(a, b, x, p=0, q=1)


def _density(x1: Any, x2: Any, x3: Any) -> Any:
    return np.exp(log_beta_density(x1, x2, x3))


def _inverse_slope(x1: Any, x2: Any, y: Any) -> Any:
    return np.exp(-log_beta_density(x1, x2, y))


betainc = elementwise(
    "betainc",
    numpy=special.betainc,
    partials=(
        lambda x1, x2, x3: _in_a(x1, x2, x3),
        lambda x1, x2, x3: _in_b(x1, x2, x3),
        _density,
    ),
    domain=domain(_SHAPE, _SHAPE, _FRACTION),
    latex="I_{{{x3}}}({x1}, {x2})",
    flops=200,
)
betaincc = elementwise(
    "betaincc",
    numpy=special.betaincc,
    partials=(
        lambda x1, x2, x3: -_in_a(x1, x2, x3),
        lambda x1, x2, x3: -_in_b(x1, x2, x3),
        lambda x1, x2, x3: -_density(x1, x2, x3),
    ),
    domain=domain(_SHAPE, _SHAPE, _FRACTION),
    latex="1 - I_{{{x3}}}({x1}, {x2})",
    flops=200,
)
_INVERSE_IN_PARAMETERS = (
    lambda x1, x2, y: -chain_product(_in_a(x1, x2, y), _inverse_slope(x1, x2, y)),
    lambda x1, x2, y: -chain_product(_in_b(x1, x2, y), _inverse_slope(x1, x2, y)),
)
betaincinv = elementwise(
    "betaincinv",
    numpy=special.betaincinv,
    partials=(*_INVERSE_IN_PARAMETERS, _inverse_slope),
    domain=domain(_SHAPE, _SHAPE, _FRACTION),
    latex="I^{{-1}}_{{{x3}}}({x1}, {x2})",
    flops=500,
)
betainccinv = elementwise(
    "betainccinv",
    numpy=special.betainccinv,
    partials=(*_INVERSE_IN_PARAMETERS, lambda x1, x2, y: -_inverse_slope(x1, x2, y)),
    domain=domain(_SHAPE, _SHAPE, _FRACTION),
    latex="(1 - I)^{{-1}}_{{{x3}}}({x1}, {x2})",
    flops=500,
)
