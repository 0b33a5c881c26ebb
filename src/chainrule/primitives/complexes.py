"""Parts of complex numbers. Linear over the reals only, so each states its transpose itself.

With the inner product ⟨g, t⟩ = Re(ḡ t) the adjoint is conj ∘ transposed ∘ conj; the two
conjugations are done where all are, in the reverse pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import chain_product, linear
from chainrule.primitives.samples import case, normal
from chainrule.primitives.views import view, view_composition


def _complex(rng: np.random.Generator) -> Any:
    return rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))


real_part = view(
    "real",
    compute=np.real,
    transposed=lambda g: g,
    back=lambda base, y: y + 1j * np.imag(base),
    latex=r"\operatorname{{Re}} {x}",
    batch=entrywise,
    samples=[case(_complex), case(normal(3, 4))],
)
imaginary_part = view(
    "imag",
    compute=np.imag,
    transposed=lambda g: chain_product(g, -1j),  # keeps 0 · ∞ out of the real part
    back=lambda base, y: np.real(base) + 1j * y,
    latex=r"\operatorname{{Im}} {x}",
    batch=entrywise,
    samples=[case(_complex)],
)
conjugate = linear(
    "conjugate",
    compute=np.conjugate,
    transposed=lambda g: np.conjugate(g),
    latex=r"\overline{{{x}}}",
    batch=entrywise,
    samples=[case(_complex)],
)


@view_composition(np.real)
def real(val: Any) -> Any:
    return real_part(val) if val.dtype.kind == "c" else val


@view_composition(np.imag)
def imag(val: Any) -> Any:
    return imaginary_part(val) if val.dtype.kind == "c" else np.zeros_like(val)


@composition(np.conjugate)
def conj(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x


@composition(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    """The argument of z, in radians or degrees."""
    radians = np.arctan2(np.imag(z), np.real(z))
    return radians * (180 / np.pi) if deg else radians
