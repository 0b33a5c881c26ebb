"""Group the nodes of a graph into kernels: what runs in the same loops over the same entries.

A group has a space: the shape that its loops pass over. Each value in it knows which axis of the
space each of its own axes follows, so a number per row and an entry per place can meet. Knows
nothing of how a group is carried out; `looped` says which operations the backend has in loops, and
which of their inputs it reads entry by entry: the others are read elsewhere, so they must be there
before the loops begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from chainrule.graph import CONSTANT, Graph, Node
from chainrule.graph.node import Edge

Axes = tuple[int | None, ...]
"""For each axis of a value, the axis of the space that it follows; None where its length is 1."""

Looped = Callable[[Node], frozenset[int] | None]
"""The inputs that an operation in loops reads entry by entry; None for one without loops."""

REDUCTIONS = {"sum": "add", "mean": "add", "max": "maximum", "min": "minimum"}
REDUCTIONS |= {"all": "and", "any": "or"}
NEIGHBOURS = 8
"""How many of the latest groups are looked at for one that reads the same array."""


class Reduction(NamedTuple):
    """What a reduction of a group does: over which axes of the space, and what follows."""

    operation: str
    over: frozenset[int]
    kind: str  # over "all" axes, the "last" (every row has its own number), "first" or "middle"

    @property
    def rows(self) -> bool:
        return self.kind == "last"


class Group:
    """Nodes that run together. `space` is empty of meaning for a group of one node on its own."""

    def __init__(self, space: tuple[int, ...] | None) -> None:
        self.space = space
        self.nodes: list[Node] = []
        self.axes: dict[Edge, Axes] = {}
        self.reductions: dict[Node, Reduction] = {}
        self.columns: int | None = None  # how many of the last axes a row has, once that matters
        self.together: frozenset[int] = frozenset()  # axes whose rows must run one after the other
        self.before: set[Group] = set()
        self.reads: dict[Edge, None] = {}  # in the order of their first use
        self.number = 0

    def __repr__(self) -> str:
        names = " ".join(node.primitive.name for node in self.nodes)
        return f"<{'loops' if self.space is not None else 'alone'} {self.space}: {names}>"

    def add(self, node: Node) -> None:
        """The node as the last of the group."""
        self.nodes.append(node)
        self.reads |= dict.fromkeys(node.inputs)

    def inputs(self) -> list[Edge]:
        """The values from outside that the group reads, each once, in order."""
        own = set(self.nodes)
        return [edge for edge in self.reads if edge[0] not in own]


def fuse(graph: Graph, looped: Looped) -> list[Group]:
    """The groups of a graph, in an order in which each comes after those that it reads from."""
    groups: list[Group] = []
    home: dict[Node, Group] = {}
    for node in graph.nodes:
        group = _joined(node, groups, home, looped)
        if group is None:
            group = opened(node, looped)
            group.number = len(groups)
            groups.append(group)
        group.add(node)
        home[node] = group
        for source, _ in node.inputs:
            other = home.get(source)
            if other is not None and other is not group:
                _come_after(group, other, groups)
    return _merged(_ordered(groups), looped)


def _joined(
    node: Node, groups: list[Group], home: dict[Node, Group], looped: Looped
) -> Group | None:
    """The group that takes the node in, if one does: the latest of those that it reads from."""
    sources = {home[source] for source, _ in node.inputs if source in home}
    siblings = [g for g in groups[-NEIGHBOURS:] if g not in sources and _shares(g, node)]
    latest_first = sorted(sources, key=lambda g: -g.number)
    for group in [*latest_first, *reversed(siblings)]:
        if group.space is None or any(group in g.before for g in sources if g is not group):
            continue
        if _take(group, node, looped):
            return group
    return None


def _shares(group: Group, node: Node) -> bool:
    """Whether a group reads an array that the node reads too."""
    return any(e in group.reads and e[0].primitive is not CONSTANT for e in node.inputs)


def _come_after(group: Group, other: Group, groups: list[Group]) -> None:
    added = ({other} | other.before) - group.before
    if added:
        for each in groups:
            if each is group or group in each.before:
                each.before |= added


def opened(node: Node, looped: Looped) -> Group:
    """An empty group that can begin with the node."""
    if looped(node) is not None:
        group = Group(node.outputs[0].shape)
        if _take(group, node, looped):
            return group
    elif node.primitive.name in REDUCTIONS:
        source, index = node.inputs[0]
        group = Group(source.outputs[index].shape)
        if _take(group, node, looped):
            return group
    return Group(None)


def _take(group: Group, node: Node, looped: Looped) -> bool:
    """Let the node into a group of loops, if its entries are computed along the same loops."""
    assert group.space is not None
    if any(_is_end(group, source) for source, _ in node.inputs):
        return False
    read = looped(node)
    if read is not None:
        elsewhere = [e for k, e in enumerate(node.inputs) if k not in read]
        if any(edge in group.axes for edge in elsewhere):
            return False
        axes = _aligned(group, node, [node.inputs[k] for k in read])
    elif node.primitive.name in REDUCTIONS:
        return _take_reduction(group, node)
    elif node.primitive.name in ("broadcast_to", "reshape"):
        axes = _viewed(group, node)
    else:
        return False
    if axes is None:
        return False
    group.axes[node, 0] = axes
    return True


def _is_end(group: Group, node: Node) -> bool:
    """Whether a node is a reduction of the group whose result exists only after all its loops."""
    reduction = group.reductions.get(node)
    return reduction is not None and not reduction.rows


def natural(shape: tuple[int, ...], space: tuple[int, ...]) -> Axes | None:
    """How an array from outside lies in the space: aligned at the last axes, as in broadcasting."""
    if len(shape) > len(space):
        return None
    first = len(space) - len(shape)
    axes = tuple(
        None if n == 1 and space[first + k] != 1 else first + k for k, n in enumerate(shape)
    )
    fits = all(a is None or space[a] == n for a, n in zip(axes, shape, strict=True))
    return axes if fits else None


def _aligned(group: Group, node: Node, read: Sequence[Edge]) -> Axes | None:
    """The axes of the result of an operation entry by entry, from those of its inputs."""
    assert group.space is not None
    shape = node.outputs[0].shape
    found: list[int | None] = [None] * len(shape)
    inside = [group.axes[edge] for edge in read if edge in group.axes]
    if not inside:
        return natural(shape, group.space)
    for axes in inside:
        for k, axis in enumerate(axes, len(shape) - len(axes)):
            if axis is not None:
                if found[k] not in (None, axis):
                    return None
                found[k] = axis
    return _filled(found, shape, group.space)


def _filled(found: list[int | None], shape: tuple[int, ...], space: tuple[int, ...]) -> Axes | None:
    """Axes for those dimensions which only arrays from outside have, between the known ones."""
    known = [axis for axis in found if axis is not None]
    if known != sorted(set(known)):
        return None
    for k in reversed(range(len(shape))):
        if found[k] is None and shape[k] != 1:
            after = next((a for a in found[k + 1 :] if a is not None), len(space))
            found[k] = after - 1
    axes = tuple(found)
    known = [axis for axis in axes if axis is not None]
    distinct = known == sorted(set(known)) and all(a >= 0 for a in known)
    fits = distinct and all(a is None or space[a] == n for a, n in zip(axes, shape, strict=True))
    return axes if fits else None


def _viewed(group: Group, node: Node) -> Axes | None:
    """A value of the group in another shape: with axes of length 1 more or fewer, or spread."""
    assert group.space is not None
    given = group.axes.get(node.inputs[0])
    if given is None:
        return None
    shape = node.outputs[0].shape
    if node.primitive.name == "broadcast_to":
        padded = [None] * (len(shape) - len(given)) + list(given)
        return _filled(padded, shape, group.space)
    rest = iter([a for a in given if a is not None])
    axes = tuple(None if n == 1 else next(rest, None) for n in shape)
    if next(rest, None) is not None:
        return None
    fits = all(
        n == 1 if a is None else group.space[a] == n for a, n in zip(axes, shape, strict=True)
    )
    return axes if fits else None


def _take_reduction(group: Group, node: Node) -> bool:
    """Let a sum, mean, maximum or minimum into the group."""
    assert group.space is not None
    edge = node.inputs[0]
    shape = edge[0].outputs[edge[1]].shape
    axes = group.axes.get(edge)
    if axes is None:
        axes = natural(shape, group.space)
    if axes is None or any(a is None and n != 1 for a, n in zip(axes, shape, strict=True)):
        return False
    if [a for a in axes if a is not None] != [
        k for k, n in enumerate(group.space) if n != 1 or k in axes
    ]:
        return False  # it reduces numbers of rows, which takes loops of its own
    axis, keepdims = node.params.get("axis"), node.params.get("keepdims", False)
    positions = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    reduced = {p % len(shape) for p in positions} if shape else set()
    over = frozenset(a for p in reduced if (a := axes[p]) is not None)
    kind = _kind(over, len(group.space))
    if kind is None or not _admits(group, over, kind):
        return False
    group.reductions[node] = Reduction(REDUCTIONS[node.primitive.name], over, kind)
    group.axes[node, 0] = tuple(
        None if p in reduced else a for p, a in enumerate(axes) if keepdims or p not in reduced
    )
    return True


def _kind(over: frozenset[int], ndim: int) -> str | None:
    """Where the reduced axes lie; None where they are none, or not next to each other."""
    if not over or max(over) - min(over) + 1 != len(over):
        return None
    if len(over) == ndim:
        return "all"
    if min(over) == 0:
        return "first"
    return "last" if max(over) == ndim - 1 else "middle"


def _admits(group: Group, over: frozenset[int], kind: str) -> bool:
    """Whether the loops of the group can carry a reduction too; then they are settled for it."""
    assert group.space is not None
    ndim = len(group.space)
    if kind == "all":
        return True
    columns = len(over) if kind == "last" else ndim - max(over) - 1
    if group.columns not in (None, columns):
        return False
    kinds = {r.kind for r in group.reductions.values()}
    if kind == "middle":
        if "first" in kinds or (group.together and group.together != over):
            return False
        group.together = over
    elif kind == "first" and group.together:
        return False
    group.columns = columns
    return True


def _merged(groups: list[Group], looped: Looped) -> list[Group]:
    """Groups of the same space as one, where each reads from the other or both read an array.

    The nodes came one by one, so what a node would have joined may not have been there yet.
    """
    left: list[Group] = []
    for group in groups:
        for other in reversed(left[-NEIGHBOURS:]):
            if _near(other, group) and _absorbed(other, group, left, looped):
                _replace(group, other, groups)
                break
        else:
            left.append(group)
    return left


def _near(other: Group, group: Group) -> bool:
    if other.space is None or other.space != group.space:
        return False
    own = set(other.nodes)
    return any(
        e in other.reads or e[0] in own for e in group.reads if e[0].primitive is not CONSTANT
    )


def _absorbed(other: Group, group: Group, left: list[Group], looped: Looped) -> bool:
    """Whether `other`, which comes before `group`, could take all its nodes in.

    A group between the two that has to come after `other` and before `group` prevents it.
    """
    behind = left[left.index(other) + 1 :]
    if any(other in g.before and g in group.before for g in behind):
        return False
    before = other.axes.copy(), other.reductions.copy(), other.columns, other.together
    for node in group.nodes:
        if not _take(other, node, looped):
            other.axes, other.reductions, other.columns, other.together = before
            return False
    for node in group.nodes:
        other.add(node)
    _move_up(other, group, left)
    return True


def _move_up(other: Group, group: Group, left: list[Group]) -> None:
    """Let `other` come where `group` would have come: behind all that either needs."""
    needed = (other.before | group.before) - {other, group}
    behind = left[left.index(other) + 1 :]
    first = [g for g in behind if g in needed]
    last = [g for g in behind if g not in needed]
    left[left.index(other) :] = [*first, other, *last]
    other.before = needed


def _replace(group: Group, other: Group, groups: list[Group]) -> None:
    """Whatever comes after either group comes after the one that is left."""
    for g in groups:
        if g is not other and (group in g.before or other in g.before):
            g.before = (g.before - {group}) | {other} | other.before


def _ordered(groups: list[Group]) -> list[Group]:
    """An order in which every group comes after those before it."""

    def visit(group: Group) -> Iterator[Group]:
        if group not in done:
            done.add(group)
            for other in sorted(group.before, key=position.__getitem__):
                yield from visit(other)
            yield group

    position = {group: k for k, group in enumerate(groups)}
    done: set[Group] = set()
    return [each for group in groups for each in visit(group)]
