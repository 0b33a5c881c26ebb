"""The names of autograd and their translations give the same numbers, beside autograd itself."""

import inspect

import numpy as np
import pytest

import chainrule as cr


def f(x):
    return np.sum(np.sin(x) * x**2)


def g(x):
    return np.array([x[0] * x[1], np.exp(x[2]), x[0] ** 3])


def h(a, b=2.0):
    return np.sum(a**2 * b)


X, V, G = np.array([0.3, -0.7, 1.2]), np.array([1.0, 2.0, -1.0]), np.array([0.5, -1.5, 2.0])


def gauss_newton(g, x, v):
    """Jᵀ H J v, with H the Hessian of ½‖y‖² at y = g(x)."""
    _, moved = cr.jvp(g, (x,), (v,))
    y, pull = cr.vjp(g, x)
    return pull(cr.hvp(lambda y: 0.5 * np.sum(y**2))(y, moved))[0]


PAIRS = {
    "grad": (lambda ag, f: ag.grad(f)(X), lambda: cr.grad(f)(X)),
    "value_and_grad": (lambda ag, f: ag.value_and_grad(f)(X), lambda: cr.value_and_grad(f)(X)),
    "elementwise_grad": (
        lambda ag, f: ag.elementwise_grad(f)(X),
        lambda: cr.elementwise_grad(f)(X),
    ),
    "hessian": (lambda ag, f: ag.hessian(f)(X), lambda: cr.hessian(f)(X)),
    "hessian_vector_product": (
        lambda ag, f: ag.hessian_vector_product(f)(X, V),
        lambda: cr.hvp(f)(X, V),
    ),
    "hessian_tensor_product": (
        lambda ag, f: ag.hessian_tensor_product(f)(X, V),
        lambda: cr.hvp(f)(X, V),
    ),
    "make_hvp": (lambda ag, f: ag.make_hvp(f)(X)[0](V), lambda: cr.vjp(cr.grad(f), X)[1](V)[0]),
    "deriv": (lambda ag, f: ag.deriv(f)(X), lambda: cr.jvp(f, (X,), (np.ones_like(X),))[1]),
}
VECTOR_PAIRS = {
    "jacobian": (lambda ag, g: ag.jacobian(g)(X), lambda: cr.jacobian(g)(X)),
    "vector_jacobian_product": (
        lambda ag, g: ag.vector_jacobian_product(g)(X, G),
        lambda: cr.vjp(g, X)[1](G)[0],
    ),
    "make_vjp": (lambda ag, g: ag.make_vjp(g)(X)[0](G), lambda: cr.vjp(g, X)[1](G)[0]),
    "make_jvp": (lambda ag, g: ag.make_jvp(g)(X)(V), lambda: cr.jvp(g, (X,), (V,))),
    "make_ggnvp": (lambda ag, g: ag.make_ggnvp(g)(X)(V), lambda: gauss_newton(g, X, V)),
}


def same(theirs, ours):
    theirs, ours = (x if isinstance(x, tuple) else (x,) for x in (theirs, ours))
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-13, atol=1e-14)


@pytest.fixture
def autograd(peer):
    return peer("autograd")


@pytest.mark.parametrize("name", PAIRS)
def test_scalar_functions(name, autograd, peer):
    anp = peer("autograd.numpy")
    theirs, ours = PAIRS[name]
    same(theirs(autograd, lambda x: anp.sum(anp.sin(x) * x**2)), ours())


@pytest.mark.parametrize("name", VECTOR_PAIRS)
def test_vector_functions(name, autograd, peer):
    anp = peer("autograd.numpy")
    theirs, ours = VECTOR_PAIRS[name]
    same(
        theirs(autograd, lambda x: anp.array([x[0] * x[1], anp.exp(x[2]), x[0] ** 3])),
        ours(),
    )


def test_named_arguments(autograd):
    position = [*inspect.signature(h).parameters].index("b")
    same(autograd.grad_named(h, "b")(X, 2.0), cr.grad(h, position)(X, 2.0))


def test_results_beside_the_value(autograd):
    theirs = autograd.grad_and_aux(lambda x: (x**2, 3 * x))(2.0)
    _, slope, aux = cr.value_grad_and_aux(lambda x: (x**2, 3 * x))(2.0)
    same(theirs, (slope, aux))


def test_flatten(peer):
    tree = {"w": np.ones((2, 2)), "b": np.zeros(3)}
    theirs, _ = peer("autograd.misc.flatten").flatten(tree)
    ours, unflatten = cr.flatten(tree)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(unflatten(ours)["w"], tree["w"])


def test_complex_numbers(autograd, peer):
    """Of a real function their gradient is the conjugate of ours; of a holomorphic one the same."""
    z = 0.7 - 1.3j
    anp = peer("autograd.numpy")
    theirs = autograd.holomorphic_grad(lambda z: anp.exp(z) * z**2)(z)
    same(theirs, cr.jvp(lambda z: np.exp(z) * z**2, (z,), (1.0,))[1])
    real = autograd.grad(lambda z: anp.real(z**2 * anp.conj(z)))(z)
    same(np.conj(real), cr.grad(lambda z: np.real(z**2 * np.conj(z)))(z))


def test_own_rules(peer):
    extend = peer("autograd.extend")

    @extend.primitive
    def cube(x):
        return x**3

    extend.defvjp(cube, lambda ans, x: lambda g: g * 3 * ans / x)
    ours = cr.primitive(lambda x: x**3, vjp=lambda g, x, y: g * 3 * y / x, samples=[(0.5,)])
    same(peer("autograd").grad(cube)(2.0), cr.grad(ours)(2.0))
    assert float(cr.jvp(ours, (2.0,), (1.0,))[1]) == 12


def test_optimisers(peer):
    """The same steps: their adam, and their sgd with its mass."""
    misc = peer("autograd.misc.optimizers")

    def slope(x, i=0):
        return 2 * x - np.array([1.0, -3.0])

    def run(optimiser):
        x = np.array([4.0, 5.0])
        state = optimiser.init(x)
        for _ in range(10):
            x, state = optimiser.update(slope(x), state, x)
        return x

    start = np.array([4.0, 5.0])
    same(misc.adam(slope, start, num_iters=10, step_size=0.1), run(cr.optim.adam(0.1)))
    # theirs: v = m v - (1 - m) g, x += s v; ours: v = m v + g, x -= r v, with r = s (1 - m)
    theirs = misc.sgd(slope, start, num_iters=10, step_size=0.1, mass=0.9)
    same(theirs, run(cr.optim.sgd(0.1 * (1 - 0.9), momentum=0.9)))
