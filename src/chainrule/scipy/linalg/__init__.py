"""scipy.linalg with derivatives: SciPy's names and signatures, for plain and traced arrays alike.

SciPy's own functions take numbers out of a traced array and so refuse it. These have derivatives
in both modes and at every order, for real and complex matrices, and for stacks of them where the
operation allows. Options that only say how SciPy computes are taken and change nothing.

>>> import numpy as np
>>> import chainrule as cr
>>> from chainrule.scipy import linalg
>>> a = np.array([[2.0, 1.0], [1.0, 3.0]])
>>> cr.grad(lambda a: np.sum(linalg.sqrtm(a) @ linalg.sqrtm(a)))(a).round(12)
array([[1., 1.],
       [1., 1.]])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.scipy.linalg import verdicts
from chainrule.scipy.linalg.equations import (
    solve_continuous_are,
    solve_continuous_lyapunov,
    solve_discrete_are,
    solve_discrete_lyapunov,
    solve_lyapunov,
    solve_sylvester,
)
from chainrule.scipy.linalg.factors import cho_factor, cholesky, lu, lu_factor, polar, qr
from chainrule.scipy.linalg.functions import (
    coshm,
    cosm,
    expm,
    expm_frechet,
    fractional_matrix_power,
    logm,
    signm,
    sinhm,
    sinm,
    sqrtm,
    tanhm,
    tanm,
)
from chainrule.scipy.linalg.matrices import (
    block_diag,
    circulant,
    companion,
    convolution_matrix,
    diagsvd,
    fiedler,
    hankel,
    khatri_rao,
    kron,
    leslie,
    toeplitz,
    tri,
    tril,
    triu,
)
from chainrule.scipy.linalg.spectra import (
    eig,
    eig_banded,
    eigh,
    eigh_tridiagonal,
    eigvals,
    eigvals_banded,
    eigvalsh,
    eigvalsh_tridiagonal,
    null_space,
    orth,
    orthogonal_procrustes,
    subspace_angles,
    svd,
    svdvals,
)
from chainrule.scipy.linalg.structured import (
    matmul_toeplitz,
    solve_banded,
    solve_circulant,
    solve_toeplitz,
    solveh_banded,
)
from chainrule.scipy.linalg.systems import (
    cho_solve,
    det,
    inv,
    lstsq,
    lu_solve,
    norm,
    pinv,
    pinvh,
    solve,
    solve_triangular,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "companion",
    "convolution_matrix",
    "coshm",
    "cosm",
    "det",
    "diagsvd",
    "eig",
    "eig_banded",
    "eigh",
    "eigh_tridiagonal",
    "eigvals",
    "eigvals_banded",
    "eigvalsh",
    "eigvalsh_tridiagonal",
    "expm",
    "expm_frechet",
    "fiedler",
    "fractional_matrix_power",
    "hankel",
    "inv",
    "khatri_rao",
    "kron",
    "leslie",
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "matmul_toeplitz",
    "norm",
    "null_space",
    "orth",
    "orthogonal_procrustes",
    "pinv",
    "pinvh",
    "polar",
    "qr",
    "signm",
    "sinhm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_circulant",
    "solve_continuous_are",
    "solve_continuous_lyapunov",
    "solve_discrete_are",
    "solve_discrete_lyapunov",
    "solve_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "solveh_banded",
    "sqrtm",
    "subspace_angles",
    "svd",
    "svdvals",
    "tanhm",
    "tanm",
    "toeplitz",
    "tri",
    "tril",
    "triu",
]


def __getattr__(name: str) -> Callable[..., Any]:
    """What has no derivative here: constants, and functions that refuse with a sentence."""
    if name in verdicts.CONSTANT or name in verdicts.ADVICE:
        return verdicts.verdict_on(name)
    raise AttributeError(f"module 'chainrule.scipy.linalg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *verdicts.CONSTANT, *verdicts.ADVICE})
