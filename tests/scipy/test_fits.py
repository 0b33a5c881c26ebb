"""Least squares fits as functions of their data, against differences and closed forms."""

import numpy as np
import pytest
from scipy import optimize as theirs

import chainrule as cr
from chainrule import errors
from chainrule.scipy import optimize as ours

T = np.linspace(0.0, 2.0, 9)
Y = 2.0 * np.exp(-1.3 * T) + 0.1 * np.cos(7 * T)


def model(t, a, k):
    return a * np.exp(-k * t)


def differences(f, x, h=1e-4):
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)]
    return np.stack(columns, -1)


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
def test_least_squares(loss):
    tight = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}

    def found(y):
        result = ours.least_squares(
            lambda p: model(T, *p) - y, [1.0, 1.0], loss=loss, f_scale=0.07, **tight
        )
        return np.append(result.x, result.cost)

    plain = theirs.least_squares(
        lambda p: model(T, *p) - Y, [1.0, 1.0], loss=loss, f_scale=0.07, **tight
    )
    np.testing.assert_allclose(found(Y)[:2], plain.x, rtol=1e-6)
    np.testing.assert_allclose(found(Y)[2], plain.cost, rtol=1e-10)
    # SciPy stops where the cost no longer falls: x is known to about 1e-7 of what the sensitive
    # parameters move, which differences divide by 1e-4.
    exact = differences(found, Y)
    np.testing.assert_allclose(cr.jacobian(found)(Y), exact, atol=1e-3 * np.max(np.abs(exact)))


def test_large_residuals_need_the_second_derivatives():
    # Gauss and Newton's matrix JᵀJ alone would be wrong by a third here.
    def found(y):
        return ours.least_squares(
            lambda p: np.exp(p[0] * np.array([1.0, 2.0])) - y, [0.1], xtol=1e-15, gtol=1e-15
        ).x[0]

    y = np.array([1.0, 4.0])
    np.testing.assert_allclose(cr.grad(found)(y), differences(found, y), rtol=1e-4)
    np.testing.assert_allclose(
        cr.hessian(found)(y), differences(cr.grad(found), y), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_parameters_on_a_bound_stay_there(method):
    def found(y, top):
        bounds = ([-np.inf, 0.0], [top, np.inf])
        return ours.least_squares(
            lambda p: model(T, *p) - y, [1.0, 1.0], bounds=bounds, method=method, xtol=1e-15
        ).x

    moved = cr.jacobian(found, (0, 1))(Y, 1.5)
    np.testing.assert_allclose(moved[0][0], np.zeros(T.size), atol=1e-12)
    np.testing.assert_allclose(moved[0][1], differences(lambda y: found(y, 1.5)[1], Y), atol=2e-5)
    by_top = (found(Y, 1.5 + 1e-4) - found(Y, 1.5 - 1e-4)) / 2e-4
    np.testing.assert_allclose(moved[1], by_top, atol=1e-4)


def test_curve_fit_gives_the_numbers_of_scipy():
    sigma = 0.1 + 0.05 * T
    matrix = np.diag(sigma**2) + 0.001
    for options in (
        {},
        {"sigma": sigma},
        {"sigma": sigma, "absolute_sigma": True},
        {"sigma": matrix},
    ):
        for extra in ({}, {"bounds": ([0.0, 0.0], [5.0, 4.0])}):
            found = ours.curve_fit(model, T, Y, **options, **extra)
            exact = theirs.curve_fit(model, T, Y, **options, **extra)
            for mine, other in zip(found, exact, strict=True):
                np.testing.assert_allclose(mine, other, rtol=1e-5)


def test_a_fit_moves_with_its_data():
    sigma = 0.1 + 0.05 * T

    def by(f):
        def errors_too(x):
            p, covariance = f(x)
            return np.concatenate([p, np.sqrt(np.diagonal(covariance))])

        return errors_too

    for f, at in (
        (by(lambda y: ours.curve_fit(model, T, y)), Y),
        (by(lambda t: ours.curve_fit(model, t, Y)), T),
        (by(lambda s: ours.curve_fit(model, T, Y, sigma=s, absolute_sigma=True)), sigma),
        (by(lambda c: ours.curve_fit(lambda t, a, k: model(t, a, k) + c[0], T, Y)), np.zeros(1)),
    ):
        np.testing.assert_allclose(cr.jacobian(f)(at), differences(f, at), atol=5e-5)


def test_a_straight_line_has_a_closed_form(rng):
    design = np.stack([T, np.ones(T.size)], 1)
    exact = np.linalg.inv(design.T @ design) @ design.T
    slope = cr.jacobian(lambda y: ours.curve_fit(lambda t, a, b: a * t + b, T, y)[0])(Y)
    np.testing.assert_allclose(slope, exact, atol=1e-9)


def test_linear_least_squares(rng):
    a, b = rng.normal(size=(8, 4)), rng.normal(size=8)
    x, distance = ours.nnls(a, b)
    other, far = theirs.nnls(a, b)
    np.testing.assert_array_equal(x, other)
    assert distance == far
    assert 0 < np.count_nonzero(x) < 4
    for f in (
        lambda b: np.append(*ours.nnls(a, b)),
        lambda s: np.append(*ours.nnls(a * s, b)),
        lambda b: ours.lsq_linear(a, b, bounds=(-0.2, 0.2), method="bvls").x,
        lambda b: ours.lsq_linear(a, b, bounds=(-0.2, 0.2), method="bvls").cost,
        lambda u: ours.lsq_linear(a, b, bounds=(-0.2, u[:4] * 0.1), method="bvls").x,
        lambda b: ours.lsq_linear(a, b).x,
    ):
        at = np.ones(4) if f.__code__.co_varnames[0] in "su" else b
        np.testing.assert_allclose(cr.jacobian(f)(at), differences(f, at), atol=1e-7)


def test_refusals_are_sentences():
    with pytest.raises(errors.SettingError, match="loss is one of"):
        ours.least_squares(lambda x: x, [1.0], loss="cubic")
    with pytest.raises(errors.InputError, match="pass p0"):
        ours.curve_fit(lambda t: t, T, Y)
    with pytest.raises(errors.SettingError, match="leave out jac"):
        ours.least_squares(lambda x: x, [1.0], jac=lambda x: 1.0)
