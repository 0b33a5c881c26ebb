"""Every order of norm, over every choice of axes, and what happens at zeros and ties."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Rng = np.random.Generator
VECTOR_ORDERS = [None, 0, 1, 2, 3, 2.5, 0.5, -1, np.inf, -np.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
KINDS = {"real": 0, "complex": 0.4j}


def apart(rng: Rng, *shape: int, kind: complex = 0) -> Any:
    """Entries of distinct sizes between 0.2 and 3: no kink within a step, nor a tie of sums."""
    size = int(np.prod(shape))
    sizes = np.geomspace(0.2, 3, size) * rng.uniform(1, 1.01, size)
    signs = np.where(rng.uniform(size=size) < 0.5, -1, 1)
    return (rng.permutation(sizes) * signs).reshape(shape) * np.exp(kind * rng.normal(size=shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", VECTOR_ORDERS)
def test_vectors(order: Any, kind: str, rng: Rng, differentiates: Callable[..., None]) -> None:
    x = apart(rng, 5, kind=KINDS[kind])
    a = apart(rng, 2, 3, 2, kind=KINDS[kind])
    differentiates(lambda x: np.linalg.norm(x, order), x)
    differentiates(lambda a: np.linalg.norm(a, order, axis=1, keepdims=True), a)
    differentiates(lambda a: np.linalg.norm(a, order, axis=-1), a)
    if order is not None:
        differentiates(lambda a: np.linalg.vector_norm(a, ord=order), a)
        differentiates(lambda a: np.linalg.vector_norm(a, ord=order, axis=(0, 2), keepdims=True), a)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", MATRIX_ORDERS)
def test_matrices(order: Any, kind: str, rng: Rng, differentiates: Callable[..., None]) -> None:
    a = apart(rng, 3, 2, kind=KINDS[kind])
    stack = apart(rng, 2, 3, 2, kind=KINDS[kind])
    differentiates(lambda a: np.linalg.norm(a, order), a)
    differentiates(lambda a: np.linalg.norm(a, order, axis=(0, 2), keepdims=True), stack)
    differentiates(lambda a: np.linalg.norm(a, order, axis=(-1, 1)), stack)
    if order is not None:
        differentiates(lambda a: np.linalg.matrix_norm(a, ord=order, keepdims=True), stack)


@pytest.mark.parametrize("p", [None, 2, -2, "fro", 1, np.inf])
def test_condition_number(p: Any, rng: Rng, differentiates: Callable[..., None]) -> None:
    differentiates(lambda a: np.linalg.cond(a, p), apart(rng, 2, 3, 3) / 3 + 3 * np.eye(3))


def test_all_entries_of_a_stack(rng: Rng, differentiates: Callable[..., None]) -> None:
    a = apart(rng, 2, 3, 2)
    differentiates(lambda a: np.linalg.norm(a), a)
    differentiates(lambda a: np.linalg.norm(a, keepdims=True), a)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 2.5, 0.5, np.inf, -np.inf, 0])
def test_the_derivative_of_a_vectors_norm_at_zero_is_zero(order: Any) -> None:
    gradient = cr.grad(lambda x: np.linalg.norm(x, order))(np.zeros(3))
    np.testing.assert_array_equal(gradient, np.zeros(3))
    _, moved = cr.jvp(lambda x: np.linalg.norm(x, order), (np.zeros(3),), (np.ones(3),))
    assert moved == 0
    complex_zero = np.zeros(3, complex)
    gradient = cr.grad(lambda x: np.linalg.norm(x, order))(complex_zero)
    np.testing.assert_array_equal(gradient, complex_zero)


@pytest.mark.parametrize("order", MATRIX_ORDERS)
def test_the_derivative_of_a_matrixs_norm_at_zero_is_zero(order: Any) -> None:
    gradient = cr.grad(lambda a: np.linalg.norm(a, order))(np.zeros((3, 2)))
    np.testing.assert_array_equal(gradient, np.zeros((3, 2)))


def test_a_zero_among_others_and_the_square_of_a_norm() -> None:
    x = np.array([3.0, 0.0, 4.0])
    np.testing.assert_allclose(cr.grad(np.linalg.norm)(x), x / 5, rtol=1e-15)
    gradient = cr.grad(lambda x: np.linalg.norm(x, 3))(x)
    np.testing.assert_allclose(gradient, x * x / np.linalg.norm(x, 3) ** 2, rtol=1e-14)
    rows = np.array([[3.0, 4.0], [0.0, 0.0]])
    gradient = cr.grad(lambda a: np.sum(np.linalg.norm(a, axis=1)))(rows)
    np.testing.assert_allclose(gradient, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-15)


def test_ties_share_equally() -> None:
    x = np.array([2.0, -2.0, 1.0])
    gradient = cr.grad(lambda x: np.linalg.norm(x, np.inf))(x)
    np.testing.assert_array_equal(gradient, [0.5, -0.5, 0.0])
    gradient = cr.grad(lambda a: np.linalg.norm(a, 2))(3 * np.eye(2))
    np.testing.assert_allclose(gradient, np.eye(2) / 2, rtol=0, atol=1e-15)


def test_nuclear_norm_of_a_matrix_of_lower_rank() -> None:
    """U Vᵀ over the singular values that are not zero: the subgradient of least norm."""
    u, v = np.array([[1.0, 2.0, 2.0]]).T / 3, np.array([[3.0, 4.0]]).T / 5
    gradient = cr.grad(lambda a: np.linalg.norm(a, "nuc"))(7 * u @ v.T)
    np.testing.assert_allclose(gradient, u @ v.T, rtol=0, atol=1e-15)


def test_wrong_orders_and_axes_raise_as_in_numpy() -> None:
    for call in (
        lambda a: np.linalg.norm(a, "fro", axis=0),
        lambda a: np.linalg.norm(a, 3, axis=(0, 1)),
        lambda a: np.linalg.norm(a, "x"),
        lambda a: np.linalg.norm(a, axis=(0, 0)),
        lambda a: np.linalg.norm(a, axis=(0, 1, 2)),
        lambda a: np.linalg.norm(a[None], 2),
    ):
        with pytest.raises(ValueError, match=r"norm|order|Duplicate|dimensions"):
            call(np.eye(2))
        with pytest.raises(ValueError, match=r"norm|order|Duplicate|dimensions"):
            cr.grad(lambda a, call=call: np.sum(call(a)))(np.eye(2))


def test_float32_stays_float32(rng: Rng) -> None:
    a = apart(rng, 3, 3).astype(np.float32)
    for f in (
        [lambda a, p=p: np.linalg.norm(a[0], p) for p in VECTOR_ORDERS]
        + [lambda a, p=p: np.linalg.norm(a, p) for p in MATRIX_ORDERS]
        + [np.linalg.cond]
    ):
        value, moved = cr.jvp(f, (a,), (a,))
        assert np.asarray(value).dtype == np.asarray(moved).dtype == np.float32
        assert cr.grad(f)(a).dtype == np.float32


def test_gradients_are_those_of_jax(rng: Rng, peer: Callable[[str], ModuleType]) -> None:
    jax = peer("jax")
    a = apart(rng, 4, 3)
    for order in ("fro", "nuc", 2, -2, np.inf):
        expected = jax.grad(lambda a, p=order: jax.numpy.linalg.norm(a, p))(a)
        found = cr.grad(lambda a, p=order: np.linalg.norm(a, p))(a)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    for order in (3, -np.inf):
        expected = jax.grad(lambda a, p=order: jax.numpy.linalg.norm(a[0], p))(a)
        found = cr.grad(lambda a, p=order: np.linalg.norm(a[0], p))(a)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
