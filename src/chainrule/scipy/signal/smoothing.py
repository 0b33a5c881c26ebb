"""Smoothing and trends along one axis: each is linear in the signal."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.signal

from chainrule.scipy.forwarding import array, stands_for
from chainrule.scipy.signal.convolution import convolved

_PADDING = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


def along_last(x: Any, kernel: Any) -> Any:
    """The valid convolution of every line with a plain kernel."""
    lines = np.reshape(x, (-1, x.shape[-1]))
    y = convolved(lines, kernel[None, :], mode="valid", method="direct")
    return np.reshape(y, (*x.shape[:-1], y.shape[-1]))


def _edges(x: Any, window: int, polyorder: int, deriv: int, delta: float) -> tuple[Any, Any]:
    """The first and last half window of the fit of one polynomial to either end."""
    positions = np.arange(window, dtype=float)
    fit = np.linalg.pinv(np.vander(positions, polyorder + 1, increasing=True))
    half = window // 2
    found = []
    for start, at in ((0, positions[:half]), (x.shape[-1] - window, positions[window - half :])):
        powers = np.zeros((half, polyorder + 1))
        for k in range(deriv, polyorder + 1):
            factor = np.prod(np.arange(k - deriv + 1, k + 1))
            powers[:, k] = factor * at ** (k - deriv)
        found.append(x[..., start : start + window] @ (powers @ fit).T / delta**deriv)
    return found[0], found[1]


@stands_for(scipy.signal.savgol_filter)
def savgol_filter(
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: str = "interp",
    cval: float = 0.0,
) -> Any:
    """`scipy.signal.savgol_filter`: the value, or a derivative, of local polynomial fits.

    >>> import chainrule as cr
    >>> cr.grad(lambda x: savgol_filter(x, 3, 1)[1])(np.zeros(3)).round(12)
    array([0.33333333, 0.33333333, 0.33333333])
    """
    x = np.moveaxis(array(x), axis, -1)
    kernel = scipy.signal.savgol_coeffs(window_length, polyorder, deriv=deriv, delta=delta)
    half = window_length // 2
    if mode == "interp":
        if window_length > x.shape[-1]:
            raise ValueError("with mode='interp' window_length must not exceed the size of x")
        if window_length % 2 == 0:
            raise ValueError("window_length must be odd")
        first, last = _edges(x, window_length, polyorder, deriv, delta)
        y = np.concatenate([first, along_last(x, kernel), last], axis=-1)
    elif mode in _PADDING:
        widths = [(0, 0)] * (x.ndim - 1) + [(half, half)]
        options = {"constant_values": cval} if mode == "constant" else {}
        y = along_last(np.pad(x, widths, mode=_PADDING[mode], **options), kernel)  # type: ignore[call-overload]
    else:
        raise ValueError(f"mode must be 'interp' or one of {sorted(_PADDING)}, not {mode!r}")
    return np.moveaxis(y, -1, axis)


@stands_for(scipy.signal.detrend)
def detrend(
    data: Any, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: bool = False
) -> Any:
    """`scipy.signal.detrend`: less its mean, or less straight lines between the points `bp`."""
    x = np.moveaxis(array(data), axis, -1)
    if type in ("constant", "c"):
        y = x - np.mean(x, axis=-1, keepdims=True)
    elif type in ("linear", "l"):
        ends = np.unique(np.concatenate([[0, x.shape[-1]], np.atleast_1d(bp)]).astype(int))
        parts = []
        for start, stop in itertools.pairwise(ends.tolist()):
            size = stop - start
            trend = np.stack([np.ones(size), np.arange(1, size + 1) / size], axis=1)
            orthonormal = np.linalg.qr(trend)[0]
            part = x[..., start:stop]
            parts.append(part - (part @ orthonormal) @ orthonormal.T)
        y = np.concatenate(parts, axis=-1)
    else:
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    return np.moveaxis(y, -1, axis)
