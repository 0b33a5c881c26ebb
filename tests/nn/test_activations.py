"""Activations against SciPy, closed forms and finite differences."""

import numpy as np
import pytest
import scipy.special

import chainrule as cr
from chainrule import nn

ALL = {
    "relu": nn.relu,
    "sigmoid": nn.sigmoid,
    "tanh": nn.tanh,
    "softmax": nn.softmax,
    "log_softmax": nn.log_softmax,
}
each = pytest.mark.parametrize("activation", ALL.values(), ids=ALL.keys())


@each
def test_derivatives_agree_with_finite_differences_in_both_modes_and_orders(activation, rng):
    # Away from 0, where relu bends: steps of finite differences are below 1e-2.
    x = rng.uniform(0.1, 2.0, (3, 4)) * rng.choice([-1, 1], (3, 4))
    cr.check_grads(activation, (x,), order=2)


@each
def test_float32_stays_float32_in_values_and_gradients(activation, rng):
    x = rng.standard_normal((3, 4)).astype(np.float32)
    assert activation(x).dtype == np.float32
    value, gradient = cr.value_and_grad(lambda x: np.sum(activation(x)))(x)
    assert value.dtype == np.float32
    assert gradient.dtype == np.float32


@each
def test_nan_is_never_hidden(activation):
    assert np.isnan(activation(np.array([np.nan, 1.0]))[0])


def test_relu_values():
    x = np.array([-np.inf, -2.0, -0.0, 0.0, 3.0, np.inf])
    y = nn.relu(x)
    np.testing.assert_array_equal(y, [0, 0, 0, 0, 3, np.inf])
    assert not np.signbit(y).any()


def test_relu_has_derivative_zero_at_zero():
    x = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(cr.elementwise_grad(nn.relu)(x), [0, 0, 1])
    _, tangent = cr.jvp(nn.relu, (x,), (np.ones(3),))
    np.testing.assert_array_equal(tangent, [0, 0, 1])


def test_an_inactive_relu_stops_an_infinite_cotangent():
    # d√relu(x) is ∞ · 0 at x ≤ 0: nothing may come out but 0.
    gradient = cr.grad(lambda x: np.sum(np.sqrt(nn.relu(x))))(np.array([-1.0, 0.0, 4.0]))
    np.testing.assert_array_equal(gradient, [0, 0, 0.25])


def test_sigmoid_agrees_with_scipy_and_overflows_nowhere():
    x = np.concatenate([np.linspace(-30, 30, 101), [-1e4, -710.0, 710.0, 1e4]])
    # Both terms of 1 + tanh are rounded at the size of 1: an absolute error of one ulp of 1.
    np.testing.assert_allclose(nn.sigmoid(x), scipy.special.expit(x), rtol=0, atol=2.3e-16)
    assert nn.sigmoid(np.float32(-1e4)) == 0


def test_sigmoid_derivative_is_y_times_one_minus_y(rng):
    x = rng.standard_normal(20)
    y = scipy.special.expit(x)
    # A handful of roundings of numbers below 1.
    np.testing.assert_allclose(cr.elementwise_grad(nn.sigmoid)(x), y * (1 - y), rtol=1e-14)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_and_log_softmax_agree_with_scipy(axis, rng):
    x = 10 * rng.standard_normal((4, 3))
    # exp turns a rounding of its argument (below 100, so 1e-14) into a relative error.
    np.testing.assert_allclose(nn.softmax(x, axis), scipy.special.softmax(x, axis), rtol=1e-13)
    expected = scipy.special.log_softmax(x, axis)
    np.testing.assert_allclose(nn.log_softmax(x, axis), expected, rtol=1e-13, atol=1e-15)


def test_softmax_takes_scores_of_any_size():
    x = np.array([[-1e300, 0.0, 1e300], [1e4, 1e4, 1e4]])
    np.testing.assert_array_equal(nn.softmax(x)[0], [0, 0, 1])
    np.testing.assert_allclose(nn.log_softmax(x)[1], -np.log(3), rtol=1e-15)


def test_softmax_jacobian_is_diag_p_minus_p_pt_also_at_ties():
    x = np.array([1.0, 3.0, 3.0, -2.0])  # two largest scores: the shift has a tie here
    p = scipy.special.softmax(x)
    expected = np.diag(p) - np.outer(p, p)
    for mode in ("forward", "reverse"):
        # Sums of four products of numbers below 1.
        np.testing.assert_allclose(cr.jacobian(nn.softmax, mode=mode)(x), expected, atol=1e-15)
