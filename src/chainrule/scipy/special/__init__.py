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

import numpy as np
from scipy import special as _scipy

from chainrule.scipy.special import (
    bessel,
    bessel_of_order_0_and_1,
    elementary,
    entropies,
    error_functions,
    gamma_functions,
    hypergeometric,
    incomplete_beta,
    incomplete_gamma,
    polygamma,
    sigmoids,
)
from chainrule.scipy.special.exponential_sums import log_softmax, logsumexp, softmax

_families = (
    bessel,
    bessel_of_order_0_and_1,
    elementary,
    entropies,
    error_functions,
    hypergeometric,
    gamma_functions,
    incomplete_beta,
    incomplete_gamma,
    polygamma,
    sigmoids,
)

__all__ = ["log_softmax", "logsumexp", "softmax"]


def __getattr__(name: str) -> Any:
    """A ufunc of SciPy's, which dispatches by itself."""
    found = getattr(_scipy, name, None)
    if not isinstance(found, np.ufunc):
        raise AttributeError(f"module 'chainrule.scipy.special' has no attribute {name!r}")
    return found


def __dir__() -> list[str]:
    ufuncs = [name for name in dir(_scipy) if isinstance(getattr(_scipy, name), np.ufunc)]
    return sorted({*globals(), *ufuncs})
