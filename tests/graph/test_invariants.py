"""A legal graph passes, and each way of breaking one is told in a sentence."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import CONSTANT, VARIABLE, Graph, Guard, Node, Spec, registry
from chainrule.graph.invariants import check
from chainrule.graph.node import callers_place

NUMBER = Spec((), np.dtype(np.float64))


def variable(name=None):
    return Node(VARIABLE, (), {}, (NUMBER,), None, name)


def operation(*inputs, name="multiply"):
    return Node(registry[name], tuple((node, 0) for node in inputs), {}, (NUMBER,))


def graph_of(inputs, nodes, outputs, guards=()):
    graph = Graph()
    graph.inputs, graph.nodes = list(inputs), list(nodes)
    graph.outputs, graph.guards = list(outputs), list(guards)
    return graph


def branching(x):
    y = x["W"] @ x["b"]
    if y[0] > 0:
        y = y * 2.0
    return {"y": np.linalg.eigh(np.outer(y, y) + np.eye(2)), "same": x["W"], "constant": 3.0}


TREE = {"W": np.ones((2, 2)), "b": np.array([1.0, 2.0])}


@pytest.mark.parametrize(
    "f",
    [
        branching,
        cr.grad(lambda x: np.sum(np.tanh(x["W"] @ x["b"]))),
        cr.hessian(lambda x: np.sum(x["b"] ** 3)),
        lambda x: cr.jvp(cr.grad(lambda b: np.sum(np.sin(b))), (x["b"],), (x["b"],)),
    ],
    ids=["branching", "gradient", "hessian", "forward over reverse"],
)
def test_recorded_graphs_are_legal(f):
    check(cr.trace(f)(TREE))


def test_a_hand_made_graph_is_legal():
    x = variable()
    y = operation(x, x)
    z = operation(y, Node(CONSTANT, (), {"value": 2.0}, (NUMBER,)))
    check(graph_of(inputs=[x], nodes=[y, z], outputs=[(z, 0), (x, 0)]))


def test_an_operation_before_its_input():
    x = variable()
    y = operation(x, x)
    z = operation(y, x)
    with pytest.raises(AssertionError, match=r"uses <multiply: .*> before it exists"):
        check(graph_of(inputs=[x], nodes=[z, y], outputs=[(z, 0)]))


def test_an_operation_that_stands_twice():
    x = variable()
    y = operation(x, x)
    with pytest.raises(AssertionError, match="stands twice"):
        check(graph_of(inputs=[x], nodes=[y, y], outputs=[(y, 0)]))
    with pytest.raises(AssertionError, match="stands twice"):
        check(graph_of(inputs=[x, x], nodes=[], outputs=[(x, 0)]))


def test_an_input_that_is_not_a_variable():
    x = variable()
    y = operation(x, x)
    with pytest.raises(AssertionError, match="is not a variable"):
        check(graph_of(inputs=[x, y], nodes=[], outputs=[(x, 0)]))


def test_an_output_that_does_not_exist():
    x = variable()
    y = operation(x, x)
    with pytest.raises(AssertionError, match="the list of outputs uses output 1"):
        check(graph_of(inputs=[x], nodes=[y], outputs=[(y, 1)]))
    with pytest.raises(AssertionError, match="the list of outputs uses <multiply"):
        check(graph_of(inputs=[x], nodes=[], outputs=[(y, 0)]))


def test_a_guard_on_what_does_not_exist():
    x, other = variable(), variable("other")
    guard = Guard((other, 0), "bool", True, callers_place())
    with pytest.raises(AssertionError, match=r"the guard at test_invariants\.py:\d+ uses"):
        check(graph_of(inputs=[x], nodes=[], outputs=[(x, 0)], guards=[guard]))
