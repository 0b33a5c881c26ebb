"""Writes: what they do to dtypes, what is refused, and how they meet nested derivatives."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def test_double_precision_written_into_single_is_rounded():
    x = np.array([0.1, 0.2])

    def f(x):
        y = np.zeros(2, dtype=np.float32, like=x)
        y[:] = x
        y += x
        np.multiply(x, 2.0, out=y, where=np.array([True, False]))
        return y

    value, pull = cr.vjp(f, x)
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, [0.2, 0.4], rtol=1e-6)  # single precision
    (g,) = pull(np.ones(2, np.float32))
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, [2.0, 2.0])


@pytest.mark.parametrize(
    "write",
    [
        lambda y, z: y.__setitem__(0, z[0]),
        lambda y, z: y.__setitem__(slice(None), z),
        lambda y, z: y.__iadd__(z),
        lambda y, z: y.__setitem__(slice(1), 1j),
        lambda y, z: np.multiply(z, z, out=y),
    ],
)
def test_complex_numbers_do_not_fit_into_a_real_array(write):
    def f(z):
        y = np.zeros(2, like=z)
        write(y, z)
        return np.sum(y)

    with pytest.raises(
        errors.WriteError, match=r"complex128 .* test_write_rules\.py:\d+ .* float64"
    ):
        cr.grad(f)(np.array([1.0 + 1j, 2.0]))


def test_real_numbers_fit_into_a_complex_array(assert_derivatives):
    def f(x):
        y = np.zeros(3, dtype=complex, like=x)
        y[0] = x[0]
        y[1:] = 1j * x[1:]
        y *= x
        return y

    assert_derivatives(f, np.array([0.3, 1.2, -0.8]))


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y.__setitem__(5, 1.0),
        lambda y: y.__setitem__(slice(None), np.ones(4)),
        lambda y: y.__iadd__(np.ones((2, 3))),
        lambda y: np.add(y, np.ones((2, 3)), out=y),
        lambda y: np.sum(np.ones((3, 2)) * y[0], axis=0, out=y),
        lambda y: y.__setitem__([0, 1], y),
        lambda y: np.broadcast_to(y, (2, 3)).__setitem__(0, 1.0),
        lambda y: np.diagonal(np.diag(y)).__setitem__(0, 1.0),
    ],
)
def test_what_numpy_refuses_is_refused_and_leaves_the_array(write):
    plain = np.arange(3.0)
    with pytest.raises((ValueError, IndexError)):
        write(plain)

    def f(x):
        y = x * 1
        with pytest.raises(errors.ChainruleError, match=r"test_write_rules\.py:\d+"):
            write(y)
        return y

    value, _ = cr.vjp(f, np.arange(3.0))
    np.testing.assert_array_equal(value, plain)


def test_a_write_to_the_variable_leaves_its_gradient_that_of_the_value_passed_in():
    def f(x):
        x[0] = 5.0
        x[1] *= 3.0
        return np.sum(x**2)

    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(cr.grad(f)(x), [0.0, 36.0, 8.0])
    np.testing.assert_array_equal(x, [1.0, 2.0, 4.0])


def test_the_same_array_passed_twice_is_two_variables():
    def f(x, y):
        x[0] = 0.0
        return np.sum(x * y)

    x = np.array([2.0, 3.0])
    g, h = cr.grad(f, argnums=(0, 1))(x, x)
    np.testing.assert_array_equal(g, [0.0, 3.0])
    np.testing.assert_array_equal(h, [0.0, 3.0])


def test_writes_inside_a_derivative_inside_a_derivative():
    """f(x) = d/du Σ y² at u = x₁ with y = (x₀ u, u³): 2 x₀² u + 6 u⁵."""

    def f(x):
        def inner(u):
            y = np.zeros(2, like=x)  # belongs to the outer derivative until u is written into it
            y[0] = x[0] * u
            y[1] = u
            y[1] **= 3
            return np.sum(y**2)

        return cr.grad(inner)(x[1])

    a, b = 1.5, 0.7
    expected = [4 * a * b, 2 * a**2 + 30 * b**4]
    np.testing.assert_allclose(cr.grad(f)(np.array([a, b])), expected, rtol=1e-13)
    for mode in ("forward", "reverse"):
        found = cr.jacobian(f, mode=mode)(np.array([a, b]))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_forward_mode_inside_reverse_mode_with_views():
    """g(x) = d/dt Σ row · (x + t)² over a written row, by jvp inside grad."""

    def g(x):
        def along(t):
            y = np.ones((2, 2), like=t)
            row = y[1]
            row *= x + t
            y[1, 0] *= x[0]
            return np.sum(row**2)

        return cr.jvp(along, (np.zeros(()),), (np.ones(()),))[1]

    x = np.array([0.6, -1.1])
    # Σ row² = x₀² (x₀ + t)² + (x₁ + t)², so g = 2 x₀³ + 2 x₁
    np.testing.assert_allclose(cr.grad(g)(x), [6 * 0.36, 2.0], rtol=1e-13)


def test_an_array_of_an_outer_derivative_written_by_an_inner_one_leaks_loudly():
    def outer(x):
        y = x * 1

        def inner(u):
            y[0] = u
            return np.sum(y * u)

        slope = cr.grad(inner)(1.0)
        return np.sum(y) * slope

    with pytest.raises(errors.LeakError, match=r"test_write_rules\.py:\d+"):
        cr.grad(outer)(np.ones(2))


def test_hand_made_dual_numbers_can_be_written():
    def f(x):
        y = np.zeros(2, like=x)
        y[0] = x * x
        y[1] = y[0] * x
        y *= 2
        return y[0] + y[1]

    found = f(cr.Dual(3.0, 1.0))
    assert (found.value, found.tangent) == (72.0, 66.0)


def test_checkpointed_functions_may_write():
    def block(h, w):
        y = np.zeros_like(h)
        y[1:] = h[:-1] * w
        y[0] = h[-1]
        return y

    def f(h, w, wrap):
        for _ in range(3):
            h = wrap(block)(h, w)
        return np.sum(h**2)

    h, w = np.array([0.5, -1.0, 2.0]), 0.8
    expected = cr.grad(f, argnums=(0, 1))(h, w, lambda g: g)
    found = cr.grad(f, argnums=(0, 1))(h, w, cr.checkpoint)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-14)


def test_long_chains_of_views_do_not_recurse():
    def f(x):
        y = x * 1
        v = y
        for _ in range(5000):
            v = v[::-1]
        y[0] = 3.0
        return np.sum(v * y)

    np.testing.assert_array_equal(cr.grad(f)(np.array([1.0, 2.0])), [0.0, 4.0])


def test_a_view_follows_its_array_into_an_inner_derivative():
    """d/du Σ v u at u = 2 with v = (u x₀, x₂): 2 u x₀ + x₂."""

    def slope(differentiate):
        def f(x):
            def inner(u):
                y = x * 1
                v = y[1:]  # a view of an array of the outer derivative …
                y[1] = u * x[0]  # … which now belongs to the inner one
                return np.sum(v * u)

            return differentiate(inner)

        return f

    x = np.array([3.0, 5.0, 7.0])
    for inner in (lambda f: cr.grad(f)(2.0), lambda f: cr.jvp(f, (2.0,), (1.0,))[1]):
        value, gradient = cr.value_and_grad(slope(inner))(x)
        assert value == 19.0
        np.testing.assert_array_equal(gradient, [4.0, 0.0, 1.0])
        assert cr.jvp(slope(inner), (x,), (np.ones(3),))[1] == 5.0
