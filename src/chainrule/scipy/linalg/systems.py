"""Linear systems, inverses and least squares with SciPy's signatures.

They are made of NumPy's operations and of `triangular_solve`. Options that only tell SciPy how to
compute (`overwrite_a`, `check_finite`, `lapack_driver`) are taken and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.primitives.linear_algebra import adjoint, hermitian_part, transposed
from chainrule.primitives.triangular import triangle, triangular_solve
from chainrule.scipy.linalg.arguments import as_columns, floating, square
from chainrule.tracing.conversion import concrete


def _symmetric_part(a: Any, lower: bool) -> Any:
    """The complex symmetric matrix that one triangle tells."""
    half = triangle(a, lower)
    return half + transposed(half) - half * np.eye(a.shape[-1], dtype=a.dtype)


def _near_diagonal(a: Any, width: int) -> Any:
    return np.triu(np.tril(a, width), -width)


_READ: dict[str | None, Callable[[Any, bool], Any]] = {
    "sym": _symmetric_part,
    "symmetric": _symmetric_part,
    "her": lambda a, lower: hermitian_part(a, "L" if lower else "U"),
    "hermitian": lambda a, lower: hermitian_part(a, "L" if lower else "U"),
    "pos": lambda a, lower: hermitian_part(a, "L" if lower else "U"),
    "positive definite": lambda a, lower: hermitian_part(a, "L" if lower else "U"),
    "diagonal": lambda a, lower: _near_diagonal(a, 0),
    "tridiagonal": lambda a, lower: _near_diagonal(a, 1),
    "gen": lambda a, lower: a,
    "general": lambda a, lower: a,
    "banded": lambda a, lower: a,
    None: lambda a, lower: a,
}
"""What `solve` reads of a matrix, by what the caller assumes of it: the rest has derivative 0."""

_TRIANGULAR = {"upper triangular": False, "lower triangular": True}


def _solved_columns(a: Any, b: Any, lower: bool, unit: bool) -> Any:
    columns, vector = as_columns(b, a)
    x = triangular_solve(a, columns, lower=lower, unit=unit)
    return x[..., 0] if vector else x


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Any:
    """x of A x = b;  ẋ = A⁻¹ (ḃ - Ȧ x),  b̄ = A⁻ᵀ x̄,  Ā = -b̄ xᵀ.

    With `assume_a` only what SciPy reads of A (one triangle of a symmetric matrix, say) has
    derivatives. Shapes (…, n, n) and (n,) or (…, n, k). Raises LinAlgError for a singular matrix.
    Source: M. Giles (2008).

    >>> import chainrule as cr
    >>> a = np.array([[2.0, 0.0], [0.0, 4.0]])
    >>> cr.grad(lambda b: np.sum(solve(a, b, assume_a="pos")))(np.ones(2))
    array([0.5 , 0.25])
    """
    a = square(a)
    if assume_a in _TRIANGULAR:
        return solve_triangular(a, b, trans=int(transposed), lower=_TRIANGULAR[assume_a])
    if assume_a not in _READ:
        raise ValueError(f"{assume_a} is not a recognized matrix structure")
    if transposed and a.dtype.kind == "c":
        raise NotImplementedError("scipy.linalg.solve has no transposed=True for complex a")
    a = _READ[assume_a](a, lower)
    columns, vector = as_columns(b, a)
    x = np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, columns)
    return x[..., 0] if vector else x


def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """x of A x = b for a triangular A, or with Aᵀ (`trans` 1, "T") or Aᴴ (2, "C").

    The other triangle, and the diagonal where `unit_diagonal` says it is 1, are never read and
    have derivative 0. Raises LinAlgError for a 0 on the diagonal.

    >>> solve_triangular(np.array([[2.0, 7.0], [4.0, 1.0]]), np.array([2.0, 5.0]), lower=True)
    array([1., 1.])
    """
    a = square(a)
    if trans in (1, "T"):
        return _solved_columns(transposed(a), b, not lower, unit_diagonal)
    if trans in (2, "C"):
        return _solved_columns(adjoint(a), b, not lower, unit_diagonal)
    return _solved_columns(a, b, lower, unit_diagonal)


def cho_solve(
    c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """x of A x = b from the Cholesky factor of A, `cho_factor(A)`: two triangular solves.

    >>> from chainrule.scipy.linalg import cho_factor
    >>> cho_solve(cho_factor(np.array([[4.0, 0.0], [0.0, 9.0]])), np.array([4.0, 9.0]))
    array([1., 1.])
    """
    c, lower = c_and_lower
    c = square(c)
    columns, vector = as_columns(b, c)
    half = triangular_solve(c if lower else adjoint(c), columns, lower=True, unit=False)
    x = triangular_solve(adjoint(c) if lower else c, half, lower=False, unit=False)
    return x[..., 0] if vector else x


def lu_solve(
    lu_and_piv: tuple[Any, Any],
    b: Any,
    trans: int = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """x of A x = b (`trans` 0), Aᵀ x = b (1) or Aᴴ x = b (2) from `lu_factor(A)`."""
    lu, piv = lu_and_piv
    lu = square(lu)
    columns, vector = as_columns(b, lu)
    order = row_order(piv, lu.shape[-1])
    if trans == 0:
        half = triangular_solve(lu, permuted(columns, order), lower=True, unit=True)
        x = triangular_solve(lu, half, lower=False, unit=False)
    else:
        upper = transposed(lu) if trans == 1 else adjoint(lu)
        half = triangular_solve(upper, columns, lower=True, unit=False)
        x = triangular_solve(upper, half, lower=False, unit=True)
        x = permuted(x, np.argsort(order, axis=-1))
    return x[..., 0] if vector else x


def row_order(piv: Any, size: int) -> Any:
    """The order of rows that LAPACK's exchanges make: row i of P A is row `order[i]` of A."""
    piv = np.asarray(piv)
    order = np.broadcast_to(np.arange(size), (*piv.shape[:-1], size)).copy()
    for index in np.ndindex(piv.shape[:-1]):
        row = order[index]
        for k, other in enumerate(piv[index]):
            row[k], row[other] = row[other], row[k]
    return order


