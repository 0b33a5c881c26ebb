"""Operations that are made of others, taken apart, so that their parts run in loops.

softmax and log Σ exp become maxima, exponentials and sums of the same rows, in one kernel with what
surrounds them; a reduction over axes that are not neighbours becomes one after the other. The
values are those of the operations, NaN and infinity included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import Graph, Node, Spec, constant_node, registry
from chainrule.graph.node import Edge, Place

_BOOL = np.dtype(bool)


class Parts:
    """Writes the nodes that take an operation's place."""

    def __init__(self, place: Place | None) -> None:
        self.place = place
        self.nodes: list[Node] = []

    def new(self, name: str, *inputs: Edge, spec: Spec | None = None, **params: Any) -> Edge:
        """One operation; where `spec` is not given, it is entry by entry, in the first's dtype."""
        if spec is None:
            specs = [node.outputs[k] for node, k in inputs]
            spec = Spec(np.broadcast_shapes(*(s.shape for s in specs)), specs[0].dtype)
        node = Node(registry[name], inputs, params, (spec,), self.place)
        self.nodes.append(node)
        return node, 0

    def test(self, name: str, *inputs: Edge) -> Edge:
        """A truth value for each entry."""
        shapes = [node.outputs[k].shape for node, k in inputs]
        return self.new(name, *inputs, spec=Spec(np.broadcast_shapes(*shapes), _BOOL))

    def number(self, value: float, like: Edge) -> Edge:
        return constant_node(value, Spec((), like[0].outputs[like[1]].dtype)), 0

    def reduced(self, name: str, x: Edge, axes: tuple[int, ...], *, keepdims: bool = True) -> Edge:
        shape, dtype = x[0].outputs[x[1]]
        kept = [1 if a in axes else n for a, n in enumerate(shape) if keepdims or a not in axes]
        spec = Spec(tuple(kept), dtype)
        return self.new(name, x, spec=spec, axis=axes, keepdims=keepdims)

    def cast(self, x: Edge, dtype: np.dtype[Any]) -> Edge:
        spec = Spec(x[0].outputs[x[1]].shape, dtype)
        return self.new("astype", x, spec=spec, dtype=dtype)


Expansion = Callable[[Parts, Node], Edge]


def axes_of(node: Node) -> tuple[int, ...]:
    """The axes over which a node reduces, from the front."""
    source, index = node.inputs[0]
    ndim, axis = len(source.outputs[index].shape), node.params.get("axis")
    given = range(ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted({a % ndim for a in given})) if ndim else ()


def _blocks(axes: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The axes in groups of neighbours; an axis of length 1 is no one's wall."""
    found: list[list[int]] = []
    for axis in axes:
        if found and all(shape[a] == 1 for a in range(found[-1][-1] + 1, axis)):
            found[-1].append(axis)
        else:
            found.append([axis])
    return [tuple(block) for block in found]


def _nothing_to_reduce(parts: Parts, node: Node) -> Edge:
    """A reduction of a number, or over no axes: the entries themselves."""
    return parts.cast(node.inputs[0], node.outputs[0].dtype)


def _one_after_the_other(parts: Parts, node: Node) -> Edge:
    """A reduction over the last neighbours first, then over those before."""
    (x,), name = node.inputs, node.primitive.name
    if x[0].outputs[x[1]].dtype != node.outputs[0].dtype:
        x = parts.cast(x, node.outputs[0].dtype)
    keepdims = node.params["keepdims"]
    for block in reversed(_blocks(axes_of(node), x[0].outputs[x[1]].shape)):
        x = parts.reduced(name, x, block, keepdims=keepdims)
    return x


def _softmax(parts: Parts, node: Node) -> Edge:
    """exp(x - m) / Σ exp(x - m); with `limits`, an infinite m takes all, ties shared equally."""
    (x,), axes = node.inputs, axes_of(node)
    largest = parts.reduced("max", x, axes)
    terms = parts.new("exp", parts.new("subtract", x, largest))
    y = parts.new("divide", terms, parts.reduced("sum", terms, axes))
    if not node.params["limits"]:
        return y
    ties = parts.cast(parts.test("equal", x, largest), node.outputs[0].dtype)
    shares = parts.new("divide", ties, parts.reduced("sum", ties, axes))
    return parts.new("where", parts.test("isinf", largest), shares, y, spec=node.outputs[0])


def _logsumexp(parts: Parts, node: Node) -> Edge:
    """m + log c + log1p(r / c), with c the number of largest terms and r the sum of the others."""
    (x,), axes, out = node.inputs, axes_of(node), node.outputs[0]
    largest = parts.reduced("max", x, axes)
    row = largest[0].outputs[0]
    zero, one = parts.number(0.0, largest), parts.number(1.0, largest)
    finite = parts.test("isfinite", largest)
    shift = parts.new("where", finite, largest, zero, spec=row)
    terms = parts.new("exp", parts.new("subtract", x, shift))
    first = parts.cast(parts.test("equal", terms, one), out.dtype)
    count = parts.reduced("sum", first, axes)
    rest = parts.reduced("sum", parts.new("subtract", terms, first), axes)
    some = parts.test("greater", count, zero)
    known = parts.new("where", some, count, one, spec=row)
    log1p = parts.new("log1p", parts.new("divide", rest, known))
    logs = parts.new("add", parts.new("log", known), log1p)
    y = parts.new("where", some, logs, parts.new("log", rest), spec=row)
    if out.shape != row.shape:
        shift, y = (parts.new("reshape", part, spec=out, to=out.shape) for part in (shift, y))
    return parts.new("add", shift, y)


def _expansion(node: Node) -> Expansion | None:
    name = node.primitive.name
    source, index = node.inputs[0] if node.inputs else (node, 0)
    shape = source.outputs[index].shape
    if 0 in shape:
        return None
    if name in ("sum", "mean", "max", "min") and not axes_of(node):
        return _nothing_to_reduce
    if not shape:
        return None
    if name in ("softmax", "logsumexp"):
        plain = node.outputs[0].dtype == source.outputs[index].dtype
        neighbours = len(_blocks(axes_of(node), shape)) == 1
        return (
            {"softmax": _softmax, "logsumexp": _logsumexp}[name] if plain and neighbours else None
        )
    if name in ("sum", "max", "min") and len(_blocks(axes_of(node), shape)) > 1:
        return _one_after_the_other
    return None


def expand(graph: Graph) -> Graph:
    """The graph with its composite operations taken apart; the same one where there are none."""
    if not any(_expansion(node) for node in graph.nodes):
        return graph
    expanded, moved = Graph(), dict[Edge, Edge]()
    expanded.inputs = graph.inputs
    for node in graph.nodes:
        inputs = tuple(moved.get(edge, edge) for edge in node.inputs)
        if inputs != node.inputs:
            same = Node(node.primitive, inputs, node.params, node.outputs, node.place, node.name)
            moved |= {(node, k): (same, k) for k in range(len(node.outputs))}
        else:
            same = node
        expansion = _expansion(same)
        if expansion is None:
            expanded.nodes.append(same)
            continue
        parts = Parts(node.place)
        moved[node, 0] = expansion(parts, same)
        expanded.nodes += parts.nodes
    expanded.outputs = [moved.get(edge, edge) for edge in graph.outputs]
    expanded.guards = [g._replace(edge=moved.get(g.edge, g.edge)) for g in graph.guards]
    return expanded
