"""`scipy.signal` with derivatives: convolution, filters, smoothing, spectra.

Every name of `scipy.signal` is here. On plain arrays it is SciPy's own; with traced values the
functions listed in `__all__` have derivatives, and the others refuse with a sentence.

>>> import numpy as np
>>> import chainrule as cr
>>> from chainrule.scipy import signal
>>> x = np.array([1.0, 2.0, 3.0])
>>> cr.grad(lambda b: np.sum(signal.lfilter(b, [1.0, -0.5], x)))(np.array([1.0, 0.0]))
array([7.75, 3.5 ])
"""

from chainrule.scipy.forwarding import forwarding
from chainrule.scipy.signal.convolution import (
    convolve,
    convolve2d,
    correlate,
    correlate2d,
    fftconvolve,
    oaconvolve,
)
from chainrule.scipy.signal.filters import filtfilt, freqz, lfilter, lfilter_zi, sosfilt
from chainrule.scipy.signal.smoothing import detrend, savgol_filter
from chainrule.scipy.signal.spectra import hilbert, periodogram, resample, welch

__all__ = [
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "detrend",
    "fftconvolve",
    "filtfilt",
    "freqz",
    "hilbert",
    "lfilter",
    "lfilter_zi",
    "oaconvolve",
    "periodogram",
    "resample",
    "savgol_filter",
    "sosfilt",
    "welch",
]

__getattr__, __dir__ = forwarding("scipy.signal", __all__)
