"""Cholesky and QR factorizations: A = L Lᴴ and A = Q R.

Formulas: M. Seeger et al., "Auto-Differentiating Linear Algebra" (2017), who treat A = L Q, the
transpose of QR; the columns beyond the first square of a wide matrix are added here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.graph import composition
from chainrule.graph.node import callers_place
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

# NumPy's own result type, so that traced results have the same fields.
_QR: Any = type(np.linalg.qr(np.eye(1)))


def _moved_cholesky(t: Any, y: Any) -> Any:
    """L̇ = L Φ(L⁻¹ Ȧ L⁻ᴴ), Φ the lower triangle with half of the diagonal."""
    inner = np.linalg.solve(y, adjoint(np.linalg.solve(y, hermitian_part(t, "L"))))
    return y @ (inner * halved_diagonal(inner.shape[-1], inner.dtype))


def _pulled_cholesky(g: Any, y: Any) -> Any:
    """Ā = Φ(X + Xᴴ) with X = L⁻ᴴ Φ(Lᴴ L̄) L⁻¹."""
    up = adjoint(y)
    inner = (up @ g.conj()) * halved_diagonal(y.shape[-1], y.dtype)
    return to_triangle(np.linalg.solve(up, adjoint(np.linalg.solve(up, inner))), "L")


lower_cholesky = primitive(
    "cholesky",
    compute=np.linalg.cholesky,
    jvp=(_moved_cholesky,),
    vjp=(_pulled_cholesky,),
    latex=r"\operatorname{{chol}} {x}",
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
    square = r[..., :, :rank]
    c = transposed(np.linalg.solve(transposed(square), transposed(t[..., :, :rank])))
    inner = adjoint(q) @ c
    half = inner * halved_diagonal(rank, inner.dtype)
    return half - adjoint(half), c, inner


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


def _independent(*shape: int) -> Maker:
    """Matrices whose first columns are far from dependent."""
    return lambda rng: np.eye(shape[-2], shape[-1]) + rng.uniform(-0.3, 0.3, shape)


orthonormal_triangular = primitive(
    "qr",
    compute=lambda x: tuple(np.linalg.qr(x)),
    outputs=2,
    jvp=(_moved_orthonormal, _moved_triangular),
    latex=r"\operatorname{{qr}} {x}",
    samples=[case(_independent(4, 3)), case(_independent(3, 3)), case(_independent(2, 3, 5))],
)


@composition(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """`np.linalg.qr`: A = Q R with mode "reduced", and R alone with "r".

    "complete" has a derivative where it is "reduced", for matrices that are not tall.
    """
    if mode == "raw" or (mode == "complete" and a.shape[-2] > a.shape[-1]):
        raise UnsupportedError(
            f"np.linalg.qr(a, mode={mode!r}) at {callers_place()} has no derivative here for a "
            f"matrix of shape {a.shape}; use mode='reduced' (Q and R) or mode='r' (R alone)"
        )
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"Unrecognized mode {mode!r}")
    q, r = orthonormal_triangular(a)
    return r if mode == "r" else _QR(q, r)
