"""Imaginary steps: exact to rounding where f is analytic, and never silent where it is not."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def test_against_calculus_to_the_last_bits(rng):
    x = rng.uniform(0.5, 2.0, size=5)
    got = cr.complex_step(lambda x: np.sum(np.exp(x) / np.sqrt(x)))(x)
    np.testing.assert_allclose(got, np.exp(x) / np.sqrt(x) * (1 - 0.5 / x), rtol=4e-15)


def test_the_classic_example_of_squire_and_trapp():
    """d/dx of x^(9/2) at 1.5 is 9/2 · 1.5^(7/2), where central differences leave ten digits."""
    assert cr.complex_step(lambda x: x**4.5)(1.5) == pytest.approx(4.5 * 1.5**3.5, rel=1e-15)


def test_a_step_of_the_callers_choice_has_the_error_of_its_square():
    """Im (x + ih)³ / h = 3x² - h²."""
    assert cr.complex_step(lambda x: x**3, step=0.5)(2.0) == 11.75


def test_trees_and_argnums():
    def f(tree, y):
        return np.sum(tree["a"] * y) + tree["b"] ** 2

    tree = {"a": np.array([1.0, 2.0]), "b": 3.0}
    got = cr.complex_step(f)(tree, 2.0)
    np.testing.assert_array_equal(got["a"], [2.0, 2.0])
    assert got["b"] == 6.0
    assert cr.complex_step(f, 1)(tree, 2.0) == 3.0


def test_single_precision_stays():
    got = cr.complex_step(lambda x: np.sum(x**2))(np.array([1.0, 2.0], np.float32))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, [2.0, 4.0])


def test_what_drops_the_imaginary_part_is_told():
    with pytest.raises(errors.OutputError, match=r"real number.*numerical_gradient"):
        cr.complex_step(lambda x: np.abs(x))(2.0)
    with pytest.raises(errors.OutputError, match=r"shape \(2,\)"):
        cr.complex_step(lambda x: x)(np.ones(2))
    with pytest.raises(errors.InputError, match=r"complex argument; numerical_gradient"):
        cr.complex_step(lambda z: z)(1.0 + 1.0j)
