"""Run a graph, node after node."""

from __future__ import annotations

from typing import Any

from chainrule.graph import CONSTANT, Graph
from chainrule.graph.node import Edge


def run(graph: Graph, *inputs: Any) -> tuple[Any, ...]:
    """The outputs of `graph` at `inputs`, which may be arrays or traced arrays.

    A value is let go of after its last use.
    """
    if len(inputs) != len(graph.inputs):
        raise ValueError(f"the graph has {len(graph.inputs)} inputs, not {len(inputs)}")
    last_use: dict[Edge, int] = {}
    for position, node in enumerate(graph.nodes):
        for edge in node.inputs:
            last_use[edge] = position
    for edge in graph.outputs:
        last_use[edge] = len(graph.nodes)
    values: dict[Edge, Any] = {
        (node, 0): value for node, value in zip(graph.inputs, inputs, strict=True)
    }

    def read(edge: Edge) -> Any:
        return edge[0].params["value"] if edge[0].primitive is CONSTANT else values[edge]

    for position, node in enumerate(graph.nodes):
        result = node.primitive(*[read(edge) for edge in node.inputs], **node.params)
        for k, y in enumerate(result if isinstance(result, tuple) else (result,)):
            values[node, k] = y
        for edge in set(node.inputs):
            if last_use[edge] == position:
                values.pop(edge, None)
    return tuple(read(edge) for edge in graph.outputs)
