"""`scipy.ndimage` with derivatives: filters over images of any dimension, and interpolation.

Every name of `scipy.ndimage` is here; those listed in `__all__` have derivatives, in the image and
in the weights. `output=` is refused for traced values.

>>> import numpy as np
>>> import chainrule as cr
>>> cr.grad(lambda x: correlate1d(x, [1.0, 2.0, 1.0])[0])(np.zeros(3))
array([3., 1., 0.])
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.ndimage

from chainrule.scipy.forwarding import array, forwarding, refused, stands_for
from chainrule.scipy.signal.convolution import convolved
from chainrule.tracing.conversion import concrete

_PADDING = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}


def _correlated(x: Any, weights: Any, mode: str, cval: Any, origins: list[int]) -> Any:
    """Σⱼ w[j] x[i + j - centre] over the continued image."""
    if mode not in _PADDING:
        raise ValueError(f"mode must be one of {sorted(_PADDING)}, not {mode!r}")
    widths = []
    for size, origin in zip(weights.shape, origins, strict=True):
        before = size // 2 + origin
        if not 0 <= before < max(size, 1):
            raise ValueError("invalid origin")
        widths.append((before, size - 1 - before))
    padding = _PADDING[mode]
    options = {"constant_values": cval} if padding == "constant" else {}
    padded = np.pad(x, widths, mode=padding, **options)  # type: ignore[call-overload]
    method = "direct" if np.size(weights) < 500 else "auto"
    y = convolved(padded, np.flip(weights), mode="valid", method=method)
    return y.astype(x.dtype, copy=False)  # as in SciPy, the image decides


def _listed(value: Any, count: int) -> list[Any]:
    return list(value) if np.ndim(value) else [value] * count


def _axes(axes: Any, ndim: int) -> list[int]:
    return list(range(ndim)) if axes is None else [int(a) % ndim for a in np.atleast_1d(axes)]


def _over(axes: list[int], weights: Any, origins: list[int], ndim: int) -> tuple[Any, list[int]]:
    """Weights and origins with an entry for every axis of the image."""
    shape, every = [1] * ndim, [0] * ndim
    for axis, size, origin in zip(axes, weights.shape, origins, strict=True):
        shape[axis], every[axis] = size, origin
    return np.reshape(weights, shape), every


def _refuse_output(original: Any, output: Any) -> None:
    if output is not None:
        raise refused(original, "with output=; use the result")


@stands_for(scipy.ndimage.correlate)
def correlate(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.correlate`: weighted sums of the neighbours; linear in both."""
    _refuse_output(scipy.ndimage.correlate, output)
    x, weights = array(input), array(weights)
    chosen = _axes(axes, x.ndim)
    weights, origins = _over(chosen, weights, _listed(origin, len(chosen)), x.ndim)
    return _correlated(x, weights, mode, cval, origins)


