"""Eigenvalues and eigenvectors of any square matrix.

A V = V diag(w). With P = V⁻¹ Ȧ V the values move by ẇ = diag P and the vectors by V (F ∘ P),
Fᵢⱼ = 1 / (wⱼ - wᵢ), up to a factor for each vector. NumPy's vectors have length 1, and a complex
one is turned so that its largest entry is real (LAPACK, xGEEV); that fixes the factor. Where two
values are equal up to rounding the quotient counts as 0. Source: M. Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.declare import primitive
from chainrule.primitives.decompositions import _differences
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
    moved = y2 @ (_differences(y1) * _inner(t, y2))
    along = np.sum(np.conjugate(y2) * moved, axis=-2, keepdims=True)
    if y2.dtype.kind != "c":
        return moved - y2 * along
    largest = np.argmax(np.abs(y2), axis=-2, keepdims=True)
    top, turned = (np.take_along_axis(v, largest, axis=-2) for v in (y2, moved))
    return moved - y2 * (np.real(along) + 1j * np.imag(turned / top))


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


general_spectrum = primitive(
    "eig",
    compute=lambda x: tuple(np.linalg.eig(x)),
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
    return _EIG(*general_spectrum(a))


@composition(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """`np.linalg.eigvals`; the derivative needs the eigenvectors, so they are computed."""
    return eig(a).eigenvalues
