"""Cholesky, LU, QR and polar factors with SciPy's signatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from chainrule.errors import UnsupportedError
from chainrule.graph.node import callers_place
from chainrule.primitives.batching import matrices
from chainrule.primitives.declare import primitive
from chainrule.primitives.linear_algebra import adjoint, transposed
from chainrule.primitives.samples import Maker, case, invertible
from chainrule.primitives.triangular import triangle, triangular_solve
from chainrule.scipy.linalg.arguments import floating, square
from chainrule.scipy.linalg.equations import sylvester
from chainrule.scipy.linalg.systems import permuted, row_order
from chainrule.tracing.conversion import concrete


def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """U of A = Uᴴ U, or L of A = L Lᴴ with `lower`. Only the triangle that is read has derivatives.

    Raises LinAlgError where A is not positive definite. Source: M. Seeger et al. (2017);
    I. Murray (2016).

    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    array([[2., 1.],
           [0., 2.]])
    """
    return np.linalg.cholesky(square(a), upper=not lower)


def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Any, bool]:
    """(c, lower) for `cho_solve`; the other triangle, which SciPy leaves undefined, holds zeros."""
    return cholesky(a, lower), lower


def _factored(x: Any) -> tuple[Any, Any]:
    """L and U in one array, and LAPACK's exchanges of rows."""
    if x.ndim == 2:
        lu, piv = scipy.linalg.lu_factor(x, check_finite=False)
        return lu, piv.astype(np.int64)
    rank = min(x.shape[-2:])
    lu, piv = np.empty_like(x), np.zeros((*x.shape[:-2], rank), np.int64)
    for k in np.ndindex(x.shape[:-2]):
        lu[k], piv[k] = _factored(x[k])
    return lu, piv


def _square_and_rest(y: Any) -> tuple[Any, Any, Any]:
    """The square part of the packed factors, the rows below it and the columns beside it."""
    rank = min(y.shape[-2:])
    return y[..., :rank, :rank], y[..., rank:, :rank], y[..., :rank, rank:]


def _left_divided(lu: Any, x: Any) -> Any:
    return triangular_solve(lu, x, lower=True, unit=True)


def _right_divided(x: Any, lu: Any) -> Any:
    return transposed(triangular_solve(transposed(lu), transposed(x), lower=True, unit=False))


def _moved_factors(t: Any, y1: Any, y2: Any) -> Any:
    """With F = L⁻¹ P Ȧ U⁻¹:  L̇ = L · below(F),  U̇ = above(F) · U, for the square part.

    A tall L continues with (Ȧ - L U̇) U⁻¹, a wide U with L⁻¹ (Ȧ - L̇ U). Source: S. de Hoog,
    R. Anderssen, M. Lukas, "Differentiation of matrix functionals using triangular
    factorization", Mathematics of Computation 80 (2011).
    """
    t = permuted(t, row_order(y2, t.shape[-2]))
    first, below, beside = _square_and_rest(y1)
    t_first, t_below, t_beside = _square_and_rest(t)
    size = first.shape[-1]
    l = triangle(first, True, True) + np.eye(size, dtype=first.dtype)
    f = _right_divided(_left_divided(first, t_first), first)
    l_moved, u_moved = l @ np.tril(f, -1), np.triu(f) @ np.triu(first)
    moved = l_moved + u_moved
    if below.shape[-2]:
        tall = _right_divided(t_below - below @ u_moved, first)
        return np.concatenate([moved, tall], axis=-2)
    if beside.shape[-1]:
        wide = _left_divided(first, t_beside - l_moved @ beside)
        return np.concatenate([moved, wide], axis=-1)
    return moved


def _graded(rows: int, columns: int, *batch: int) -> Maker:
    """Matrices whose pivots stay the same under a small step, though rows are exchanged."""

    def make(rng: np.random.Generator) -> Any:
        x = rng.uniform(-0.3, 0.3, size=(*batch, rows, columns)) + 2 * np.eye(rows, columns)
        return x[..., ::-1, :]

    return make


packed_lu = primitive(
    "lu",
    batch=matrices(2),
    compute=_factored,
    outputs=2,
    jvp=(_moved_factors, lambda t: t),  # the second output is integer: its rule is never asked
    latex=r"\operatorname{{lu}} {x}",
    samples=[
        case(_graded(3, 3)),
        case(_graded(4, 3)),
        case(_graded(3, 4)),
        case(_graded(3, 3, 2)),
    ],
)
"""(L without its unit diagonal and U in one array, the exchanges of rows as LAPACK lists them)."""


def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """(lu, piv): L and U in one array and the exchanges of rows; for `lu_solve`."""
    lu, piv = packed_lu(floating(a))
    return lu, concrete(piv)


