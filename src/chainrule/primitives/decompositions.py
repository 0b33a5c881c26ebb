"""Eigenvalues of Hermitian matrices and singular values, with their vectors.

Each output has its own rule, so eigenvalues and singular values alone never divide by gaps. The
vectors do. Where two values are equal up to rounding, that quotient is taken as 0: an eigenspace
turns as a whole, and its arbitrary basis does not turn within it. So derivatives are finite at
every order, and first derivatives are right for functions of the values that treat equal ones
alike and for projections on eigenspaces. A matrix function V f(w) Vᴴ needs f' within the
eigenspace, which neither ∂/∂w nor ∂/∂V at one basis tells: there only the part that is diagonal in
the basis V remains. Second derivatives at equal values lose the same part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.declare import primitive
from chainrule.primitives.linear_algebra import (
    HALF_THE_WORK,
    adjoint,
    hermitian_part,
    to_triangle,
)
from chainrule.primitives.samples import (
    case,
    separated,
    separated_symmetric,
    with_imaginary,
)

# NumPy's own result types, so that traced results have the same fields.
_EIGH: Any = type(np.linalg.eigh(np.eye(1)))
_SVD: Any = type(np.linalg.svd(np.eye(1)))

# LAPACK's values err by a few ε times the norm (Anderson et al., LAPACK Users' Guide, section 4.7):
# equal ones come out this far apart, and a quotient by such a gap would be noise of any size.
_FEW = 8


def _reciprocal(x: Any, scale: Any) -> Any:
    """1/x, but 0 where |x| ≤ 8 ε · scale: a zero up to rounding. Structural at every order."""
    zero = np.abs(x) <= _FEW * np.finfo(x.dtype).eps * scale
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


def _differences(w: Any) -> Any:
    """Fᵢⱼ = 1 / (wⱼ - wᵢ), 0 for equal values."""
    scale = np.sum(np.abs(w), axis=-1)[..., None, None]
    return _reciprocal(w[..., None, :] - w[..., :, None], scale)


def _moved_vectors(t: Any, y1: Any, y2: Any, triangle: str) -> Any:
    """V̇ = V (F ∘ Vᴴ Ȧ V). Source: Giles (2008)."""
    return y2 @ (_differences(y1) * (adjoint(y2) @ hermitian_part(t, triangle) @ y2))


def _pulled_values(g: Any, y2: Any, triangle: str) -> Any:
    """Ā = V diag(w̄) Vᴴ."""
    return to_triangle((y2 * g[..., None, :]) @ adjoint(y2), triangle)


def _pulled_vectors(g: Any, y1: Any, y2: Any, triangle: str) -> Any:
    """Ā = V (F ∘ Vᴴ V̄) Vᴴ."""
    inner = _differences(y1) * (adjoint(y2) @ g.conj())
    return to_triangle(y2 @ inner @ adjoint(y2), triangle)


def _weighted(u: Any, v: Any) -> Any:
    """Σ k uₖ vₖᴴ, which a phase common to uₖ and vₖ leaves as it is."""
    return (u * np.arange(1, u.shape[-1] + 1, dtype=u.real.dtype)) @ adjoint(v)


def _without_phases(y1: Any, y2: Any) -> tuple[Any, ...]:
    """Complex eigenvectors are determined up to a phase each."""
    return y1, _weighted(y2, y2)


def _without_common_phases(y1: Any, y2: Any, y3: Any) -> tuple[Any, ...]:
    """Complex singular vectors are determined up to a phase that each pair shares."""
    v = adjoint(y3)
    return _weighted(y1, y1), y2, _weighted(v, v), _weighted(y1, v)


def _eigh(x: Any, *, triangle: Any) -> tuple[Any, ...]:
    return tuple(np.linalg.eigh(x, triangle))


spectrum = primitive(
    "eigh",
    compute=_eigh,
    outputs=2,
    jvp=(
        lambda t, y2, triangle: np.real(
            np.sum(y2.conj() * (hermitian_part(t, triangle) @ y2), axis=-2)
        ),
        _moved_vectors,
    ),
    vjp=(_pulled_values, _pulled_vectors),
    latex=r"\operatorname{{eigh}} {x}",
    samples=[
        case(separated_symmetric(3), triangle="L"),
        case(separated_symmetric(3, 2), triangle="L"),
        case(separated_symmetric(4), triangle="U"),
        case(with_imaginary(separated_symmetric(3)), triangle="L").only(_without_phases),
        case(with_imaginary(separated_symmetric(3, 2)), triangle="U").only(_without_phases),
    ],
    note=HALF_THE_WORK,
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
    return eigh(a, UPLO).eigenvalues


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
        case(with_imaginary(separated(4, 3)), full_matrices=False).only(_without_common_phases),
        case(with_imaginary(separated(3, 3)), full_matrices=False).only(_without_common_phases),
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
    u = np.take_along_axis(v, np.broadcast_to(order[..., None, :], v.shape), axis=-1)
    signs = np.where(np.signbit(w), -1, 1).astype(w.dtype)
    return u, np.abs(w), adjoint(u * signs[..., None, :])


@composition(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    return np.linalg.svd(x, compute_uv=False)
