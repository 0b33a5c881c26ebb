"""How many bytes derivatives hold, by tracemalloc: NumPy reports every array to it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Measure = Callable[[Callable[[], Any]], int]
SIZE = 100_000  # entries; one array is 0.8 MB, beside which the interpreter's objects are nothing
ARRAY = 8 * SIZE
X = np.linspace(0.1, 0.9, SIZE)


def chain(length: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        for _ in range(length):
            x = np.sin(x)
        return np.sum(x)

    return f


def test_dual_numbers_hold_a_constant_factor_along_a_chain(peak: Measure) -> None:
    t = np.ones(SIZE)
    short = peak(lambda: cr.jvp(chain(10), (X,), (t,)))
    long = peak(lambda: cr.jvp(chain(100), (X,), (t,)))
    assert long <= 1.02 * short
    # The function holds x and sin x; with their tangents, cos x, and a copy of x: six arrays.
    assert long <= 6.1 * ARRAY


def test_reverse_mode_holds_one_array_per_operation(peak: Measure) -> None:
    short = peak(lambda: cr.grad(chain(10))(X)) / ARRAY
    long = peak(lambda: cr.grad(chain(50))(X)) / ARRAY
    assert 39.5 <= long - short <= 40.5  # sin saves its input


def test_a_gradient_lets_go_of_each_value_after_its_use(peak: Measure, held: Measure) -> None:
    # What the tape holds at the end of the forward run, and a few arrays for the step at hand.
    tape = held(lambda: cr.vjp(chain(50), X)[1])
    assert peak(lambda: cr.grad(chain(50))(X)) <= tape + 5 * ARRAY


# What one operation keeps of `y`, an intermediate, for its pullback: in arrays of the size of y.
KEPT: dict[str, tuple[Callable[[Any], Any], float]] = {
    "a constant is added": (lambda y: y + 1.0, 0),
    "two uses are added": (lambda y: y + y, 0),
    "negative": (lambda y: -y, 0),
    "subtract": (lambda y: y - 2.0, 0),
    "a constant factor": (lambda y: y * 3.0, 0),
    "mean": (np.mean, 0),
    "reshape, transpose, slice": (lambda y: y.reshape(2, -1).T[3:], 0),
    "flip and roll": (lambda y: np.roll(np.flip(y), 3), 0),
    "concatenate": (lambda y: np.concatenate([y, y, -y]), 0),
    "piecewise constant": (lambda y: np.floor(y) + np.sign(y), 0),
    "square keeps its input": (lambda y: y**2, 1),
    "sin keeps its input": (np.sin, 1),
    "exp keeps its output": (np.exp, 1),
    "tanh keeps its output": (np.tanh, 1),
    "sqrt keeps its output": (np.sqrt, 1),
    "three exponentials keep three outputs": (lambda y: np.exp(np.exp(-np.exp(y))), 3),
    "a product keeps both factors": (lambda y: np.sin(y) * np.cos(y), 3),
    "where keeps the condition": (lambda y: np.where(X > 0.5, y, 0.0), 1 / 8),
}


@pytest.mark.parametrize("name", KEPT)
def test_the_tape_keeps_only_what_a_derivative_reads(name: str, held: Measure) -> None:
    f, arrays = KEPT[name]
    # x + 1 keeps nothing, and is held by nobody else.
    without = held(lambda: cr.vjp(lambda x: np.sum(x + 1.0), X)[1])
    size = held(lambda: cr.vjp(lambda x: np.sum(f(x + 1.0)), X)[1])
    # The objects of a few operations take up to 0.01 of an array.
    assert arrays - 0.01 <= (size - without) / ARRAY <= arrays + 0.01


def test_only_a_wanted_derivative_keeps_values(held: Measure) -> None:
    a, b = np.ones((300, 200)), np.ones((200, 400))

    def kept(f: Callable[..., Any], *arguments: Any) -> int:
        without = held(lambda: cr.vjp(lambda *xs: sum(np.sum(x + 1.0) for x in xs), *arguments)[1])
        return held(lambda: cr.vjp(f, *arguments)[1]) - without

    room = 20_000
    both = kept(lambda a, b: np.sum((a + 1.0) @ (b + 1.0)), a, b)
    assert abs(both - a.nbytes - b.nbytes) <= room
    assert abs(kept(lambda a: np.sum((a + 1.0) @ b), a) - b.nbytes) <= room
    assert abs(kept(lambda b: np.sum(a @ (b + 1.0)), b) - a.nbytes) <= room


def test_checkpoint_keeps_only_the_arguments(held: Measure) -> None:
    def block(x: Any) -> Any:
        for _ in range(10):
            x = np.sin(x)
        return x

    plain = held(lambda: cr.vjp(lambda x: np.sum(block(block(x))), X)[1]) / ARRAY
    saved = held(
        lambda: cr.vjp(lambda x: np.sum(cr.checkpoint(block)(cr.checkpoint(block)(x))), X)[1]
    )
    assert 19.9 <= plain <= 20.1
    # Its arguments and, to see that it ran the same way again, its results.
    assert saved / ARRAY <= 4.1


def test_the_matrix_example_at_a_smaller_size(peak: Measure) -> None:
    n, d, m = 8, 512, 512
    x, w = np.ones((n, d)), np.ones((d, m))
    y = np.empty((n, m))
    named = 2 * (x.nbytes + w.nbytes + y.nbytes)  # x, w, y and their gradients
    assert peak(lambda: cr.grad(lambda x, w: np.sum(x @ w), (0, 1))(x, w)) <= 3 * named
