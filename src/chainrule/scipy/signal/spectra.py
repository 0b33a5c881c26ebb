"""What is made of Fourier transforms: the analytic signal, resampling, power spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from chainrule.scipy.forwarding import array, refused, stands_for
from chainrule.scipy.signal.smoothing import detrend as without_trend


@stands_for(scipy.signal.hilbert)
def hilbert(x: Any, N: int | None = None, axis: int = -1) -> Any:
    """`scipy.signal.hilbert`: the analytic signal x + i H x, without negative frequencies."""
    x = np.moveaxis(array(x), axis, -1)
    size = x.shape[-1] if N is None else N
    weights = np.zeros(size)
    weights[0] = 1
    weights[1 : (size + 1) // 2] = 2
    if size % 2 == 0:
        weights[size // 2] = 1
    return np.moveaxis(np.fft.ifft(np.fft.fft(x, size) * weights), -1, axis)


@stands_for(scipy.signal.resample)
def resample(
    x: Any, num: int, t: Any = None, axis: int = 0, window: Any = None, domain: str = "time"
) -> Any:
    """`scipy.signal.resample` of real signals: `num` samples of the same band-limited curve."""
    x = array(x)
    if t is not None or window is not None or domain != "time" or x.dtype.kind == "c":
        raise refused(scipy.signal.resample, "with t=, window=, domain= or complex samples")
    x = np.moveaxis(x, axis, -1)
    size = x.shape[-1]
    spectrum = np.fft.rfft(x)
    smaller = min(num, size)
    kept = spectrum[..., : smaller // 2 + 1]
    if smaller % 2 == 0 and num != size:  # the highest frequency is shared by both its signs
        factors = np.ones(smaller // 2 + 1)
        factors[-1] = 0.5 if num > size else 2.0
        kept = kept * factors
    return np.moveaxis(np.fft.irfft(kept, num) * (num / size), -1, axis)


def _segments(x: Any, size: int, step: int) -> Any:
    starts = np.arange(0, x.shape[-1] - size + 1, step)
    return x[..., starts[:, None] + np.arange(size)]


@stands_for(scipy.signal.welch)
def welch(
    x: Any,
    fs: float = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Any, Any]:
    """`scipy.signal.welch` of real signals: the mean periodogram of overlapping segments."""
    x = np.moveaxis(array(x), axis, -1)
    if x.dtype.kind == "c" or not return_onesided or average != "mean" or callable(detrend):
        raise refused(
            scipy.signal.welch, "for complex or two-sided spectra, medians or a detrend function"
        )
    if isinstance(window, str | tuple):
        size = min(256 if nperseg is None else nperseg, x.shape[-1])
        window = scipy.signal.get_window(window, size)
    window = np.asarray(window)
    size = window.shape[0]
    overlap = size // 2 if noverlap is None else noverlap
    length = size if nfft is None else nfft
    parts = _segments(x, size, size - overlap)
    if detrend:
        parts = without_trend(parts, type=detrend)
    spectrum = np.fft.rfft(parts * window, length)
    power = np.real(spectrum) ** 2 + np.imag(spectrum) ** 2
    if scaling == "density":
        scale = 1 / (fs * np.sum(window**2))
    elif scaling == "spectrum":
        scale = 1 / np.sum(window) ** 2
    else:
        raise ValueError(f"Unknown scaling: {scaling!r}")
    twice = np.full(power.shape[-1], 2.0 * scale)
    twice[0] = scale
    if length % 2 == 0:
        twice[-1] = scale
    power = np.mean(power * twice, axis=-2)
    return np.fft.rfftfreq(length, 1 / fs), np.moveaxis(power, -1, axis)


@stands_for(scipy.signal.periodogram)
def periodogram(
    x: Any,
    fs: float = 1.0,
    window: Any = "boxcar",
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
) -> tuple[Any, Any]:
    """`scipy.signal.periodogram` of real signals: |F(x)|² per frequency."""
    x = array(x)
    size = x.shape[axis]
    if nfft is not None and nfft < size:
        raise refused(scipy.signal.periodogram, "with nfft below the number of samples")
    return welch(  # type: ignore[no-any-return]
        x, fs, window, size, 0, nfft, detrend, return_onesided, scaling, axis
    )
