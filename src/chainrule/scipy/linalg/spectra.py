"""Eigenvalues, singular values and what is made of them, with SciPy's signatures.

They are compositions of NumPy's `eigh`, `eig` and `svd`, and so share their conventions: right at
equal values wherever the result does not depend on the choice of vectors. The signs of vectors,
which nothing determines, may differ from SciPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.graph.node import callers_place
from chainrule.primitives.linear_algebra import adjoint, hermitian_part
from chainrule.primitives.triangular import triangular_solve
from chainrule.scipy.linalg.arguments import floating, square
from chainrule.scipy.linalg.structured import hermitian_band
from chainrule.tracing.conversion import concrete


def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:
    """(w, V) of A V = V diag(w) for a Hermitian A, or of A V = B V diag(w) with Vᴴ B V = 1.

    Types 2 and 3 are A B V = V diag(w) and B A V = V diag(w). Only the triangle that is read has
    derivatives. With B = L Lᴴ it is the problem of L⁻¹ A L⁻ᴴ (Lᴴ A L for types 2 and 3).

    >>> import chainrule as cr
    >>> cr.grad(lambda a: eigh(a, eigvals_only=True)[1])(np.diag([1.0, 3.0]))
    array([[0., 0.],
           [0., 1.]])
    """
    a = square(a)
    triangle = "L" if lower else "U"
    if b is None:
        w, v = _values_and_vectors(a, triangle, eigvals_only)
    else:
        factor = np.linalg.cholesky(hermitian_part(square(b), triangle))
        reduced = _reduced(hermitian_part(a, triangle), factor, type)
        w, v = _values_and_vectors(reduced, "L", eigvals_only)
        if v is not None and type == 3:
            v = factor @ v
        elif v is not None:
            v = triangular_solve(adjoint(factor), v, lower=False, unit=False)
    chosen = _chosen(concrete(w), subset_by_index, subset_by_value)
    w = w[..., chosen]
    return w if v is None else (w, v[..., :, chosen])


def _values_and_vectors(a: Any, triangle: Any, alone: bool) -> tuple[Any, Any]:
    if alone:
        return np.linalg.eigvalsh(a, triangle), None
    w, v = np.linalg.eigh(a, triangle)
    return w, v


def _reduced(a: Any, factor: Any, kind: int) -> Any:
    """The Hermitian matrix with the eigenvalues of the generalised problem."""
    if kind not in (1, 2, 3):
        raise ValueError('"type" keyword only accepts 1, 2, and 3.')
    if kind != 1:
        return adjoint(factor) @ a @ factor
    half = triangular_solve(factor, a, lower=True, unit=False)
    return adjoint(triangular_solve(factor, adjoint(half), lower=True, unit=False))


def _chosen(w: Any, by_index: Any, by_value: Any) -> Any:
    """Which of the eigenvalues `w`, in ascending order, are asked for."""
    if by_index is not None and by_value is not None:
        raise ValueError("Either index or value subset can be requested.")
    if by_index is not None:
        first, last = (int(k) for k in by_index)
        if not 0 <= first <= last < w.shape[-1]:
            raise ValueError(f"Requested eigenvalue indices are not valid: {by_index}")
        return slice(first, last + 1)
    if by_value is None:
        return slice(None)
    if w.ndim > 1:
        raise ValueError("subset_by_value needs a single matrix, not a stack of them")
    low, high = by_value
    return np.flatnonzero((w > low) & (w <= high))


def eigvalsh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:
    """The eigenvalues of `eigh`, in ascending order; their derivative never divides by gaps."""
    return eigh(
        a,
        b,
        lower=lower,
        eigvals_only=True,
        type=type,
        subset_by_index=subset_by_index,
        subset_by_value=subset_by_value,
    )


def _selected(select: Any, select_range: Any) -> dict[str, Any]:
    """SciPy's older way to ask for some of the eigenvalues."""
    if select in ("a", "all", 0):
        return {}
    if select in ("i", "index", 2):
        return {"subset_by_index": select_range}
    if select in ("v", "value", 1):
        return {"subset_by_value": select_range}
    raise ValueError("invalid argument for select")


