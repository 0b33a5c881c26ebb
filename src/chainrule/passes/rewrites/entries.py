"""Reading and scattering entries by position, with indices that repeat no position."""

from __future__ import annotations

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge
from chainrule.passes.identity import frozen
from chainrule.passes.rewriting import Rewriting, Row, row


def _is_basic(node: Node) -> bool:
    """Whether an index has neither arrays nor masks, so that no position is met twice."""
    return len(node.inputs) == 1


def _takes_all(template: tuple[object, ...], shape: tuple[int, ...]) -> bool:
    """Whether a basic index takes every entry in order and leaves the shape as it is."""
    if any(part is None or not (part is Ellipsis or isinstance(part, slice)) for part in template):
        return False
    axis = 0
    for part in template:
        if part is Ellipsis:
            axis = len(shape) - (len(template) - 1 - axis)
            continue
        assert isinstance(part, slice)
        if part.indices(shape[axis]) != (0, shape[axis], 1):
            return False
        axis += 1
    return True


@row("all entries", ("getitem", "scatter"), "x[:] is x, and so is scattering into every place")
def _all(node: Node, graph: Rewriting) -> Edge | None:
    if not _is_basic(node):
        return None
    edge, spec = node.inputs[0], node.outputs[0]
    same = edge[0].outputs[edge[1]] == spec
    return edge if same and _takes_all(node.params["template"], spec.shape) else None


@row("new axes", ("getitem", "scatter"), "an index of new axes alone is a reshape")
def _new_axes(node: Node, graph: Rewriting) -> Edge | None:
    template, spec = node.params["template"], node.outputs[0]
    if not _is_basic(node) or not any(part is None for part in template):
        return None
    edge = node.inputs[0]
    larger = edge[0].outputs[edge[1]] if node.primitive.name == "getitem" else spec
    if not _takes_all(tuple(part for part in template if part is not None), larger.shape):
        return None
    return graph.make("reshape", edge, spec=spec, to=spec.shape)


@row("nothing is scattered", "scatter", "zeros among zeros")
def _zeros(node: Node, graph: Rewriting) -> Edge | None:
    edge, spec = node.inputs[0], node.outputs[0]
    spread = graph.node(edge, "broadcast_to")
    source = spread.inputs[0] if spread else graph.uniform(edge) or edge
    number = graph.number(source)
    if number is None or number != 0:
        return None
    return graph.fitted(graph.constant(spec.dtype.type(0)), spec)


@row("what was scattered", "getitem", "the entries that were put there, by the same basic index")
def _back(node: Node, graph: Rewriting) -> Edge | None:
    scatter = graph.node(node.inputs[0], "scatter")
    if not scatter or not _is_basic(node) or not _is_basic(scatter):
        return None
    same = frozen(scatter.params["template"]) == frozen(node.params["template"])
    return graph.fitted(scatter.inputs[0], node.outputs[0]) if same else None


@row("sum of two scatters", "add", "places that nothing is scattered to hold 0, and 0 + 0 is 0")
def _two(node: Node, graph: Rewriting) -> Edge | None:
    first, second = (graph.node(edge, "scatter") for edge in node.inputs)
    if not first or not second or not _is_basic(first) or not _is_basic(second):
        return None
    if frozen(first.params) != frozen(second.params):
        return None
    if any(graph.readers(edge) > 1 for edge in node.inputs):
        return None
    a, b = first.inputs[0], second.inputs[0]
    spec = a[0].outputs[a[1]]
    if b[0].outputs[b[1]] != spec or spec.dtype != node.outputs[0].dtype:
        return None
    total = graph.make("add", a, b, spec=spec)
    return graph.make("scatter", total, spec=node.outputs[0], **first.params)


@row(
    "scatters of one sum",
    "add",
    "a sum of three, two of which scatter to the same places",
    exact=False,
)
def _three(node: Node, graph: Rewriting) -> Edge | None:
    """(x + scatter(a)) + scatter(b) is x + scatter(a + b): the additions change their order."""
    for total, other in (node.inputs, node.inputs[::-1]):
        inner, second = graph.node(total, "add"), graph.node(other, "scatter")
        if not inner or not second or graph.readers(total) > 1:
            continue
        for x, edge in (inner.inputs, inner.inputs[::-1]):
            first = graph.node(edge, "scatter")
            if first and frozen(first.params) == frozen(second.params) and _is_basic(first):
                spec = node.outputs[0]
                joined = graph.make("add", edge, other, spec=spec)
                return graph.make("add", x, joined, spec=spec)
    return None


@row("sum of what was scattered", "sum", "all other terms are 0", exact=False)
def _sum(node: Node, graph: Rewriting) -> Edge | None:
    scatter = graph.node(node.inputs[0], "scatter")
    if not scatter or node.params["axis"] is not None or node.params["keepdims"]:
        return None
    given = scatter.inputs[0]
    spec = given[0].outputs[given[1]]
    if spec.dtype != node.outputs[0].dtype or not spec.shape:
        return None
    return graph.make("sum", given, spec=Spec((), spec.dtype), axis=None, keepdims=False)


ROWS: tuple[Row, ...] = (_all, _new_axes, _zeros, _back, _two, _three, _sum)
