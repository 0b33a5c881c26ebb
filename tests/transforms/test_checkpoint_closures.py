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


def test_what_it_does_not_hold_itself_is_refused():
    class Model:
        pass

    model = Model()

    def f(x):
        model.x = x
        return cr.checkpoint(lambda y: y * model.x)(2.0 * x)

    with pytest.raises(errors.InputError, match="does not hold itself"):
        cr.grad(f)(1.0)
