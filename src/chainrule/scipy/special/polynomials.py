"""Orthogonal polynomials of constant degree, in x.

Derivatives: DLMF 18.9.15 to 18.9.28, each a polynomial of one degree less. In their other
parameters, α and β, none is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from chainrule import errors
from chainrule.graph import composition
from chainrule.graph.node import callers_place
from chainrule.primitives.declare import Elementwise, elementwise
from chainrule.primitives.samples import case, integers, uniform
from chainrule.scipy.special.unknown import unknown

_degree = unknown("the degree of a polynomial")
_weight = unknown("the parameter of the weight of a polynomial")
_N = integers(0, 5, 3, 1)
_X = uniform(-0.9, 0.9, 4)
_SHIFTED = uniform(0.1, 0.9, 4)


def _less(n: Any) -> Any:
    """The degree below; 0 for 0, whose derivative has the factor 0.

    SciPy takes fractional degrees too, but then these are no polynomials, and other rules hold.
    """
    if np.any(n != np.floor(n)):
        raise errors.UnsupportedError(
            f"the derivative of a polynomial of fractional degree was asked for at "
            f"{callers_place()}, and is not known here: pass whole numbers as degrees"
        )
    return np.maximum(n - 1, 0)


def _polynomial(name: str, slope: Callable[..., Any], latex: str, x: Any = _X) -> Elementwise:
    return elementwise(
        name,
        numpy=getattr(special, name),
        partials=(_degree, slope),
        samples=[case(_N, x)],
        latex=latex,
        flops=60,
    )


def _if_any(n: Any, slope: Any) -> Any:
    """`slope` where the degree is above 0."""
    return np.where(n > 0, slope, 0)


eval_legendre = _polynomial(
    "eval_legendre",
    lambda x1, x2: _if_any(x1, special.eval_gegenbauer(_less(x1), 1.5, x2)),
    "P_{{{x1}}}({x2})",
)
eval_sh_legendre = _polynomial(
    "eval_sh_legendre",
    lambda x1, x2: 2 * _if_any(x1, special.eval_gegenbauer(_less(x1), 1.5, 2 * x2 - 1)),
    "P^*_{{{x1}}}({x2})",
    _SHIFTED,
)
eval_chebyt = _polynomial(
    "eval_chebyt", lambda x1, x2: x1 * special.eval_chebyu(_less(x1), x2), "T_{{{x1}}}({x2})"
)
eval_sh_chebyt = _polynomial(
    "eval_sh_chebyt",
    lambda x1, x2: 2 * x1 * special.eval_sh_chebyu(_less(x1), x2),
    "T^*_{{{x1}}}({x2})",
    _SHIFTED,
)
eval_chebyu = _polynomial(
    "eval_chebyu",
    lambda x1, x2: 2 * _if_any(x1, special.eval_gegenbauer(_less(x1), 2.0, x2)),
    "U_{{{x1}}}({x2})",
)
eval_sh_chebyu = _polynomial(
    "eval_sh_chebyu",
    lambda x1, x2: 4 * _if_any(x1, special.eval_gegenbauer(_less(x1), 2.0, 2 * x2 - 1)),
    "U^*_{{{x1}}}({x2})",
    _SHIFTED,
)
eval_chebyc = _polynomial(
    "eval_chebyc", lambda x1, x2: x1 * special.eval_chebys(_less(x1), x2), "C_{{{x1}}}({x2})"
)
eval_chebys = _polynomial(
    "eval_chebys",
    lambda x1, x2: _if_any(x1, special.eval_gegenbauer(_less(x1), 2.0, x2 / 2)),
    "S_{{{x1}}}({x2})",
)
eval_laguerre = _polynomial(
    "eval_laguerre",
    lambda x1, x2: -_if_any(x1, special.eval_genlaguerre(_less(x1), 1.0, x2)),
    "L_{{{x1}}}({x2})",
)


def _whole(ufunc: Any) -> Callable[[Any, Any], Any]:
    """Compute in the precision of x a polynomial that SciPy has for integer degrees alone."""

    def compute(n: Any, x: Any) -> Any:
        dtype = np.result_type(np.float32, np.asarray(x).dtype)
        y = ufunc(np.asarray(n).astype(np.int64), x)
        return y.astype(dtype if dtype == np.float32 else np.float64)

    return compute


def _hermite(name: str, factor: int, latex: str) -> Elementwise:
    """Hₙ' = factor · n Hₙ₋₁."""
    record = elementwise(
        name,
        compute=_whole(getattr(special, name)),
        partials=(_degree, lambda x1, x2: factor * x1 * record(_less(x1), x2)),
        samples=[case(_N, _X)],
        latex=latex,
        flops=60,
    )
    composition(getattr(special, name))(record)
    return record


