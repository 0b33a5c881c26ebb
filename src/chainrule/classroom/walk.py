"""Going through a graph without recursion, so that a chain may be as long as memory allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.errors import NodeLookupError
from chainrule.graph.node import callers_place

if TYPE_CHECKING:
    from chainrule.classroom.nodes import ComputationNode


def depth_first(root: ComputationNode, seen: set[ComputationNode]) -> list[ComputationNode]:
    """The nodes that `root` is computed from and itself, each after its inputs, in their order.

    Nodes in `seen` are left out, and `seen` grows by the nodes returned.
    """
    nodes: list[ComputationNode] = []
    pending = [(root, False)]
    while pending:
        node, inputs_done = pending.pop()
        if inputs_done:
            nodes.append(node)
        elif node not in seen:
            seen.add(node)
            pending.append((node, True))
            pending.extend((child, False) for child in reversed(node.input_nodes))
    return nodes


def with_origins(nodes: list[ComputationNode]) -> list[ComputationNode]:
    """These nodes, and those of every graph whose backward pass built one of them.

    The derivative of 3x is 3, a graph in which x does not occur; yet x is a variable of it, and
    its gradient there is 0. `derived_from` leads back to x.
    """
    related = list(nodes)
    seen = set(nodes)
    for node in related:  # grows while it is read, so that origins of origins are found too
        if node.derived_from is not None and node.derived_from not in seen:
            related.extend(depth_first(node.derived_from, seen))
    return related


def named(root: ComputationNode, name: str) -> ComputationNode:
    """The one node of the graph with this name; NodeLookupError if there are none or several."""
    nodes = depth_first(root, set())
    found = [node for node in nodes if node.name == name]
    if len(found) == 1:
        return found[0]
    known = ", ".join(sorted({str(node.name) for node in nodes if node.name})) or "none"
    trouble = f"{len(found)} nodes are named" if found else "no node is named"
    raise NodeLookupError(
        f"{callers_place()}: {trouble} {name!r} in this graph; its names are: {known}. "
        "Give the node you mean a name of its own, as in Leaf(1.0, 'x')."
    )
