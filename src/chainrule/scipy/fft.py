"""`scipy.fft` with derivatives: Fourier transforms as in NumPy, cosine and sine transforms.

Every name of `scipy.fft` is here. On plain arrays it is SciPy's own; traced ones take the
transforms of `numpy.fft`, and the eight real transforms below, each a linear record whose transpose
is another of them.

>>> import numpy as np
>>> import chainrule as cr
>>> cr.grad(lambda x: dct(x)[0])(np.zeros(3))
array([2., 2., 2.])
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft

from chainrule.primitives.declare import Linear, linear
from chainrule.primitives.samples import case, normal
from chainrule.scipy.forwarding import array, forwarding, refused, stands_for

_TRANSPOSED = {1: 1, 2: 3, 3: 2, 4: 4}


def _weights(kind: str, type: int, size: int, dtype: Any) -> Any:
    """How often each entry counts in a transform of type 1 or 3: the ends count once, not twice."""
    weights = np.full(size, 2, dtype)
    if type in (1, 3) and kind == "cosine":
        weights[0] = 1
    if type == 1 and kind == "cosine":
        weights[-1] = 1
    if type == 3 and kind == "sine":
        weights[-1] = 1
    return weights


def _transposed(g: Any, kind: str, type: int) -> Any:
    """Each is W·K with weights W of its inputs and a kernel K, whose transpose is of another type.

    y = K (w ∘ x), so x̄ = w ∘ Kᵀ ȳ; and Kᵀ is the transform of the other type without its weights.
    """
    other = _TRANSPOSED[type]
    here = _weights(kind, type, g.shape[-1], g.dtype)
    there = _weights(kind, other, g.shape[-1], g.dtype)
    return here * real_transform(g / there, kind=kind, type=other)


def _compute(x: Any, *, kind: str, type: int) -> Any:
    return (scipy.fft.dct if kind == "cosine" else scipy.fft.dst)(x, type)


real_transform: Linear = linear(
    "real_transform",
    compute=_compute,
    transposed=_transposed,
    latex=r"\operatorname{{{kind}}}_{{{type}}} {x}",
    samples=[
        case(normal(*shape), kind=kind, type=type)
        for kind in ("cosine", "sine")
        for type, shape in ((1, (5,)), (2, (4,)), (3, (2, 3)), (4, (3,)))
    ],
)


def _sized(x: Any, n: int | None) -> Any:
    """Cut, or continued with zeros, to `n` entries along the last axis."""
    if n is None or n == x.shape[-1]:
        return x
    if n < x.shape[-1]:
        return x[..., :n]
    return np.concatenate([x, np.zeros((*x.shape[:-1], n - x.shape[-1]))], axis=-1)


_ORTHOGONAL_ENDS = {
    # entries that a factor √2 makes orthogonal: before the transform, after it
    ("cosine", 1): ((0, -1), (0, -1)),
    ("cosine", 2): ((), (0,)),
    ("cosine", 3): ((0,), ()),
    ("sine", 2): ((), (-1,)),
    ("sine", 3): ((-1,), ()),
}


def _scaled(x: Any, ends: tuple[int, ...], factor: float) -> Any:
    if not ends:
        return x
    factors = np.ones(x.shape[-1])
    for end in ends:
        factors[end] = factor
    return x * factors


def _along(
    x: Any,
    kind: str,
    type: int,
    n: int | None,
    axis: int,
    norm: str | None,
    orthogonalize: bool | None,
    inverse: bool,
) -> Any:
    """One transform along one axis, with SciPy's norms."""
    x = _sized(np.moveaxis(array(x), axis, -1), n)
    if inverse:
        type = _TRANSPOSED[type]
    norm = "backward" if norm is None else norm
    orthogonal = norm == "ortho" if orthogonalize is None else orthogonalize
    before, after = _ORTHOGONAL_ENDS.get((kind, type), ((), ())) if orthogonal else ((), ())
    y = real_transform(_scaled(x, before, math.sqrt(2)), kind=kind, type=type)
    y = _scaled(y, after, math.sqrt(0.5))
    more = {"cosine": -1, "sine": 1}[kind] if type == 1 else 0
    length = 2 * (x.shape[-1] + more)
    if norm == "ortho":
        y = y / math.sqrt(length)
    elif norm == ("backward" if inverse else "forward"):
        y = y / length
    return np.moveaxis(y, -1, axis)


