"""det and slogdet; det also where the matrix is singular, at two orders."""

import itertools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Rng = np.random.Generator


def leibniz(a: Any) -> Any:
    """det A = Σ over permutations of ± Π a[i, p(i)]: a polynomial, no decomposition in sight."""
    size = a.shape[-1]
    total = 0.0
    for order in itertools.permutations(range(size)):
        sign = round(np.linalg.det(np.eye(size)[list(order)]))
        total = total + sign * math.prod([a[..., i, k] for i, k in enumerate(order)])
    return total


def of_rank(rng: Rng, size: int, rank: int, kind: complex = 0) -> Any:
    left, right = (
        rng.normal(size=(size, rank)) + kind * rng.normal(size=(size, rank)) for _ in "lr"
    )
    return left @ right.T


@pytest.mark.parametrize("rank", [4, 3, 2, 1, 0])
def test_gradient_and_hessian_at_every_rank(rank: int, rng: Rng) -> None:
    a = of_rank(rng, 4, rank)
    gradient = cr.grad(np.linalg.det)(a)
    # singular values below ε of the largest are rounding, so all errors are ε of products of |A|
    size = 1 + np.linalg.norm(a) ** 3
    np.testing.assert_allclose(gradient, cr.grad(leibniz)(a), rtol=0, atol=1e-13 * size)
    second = cr.hessian(np.linalg.det)(a)
    np.testing.assert_allclose(second, cr.hessian(leibniz)(a), rtol=0, atol=1e-13 * size)


@pytest.mark.parametrize("rank", [3, 2, 1])
def test_complex_matrices_at_every_rank(rank: int, rng: Rng) -> None:
    a, t = of_rank(rng, 3, rank, 1j), rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))

    def first(f: Any) -> Any:
        return cr.grad(lambda a: np.real((1 - 2j) * f(a)))

    np.testing.assert_allclose(first(np.linalg.det)(a), first(leibniz)(a), rtol=0, atol=1e-12)
    _, moved = cr.jvp(first(np.linalg.det), (a,), (t,))
    _, expected = cr.jvp(first(leibniz), (a,), (t,))
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-12)


def test_third_derivative_where_singular_values_repeat() -> None:
    """At the identity all singular values are equal; d³ det(1 + h T)/dh³ = 6 det T for 3 × 3."""
    t = np.array([[0.0, 1.0, 2.0], [3.0, 1.0, -1.0], [1.0, 0.5, 2.0]])

    def f(h: Any) -> Any:
        return np.linalg.det(np.eye(3) + h * t)

    third = cr.grad(cr.grad(cr.grad(f)))(0.0)
    np.testing.assert_allclose(third, 6 * np.linalg.det(t), rtol=1e-13)


def test_stack_of_regular_and_singular_matrices(
    rng: Rng, differentiates: Callable[..., None]
) -> None:
    a = np.stack([of_rank(rng, 3, 3) + np.eye(3), of_rank(rng, 3, 2), np.zeros((3, 3))])
    differentiates(np.linalg.det, a)


@pytest.mark.parametrize("epsilon", [1e-6, 1e-9, 1e-12, 1e-15])
def test_nearly_singular(epsilon: float, rng: Rng) -> None:
    a = of_rank(rng, 4, 3) + epsilon * rng.normal(size=(4, 4))
    for derivative in (cr.grad, cr.hessian):
        found, expected = derivative(np.linalg.det)(a), derivative(leibniz)(a)
        # half of the digits at worst, where the inverse is still taken
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.max(np.abs(expected)))


def test_one_by_one() -> None:
    for x in (0.0, 2.0):
        np.testing.assert_array_equal(cr.grad(np.linalg.det)(np.array([[x]])), [[1.0]])
        np.testing.assert_array_equal(cr.hessian(np.linalg.det)(np.array([[x]])), [[[[0.0]]]])


def test_nan_stays_nan() -> None:
    with np.errstate(invalid="ignore"):  # np.linalg.det itself warns
        gradient = cr.grad(np.linalg.det)(np.array([[np.nan, 1.0], [2.0, 3.0]]))
    assert np.isnan(gradient).any()


def regular(rng: Rng, *shape: int, kind: complex = 0) -> Any:
    return rng.normal(size=shape) + kind * rng.normal(size=shape) + 3 * np.eye(shape[-1])


OUTPUTS: dict[str, Callable[[Any], Any]] = {
    "sign": lambda a: np.linalg.slogdet(a).sign,
    "logarithm": lambda a: np.linalg.slogdet(a).logabsdet,
    "both": lambda a: tuple(np.linalg.slogdet(a)),
}


@pytest.mark.parametrize("kind", [0, 1j])
@pytest.mark.parametrize("outputs", OUTPUTS)
def test_slogdet(
    outputs: str, kind: complex, rng: Rng, differentiates: Callable[..., None]
) -> None:
    differentiates(OUTPUTS[outputs], regular(rng, 2, 3, 3, kind=kind))


def test_the_sign_of_a_real_determinant_does_not_move(rng: Rng) -> None:
    a = regular(rng, 3, 3)
    np.testing.assert_array_equal(cr.grad(OUTPUTS["sign"])(a), np.zeros((3, 3)))
    _, moved = cr.jvp(OUTPUTS["sign"], (a,), (a,))
    assert moved == 0


def test_a_singular_matrix_has_no_logarithm() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        cr.grad(OUTPUTS["logarithm"])(np.zeros((2, 2)))


def test_gradients_are_those_of_jax(rng: Rng, peer: Callable[[str], ModuleType]) -> None:
    jax = peer("jax")
    a = regular(rng, 4, 4)
    for f in (lambda np_, a: np_.linalg.det(a), lambda np_, a: np_.linalg.slogdet(a)[1]):
        expected = jax.grad(lambda a, f=f: f(jax.numpy, a))(a)
        np.testing.assert_allclose(cr.grad(lambda a, f=f: f(np, a))(a), expected, rtol=1e-10)
        expected = jax.hessian(lambda a, f=f: f(jax.numpy, a))(a)
        scale = np.max(np.abs(expected))
        found = cr.hessian(lambda a, f=f: f(np, a))(a)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * scale)
