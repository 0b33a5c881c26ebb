"""What every graph must be; checked in the tests after each pass."""

from __future__ import annotations

from chainrule.graph.node import Edge, Graph, Node
from chainrule.graph.primitive import CONSTANT, VARIABLE


def check(graph: Graph) -> None:
    """Raise AssertionError, with a sentence, where `graph` is not a graph.

    Nodes stand after their inputs and once; every edge names an output that exists; inputs are
    variables; outputs and guards are edges of the graph.
    """
    known: set[Node] = set()
    for node in graph.inputs:
        assert node.primitive is VARIABLE, f"the input {node!r} is not a variable"
        assert node not in known, f"the input {node!r} stands twice"
        known.add(node)

    def exists(edge: Edge, of: str) -> None:
        node, index = edge
        assert node.primitive is CONSTANT or node in known, f"{of} uses {node!r} before it exists"
        assert 0 <= index < len(node.outputs), f"{of} uses output {index} of {node!r}"

    for node in graph.nodes:
        assert node not in known, f"{node!r} stands twice"
        for edge in node.inputs:
            exists(edge, repr(node))
        known.add(node)
    for edge in graph.outputs:
        exists(edge, "the list of outputs")
    for guard in graph.guards:
        exists(guard.edge, f"the guard at {guard.place}")
