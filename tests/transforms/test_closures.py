"""What a function closes over: found wherever it hides, replaced, and otherwise left alone."""

import functools
from collections import defaultdict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.transforms.closures import Closure, depends

Pair = namedtuple("Pair", "left right")


class Model:
    def __init__(self, rate):
        self.rate = rate
        self.itself = self

    def __call__(self, x):
        return self.rate * x


@dataclass(frozen=True)
class Frozen:
    rate: float

    def scaled(self, x):
        return self.rate * x


def nested(c):
    def inner(x):
        return x * c

    return lambda x: inner(x) + 1.0


def recursive(c):
    def power(x, n):
        return c if n == 0 else x * power(x, n - 1)

    return lambda x: power(x, 2)


def in_turns(c):
    def even(x, n):
        return c * x if n == 0 else odd(x, n - 1)

    def odd(x, n):
        return even(x, n - 1)

    return lambda x: even(x, 2)


HOLDERS = {
    "a cell": lambda c: lambda x: x * c,
    "a default": lambda c: lambda x, c=c: x * c,
    "a keyword default": lambda c: lambda x, *, c=c: x * c,
    "a list": lambda c: (lambda parts: lambda x: x * parts[0])([c, 1.0]),
    "a dict": lambda c: (lambda parts: lambda x: x * parts["c"])({"c": c}),
    "a dict of its own kind": lambda c: (lambda parts: lambda x: x * parts["c"] + parts["d"])(
        defaultdict(float, c=c)
    ),
    "containers in each other": lambda c: (lambda parts: lambda x: x * parts["l"][0][1])(
        {"l": [(0, c)]}
    ),
    "a named tuple": lambda c: (lambda parts: lambda x: x * parts.left)(Pair(c, 1.0)),
    "a partial": lambda c: functools.partial(lambda c, x: x * c, c),
    "a keyword of a partial": lambda c: functools.partial(lambda x, c: x * c, c=c),
    "an object array": lambda c: (lambda a: lambda x: x * np.sum(a))(np.array([c, c])),
    "a function in a cell": nested,
    "a function that calls itself": recursive,
    "functions that call each other": in_turns,
    "an object": Model,
    "a method": lambda c: Model(c).__call__,
    "a frozen object": lambda c: Frozen(c).scaled,
    "a method of the array itself": lambda c: (lambda f: lambda x: f() * x)(c.sum),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_it_is_found_and_replaced(name):
    plain = float(HOLDERS[name](np.float64(5.0))(3.0))

    def f(c):
        function = HOLDERS[name](c)
        closure = Closure(function)
        assert len(closure.values) == 1
        five = np.full(np.shape(closure.values[0]), 5.0)[()]
        other = closure.holding([five])
        assert type(other(3.0)) in (float, np.float64)
        assert float(other(3.0)) == plain  # nothing traced is left in it
        assert not Closure(other).values
        assert float(closure.plain()(3.0)) == float(HOLDERS[name](np.float64(7.0))(3.0))
        assert depends(function(3.0))  # and it is what it was itself
        return closure.holding(closure.values)(2.0)

    exact = cr.grad(lambda c: HOLDERS[name](c)(2.0))(7.0)
    assert cr.grad(f)(7.0) == exact != 0


def test_a_function_without_traced_values_stays_itself():
    data, model = np.ones(3), Model(2.0)

    def f(x):
        return x @ data * model(1.0)

    closure = Closure(f)
    assert closure.values == []
    assert closure.holding([]) is f
    assert Closure(model).holding([]) is model


def test_what_holds_nothing_is_shared():
    def outer(c):
        kept, model = [1.0], Model(2.0)
        closure = Closure(lambda: (c, kept, model))
        _, other, same = closure.holding([3.0])()
        assert other is kept
        assert same is model
        return c

    cr.grad(outer)(1.0)


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
        closure = Closure(lambda x: x * ring[2][2][0])
        assert len(closure.values) == 1
        return closure.holding([2.0])(3.0) * c

    assert float(cr.grad(outer)(1.0)) == 6.0


def test_arguments_and_one_value_in_two_places():
    def f(k):
        closure = Closure(lambda x, rate, more: k * x + rate + more, (k, 2.0))
        assert len(closure.values) == 1
        return closure.holding(closure.values)(5.0)

    assert cr.grad(f)(3.0) == 6.0


def test_constants_do_not_depend_and_become_numbers_that_cannot_be_written():
    def f(x):
        constant, meant = np.zeros_like(x), cr.stop_gradient(x)
        assert depends(x)
        assert not any(map(depends, (constant, meant, 3.0)))

        def write():
            constant[0] = 1.0

        closure = Closure(write)
        assert closure.values == []
        with pytest.raises(ValueError, match="read-only"):
            closure.holding([])()
        return np.sum(x * x)

    cr.vjp(f, np.ones(2))
    cr.jvp(f, (np.ones(2),), (np.ones(2),))
    cr.jvp(cr.grad(f), (np.ones(2),), (np.ones(2),))


def test_what_differs_between_examples_depends():
    def f(n):
        assert depends(n)
        return np.sum(Closure(lambda: n).holding([2.0])())

    np.testing.assert_equal(cr.vmap(f)(np.array([1, 2])), [2.0, 2.0])


def test_a_global_is_not_found_and_the_error_names_the_line():
    error = Closure(in_turns).hidden()
    assert isinstance(error, errors.InputError)
    assert "'in_turns' given at test_closures.py:" in str(error)
