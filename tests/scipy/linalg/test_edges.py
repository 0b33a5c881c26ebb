"""Singular matrices, shapes, dtypes, matrices that cannot be diagonalized."""

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import chainrule as cr
from chainrule.scipy import linalg

Rng = np.random.Generator


def parts(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


def test_singular_triangles_raise_as_in_scipy() -> None:
    a = np.diag([1.0, 0.0])
    with pytest.raises(np.linalg.LinAlgError, match="entry 1 of the diagonal is 0"):
        linalg.solve_triangular(a, np.ones(2))
    with pytest.raises(np.linalg.LinAlgError):
        cr.grad(lambda a: np.sum(linalg.cholesky(a)))(-np.eye(2))


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="expected a square matrix"):
        linalg.expm(np.ones((2, 3)))
    with pytest.raises(ValueError, match="incompatible"):
        linalg.solve_triangular(np.eye(3), np.ones(2))
    with pytest.raises(ValueError, match="recognized"):
        linalg.solve(np.eye(3), np.ones(3), assume_a="x")


def test_integers_and_lists_are_taken_as_scipy_takes_them() -> None:
    np.testing.assert_allclose(linalg.solve([[2, 0], [0, 4]], [2, 4]), [1, 1])
    np.testing.assert_allclose(linalg.expm([[0, 0], [0, 0]]), np.eye(2))

    def f(x: Any) -> Any:
        return np.sum(linalg.inv([[x, 1.0], [0.0, 2.0]]))

    np.testing.assert_allclose(cr.grad(f)(2.0), -1 / 4 + 1 / 8)


def test_single_precision_stays(rng: Rng) -> None:
    for name in ("expm", "logm", "sqrtm", "cholesky", "inv", "polar", "lu", "cosm"):
        b = rng.normal(size=(3, 3)) / 2
        a = (b @ b.T + np.diag([1.0, 2.0, 3.0])).astype(np.float32)
        out = parts(getattr(linalg, name)(a))
        assert {y.dtype for y in out} == {np.dtype(np.float32)}, name
        gradient = cr.grad(lambda a, name=name: np.sum(parts(getattr(linalg, name)(a))[-1]))(a)
        assert gradient.dtype == np.float32


def test_functions_of_matrices_that_cannot_be_diagonalized(rng: Rng) -> None:
    """Jordan blocks, where V f(w) V⁻¹ does not exist: against differences."""
    block = np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]])
    for function in (linalg.expm, linalg.logm, linalg.sqrtm, linalg.sinm):
        cr.check_grads(function, (block,), order=1, rng=rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = scipy.linalg.expm_frechet(block, np.eye(3), compute_expm=False)
    np.testing.assert_allclose(cr.jvp(linalg.expm, (block,), (np.eye(3),))[1], expected, rtol=1e-12)


def test_equal_eigenvalues_are_no_exception(rng: Rng) -> None:
    """At the identity: d A^t = t Ȧ, and d log A = Ȧ."""
    t = rng.normal(size=(3, 3))
    for function, factor in [
        (linalg.sqrtm, 0.5),
        (linalg.logm, 1.0),
        (lambda a: linalg.fractional_matrix_power(a, 0.3), 0.3),
        (linalg.expm, np.e),
        (lambda a: linalg.polar(a)[1], None),
    ]:
        moved = cr.jvp(function, (np.eye(3),), (t,))[1]
        expected = (t + t.T) / 2 if factor is None else factor * t
        np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-13)
