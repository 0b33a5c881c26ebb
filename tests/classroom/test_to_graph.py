"""A hand-driven graph, handed to the engine."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.classroom import (
    Exp,
    IntPow,
    Leaf,
    Mean,
    backward_algorithm,
    forward_algorithm,
    to_graph,
)
from chainrule.graph import invariants
from chainrule.interpreter import run


def test_the_engine_computes_what_the_nodes_compute() -> None:
    x = Leaf(math.log(2), "x")
    graph = to_graph(Mean(Exp(x), Exp(-x)))
    invariants.check(graph)
    assert [node.name for node in graph.inputs] == ["x"]
    assert run(graph, math.log(2)) == (1.25,)
    assert run(graph, 1.0)[0] == pytest.approx(math.cosh(1.0), rel=1e-15)


def test_its_gradient_is_the_backward_pass() -> None:
    a, b = Leaf(np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]]), "A"), Leaf(np.ones((3, 2)), "B")
    loss = (IntPow(a @ b - 2.0, 2) * a.sum()).sum()
    graph = to_graph(loss)
    backward_algorithm(forward_algorithm(loss))
    leaves = [node for node in loss.sorted_nodes() if isinstance(node, Leaf)]
    points = [np.asarray(leaf.value, float) for leaf in leaves]
    gradients = cr.grad(lambda *v: run(graph, *v)[0], argnums=(0, 1))(*points)
    for leaf, gradient in zip(leaves, gradients, strict=False):
        np.testing.assert_allclose(gradient, leaf.gradient, rtol=1e-14)


def test_results_and_values_stay() -> None:
    x = Leaf(3.0, "x")
    y = forward_algorithm(x * x)
    to_graph(y)
    assert (x.value, x.result, y.result) == (3.0, 3.0, 9.0)


def test_a_tensor_gets_a_sentence(peer) -> None:
    torch = peer("torch")
    x = Leaf(torch.tensor(1.0), "x")
    with pytest.raises(errors.NodeTypeError, match="tensor"):
        to_graph(x * x)
