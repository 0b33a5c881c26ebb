"""What code from elsewhere brings along: object arrays, lists of argnums, jitter loops."""

from fractions import Fraction

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

P = np.array([0.3, 0.9])


def test_numbers_in_a_constant_object_array_are_numbers():
    X = np.ones((3, 2)).astype(object)
    np.testing.assert_allclose(cr.grad(lambda w: np.sum((X @ w) ** 2))(P), [7.2, 7.2])
    np.testing.assert_allclose(cr.grad(lambda w: np.sum(np.maximum(w, X)))(P), [0.0, 0.0])
    found = cr.grad(lambda w: np.sum(np.sign(np.array([w[0], w[1]])) * w))(P)
    np.testing.assert_allclose(found, [1.0, 1.0])


def test_objects_that_are_no_numbers_are_refused():
    with pytest.raises(errors.ConversionError, match="Python objects"):
        cr.grad(lambda w: np.sum(w * Fraction(1, 2)))(P)
    with pytest.raises(errors.ConversionError, match="Python objects"):
        cr.jvp(lambda w: np.sum(w * Fraction(1, 2)), (P,), (P,))


def test_complex_values_in_a_plain_array_are_refused():
    with pytest.raises(errors.ConversionError, match=r"chainrule\.numpy\.array"):
        cr.grad(lambda w: np.sum(np.array([1j * w[0], w[1]]).imag))(P)


def test_a_doubled_argnum_is_refused_and_a_list_is_taken():
    with pytest.raises(errors.ArgnumsError, match="twice"):
        cr.grad(lambda x, y: x * y, (0, -2))(2.0, 3.0)
    assert cr.grad(lambda x, y: x * y, [0, 1])(2.0, 3.0) == (3.0, 2.0)


def test_elementwise_grad_of_complex_results_is_refused():
    with pytest.raises(errors.OutputError, match="complex"):
        cr.elementwise_grad(lambda z: z**2)(np.array([1 + 2j]))


def test_a_jitter_loop_goes_on_catching_singular_matrices():
    def f(a):
        try:
            return np.sum(np.linalg.cholesky(a))
        except np.linalg.LinAlgError:
            return np.sum(np.linalg.cholesky(a + 5.0 * np.eye(2)))

    a = np.array([[1.0, 2.0], [2.0, 1.0]])
    expected = cr.grad(lambda a: np.sum(np.linalg.cholesky(a + 5.0 * np.eye(2))))(a)
    np.testing.assert_array_equal(cr.grad(f)(a), expected)


def test_equal_infinities_share_in_logaddexp():
    gradient = cr.grad(np.logaddexp, argnums=(0, 1))
    assert gradient(-np.inf, -np.inf) == (0.5, 0.5)
    assert gradient(-np.inf, 1.0) == (0.0, 1.0)
    assert cr.hessian(lambda x: np.logaddexp(x[0], x[1]))(np.zeros(2))[0, 0] == 0.25


def test_mixed_entries_of_an_object_array_get_a_sentence():
    with pytest.raises(errors.ConversionError, match=r"chainrule\.numpy\.array"):
        cr.grad(lambda x: np.sum(np.exp(np.array([x[0], 1.0]))))(P)
    with pytest.raises(errors.ConversionError, match=r"chainrule\.numpy\.array"):
        cr.grad(lambda x: np.linalg.solve(np.array([[x[0], 0], [0, x[1]]]), P)[0])(P)


def test_indices_broadcast_off_the_axis(rng):
    a, order = rng.normal(size=(3, 3)), np.array([[2, 1, 0]])
    value, pull = cr.vjp(lambda x: np.take_along_axis(x, order, axis=-1), a)
    np.testing.assert_array_equal(value, np.take_along_axis(a, order, axis=-1))
    np.testing.assert_array_equal(pull(np.ones((3, 3)))[0], np.ones((3, 3)))


def test_tensordot_refuses_axes_that_numpy_refuses():
    for axes in (([1, 0], [1, 0]), ([5], [0])):
        with pytest.raises(ValueError, match=r"mismatch|out of bounds"):
            cr.grad(lambda x, axes=axes: np.sum(np.tensordot(x, np.ones((4, 2)), axes)))(
                np.ones((3, 4))
            )
    empty = cr.grad(lambda x: np.sum(np.inner(x, np.ones((3, 0)))))(np.ones((2, 0)))
    assert empty.shape == (2, 0)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
def test_rules_do_not_compute_in_the_integers_of_a_constant(dtype):
    c, x = np.array([3, 100, 7]).astype(dtype), np.array([0.5, 1.5, 2.5])
    for f in (np.arctan2, np.hypot, np.multiply, np.divide, lambda x, c: np.arctan2(c, x)):
        expected = cr.grad(lambda x, f=f: np.sum(f(x, c.astype(float))))(x)
        np.testing.assert_allclose(cr.grad(lambda x, f=f: np.sum(f(x, c)))(x), expected)
        slope = cr.jvp(lambda x, f=f: np.sum(f(x, c)), (x,), (np.ones(3),))[1]
        np.testing.assert_allclose(slope, np.sum(expected))