@stands_for(scipy.ndimage.convolve)
def convolve(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.convolve`: the correlation with the weights turned round."""
    _refuse_output(scipy.ndimage.convolve, output)
    x, weights = array(input), array(weights)
    chosen = _axes(axes, x.ndim)
    sizes = zip(_listed(origin, len(chosen)), weights.shape, strict=True)
    origins = [-shift - (size % 2 == 0) for shift, size in sizes]
    weights, every = _over(chosen, np.flip(weights), origins, x.ndim)
    return _correlated(x, weights, mode, cval, every)


@stands_for(scipy.ndimage.correlate1d)
def correlate1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> Any:
    """`scipy.ndimage.correlate1d`: along one axis."""
    _refuse_output(scipy.ndimage.correlate1d, output)
    return _along(array(input), array(weights), axis, mode, cval, origin)


def _along(x: Any, weights: Any, axis: int, mode: str, cval: Any, origin: int = 0) -> Any:
    full, origins = _over([axis % x.ndim], weights, [origin], x.ndim)
    return _correlated(x, full, mode, cval, origins)


@stands_for(scipy.ndimage.convolve1d)
def convolve1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> Any:
    """`scipy.ndimage.convolve1d`: along one axis."""
    _refuse_output(scipy.ndimage.convolve1d, output)
    weights = array(weights)
    origin = -origin - (weights.shape[0] % 2 == 0)
    return _along(array(input), np.flip(weights), axis, mode, cval, origin)


def _gaussian(sigma: Any, order: int, radius: int) -> Any:
    """The kernel exp(-k² / 2σ²), normalised, or its derivative, as SciPy makes it."""
    k = np.arange(-radius, radius + 1)
    values = np.exp(-0.5 / sigma**2 * k**2)
    kernel = values / np.sum(values)
    # The derivative of order n is the kernel times a polynomial q: q → q' - q k / σ².
    q: list[Any] = [1.0]
    for _ in range(order):
        slope = [(j + 1) * q[j + 1] for j in range(len(q) - 1)] + [0.0, 0.0]
        times_k = [0.0, *(-part / sigma**2 for part in q)]
        q = [a + b for a, b in zip(slope, times_k, strict=True)]
    return kernel * sum(part * k.astype(float) ** j for j, part in enumerate(q))


def _blurred(
    x: Any, sigma: Any, axis: int, order: int, mode: str, cval: Any, truncate: float, radius: Any
) -> Any:
    if radius is None:
        radius = int(truncate * float(concrete(sigma)) + 0.5)
    return _along(x, np.flip(_gaussian(sigma, order, radius)), axis, mode, cval)


@stands_for(scipy.ndimage.gaussian_filter1d)
def gaussian_filter1d(
    input: Any,
    sigma: Any,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> Any:
    """`scipy.ndimage.gaussian_filter1d`: differentiable in sigma too, at a constant radius."""
    _refuse_output(scipy.ndimage.gaussian_filter1d, output)
    return _blurred(array(input), sigma, axis, order, mode, cval, truncate, radius)


@stands_for(scipy.ndimage.gaussian_filter)
def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: Any = None,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.gaussian_filter`: one axis after the other."""
    _refuse_output(scipy.ndimage.gaussian_filter, output)
    x = array(input)
    chosen = _axes(axes, x.ndim)
    count = len(chosen)
    options = (_listed(v, count) for v in (array(sigma), order, mode, radius))
    for axis, width, degree, edge, reach in zip(chosen, *options, strict=True):
        if concrete(width) > 1e-15:  # as in SciPy, no width means no filter
            x = _blurred(x, width, axis, degree, edge, cval, truncate, reach)
    return x


@stands_for(scipy.ndimage.uniform_filter1d)
def uniform_filter1d(
    input: Any,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> Any:
    """`scipy.ndimage.uniform_filter1d`: the mean of `size` neighbours."""
    _refuse_output(scipy.ndimage.uniform_filter1d, output)
    return _along(array(input), np.full(size, 1 / size), axis, mode, cval, origin)


@stands_for(scipy.ndimage.uniform_filter)
def uniform_filter(
    input: Any,
    size: Any = 3,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.uniform_filter`: one axis after the other."""
    _refuse_output(scipy.ndimage.uniform_filter, output)
    x = array(input)
    chosen = _axes(axes, x.ndim)
    options = (_listed(v, len(chosen)) for v in (size, mode, origin))
    for axis, width, edge, shift in zip(chosen, *options, strict=True):
        if width > 1:
            x = _along(x, np.full(width, 1 / width), axis, edge, cval, shift)
    return x


def _folded(i: Any, size: int, mode: str) -> Any:
    """Positions beyond the image, brought back into it."""
    if mode == "grid-wrap":
        return i % size
    if mode == "mirror":
        period = max(2 * (size - 1), 1)
        i = i % period
        return np.minimum(i, period - i) if size > 1 else 0 * i
    if mode in ("reflect", "grid-mirror"):
        i = i % (2 * size)
        return np.minimum(i, 2 * size - 1 - i)
    return np.clip(i, 0, size - 1)


_MAPPED = ("nearest", "constant", "grid-constant", "mirror", "reflect", "grid-mirror", "grid-wrap")


@stands_for(scipy.ndimage.map_coordinates)
def map_coordinates(
    input: Any,
    coordinates: Any,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: Any = 0.0,
    prefilter: bool = True,
) -> Any:
    """`scipy.ndimage.map_coordinates` with order 0 or 1: differentiable in image and coordinates.

    >>> import chainrule as cr
    >>> ramp = np.array([0.0, 2.0, 6.0])
    >>> cr.grad(lambda t: map_coordinates(ramp, np.stack([t])[None], order=1)[0])(1.5)
    np.float64(4.0)
    """
    _refuse_output(scipy.ndimage.map_coordinates, output)
    if order > 1 or mode not in _MAPPED:
        raise refused(
            scipy.ndimage.map_coordinates,
            f"with order={order} and mode={mode!r}; use order=1 and one of {', '.join(_MAPPED)}",
        )
    x, places = array(input), array(coordinates)
    plain = concrete(places)
    first = np.floor(plain if order else plain + 0.5).astype(int)
    share = places - first
    total: Any = 0.0
    for corner in itertools.product((0, 1) if order else (0,), repeat=x.ndim):
        weight: Any = 1.0
        index, beyond = [], np.zeros(plain.shape[1:], bool)
        for axis, side in enumerate(corner):
            if order:
                weight = weight * (share[axis] if side else 1 - share[axis])
            i = first[axis] + side
            beyond |= (i < 0) | (i >= x.shape[axis])
            index.append(_folded(i, x.shape[axis], mode))
        values = x[tuple(index)]
        total = total + weight * (np.where(beyond, cval, values) if "constant" in mode else values)
    if mode == "constant":
        last = np.reshape(np.array(x.shape) - 1, (-1,) + (1,) * (plain.ndim - 1))
        total = np.where(np.any((plain < 0) | (plain > last), axis=0), cval, total)
    return total


__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "map_coordinates",
    "uniform_filter",
    "uniform_filter1d",
]

__getattr__, __dir__ = forwarding("scipy.ndimage", __all__)
