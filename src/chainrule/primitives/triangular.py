"""Systems with a triangular matrix, solved by substitution: a third of the work of `solve`.

BLAS and LAPACK do the work (TRSM; GETRF and GETRI). SciPy hands them out and is imported when the
first system is solved, so that importing chainrule does not import SciPy.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from chainrule.graph import Traced
from chainrule.primitives.batching import matrices
from chainrule.primitives.implicit import Solution, solution
from chainrule.primitives.samples import Maker, case, normal

SMALL = 8
"""Up to this size a stack of systems is solved faster by NumPy's own loop over the stack."""
WORKSPACE = 64
"""Columns of workspace for GETRI: its usual block size, beyond which it gains nothing."""


@functools.cache
def _routine(library: str, name: str, dtype: np.dtype[Any]) -> Any:
    """A routine of BLAS or LAPACK for one dtype."""
    from scipy.linalg import blas, lapack  # noqa: PLC0415  heavy, and not needed by most programs

    letter = {"f": "s", "d": "d", "F": "c", "D": "z"}[dtype.char]
    return getattr({"blas": blas, "lapack": lapack}[library], letter + name)


def working_dtype(*arrays: Any) -> np.dtype[Any]:
    """The dtype in which LAPACK computes with all the arrays: single or double, real or complex."""
    dtype = np.result_type(*(a.dtype for a in arrays))
    if dtype.kind not in "fc" or dtype.char == "e":
        return np.dtype(np.result_type(dtype, np.float32 if dtype.char == "e" else np.float64))
    return dtype


def triangle(a: Any, lower: bool, unit: bool = False) -> Any:
    """The triangle that a solve reads, zeros elsewhere; with `unit` the diagonal is not read."""
    if lower:
        return np.tril(a, -1 if unit else 0)
    return np.triu(a, 1 if unit else 0)


def _substituted(a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    dtype = working_dtype(a, b)
    a, b = a.astype(dtype, copy=False), b.astype(dtype, copy=False)
    size = a.shape[-1]
    diagonal = np.diagonal(a, axis1=-2, axis2=-1)
    if not unit and not diagonal.all():
        place = int(np.argwhere(diagonal == 0)[0][-1])
        raise np.linalg.LinAlgError(f"singular matrix: entry {place} of the diagonal is 0")
    trsm = _routine("blas", "trsm", dtype)
    if a.ndim == 2 and b.ndim == 2:
        return _by_blas(trsm, a, b, lower, unit)
    if size <= SMALL or not (a.size and b.size):
        full = triangle(a, lower, unit) + np.eye(size, dtype=dtype) * unit
        return np.linalg.solve(full, b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if a.ndim == 2:  # one matrix: the right-hand sides of the whole stack beside each other
        beside = np.moveaxis(b, -2, 0).reshape(size, -1)
        solved = _by_blas(trsm, a, beside, lower, unit)
        return np.moveaxis(solved.reshape(size, *batch, b.shape[-1]), 0, -2)
    out = np.empty((*batch, size, b.shape[-1]), dtype)
    stack_a = np.broadcast_to(a, (*batch, size, size))
    stack_b = np.broadcast_to(b, out.shape)
    for k in np.ndindex(batch):
        out[k] = _by_blas(trsm, stack_a[k], stack_b[k], lower, unit)
    return out


def _by_blas(trsm: Any, a: Any, b: Any, lower: bool, unit: bool) -> Any:
    """X of A X = B as Xᵀ of Xᵀ Aᵀ = Bᵀ, which is how BLAS sees arrays in C order."""
    if not b.size:
        return np.zeros(b.shape, b.dtype)
    if a.flags.f_contiguous:
        return trsm(1.0, a, b.T, side=1, lower=lower, trans_a=1, diag=unit).T
    return trsm(1.0, a.T, b.T, side=1, lower=not lower, diag=unit).T


def _transposed(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


def _well_conditioned(size: int, *batch: int) -> Maker:
    """Both triangles are filled, and so far from singular that rounding stays small."""
    return lambda rng: rng.normal(size=(*batch, size, size)) / 2 + 3 * np.eye(size)


triangular_solve: Solution = solution(
    "triangular_solve",
    batch=matrices(2, 2),
    compute=_substituted,
    inputs=2,
    jvp=(
        lambda t, x1, y, lower, unit: (
            -triangular_solve(x1, triangle(t, lower, unit) @ y, lower=lower, unit=unit)
        ),
        lambda t, x1, lower, unit: triangular_solve(x1, t, lower=lower, unit=unit),
    ),
    adjoint=lambda g, x1, lower, unit: triangular_solve(
        _transposed(x1), g, lower=not lower, unit=unit
    ),
    vjp=(
        lambda g, y, lower, unit: -triangle(g @ _transposed(y), lower, unit),
        lambda g: g,
    ),
    latex=r"\operatorname{{tri}}({x1})^{{-1}} {x2}",
    samples=[
        case(_well_conditioned(3), normal(3, 2), lower=True, unit=False),
        case(_well_conditioned(3), normal(3, 1), lower=False, unit=False),
        case(_well_conditioned(3, 2), normal(3, 2), lower=False, unit=True),
        case(_well_conditioned(3), normal(2, 3, 2), lower=True, unit=True),
        case(_well_conditioned(10, 2), normal(10, 1), lower=True, unit=False),
        case(_well_conditioned(10), normal(2, 10, 1), lower=False, unit=False),
    ],
)
"""X = T⁻¹ B for the lower or upper triangle T of the first input; the rest of it is never read."""


def inverse(x: Any) -> Any:
    """A⁻¹ for the rules; of one plain matrix by GETRI, which is quicker than solving for 1."""
    if isinstance(x, Traced):
        return np.linalg.inv(x)  # type: ignore[call-overload]
    return inverse_and_determinant(x)[0]


def inverse_and_determinant(x: Any) -> tuple[Any, Any]:
    """A⁻¹ and det A of plain matrices; of a single one from the same factorization."""
    if x.ndim > 2 or len(x) <= SMALL:
        return np.linalg.inv(x), np.linalg.det(x)
    dtype = working_dtype(x)
    # In C order A is Aᵀ to LAPACK, whose inverse is read back in the same way.
    factors, pivots, _ = _routine("lapack", "getrf", dtype)(x.T.astype(dtype, copy=False))
    exchanges = np.count_nonzero(pivots != np.arange(len(pivots)))
    determinant = np.prod(np.diagonal(factors)) * (-1 if exchanges % 2 else 1)
    invert = _routine("lapack", "getri", dtype)
    inverted, failed = invert(factors, pivots, lwork=WORKSPACE * len(x), overwrite_lu=1)
    if failed:
        raise np.linalg.LinAlgError("Singular matrix")
    return inverted.T, determinant
