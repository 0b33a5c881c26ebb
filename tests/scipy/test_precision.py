"""Single precision stays where SciPy keeps it, and the gradient always has its variable's dtype."""

import numpy as np
import pytest
import scipy

from chainrule import grad, vjp
from chainrule.scipy import fft, integrate, interpolate, ndimage, signal
from chainrule.scipy.spatial import distance

NODES = np.arange(5.0)
X = np.linspace(0.1, 2.0, 5, dtype=np.float32)
POLE = np.array([1.0, -0.5], np.float32)


def decay(module):
    return lambda y: module.solve_ivp(lambda t, y: -y, (0.0, 1.0), y).y


CALLS = {
    "convolve": (signal.convolve, scipy.signal.convolve, (X, X)),
    "lfilter": (signal.lfilter, scipy.signal.lfilter, (X, POLE, X)),
    "lfilter of plain coefficients": (
        lambda x: signal.lfilter([1.0], [1.0, -0.5], x),
        lambda x: scipy.signal.lfilter([1.0], [1.0, -0.5], x),
        (X,),
    ),
    "dct": (fft.dct, scipy.fft.dct, (X,)),
    "gaussian": (
        lambda x: ndimage.gaussian_filter(x, 1.0),
        lambda x: scipy.ndimage.gaussian_filter(x, 1.0),
        (X,),
    ),
    "trapezoid": (integrate.trapezoid, scipy.integrate.trapezoid, (X,)),
    "solve_ivp": (decay(integrate), decay(scipy.integrate), (X,)),
    "spline": (
        lambda y: interpolate.CubicSpline(NODES, y)(1.5),
        lambda y: scipy.interpolate.CubicSpline(NODES, y)(1.5),
        (X,),
    ),
    "b-spline": (
        lambda y: interpolate.make_interp_spline(NODES, y)(1.5),
        lambda y: scipy.interpolate.make_interp_spline(NODES, y)(1.5),
        (X,),
    ),
    "euclidean": (distance.euclidean, scipy.spatial.distance.euclidean, (X, X[::-1])),
}


@pytest.mark.parametrize("name", CALLS)
def test_dtypes_are_those_of_scipy(name):
    ours, theirs, arrays = CALLS[name]
    traced, _ = vjp(ours, *arrays)
    expected = np.asarray(theirs(*arrays))
    assert traced.dtype == expected.dtype
    np.testing.assert_allclose(traced, expected, rtol=2e-6)  # single precision, a few operations
    g = grad(lambda *xs: np.sum(ours(*xs)))(*arrays)
    assert g.dtype == np.float32
