"""Leading eigenpairs of the Hessian against the whole Hessian."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def loss(x, data):
    return np.sum(np.log(np.cosh(data @ x))) + 0.1 * np.sum(x**4) - 2.0 * x[0] ** 2


@pytest.mark.parametrize("which", ["LM", "LA", "SA"])
def test_they_are_those_of_the_whole_matrix(which, rng):
    data, x = rng.normal(size=(20, 6)), rng.normal(size=6)
    whole, basis = np.linalg.eigh(cr.hessian(loss)(x, data))
    order = np.argsort({"LM": -np.abs(whole), "LA": -whole, "SA": whole}[which])[:3]
    values, vectors = cr.hessian_eigenpairs(loss, 3, which=which)(x, data)
    np.testing.assert_allclose(values, whole[order], rtol=1e-9)
    overlap = np.abs(np.sum(vectors * basis[:, order], axis=0))
    np.testing.assert_allclose(overlap, 1.0, rtol=1e-9)


def test_many_variables_never_form_a_matrix():
    n = 50_000  # as a matrix 20 GB
    weights = 1.0 / np.arange(1, n + 1)
    runs = []

    def f(x):
        runs.append(1)
        return 0.5 * np.sum(weights * x**2)

    values, vectors = cr.hessian_eigenpairs(f, 2)(np.zeros(n))
    np.testing.assert_allclose(values, [1.0, 0.5], rtol=1e-9)
    np.testing.assert_allclose(np.abs(vectors[:2]), np.eye(2), atol=1e-7)
    assert len(runs) < 200


def test_trees():
    def f(p):
        return 3.0 * np.sum(p["w"] ** 2) + p["b"] ** 2

    values, vectors = cr.hessian_eigenpairs(f, 1, which="SA")({"w": np.ones((2, 2)), "b": 1.0})
    np.testing.assert_allclose(values, [2.0])
    np.testing.assert_allclose(np.abs(vectors[0]["b"]), 1.0)
    np.testing.assert_allclose(vectors[0]["w"], np.zeros((2, 2)), atol=1e-7)


def test_refusals_are_sentences():
    with pytest.raises(errors.SettingError, match="k = 3 pairs of 3"):
        cr.hessian_eigenpairs(lambda x: x @ x, 3)(np.ones(3))
    with pytest.raises(errors.SettingError, match="not 'XX'"):
        cr.hessian_eigenpairs(lambda x: x @ x, 3, which="XX")
    with pytest.raises(errors.InputError, match="has no derivative"):
        cr.grad(lambda x: cr.hessian_eigenpairs(lambda y: y @ y, 1)(x)[0][0])(np.ones(3))
