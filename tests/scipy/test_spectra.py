"""What is made of Fourier transforms: SciPy's values, and derivatives of both parts."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from chainrule import errors, grad
from chainrule.scipy import fft, signal

TRANSFORMS = ("fft", "ifft", "rfft", "ihfft", "irfft", "hfft", "fftn", "rfft2", "fftshift")


@pytest.mark.parametrize("name", TRANSFORMS)
def test_fourier_transforms_of_scipy(agrees, rng, name):
    agrees(getattr(fft, name), getattr(scipy.fft, name), rng.normal(size=(3, 4)))
    if name != "fftshift":
        options = {"norm": "ortho", "workers": 1}
        agrees(getattr(fft, name), getattr(scipy.fft, name), rng.normal(size=(3, 4)), **options)


@pytest.mark.parametrize("size", [6, 7])
def test_analytic_signals(agrees, rng, size):
    x = rng.normal(size=(2, size))
    agrees(signal.hilbert, scipy.signal.hilbert, x)
    agrees(signal.hilbert, scipy.signal.hilbert, x, N=8)
    agrees(signal.hilbert, scipy.signal.hilbert, x.T, axis=0)


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize("num", [4, 5, 6, 7, 9, 10])
def test_resampling(agrees, rng, size, num):
    agrees(signal.resample, scipy.signal.resample, rng.normal(size=(size, 2)), num=num)


@pytest.mark.parametrize("scaling", ["density", "spectrum"])
def test_power(agrees, rng, scaling):
    x = rng.normal(size=(2, 19))

    def power(module, name, **options):
        return lambda x: getattr(module, name)(x, fs=2.0, scaling=scaling, **options)[1]

    for name, options in (
        ("welch", {"nperseg": 6}),
        ("welch", {"nperseg": 7, "noverlap": 2, "nfft": 9, "detrend": "linear"}),
        ("periodogram", {}),
        ("periodogram", {"nfft": 24, "detrend": False, "window": "hann"}),
    ):
        agrees(power(signal, name, **options), power(scipy.signal, name, **options), x)
    with pytest.raises(errors.UnsupportedError, match="two-sided"):
        grad(lambda x: np.sum(signal.welch(x, return_onesided=False)[1]))(x)
