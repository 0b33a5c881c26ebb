"""From a graph to steps on buffers: loops, products of matrices, and what the interpreter does.

Data only, nothing is compiled or run here. Every value is a buffer of its own in C order, or a view
of one; where the buffers lie is decided at the end, from how long each is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chainrule.graph import Graph, Node, registry
from chainrule.graph.node import Edge
from chainrule.native.contractions import steps_of_product
from chainrule.native.copies import copy_loops
from chainrule.native.in_place import same_places
from chainrule.native.lowering import Array, Loops, LoweringError, Partial
from chainrule.native.nest import Keep, Store
from chainrule.native.placings import looped
from chainrule.native.products import Product
from chainrule.native.scalars import type_of
from chainrule.native.stages import nests_of
from chainrule.native.views import ArrayView, view_of, whole
from chainrule.native.without_loops import reason
from chainrule.passes.accumulate import accumulate
from chainrule.passes.expand import expand
from chainrule.passes.fuse import Group, fuse, opened
from chainrule.planning import Arena, lifetimes, place

BYTES = {"f64": 8, "f32": 4, "i64": 8, "i32": 4, "i16": 2, "i8": 1, "i1": 1}


class Interpreted(NamedTuple):
    """One operation without native code, carried out by NumPy; why it has none."""

    node: Node
    reason: str


Step = Loops | Product | Interpreted


class Schedule(NamedTuple):
    """A graph as steps in order; `views` are values that lie in the buffers of others."""

    graph: Graph
    steps: tuple[Step, ...]
    views: dict[Edge, ArrayView]
    arena: Arena

    def __str__(self) -> str:
        lines = [f"arena: {self.arena.size} bytes"]
        for step in self.steps:
            match step:
                case Loops():
                    lines.append(str(step.nest))
                case Product():
                    lines.append(f"product: {step.node}")
                case Interpreted():
                    lines.append(f"interpreted: {step.node} ({step.reason})")
        return "\n".join(lines)


def schedule(graph: Graph) -> Schedule:
    """The steps of a graph whose outputs are results of operations, none of them a view."""
    graph = accumulate(expand(graph))
    groups = fuse(graph, looped)
    escaping = _escaping(graph, groups)
    views: dict[Edge, ArrayView] = {}
    steps: list[Step] = []
    for number, group in enumerate(groups):
        steps += _steps_of(str(number), group, escaping, views)
    return Schedule(graph, tuple(steps), views, _arena(graph, steps, views))


def _escaping(graph: Graph, groups: list[Group]) -> set[Edge]:
    """The values that are read outside their group."""
    home = {node: group for group in groups for node in group.nodes}
    found = set(graph.outputs)
    for group in groups:
        found |= {edge for edge in group.inputs() if edge[0] in home}
    return found


def _steps_of(
    number: str, group: Group, escaping: set[Edge], views: dict[Edge, ArrayView]
) -> Iterator[Step]:
    """The steps of one group; a result that is a view needs none."""
    if group.space is not None and 0 not in group.space:
        try:
            yield from nests_of(f"kernel{number}", group, escaping, views)
        except LoweringError as refused:
            yield from _apart(number, group, escaping, views, refused)
        return
    for k, node in enumerate(group.nodes):
        view = view_of(node, views.get(node.inputs[0], whole(node.inputs[0])))
        if view is not None:
            views[node, 0] = view
        else:
            yield from _alone(f"copy{number}_{k}", node, views)


def _alone(name: str, node: Node, views: dict[Edge, ArrayView]) -> list[Step]:
    """The steps of an operation that has no loops of its own kind."""
    product = steps_of_product(name, node, views)
    if node.primitive.name == "matmul_add":
        product = _added(name, node, views)
    if product is not None:
        return [*product]
    type = type_of(node.outputs[0].dtype)
    copied = node.primitive.name in ("reshape", "flat")
    if copied and type is not None and 0 not in node.outputs[0].shape:
        edge = node.inputs[0]
        view, shape = views.get(edge, whole(edge)), edge[0].outputs[edge[1]].shape
        source = (view.base, view.offset)
        return [copy_loops(name, type, source, shape, view.strides, (node, 0))]
    return [Interpreted(node, reason(node))]


def _added(name: str, node: Node, views: dict[Edge, ArrayView]) -> list[Loops | Product] | None:
    """A product that is added to a matrix; None where that matrix is a view."""
    *factors, start = node.inputs
    if start in views:
        return None
    plain = Node(registry["matmul"], tuple(factors), {}, node.outputs, node.place)
    steps = steps_of_product(name, plain, views)
    if steps is None or not isinstance(steps[-1], Product):
        return None
    out = steps[-1].out_matrix._replace(base=(node, 0))
    scale = node.params["scale"]
    added = steps[-1]._replace(node=node, out_matrix=out, scale=scale, start=start)
    return [*steps[:-1], added]


def _apart(
    number: str,
    group: Group,
    escaping: set[Edge],
    views: dict[Edge, ArrayView],
    refused: LoweringError,
) -> Iterator[Step]:
    """The steps of a group that cannot run in the same loops: each node in loops of its own."""
    if len(group.nodes) == 1:
        yield Interpreted(group.nodes[0], str(refused))
        return
    results = {node for node in group.nodes if (node, 0) in escaping}
    escaping |= {(node, 0) for node in group.nodes}
    for k, node in enumerate(group.nodes):
        alone = opened(node, looped)
        alone.add(node)
        if alone.space is None and node in results:
            yield Interpreted(node, str(refused))  # as a view it would have no buffer of its own
            continue
        yield from _steps_of(f"{number}_{k}", alone, escaping, views)


def touched(step: Step, views: dict[Edge, ArrayView]) -> tuple[list[Array], list[Array]]:
    """The buffers that a step reads, and those that it writes."""
    if isinstance(step, Loops):
        written = {s.access.array for s in step.nest.statements() if isinstance(s, Store | Keep)}
        found: tuple[list[Array], list[Array]] = ([], [])
        for k, array in enumerate(step.arrays):
            found[k in written].append(array)
        return found
    if isinstance(step, Product):
        return list(step.reads()), [step.out]
    edges = step.node.inputs
    reads: list[Array] = [views[e].base if e in views else e for e in edges]
    return reads, [(step.node, k) for k in range(len(step.node.outputs))]


def _arena(graph: Graph, steps: list[Step], views: dict[Edge, ArrayView]) -> Arena:
    """Places for the buffers of native steps; results and what NumPy makes have their own."""
    met = [touched(step, views) for step in steps]
    lives = lifetimes(met)
    own: set[Array] = set(graph.outputs)
    for step in steps:
        if isinstance(step, Interpreted):
            own |= {(step.node, k) for k in range(len(step.node.outputs))}
    sizes = {array: size_of(array) for array in lives if array not in own}
    return place(sizes, lives, same_places(steps, met, lives, sizes))


def size_of(array: Array) -> int:
    """Bytes of a buffer."""
    if isinstance(array, Partial):
        return array.blocks * array.entries * BYTES[array.type]
    spec = array[0].outputs[array[1]]
    count = 1
    for n in spec.shape:
        count *= n
    return count * int(spec.dtype.itemsize)
