"""From a group of nodes to loop nests: which loops, in how many stages, and how arrays are passed.

A node's stage is one more than that of the row's reductions which it needs. What a later stage
needs again is loaded if it was written, computed again if that is cheap, and else kept in a buffer
of one row. Reductions over the rows leave partial results, which a small nest joins at the end in
an order fixed by the shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import CONSTANT, Node
from chainrule.graph.node import Edge
from chainrule.native.nest import Access, Nest
from chainrule.native.placing import Pick
from chainrule.native.placings import placing_of
from chainrule.native.views import ArrayView, contiguous, whole
from chainrule.passes.fuse import Axes, Group, natural

PIECE = 4096
"""Entries of one piece of a long row: small enough for the first cache, with what is read."""
ROW_BUFFER = 4096
"""Entries of a row buffer on the stack at most."""


COPIED = 64 * 1024
"""Bytes up to which an array from outside was copied as it was recorded."""


class LoweringError(Exception):
    """A group that has no loops of this kind; the sentence says why."""


class Partial(NamedTuple):
    """A buffer of partial results, `blocks` times `entries` numbers: one block for every row, or
    for every part into which the rows are cut (`of_parts`).
    """

    name: str
    blocks: int
    entries: int
    type: str
    of_parts: bool


Array = Edge | Partial


class Loops(NamedTuple):
    """A nest with the arrays that it works on, and over how many bundles of rows.

    Where `parts` is given, the rows are cut into so many, whatever the number of threads; part k
    has its partial results at entry k · entries.
    """

    nest: Nest
    arrays: tuple[Array, ...]
    rows: int
    parts: int | None


class Layout(NamedTuple):
    """The loops of a group: their extents, and the strides that each access has along them."""

    rows: tuple[int, ...]
    columns: int
    entries: int | None
    axes: tuple[tuple[int, ...], ...]  # the axes of the space that each loop runs over


class Lowering:
    """One group on its way to nests."""

    def __init__(
        self,
        name: str,
        group: Group,
        escaping: set[Edge],
        views: Mapping[Edge, ArrayView],
    ) -> None:
        assert group.space is not None
        self.name = name
        self.group = group
        self.space = group.space
        self.escaping = [(n, 0) for n in group.nodes if (n, 0) in escaping]
        self.views = views
        self.inside = set(group.nodes)
        self._known: dict[Edge, float | int | bool | None] = {}
        self.picks: dict[Node, tuple[Pick, ...]] = {}
        self.indexed: set[int] = set()
        for node in group.nodes:
            self._note_picks(node)
        self.layout = self._layout()
        self.together = prod(self.space[a] for a in group.together)
        self.bundles = prod(self.layout.rows) // self.together
        self.spilled: dict[Edge, int] = {}
        self._is_late: dict[Node, bool] = {}
        self.stages_of: dict[Node, int] = {}
        for node in group.nodes:
            self.stages_of[node] = self._stage_of(node)

    # -- how values lie in the loops ------------------------------------------------------------

    def view(self, edge: Edge) -> ArrayView:
        """Where the entries of an array from outside lie."""
        return self.views.get(edge) or whole(edge)

    def known(self, edge: Edge) -> float | int | bool | None:
        """The number that a constant holds, the same in all places; None for anything else."""
        if edge not in self._known:
            self._known[edge] = _one_number(edge)
        return self._known[edge]

    def _note_picks(self, node: Node) -> None:
        """What an operation reads elsewhere, and the axes whose positions it asks for."""
        placing = placing_of(node)
        if placing is not None:
            self.picks[node] = placing.picks(node, [self.view(e) for e in node.inputs])
            own = self.group.axes[node, 0]
            self.indexed |= {a for k in placing.indexed(node) if (a := own[k]) is not None}

    def _strides(self, edge: Edge, axes: Axes) -> tuple[int, ...]:
        """Strides of an array in memory along the axes of the space; 0 where it does not move."""
        shape = edge[0].outputs[edge[1]].shape
        own = self.views[edge].strides if edge in self.views else contiguous(shape)
        found = [0] * len(self.space)
        for axis, n, stride in zip(axes, shape, own, strict=True):
            if axis is not None and n != 1:
                found[axis] = stride
        return tuple(found)

    def _pick_strides(self, node: Node, pick: Pick) -> tuple[int, ...]:
        found = [0] * len(self.space)
        for axis, stride in zip(self.group.axes[node, 0], pick.strides, strict=True):
            if axis is not None:
                found[axis] = stride
        return tuple(found)

    def axes_of_input(self, node: Node, position: int) -> Axes:
        """How an input from outside lies in the space, by the node that reads it."""
        source, index = node.inputs[position]
        shape = source.outputs[index].shape
        if node in self.group.reductions:
            found = natural(shape, self.space)
            assert found is not None
            return found
        own = self.group.axes[node, 0]
        first = len(own) - len(shape)
        return tuple(None if n == 1 else own[first + k] for k, n in enumerate(shape))

    def _accesses(self) -> list[tuple[int, ...]]:
        found = [self._strides(edge, self.group.axes[edge]) for edge in self.escaping]
        for node in self.group.nodes:
            picks = self.picks.get(node, ())
            found += [self._pick_strides(node, pick) for pick in picks]
            elsewhere = {pick.position for pick in picks}
            for position, edge in enumerate(node.inputs):
                if position in elsewhere or edge[0] in self.inside:
                    continue
                if edge[0].outputs[edge[1]].shape and self.known(edge) is None:
                    found.append(self._strides(edge, self.axes_of_input(node, position)))
        return found

    # -- loops ----------------------------------------------------------------------------------

    def _layout(self) -> Layout:
        """Merge neighbouring axes that every array passes in one stride; cut one long row."""
        accesses = self._accesses()
        ndim, columns = len(self.space), self.group.columns
        split = ndim - columns if columns is not None else None
        loops = self._merged(accesses, split)
        inner = [loop for loop in loops if split is None or loop[0] >= split]
        outer = [loop for loop in loops if loop not in inner]
        if split is None and len(inner) > 1:
            best = min(inner, key=lambda loop: (self._price(loop, accesses), -loop[0]))
            outer, inner = [loop for loop in inner if loop is not best], [best]
        if len(inner) > 1:
            raise LoweringError("the columns of a row do not lie in one stride")
        extents = [self._extent(loop) for loop in outer]
        width = self._extent(inner[0]) if inner else 1
        axes = tuple(tuple(loop) for loop in (*outer, inner[0] if inner else []))
        if outer:
            return Layout(tuple(extents), width, None, axes)
        pieces = max(1, -(-width // PIECE)) if split is None else 1
        if pieces > 1:
            return Layout((pieces,), PIECE, width, ((), *axes))
        return Layout((1,), width, None, ((), *axes))

    def _merged(self, accesses: list[tuple[int, ...]], split: int | None) -> list[list[int]]:
        """The axes of the space, those next to each other together that are one loop."""
        walls = {split, *self.indexed, *(a + 1 for a in self.indexed)}
        if self.group.together:
            walls |= {min(self.group.together), max(self.group.together) + 1}
        loops: list[list[int]] = []
        wall = True
        for axis, size in enumerate(self.space):
            wall = wall or axis in walls
            if size == 1:
                continue
            if not wall:
                previous = loops[-1][-1]
                if all(strides[previous] == strides[axis] * size for strides in accesses):
                    loops[-1].append(axis)
                    continue
            loops.append([axis])
            wall = False
        return loops

    def _price(self, loop: Sequence[int], accesses: list[tuple[int, ...]]) -> float:
        """A rough count of instructions per entry where this loop is the one in vectors.

        A row costs about ten; a vector of neighbours one, of entries apart one for each of them.
        """
        extent, lanes = self._extent(loop), 8
        steps = [strides[loop[-1]] for strides in accesses]
        vectors = -(-extent // lanes)
        return (10 + vectors * sum(1 if s in (0, 1) else lanes for s in steps)) / extent

    def _extent(self, loop: Sequence[int]) -> int:
        return prod(self.space[axis] for axis in loop)

    # -- accesses -------------------------------------------------------------------------------

    def access(self, array: int, edge: Edge, axes: Axes) -> Access:
        """How an array is passed by the loops."""
        offset = self.views[edge].offset if edge in self.views else 0
        return self._passed(array, self._strides(edge, axes), offset)

    def picked(self, array: int, node: Node, pick: Pick) -> Access:
        """How an array is passed that a node reads elsewhere."""
        return self._passed(array, self._pick_strides(node, pick), pick.offset)

    def _passed(self, array: int, strides: Sequence[int], offset: int) -> Access:
        """A merged loop has the stride of its last axis."""
        found = [strides[loop[-1]] if loop else 0 for loop in self.layout.axes]
        if self.layout.entries is not None:
            found[0] = found[-1] * self.layout.columns
        return Access(array, tuple(found), offset)

    def loop_of(self, axis: int) -> int | None:
        """The loop that runs over an axis of the space; None where its length is 1."""
        return next((k for k, loop in enumerate(self.layout.axes) if axis in loop), None)

    def in_columns(self, edge: Edge) -> bool:
        """Whether a value of the group differs along a row."""
        columns = self.layout.axes[-1]
        return any(a in columns for a in self.group.axes[edge] if a is not None)

    # -- stages ---------------------------------------------------------------------------------

    def _late(self, node: Node) -> bool:
        """Whether a number of the row needs a reduction of the row."""
        if node not in self._is_late:
            self._is_late[node] = node in self.group.reductions or (
                not self.in_columns((node, 0))
                and any(self._late(s) for s, _ in node.inputs if s in self.inside)
            )
        return self._is_late[node]

    def _stage_of(self, node: Node) -> int:
        stage = 0
        for source, _ in node.inputs:
            if source in self.inside:
                after = self.in_columns((node, 0)) or node in self.group.reductions
                stage = max(stage, self.stages_of[source] + (after and self._late(source)))
        return stage


def _one_number(edge: Edge) -> Any:
    """The entry of a constant that has only one: a broadcast number, or a small copy of one.

    What the code may write into between calls is not small: it was not copied.
    """
    if edge[0].primitive is not CONSTANT:
        return None
    value = np.asarray(edge[0].params["value"])
    if not value.size or (any(value.strides) and value.nbytes > COPIED):
        return None
    first = value.flat[0]
    if not any(value.strides):
        return first.item()
    signs = np.copysign(1, value) == np.copysign(1, first)  # 0 and -0 are two numbers
    return first.item() if np.all((value == first) & signs) else None


__all__ = [
    "ROW_BUFFER",
    "Array",
    "Layout",
    "Loops",
    "Lowering",
    "LoweringError",
    "Partial",
]
