"""Cholesky, QR, eigenvalue and singular value decompositions.

Each output has its own rule, so eigenvalues and singular values alone never divide by gaps. The
vectors divide by them: where two values are equal up to rounding, the quotient is taken as 0 (the
eigenspace turns as a whole, its arbitrary basis does not turn within it). What then depends on the
eigenspace alone has the right derivative; see docs/conventions.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.graph import composition
from chainrule.graph.node import callers_place
from chainrule.primitives.declare import primitive
from chainrule.primitives.linear_algebra import (
    adjoint,
    halved_diagonal,
    hermitian_part,
    transposed,
)
from chainrule.primitives.samples import (
    case,
    positive_definite,
    separated,
    separated_symmetric,
)

# NumPy's own result types, so that traced results have the same fields.
_EIGH: Any = type(np.linalg.eigh(np.eye(1)))
_QR: Any = type(np.linalg.qr(np.eye(1)))
_SVD: Any = type(np.linalg.svd(np.eye(1)))


def _reciprocal(x: Any, scale: Any) -> Any:
    """1/x, but 0 where |x| ≤ ε · scale: a zero up to rounding. Structural at every order."""
    zero = np.abs(x) <= np.finfo(x.dtype).eps * scale
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


def _differences(w: Any) -> Any:
    """Fᵢⱼ = 1 / (wⱼ - wᵢ), 0 for equal values."""
    scale = np.sum(np.abs(w), axis=-1)[..., None, None]
    return _reciprocal(w[..., None, :] - w[..., :, None], scale)


def _moved_cholesky(t: Any, y: Any) -> Any:
    """L̇ = L Φ(L⁻¹ Ȧ L⁻ᴴ), Φ the lower triangle with half of the diagonal.

    Source: M. Seeger et al., "Auto-Differentiating Linear Algebra" (2017), section 4.1.
    """
    inner = np.linalg.solve(y, adjoint(np.linalg.solve(y, hermitian_part(t, "L"))))
    return y @ (inner * halved_diagonal(inner.shape[-1], inner.dtype))


lower_cholesky = primitive(
    "cholesky",
    compute=np.linalg.cholesky,
    jvp=(_moved_cholesky,),
    latex=r"\operatorname{{chol}} {x}",
    samples=[case(positive_definite(3)), case(positive_definite(3, 2))],
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


def _moved_vectors(t: Any, y1: Any, y2: Any, triangle: str) -> Any:
    """V̇ = V (F ∘ Vᴴ Ȧ V). Source: Giles (2008), section 3.1."""
    return y2 @ (_differences(y1) * (adjoint(y2) @ hermitian_part(t, triangle) @ y2))


spectrum = primitive(
    "eigh",
    compute=lambda x, *, triangle: tuple(np.linalg.eigh(x, triangle)),
    outputs=2,
    jvp=(
        lambda t, y2, triangle: np.real(
            np.sum(y2.conj() * (hermitian_part(t, triangle) @ y2), axis=-2)
        ),
        _moved_vectors,
    ),
    latex=r"\operatorname{{eigh}} {x}",
    samples=[
        case(separated_symmetric(3), triangle="L"),
        case(separated_symmetric(3, 2), triangle="L"),
        case(separated_symmetric(4), triangle="U"),
    ],
)


@composition(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """`np.linalg.eigh`: A = V diag(w) Vᴴ;  ẇ = diag(Vᴴ Ȧ V),  V̇ = V (F ∘ Vᴴ Ȧ V).

    NumPy reads one triangle of A, so only that triangle has derivatives.
    """
    if UPLO.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return _EIGH(*spectrum(a, triangle=UPLO.upper()))


@composition(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """`np.linalg.eigvalsh`; the derivative needs the eigenvectors, so they are computed."""
    return np.linalg.eigh(a, UPLO).eigenvalues


def _moved_left(t: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """U̇ = U Ω + (1 - U Uᴴ) Ȧ V S⁻¹, with P = Uᴴ Ȧ V and

    Ωᵢⱼ = ½ (P + Pᴴ)ᵢⱼ / (sⱼ - sᵢ) + ½ (P - Pᴴ)ᵢⱼ / (sⱼ + sᵢ).

    The columns that complete U turn the opposite way. For complex matrices the diagonal of P - Pᴴ
    shares the free phase equally between U and V. Source: J. Townsend, "Differentiating the
    Singular Value Decomposition" (2016), whose quotients by sⱼ² - sᵢ² are split here.
    """
    rank = y2.shape[-1]
    u, v = y1[..., :rank], adjoint(y3[..., :rank, :])
    scale = np.sum(y2, axis=-1)
    columns = t @ v
    p = adjoint(u) @ columns
    p_adjoint = adjoint(p)
    sums = _reciprocal(y2[..., None, :] + y2[..., :, None], scale[..., None, None])
    moved = u @ (0.5 * (_differences(y2) * (p + p_adjoint) + sums * (p - p_adjoint)))
    if y1.shape[-2] == rank:
        return moved
    across = (columns - u @ p) * _reciprocal(y2, scale[..., None])[..., None, :]
    moved = moved + across
    if y1.shape[-1] == rank:
        return moved
    return np.concatenate([moved, -(u @ (adjoint(across) @ y1[..., rank:]))], axis=-1)


def _moved_right(t: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """The same for Aᴴ = V S Uᴴ."""
    return adjoint(_moved_left(adjoint(t), adjoint(y3), y2, adjoint(y1)))


def _moved_singular_values(t: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """ṡ = Re diag(Uᴴ Ȧ V)."""
    rank = y2.shape[-1]
    v = adjoint(y3[..., :rank, :])
    return np.real(np.sum(y1[..., :rank].conj() * (t @ v), axis=-2))


singular_decomposition = primitive(
    "svd",
    compute=lambda x, *, full_matrices: tuple(np.linalg.svd(x, full_matrices)),
    outputs=3,
    jvp=(_moved_left, _moved_singular_values, _moved_right),
    latex=r"\operatorname{{svd}} {x}",
    samples=[
        case(separated(4, 3), full_matrices=False),
        case(separated(3, 4, 2), full_matrices=False),
        case(separated(3, 3), full_matrices=False),
        case(separated(4, 3), full_matrices=True),  # one column completes U, up to its sign
    ],
)


@composition(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """`np.linalg.svd`: A = U diag(s) Vᴴ.

    With `full_matrices` the columns that complete U (or V) are an arbitrary basis: what depends on
    the space that they span has the right derivative.
    """
    if not compute_uv:
        full_matrices = False
    if hermitian:
        u, s, vh = _svd_of_hermitian(a)
    else:
        # a square matrix has no columns to complete
        full_matrices = full_matrices and a.shape[-1] != a.shape[-2]
        u, s, vh = singular_decomposition(a, full_matrices=full_matrices)
    return _SVD(u, s, vh) if compute_uv else s


def _svd_of_hermitian(a: Any) -> tuple[Any, Any, Any]:
    """From A = V diag(w) Vᴴ: s = |w|, largest first, U = V and V sign(w)."""
    w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(w), axis=-1)[..., ::-1]
    w = np.take_along_axis(w, order, axis=-1)
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    signs = np.where(np.signbit(w), -1, 1).astype(w.dtype)
    return u, np.abs(w), adjoint(u * signs[..., None, :])


@composition(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    return np.linalg.svd(x, compute_uv=False)


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
    """Q̇ = Q Ω + (1 - Q Qᴴ) Ȧ R⁻¹. Source: Seeger et al. (2017), section 4.3."""
    omega, c, inner = _turn(t, y1, y2)
    if y1.shape[-2] == y1.shape[-1]:
        return y1 @ omega
    return y1 @ (omega - inner) + c


def _moved_triangular(t: Any, y1: Any, y2: Any) -> Any:
    """Ṙ = Qᴴ Ȧ - Ω R."""
    omega, _, _ = _turn(t, y1, y2)
    return np.triu(adjoint(y1) @ t - omega @ y2)


orthonormal_triangular = primitive(
    "qr",
    compute=lambda x: tuple(np.linalg.qr(x)),
    outputs=2,
    jvp=(_moved_orthonormal, _moved_triangular),
    latex=r"\operatorname{{qr}} {x}",
    samples=[case(separated(4, 3)), case(separated(3, 3)), case(separated(3, 5, 2))],
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
