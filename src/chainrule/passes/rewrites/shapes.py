"""Reshapes, transpositions, broadcasts and casts: joined, undone, moved where they cost least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.graph import CONSTANT, Node, Spec
from chainrule.graph.node import Edge
from chainrule.passes.ranges import ENTRYWISE
from chainrule.passes.rewriting import Rewriting, Row, row

_ENTRYWISE = tuple(
    {
        *(set(ENTRYWISE) - {"broadcast_to", "astype", "positive", "stop_gradient"}),
        *("exp2", "expm1", "log2", "log10", "tan", "sinh", "cosh", "reciprocal", "cbrt", "hypot"),
        *("arcsin", "arccos", "arctan2", "arcsinh", "arccosh", "arctanh", "floor", "ceil", "rint"),
    }
)


def _spec(edge: Edge) -> Spec:
    return edge[0].outputs[edge[1]]


@row("spread late", _ENTRYWISE, "an operation entry by entry spreads its inputs by itself")
def _spread(node: Node, graph: Rewriting) -> Edge | None:
    """Read what was spread instead of the spread array; spread the result where that is needed."""
    spec = node.outputs[0]
    if not spec.shape:
        return None
    small = [_before_spreading(edge, graph) for edge in node.inputs]
    if small == list(node.inputs):
        return None
    shape = np.broadcast_shapes(*(_spec(edge).shape for edge in small))
    made = graph.make(node.primitive.name, *small, spec=Spec(shape, spec.dtype), **node.params)
    return graph.fitted(made, spec)


def _before_spreading(edge: Edge, graph: Rewriting) -> Edge:
    """The smaller value whose entries an edge shows many times, or the edge itself."""
    spread = graph.node(edge, "broadcast_to")
    found = spread.inputs[0] if spread else graph.uniform(edge)
    return edge if found is None or graph.is_weak(found) else found


@row("same shape", ("reshape", "broadcast_to", "flat"), "the shape is the same already")
def _same(node: Node, graph: Rewriting) -> Edge | None:
    return node.inputs[0] if _spec(node.inputs[0]) == node.outputs[0] else None


@row("reshape of a reshape", ("reshape", "flat"), "only the last shape counts")
def _reshapes(node: Node, graph: Rewriting) -> Edge | None:
    spec = node.outputs[0]
    inner = graph.node(node.inputs[0], "reshape", "flat")
    if inner:
        return graph.make("reshape", inner.inputs[0], spec=spec, to=spec.shape)
    if node.primitive.name == "flat" or node.params["to"] != spec.shape:
        return graph.make("reshape", node.inputs[0], spec=spec, to=spec.shape)
    return None


@row("reshape of a spread number", "reshape", "every entry is the same")
def _reshape_of_spread(node: Node, graph: Rewriting) -> Edge | None:
    """A number that was spread, or rows of length 1 more or fewer, is spread to the last shape."""
    spread = graph.node(node.inputs[0], "broadcast_to")
    if spread and _spec(spread.inputs[0]).shape == ():
        return graph.fitted(spread.inputs[0], node.outputs[0])
    return None


@row("spread of a spread", "broadcast_to", "only the last shape counts")
def _spreads(node: Node, graph: Rewriting) -> Edge | None:
    inner = graph.node(node.inputs[0], "broadcast_to")
    source = inner.inputs[0] if inner else graph.uniform(node.inputs[0])
    spec = node.outputs[0]
    if source is None or graph.is_weak(source):
        return None
    return graph.make("broadcast_to", source, spec=spec, to=spec.shape)


def order_of(node: Node) -> tuple[int, ...]:
    """The axes of a transposition, all of them and not negative."""
    ndim = len(node.outputs[0].shape)
    axes = node.params["axes"]
    return tuple(reversed(range(ndim))) if axes is None else tuple(a % ndim for a in axes)


@row("transposition of a transposition", "transpose", "the axes are permuted once")
def _transposes(node: Node, graph: Rewriting) -> Edge | None:
    order, spec = order_of(node), node.outputs[0]
    if order == tuple(range(len(order))):
        return node.inputs[0]
    inner = graph.node(node.inputs[0], "transpose")
    if inner:
        first = order_of(inner)
        joined = tuple(first[a] for a in order)
        return graph.make("transpose", inner.inputs[0], spec=spec, axes=joined)
    if node.params["axes"] != order:
        return graph.make("transpose", node.inputs[0], spec=spec, axes=order)
    return None


@row("transposition of a long axis", "transpose", "moving axes of length 1 is a reshape")
def _transposes_nothing(node: Node, graph: Rewriting) -> Edge | None:
    shape = _spec(node.inputs[0]).shape
    long = [a for a in order_of(node) if shape[a] != 1]
    if long != sorted(long):
        return None
    spec = node.outputs[0]
    return graph.make("reshape", node.inputs[0], spec=spec, to=spec.shape)


@row(
    "transposed product",
    "transpose",
    "(A B)ᵀ is Bᵀ Aᵀ, whose sums may be taken in another order",
    exact=False,
)
def _transposed_product(node: Node, graph: Rewriting) -> Edge | None:
    edge = node.inputs[0]
    product = graph.node(edge, "matmul")
    if not product or graph.readers(edge) != 1 or node.outputs[0].ndim != 2:
        return None
    sides = []
    for side in reversed(product.inputs):
        shape, dtype = _spec(side)
        turned = Spec(shape[::-1], dtype)
        sides.append(graph.make("transpose", side, spec=turned, axes=(1, 0)))
    return graph.make("matmul", *sides, spec=node.outputs[0])


_KINDS = "biuf"


def _widens(before: Spec, after: Spec) -> bool:
    """Whether every number of one dtype exists in the other."""
    return before.dtype.kind in _KINDS and np.can_cast(before.dtype, after.dtype, "safe")


@row("cast of a cast", "astype", "the first cast loses nothing, so that the last alone is enough")
def _casts(node: Node, graph: Rewriting) -> Edge | None:
    inner = graph.node(node.inputs[0], "astype")
    if not inner or not _widens(_spec(inner.inputs[0]), inner.outputs[0]):
        return None
    spec = node.outputs[0]
    if _spec(inner.inputs[0]).dtype.kind == "b" and spec.dtype.kind not in "iuf":
        return None
    return graph.make("astype", inner.inputs[0], spec=spec, dtype=spec.dtype)


@row("spread after a cast", "astype", "the cast of fewer entries, spread afterwards")
def _cast_of_spread(node: Node, graph: Rewriting) -> Edge | None:
    spread = graph.node(node.inputs[0], "broadcast_to")
    if not spread or graph.is_weak(spread.inputs[0]):
        return None
    spec = node.outputs[0]
    small = Spec(_spec(spread.inputs[0]).shape, spec.dtype)
    return graph.fitted(graph.make("astype", spread.inputs[0], spec=small, dtype=spec.dtype), spec)


def is_constant(edge: Edge) -> bool:
    return edge[0].primitive is CONSTANT


def axes_of(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """The axes of a reduction, sorted and not negative."""
    if axis is None:
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, int | np.integer) else axis
    return tuple(sorted(int(a) % ndim for a in given)) if ndim else ()


ROWS: tuple[Row, ...] = (
    _spread,
    _same,
    _reshapes,
    _reshape_of_spread,
    _spreads,
    _transposes,
    _transposes_nothing,
    _transposed_product,
    _casts,
    _cast_of_spread,
)
