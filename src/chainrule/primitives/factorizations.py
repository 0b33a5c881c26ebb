"""Cholesky and QR factorizations: A = L Lᴴ and A = Q R.

Formulas: M. Seeger et al., "Auto-Differentiating Linear Algebra" (2017), who treat A = L Q, the
transpose of QR; the columns beyond the first square of a wide matrix are added here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.graph import Traced, composition
from chainrule.graph.node import callers_place
from chainrule.primitives.batching import matrices
from chainrule.primitives.declare import primitive
from chainrule.primitives.linear_algebra import (
    HALF_THE_WORK,
    adjoint,
    halved_diagonal,
    hermitian_part,
    to_triangle,
    transposed,
)
from chainrule.primitives.samples import Maker, case, positive_definite
from chainrule.primitives.triangular import triangular_solve

# NumPy's own result type, so that traced results have the same fields.
_QR: Any = type(np.linalg.qr(np.eye(1)))


def _moved_cholesky(t: Any, y: Any) -> Any:
    """L̇ = L Φ(L⁻¹ Ȧ L⁻ᴴ), Φ the lower triangle with half of the diagonal."""
    inner = _below(y, adjoint(_below(y, hermitian_part(t, "L"))))
    return y @ (inner * halved_diagonal(inner.shape[-1], inner.dtype))


def _below(lower: Any, x: Any) -> Any:
    """L⁻¹ X."""
    return triangular_solve(lower, x, lower=True, unit=False)


def _above(upper: Any, x: Any) -> Any:
    """U⁻¹ X."""
    return triangular_solve(upper, x, lower=False, unit=False)


def _pulled_cholesky(g: Any, y: Any) -> Any:
    """Ā = Φ(X + Xᴴ) with X = L⁻ᴴ Φ(Lᴴ L̄) L⁻¹; for large plain arrays by blocks."""
    if not isinstance(g, Traced) and not isinstance(y, Traced) and y.shape[-1] > BLOCK:
        return _pulled_by_blocks(np.tril(g.conj()), y).conj()
    up = adjoint(y)
    inner = (up @ g.conj()) * halved_diagonal(y.shape[-1], y.dtype)
    return to_triangle(_above(up, adjoint(_above(up, inner))), "L")


BLOCK = 64


def _pulled_by_blocks(g: Any, y: Any) -> Any:
    """The same adjoint in twice the work of the factorization itself, instead of ten times.

    The factorization by block columns, undone from the last to the first; `g` is overwritten.
    Source: I. Murray, "Differentiation of the Cholesky decomposition" (2016), section 4.2.
    """
    size = y.shape[-1]
    for end in range(size, 0, -BLOCK):
        start = max(0, end - BLOCK)
        rows, below = slice(start, end), slice(end, size)
        left, corner = y[..., rows, :start], y[..., rows, rows]
        if end < size:
            moved = adjoint(_above(adjoint(corner), adjoint(g[..., below, rows])))
            g[..., below, rows] = moved
            g[..., below, :start] -= moved @ left
            g[..., rows, rows] -= np.tril(adjoint(moved) @ y[..., below, rows])
            g[..., rows, :start] -= adjoint(moved) @ y[..., below, :start]
        up = adjoint(corner)
        inner = (up @ g[..., rows, rows]) * halved_diagonal(end - start, y.dtype)
        inner = _above(up, adjoint(_above(up, inner)))
        both = inner + adjoint(inner)
        g[..., rows, rows] = both * halved_diagonal(end - start, y.dtype)
        g[..., rows, :start] -= both @ left
    return g


lower_cholesky = primitive(
    "cholesky",
    compute=np.linalg.cholesky,
    jvp=(_moved_cholesky,),
    vjp=(_pulled_cholesky,),
    latex=r"\operatorname{{chol}} {x}",
    batch=matrices(2),
    samples=[case(positive_definite(3)), case(positive_definite(3, 2))],
    note=HALF_THE_WORK,
)


@composition(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """`np.linalg.cholesky`: A = L Lᴴ, or A = Uᴴ U with `upper`.

    As NumPy reads only that triangle of A, only that triangle has derivatives.

    >>> import chainrule as cr
    >>> cr.grad(lambda a: np.sum(np.linalg.cholesky(a)))(np.diag([4.0, 16.0]))
    array([[0.25 , 0.   ],
           [0.5  , 0.125]])
    """
    return adjoint(lower_cholesky(adjoint(a))) if upper else lower_cholesky(a)


def _turn(t: Any, q: Any, r: Any) -> tuple[Any, Any, Any]:
    """Ω = Qᴴ Q̇, and C = Ȧ R⁻¹ and Qᴴ C for the first columns, of which Q is made.

    Ω is skew-Hermitian and Qᴴ C - Ω upper triangular with a real diagonal.
    """
    rank = r.shape[-2]
    c = _divided(t[..., :, :rank], r[..., :, :rank])
    inner = adjoint(q) @ c
    half = inner * halved_diagonal(rank, inner.dtype)
    return half - adjoint(half), c, inner


def _divided(x: Any, r: Any) -> Any:
    """X R⁻¹."""
    return transposed(_below(transposed(r), transposed(x)))


def _moved_orthonormal(t: Any, y1: Any, y2: Any) -> Any:
    """Q̇ = Q Ω + (1 - Q Qᴴ) Ȧ R⁻¹."""
    omega, c, inner = _turn(t, y1, y2)
    if y1.shape[-2] == y1.shape[-1]:
        return y1 @ omega
    return y1 @ (omega - inner) + c


def _moved_triangular(t: Any, y1: Any, y2: Any) -> Any:
    """Ṙ = Qᴴ Ȧ - Ω R."""
    omega, _, _ = _turn(t, y1, y2)
    return np.triu(adjoint(y1) @ t - omega @ y2)


def _pulled_square(q_bar: Any, inner: Any, q: Any, r: Any) -> Any:
    """Ā = (Q̄ + Q copy(M)) R⁻ᴴ for the columns that Q is made of.

    M = R R̄ᴴ - Q̄ᴴ Q is `inner`, and copy(M) the Hermitian matrix with the lower triangle of M.
    """
    half = inner * halved_diagonal(inner.shape[-1], inner.dtype)
    turned = q @ (half + adjoint(half))
    moved = turned if q_bar is None else q_bar + turned
    return adjoint(_above(r, adjoint(moved)))


def _pulled_orthonormal(g: Any, y1: Any, y2: Any) -> Any:
    rank = y2.shape[-2]
    q_bar = g.conj()
    pulled = _pulled_square(q_bar, -(adjoint(q_bar) @ y1), y1, y2[..., :, :rank])
    return _beside(pulled, y2.shape[-1] - rank, None).conj()


def _pulled_triangular(g: Any, y1: Any, y2: Any) -> Any:
    """A wide A = Q (U V) is A = (X Y) with V = Qᴴ Y, so Q gets the cotangent Y V̄ᴴ = Q V V̄ᴴ."""
    rank = y2.shape[-2]
    r, r_bar = y2[..., :, :rank], np.triu(g.conj())
    inner = r @ adjoint(r_bar[..., :, :rank])
    if y2.shape[-1] == rank:
        return _pulled_square(None, inner, y1, r).conj()
    v, v_bar = y2[..., :, rank:], r_bar[..., :, rank:]
    across = v @ adjoint(v_bar)  # Qᴴ Q̄ of the Q̄ that comes from V
    pulled = _pulled_square(y1 @ across, inner - adjoint(across), y1, r)
    return _beside(pulled, 0, y1 @ v_bar).conj()


def _beside(left: Any, columns: int, right: Any) -> Any:
    """`left` with the columns `right`, or with that many columns of zeros, beside it."""
    if right is None and not columns:
        return left
    if right is None:
        right = np.zeros((*left.shape[:-1], columns), left.dtype)
    return np.concatenate([left, right], axis=-1)


def _independent(*shape: int) -> Maker:
    """Matrices whose first columns are far from dependent."""
    return lambda rng: np.eye(shape[-2], shape[-1]) + rng.uniform(-0.3, 0.3, shape)


orthonormal_triangular = primitive(
    "qr",
    compute=lambda x: tuple(np.linalg.qr(x)),
    outputs=2,
    jvp=(_moved_orthonormal, _moved_triangular),
    vjp=(_pulled_orthonormal, _pulled_triangular),
    latex=r"\operatorname{{qr}} {x}",
    batch=matrices(2),
    samples=[case(_independent(4, 3)), case(_independent(3, 3)), case(_independent(2, 3, 5))],
    note=HALF_THE_WORK,
)


def _completed(x: Any) -> Any:
    return np.linalg.qr(x, mode="complete")[0][..., :, x.shape[-1] :]


def _moved_completion(t: Any, x: Any, y: Any) -> Any:
    """Ẏ = -X (Xᴴ X)⁻¹ Ẋᴴ Y: what keeps Y orthogonal to X without a turn within its own span."""
    return -(x @ np.linalg.solve(adjoint(x) @ x, adjoint(t) @ y))


completion = primitive(
    "completion",
    compute=_completed,
    jvp=(_moved_completion,),
    latex="{x}^{{\\perp}}",
    samples=[
        case(_independent(4, 3)).only(lambda y: (y @ adjoint(y),)),
        case(_independent(2, 5, 3)).only(lambda y: (y @ adjoint(y),)),
    ],
    note="an orthonormal basis, an arbitrary one, of what is orthogonal to the columns",
)


@composition(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """`np.linalg.qr`: A = Q R with mode "reduced", and R alone with "r".

    With mode "complete" the columns that complete Q are an arbitrary basis: what depends on the
    space that they span has the right derivative.
    """
    if mode == "raw":
        raise UnsupportedError(
            f"np.linalg.qr(a, mode='raw') at {callers_place()} has no derivative here; use "
            "mode='reduced' (Q and R) or mode='r' (R alone)"
        )
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"Unrecognized mode {mode!r}")
    q, r = orthonormal_triangular(a)
    rows, columns = a.shape[-2:]
    if mode == "complete" and rows > columns:
        zeros = np.zeros((*r.shape[:-2], rows - columns, columns), r.dtype)
        q, r = np.concatenate([q, completion(q)], axis=-1), np.concatenate([r, zeros], axis=-2)
    return r if mode == "r" else _QR(q, r)
