"""Traced values that a function closes over, taken out and put back."""

import functools
from collections import namedtuple

import numpy as np
import pytest

import chainrule as cr
from chainrule.transforms.closures import Closure

Pair = namedtuple("Pair", "left right")


def nested(c):
    def inner(x):
        return x * c

    return lambda x: inner(x) + 1.0


def recursive(c):
    def power(x, n):
        return c if n == 0 else x * power(x, n - 1)

    return lambda x: power(x, 2)


HOLDERS = {
    "a cell": lambda c: lambda x: x + c,
    "a default": lambda c: lambda x, c=c: x + c,
    "a keyword default": lambda c: lambda x, *, c=c: x + c,
    "a list": lambda c: (lambda parts: lambda x: x + parts[0])([c, 1.0]),
    "a dict": lambda c: (lambda parts: lambda x: x + parts["c"])({"c": c}),
    "a named tuple": lambda c: (lambda parts: lambda x: x + parts.left)(Pair(c, 1.0)),
    "a partial": lambda c: functools.partial(lambda c, x: x + c, c),
    "an object array": lambda c: (lambda a: lambda x: x + np.sum(a))(np.array([c, c])),
    "a function in a cell": nested,
    "a function that calls itself": recursive,
}


@pytest.mark.parametrize("name", HOLDERS)
def test_it_is_found_and_replaced(name):
    plain = float(HOLDERS[name](5.0)(3.0))

    def f(c):
        function = HOLDERS[name](c)
        closure = Closure(function)
        assert len(closure.values) == 1
        five = np.full(np.shape(closure.values[0]), 5.0)[()]
        other = closure.holding([five])
        assert float(other(3.0)) == plain  # nothing traced is left in it
        assert not Closure(other).values
        return function(2.0)

    assert float(cr.grad(f)(7.0)) != 0


def test_a_function_without_traced_values_stays_itself():
    data = np.ones(3)

    def f(x):
        return x @ data

    closure = Closure(f)
    assert closure.values == []
    assert closure.holding([]) is f


def test_counts_kept_in_a_cell_stay_shared():
    calls = 0

    def outer(c):
        def f(x):
            nonlocal calls
            calls += 1
            return x * c

        closure = Closure(f)
        closure.holding([2.0])(1.0)
        return c

    cr.grad(outer)(1.0)
    assert calls == 1


def test_containers_that_hold_themselves():
    def outer(c):
        ring = [c, 1.0]
        ring.append(ring)
        closure = Closure(lambda x: x * ring[0])
        assert len(closure.values) == 1
        return closure.holding([2.0])(3.0) * c

    assert float(cr.grad(outer)(1.0)) == 6.0
