"""Any nesting of forward and reverse mode gives the derivatives that calculus gives."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Function = Callable[..., Any]


def forward(f: Function) -> Function:
    """The derivative of a scalar function of a scalar, by dual numbers."""
    return lambda x: cr.jvp(f, (x,), (1.0,))[1]


MODES: dict[str, Callable[[Function], Function]] = {"forward": forward, "reverse": cr.grad}
ORDERS = [modes for n in (1, 2, 3) for modes in itertools.product(MODES, repeat=n)]

# The function, where, and its first, second and third derivative there as formulas of x.
SCALARS: dict[str, tuple[Function, float, tuple[Function, Function, Function]]] = {
    "sin": (np.sin, 0.7, (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x))),
    "exp": (np.exp, 0.3, (np.exp, np.exp, np.exp)),
    "log": (np.log, 1.7, (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3)),
    "cube": (lambda x: x**3, -1.3, (lambda x: 3 * x**2, lambda x: 6 * x, lambda x: 6.0)),
    "real power": (
        lambda x: x**2.5,
        1.9,
        (lambda x: 2.5 * x**1.5, lambda x: 3.75 * x**0.5, lambda x: 1.875 / x**0.5),
    ),
    "reciprocal": (
        lambda x: 1 / x,
        -0.8,
        (lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4),
    ),
    "sqrt": (
        np.sqrt,
        2.3,
        (lambda x: 0.5 / x**0.5, lambda x: -0.25 / x**1.5, lambda x: 0.375 / x**2.5),
    ),
    "tanh": (
        np.tanh,
        0.4,
        (
            lambda x: 1 - np.tanh(x) ** 2,
            lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
            lambda x: (1 - np.tanh(x) ** 2) * (6 * np.tanh(x) ** 2 - 2),
        ),
    ),
    "x to the x": (
        lambda x: x**x,
        1.4,
        (
            lambda x: x**x * (np.log(x) + 1),
            lambda x: x**x * ((np.log(x) + 1) ** 2 + 1 / x),
            lambda x: x**x * ((np.log(x) + 1) ** 3 + 3 * (np.log(x) + 1) / x - 1 / x**2),
        ),
    ),
    "two uses of an intermediate": (
        lambda x: np.exp(x) * np.sin(x) + np.exp(x),
        0.6,
        (
            lambda x: np.exp(x) * (np.sin(x) + np.cos(x) + 1),
            lambda x: np.exp(x) * (2 * np.cos(x) + 1),
            lambda x: np.exp(x) * (2 * np.cos(x) - 2 * np.sin(x) + 1),
        ),
    ),
    "written entry by entry": (
        lambda x: np.sum(np.array([x, x**2, x**3]) * np.array([1.0, 2.0, 3.0])),
        0.9,
        (lambda x: 1 + 4 * x + 9 * x**2, lambda x: 4 + 18 * x, lambda x: 18.0),
    ),
}


@pytest.mark.parametrize("modes", ORDERS, ids=" over ".join)
@pytest.mark.parametrize("name", SCALARS)
def test_scalar_derivatives_of_every_nesting(name: str, modes: tuple[str, ...]) -> None:
    f, x, formulas = SCALARS[name]
    derivative = f
    for mode in reversed(modes):
        derivative = MODES[mode](derivative)
    # Each order multiplies the error of a few operations by a small condition number.
    np.testing.assert_allclose(derivative(x), formulas[len(modes) - 1](x), rtol=1e-13)


def _jacobian(mode: str) -> Callable[[Function], Function]:
    return lambda f: cr.jacobian(f, mode=mode)


A = np.array([[2.0, -1.0, 0.5], [0.3, 1.0, -2.0], [1.5, 0.2, 0.7]])


def _softmax(x: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x))


# Functions of a vector of three entries, with gradient and Hessian as formulas.
VECTORS: dict[str, tuple[Function, Function, Function]] = {
    "quadratic form": (
        lambda x: x @ A @ x,
        lambda x: (A + A.T) @ x,
        lambda x: A + A.T,
    ),
    "log of a sum of exponentials": (
        lambda x: np.log(np.sum(np.exp(x))),
        _softmax,
        lambda x: np.diag(_softmax(x)) - np.outer(_softmax(x), _softmax(x)),
    ),
    "length": (
        lambda x: np.sqrt(np.sum(x**2)),
        lambda x: x / np.linalg.norm(x),
        lambda x: (np.eye(3) - np.outer(x, x) / (x @ x)) / np.linalg.norm(x),
    ),
    "product": (
        np.prod,
        lambda x: np.prod(x) / x,
        lambda x: np.prod(x) * (1 - np.eye(3)) / np.outer(x, x),
    ),
    "slices": (
        lambda x: np.sum(x[1:] * x[:-1] ** 2),
        lambda x: np.array([2 * x[0] * x[1], x[0] ** 2 + 2 * x[1] * x[2], x[1] ** 2]),
        lambda x: np.array(
            [[2 * x[1], 2 * x[0], 0], [2 * x[0], 2 * x[2], 2 * x[1]], [0, 2 * x[1], 0]]
        ),
    ),
    "written into a fresh array": (
        lambda x: _filled(x),
        lambda x: np.array([x[1], x[0], 2 * x[2]]),
        lambda x: np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 2]]),
    ),
}
POINT = np.array([0.4, -1.1, 0.8])


def _filled(x: Any) -> Any:
    y = np.zeros_like(x)
    y[0] = x[0] * x[1]
    y[1:] += x[2] ** 2 / 2
    return np.sum(y)


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
@pytest.mark.parametrize("name", VECTORS)
def test_gradients_of_vectors(name: str, mode: str) -> None:
    f, gradient, _ = VECTORS[name]
    np.testing.assert_allclose(_jacobian(mode)(f)(POINT), gradient(POINT), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(cr.grad(f)(POINT), gradient(POINT), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("outer", ["forward", "reverse"])
@pytest.mark.parametrize("inner", ["forward", "reverse"])
@pytest.mark.parametrize("name", VECTORS)
def test_hessians_of_every_nesting(name: str, inner: str, outer: str) -> None:
    f, _, hessian = VECTORS[name]
    found = _jacobian(outer)(_jacobian(inner)(f))(POINT)
    np.testing.assert_allclose(found, hessian(POINT), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", VECTORS)
def test_hessian_and_its_products_agree_with_the_formula(name: str) -> None:
    f, _, hessian = VECTORS[name]
    v = np.array([0.3, 2.0, -0.7])
    np.testing.assert_allclose(cr.hessian(f)(POINT), hessian(POINT), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(cr.hvp(f)(POINT, v), hessian(POINT) @ v, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("modes", list(itertools.product(["forward", "reverse"], repeat=3)))
def test_third_derivatives_of_a_vector_function(modes: tuple[str, ...]) -> None:
    derivative: Function = lambda x: np.sum(x**2 * np.roll(x, 1))  # noqa: E731  rebound below
    for mode in reversed(modes):
        derivative = _jacobian(mode)(derivative)
    expected = np.zeros((3, 3, 3))
    for i in range(3):  # f = Σ xᵢ² xᵢ₋₁, so ∂³f/∂xᵢ²∂xᵢ₋₁ = 2
        for order in itertools.permutations((i, i, i - 1)):
            expected[order] = 2
    np.testing.assert_allclose(derivative(POINT), expected, atol=1e-14)


def test_jacobian_of_a_matrix_function_has_the_numerator_layout(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3))
    expected = np.einsum("ik,jl->ijkl", A[:2, :2], np.eye(3))
    for mode in ("forward", "reverse", "auto"):
        found = _jacobian(mode)(lambda x: A[:2, :2] @ x)(x)
        assert found.shape == (2, 3, 2, 3)
        np.testing.assert_array_equal(found, expected)


def test_pullback_and_pushforward_are_adjoint(rng: np.random.Generator) -> None:
    def f(x: Any, w: Any) -> Any:
        return np.tanh(x @ w) * np.sum(x, axis=1, keepdims=True)

    x, w, tx, tw = (rng.normal(size=s) for s in ((4, 3), (3, 2), (4, 3), (3, 2)))
    value, pull = cr.vjp(f, x, w)
    _, t = cr.jvp(f, (x, w), (tx, tw))
    g = rng.normal(size=value.shape)
    gx, gw = pull(g)
    np.testing.assert_allclose(np.sum(g * t), np.sum(gx * tx) + np.sum(gw * tw), rtol=1e-12)


def test_a_pullback_can_be_differentiated_itself() -> None:
    def slope(x: Any) -> Any:
        _, pull = cr.vjp(lambda u: np.sum(u**3), x)
        (g,) = pull(1.0)
        return np.sum(g**2)

    # g = 3x², Σg² = 9 Σx⁴, of which the gradient is 36x³.
    np.testing.assert_allclose(cr.grad(slope)(POINT), 36 * POINT**3, rtol=1e-13)
    np.testing.assert_allclose(
        cr.jvp(slope, (POINT,), (np.ones(3),))[1], np.sum(36 * POINT**3), rtol=1e-13
    )


def test_the_cotangent_of_a_pullback_can_be_differentiated() -> None:
    _, pull = cr.vjp(lambda u: u**2, POINT)
    # g ↦ Σ 2 x g is linear in g.
    np.testing.assert_allclose(cr.grad(lambda g: np.sum(pull(g)[0]))(np.ones(3)), 2 * POINT)
