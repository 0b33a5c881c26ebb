"""Complex numbers beside JAX, whose gradient of a real function is the conjugate of ours."""

import numpy as np
import pytest

import chainrule as cr

Z = np.array([0.7 - 1.3j, -0.4 + 0.2j, 1.1 + 0.6j])
A = np.array([[1.0, 0.5j, 0.2], [0.3, 2.0, -0.4j], [0.1j, 0.6, 1.5]])

REAL = {
    "power of a signal": lambda np, z: np.sum(np.abs(z) ** 2),
    "length": lambda np, z: np.sqrt(np.sum(np.real(z * np.conj(z)))),
    "phase": lambda np, z: np.sum(np.angle(z) * np.array([1.0, 2.0, 3.0])),
    "real part of a product": lambda np, z: np.real(np.sum(z * (A @ z))),
    "quadratic form": lambda np, z: np.real(np.vdot(z, A @ z)),
    "exponentials": lambda np, z: np.sum(np.real(np.exp(z) * np.sin(z)) * np.imag(np.log(z))),
    "inverse": lambda np, z: np.imag(np.sum(np.linalg.solve(A + np.diag(z), z))),
    "log of a determinant": lambda np, z: np.linalg.slogdet(A + np.diag(z))[1],
}
HOLOMORPHIC = {
    "polynomial": lambda np, z: z**3 - 2j * z + 1,
    "exponential": lambda np, z: np.exp(z) * z,
    "quotient": lambda np, z: (z + 1) / (z - 2j),
    "trigonometric": lambda np, z: np.sin(z) + np.cosh(z) * np.tan(z),
    "logarithm": lambda np, z: np.log(z) * np.sqrt(z),
}


@pytest.mark.parametrize("name", REAL)
def test_gradients_of_real_functions(name, peer):
    jax = peer("jax")
    expected = jax.grad(lambda z: REAL[name](jax.numpy, z))(Z)
    got = cr.grad(lambda z: REAL[name](np, z))(Z)
    np.testing.assert_allclose(got, np.conj(expected), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", REAL)
def test_a_step_against_the_gradient_descends(name):
    f = REAL[name]
    g = cr.grad(lambda z: f(np, z))(Z)
    step = 1e-5
    fall = f(np, Z) - f(np, Z - step * g)
    assert fall == pytest.approx(step * np.sum(np.abs(g) ** 2), rel=1e-3)  # first order in the step


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_derivatives_of_holomorphic_functions(name, peer):
    jax = peer("jax")
    f = HOLOMORPHIC[name]
    slope = jax.grad(lambda z: f(jax.numpy, z), holomorphic=True)
    expected = np.array([slope(z) for z in Z])
    got = cr.jvp(lambda z: f(np, z), (Z,), (np.ones(3),))[1]
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    turned = cr.jvp(lambda z: f(np, z), (Z,), (1j * np.ones(3),))[1]
    np.testing.assert_allclose(turned, 1j * got, rtol=1e-12)
    pulled = cr.vjp(lambda z: f(np, z), Z)[1](np.ones(3))[0]
    np.testing.assert_allclose(pulled, np.conj(got), rtol=1e-12)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_second_derivatives_of_holomorphic_functions(name, peer):
    jax = peer("jax")
    f = HOLOMORPHIC[name]

    def first(z):
        return cr.jvp(lambda z: f(np, z), (z,), (np.ones(3),))[1]

    slope = jax.grad(jax.grad(lambda z: f(jax.numpy, z), holomorphic=True), holomorphic=True)
    got = cr.jvp(first, (Z,), (np.ones(3),))[1]
    np.testing.assert_allclose(got, np.array([slope(z) for z in Z]), rtol=1e-11)


def test_a_real_variable_through_complex_numbers_has_a_real_gradient(peer):
    jax = peer("jax")
    x = np.array([0.3, -1.2, 0.8])

    def f(np, x):
        z = np.exp(1j * x) * A
        return np.sum(np.abs(z @ x) ** 2)

    got = cr.grad(lambda x: f(np, x))(x)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, jax.grad(lambda x: f(jax.numpy, x))(x), rtol=1e-12)


def test_products_with_hessians_of_real_functions(peer):
    """Their hvp is the conjugate, at the conjugate direction: both are real-linear."""
    jax = peer("jax")
    v = np.array([1.0 + 1j, -0.5, 2j])

    def f(np, z):
        return np.sum(np.abs(z) ** 4) + np.real(np.sum(z**3))

    expected = jax.jvp(jax.grad(lambda z: f(jax.numpy, z)), (Z,), (v,))[1]
    got = cr.hvp(lambda z: f(np, z))(Z, v)
    np.testing.assert_allclose(got, np.conj(expected), rtol=1e-12)
