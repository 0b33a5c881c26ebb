"""Integrals of functions and of samples against closed forms, SciPy and differences."""

import numpy as np
import pytest
import scipy.integrate

from chainrule import check_grads, errors, grad, hessian, vmap
from chainrule.scipy import integrate


def test_ends_and_parameters_of_quad():
    def integral(a, b, k):
        return integrate.quad(lambda x: np.sin(k[0] * x) * np.exp(-k[1] * x), a, b)[0]

    check_grads(integral, (0.1, 2.0, np.array([1.0, 0.3])))


def test_an_infinite_range_and_its_second_derivative():
    """∫ exp(-k x²) = √(π / k), to ten digits: quad is asked for eight and gives more."""

    def gauss(k):
        return integrate.quad(lambda x, k: np.exp(-k * x * x), -np.inf, np.inf, args=(k,))[0]

    exact = np.sqrt(np.pi)
    np.testing.assert_allclose(grad(gauss)(2.0), -0.5 * exact * 2.0**-1.5, rtol=1e-10)
    np.testing.assert_allclose(hessian(gauss)(2.0), 0.75 * exact * 2.0**-2.5, rtol=1e-10)


def test_points_and_full_output():
    def bent(k):
        value, _, report = integrate.quad(
            lambda x: k * np.abs(x - 0.5), 0.0, 1.0, points=[0.5], full_output=1
        )
        assert report["neval"] > 0
        return value

    np.testing.assert_allclose(grad(bent)(3.0), 0.25, rtol=1e-12)


def test_double_integrals():
    def double(k, b):
        return integrate.dblquad(
            lambda y, x: np.exp(-k * x * y), 0.0, b, lambda x: 0 * x, lambda x: k * x
        )[0]

    h = 1e-3
    for k, slope in enumerate(grad(double, argnums=(0, 1))(0.7, 1.2)):
        step = h * np.eye(2)[k]
        ends = [double(*(np.array([0.7, 1.2]) + m * step)) for m in (1, -1, 2, -2)]
        expected = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * h)
        np.testing.assert_allclose(slope, expected, rtol=1e-9)
    plain = integrate.dblquad(lambda y, x: x * y, 0.0, 1.0, 0.0, 1.0)
    assert plain == scipy.integrate.dblquad(lambda y, x: x * y, 0.0, 1.0, 0.0, 1.0)


def test_vectors_and_gauss_legendre():
    def several(k, b):
        return integrate.quad_vec(lambda x: np.exp(-k * x), 0.0, b)[0]

    check_grads(several, (np.array([0.7, 1.0]), 1.2))

    def fixed(k, a, b):
        return integrate.fixed_quad(lambda x: np.exp(-k * x), a, b, n=7)[0]

    check_grads(fixed, (0.7, 0.1, 1.2))
    assert (
        fixed(0.7, 0.1, 1.2)
        == scipy.integrate.fixed_quad(lambda x: np.exp(-0.7 * x), 0.1, 1.2, n=7)[0]
    )
    with pytest.raises(ValueError, match="finite limits"):
        integrate.fixed_quad(np.exp, 0.0, np.inf)


HELD = {}


def test_what_would_lose_a_derivative_is_refused():
    def integral(k):
        HELD["k"] = k
        return integrate.quad(lambda x: HELD["k"] * x, 0.0, 1.0)[0]

    with pytest.raises(errors.InputError, match="pass it as an argument"):
        grad(integral)(1.0)
    with pytest.raises(errors.UnsupportedError, match="weight"):
        grad(lambda k: integrate.quad(lambda x: k, 0.0, 1.0, weight="cos", wvar=2.0)[0])(1.0)


def test_nothing_traced_is_scipys_own():
    assert integrate.quad(np.exp, 0.0, 1.0) == scipy.integrate.quad(np.exp, 0.0, 1.0)


UNEVEN = np.array([0.0, 0.3, 1.0, 1.2, 2.0, 2.1, 3.3])


@pytest.mark.parametrize("name", ["trapezoid", "simpson", "cumulative_trapezoid"])
@pytest.mark.parametrize("size", [2, 3, 4, 6, 7])
def test_samples_and_their_places(agrees, rng, name, size):
    ours, theirs = getattr(integrate, name), getattr(scipy.integrate, name)
    y = rng.normal(size=(2, size))
    agrees(lambda y, x: ours(y, x), lambda y, x: theirs(y, x), y, UNEVEN[:size])
    agrees(lambda y, x: ours(y, x=x), lambda y, x: theirs(y, x=x), y, UNEVEN[:size] + 0 * y)
    agrees(lambda y: ours(y.T, dx=0.3, axis=0), lambda y: theirs(y.T, dx=0.3, axis=0), y)


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_cumulative_parabolas(agrees, rng, size):
    ours, theirs = integrate.cumulative_simpson, scipy.integrate.cumulative_simpson
    y = rng.normal(size=(2, size))
    agrees(lambda y, x: ours(y, x=x), lambda y, x: theirs(y, x=x), y, UNEVEN[:size])
    agrees(ours, theirs, y, dx=0.3, initial=0.5)
    agrees(lambda y: ours(y.T, axis=0), lambda y: theirs(y.T, axis=0), y)


def test_extrapolation(agrees, rng):
    for size in (2, 3, 9):
        agrees(integrate.romb, scipy.integrate.romb, rng.normal(size=(2, size)), dx=0.3)
    with pytest.raises(errors.ShapeError, match="power of 2"):
        grad(lambda y: integrate.romb(y))(rng.normal(size=4))


def test_many_examples_at_once():
    def integral(k):
        return integrate.quad(lambda x: np.exp(-k * x), 0.0, 1.0)[0]

    k = np.array([1.0, 2.0])
    np.testing.assert_allclose(vmap(integral)(k), (1 - np.exp(-k)) / k)
    slopes = np.exp(-k) / k - (1 - np.exp(-k)) / k**2
    np.testing.assert_allclose(vmap(grad(integral))(k), slopes)
