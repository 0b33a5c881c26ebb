"""How many bytes the derivative of a loop holds."""

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as cr

Measure = Callable[[Callable[[], Any]], int]
ARRAY = 8 * 20_000


def test_a_derivative_keeps_the_carries_alone(held: Measure):
    def step(c, x):
        for _ in range(20):
            c = np.sin(c) + x
        return c, np.sum(c)

    def f(c, xs):
        c, ys = cr.scan(step, c, xs)
        return np.sum(c) + np.sum(ys)

    c, xs = np.linspace(0.0, 1.0, 20_000), np.linspace(0.0, 1.0, 10)
    # Ten carries, the first and the last; a tape would hold two hundred arrays.
    assert held(lambda: cr.vjp(f, c, xs)[1]) <= 12.5 * ARRAY


def test_going_back_needs_one_step_at_a_time(peak: Measure):
    def f(c, steps):
        def step(c, _):
            for _ in range(20):
                c = np.sin(c)
            return c, None

        return np.sum(cr.scan(step, c, length=steps)[0])

    c = np.linspace(0.0, 1.0, 20_000)
    short, long = (peak(lambda n=n: cr.grad(f)(c, n)) / ARRAY for n in (5, 20))
    # Carries, twice while they are stacked; the backward loop keeps none of its own.
    assert long - short <= 2.1 * 15
    second = [peak(lambda n=n: cr.hvp(f)(c, n, np.ones(c.size))) / ARRAY for n in (5, 20)]
    # Of each step several carries with tangents, but none of the 60 arrays of its pullback.
    assert second[1] - second[0] <= 9 * 15
