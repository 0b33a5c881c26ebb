"""Determinants, whose derivative is the matrix of cofactors, also where the matrix is singular.

The textbook form det(A) A⁻ᵀ is 0/0 at a singular matrix, but the cofactors are polynomials. They
are computed from singular values there: U and V drop out of every formula except through
unitary rotations, and no quotient is formed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Traced, composition
from chainrule.primitives.batching import matrices
from chainrule.primitives.declare import flat, primitive
from chainrule.primitives.linear_algebra import HALF_THE_WORK, adjoint, transposed
from chainrule.primitives.samples import case, invertible, normal
from chainrule.primitives.triangular import inverse, inverse_and_determinant


def _nearly_singular(x: Any) -> Any:
    """Where det(A) A⁻¹ has lost half of its digits: the condition number exceeds 1/√ε."""
    if not x.shape[-1]:
        return np.zeros(x.shape[:-2], bool)
    finite = np.all(np.isfinite(x), axis=(-2, -1))
    return np.asarray((np.linalg.cond(x, 1) > np.finfo(x.dtype).eps ** -0.5) & finite)


nearly_singular = flat(
    "nearly_singular",
    compute=_nearly_singular,
    reason="its values are truth values",
    samples=[case(invertible(3))],
    latex=r"\kappa({x}) > \varepsilon^{{-1/2}}",
    batch=matrices(2),
)


def anywhere(condition: Any) -> bool:
    """Whether it holds somewhere, in any example: which of two formulas is worth computing."""
    while isinstance(condition, Traced):
        condition = condition.value
    return bool(np.any(condition))


def _replaced(x: Any, where: Any) -> Any:
    """`x` with the identity in place of the matrices that a formula does not fit."""
    return np.where(where[..., None, None], np.eye(x.shape[-1], dtype=x.dtype), x)


def _products_without(s: Any) -> tuple[Any, Any]:
    """Products of all entries but the i-th, and of all but the i-th and j-th (0 for i = j).

    Running products from both ends and between, so that zeros need no quotient.
    """
    ones = np.ones_like(s[..., :1])
    before = np.concatenate([ones, np.cumprod(s, axis=-1)[..., :-1]], axis=-1)
    backward = np.cumprod(s[..., ::-1], axis=-1)[..., ::-1]
    after = np.concatenate([backward[..., 1:], ones], axis=-1)
    size = s.shape[-1]
    above = np.tri(size, k=-1, dtype=bool).T  # entry (i, j) with i < j
    between = np.cumprod(np.where(above, s[..., None, :], 1), axis=-1)
    filled = np.ones_like(between[..., :1])
    between = np.concatenate([filled, between[..., :-1]], axis=-1)
    pairs = np.where(above, before[..., :, None] * between * after[..., None, :], 0)
    return before * after, pairs + transposed(pairs)


def _turned(x: Any) -> tuple[Any, Any, Any, Any]:
    """A = U diag(s) Vᴴ and φ = det(U) det(Vᴴ), with which cof(A) = φ Ū cof(diag s) V̄ᴴ."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return u, s, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]


def _size(a: Any) -> Any:
    """The 1-norm of each matrix: the largest sum of a column."""
    return np.max(np.sum(np.abs(a), axis=-2), axis=-1, initial=0)


def _cofactors(x: Any) -> Any:
    with np.errstate(all="ignore"):
        try:
            b, det = inverse_and_determinant(x)
        except np.linalg.LinAlgError:
            return _careful_cofactors(x)
        if np.all(_size(x) * _size(b) <= np.finfo(b.dtype).eps ** -0.5):
            return det[..., None, None] * transposed(b)
        return _careful_cofactors(x)


def _careful_cofactors(x: Any) -> Any:
    """From singular values where some matrix of the stack is nearly singular."""
    singular = _nearly_singular(x)
    safe = _replaced(x, singular)
    y = np.linalg.det(safe)[..., None, None] * transposed(np.linalg.inv(safe))
    u, s, vh, phase = _turned(_replaced(x, ~singular))
    singles, _ = _products_without(s)
    turned = phase * ((u.conj() * singles[..., None, :]) @ vh.conj())
    return np.where(singular[..., None, None], turned, y)


