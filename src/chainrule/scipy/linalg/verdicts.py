"""The functions of scipy.linalg without a derivative here, and what to use instead.

All others are functions of this folder. A test goes through `scipy.linalg` name by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import scipy.linalg

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete, lifted

CONSTANT = {
    "bandwidth": "counts of entries that are not 0",
    "dft": "depends on a size alone",
    "find_best_blas_type": "names of routines",
    "get_blas_funcs": "names of routines",
    "get_lapack_funcs": "names of routines",
    "hadamard": "depends on a size alone",
    "helmert": "depends on a size alone",
    "hilbert": "depends on a size alone",
    "invhilbert": "depends on a size alone",
    "invpascal": "depends on a size alone",
    "ishermitian": "truth values",
    "issymmetric": "truth values",
    "pascal": "depends on a size alone",
}
"""SciPy's own functions, on the numbers under a traced array; each with its reason."""

_FACTOR = "factor the full matrix with cholesky and cho_solve, or solve with solveh_banded"
_FORM = (
    "the form is not determined by the matrix; use eig, or expm, logm and sqrtm for functions of it"
)
_UPDATE = "factor the changed matrix anew with qr"

ADVICE = {
    "cdf2rdf": "use the complex eigenvalues and vectors of eig as they are",
    "cho_solve_banded": _FACTOR,
    "cholesky_banded": _FACTOR,
    "clarkson_woodruff_transform": "it draws at random: draw the sketch matrix S outside and use "
    "S @ a",
    "cossin": "take the svd of the blocks",
    "expm_cond": "use the norms of expm(a) and of expm_frechet(a, e)",
    "fiedler_companion": "use companion, which has the same eigenvalues",
    "funm": "use expm, logm, sqrtm, fractional_matrix_power, sinm …, or V f(w) V⁻¹ from eig",
    "hessenberg": _FORM,
    "ldl": "use cholesky for a positive definite matrix, lu or eigh for any other",
    "matrix_balance": "it scales by powers of 2, which are constant: apply those of "
    "chainrule.stop_gradient(a)",
    "ordqz": _FORM,
    "qr_delete": _UPDATE,
    "qr_insert": _UPDATE,
    "qr_multiply": "multiply with the Q of qr(a, mode='economic')",
    "qr_update": _UPDATE,
    "qz": _FORM,
    "rq": "use qr of the transpose with its rows in reverse order",
    "rsf2csf": _FORM,
    "schur": _FORM,
}
"""What to use instead of a function that has no derivative here."""


def verdict_on(name: str) -> Callable[..., Any]:
    """The function `name`, for plain arrays SciPy's own."""
    function = getattr(scipy.linalg, name)

    def constant(*args: Any, **kwargs: Any) -> Any:
        plain = {key: concrete(lifted(value)) for key, value in kwargs.items()}
        return function(*(concrete(lifted(a)) for a in args), **plain)

    def refused(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(lifted(a), Traced) for a in (*args, *kwargs.values())):
            raise errors.UnsupportedError(
                f"scipy.linalg.{name} at {callers_place()} has no derivative here: {ADVICE[name]}"
            )
        return function(*args, **kwargs)

    verdict = constant if name in CONSTANT else refused
    verdict.__name__ = verdict.__qualname__ = name
    verdict.__doc__ = f"As `scipy.linalg.{name}`; {CONSTANT.get(name) or 'without a derivative'}."
    return verdict
