"""run(trace(f)(x), x) is f(x), at the recorded point and at others, to the last bit."""

import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import Graph
from chainrule.interpreter import run


def network(x, w, b):
    hidden = np.tanh(w @ x + b[:, None])
    spread = np.var(hidden, axis=0, keepdims=True)
    return np.sum(hidden / np.sqrt(spread + 0.1)), np.where(hidden > 0, hidden, 0.1 * hidden)


def written(x, w, b):
    y = w * 2.0
    y[0] = b[0]
    y[:, 1] += x[0, 0]
    return (y.T,)


def decomposed(x, w, b):
    values, vectors = np.linalg.eigh(w @ w.T)
    return values, np.abs(vectors), np.argsort(values)


def derivative(x, w, b):
    return cr.grad(lambda *args: network(*args)[0], (0, 1, 2))(x, w, b)


def unchanged(x, w, b):
    return x, 3.0


@pytest.fixture
def points(rng):
    return [
        (rng.normal(size=(3, 4)), rng.normal(size=(2, 3)), rng.normal(size=2)) for _ in range(3)
    ]


@pytest.mark.parametrize("f", [network, written, decomposed, derivative, unchanged])
def test_the_graph_computes_what_the_function_computes(f, points):
    graph = cr.trace(f)(*points[0])
    for point in points:
        for got, expected in zip(run(graph, *point), f(*point), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_it_can_be_run_again_and_differentiated(points):
    graph = cr.trace(network)(*points[0])
    by_graph = cr.grad(lambda *args: run(graph, *args)[0], (0, 1, 2))(*points[1])
    for got, expected in zip(by_graph, derivative(*points[1]), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_values_are_let_go_after_their_last_use():
    """A chain of thousands of arrays runs in the memory of a few of them."""

    def chain(x):
        for _ in range(200):
            x = np.sin(x)
        return x

    x = np.ones(10_000)
    graph = cr.trace(chain)(x)
    tracemalloc.start()
    run(graph, x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * x.nbytes


def test_the_number_of_inputs_is_checked():
    graph = cr.trace(lambda x, y: x * y)(1.0, 2.0)
    with pytest.raises(ValueError, match="has 2 inputs, not 1"):
        run(graph, 1.0)
    assert run(Graph()) == ()
