"""Central differences against calculus, in the dtype and the structure of the arguments."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

# ε^(2/3) is 4e-11 for float64: what a central difference with the default step leaves, times the
# size of the third derivative.
CENTRAL = 1e-9


def test_against_calculus(rng):
    x = rng.uniform(0.5, 2.0, size=(3, 2))
    got = cr.numerical_gradient(lambda x: np.sum(np.log(x) + x**3))(x)
    np.testing.assert_allclose(got, 1 / x + 3 * x**2, rtol=CENTRAL)


def test_a_python_number_gives_a_python_number():
    slope = cr.numerical_gradient(lambda x: x**2)(3.0)
    assert type(slope) is float
    assert slope == pytest.approx(6.0, rel=CENTRAL)


def test_the_step_is_the_one_that_was_chosen():
    """((x + h)³ - (x - h)³) / 2h = 3x² + h² exactly, and in binary fractions to the last bit."""
    assert cr.numerical_gradient(lambda x: x**3, step=0.25)(2.0) == 12.0625
    assert cr.numerical_gradient(lambda x: x**3, step=0.5)(2.0) == 12.25


def test_the_default_step_grows_with_the_number():
    """At 1e6 a step of 6e-6 would leave nothing of cos; one of 6e-6 · 1e6 is right for x²."""
    assert cr.numerical_gradient(lambda x: x**2)(1e6) == pytest.approx(2e6, rel=CENTRAL)
    assert cr.numerical_gradient(np.sin)(1e-9) == pytest.approx(1.0, rel=CENTRAL)


def test_trees_keep_their_structure_and_whole_numbers_have_none():
    def loss(parameters, x):
        return np.sum((x @ parameters["W"] + parameters["b"]) ** 2) * parameters["power"]

    W, b, x = np.array([[1.0, 2.0]]), np.array([0.5, 0.0]), np.array([[3.0], [1.0]])
    got = cr.numerical_gradient(loss)({"W": W, "b": b, "power": 2}, x)
    residual = x @ W + b
    np.testing.assert_allclose(got["W"], 4 * x.T @ residual, rtol=CENTRAL)
    np.testing.assert_allclose(got["b"], 4 * residual.sum(axis=0), rtol=CENTRAL)
    assert got["power"] is None


def test_argnums_choose_the_arguments():
    def f(x, y):
        return x * y**2

    assert cr.numerical_gradient(f, 1)(3.0, 2.0) == pytest.approx(12.0, rel=CENTRAL)
    both = cr.numerical_gradient(f, (0, 1))(3.0, 2.0)
    assert both == pytest.approx((4.0, 12.0), rel=CENTRAL)
    with pytest.raises(errors.ArgnumsError, match="argnums=2"):
        cr.numerical_gradient(f, 2)(3.0, 2.0)


def test_complex_arguments_give_the_slopes_of_both_parts():
    """f = Re(z)² + 3 Im(z): ∂/∂Re + i ∂/∂Im = 2 Re(z) + 3i."""
    z = np.array([1.0 + 2.0j, -3.0 + 0.5j])
    got = cr.numerical_gradient(lambda z: np.sum(np.real(z) ** 2 + 3 * np.imag(z)))(z)
    np.testing.assert_allclose(got, 2 * z.real + 3j, rtol=CENTRAL)


def test_single_precision_is_stepped_and_evaluated_in_single_precision():
    seen = []

    def f(x):
        seen.append(x.dtype)
        return np.sum(x**3)

    x = np.array([1.0, -2.0], np.float32)
    got = cr.numerical_gradient(f)(x)
    assert set(seen) == {np.dtype(np.float32)}
    assert got.dtype == np.float32
    # ε^(2/3) of float32 is 2e-5
    np.testing.assert_allclose(got, 3 * x**2, rtol=2e-4)
    assert not np.array_equal(got, 3 * x**2)


def test_the_arguments_are_left_as_they_were():
    x = np.array([1.0, 2.0])
    cr.numerical_gradient(np.sum)(x)
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_agrees_with_grad_on_a_function_that_reads_its_values():
    def f(x):
        return x**2 if x > 1 else -x

    for point in (0.5, 2.0):
        assert cr.numerical_gradient(f)(point) == pytest.approx(cr.grad(f)(point), rel=CENTRAL)


def test_what_has_no_gradient_is_told():
    with pytest.raises(errors.OutputError, match=r"returns an array of shape \(2,\).*np\.sum"):
        cr.numerical_gradient(lambda x: x)(np.ones(2))
    with pytest.raises(errors.OutputError, match=r"complex number.*np\.real"):
        cr.numerical_gradient(lambda z: z)(1.0 + 1.0j)
    with pytest.raises(errors.OutputError, match="returns 'three'"):
        cr.numerical_gradient(lambda x: "three")(1.0)
    with pytest.raises(errors.InputError, match=r"test_numerical_gradient\.py:"):
        cr.numerical_gradient(lambda x: x)(3)
