"""Special functions with SciPy's names and signatures, for plain and traced arrays alike.

SciPy's own ufuncs dispatch on traced arrays, and stand here as they are; what SciPy writes in
Python, and cannot dispatch, is written here anew.

>>> import chainrule as cr
>>> from chainrule.scipy.special import expit
>>> float(cr.grad(expit)(0.0))
0.25
"""

from __future__ import annotations

from typing import Any

from scipy import special as _scipy

from chainrule.scipy.special import (
    airy_functions,
    bessel,
    bessel_of_order_0_and_1,
    differential_equations,
    distribution_functions,
    distribution_quantiles,
    elementary,
    elliptic,
    entropies,
    error_functions,
    exponential_integrals,
    exponential_sums,
    functions,
    gamma_functions,
    hypergeometric,
    incomplete_beta,
    incomplete_gamma,
    polynomials,
    sigmoids,
    spherical_bessel,
    verdicts,
)

_families = (
    *(airy_functions, bessel, bessel_of_order_0_and_1, differential_equations),
    *(distribution_functions, distribution_quantiles, elementary, elliptic, entropies),
    *(error_functions, exponential_integrals, gamma_functions, hypergeometric, incomplete_beta),
    *(incomplete_gamma, polynomials, sigmoids),
)
_written_here = {
    name: getattr(module, name)
    for module in (exponential_sums, functions, spherical_bessel)
    for name in module.__all__
}


def __getattr__(name: str) -> Any:
    """What is written here; else SciPy's own, whose ufuncs dispatch by themselves."""
    if name in _written_here:
        return _written_here[name]
    if name.startswith("_") or name not in _scipy.__all__:
        raise AttributeError(f"module 'chainrule.scipy.special' has no attribute {name!r}")
    return verdicts.of_plain_arrays(name)


def __dir__() -> list[str]:
    return sorted({*_written_here, *_scipy.__all__})
