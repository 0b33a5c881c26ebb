"""Convolution and correlation in any number of dimensions.

    full:   y[k] = Σⱼ x1[k - j] x2[j]                 every k at which a term exists
    valid:  y[k] = Σⱼ x1[k + m - 1 - j] x2[j]         only where all m terms exist

One record; each of the two modes is the transpose of the other, with a factor reversed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from chainrule.primitives.declare import Multilinear, multilinear
from chainrule.primitives.samples import case, normal
from chainrule.scipy.forwarding import array, refused, stands_for


def _transposed_first(g: Any, x2: Any, mode: str, method: str) -> Any:
    other = "valid" if mode == "full" else "full"
    return convolved(g, np.flip(x2), mode=other, method=method)


def _transposed_second(g: Any, x1: Any, mode: str, method: str) -> Any:
    """The cotangent of the second factor: g with x1 reversed, or x1 with g reversed."""
    if mode == "full":
        return convolved(g, np.flip(x1), mode="valid", method=method)
    return np.flip(convolved(x1, np.flip(g), mode="valid", method=method))


def _compute(x1: Any, x2: Any, *, mode: str, method: str) -> Any:
    return scipy.signal.convolve(x1, x2, mode, method)


convolved: Multilinear = multilinear(
    "convolve_nd",
    compute=_compute,
    transposed=(_transposed_first, _transposed_second),
    latex="{x1} * {x2}",
    samples=[
        case(normal(7), normal(3), mode="full", method="direct"),
        case(normal(7), normal(3), mode="valid", method="direct"),
        case(normal(4, 5), normal(2, 3), mode="full", method="direct"),
        case(normal(4, 5), normal(2, 3), mode="valid", method="fft"),
        case(normal(2, 3), normal(4, 5), mode="full", method="fft"),
    ],
)


def centred(y: Any, shape: tuple[int, ...]) -> Any:
    """The middle part of `y` with the given shape."""
    starts = [(size - wanted) // 2 for size, wanted in zip(y.shape, shape, strict=True)]
    return y[tuple(slice(s, s + wanted) for s, wanted in zip(starts, shape, strict=True))]


def _valid(x1: Any, x2: Any, method: str) -> Any:
    """The valid part, where either factor may be the larger one, in all dimensions at once."""
    if all(m >= n for m, n in zip(x2.shape, x1.shape, strict=True)):
        x1, x2 = x2, x1
    if any(m > n for m, n in zip(x2.shape, x1.shape, strict=True)):
        raise ValueError("in 'valid' mode one input must be at least as large in every dimension")
    return convolved(x1, x2, mode="valid", method=method)


def _in_mode(x1: Any, x2: Any, mode: str, method: str) -> Any:
    if x1.ndim != x2.ndim:
        raise ValueError("the two inputs must have the same number of dimensions")
    if mode == "valid":
        return _valid(x1, x2, method)
    if mode not in ("full", "same"):
        raise ValueError(f"mode must be 'full', 'valid' or 'same', not {mode!r}")
    if x1.size == 0 or x2.size == 0:
        return np.zeros(0)
    full = convolved(x1, x2, mode="full", method=method)
    return full if mode == "full" else centred(full, x1.shape)


def _both(in1: Any, in2: Any) -> tuple[Any, Any, bool]:
    """Both factors as arrays, and whether they are scalars, of which SciPy returns the product."""
    x1, x2 = array(in1), array(in2)
    return x1, x2, x1.ndim == 0 and x2.ndim == 0


@stands_for(scipy.signal.convolve)
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """`scipy.signal.convolve`: Σⱼ x1[k - j] x2[j]; linear in each factor.

    >>> import chainrule as cr
    >>> kernel = np.array([1.0, 2.0])
    >>> cr.grad(lambda x: np.sum(convolve(x, kernel, mode="valid")))(np.zeros(3))
    array([2., 3., 1.])
    """
    x1, x2, scalars = _both(in1, in2)
    return x1 * x2 if scalars else _in_mode(x1, x2, mode, method)


@stands_for(scipy.signal.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """`scipy.signal.fftconvolve`, over all axes."""
    x1, x2, scalars = _both(in1, in2)
    if axes is not None and set(np.arange(x1.ndim)[np.atleast_1d(axes)]) != set(range(x1.ndim)):
        raise refused(scipy.signal.fftconvolve, "along some axes; convolve one line at a time")
    return x1 * x2 if scalars else _in_mode(x1, x2, mode, "fft")


@stands_for(scipy.signal.oaconvolve)
def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """`scipy.signal.oaconvolve`, over all axes."""
    return fftconvolve(in1, in2, mode, axes)


@stands_for(scipy.signal.correlate)
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """`scipy.signal.correlate`: Σⱼ x1[k + j] conj(x2[j]).

    >>> import chainrule as cr
    >>> cr.grad(lambda x: correlate(x, x, mode="valid")[0])(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    x1, x2, scalars = _both(in1, in2)
    turned = np.conjugate(np.flip(x2))
    if scalars:
        return x1 * np.conjugate(x2)
    larger = all(m >= n for m, n in zip(x2.shape, x1.shape, strict=False))
    y = _in_mode(x1, turned, mode, method)
    # With the larger factor second SciPy correlates the other way round and turns the result.
    return y if mode != "valid" or not larger or x1.shape == x2.shape else _swapped(x1, x2, method)


def _swapped(x1: Any, x2: Any, method: str) -> Any:
    return np.conjugate(np.flip(_in_mode(x2, np.conjugate(np.flip(x1)), "valid", method)))


_PADDING = {"wrap": "wrap", "symm": "symmetric"}


def _with_boundary(
    x1: Any, x2: Any, mode: str, boundary: str, fillvalue: float
) -> tuple[Any, str, tuple[int, ...]]:
    """`x1` continued beyond its edges, and the mode and shape in which the result is cut out."""
    if boundary == "fill" and fillvalue == 0:
        return x1, mode, x1.shape
    if boundary not in ("fill", *_PADDING):
        raise ValueError(f"boundary must be 'fill', 'wrap' or 'symm', not {boundary!r}")
    full = tuple(n + m - 1 for n, m in zip(x1.shape, x2.shape, strict=True))
    widths = [(m - 1, m - 1) for m in x2.shape]
    if boundary == "fill":
        return np.pad(x1, widths, constant_values=fillvalue), "valid", full
    return np.pad(x1, widths, mode=_PADDING[boundary]), "valid", full  # type: ignore[call-overload]


@stands_for(scipy.signal.convolve2d)
def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Any:
    """`scipy.signal.convolve2d`, with its boundaries: zeros, a value, periodic or mirrored."""
    x1, x2, _ = _both(in1, in2)
    if mode == "valid":
        return _valid(x1, x2, "direct")
    padded, inner, _ = _with_boundary(x1, x2, mode, boundary, fillvalue)
    y = _in_mode(padded, x2, inner, "direct")
    return centred(y, x1.shape) if inner == "valid" and mode == "same" else y


@stands_for(scipy.signal.correlate2d)
def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> Any:
    """`scipy.signal.correlate2d`: the convolution with in2 turned round and conjugated."""
    x1, x2, _ = _both(in1, in2)
    if mode == "valid" and all(m >= n for m, n in zip(x2.shape, x1.shape, strict=True)):
        return correlate(x1, x2, "valid", "direct")
    y = convolve2d(x1, np.conjugate(np.flip(x2)), "full", boundary, fillvalue)
    if mode == "full":
        return y
    if mode == "same":  # of even kernels SciPy's middle lies one further than that of convolve2d
        starts = [m // 2 for m in x2.shape]
        shape = x1.shape
    else:
        starts = [m - 1 for m in x2.shape]
        shape = tuple(n - m + 1 for n, m in zip(x1.shape, x2.shape, strict=True))
    return y[tuple(slice(s, s + n) for s, n in zip(starts, shape, strict=True))]
