"""⟨g, J t⟩ = ⟨Jᵀ g, t⟩, for trees, complex numbers and functions of many outputs."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

# Sums of at most a few hundred terms in float64, relative to the sum of their absolute values.
ROUNDING = 1e-14


def test_trees_in_and_out(rng):
    def layer(parameters, x):
        hidden = np.tanh(x @ parameters["W"] + parameters["b"])
        return {"hidden": hidden, "loss": np.sum(hidden**2), "count": len(x)}

    parameters = {"W": rng.normal(size=(4, 5)), "b": np.zeros(5)}
    assert cr.dot_product_test(layer, (parameters, rng.normal(size=(6, 4)))) < ROUNDING


def test_complex_numbers_that_are_not_holomorphic(rng):
    z = rng.normal(size=7) + 1j * rng.normal(size=7)

    def f(z, x):
        return np.abs(z) ** 2 * x, z * np.conj(z[::-1]), np.real(z) + x

    assert cr.dot_product_test(f, (z, rng.normal(size=7))) < ROUNDING


def test_it_is_relative_to_the_terms_and_not_to_their_sum():
    """J = 1e8 (1, -1): the terms nearly cancel for t = (1, 1), rounding stays small beside them."""

    def f(x):
        return 1e8 * x[0] - 1e8 * x[1]

    assert cr.dot_product_test(f, (np.array([3.0, 3.0]),)) < ROUNDING


def test_a_constant_has_no_mismatch():
    assert cr.dot_product_test(lambda x: np.zeros(3), (np.ones(2),)) == 0.0


def test_the_generator_is_the_callers(rng):
    x = rng.normal(size=50)

    def f(x):
        return np.sin(x) * x[::-1]

    first = cr.dot_product_test(f, (x,), rng=np.random.default_rng(1))
    again = cr.dot_product_test(f, (x,), rng=np.random.default_rng(1))
    other = cr.dot_product_test(f, (x,), rng=np.random.default_rng(2))
    assert first == again
    assert max(first, other) < ROUNDING


def test_what_cannot_be_tested_is_told():
    with pytest.raises(errors.OutputError, match="returns no floating point number"):
        cr.dot_product_test(lambda x: x > 0, (np.ones(2),))
    with pytest.raises(errors.InputError, match=r"one tuple, such as \(x,\)"):
        cr.dot_product_test(np.sin, np.ones(2))
    with pytest.raises(errors.InputError, match="integers"):
        cr.dot_product_test(np.sin, (np.ones(2, int),))
