"""A tree as one vector and back."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def test_there_and_back(rng):
    tree = {"a": [rng.normal(size=(2, 3)), 1.5], "k": 3, "name": "x", "empty": np.zeros((0, 2))}
    vector, unflatten = cr.flatten(tree)
    assert vector.shape == (7,)
    again = unflatten(vector)
    np.testing.assert_array_equal(again["a"][0], tree["a"][0])
    assert again["a"][1] == 1.5
    assert (again["k"], again["name"], again["empty"].shape) == (3, "x", (0, 2))


def test_derivatives_pass_both_ways(rng):
    tree = {"w": rng.normal(size=(2, 2)), "b": 0.5}

    def f(p):
        return np.sum(p["w"] ** 2) * p["b"]

    vector, unflatten = cr.flatten(tree)
    expected, _ = cr.flatten(cr.grad(f)(tree))
    np.testing.assert_allclose(cr.grad(lambda v: f(unflatten(v)))(vector), expected)
    got = cr.grad(lambda p: np.sum(cr.flatten(p)[0] ** 3))(tree)
    np.testing.assert_allclose(got["w"], 3 * tree["w"] ** 2)
    assert cr.hessian(lambda v: f(unflatten(v)))(vector).shape == (5, 5)


def test_each_leaf_keeps_its_dtype():
    vector, unflatten = cr.flatten([np.ones(2, np.float32), np.ones(1)])
    assert vector.dtype == np.float64
    assert [leaf.dtype for leaf in unflatten(vector)] == [np.float32, np.float64]
    assert cr.flatten([np.ones(2, np.float32)])[0].dtype == np.float32


def test_nothing_to_flatten():
    vector, unflatten = cr.flatten({"k": 3})
    assert vector.shape == (0,)
    assert unflatten(vector) == {"k": 3}


def test_what_is_refused():
    with pytest.raises(errors.InputError, match="real and complex"):
        cr.flatten([1.0, 1j])
    with pytest.raises(errors.ShapeError, match="a tree of 2 numbers"):
        cr.flatten(np.ones(2))[1](np.ones(3))


def test_the_vector_is_an_array_of_its_own():
    x = np.ones(2)
    vector, _ = cr.flatten(x)
    vector[0] = 5.0
    assert x[0] == 1.0
