"""Discrete Fourier transforms: `numpy.fft`.

With ω = e^(-2πi/n), y_k = Σⱼ x_j ω^(jk): the matrix is symmetric, so a complex transform is its own
transpose. Transforms between real and half-complex arrays drop what symmetry repeats; they are
linear over the reals only, and their transposes weigh the middle frequencies, which stand for two.
Source: W. Briggs, V. Henson, "The DFT: An Owner's Manual" (SIAM, 1995), chapters 2 and 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.graph import composition
from chainrule.primitives.batching import along
from chainrule.primitives.declare import Linear, linear
from chainrule.primitives.samples import Maker, case, normal

_OPPOSITE: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}
"""The norm with which the transform of the other direction is the same sum with other signs."""


def _complex(*shape: int) -> Maker:
    return lambda rng: rng.normal(size=shape) + 1j * rng.normal(size=shape)


def _fitted(x: Any, length: int, axis: int) -> Any:
    """Cut or filled with zeros at the end of an axis: what a transform of `length` points reads."""
    lead = (slice(None),) * (axis % x.ndim)
    missing = length - x.shape[axis]
    if missing <= 0:
        return x[(*lead, slice(0, length))] if missing else x
    return np.pad(x, [(0, missing if k == axis % x.ndim else 0) for k in range(x.ndim)])


def _itself(transform: Any) -> Any:
    """The transpose of a complex transform: the same one, fitted to the length of the input."""

    def transposed(g: Any, shape: Any, n: int, axis: int, norm: Any) -> Any:
        return _fitted(transform(g, n=n, axis=axis, norm=norm), shape[axis], axis)

    return transposed


fourier: Linear = linear(
    "fft",
    batch=along(-1),
    compute=lambda x, *, n, axis, norm: np.fft.fft(x, n, axis, norm),
    transposed=_itself(lambda g, **options: fourier(g, **options)),
    latex=r"\mathcal{{F}} {x}",
    samples=[
        case(normal(5), n=5, axis=0, norm=None),
        case(_complex(3, 4), n=6, axis=-1, norm="ortho"),
        case(_complex(4, 3), n=3, axis=0, norm="forward"),
    ],
    flops=50,
)
inverse_fourier: Linear = linear(
    "ifft",
    batch=along(-1),
    compute=lambda x, *, n, axis, norm: np.fft.ifft(x, n, axis, norm),
    transposed=_itself(lambda g, **options: inverse_fourier(g, **options)),
    latex=r"\mathcal{{F}}^{{-1}} {x}",
    samples=[
        case(normal(4), n=4, axis=0, norm=None),
        case(_complex(3, 4), n=3, axis=-1, norm="ortho"),
        case(_complex(4, 3), n=7, axis=0, norm="forward"),
    ],
    flops=50,
)


def _weights(n: int, ndim: int, axis: int, dtype: Any, doubled: float) -> Any:
    """1 for the frequencies 0 and n/2, which are their own mirror images, `doubled` for others."""
    weights = np.full(n // 2 + 1, doubled, dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights.reshape([-1 if k == axis % ndim else 1 for k in range(ndim)])


def _precision(g: Any) -> Any:
    return np.empty(0, g.dtype).real.dtype


def _transposed_half(g: Any, shape: Any, n: int, axis: int, norm: Any) -> Any:
    """x̄_j = Re Σ_k g_k ω^(jk) over the half of the frequencies that is there."""
    halves = g * _weights(n, g.ndim, axis, _precision(g), 0.5)
    whole = half_to_real(np.conjugate(halves), n=n, axis=axis, norm=_OPPOSITE[norm])
    return _fitted(whole, shape[axis], axis)


def _transposed_real(g: Any, shape: Any, n: int, axis: int, norm: Any) -> Any:
    """x̄_k = w_k Σⱼ g_j ω^(-jk), w = 2 for the frequencies that stand for two."""
    spectrum = np.conjugate(real_to_half(g, n=n, axis=axis, norm=_OPPOSITE[norm]))
    return _fitted(spectrum * _weights(n, g.ndim, axis, _precision(g), 2.0), shape[axis], axis)


real_to_half: Linear = linear(
    "rfft",
    batch=along(-1),
    compute=lambda x, *, n, axis, norm: np.fft.rfft(x, n, axis, norm),
    transposed=_transposed_half,
    latex=r"\mathcal{{F}}_+ {x}",
    samples=[
        case(normal(5), n=5, axis=0, norm=None),
        case(normal(3, 4), n=6, axis=-1, norm="ortho"),
        case(normal(6, 2), n=4, axis=0, norm="forward"),
        case(normal(3, 2), n=1, axis=0, norm=None),
    ],
    flops=25,
)
half_to_real: Linear = linear(
    "irfft",
    batch=along(-1),
    compute=lambda x, *, n, axis, norm: np.fft.irfft(x, n, axis, norm),
    transposed=_transposed_real,
    latex=r"\mathcal{{F}}_+^{{-1}} {x}",
    samples=[
        case(_complex(3), n=5, axis=0, norm=None),
        case(_complex(3, 4), n=6, axis=-1, norm="ortho"),
        case(_complex(2, 3), n=4, axis=-1, norm="forward"),
        case(normal(4, 2), n=2, axis=0, norm=None),
    ],
    flops=25,
)


def _transformed(transform: Any, a: Any, n: int | None, axis: int, norm: Any) -> Any:
    axis = normalize_axis_index(axis, a.ndim)
    return transform(a, n=a.shape[axis] if n is None else int(n), axis=axis, norm=norm)


@composition(np.fft.fft)
def fft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """`np.fft.fft`: y_k = Σⱼ x_j e^(-2πi jk/n).

    >>> import chainrule as cr
    >>> cr.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(np.array([1.0, 2.0, 3.0]))
    array([ 6., 12., 18.])
    """
    return _transformed(fourier, a, n, axis, norm)


@composition(np.fft.ifft)
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return _transformed(inverse_fourier, a, n, axis, norm)


@composition(np.fft.rfft)
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return _transformed(real_to_half, a, n, axis, norm)


@composition(np.fft.irfft)
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    axis = normalize_axis_index(axis, a.ndim)
    n = 2 * (a.shape[axis] - 1) if n is None else int(n)
    return half_to_real(a, n=n, axis=axis, norm=norm)


@composition(np.fft.hfft)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """The transform of a signal that is Hermitian in time: its spectrum is real."""
    return np.fft.irfft(np.conjugate(a), n, axis, _OPPOSITE[norm])


@composition(np.fft.ihfft)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    return np.conjugate(np.fft.rfft(a, n, axis, _OPPOSITE[norm]))


def _several(a: Any, s: Any, axes: Any, half: bool = False) -> list[tuple[int, int]]:
    """The lengths and the axes of a transform over several axes; -1 keeps the length.

    With `half` the last axis holds half a spectrum of an even length.
    """
    if axes is None:
        axes = range(a.ndim) if s is None else range(-len(s), 0)
    axes = list(axes)
    if s is not None and len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    lengths = [a.shape[axis] for axis in axes] if s is None else list(s)
    if half and (s is None or lengths[-1] == -1):
        lengths[-1] = 2 * (a.shape[axes[-1]] - 1)
    kept = [a.shape[k] if n == -1 else int(n) for n, k in zip(lengths, axes, strict=True)]
    return list(zip(kept, axes, strict=True))


@composition(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    for n, axis in reversed(_several(a, s, axes)):
        a = np.fft.fft(a, n, axis, norm)
    return a


@composition(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    for n, axis in reversed(_several(a, s, axes)):
        a = np.fft.ifft(a, n, axis, norm)
    return a


@composition(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    *others, (n, axis) = _several(a, s, axes)
    a = np.fft.rfft(a, n, axis, norm)
    for n, axis in reversed(others):
        a = np.fft.fft(a, n, axis, norm)
    return a


@composition(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    *others, (last, axis) = _several(a, s, axes, half=True)
    for n, other in others:
        a = np.fft.ifft(a, n, other, norm)
    return np.fft.irfft(a, last, axis, norm)


@composition(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return np.fft.fftn(a, s, axes, norm)


@composition(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return np.fft.ifftn(a, s, axes, norm)


@composition(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return np.fft.rfftn(a, s, axes, norm)


@composition(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    return np.fft.irfftn(a, s, axes, norm)


def _shifted(x: Any, axes: Any, half: Any) -> Any:
    axes = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    axes = tuple(normalize_axis_index(axis, x.ndim) for axis in axes)
    return np.roll(x, tuple(half(x.shape[axis]) for axis in axes), axes)


@composition(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Any:
    """The frequency 0 in the middle."""
    return _shifted(x, axes, lambda n: n // 2)


@composition(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Any:
    return _shifted(x, axes, lambda n: -(n // 2))
