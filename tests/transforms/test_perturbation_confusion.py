"""Nested derivatives do not mix up their variables: the examples of Siskind and Pearlmutter.

Source: J. M. Siskind and B. A. Pearlmutter, Perturbation confusion and referential transparency,
2005; O. Manzyuk and others, Perturbation confusion in forward automatic differentiation of
higher-order functions, 2019.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Function = Callable[..., Any]


def forward(f: Function) -> Function:
    return lambda x: cr.jvp(f, (x,), (np.ones(np.shape(x)),))[1]


MODES: dict[str, Callable[[Function], Function]] = {"forward": forward, "reverse": cr.grad}
PAIRS = list(itertools.product(MODES, repeat=2))
TRIPLES = list(itertools.product(MODES, repeat=3))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_inner_derivative_of_a_sum_is_a_constant(outer: str, inner: str) -> None:
    # d/dx [x · d/dy (x + y)] = d/dx [x · 1] = 1; taking the two variables for one gives 2.
    f = MODES[outer](lambda x: x * MODES[inner](lambda y: x + y)(1.0))
    assert float(f(1.0)) == 1.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_outer_variable_inside_the_inner_derivative(outer: str, inner: str) -> None:
    # d/dx [x · d/dy (x y)] = d/dx [x²] = 2x, wherever y is.
    f = MODES[outer](lambda x: x * MODES[inner](lambda y: x * y)(4.0))
    assert float(f(3.0)) == 6.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_inner_derivative_at_the_outer_variable(outer: str, inner: str) -> None:
    # d/dx [d/dy (x² y³) at y = x] = d/dx [3x⁴] = 12x³.
    f = MODES[outer](lambda x: MODES[inner](lambda y: x**2 * y**3)(x))
    assert float(f(2.0)) == 96.0


@pytest.mark.parametrize(("outer", "middle", "inner"), TRIPLES)
def test_three_deep(outer: str, middle: str, inner: str) -> None:
    # d/dx d/dy d/dz of x y² z³ (x + y + z), each at its own place and all visible inside.
    def innermost(x: Any, y: Any) -> Any:
        return MODES[inner](lambda z: x * y**2 * z**3 * (x + y + z))(1.5)

    f = MODES[outer](lambda x: MODES[middle](lambda y: innermost(x, y))(3.0))
    x, y, z = 2.0, 3.0, 1.5
    # The mixed derivative of x²y²z³ + x y³z³ + x y²z⁴ is 12xyz² + 9y²z² + 8yz³.
    np.testing.assert_allclose(f(x), 12 * x * y * z**2 + 9 * y**2 * z**2 + 8 * y * z**3)


@pytest.mark.parametrize(("outer", "middle", "inner"), TRIPLES)
def test_the_same_function_three_deep(outer: str, middle: str, inner: str) -> None:
    def confused(x: Any) -> Any:
        return x * MODES[middle](lambda y: y * MODES[inner](lambda z: x * y * z)(1.0))(2.0)

    # d/dz xyz = xy; y·xy = xy², d/dy = 2xy = 4x at 2; x·4x = 4x², of which the derivative is 8x.
    assert float(MODES[outer](confused)(5.0)) == 40.0


@pytest.mark.parametrize("mode", MODES)
def test_closures_keep_the_variable_that_they_were_made_with(mode: str) -> None:
    def f(x: Any) -> Any:
        def scaled(y: Any) -> Any:
            return x * y

        return MODES[mode](scaled)(7.0) + scaled(2.0)

    assert float(cr.grad(f)(3.0)) == 3.0
    assert float(forward(f)(3.0)) == 3.0


def test_derivative_of_a_jvp_with_respect_to_its_direction() -> None:
    # t ↦ f'(x) t is linear: its derivative is f'(x) = 3x².
    x = 2.0
    slope = cr.grad(lambda t: cr.jvp(lambda u: u**3, (x,), (t,))[1])(0.5)
    assert float(slope) == 12.0
    # With x itself as the direction, d/dx 3x³ = 9x².
    assert float(cr.grad(lambda x: cr.jvp(lambda u: u**3, (x,), (x,))[1])(2.0)) == 36.0
    assert float(forward(lambda x: cr.jvp(lambda u: u**3, (x,), (x,))[1])(2.0)) == 36.0


def test_hand_made_duals_inside_and_outside_a_gradient() -> None:
    # The slope of a hand-made dual inside a gradient: d/dx (2x·x) = 4x.
    def twice_square(x: Any) -> Any:
        _, slope = (lambda u: u * u)(cr.Dual(x, 1.0))
        return slope * x

    assert float(cr.grad(twice_square)(3.0)) == 12.0
    # A gradient inside a function that runs on a dual: x·(2x) has derivative 4x.
    value, slope = (lambda x: x * cr.grad(lambda y: y * y)(x))(cr.Dual(3.0, 1.0))
    assert (float(value), float(slope)) == (18.0, 12.0)


def test_a_hand_made_dual_of_a_dual_gives_the_second_derivative() -> None:
    x = cr.Dual(cr.Dual(2.0, 1.0), 1.0)
    y = x * x * x
    assert float(y.tangent.tangent) == 12.0  # 6x
    assert float(y.value.tangent) == float(y.tangent.value) == 12.0  # 3x²


def test_the_unused_inner_variable_gives_zero() -> None:
    for outer, inner in PAIRS:
        f = MODES[outer](lambda x, inner=inner: x + MODES[inner](lambda y: x)(1.0))
        assert float(f(2.0)) == 1.0


def test_vectors_nested_in_both_modes(rng: np.random.Generator) -> None:
    x, a = rng.normal(size=3), rng.normal(size=(3, 3))
    # ∇ₓ Σ x · ∇_y (x·A·y) = ∇ₓ x·Aᵀx = (A + Aᵀ) x; nothing of y is left.
    f = cr.grad(lambda x: np.sum(x * cr.grad(lambda y: x @ a @ y)(np.ones(3))))
    np.testing.assert_allclose(f(x), (a + a.T) @ x, rtol=1e-12)
