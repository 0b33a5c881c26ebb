"""Laplacian and diagonal of the Hessian, beside the whole Hessian; runs of the function counted."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def f(x):
    return np.sum(np.exp(x[1:]) * np.sin(x[:-1])) + np.prod(x) + np.linalg.norm(x)


def test_beside_the_whole_hessian(rng):
    x = rng.normal(size=5)
    whole = cr.hessian(f)(x)
    np.testing.assert_allclose(cr.hessian_diagonal(f)(x), np.diag(whole), rtol=1e-12)
    np.testing.assert_allclose(cr.laplacian(f)(x), np.trace(whole), rtol=1e-12)
    np.testing.assert_allclose(cr.sparse_hessian(f)(x).diagonal(), np.diag(whole), rtol=1e-12)


def test_a_harmonic_function():
    """log|x| solves Laplace's equation in the plane, 1/|x| in space."""
    x = np.array([0.3, -1.2, 0.7])
    assert abs(cr.laplacian(lambda x: np.log(np.linalg.norm(x)))(x[:2])) < 1e-14
    assert abs(cr.laplacian(lambda x: 1 / np.linalg.norm(x))(x)) < 1e-14


def test_trees_argnums_and_results_that_are_trees(rng):
    def g(p, s, n):
        return {"a": p["w"] * s**n, "b": np.sum(p["w"] ** 2) * s}

    p, s = {"w": rng.normal(size=3), "k": 2}, 1.5
    both = cr.laplacian(g, argnums=(0, 1))(p, s, 3)
    np.testing.assert_allclose(both["a"], p["w"] * 6 * s)
    np.testing.assert_allclose(both["b"], 2 * 3 * s)
    diagonal = cr.hessian_diagonal(lambda p: np.sum(p["w"] ** p["k"]))(p)
    np.testing.assert_allclose(diagonal["w"], [2, 2, 2])
    assert diagonal["k"] is None


def test_inside_other_transforms(rng):
    x = rng.normal(size=3)

    def energy(x):
        return np.sum(x**4)

    np.testing.assert_allclose(cr.grad(cr.laplacian(energy))(x), 24 * x)
    np.testing.assert_allclose(cr.jacobian(cr.hessian_diagonal(energy))(x), np.diag(24 * x))
    np.testing.assert_allclose(
        cr.grad(lambda a: cr.laplacian(lambda x: a * np.sum(x**3))(x))(2.0), 6 * np.sum(x)
    )
    assert float(cr.laplacian(cr.laplacian(energy))(x)) == 72


def test_the_function_runs_once_per_variable():
    calls = []

    def counted(x):
        calls.append(1)
        return np.sum(x**3)

    cr.laplacian(counted)(np.ones(7))
    assert len(calls) == 7


def test_no_variables_and_single_precision():
    assert float(cr.laplacian(lambda x: np.sum(x**2))(np.ones(0))) == 0
    assert cr.hessian_diagonal(lambda x: np.sum(x**2))(np.ones(0)).shape == (0,)
    assert cr.laplacian(lambda x: np.sum(x**2))(np.ones(2, np.float32)).dtype == np.float32


def test_what_is_refused():
    with pytest.raises(errors.OutputError, match="one number"):
        cr.hessian_diagonal(np.sin)(np.ones(2))
    with pytest.raises(errors.OutputError, match="complex"):
        cr.laplacian(lambda z: np.abs(z) ** 2)(1j)
