"""What a function closes over: found wherever it hides, replaced, and otherwise left alone."""

import functools

import numpy as np
import pytest

from chainrule import grad, jvp, vjp
from chainrule.transforms.hoisting import Hoisted, depends
from chainrule.transforms.stop_gradient import stop_gradient


class Model:
    def __init__(self, rate):
        self.rate = rate
        self.itself = self

    def __call__(self, x):
        return self.rate * x


def scaled(x, rate=1.0, *, more=0.0):
    return rate * x + more


def _with_default(k):
    def f(x, *, rate=k):
        return rate * x

    return f


def _recursive(k):
    def f(x, depth=1):
        return k * x if depth == 0 else f(x, depth - 1)

    return f


HIDING = {
    "a cell": lambda k: lambda x: k * x,
    "a cell of a cell": lambda k: (lambda inner: lambda x: inner(x))(lambda x: k * x),
    "a default": _with_default,
    "a partial function": lambda k: functools.partial(scaled, rate=k),
    "a method": lambda k: Model(k).__call__,
    "an object": lambda k: Model(k),
    "a container": lambda k: (lambda parts: lambda x: parts["list"][0][1] * x)({"list": [(0, k)]}),
    "an array of objects": lambda k: (lambda a: lambda x: a[0] * x)(np.array([k, 1.0])),
    "a function that calls itself": _recursive,
}


@pytest.mark.parametrize("place", HIDING)
def test_values_are_found_and_replaced(place):
    seen = {}

    def f(k):
        hoisted = Hoisted(HIDING[place](k))
        seen["leaves"] = len(hoisted.leaves)
        seen["plain"] = hoisted.plain()(5.0)
        (again,) = [hoisted.with_leaves((7.0,))(5.0)]
        seen["again"] = again
        return hoisted.with_leaves(tuple(hoisted.leaves))(5.0)

    assert grad(f)(3.0) == 5.0
    assert seen["leaves"] == 1
    assert seen["plain"] == 15.0
    assert seen["again"] == 35.0
    assert type(seen["plain"]) is not type(f)
    assert np.asarray(seen["plain"]).dtype == float


def test_arguments_and_one_value_in_two_places():
    def f(k):
        hoisted = Hoisted(lambda x, rate, more: k * x + rate + more, (k, 2.0))
        assert len(hoisted.leaves) == 1
        return hoisted.with_leaves((hoisted.leaves[0],))(5.0)

    assert grad(f)(3.0) == 6.0


def test_what_holds_nothing_is_the_same_object():
    model = Model(2.0)
    hoisted = Hoisted(model)
    assert hoisted.leaves == []
    assert hoisted.with_leaves(()) is model


def test_constants_do_not_depend():
    def f(x):
        assert depends(x)
        assert not depends(np.zeros_like(x))
        assert not depends(stop_gradient(x))
        assert not depends(3.0)
        return np.sum(x * x)

    vjp(f, np.ones(2))
    jvp(f, (np.ones(2),), (np.ones(2),))
    jvp(grad(f), (np.ones(2),), (np.ones(2),))