def eigh_tridiagonal(
    d: Any,
    e: Any,
    eigvals_only: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    """(w, V) of the symmetric matrix with diagonal `d` and `e` beside it, a full one here."""
    d, e = floating(d), floating(e)
    a = np.diag(d) + np.diag(e, -1)
    return eigh(a, eigvals_only=eigvals_only, **_selected(select, select_range))


def eigvalsh_tridiagonal(
    d: Any,
    e: Any,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    """The eigenvalues of `eigh_tridiagonal`."""
    return eigh_tridiagonal(d, e, True, select, select_range)


def eig_banded(
    a_band: Any,
    lower: bool = False,
    eigvals_only: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    max_ev: int = 0,
    check_finite: bool = True,
) -> Any:
    """(w, V) of a Hermitian matrix given by half of its band; computed as a full one."""
    a = hermitian_band(floating(a_band), lower)
    return eigh(a, eigvals_only=eigvals_only, **_selected(select, select_range))


def eigvals_banded(
    a_band: Any,
    lower: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
) -> Any:
    """The eigenvalues of `eig_banded`."""
    return eig_banded(a_band, lower, True, False, select, select_range)


def eig(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """w, or (w, V), of A V = V diag(w), or of A V = B V diag(w) for a regular B.

    w is complex, as in SciPy. Vectors have length 1; `left` ones, with Vₗᴴ A = diag(w) Vₗᴴ, come
    before the right ones. For a matrix that cannot be diagonalized there is no derivative.
    """
    if homogeneous_eigvals or (left and b is not None):
        raise UnsupportedError(
            f"chainrule.scipy.linalg.eig at {callers_place()} has no derivative for homogeneous "
            "eigenvalues, nor for left vectors of a generalised problem; use eig(solve(b, a))"
        )
    a = square(a)
    w, v = np.linalg.eig(a if b is None else np.linalg.solve(square(b), a))
    w = w.astype(np.result_type(w.dtype, np.complex64))
    found: tuple[Any, ...] = (w,)
    if left:
        rows = adjoint(np.linalg.inv(v))
        found += (rows / np.sqrt(np.sum(np.abs(rows) ** 2, axis=-2, keepdims=True)),)
    if right:
        found += (v,)
    return found if len(found) > 1 else w


def eigvals(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """The eigenvalues of `eig`."""
    return eig(a, b, right=False, homogeneous_eigvals=homogeneous_eigvals)


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """(U, s, Vᴴ) of A = U diag(s) Vᴴ, or s alone."""
    a = floating(a)
    return tuple(np.linalg.svd(a, full_matrices)) if compute_uv else np.linalg.svdvals(a)


def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The singular values, largest first."""
    return np.linalg.svdvals(floating(a))


def _rank(s: Any, shape: tuple[int, ...], rcond: float | None) -> int:
    s = concrete(s)
    if rcond is None:
        rcond = float(np.finfo(s.dtype).eps * max(shape))
    return int(np.sum(s > np.max(s, initial=0.0) * rcond))


def orth(A: Any, rcond: float | None = None) -> Any:
    """An orthonormal basis of the range. What depends on the range alone has a derivative."""
    a = floating(A)
    u, s, _ = np.linalg.svd(a, full_matrices=False)
    return u[:, : _rank(s, a.shape, rcond)]


def null_space(
    A: Any,
    rcond: float | None = None,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """An orthonormal basis of the null space, while the rank stays the same.

    What depends on the space alone has a derivative.
    """
    a = floating(A)
    _, s, vh = np.linalg.svd(a, full_matrices=True)
    return adjoint(vh[_rank(s, a.shape, rcond) :, :])


def subspace_angles(A: Any, B: Any) -> Any:
    """The angles between the ranges of two matrices, largest first; in radians.

    From sines where they are small, else from cosines. Source: A. Knyazev, M. Argentati, SIAM J.
    Sci. Comput. 23 (2002), 2008-2040.
    """
    left, right = orth(A), orth(B)
    inner = adjoint(left) @ right
    cosines = np.linalg.svdvals(inner)
    if left.shape[1] >= right.shape[1]:
        beyond = right - left @ inner
    else:
        beyond = left - right @ adjoint(inner)
    sines = np.linalg.svdvals(beyond)[::-1]
    small = concrete(cosines) ** 2 >= 0.5
    by_sine = np.arcsin(np.where(small, np.clip(sines, -1.0, 1.0), 0.0))
    by_cosine = np.arccos(np.where(small, 0.0, np.clip(cosines, -1.0, 1.0)))
    return np.where(small, by_sine, by_cosine)[::-1]


def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> tuple[Any, Any]:
    """(R, scale): the unitary R for which |A R - B| is least, and the sum of singular values."""
    a, b = floating(A), floating(B)
    u, s, vh = np.linalg.svd(adjoint(a) @ b, full_matrices=False)
    return u @ vh, np.sum(s)
