"""Eigenvalues of Hermitian matrices and singular values, with their vectors.

Each output has its own rule, so eigenvalues and singular values alone never divide by gaps. The
vectors do. Where two values are equal up to rounding, their vectors are an arbitrary choice. First
derivatives of what does not depend on the choice are limits there (`limits.py`); of what does, and
at second order, a quotient by such a gap counts as 0, so that all derivatives are finite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.batching import matrices
from chainrule.primitives.limits import (
    Separated,
    adapted,
    adapted_pairs,
    both_parts,
    decomposition,
    differences,
    gaps,
    has_equal,
    limit_of_quotient,
    reciprocal,
    separate,
    size_of,
    towards,
    warn_of_choice,
)
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


def _moved_vectors(t: Any, y1: Any, y2: Any, triangle: str) -> Any:
    """V̇ = V (F ∘ Vᴴ Ȧ V). Source: Giles (2008)."""
    return y2 @ (differences(y1) * (adjoint(y2) @ hermitian_part(t, triangle) @ y2))


def _pulled_values(g: Any, y2: Any, triangle: str) -> Any:
    """Ā = V diag(w̄) Vᴴ."""
    return to_triangle((y2 * g[..., None, :]) @ adjoint(y2), triangle)


def _pulled_vectors(g: Any, y1: Any, y2: Any, triangle: str) -> Any:
    """Ā = V (F ∘ Vᴴ V̄) Vᴴ."""
    inner = differences(y1) * (adjoint(y2) @ g.conj())
    return to_triangle(y2 @ inner @ adjoint(y2), triangle)


def _limit_of_vectors(gs: list[Any], ys: tuple[Any, ...], triangle: str, **_: Any) -> Any:
    """Ā = V (diag(w̄) + F ∘ Vᴴ V̄) Vᴴ as A approaches equal eigenvalues."""
    separated: Separated = ys[0]
    w, d, v = separated.values, separated.directions, ys[1]
    middle = np.zeros((*w.shape, w.shape[-1]), v.dtype)
    if gs[1] is not None:
        inner = adjoint(v) @ gs[1].conj()
        k = both_parts(inner - adjoint(inner))
        size = np.max(np.abs(both_parts(inner)[0]), axis=(-2, -1), keepdims=True)
        turned, undefined = limit_of_quotient(k, gaps(w), gaps(d), size_of(w), size)
        middle = turned / 2
        if np.any(undefined):
            warn_of_choice("eigh", separated.place)
    if gs[0] is not None:
        middle = middle + both_parts(gs[0])[0][..., None, :] * np.eye(w.shape[-1], dtype=w.dtype)
    return to_triangle(v @ middle @ adjoint(v), triangle)


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


def _eigh(x: Any, *, triangle: Any, along: Any = None) -> tuple[Any, ...]:
    w, v = np.linalg.eigh(x, triangle)
    if along is None or not has_equal(w, from_zero=False):
        return w, v
    return w, adapted(w, v, hermitian_part(along, triangle))


spectrum = decomposition(
    "eigh",
    limit=_limit_of_vectors,
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
    batch=matrices(2),
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
    outputs = spectrum(a, triangle=UPLO.upper(), **towards(a))
    separate(outputs, 0, from_zero=False)
    return _EIGH(*outputs)


@composition(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """`np.linalg.eigvalsh`; the derivative needs the eigenvectors, so they are computed."""
    if UPLO.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return spectrum(a, triangle=UPLO.upper())[0]


def _moved_left(t: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """U̇ = U Ω + (1 - U Uᴴ) Ȧ V S⁻¹, with P = Uᴴ Ȧ V and

    Ωᵢⱼ = ½ (P + Pᴴ)ᵢⱼ / (sⱼ - sᵢ) + ½ (P - Pᴴ)ᵢⱼ / (sⱼ + sᵢ).

    The columns that complete U turn the opposite way. For complex matrices the diagonal of P - Pᴴ
    shares the free phase equally between U and V. Source: J. Townsend, "Differentiating the
    Singular Value Decomposition" (2016), whose quotients by sⱼ² - sᵢ² are split here.
    """
    rank = y2.shape[-1]
    u, v = y1[..., :rank], adjoint(y3[..., :rank, :])
    columns = t @ v
    p = adjoint(u) @ columns
    p_adjoint = adjoint(p)
    sums = reciprocal(y2[..., None, :] + y2[..., :, None], size_of(y2))
    moved = u @ (0.5 * (differences(y2) * (p + p_adjoint) + sums * (p - p_adjoint)))
    if y1.shape[-2] == rank:
        return moved
    across = (columns - u @ p) * reciprocal(y2, size_of(y2)[..., 0])[..., None, :]
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


def _turn_of(g: Any, x: Any) -> Any:
    """K = M - Mᴴ with M = Xᴴ X̄, and the part of X̄ off the columns of X."""
    inner = adjoint(x) @ g
    return inner - adjoint(inner), g - x @ inner


def _off(g: Any, x: Any, rank: int) -> tuple[Any, Any]:
    """K for the first columns of X and what moves them off their span, with the completing ones."""
    first, rest = x[..., :rank], x[..., rank:]
    k, across = _turn_of(g[..., :rank], first)
    if rest.shape[-1]:
        across = across - rest @ (adjoint(g[..., rank:]) @ first)
    return k, across


def _pulled_left(g: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """Ā = U (½ (F + G) ∘ K) Vᴴ + (1 - U Uᴴ) Ū S⁻¹ Vᴴ, the adjoint of `_moved_left`:

    Fᵢⱼ = 1/(sⱼ - sᵢ), Gᵢⱼ = 1/(sⱼ + sᵢ), K = UᴴŪ - ŪᴴU.
    """
    rank = y2.shape[-1]
    k, across = _off(g.conj(), y1, rank)
    sums = reciprocal(y2[..., None, :] + y2[..., :, None], size_of(y2))
    middle = y1[..., :rank] @ (0.5 * (differences(y2) + sums) * k)
    scale = size_of(y2)[..., 0]
    return ((middle + across * reciprocal(y2, scale)[..., None, :]) @ y3[..., :rank, :]).conj()


def _pulled_right(g: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """The same for Aᴴ = V S Uᴴ."""
    return adjoint(_pulled_left(adjoint(g), adjoint(y3), y2, adjoint(y1)))


def _pulled_singular_values(g: Any, y1: Any, y2: Any, y3: Any) -> Any:
    """Ā = U diag(s̄) Vᴴ."""
    rank = y2.shape[-1]
    return ((y1[..., :rank] * g[..., None, :]) @ y3[..., :rank, :]).conj()


def _limit_of_pairs(gs: list[Any], ys: tuple[Any, ...], **_: Any) -> Any:
    """Ā = U (diag(s̄) + ½ F ∘ (K + L) + ½ G ∘ (K - L)) Vᴴ + what moves off the spans,

    as A approaches equal singular values, or 0. K belongs to U and L in the same way to V.
    """
    separated: Separated = ys[1]
    s, d, rank = separated.values, separated.directions, separated.values.shape[-1]
    u, v = ys[0], adjoint(ys[2])
    size = np.zeros(())
    turns: list[Any] = []
    crossings: list[Any] = []
    for g, x in ((gs[0], u), (None if gs[2] is None else adjoint(gs[2]), v)):
        if g is None:
            turns.append((0.0 * s[..., None, :] * s[..., :, None],) * 2)
            crossings.append(None)
            continue
        # U reaches the rule as the plain transpose wants it, Vᴴ turned into V conjugated already
        k, across = _off(g.conj(), x, rank)
        size = np.maximum(size, np.max(np.abs(both_parts(g)[0]), axis=(-2, -1), keepdims=True))
        turns.append(both_parts(k))
        crossings.append(both_parts(across))
    scale = size_of(s)
    (k, k_moved), (l, l_moved) = turns
    together = limit_of_quotient((k + l, k_moved + l_moved), gaps(s), gaps(d), scale, size)
    sums, directions = s[..., None, :] + s[..., :, None], d[..., None, :] + d[..., :, None]
    against = limit_of_quotient((k - l, k_moved - l_moved), sums, directions, scale, size)
    middle = 0.5 * (together[0] + against[0])
    undefined = bool(np.any(together[1]) or np.any(against[1]))
    if gs[1] is not None:
        middle = middle + both_parts(gs[1])[0][..., None, :] * np.eye(rank, dtype=s.dtype)
    moved = u[..., :rank] @ middle @ adjoint(v[..., :rank])
    for crossing, x, turned in ((crossings[0], v, False), (crossings[1], u, True)):
        if crossing is not None:
            quotient, steep = limit_of_quotient(
                crossing, s[..., None, :], d[..., None, :], scale, size
            )
            part = quotient @ adjoint(x[..., :rank])
            moved = moved + (adjoint(part) if turned else part)
            undefined |= bool(np.any(steep))
    if undefined:
        warn_of_choice("svd", separated.place)
    return moved.conj()


def _svd(x: Any, *, full_matrices: bool, along: Any = None) -> tuple[Any, ...]:
    u, s, vh = np.linalg.svd(x, full_matrices)
    if along is None or not has_equal(s, from_zero=True):
        return u, s, vh
    u, _, vh = np.linalg.svd(x, full_matrices=True)
    u, v = adapted_pairs(u, s, adjoint(vh), along)
    if full_matrices:
        return u, s, adjoint(v)
    rank = s.shape[-1]
    return u[..., :rank], s, adjoint(v[..., :rank])


singular_decomposition = decomposition(
    "svd",
    compute=_svd,
    limit=_limit_of_pairs,
    outputs=3,
    jvp=(_moved_left, _moved_singular_values, _moved_right),
    vjp=(_pulled_left, _pulled_singular_values, _pulled_right),
    latex=r"\operatorname{{svd}} {x}",
    batch=matrices(2),
    samples=[
        case(separated(4, 3), full_matrices=False),
        case(separated(3, 4, 2), full_matrices=False),
        case(separated(3, 3), full_matrices=False),
        case(separated(4, 3), full_matrices=True),  # one column completes U, up to its sign
        case(with_imaginary(separated(4, 3)), full_matrices=False).only(_without_common_phases),
        case(with_imaginary(separated(3, 3)), full_matrices=False).only(_without_common_phases),
    ],
    note=HALF_THE_WORK,
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
        options = towards(a) if compute_uv else {}
        u, s, vh = singular_decomposition(a, full_matrices=full_matrices, **options)
        if compute_uv:
            separate((u, s, vh), 1, from_zero=True)
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