def _moved_by_inverse(t: Any, x: Any, y: Any) -> Any:
    """With B = A⁻ᵀ and C = det(A) B:  Ċ = ⟨C, Ȧ⟩ B - C Ȧᵀ B."""
    b = transposed(np.linalg.inv(x))
    return np.sum(y * t, axis=(-2, -1), keepdims=True) * b - y @ (transposed(t) @ b)


def _moved_by_singular_values(t: Any, x: Any) -> Any:
    """Ċ = φ Ū D V̄ᴴ with E = Uᴴ Ȧ V, πᵢⱼ the product of all s but sᵢ and sⱼ, πᵢᵢ = 0, and

    Dᵢᵢ = Σₖ πᵢₖ Eₖₖ,  Dᵢⱼ = -πᵢⱼ Eⱼᵢ: the cofactors of diag(s) + E to first order in E.
    """
    u, s, vh, phase = _turned(x)
    _, pairs = _products_without(s)
    e = adjoint(u) @ t @ adjoint(vh)
    on_diagonal = pairs @ np.diagonal(e, axis1=-2, axis2=-1)[..., None]
    d = on_diagonal * np.eye(x.shape[-1], dtype=e.dtype) - pairs * transposed(e)
    return phase * (u.conj() @ d @ vh.conj())


def _moved_cofactors(t: Any, x: Any, y: Any) -> Any:
    singular = nearly_singular(x)
    moved = _moved_by_inverse(t, _replaced(x, singular), y)
    if anywhere(singular):
        turned = _moved_by_singular_values(t, _replaced(x, ~singular))
        moved = np.where(singular[..., None, None], turned, moved)
    return moved


def _rank_one_short(rng: np.random.Generator) -> Any:
    return rng.normal(size=(4, 3)) @ rng.normal(size=(3, 4))


cofactors = primitive(
    "cofactors",
    compute=_cofactors,
    jvp=(_moved_cofactors,),
    latex=r"\operatorname{{cof}} {x}",
    batch=matrices(2),
    samples=[case(invertible(3)), case(invertible(2, 3)), case(_rank_one_short)],
)
determinant = primitive(
    "det",
    numpy=np.linalg.det,
    jvp=(lambda t, x: np.sum(cofactors(x) * t, axis=(-2, -1)),),
    vjp=(lambda g, x: cofactors(x) * g[..., None, None],),
    latex=r"\det {x}",
    batch=matrices(2),
    samples=[case(invertible(3)), case(normal(2, 3, 3)), case(_rank_one_short)],
    note=HALF_THE_WORK,
)


def _trace_of_quotient(t: Any, x: Any) -> Any:
    """tr(A⁻¹ Ȧ)."""
    return np.sum(transposed(inverse(x)) * t, axis=(-2, -1))


def _moved_sign(t: Any, x: Any, y1: Any) -> Any:
    """i sign Im tr(A⁻¹ Ȧ); the sign of a real determinant does not move."""
    if y1.dtype.kind != "c":
        return None
    return 1j * y1 * np.imag(_trace_of_quotient(t, x))


def _pulled_from_sign(g: Any, x: Any, y1: Any) -> Any:
    """The transpose of `_moved_sign`, which is linear over the reals only."""
    if y1.dtype.kind != "c":
        return None
    return 1j * np.imag(g * y1)[..., None, None] * transposed(inverse(x))


sign_and_logarithm = primitive(
    "slogdet",
    compute=lambda x: tuple(np.linalg.slogdet(x)),
    outputs=2,
    jvp=(_moved_sign, lambda t, x: np.real(_trace_of_quotient(t, x))),
    vjp=(
        _pulled_from_sign,
        lambda g, x: g[..., None, None] * transposed(inverse(x)),
    ),
    latex=r"\log \left| \det {x} \right|",
    batch=matrices(2),
    samples=[case(invertible(3)), case(invertible(3, 2))],
    note=HALF_THE_WORK,
)
_SLOGDET: Any = type(np.linalg.slogdet(np.eye(1)))


@composition(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """`np.linalg.slogdet`: (sign, log |det A|);  d log |det A| = Re tr(A⁻¹ Ȧ).

    At a singular matrix the logarithm is -inf and has no derivative: the inverse raises.

    >>> import chainrule as cr
    >>> cr.grad(lambda a: np.linalg.slogdet(a).logabsdet)(np.array([[2.0, 2.0], [1.0, 3.0]]))
    array([[ 0.75, -0.25],
           [-0.5 ,  0.5 ]])
    """
    return _SLOGDET(*sign_and_logarithm(a))
