"""The transpose of a linear function against its matrix, and as a rule of a primitive."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import spec_of
from chainrule.passes.transpose import transpose

A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    ("function", "matrix"),
    [
        (lambda t: A @ t, A),
        (lambda t: t[::-1] * 2.0, 2.0 * np.eye(3)[::-1]),
        (lambda t: np.concatenate([t, t]), np.concatenate([np.eye(3)] * 2)),
        (lambda t: np.cumsum(t) - np.sum(t), np.tri(3) - np.ones((3, 3))),
        (lambda t: np.where(np.array([True, False, True]), t, 0.0), np.diag([1.0, 0.0, 1.0])),
    ],
    ids=["matrix", "reversed", "twice", "running sums", "mask"],
)
def test_it_is_the_transposed_matrix(function, matrix, rng):
    g = rng.normal(size=matrix.shape[0])
    got = transpose(function, spec_of(np.zeros(3)), g)
    np.testing.assert_allclose(got, matrix.T @ g, rtol=1e-14, atol=1e-14)


def test_it_does_not_conjugate(rng):
    """The plain transpose, so that rules are written alike for real and complex numbers."""
    matrix = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
    g = rng.normal(size=2) + 1j * rng.normal(size=2)
    got = transpose(lambda t: matrix @ t, spec_of(np.zeros(3, complex)), g)
    np.testing.assert_allclose(got, matrix.T @ g, rtol=1e-14)


def test_twice_is_the_function_itself(rng):
    t = rng.normal(size=3)
    back = transpose(lambda g: transpose(lambda t: A @ t, spec_of(t), g), spec_of(np.zeros(2)), t)
    np.testing.assert_allclose(back, A @ t, rtol=1e-14)


def test_what_does_not_depend_on_its_argument_has_none():
    assert transpose(lambda t: np.ones(2), spec_of(np.zeros(3)), np.ones(2)) is None
    assert transpose(lambda t: None, spec_of(np.zeros(3)), np.ones(2)) is None


def test_the_cotangent_takes_the_dtype_of_the_argument():
    single = spec_of(np.zeros(3, np.float32))
    got = transpose(lambda t: t * np.float32(2.0), single, np.ones(3))
    assert got.dtype == np.float32


def test_it_can_be_differentiated():
    """x ↦ Aᵀ(x) g for A(x) t = x · t: the derivative with respect to x is the slope g."""

    def f(x):
        return np.sum(transpose(lambda t: x * t, spec_of(np.zeros(3)), np.array([1.0, 2.0, 3.0])))

    np.testing.assert_allclose(cr.grad(f)(np.ones(3)), [1.0, 2.0, 3.0])
