"""Eigenvalues and eigenvectors of any square matrix.

A V = V diag(w). With P = V⁻¹ Ȧ V the values move by ẇ = diag P and the vectors by V (F ∘ P),
Fᵢⱼ = 1 / (wⱼ - wᵢ), up to a factor for each vector. NumPy's vectors have length 1, and a complex
one is turned so that its largest entry is real (LAPACK, xGEEV); that fixes the factor. Where
values are equal the derivative is a limit (`limits.py`), if the matrix can be diagonalized; at
second order a quotient by their gap counts as 0. Source: M. Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.batching import matrices
from chainrule.primitives.limits import (
    Separated,
    both_parts,
    decomposition,
    differences,
    gaps,
    has_equal,
    is_zero,
    limit_of_quotient,
    separate,
    size_of,
    towards,
    warn_of_choice,
)
from chainrule.primitives.linear_algebra import adjoint
from chainrule.primitives.samples import Maker, case

# NumPy's own result type, so that traced results have the same fields.
_EIG: Any = type(np.linalg.eig(np.eye(1)))


def _inner(t: Any, y2: Any) -> Any:
    """P = V⁻¹ Ȧ V."""
    return np.linalg.solve(y2, t @ y2)


def _moved_values(t: Any, y2: Any) -> Any:
    return np.diagonal(_inner(t, y2), axis1=-2, axis2=-1)


def _moved_vectors(t: Any, y1: Any, y2: Any) -> Any:
    """V (F ∘ P), less the part along each vector that its length and its phase forbid."""
    moved = y2 @ (differences(y1) * _inner(t, y2))
    along = np.sum(np.conjugate(y2) * moved, axis=-2, keepdims=True)
    if y2.dtype.kind != "c":
        return moved - y2 * along
    largest = np.argmax(np.abs(y2), axis=-2, keepdims=True)
    top, turned = (np.take_along_axis(v, largest, axis=-2) for v in (y2, moved))
    return moved - y2 * (np.real(along) + 1j * np.imag(turned / top))


def _without_factors(g: Any, v: Any) -> Any:
    """The adjoint of what `_moved_vectors` takes away from V (F ∘ P)."""
    inner = np.sum(np.conj(g) * v, axis=-2, keepdims=True)
    kept = g - v * np.real(inner)
    if v.dtype.kind != "c":
        return kept
    here = np.arange(v.shape[-2])[:, None] == np.argmax(np.abs(v), axis=-2)[..., None, :]
    return kept + np.where(here, 1j / np.where(here, v, 1), 0) * np.imag(inner)


def _limit_of_vectors(gs: list[Any], ys: tuple[Any, ...], **_: Any) -> Any:
    """Ā = V⁻ᴴ (diag(w̄) + F̄ ∘ Vᴴ V̄) Vᴴ as A approaches equal eigenvalues."""
    separated: Separated = ys[0]
    w, d, v = separated.values, separated.directions, ys[1]
    one = np.eye(w.shape[-1], dtype=v.dtype)
    middle = 0 * one
    if gs[1] is not None:
        inner = adjoint(v) @ _without_factors(gs[1].conj(), v)
        k = both_parts(inner)
        size = np.max(np.abs(k[0]), axis=(-2, -1), keepdims=True)
        parts = ((1 - one) * k[0], (1 - one) * k[1])
        gap, direction = np.conj(gaps(w)), gaps(d)
        middle, undefined = limit_of_quotient(parts, gap, direction, size_of(w), size)
        if np.any(undefined):
            warn_of_choice("eig", separated.place)
    if gs[0] is not None:
        middle = middle + both_parts(gs[0])[0].conj()[..., None, :] * one
    return np.linalg.solve(adjoint(v), middle @ adjoint(v)).conj()


def _spectrum(x: Any, *, along: Any = None) -> tuple[Any, Any]:
    w, v = np.linalg.eig(x)
    if along is None or not has_equal(np.sort(w, axis=-1), from_zero=False):
        return w, v
    return _towards(w, v, along)


def _towards(w: Any, v: Any, along: Any) -> tuple[Any, Any]:
    """Vectors that are also limits of those of A + t · along, as in `limits.adapted`.

    Where a span of equal eigenvalues splits into conjugate pairs, they are complex.
    """
    inner = np.linalg.solve(v, along @ v)
    tied = is_zero(gaps(w), size_of(w))
    turn = np.zeros_like(v, dtype=np.result_type(v, np.complex64))
    for index in np.ndindex(w.shape[:-1]):
        left = list(range(w.shape[-1]))
        while left:
            group = [k for k in left if tied[index][left[0], k]]
            left = [k for k in left if k not in group]
            block = np.ix_(group, group)
            turn[index][block] = np.linalg.eig(inner[index][block])[1]
    if v.dtype.kind != "c" and not turn.imag.any():
        turn = turn.real
    v = v @ turn
    v = v / np.linalg.norm(v, axis=-2, keepdims=True)
    if v.dtype.kind == "c":
        top = np.take_along_axis(v, np.argmax(np.abs(v), axis=-2, keepdims=True), axis=-2)
        v, w = v * (np.abs(top) / top), w.astype(v.dtype)
    return w, v


def _separated(*shape: int) -> Maker:
    """Matrices with real eigenvalues near 1, 2, 3 …"""

    def make(rng: np.random.Generator) -> Any:
        size = shape[-1]
        return np.diag(np.arange(1.0, size + 1)) + rng.uniform(-0.1, 0.1, shape)

    return make


def _turning(rng: np.random.Generator) -> Any:
    """A real matrix with one pair of complex eigenvalues, near 1 ± 2i."""
    turn = np.array([[1.0, -2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    return turn + rng.uniform(-0.1, 0.1, (3, 3))


def _complex(rng: np.random.Generator) -> Any:
    return _separated(3, 3)(rng) + 0.1j * rng.normal(size=(3, 3))


general_spectrum = decomposition(
    "eig",
    batch=matrices(2),
    compute=_spectrum,
    limit=_limit_of_vectors,
    outputs=2,
    jvp=(_moved_values, _moved_vectors),
    latex=r"\operatorname{{eig}} {x}",
    samples=[case(_separated(3, 3)), case(_separated(2, 3, 3)), case(_turning), case(_complex)],
)


@composition(np.linalg.eig)
def eig(a: Any) -> Any:
    """`np.linalg.eig`: A V = V diag(w).

    >>> import chainrule as cr
    >>> cr.grad(lambda a: np.sum(np.linalg.eig(a).eigenvalues ** 2))(np.diag([1.0, 3.0]))
    array([[2., 0.],
           [0., 6.]])
    """
    outputs = general_spectrum(a, **towards(a))
    separate(outputs, 0, from_zero=False, ordered=False)
    return _EIG(*outputs)


@composition(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """`np.linalg.eigvals`; the derivative needs the eigenvectors, so they are computed."""
    return general_spectrum(a)[0]
