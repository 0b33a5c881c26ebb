"""What a schedule does, counted: steps, operations, bytes, and what has no native code and why.

Operations are what the loops and products compute, entry by entry; bytes are those of the entries
that a step reads and writes, each pass over an array once. Neither is measured: both follow from
the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chainrule.graph import Node, Place
from chainrule.graph.node import Edge
from chainrule.native.lowering import Array, Loops, Partial
from chainrule.native.nest import Compute, Gather, Index, Keep, Load, Nest, Reduce, Stage, Store
from chainrule.native.products import Product
from chainrule.native.schedule import BYTES, Schedule, Step, size_of, touched
from chainrule.native.views import ArrayView


class StepReport(NamedTuple):
    """One step: a kernel, a product or an interpreted operation, and what it costs.

    `passes` tells how often each array from outside the step is passed over; `forward` whether the
    values need the step, None where nobody said which results are values.
    """

    kind: str
    name: str
    operations: int
    read: int
    written: int
    passes: dict[Array, int]
    place: Place | None
    reason: str
    forward: bool | None


class Report(NamedTuple):
    """The steps of a schedule in order, and the bytes of its arena."""

    steps: tuple[StepReport, ...]
    arena: int

    def count(self, kind: str) -> int:
        """How many kernels, products or interpreted steps there are."""
        return sum(step.kind == kind for step in self.steps)

    def operations(self, *, forward: bool | None = None) -> int:
        """Operations of all steps, or of those for the values, or of the others."""
        chosen = (s for s in self.steps if forward is None or s.forward is forward)
        return sum(step.operations for step in chosen)

    @property
    def read(self) -> int:
        """Bytes that all steps read."""
        return sum(step.read for step in self.steps)

    @property
    def written(self) -> int:
        """Bytes that all steps write."""
        return sum(step.written for step in self.steps)

    def interpreted(self) -> list[str]:
        """What NumPy carries out, at which line, and why, a sentence each."""
        return [
            f"{step.name} at {step.place} is carried out by NumPy: {step.reason}"
            for step in self.steps
            if step.kind == "interpreted"
        ]

    def __str__(self) -> str:
        kinds = ", ".join(f"{self.count(k)} {k}" for k in ("kernel", "product", "interpreted"))
        lines = [
            f"{kinds}; {self.operations():,} operations, "
            f"{self.read:,} bytes read, {self.written:,} written, {self.arena:,} in the arena"
        ]
        for s in self.steps:
            sizes = f"{s.operations:,} operations, {s.read:,} bytes read, {s.written:,} written"
            lines.append(f"  {s.kind} {s.name}: {sizes}{f' ({s.reason})' if s.reason else ''}")
        return "\n".join(lines)


def report(schedule: Schedule, values: Sequence[int] | None = None) -> Report:
    """The report of a schedule; `values` are the positions of those outputs that are values and no
    derivatives, so that operations forward and backward can be told apart.
    """
    needed: set[int] = set()
    if values is not None:
        needed = _needed(schedule, [schedule.graph.outputs[k] for k in values])
    steps = tuple(
        _of_step(step, schedule.views)._replace(forward=None if values is None else k in needed)
        for k, step in enumerate(schedule.steps)
    )
    return Report(steps, schedule.arena.size)


def _needed(schedule: Schedule, edges: Sequence[Edge]) -> set[int]:
    """The positions of the steps on which some values depend."""
    views = schedule.views
    wanted: set[Array] = {views[e].base if e in views else e for e in edges}
    found = set()
    for k in reversed(range(len(schedule.steps))):
        reads, writes = touched(schedule.steps[k], views)
        if wanted.intersection(writes):
            found.add(k)
            wanted.update(reads)
    return found


def _of_step(step: Step, views: dict[Edge, ArrayView]) -> StepReport:
    if isinstance(step, Loops):
        return _of_loops(step)
    reads, writes = touched(step, views)
    read, written = (sum(size_of(a) for a in arrays) for arrays in (reads, writes))
    passes = dict.fromkeys(reads, 1)
    node = step.node
    if isinstance(step, Product):
        size = f"{step.rows}×{step.summed}×{step.columns}"
        batch = "".join(f"{n} times " for n in step.batch)
        operations = step.operations
        return StepReport(
            "product", batch + size, operations, read, written, passes, node.place, "", None
        )
    entries = sum(math.prod(spec.shape) for spec in node.outputs)
    operations = int(node.primitive.flops * entries)
    name = node.primitive.name
    return StepReport(
        "interpreted", name, operations, read, written, passes, node.place, step.reason, None
    )


def _of_loops(step: Loops) -> StepReport:
    nest, passes = step.nest, dict.fromkeys(step.arrays, 0)
    read = written = operations = 0
    position, varying = 0, set[int]()
    for stage in nest.stages:
        rows = step.rows * nest.together
        entries = nest.entries if nest.entries is not None else rows * stage.columns
        loaded = set()
        for statement in stage.statements:
            if _varies(statement, varying, len(nest.rows)):
                varying.add(position)
            if isinstance(statement, Compute):
                operations += entries if position in varying else rows
            elif isinstance(statement, Reduce):
                operations += entries
            elif isinstance(statement, Load | Gather) and statement.access not in loaded:
                loaded.add(statement.access)
                read += _bytes(nest, stage, statement)
            elif isinstance(statement, Store | Keep):
                written += _bytes(nest, stage, statement)
            position += 1
        for array in {access.array for access in loaded if access.array < len(step.arrays)}:
            passes[step.arrays[array]] += 1
    place = next((node.place for node in _nodes(step) if node.place is not None), None)
    return StepReport("kernel", nest.name, operations, read, written, passes, place, "", None)


def _nodes(step: Loops) -> Iterator[Node]:
    for array in step.arrays:
        if not isinstance(array, Partial):
            yield array[0]


def _varies(statement: object, varying: set[int], column: int) -> bool:
    """Whether a statement's value differs along a row."""
    match statement:
        case Load(access, _, _):
            return access.strides[-1] != 0
        case Gather(access, terms, _):
            return access.strides[-1] != 0 or any(t.position in varying for t in terms)
        case Index(loop, _):
            return loop == column
        case Compute(_, operands, _):
            return any(operand in varying for operand in operands)
    return False


def _bytes(nest: Nest, stage: Stage, statement: Load | Gather | Store | Keep) -> int:
    """Bytes of the entries that a statement meets, each once."""
    access = statement.access
    types = (*nest.arrays, *(type for type, _ in nest.scratch))
    size = BYTES[types[access.array]]
    if nest.entries is not None and access.strides[-1]:
        return nest.entries * size
    extents = (*nest.rows, 1 if isinstance(statement, Keep) else stage.columns)
    return size * math.prod(n for n, step in zip(extents, access.strides, strict=True) if step)