def permuted(x: Any, order: Any) -> Any:
    """The rows of each matrix in the given order."""
    if order.ndim == 1:
        return x[..., order, :]
    shape = (*np.broadcast_shapes(x.shape[:-2], order.shape[:-1]), *x.shape[-2:])
    x = np.broadcast_to(x, shape)
    return np.take_along_axis(x, np.broadcast_to(order[..., None], shape), axis=-2)


def inv(
    a: Any,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: str | None = None,
    lower: bool = False,
) -> Any:
    """A⁻¹;  d(A⁻¹) = -A⁻¹ Ȧ A⁻¹. With `assume_a` only what SciPy reads of A has derivatives."""
    a = square(a)
    if assume_a in _TRIANGULAR:
        return np.linalg.inv(triangle(a, _TRIANGULAR[assume_a]))
    return np.linalg.inv(_READ[assume_a](a, lower))


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """det A;  its derivative is the matrix of cofactors, also where A is singular."""
    return np.linalg.det(square(a))


def pinv(
    a: Any,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """A⁺, while the rank stays the same; singular values up to max(atol, rtol · largest) are 0."""
    a = floating(a)
    s = np.linalg.svdvals(concrete(a))
    largest = float(np.max(s, initial=0.0))
    rtol = _default_rtol(a, rtol, atol)
    cut = (atol or 0.0) + rtol * largest
    y = np.linalg.pinv(a, rcond=cut / largest if largest else rtol)
    return (y, int(np.count_nonzero(s > cut))) if return_rank else y


def pinvh(
    a: Any,
    atol: float | None = None,
    rtol: float | None = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """A⁺ of the Hermitian matrix that one triangle of A tells."""
    a = hermitian_part(square(a), "L" if lower else "U")
    return pinv(a, atol=atol, rtol=rtol, return_rank=return_rank)


def _default_rtol(a: Any, rtol: float | None, atol: float | None) -> float:
    if rtol is not None:
        return rtol
    return 0.0 if atol else float(max(a.shape[-2:]) * np.finfo(a.dtype).eps)


def lstsq(
    a: Any,
    b: Any,
    cond: float | None = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: str | None = None,
) -> tuple[Any, Any, Any, Any]:
    """(x of least |b - A x| and least |x|, |b - A x|² per column, rank, singular values).

    Singular values up to `cond` times the largest count as 0; the derivative is that of what is
    left, while as many stay. Source: G. Golub, V. Pereyra, SIAM J. Numer. Anal. 10 (1973), 413-432.
    """
    a, b = floating(a), floating(b)
    if cond is None:
        cond = float(np.finfo(np.result_type(a.dtype, b.dtype)).eps)
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond=cond)
    if b.ndim == 1 and residuals.size:
        residuals = residuals[0]
    return x, residuals, rank, s


def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    """The norm of a vector or a matrix, as `np.linalg.norm`; at 0 the derivative is 0."""
    return np.linalg.norm(floating(a), ord, axis, keepdims)
