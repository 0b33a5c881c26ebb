"""Single precision stays single, complex gradients point uphill."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Function = Callable[..., Any]
NESTINGS = list(itertools.product(["forward", "reverse"], repeat=2))

# Functions of a vector, as users write them with plain Python numbers.
WITH_PYTHON_NUMBERS: dict[str, Function] = {
    "polynomial": lambda x: np.sum(0.5 * x**3 - 2 * x + 1.0),
    "quotient": lambda x: np.sum(1 / (1.0 + x**2)),
    "powers": lambda x: np.sum(2.0**x + x**1.5),
    "exponentials": lambda x: np.log(1.0 + np.sum(np.exp(-0.5 * x))),
    "mean and spread": lambda x: np.mean(x * 3) / (np.std(x) + 1e-3),
    "choices": lambda x: np.sum(np.where(x > 0.5, 2.0 * x, 0.1) + np.maximum(x, 0.25)),
    "clipped": lambda x: np.sum(np.clip(x, 0.2, 0.9) * 4),
    "lengths": lambda x: np.sqrt(np.sum(x**2) + 1e-6) + np.linalg.norm(x),
    "entry by entry": lambda x: sum(0.25 * x[k] * x[k - 1] for k in range(3)),
    "scalars": lambda x: (x[0] * 2.0 + 1) / (x[1] - 3) + np.sin(x[2]) * 0.5,
    "matrix": lambda x: np.sum((np.outer(x, x) * 0.1) @ x),
}


@pytest.mark.parametrize("name", WITH_PYTHON_NUMBERS)
def test_single_precision_stays_single_at_both_orders(name: str) -> None:
    f = WITH_PYTHON_NUMBERS[name]
    x = np.array([0.3, 0.7, 1.2], np.float32)
    value, gradient = cr.value_and_grad(f)(x)
    assert value.dtype == gradient.dtype == np.float32
    exact = x.astype(np.float64)
    # Single precision carries 2⁻²⁴; these functions lose at most three digits of it.
    np.testing.assert_allclose(gradient, cr.grad(f)(exact), rtol=1e-4, atol=1e-5)
    for mode in ("forward", "reverse"):
        assert cr.jacobian(f, mode=mode)(x).dtype == np.float32
    expected = cr.hessian(f)(exact)
    for outer, inner in NESTINGS:
        hessian = cr.jacobian(cr.jacobian(f, mode=inner), mode=outer)(x)
        assert hessian.dtype == np.float32
        np.testing.assert_allclose(hessian, expected, rtol=1e-3, atol=1e-4)


def test_a_single_precision_variable_in_double_precision_code() -> None:
    a = np.array([0.1, 0.2])
    gradient = cr.grad(lambda x: np.sum(a * x))(np.ones(2, np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, a.astype(np.float32))


def test_a_numpy_scalar_and_a_python_float_are_scalars() -> None:
    assert cr.grad(lambda x: x * x)(np.float32(3.0)).dtype == np.float32
    assert float(cr.grad(lambda x: x * x)(3.0)) == 6.0
    x = np.ones(2, np.float32)
    # A traced Python float is as weak as an untraced one.
    assert cr.grad(lambda s, x: np.sum(s * x), 1)(2.0, x).dtype == np.float32
    seen = []
    cr.grad(lambda s: seen.append((s * x).dtype) or np.sum(s * x))(2.0)
    assert seen == [np.dtype(np.float32)]


# Real functions of a complex vector.
REAL_OF_COMPLEX: dict[str, Function] = {
    "squared length": lambda z: np.sum(np.real(z * np.conj(z))),
    "absolute value": lambda z: np.sum(np.abs(z) ** 3),
    "real part of an exponential": lambda z: np.sum(np.real(np.exp(z))),
    "imaginary part of a square": lambda z: np.sum(np.imag(z**2)),
    "logarithm": lambda z: np.sum(np.real(np.log(z)) ** 2),
    "angle": lambda z: np.sum(np.angle(z) * np.abs(z)),
    "bilinear": lambda z: np.abs(z @ np.array([[1, 2j], [3j, 4]]) @ z) ** 2,
    "quotient": lambda z: np.real(z[0] / z[1]) + np.imag(np.sin(z[0])),
    "constant factor": lambda z: np.sum(np.real((2 - 3j) * z) ** 2),
}


@pytest.mark.parametrize("name", REAL_OF_COMPLEX)
def test_complex_gradients_against_central_differences(name: str) -> None:
    f = REAL_OF_COMPLEX[name]
    z = np.array([0.7 - 0.4j, 0.9 + 1.1j])
    gradient = cr.grad(f)(z)
    assert gradient.dtype == np.complex128
    step = 1e-5
    for k in range(2):
        for direction in (1, 1j):
            e = np.zeros(2, complex)
            e[k] = direction * step
            difference = (f(z + e) - f(z - e)) / (2 * step)
            part = gradient[k].real if direction == 1 else gradient[k].imag
            # Central differences: step² = 1e-10 truncation, ε/step = 2e-11 rounding.
            np.testing.assert_allclose(part, difference, rtol=1e-7, atol=1e-8)
            _, slope = cr.jvp(f, (z,), (e / step,))
            np.testing.assert_allclose(slope, part, rtol=1e-12, atol=1e-13)


def test_a_real_variable_in_complex_code_has_a_real_gradient() -> None:
    x = np.array([0.3, 0.8])

    def f(x: Any) -> Any:
        return np.abs(np.sum(np.exp(1j * x) * np.array([1.0, 2j]))) ** 2

    gradient = cr.grad(f)(x)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, cr.numerical_gradient(f)(x), rtol=1e-7)


def test_single_complex_stays_single() -> None:
    z = np.array([1 + 2j, 3 - 1j], np.complex64)
    gradient = cr.grad(lambda z: np.sum(np.real(z * np.conj(z)) * 0.5))(z)
    assert gradient.dtype == np.complex64
    np.testing.assert_array_equal(gradient, z)


def test_the_pullback_of_a_complex_map_is_its_adjoint(rng: np.random.Generator) -> None:
    a = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
    z, g = (rng.normal(size=n) + 1j * rng.normal(size=n) for n in (2, 3))
    _, pull = cr.vjp(lambda z: a @ z, z)
    np.testing.assert_allclose(pull(g)[0], a.conj().T @ g, rtol=1e-13)


@pytest.mark.parametrize(("outer", "inner"), NESTINGS)
def test_second_derivatives_through_complex_numbers(outer: Any, inner: Any) -> None:
    # |exp((a + ib) x)|² = exp(2ax), whatever b is.
    f = cr.jacobian(
        cr.jacobian(lambda x: np.abs(np.exp((0.5 + 2j) * x)) ** 2, mode=inner), mode=outer
    )
    np.testing.assert_allclose(f(0.3), np.exp(0.3), rtol=1e-12)