def lu(
    a: Any,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    p_indices: bool = False,
) -> Any:
    """(P, L, U) of A = P L U; (P L, U) with `permute_l`; rows as indices with `p_indices`.

    P is constant: the derivative holds while the same rows are exchanged. Any shape (…, m, n).

    >>> _, l, u = lu(np.array([[0.0, 2.0], [4.0, 8.0]]))
    >>> u
    array([[4., 8.],
           [0., 2.]])
    """
    a = floating(a)
    packed, piv = packed_lu(a)
    rows, columns = a.shape[-2:]
    rank = min(rows, columns)
    order = row_order(concrete(piv), rows)
    l = np.tril(packed[..., :, :rank], -1) + np.eye(rows, rank, dtype=packed.dtype)
    u = np.triu(packed[..., :rank, :])
    back = np.argsort(order, axis=-1)
    if permute_l:
        return permuted(l, back), u
    if p_indices:
        return back, l, u
    p = (back[..., :, None] == np.arange(rows)).astype(np.finfo(packed.dtype).dtype)
    return p, l, u


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: int | None = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """(Q, R) of A = Q R; "r" gives (R,), "economic" drops what only completes Q.

    With `pivoting` also the order of columns P, a constant, with A[:, P] = Q R. The columns that
    complete Q are an arbitrary basis: what depends on the space that they span has the right
    derivative. Mode "raw" has none.
    """
    if mode not in ("full", "economic", "r"):
        if mode == "raw":
            raise UnsupportedError(
                f"chainrule.scipy.linalg.qr(mode='raw') at {callers_place()} has no derivative; "
                "use mode='economic', or chainrule.stop_gradient(a)"
            )
        raise ValueError("Mode argument should be one of ['full', 'r', 'economic', 'raw']")
    a = floating(a)
    order: Any = None
    if pivoting:
        order = scipy.linalg.qr(concrete(a), mode="r", pivoting=True)[1]
        a = a[:, order]
    rows, columns = a.shape[-2:]
    q, r = np.linalg.qr(a, mode="complete" if mode == "full" else "reduced")
    if mode == "r":
        if rows > columns:
            r = np.concatenate([r, np.zeros((rows - columns, columns), r.dtype)], axis=-2)
        return (r, order) if pivoting else (r,)
    return (q, r, order) if pivoting else (q, r)


def _polar_pair(x: Any) -> tuple[Any, Any]:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return u @ vh, (adjoint(vh) * s[..., None, :]) @ vh


def _turned(t: Any, y1: Any, y2: Any) -> Any:
    """Ω of P Ω + Ω P = Uᴴ Ȧ - Ȧᴴ U, which is Uᴴ U̇."""
    inner = adjoint(y1) @ t
    return sylvester(y2, y2, inner - adjoint(inner))


def _moved_unitary(t: Any, y1: Any, y2: Any) -> Any:
    """U̇ = U Ω + (1 - U Uᴴ) Ȧ P⁻¹."""
    moved = y1 @ _turned(t, y1, y2)
    if y1.shape[-1] == y1.shape[-2]:
        return moved
    beyond = t - y1 @ (adjoint(y1) @ t)
    return moved + transposed(np.linalg.solve(transposed(y2), transposed(beyond)))


def _moved_positive(t: Any, y1: Any, y2: Any) -> Any:
    """Ṗ = Uᴴ Ȧ - Ω P."""
    return adjoint(y1) @ t - _turned(t, y1, y2) @ y2


polar_pair = primitive(
    "polar",
    batch=matrices(2),
    compute=_polar_pair,
    outputs=2,
    jvp=(_moved_unitary, _moved_positive),
    latex=r"\operatorname{{polar}} {x}",
    samples=[case(invertible(3)), case(_graded(4, 3)), case(invertible(2, 2))],
)
"""(U, P) of A = U P for as many rows as columns or more. Source: N. Higham, Functions of Matrices
(2008), chapter 8, differentiated."""


def polar(a: Any, side: str = "right") -> tuple[Any, Any]:
    """(U, P) of A = U P, or of A = P U with `side` "left"; P positive semidefinite.

    Right also at equal singular values. Where A has not full rank, U is not determined and its
    derivative does not exist: LinAlgError.
    """
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    a = floating(a)
    rows, columns = a.shape[-2:]
    if rows >= columns:
        u, p = polar_pair(a)
        return (u, p) if side == "right" else (u, u @ p @ adjoint(u))
    u, p = polar_pair(adjoint(a))
    u = adjoint(u)
    return (u, p) if side == "left" else (u, adjoint(u) @ p @ u)
