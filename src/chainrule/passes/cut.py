"""Cut a graph at its guards: first what a guard reads, then, once it has held, what comes after.

An operation that can trap, such as a gather, runs only after the guards that were recorded before
it have held; nothing is written for the caller before the last one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chainrule.graph import CONSTANT, VARIABLE, Graph, Guard, Node
from chainrule.graph.node import Edge


class Piece(NamedTuple):
    """A part of a graph as a graph: it reads and gives edges of the whole, and ends in guards."""

    graph: Graph
    reads: tuple[Edge, ...]
    gives: tuple[Edge, ...]
    guards: tuple[Guard, ...]


_HARMLESS_FORMS = ("elementwise", "flat", "multilinear")
_HARMLESS_NAMES = ("sum", "mean", "max", "min", "astype", "where", "broadcast_to", "cumsum")
_TRAPS = ("nonzero", "flatnonzero", "argwhere", "bincount", "digitize")


def can_trap(node: Node) -> bool:
    """Whether an operation can fail for some values of its inputs, or give another shape."""
    name, form = node.primitive.name, node.primitive.form
    if name in _TRAPS or (name == "power" and node.outputs[0].dtype.kind in "iu"):
        return True
    if form in _HARMLESS_FORMS or name in _HARMLESS_NAMES:
        return False
    with_indices = any(source.outputs[k].dtype.kind in "biu" for source, k in node.inputs[1:])
    return form != "linear" or with_indices


def cut(graph: Graph) -> tuple[list[Piece], Piece]:
    """The pieces that end in guards, in order, and the last, which gives the outputs.

    Neighbouring guards share a piece where nothing that the later ones read can trap.
    """
    computed: set[Node] = set(graph.inputs)
    parts: list[tuple[list[Node], list[Guard]]] = []
    for guard in graph.guards:
        needed = _ancestors(graph, [guard.edge], computed)
        shape = guard.kind == "shape"
        if parts and not (shape or any(map(can_trap, needed))) and not _is_open(parts[-1][1]):
            parts[-1][0].extend(needed)
            parts[-1][1].append(guard)
        else:
            parts.append((needed, [guard]))
        computed.update(needed)
    last = _ancestors(graph, graph.outputs, computed)
    later: set[Edge] = set(graph.outputs)
    later |= {edge for node in last for edge in node.inputs}
    pieces = []
    for nodes, guards in reversed(parts):
        own = set(nodes)
        wanted = later | {guard.edge for guard in guards}
        gives = [
            (n, k) for n in nodes for k in range(len(n.outputs)) if (n, k) in wanted and n in own
        ]
        pieces.append(_piece(nodes, gives, tuple(guards)))
        later |= {edge for node in nodes for edge in node.inputs}
    return pieces[::-1], _piece(last, graph.outputs, ())


def _is_open(guards: list[Guard]) -> bool:
    """Whether what follows may only be computed after these guards have held."""
    return any(guard.kind == "shape" for guard in guards)


def _ancestors(graph: Graph, edges: Iterable[Edge], computed: set[Node]) -> list[Node]:
    """The nodes that the edges need and that are not computed yet, in the order of the graph."""
    needed: set[Node] = set()
    pending = [node for node, _ in edges]
    while pending:
        node = pending.pop()
        if node in needed or node in computed or node.primitive is CONSTANT:
            continue
        needed.add(node)
        pending += [source for source, _ in node.inputs]
    return [node for node in graph.nodes if node in needed]


def _piece(nodes: list[Node], gives: Iterable[Edge], guards: tuple[Guard, ...]) -> Piece:
    """Nodes as a graph of their own: what comes from other pieces is an input."""
    piece = Graph()
    moved: dict[Edge, Edge] = {}
    reads: list[Edge] = []

    def inside(edge: Edge) -> Edge:
        if edge[0].primitive is CONSTANT:
            return edge
        if edge not in moved:
            spec = edge[0].outputs[edge[1]]
            variable = Node(VARIABLE, (), {}, (spec,), None, edge[0].name)
            piece.inputs.append(variable)
            reads.append(edge)
            moved[edge] = (variable, 0)
        return moved[edge]

    for node in nodes:
        copy = Node(
            node.primitive,
            tuple(inside(edge) for edge in node.inputs),
            node.params,
            node.outputs,
            node.place,
            node.name,
        )
        piece.nodes.append(copy)
        for k in range(len(node.outputs)):
            moved[node, k] = (copy, k)
    piece.outputs = [inside(edge) for edge in gives]
    return Piece(piece, tuple(reads), tuple(gives), guards)
