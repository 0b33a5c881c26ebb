"""A checkpointed function may close over the values that are being differentiated."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def plain(f):
    return f


def blocks(wrap):
    def f(w, x):
        def block(x, *, power=2):
            return np.tanh(w @ x) ** power

        x = wrap(block)(x)
        x = wrap(block)(x, power=w[0, 0])  # also as a keyword
        return np.sum(wrap(lambda: np.sin(x) * w[1])())

    return f


@pytest.mark.parametrize("argnum", [0, 1])
def test_gradients_and_second_order(argnum, rng):
    point = [rng.normal(size=(3, 3)) + 2.0 * np.eye(3), rng.uniform(0.5, 1.0, 3)]

    def along(wrap):
        return lambda x: blocks(wrap)(*[x if k == argnum else point[k] for k in (0, 1)])

    x, ours, exact = point[argnum], along(cr.checkpoint), along(plain)
    np.testing.assert_allclose(cr.grad(ours)(x), cr.grad(exact)(x), rtol=1e-12)
    np.testing.assert_allclose(cr.hvp(ours)(x, x), cr.hvp(exact)(x, x), rtol=1e-11)
    np.testing.assert_allclose(cr.jvp(ours, (x,), (x,))[1], cr.jvp(exact, (x,), (x,))[1])


class Model:
    pass


MODEL = Model()


def test_attributes_of_objects_that_it_holds():
    def f(x):
        model = Model()
        model.x = x
        return cr.checkpoint(lambda y: y * model.x)(2.0 * x)

    assert float(cr.grad(f)(3.0)) == 12.0


def test_what_it_does_not_hold_itself_is_refused():
    def f(x):
        MODEL.x = x
        return cr.checkpoint(lambda y: y * MODEL.x)(2.0 * x)

    with pytest.raises(errors.InputError, match="does not hold itself"):
        cr.grad(f)(1.0)


def test_arguments_without_a_float():
    def f(x, n, wrap):
        return wrap(lambda u, n, how: u**n if how == "power" else u)(x, n, "power")

    for wrap in (cr.checkpoint, plain):
        assert float(cr.grad(f)(2.0, 3, wrap)) == 12.0
        assert float(cr.jvp(f, (2.0,), (1.0,), n=3, wrap=wrap)[1]) == 12.0
        assert float(cr.grad(cr.grad(f))(2.0, 3, wrap)) == 12.0
        numbers = np.array([2, 3])
        slopes = cr.vmap(cr.grad(lambda x, n, wrap=wrap: f(x, n, wrap)))(np.ones(2), numbers)
        np.testing.assert_equal(slopes, [2.0, 3.0])
        held = cr.vmap(lambda n, wrap=wrap: wrap(lambda: 2.0**n)())(numbers)
        np.testing.assert_equal(held, [4.0, 8.0])


@pytest.mark.parametrize("nested", [False, True])
def test_a_function_that_writes_into_what_it_was_given_is_refused(nested):
    def given(x):
        def f(u):
            u[0] = 5.0
            return np.sum(u * u)

        return cr.checkpoint(f)(1.0 * x)

    def held(x):
        y = np.exp(x)

        def f(u):
            y[0] = 5.0
            return np.sum(u * y)

        return cr.checkpoint(f)(x) + np.sum(y)

    for call in (given, held):
        derivative = cr.hessian(call) if nested else cr.grad(call)
        with pytest.raises(errors.MutationError, match="writes into an array"):
            derivative(np.array([1.0, 2.0]))
