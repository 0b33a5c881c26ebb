"""Nothing recurses: chains of 100,000 nodes, far beyond Python's recursion limit.

Where a test builds several graphs of that length, 20,000 nodes show the same, and 100,000 are deep.
"""

import gc
import weakref

import pytest

from chainrule.classroom import Leaf, backward_algorithm, build_graph, forward_algorithm

LENGTH = 100_000
LENGTHS = [20_000, pytest.param(LENGTH, marks=pytest.mark.deep)]


@pytest.fixture(scope="module")
def chain():
    x = Leaf(1.0, "x")
    y = x
    for _ in range(LENGTH):
        y = -y
    return x, y


def test_sorted_nodes(chain):
    x, y = chain
    nodes = y.sorted_nodes()
    assert len(nodes) == LENGTH + 1
    assert (nodes[0], nodes[-1]) == (x, y)
    assert y.get("x") is x


def test_forward_backward_and_print(chain):
    x, y = chain
    backward_algorithm(forward_algorithm(y))
    assert (y.result, x.gradient) == (1.0, 1.0)
    text = repr(y)
    assert text.count("\n") == LENGTH
    assert text.endswith(f"[level {LENGTH}] Leaf x result=1.0 gradient=1.0")
    assert len(text) < 120 * LENGTH


@pytest.mark.parametrize("length", LENGTHS)
def test_second_order(length):
    x = Leaf(0.5, "x")
    y = x
    for _ in range(length):
        y = -y
    y = forward_algorithm(y * y)
    with build_graph():
        backward_algorithm(y)
    slope = x.gradient
    backward_algorithm(forward_algorithm(slope))
    assert slope.result == 1.0
    assert x.gradient == 2.0


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("building", [False, True])
def test_deletion(building, length):
    """An exponential stands in its own built gradient, so these are cycles for the collector."""
    x = Leaf(0.5, "x")
    y = x
    for _ in range(length // 2):
        y = (-y).exp()
    forward_algorithm(y)
    with build_graph(building):
        backward_algorithm(y)
    last = weakref.ref(y)
    del x, y
    gc.collect()
    assert last() is None
