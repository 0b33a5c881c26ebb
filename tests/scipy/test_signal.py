"""Convolution, filters and smoothing: SciPy's values in every mode, and derivatives of all."""

import numpy as np
import pytest
import scipy.signal

from chainrule import errors, grad
from chainrule.scipy import signal

MODES = ("full", "same", "valid")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
@pytest.mark.parametrize("sizes", [(7, 3), (3, 7), (6, 4)])
def test_convolution_of_lines(agrees, rng, name, sizes, mode):
    x, kernel = (rng.normal(size=n) for n in sizes)
    agrees(getattr(signal, name), getattr(scipy.signal, name), x, kernel, mode=mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
@pytest.mark.parametrize("shapes", [((5, 6), (2, 3)), ((5, 6), (3, 4))])
def test_convolution_of_images(agrees, rng, name, boundary, mode, shapes):
    x, kernel = (rng.normal(size=shape) for shape in shapes)
    ours, theirs = getattr(signal, name), getattr(scipy.signal, name)
    agrees(ours, theirs, x, kernel, mode=mode, boundary=boundary)


@pytest.mark.parametrize("name", ["convolve2d", "correlate2d", "convolve", "correlate"])
def test_a_kernel_larger_than_the_image(agrees, rng, name):
    x, kernel = rng.normal(size=(2, 3)), rng.normal(size=(4, 5))
    agrees(getattr(signal, name), getattr(scipy.signal, name), x, kernel, mode="valid")


def test_a_constant_beyond_the_edge(agrees, rng):
    x, kernel = rng.normal(size=(3, 4)), rng.normal(size=(2, 2))
    agrees(signal.convolve2d, scipy.signal.convolve2d, x, kernel, fillvalue=0.7)


@pytest.mark.parametrize("sizes", [(3, 4), (4, 3), (1, 3), (3, 1), (2, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_filter_with_and_without_a_state(agrees, rng, sizes, axis):
    b = rng.normal(size=sizes[0])
    a = rng.uniform(-0.3, 0.3, size=sizes[1]) + 2.0 * (np.arange(sizes[1]) == 0)
    x = rng.normal(size=(2, 9)) if axis else rng.normal(size=(9, 2))
    agrees(signal.lfilter, scipy.signal.lfilter, b, a, x, axis=axis)
    order = max(sizes) - 1
    state = rng.normal(size=(2, order) if axis else (order, 2))

    def ours(b, a, x, zi):
        return signal.lfilter(b, a, x, axis, zi)

    agrees(ours, lambda b, a, x, zi: scipy.signal.lfilter(b, a, x, axis, zi), b, a, x, state)


def test_a_state_longer_than_the_signal(agrees, rng):
    def filtered(module):
        return lambda b, a, x, zi: module.lfilter(b, a, x, zi=zi)

    b, a = scipy.signal.butter(4, 0.3)
    state = rng.normal(size=4)
    agrees(filtered(signal), filtered(scipy.signal), b, a, rng.normal(size=2), state)


def _sections(c):
    """Second-order sections from what may vary in them: a[0] has to be 1."""
    return np.concatenate([c[:, :3], np.ones((len(c), 1)), c[:, 3:]], axis=1)


def test_sections(agrees, rng):
    free = np.delete(scipy.signal.butter(5, 0.2, output="sos"), 3, axis=1)
    x, state = rng.normal(size=(2, 9)), rng.normal(size=(3, 2, 2))

    def plain(module):
        return lambda c, x: module.sosfilt(_sections(c), x)

    agrees(plain(signal), plain(scipy.signal), free, x)
    for axis, signals in ((1, x), (0, x.T)):
        start = state if axis else np.moveaxis(state, 2, 1)

        def filtered(module, axis=axis):
            return lambda c, x, zi: module.sosfilt(_sections(c), x, axis, zi)

        agrees(filtered(signal), filtered(scipy.signal), free, signals, start)


@pytest.mark.parametrize("padtype", ["odd", "even", "constant", None])
def test_forwards_and_backwards(agrees, rng, padtype):
    b, a = scipy.signal.butter(2, 0.3)
    x = rng.normal(size=(2, 14))
    agrees(signal.filtfilt, scipy.signal.filtfilt, b, a, x, padtype=padtype)


def test_initial_state_and_frequency_response(agrees):
    b, a = scipy.signal.butter(3, 0.3)
    agrees(signal.lfilter_zi, scipy.signal.lfilter_zi, b, a)
    agrees(signal.lfilter_zi, scipy.signal.lfilter_zi, b[:2], a[:2])
    agrees(lambda b, a: signal.freqz(b, a, 8)[1], lambda b, a: scipy.signal.freqz(b, a, 8)[1], b, a)


@pytest.mark.parametrize("mode", ["interp", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("deriv", [0, 1])
def test_local_polynomials(agrees, rng, mode, deriv):
    options = {"window_length": 5, "polyorder": 3, "deriv": deriv, "delta": 0.5, "mode": mode}
    x = rng.normal(size=(2, 9))
    agrees(signal.savgol_filter, scipy.signal.savgol_filter, x, **options)
    agrees(signal.savgol_filter, scipy.signal.savgol_filter, x.T, axis=0, **options)


@pytest.mark.parametrize("options", [{}, {"type": "constant", "axis": 0}, {"bp": [4]}])
def test_trends(agrees, rng, options):
    agrees(signal.detrend, scipy.signal.detrend, rng.normal(size=(3, 9)), **options)


def test_a_long_filter_costs_what_it_costs_forwards(rng):
    """100,000 samples: a cotangent by unrolling would take minutes and gigabytes."""
    b, a = scipy.signal.butter(4, 0.1)
    x = rng.normal(size=100_000)
    g = grad(lambda a: np.sum(signal.lfilter(b, a, x) ** 2))(a)
    h = 1e-6 * np.eye(5)[2]
    expected = sum(
        sign * np.sum(scipy.signal.lfilter(b, a + sign * h, x) ** 2) / 2e-6 for sign in (1, -1)
    )
    np.testing.assert_allclose(g[2], expected, rtol=1e-5)  # h² of a central difference


def test_what_has_no_rule_says_so(rng):
    x = rng.normal(size=9)
    np.testing.assert_array_equal(signal.medfilt(x), scipy.signal.medfilt(x))
    with pytest.raises(errors.UnsupportedError, match=r"scipy\.signal\.medfilt at test_signal"):
        grad(lambda x: np.sum(signal.medfilt(x)))(x)
    with pytest.raises(errors.UnsupportedError, match="method='pad'"):
        grad(lambda x: np.sum(signal.filtfilt([1.0], [1.0, 0.5], x, method="gust")))(x)
    assert "medfilt" in dir(signal)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        signal.nothing  # noqa: B018  the attribute is asked for


def test_shapes_that_do_not_fit_name_the_line(rng):
    with pytest.raises(errors.ShapeError, match=r"test_signal\.py"):
        grad(lambda x: np.sum(signal.convolve(x, np.ones((2, 2)))))(rng.normal(size=3))
