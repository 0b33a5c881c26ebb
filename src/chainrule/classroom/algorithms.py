"""The two passes of the homework over a graph: results forwards, gradients backwards."""

from __future__ import annotations

from typing import Any

from chainrule.classroom import values
from chainrule.classroom.nodes import ComputationNode, Leaf
from chainrule.classroom.printing import build_graph, building, title
from chainrule.classroom.walk import with_origins
from chainrule.errors import NodeTypeError, NodeValueError
from chainrule.graph.node import callers_place

# What NumPy, a tensor library or a student's own node raises when numbers or shapes do not fit.
_FAILURES = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RuntimeError)


def forward_algorithm(graph: ComputationNode) -> ComputationNode:
    """Compute the result of every node, inputs first, and return the graph.

    >>> x = Leaf(3.0, "x")
    >>> forward_algorithm(x * x + 1).result
    10.0
    """
    with build_graph(False):
        for node in graph.sorted_nodes():
            try:
                node.forward()
            except _FAILURES as failure:
                failure.add_note(_step(node, "forward"))
                raise
            if node.result is None:
                raise NodeValueError(
                    f"{title(node)}.forward() ({node.place}) left no result: "
                    "it must assign self.result."
                )
    return graph


def backward_algorithm(graph: ComputationNode, one: Any = 1.0) -> ComputationNode:
    """Compute the gradient of the result with respect to every node, and return the graph.

    Each node is visited once, after all its uses, and hands one gradient to each input; the
    gradients of several uses add up. `one` is the gradient of the result with respect to itself;
    a single number stands for that number at every entry. Inside `with build_graph():` gradients
    are nodes, to be run forward and differentiated again. A variable of the graph that was
    differentiated, but which its derivative does not contain any more, gets the gradient 0.
    Raises NodeValueError before the forward pass has run and when a gradient has a wrong shape.

    >>> x = Leaf(3.0, "x")
    >>> y = forward_algorithm(x * x + 1)
    >>> backward_algorithm(y).get("x").gradient
    6.0
    >>> with build_graph():
    ...     slope = backward_algorithm(y).get("x").gradient
    >>> backward_algorithm(forward_algorithm(slope)).result, x.gradient
    (6.0, 2.0)
    """
    order = graph.sorted_nodes()
    _expect_results(order)
    related = with_origins(order)
    seed = _seed(graph, one)
    for node in related:
        node.gradient = None
    graph.gradient = seed
    for node in reversed(order):
        if node.gradient is None:
            node.gradient = _no_gradient(node)
        try:
            _hand_down(node)
        except _FAILURES as failure:
            failure.add_note(_step(node, "backward"))
            raise
    for node in related:
        if node.gradient is None:
            node.gradient = _no_gradient(node)
        if isinstance(node.gradient, ComputationNode):
            node.gradient.derived_from = graph
    return graph


def _hand_down(node: ComputationNode) -> None:
    """Give each input its share of the node's gradient; None means that it gets nothing."""
    gradients = node.backward()
    kind, uses = title(node), len(node.input_nodes)
    if not isinstance(gradients, (list, tuple)) or len(gradients) != uses:
        raise NodeTypeError(f"{kind}.backward() must return a list of {uses}, one per input.")
    for i, gradient in enumerate(gradients):
        if gradient is None:
            continue
        child = node.input_nodes[i]
        fitting = node.fit(i, gradient)
        if building() and not isinstance(fitting, ComputationNode):
            fitting = Leaf(fitting)
        own = child.shape if isinstance(fitting, ComputationNode) else values.shape_of(fitting)
        if own != child.shape:
            raise NodeValueError(
                f"{kind}.backward() gives input {i} ({title(child)}) a gradient of shape {own}, "
                f"and the input has shape {child.shape}; the two must be the same."
            )
        child.accumulate_gradient(fitting)


def _seed(graph: ComputationNode, one: Any) -> Any:
    """The gradient of the result with respect to itself, in the shape of the result.

    From a node it is always made anew, times ones of the kind and shape of the result: `one` may
    serve other graphs too, and a gradient knows only one graph that it is derived from.
    """
    node = one if isinstance(one, ComputationNode) else None
    if node is not None and not building():
        raise NodeTypeError(
            f"{callers_place()}: one is a node, but gradients are numbers here. Run the backward "
            "pass inside `with build_graph():`, or pass a number."
        )
    if isinstance(node, Leaf):
        node.forward()
    shape = values.shape_of(one) if node is None else node.shape
    if shape not in ((), graph.shape):
        raise NodeValueError(
            f"{callers_place()}: one has shape {shape} and the result {graph.shape}. "
            "Pass a single number, or one of the shape of the result."
        )
    if node is not None:
        return node * values.filled(graph.result, 1.0)
    seed = one if shape == graph.shape != () else values.filled(graph.result, one)
    return Leaf(seed) if building() else seed


def _no_gradient(node: ComputationNode) -> Any:
    zeros = values.zeros_of(node.result)
    return Leaf(zeros) if building() else zeros


def _expect_results(nodes: list[ComputationNode]) -> None:
    for node in nodes:
        if node.result is None:
            raise NodeValueError(
                f"{callers_place()}: {title(node)} ({node.place}) has no result yet. "
                "Call forward_algorithm(graph) before backward_algorithm(graph)."
            )


def _step(node: ComputationNode, step: str) -> str:
    """A note for a failure: which node it was, where it was made, and the shapes of its inputs."""
    inputs = ", ".join(f"{title(child)} of shape {child.shape}" for child in node.input_nodes)
    return f"This was {step}() of {title(node)}, made at {node.place}, from {inputs or 'nothing'}."
