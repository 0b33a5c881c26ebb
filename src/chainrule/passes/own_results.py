"""Results that are arrays of their own: no input, no constant, no view and none given twice."""

from __future__ import annotations

from chainrule.graph import CONSTANT, VARIABLE, Graph, Node, registry
from chainrule.graph.node import Edge
from chainrule.primitives.views import View


def own_results(graph: Graph) -> Graph:
    """The same graph with a copy in the place of each output that shares its memory.

    The caller may write into what it gets, and later calls must not see that.
    """
    own = Graph()
    own.inputs, own.guards = list(graph.inputs), list(graph.guards)
    own.nodes = list(graph.nodes)
    given: set[Edge] = set()
    for edge in graph.outputs:
        node, index = edge
        if _is_shared(node) or edge in given:
            spec = node.outputs[index]
            copy = Node(registry["astype"], (edge,), {"dtype": spec.dtype}, (spec,))
            own.nodes.append(copy)
            edge = (copy, 0)
        given.add(edge)
        own.outputs.append(edge)
    return own


def _is_shared(node: Node) -> bool:
    leaf = node.primitive is CONSTANT or node.primitive is VARIABLE
    return leaf or isinstance(node.primitive, View) or node.primitive.name in _VIEWS_IN_NUMPY


# NumPy gives back its argument, or a view of it, although the records are no views.
_VIEWS_IN_NUMPY = ("real", "imag", "broadcast_to")
