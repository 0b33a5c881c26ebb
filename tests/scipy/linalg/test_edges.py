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


@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8, 1e11])
def test_digits_go_with_the_condition_number(condition: float, rng: Rng) -> None:
    """Gradients of solutions err by κ² ε at most (N. Higham, Accuracy and Stability, chapter 7).

    The oracle are closed forms in the factors of A = U diag(s) Vᵀ, with no solve in them.
    """
    u, v = (np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2))
    s = np.logspace(0, -np.log10(condition), 6)
    inverse = (v / s) @ u.T
    a, b = (u * s) @ v.T, rng.normal(size=6)
    allowed = 100 * np.finfo(float).eps * condition  # relative to |A⁻¹| |b̄| |x|
    x, weights = inverse @ b, rng.normal(size=6)
    expected = -np.outer(inverse.T @ weights, x)
    for solve in (linalg.solve, lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b)):
        gradient = cr.grad(lambda a, solve=solve: weights @ solve(a, b))(a)
        scale = np.max(np.abs(inverse)) * np.linalg.norm(weights) * np.linalg.norm(x)
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=allowed * scale)
    logarithm = cr.grad(lambda a: np.linalg.slogdet(a)[1])(a)
    scale = np.max(np.abs(inverse))
    np.testing.assert_allclose(logarithm, inverse.T, rtol=0, atol=allowed * scale)


@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8])
def test_cholesky_of_ill_conditioned_matrices(condition: float, rng: Rng) -> None:
    """Its gradient errs by κ ε, measured against the formula in doubled precision by L itself.

    For f = Σ log diag L = ½ log det A the gradient is A⁻¹ / 2, here known in closed form.
    """
    q = np.linalg.qr(rng.normal(size=(80, 80)))[0]  # more than one block
    w = np.logspace(0, -np.log10(condition), 80)
    a = (q * w) @ q.T
    gradient = cr.grad(lambda a: np.sum(np.log(np.diagonal(linalg.cholesky(a, lower=True)))))(a)
    inverse = (q / w) @ q.T
    expected = np.tril(inverse) - np.diag(np.diagonal(inverse)) / 2
    allowed = 1000 * np.finfo(float).eps * condition * condition
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=allowed)


def test_a_gaussian_process_is_that_of_jax(rng: Rng, peer: Any) -> None:
    """The marginal likelihood by Cholesky and two triangular solves."""
    jax = peer("jax")
    x, y = rng.normal(size=30), rng.normal(size=30)

    def loss(np_: Any, L: Any, p: Any) -> Any:
        k = np_.exp(-((x[:, None] - x[None, :]) ** 2) / np_.exp(p[0])) * np_.exp(p[1])
        factor = L.cholesky(k + np_.exp(p[2]) * np_.eye(30), lower=True)
        alpha = L.cho_solve((factor, True), y)
        half = L.solve_triangular(factor, y, lower=True)
        return 0.5 * y @ alpha + np_.sum(np_.log(np_.diag(factor))) + np_.sum(half**2)

    p = np.array([0.1, 0.2, -1.0])

    def theirs(p: Any) -> Any:
        return loss(jax.numpy, jax.scipy.linalg, p)

    # compiled as a whole: one by one, its operations take twenty times as long to compile
    expected, second = jax.jit(lambda p: (jax.grad(theirs)(p), jax.hessian(theirs)(p)))(p)
    np.testing.assert_allclose(cr.grad(lambda p: loss(np, linalg, p))(p), expected, rtol=1e-10)
    found = cr.hessian(lambda p: loss(np, linalg, p))(p)
    np.testing.assert_allclose(found, second, rtol=1e-8, atol=1e-9)


def test_the_exponential_is_that_of_jax(rng: Rng, peer: Any) -> None:
    jax = peer("jax")
    a, weights = rng.normal(size=(4, 4)) / 3 + 2 * np.eye(4), rng.normal(size=(4, 4))
    mine = cr.grad(lambda a: np.sum(weights * linalg.expm(a)))(a)
    theirs = jax.grad(lambda a: jax.numpy.sum(weights * jax.scipy.linalg.expm(a)))(a)
    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
