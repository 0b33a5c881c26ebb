"""Solutions inside loops, loops inside equations, minima inside minima."""

import numpy as np

import chainrule as cr
from chainrule.scipy import optimize


def root(a):
    return optimize.brentq(lambda x: x + np.sinh(x) - a, -50.0, 50.0, xtol=1e-14)


def unrolled(a):
    x = 0.5 * a
    for _ in range(60):  # Newton's method, differentiated step by step
        x = x - (x + np.sinh(x) - a) / (1 + np.cosh(x))
    return x


def second(f, x):
    return [
        cr.grad(cr.grad(f))(x),
        cr.jvp(cr.grad(f), (x,), (1.0,))[1],
        cr.grad(lambda x: cr.jvp(f, (x,), (1.0,))[1])(x),
        cr.jvp(lambda x: cr.jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1],
    ]


def same(f, g, x):
    np.testing.assert_allclose(cr.grad(f)(x), cr.grad(g)(x), rtol=1e-10)
    np.testing.assert_allclose(second(f, x), second(g, x), rtol=1e-9)


def test_a_root_in_every_step_of_a_loop():
    def f(solver):
        def step(c, x):
            c = solver(c * x) + 0.1 * c
            return c, c**2

        return lambda c: np.sum(cr.scan(step, c, np.array([1.5, 0.7, 2.0]))[1])

    same(f(root), f(unrolled), 1.3)


def test_a_loop_inside_an_equation():
    def total(x, a):
        return cr.scan(lambda c, k: (c + np.sinh(a * x) / k, None), 0.0, np.arange(1.0, 5.0))[0]

    def ours(a):
        return optimize.newton(lambda x: total(x, a) - 2.0, 0.5, tol=1e-14)

    def exact(a):
        return np.arcsinh(2.0 / np.sum(1.0 / np.arange(1.0, 5.0))) / a

    same(ours, exact, 1.4)


def test_a_minimum_of_minima():
    """min over y of (y - 3)² + min over x of (x - y a)² + x²: y = 3 / (1 + a² / 2)."""

    def inner(y, a):
        return cr.minimize(lambda x: (x[0] - y * a) ** 2 + x[0] ** 2, np.zeros(1), tol=1e-10).fun

    def ours(a):
        result = cr.minimize(lambda y: (y[0] - 3.0) ** 2 + inner(y[0], a), np.zeros(1), tol=1e-10)
        return result.x[0]

    def exact(a):
        return 3.0 / (1.0 + 0.5 * a**2)

    np.testing.assert_allclose(ours(0.8), exact(0.8), rtol=1e-7)
    np.testing.assert_allclose(cr.grad(ours)(0.8), cr.grad(exact)(0.8), rtol=1e-6)
    np.testing.assert_allclose(second(ours, 0.8), second(exact, 0.8), rtol=1e-6)


def test_a_root_under_a_checkpoint():
    same(lambda a: cr.checkpoint(lambda b: root(a * b))(a), lambda a: unrolled(a * a), 1.2)