def _one(original: Any, kind: str, inverse: bool) -> Callable[..., Any]:
    def transform(
        x: Any,
        type: int = 2,
        n: int | None = None,
        axis: int = -1,
        norm: str | None = None,
        overwrite_x: bool = False,
        workers: int | None = None,
        orthogonalize: bool | None = None,
    ) -> Any:
        return _along(x, kind, type, n, axis, norm, orthogonalize, inverse)

    return _named(original, transform)


def _several(original: Any, kind: str, inverse: bool) -> Callable[..., Any]:
    def transform(
        x: Any,
        type: int = 2,
        s: Any = None,
        axes: Any = None,
        norm: str | None = None,
        overwrite_x: bool = False,
        workers: int | None = None,
        *,
        orthogonalize: bool | None = None,
    ) -> Any:
        x = array(x)
        if axes is None:
            count = x.ndim if s is None else len(np.atleast_1d(s))
            axes = range(x.ndim - count, x.ndim)
        axes = [int(axis) for axis in np.atleast_1d(axes)]
        sizes = [None] * len(axes) if s is None else [int(n) for n in np.atleast_1d(s)]
        for axis, n in zip(axes, sizes, strict=True):
            x = _along(x, kind, type, n, axis, norm, orthogonalize, inverse)
        return x

    return _named(original, transform)


def _named(original: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that stands for one of SciPy's, under its name."""
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = f"`scipy.fft.{original.__name__}`: linear in x."
    return stands_for(original)(function)


dct = _one(scipy.fft.dct, "cosine", False)
idct = _one(scipy.fft.idct, "cosine", True)
dst = _one(scipy.fft.dst, "sine", False)
idst = _one(scipy.fft.idst, "sine", True)
dctn = _several(scipy.fft.dctn, "cosine", False)
idctn = _several(scipy.fft.idctn, "cosine", True)
dstn = _several(scipy.fft.dstn, "sine", False)
idstn = _several(scipy.fft.idstn, "sine", True)

_COSTS = ("overwrite_x", "workers", "plan")  # how SciPy computes; the result is the same


def _as_numpy(name: str) -> Callable[..., Any]:
    """A Fourier transform that `numpy.fft` has too."""
    original, numpy = getattr(scipy.fft, name), getattr(np.fft, name)

    def transform(x: Any, *args: Any, **options: Any) -> Any:
        if len(args) > 3:
            raise refused(original, "with more than three options by position; name them")
        kept = {key: value for key, value in options.items() if key not in _COSTS}
        return numpy(array(x), *args, **kept)

    return _named(original, transform)


fft = _as_numpy("fft")
ifft = _as_numpy("ifft")
rfft = _as_numpy("rfft")
irfft = _as_numpy("irfft")
hfft = _as_numpy("hfft")
ihfft = _as_numpy("ihfft")
fft2 = _as_numpy("fft2")
ifft2 = _as_numpy("ifft2")
rfft2 = _as_numpy("rfft2")
irfft2 = _as_numpy("irfft2")
fftn = _as_numpy("fftn")
ifftn = _as_numpy("ifftn")
rfftn = _as_numpy("rfftn")
irfftn = _as_numpy("irfftn")
fftshift = _as_numpy("fftshift")
ifftshift = _as_numpy("ifftshift")

__all__ = [
    "dct",
    "dctn",
    "dst",
    "dstn",
    "fft",
    "fft2",
    "fftn",
    "fftshift",
    "hfft",
    "idct",
    "idctn",
    "idst",
    "idstn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftn",
]

__getattr__, __dir__ = forwarding("scipy.fft", __all__)
