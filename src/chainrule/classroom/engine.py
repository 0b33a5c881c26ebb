"""From the hand-driven graph to the engine: the same computation, for every transform."""

from __future__ import annotations

from typing import Any

from chainrule.classroom import values
from chainrule.classroom.algorithms import forward_algorithm
from chainrule.classroom.nodes import ComputationNode, Leaf
from chainrule.errors import NodeTypeError
from chainrule.graph import Graph
from chainrule.graph.node import callers_place
from chainrule.transforms.trace import record


def to_graph(node: ComputationNode) -> Graph:
    """The graph of the engine that computes what `node` computes.

    Its inputs are the leaves, under their names, in the order of `sorted_nodes`; results and
    gradients of the nodes stay as they are. Raises NodeTypeError for a leaf that is a tensor.

    >>> from chainrule.interpreter import run
    >>> x = Leaf(3.0, "x")
    >>> graph = to_graph(x * x + x)
    >>> [float(y) for y in run(graph, 4.0)]
    [20.0]
    """
    order = node.sorted_nodes()
    leaves = [each for each in order if isinstance(each, Leaf)]
    before = [each.result for each in order]
    starts = [leaf.value for leaf in leaves]
    for leaf in leaves:
        if values.is_tensor(leaf.value):
            raise NodeTypeError(
                f"{callers_place()}: the engine works on NumPy arrays, and the leaf {leaf.name!r} "
                "is a tensor; build the graph from leaf.value.numpy()"
            )

    def compute(*inputs: Any) -> Any:
        for leaf, value in zip(leaves, inputs, strict=True):
            leaf.value = value
        return forward_algorithm(node).result

    try:
        points = tuple(values.floating(value) * 1.0 for value in starts)
        return record(compute, points, {}, [leaf.name for leaf in leaves]).graph
    finally:
        for leaf, value in zip(leaves, starts, strict=True):
            leaf.value = value
        for each, result in zip(order, before, strict=True):
            each.result = result
