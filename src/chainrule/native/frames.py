"""The frame of a call: one table of addresses, from which every step finds its buffers.

    inputs ..., outputs ..., constants ..., results of interpreted steps ..., the arena

A buffer of the arena is a place in its last entry, so a call needs one address for them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chainrule.graph import CONSTANT
from chainrule.graph.node import Edge
from chainrule.native.in_place import can_fail, reads_where_it_writes
from chainrule.native.lowering import Array, Loops, Partial
from chainrule.native.products import Product
from chainrule.native.schedule import Interpreted, Schedule, size_of, touched
from chainrule.native.views import contiguous
from chainrule.planning.arena import aligned


class Place(NamedTuple):
    """Where a buffer lies: the frame's entry, and how many bytes after the address in it."""

    slot: int
    offset: int = 0


class Copy(NamedTuple):
    """At the end of a call, so many bytes from a buffer into an entry of the frame."""

    source: Place
    slot: int
    size: int


class Frame:
    """Which entry of the frame is what, for the calls of one program.

    `donated` gives, for positions of outputs, the position of the input whose memory the result
    takes. It is written at once where nothing can still read the input or fail afterwards, and
    else computed elsewhere and copied at the end, after all other copies. A result that is itself
    an input, a constant or a view takes no memory of an input.
    """

    def __init__(self, schedule: Schedule, donated: Mapping[int, int]) -> None:
        graph = schedule.graph
        self.donated = {
            position: given
            for position, given in donated.items()
            if _is_computed(schedule, graph.outputs[position])
        }
        self.inputs = len(graph.inputs)
        self.first_output = self.inputs
        self.outputs = len(graph.outputs)
        self._slots: dict[Edge, int] = {(node, 0): k for k, node in enumerate(graph.inputs)}
        self.others: dict[Edge, int] = {}
        after = self.first_output + self.outputs
        for edge in _others(schedule):
            self.others[edge] = self._slots[edge] = after + len(self.others)
        self.arena = after + len(self.others)
        self.size = self.arena + 1
        self.arena_bytes = schedule.arena.size
        self._offsets: dict[Array, int] = dict(schedule.arena.offsets)
        self.copies = self._place_outputs(schedule)

    def _place_outputs(self, schedule: Schedule) -> list[Copy]:
        """Let results be written where they belong; what cannot be is copied there at the end."""
        copies: list[tuple[Edge, int]] = []
        for position, edge in enumerate(schedule.graph.outputs):
            slot = self.first_output + position
            view = schedule.views.get(edge)
            if view is not None:
                if view.strides != contiguous(edge[0].outputs[edge[1]].shape):
                    raise ValueError(f"a result lies in strides: {edge[0]}")
                copies.append((edge, slot))
            elif edge in self._slots or edge in self._offsets:
                copies.append((edge, slot))
            elif position in self.donated and not _may_write_early(
                schedule, edge, (schedule.graph.inputs[self.donated[position]], 0)
            ):
                self._offsets[edge] = aligned(self.arena_bytes)
                self.arena_bytes = aligned(self.arena_bytes) + aligned(size_of(edge))
                copies.append((edge, slot))
            else:
                self._slots[edge] = slot
        donated = {self.first_output + position for position in self.donated}
        copies.sort(key=lambda copy: copy[1] in donated)  # these may overwrite what others read
        return [Copy(self._seen(schedule, edge), slot, size_of(edge)) for edge, slot in copies]

    def _seen(self, schedule: Schedule, edge: Edge) -> Place:
        """Where a value begins, which may be a view of another."""
        view = schedule.views.get(edge)
        if view is None:
            return self.place(edge)
        slot, offset = self.place(view.base)
        return Place(slot, offset + view.offset * edge[0].outputs[edge[1]].dtype.itemsize)

    def place(self, array: Array) -> Place:
        """Where a buffer lies."""
        if array in self._offsets:
            return Place(self.arena, self._offsets[array])
        assert not isinstance(array, Partial)
        return Place(self._slots[array])

    @property
    def constants(self) -> dict[Edge, int]:
        """Those entries that are the same in every call."""
        return {e: slot for e, slot in self.others.items() if e[0].primitive is CONSTANT}


def _others(schedule: Schedule) -> Sequence[Edge]:
    """Constants in memory, and results of interpreted steps that are no results of the program."""
    found: dict[Edge, None] = {}
    outputs = set(schedule.graph.outputs)
    for edge in schedule.graph.outputs:
        if edge[0].primitive is CONSTANT:
            found[edge] = None
    for step in schedule.steps:
        reads, writes = touched(step, schedule.views)
        for array in reads:
            if not isinstance(array, Partial) and array[0].primitive is CONSTANT:
                found[array] = None
        if isinstance(step, Interpreted):
            for array in writes:
                if not isinstance(array, Partial) and array not in outputs:
                    found[array] = None
    return list(found)


def _is_computed(schedule: Schedule, edge: Edge) -> bool:
    """Whether a result is made by a step, and not an input, a constant or a view."""
    given = edge[0] in schedule.graph.inputs or edge[0].primitive is CONSTANT
    return not given and edge not in schedule.views


def _may_write_early(schedule: Schedule, edge: Edge, given: Edge) -> bool:
    """Whether a result may be written over an input when it is computed."""
    steps = schedule.steps
    writer = next(
        (k for k, step in enumerate(steps) if edge in touched(step, schedule.views)[1]), None
    )
    if writer is None or isinstance(steps[writer], Interpreted):
        return False
    views = schedule.views
    if given in [views[e].base if e in views else e for e in schedule.graph.outputs]:
        return False
    for step in steps[writer + 1 :]:
        if can_fail(step) or isinstance(step, Interpreted):
            return False
        if given in touched(step, schedule.views)[0]:
            return False
    step = steps[writer]
    if isinstance(step, Product):
        return given not in (step.left.base, step.right.base)
    assert isinstance(step, Loops)
    return not can_fail(step) and reads_where_it_writes(step, edge, given)
