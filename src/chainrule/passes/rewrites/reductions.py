"""Sums, means and extrema: written one way, joined, and cancelled against what was spread."""

from __future__ import annotations

import math

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge
from chainrule.passes.rewrites.shapes import axes_of
from chainrule.passes.rewriting import Rewriting, Row, row

_REDUCTIONS = ("sum", "mean", "max", "min")


def _shape(edge: Edge) -> tuple[int, ...]:
    return edge[0].outputs[edge[1]].shape


def _axes(node: Node) -> tuple[int, ...]:
    return axes_of(node.params["axis"], len(_shape(node.inputs[0])))


def _reduced(
    name: str, edge: Edge, axes: tuple[int, ...], keepdims: bool, spec: Spec, graph: Rewriting
) -> Edge:
    """A reduction in the one way of writing it: None for all axes, else a sorted tuple."""
    whole = len(axes) == len(_shape(edge))
    return graph.make(name, edge, spec=spec, axis=None if whole else axes, keepdims=keepdims)


@row("axes in one way", _REDUCTIONS, "the same axes, sorted and not negative; None for all")
def _written(node: Node, graph: Rewriting) -> Edge | None:
    axis, axes = node.params["axis"], _axes(node)
    wanted = None if len(axes) == len(_shape(node.inputs[0])) else axes
    if type(axis) is type(wanted) and axis == wanted:
        return None
    name, keepdims = node.primitive.name, node.params["keepdims"]
    return _reduced(name, node.inputs[0], axes, keepdims, node.outputs[0], graph)


@row("nothing to reduce", _REDUCTIONS, "one number for each result is the result itself")
def _nothing(node: Node, graph: Rewriting) -> Edge | None:
    edge, spec = node.inputs[0], node.outputs[0]
    shape = _shape(edge)
    if any(shape[a] != 1 for a in _axes(node)) or edge[0].outputs[edge[1]].dtype != spec.dtype:
        return None
    if graph.is_weak(edge):
        return None
    return graph.make("reshape", edge, spec=spec, to=spec.shape)


@row("kept axes", "reshape", "a sum that is reshaped to have axes of length 1 keeps them")
def _kept(node: Node, graph: Rewriting) -> Edge | None:
    edge, spec = node.inputs[0], node.outputs[0]
    reduction = graph.node(edge, *_REDUCTIONS)
    if not reduction or reduction.params["keepdims"] or graph.readers(edge) > 1:
        return None
    axes, before = _axes(reduction), _shape(reduction.inputs[0])
    if spec.shape != tuple(1 if a in axes else n for a, n in enumerate(before)):
        return None
    return _reduced(reduction.primitive.name, reduction.inputs[0], axes, True, spec, graph)


@row(
    "sum of what was spread",
    "sum",
    "n equal terms are n times the term, rounded once instead of in every addition",
    exact=False,
)
def _spread(node: Node, graph: Rewriting) -> Edge | None:
    found = _apart(node, graph)
    if found is None:
        return None
    small, rest, count = found
    spec = node.outputs[0]
    if spec.dtype.kind != "f":
        return None
    total = _reduced("sum", small, rest, True, _left(small, rest, spec), graph)
    times = graph.constant(spec.dtype.type(count))
    scaled = graph.make("multiply", total, times, spec=total[0].outputs[total[1]])
    return graph.make("reshape", scaled, spec=spec, to=spec.shape)


@row(
    "extremum or mean of what was spread",
    ("max", "min", "mean"),
    "equal numbers have themselves as extremum and as mean",
    exact=False,
)
def _extremum_of_spread(node: Node, graph: Rewriting) -> Edge | None:
    found = _apart(node, graph)
    if found is None:
        return None
    small, rest, _ = found
    spec = node.outputs[0]
    if spec.dtype.kind != "f":
        return None
    total = _reduced(node.primitive.name, small, rest, True, _left(small, rest, spec), graph)
    return graph.make("reshape", total, spec=spec, to=spec.shape)


def _left(edge: Edge, axes: tuple[int, ...], spec: Spec) -> Spec:
    shape = tuple(1 if a in axes else n for a, n in enumerate(_shape(edge)))
    return Spec(shape, spec.dtype)


def _apart(node: Node, graph: Rewriting) -> tuple[Edge, tuple[int, ...], int] | None:
    """What was spread along all the reduced axes of a broadcast that it was spread along, the
    other reduced axes, and how often each of its entries is met.

    Only where every axis along which it was spread is reduced, so that nothing is spread again.
    """
    spread = graph.node(node.inputs[0], "broadcast_to")
    if (
        not spread
        or spread.inputs[0][0].outputs[spread.inputs[0][1]].dtype != node.outputs[0].dtype
    ):
        return None
    shape, small = _shape(node.inputs[0]), spread.inputs[0]
    before, axes = _shape(small), _axes(node)
    added = len(shape) - len(before)
    stretched = set(range(added))
    stretched |= {a + added for a, n in enumerate(before) if n == 1 and shape[a + added] != 1}
    if not stretched <= set(axes) or 0 in shape or graph.is_weak(small):
        return None
    rest = tuple(a - added for a in axes if a not in stretched)
    return small, rest, math.prod(shape[a] for a in stretched)


@row(
    "sum of a sum", "sum", "all axes at once; the terms may be added in another order", exact=False
)
def _sums(node: Node, graph: Rewriting) -> Edge | None:
    edge = node.inputs[0]
    inner = graph.node(edge, "sum")
    if not inner or graph.readers(edge) > 1 or inner.outputs[0].dtype != node.outputs[0].dtype:
        return None
    first, ndim = _axes(inner), len(_shape(inner.inputs[0]))
    if inner.params["keepdims"] != node.params["keepdims"]:
        if not inner.params["keepdims"]:
            return None
        second = set(_axes(node))
        if not set(first) <= second:
            return None
        axes = tuple(sorted(second))
    else:
        left = list(range(ndim))
        if not inner.params["keepdims"]:
            left = [a for a in left if a not in first]
        axes = tuple(sorted({*first, *(left[a] for a in _axes(node))}))
    spec = node.outputs[0]
    return _reduced("sum", inner.inputs[0], axes, node.params["keepdims"], spec, graph)


@row(
    "sum of a reshape",
    ("sum",),
    "a sum of all entries does not ask how they are arranged",
    exact=False,
)
def _of_reshape(node: Node, graph: Rewriting) -> Edge | None:
    view = graph.node(node.inputs[0], "reshape", "transpose")
    if not view or node.params["axis"] is not None or node.params["keepdims"]:
        return None
    edge = view.inputs[0]
    return graph.make("sum", edge, spec=node.outputs[0], axis=None, keepdims=False)


ROWS: tuple[Row, ...] = (
    _written,
    _nothing,
    _kept,
    _spread,
    _extremum_of_spread,
    _sums,
    _of_reshape,
)
