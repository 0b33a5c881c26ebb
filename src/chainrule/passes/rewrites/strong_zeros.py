"""Strong products of the chain rule that are plain ones, choices, or nothing.

chain_product(g, p) is 0 where either factor is 0, also against infinity and NaN. The sign of that
zero is left open: no derivative depends on it.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge
from chainrule.passes.facts import is_plain_product
from chainrule.passes.rewriting import Rewriting, Row, row


@row("strong product with zero", "chain_product", "it is 0, whatever the other factor is")
def _zero(node: Node, graph: Rewriting) -> Edge | None:
    for edge in node.inputs:
        number = graph.number(edge)
        if number is not None and number == 0:
            spec = node.outputs[0]
            return graph.fitted(graph.constant(spec.dtype.type(0)), spec)
    return None


@row(
    "plain strong product",
    "chain_product",
    "neither factor can be 0 where the other is not finite",
)
def _plain(node: Node, graph: Rewriting) -> Edge | None:
    g, p = node.inputs
    if is_plain_product(graph.facts(g), graph.facts(p)):
        return graph.make("multiply", g, p, spec=node.outputs[0])
    return None


@row(
    "shares of a tie",
    "add",
    "[a > b] + ½[a = b] is 1, ½ or 0, because both never hold together",
)
def _shares(node: Node, graph: Rewriting) -> Edge | None:
    for first, second in (node.inputs, node.inputs[::-1]):
        wins, half = graph.node(first, "astype"), graph.node(second, "multiply")
        if not wins or not half:
            continue
        for factor, ties in (half.inputs, half.inputs[::-1]):
            tied = graph.node(ties, "astype")
            number = graph.number(factor)
            if number is not None and tied and _exclude(wins.inputs[0], tied.inputs[0], graph):
                return _chosen(node.outputs[0], wins.inputs[0], tied.inputs[0], number, graph)
    return None


def _exclude(wins: Edge, ties: Edge, graph: Rewriting) -> bool:
    strict, equal = graph.node(wins, "greater", "less"), graph.node(ties, "equal")
    return bool(strict and equal) and set(strict.inputs) == set(equal.inputs)  # type: ignore[union-attr]


def _chosen(spec: Spec, wins: Edge, ties: Edge, share: float, graph: Rewriting) -> Edge:
    """1 where `wins`, `share` where `ties`, else 0."""
    one, part, zero = (graph.constant(spec.dtype.type(c)) for c in (1, share, 0))
    shape = ties[0].outputs[ties[1]].shape
    rest = graph.make("where", ties, part, zero, spec=Spec(shape, spec.dtype))
    return graph.make("where", wins, one, rest, spec=spec)


@row(
    "strong product with a mask",
    "chain_product",
    "g · 1 is g and the strong g · 0 is 0, so it is a choice",
)
def _mask(node: Node, graph: Rewriting) -> Edge | None:
    for g, p in (node.inputs, node.inputs[::-1]):
        spec = node.outputs[0]
        if g[0].outputs[g[1]].dtype != spec.dtype or graph.is_weak(g):
            continue
        cast = graph.node(p, "astype")
        if cast:
            source, index = cast.inputs[0]
            if source.outputs[index].dtype == bool:
                zero = graph.constant(spec.dtype.type(0))
                return graph.make("where", (source, index), g, zero, spec=spec)
        if _is_choice(p, graph):
            return graph.fitted(_applied(g, p, spec, graph), spec)
    return None


def _is_choice(edge: Edge, graph: Rewriting, depth: int = 3) -> bool:
    """Whether a value is one of a few numbers, chosen by masks, with a 0 or a 1 among them."""
    choice = graph.node(edge, "where")
    if not choice or depth == 0:
        return False
    branches = choice.inputs[1:]
    numbers = [graph.number(b) for b in branches]
    known = all(
        n is not None or _is_choice(b, graph, depth - 1)
        for b, n in zip(branches, numbers, strict=True)
    )
    finite = all(math.isfinite(n) for n in numbers if n is not None)
    return known and finite and any(n in (0, 1) for n in numbers if n is not None)


def _applied(g: Edge, p: Edge, spec: Spec, graph: Rewriting) -> Edge:
    """The strong product of g with a number or a choice of numbers."""
    number = graph.number(p)
    if number is not None:
        if number == 0:
            return graph.constant(spec.dtype.type(0))
        if number == 1:
            return g
        g_spec = g[0].outputs[g[1]]
        return graph.make("multiply", g, graph.constant(spec.dtype.type(number)), spec=g_spec)
    condition, yes, no = p[0].inputs
    branches = [_applied(g, branch, spec, graph) for branch in (yes, no)]
    return graph.make("where", condition, *branches, spec=_spread(spec, condition, *branches))


def _spread(spec: Spec, *edges: Edge) -> Spec:

    shapes = [edge[0].outputs[edge[1]].shape for edge in edges]
    return Spec(np.broadcast_shapes(*shapes), spec.dtype)


ROWS: tuple[Row, ...] = (_zero, _plain, _shares, _mask)