eval_hermite = _hermite("eval_hermite", 2, "H_{{{x1}}}({x2})")
eval_hermitenorm = _hermite("eval_hermitenorm", 1, "He_{{{x1}}}({x2})")

eval_gegenbauer = elementwise(
    "eval_gegenbauer",
    numpy=special.eval_gegenbauer,
    partials=(
        _degree,
        _weight,
        lambda x1, x2, x3: 2 * x2 * _if_any(x1, special.eval_gegenbauer(_less(x1), x2 + 1, x3)),
    ),
    samples=[case(_N, np.int8(2), _X)],
    latex="C^{{({x2})}}_{{{x1}}}({x3})",
    flops=60,
)
eval_genlaguerre = elementwise(
    "eval_genlaguerre",
    numpy=special.eval_genlaguerre,
    partials=(
        _degree,
        _weight,
        lambda x1, x2, x3: -_if_any(x1, special.eval_genlaguerre(_less(x1), x2 + 1, x3)),
    ),
    samples=[case(_N, np.int8(2), _X)],
    latex="L^{{({x2})}}_{{{x1}}}({x3})",
    flops=60,
)


def _jacobi_slope(x1: Any, x2: Any, x3: Any, x4: Any) -> Any:
    lower = special.eval_jacobi(_less(x1), x2 + 1, x3 + 1, x4)
    return (x1 + x2 + x3 + 1) / 2 * _if_any(x1, lower)


def _shifted_jacobi_slope(x1: Any, x2: Any, x3: Any, x4: Any) -> Any:
    """Gₙ(p, q, x) = Pₙ^(p-q, q-1)(2x - 1) / binom(2n + p - 1, n)."""
    lower = special.eval_jacobi(_less(x1), x2 - x3 + 1, x3, 2 * x4 - 1)
    return (x1 + x2) * _if_any(x1, lower) / special.binom(2 * x1 + x2 - 1, x1)


eval_jacobi = elementwise(
    "eval_jacobi",
    numpy=special.eval_jacobi,
    partials=(_degree, _weight, _weight, _jacobi_slope),
    samples=[case(_N, np.int8(2), np.int8(1), _X)],
    latex="P^{{({x2}, {x3})}}_{{{x1}}}({x4})",
    flops=80,
)
eval_sh_jacobi = elementwise(
    "eval_sh_jacobi",
    numpy=special.eval_sh_jacobi,
    partials=(_degree, _weight, _weight, _shifted_jacobi_slope),
    samples=[case(_N, np.int8(3), np.int8(2), _SHIFTED)],
    latex="G^{{({x2}, {x3})}}_{{{x1}}}({x4})",
    flops=80,
)


def _lpmv_slope(x1: Any, x2: Any, x3: Any, y: Any) -> Any:
    """DLMF 14.10.5: (x² - 1) P' = ν x P - (ν + μ) P_{ν-1}."""
    below = special.lpmv(x1, x2 - 1, x3)
    return (x2 * x3 * y - (x1 + x2) * below) / (x3 * x3 - 1)


lpmv = elementwise(
    "lpmv",
    numpy=special.lpmv,
    partials=(_degree, _degree, _lpmv_slope),
    samples=[case(integers(0, 3, 3, 1), integers(2, 5, 4), _X)],
    latex="P^{{{x1}}}_{{{x2}}}({x3})",
    flops=100,
)
