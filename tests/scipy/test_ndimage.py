"""Filters over images and interpolation in them: SciPy's values in every mode, derivatives."""

import numpy as np
import pytest
import scipy.ndimage

from chainrule import errors, grad
from chainrule.scipy import ndimage

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["correlate", "convolve"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4)])
def test_filters_with_weights(agrees, rng, name, mode, shape):
    x, weights = rng.normal(size=(5, 6)), rng.normal(size=shape)
    options = {"mode": mode, "cval": 0.4}
    agrees(getattr(ndimage, name), getattr(scipy.ndimage, name), x, weights, **options)
    lines, line = getattr(ndimage, f"{name}1d"), getattr(scipy.ndimage, f"{name}1d")
    agrees(lines, line, x, weights[0], axis=0, **options)


@pytest.mark.parametrize("origin", [-1, 1])
@pytest.mark.parametrize("name", ["correlate", "convolve"])
def test_shifted_weights(agrees, rng, name, origin):
    x = rng.normal(size=(5, 6))
    for size in (3, 4):
        weights = rng.normal(size=(size, size))
        agrees(getattr(ndimage, name), getattr(scipy.ndimage, name), x, weights, origin=origin)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("mode", ["reflect", "constant"])
def test_gaussian_filters(agrees, rng, order, mode):
    x = rng.normal(size=(5, 6))
    options = {"order": order, "mode": mode}

    def one(module):
        return lambda x, sigma: module.gaussian_filter1d(x, sigma, **options)

    agrees(lambda x, s: one(ndimage)(x, s), lambda x, s: one(scipy.ndimage)(x, float(s)), x, 0.83)
    ours, theirs = ndimage.gaussian_filter, scipy.ndimage.gaussian_filter
    agrees(ours, theirs, x, sigma=(0.6, 0.0), **options)
    agrees(ours, theirs, x, sigma=0.8, axes=(1,), radius=2)


def test_means(agrees, rng):
    x = rng.normal(size=(5, 6))
    ours, theirs = ndimage.uniform_filter, scipy.ndimage.uniform_filter
    agrees(ours, theirs, x, size=(3, 2), mode="nearest")
    agrees(ndimage.uniform_filter1d, scipy.ndimage.uniform_filter1d, x, size=3, origin=1)


@pytest.mark.parametrize("mode", ["nearest", "constant", "mirror", "reflect", "grid-wrap"])
def test_coordinates(agrees, rng, mode):
    x = rng.normal(size=(4, 5))
    places = np.array([[0.3, 2.7, 3.2, -0.4, 1.1], [1.2, 3.9, 0.6, 2.2, 4.3]])
    ours, theirs = ndimage.map_coordinates, scipy.ndimage.map_coordinates
    agrees(ours, theirs, x, places, order=1, mode=mode, cval=0.3)

    def steps(module):
        return lambda x: module.map_coordinates(x, places, order=0, mode=mode)

    agrees(steps(ndimage), steps(scipy.ndimage), x)


def test_what_is_refused(rng):
    x = rng.normal(size=(4, 5))
    with pytest.raises(errors.UnsupportedError, match="use order=1"):
        grad(lambda x: ndimage.map_coordinates(x, np.ones((2, 1)))[0])(x)
    with pytest.raises(errors.UnsupportedError, match=r"scipy\.ndimage\.median_filter at"):
        grad(lambda x: np.sum(ndimage.median_filter(x, 3)))(x)
    with pytest.raises(errors.UnsupportedError, match="with output="):
        grad(lambda x: np.sum(ndimage.correlate1d(x, [1.0], output=float)))(x)
    np.testing.assert_array_equal(ndimage.median_filter(x, 3), scipy.ndimage.median_filter(x, 3))
