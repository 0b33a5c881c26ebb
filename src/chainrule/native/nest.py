"""A kernel as loops over arrays: plain data, made by the lowering and read by the emitter.

    for row in rows:                       # all loops but the last; split over threads
        for stage in stages:               # one after the other, on the same row
            for column in columns:         # the last loop, in vectors
                load, compute, store, reduce

A reduction along the columns gives one number per row, which later stages of the same row may use:
so softmax, its backward pass or a layer norm are one kernel. A value that a later stage needs entry
by entry is computed again there, or stored and loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

Value = int
"""A value of a kernel: the position of the statement that made it, counted through all stages."""


class Access(NamedTuple):
    """Entries of an array as the loops pass: `strides` (in entries) one per loop, last the column.

    Stride 0 means that a loop does not move: a broadcast read, or an accumulating write.
    """

    array: int
    strides: tuple[int, ...]
    offset: int = 0


class Load(NamedTuple):
    """The entry of an array at the loops' position; 0, and nothing read, where `where` is false."""

    access: Access
    type: str
    where: Value | None = None


class Term(NamedTuple):
    """A step of `position · stride` entries along an axis of length `size`.

    The position is checked against `size`; a negative one counts from the end, as in NumPy.
    """

    position: Value
    stride: int
    size: int


class Gather(NamedTuple):
    """The entry that lies the sum of some terms further, one chosen by integers."""

    access: Access
    terms: tuple[Term, ...]
    type: str


class Index(NamedTuple):
    """The position of one of the loops, the last being the column."""

    loop: int
    type: str


class Require(NamedTuple):
    """A truth value that must hold everywhere; where it does not, an index is out of bounds."""

    value: Value


class Compute(NamedTuple):
    """A scalar operation (`native/instructions.py`) on earlier values."""

    operation: str
    operands: tuple[Value, ...]
    type: str


class Constant(NamedTuple):
    number: float | int | bool
    type: str


class Store(NamedTuple):
    """Write a value; with `accumulate`, combine it with what earlier rows left there.

    Rows that belong together (`Nest.together`), or all of one call, begin afresh.
    """

    value: Value
    access: Access
    accumulate: str | None = None


class Reduce(NamedTuple):
    """Combine a value over the columns with "add", "multiply", "maximum" or "minimum"."""

    operation: str
    value: Value
    type: str


class Keep(NamedTuple):
    """Write a number of the row (a reduction, or what was computed of it) once per row."""

    value: Value
    access: Access


Statement = Load | Gather | Index | Require | Compute | Constant | Store | Reduce | Keep


class Stage(NamedTuple):
    """One pass over the columns; statements that read only numbers of the row happen once."""

    columns: int
    statements: tuple[Statement, ...]


class Nest(NamedTuple):
    """A kernel. `rows` are the extents of all loops but the last; `arrays` the types in memory.

    Where `entries` is given, the rows are pieces of one long row of that many entries, so the last
    of them may be shorter. `scratch` are buffers of one row on the stack, as types and lengths; in
    accesses they are counted after the arrays. So many rows as `together` says run in one call, one
    after the other: what is called counts bundles of them.
    """

    name: str
    rows: tuple[int, ...]
    stages: tuple[Stage, ...]
    arrays: tuple[str, ...]
    entries: int | None = None
    scratch: tuple[tuple[str, int], ...] = ()
    together: int = 1

    def statements(self) -> Iterator[Statement]:
        """The statements of all stages, in the order of their numbers."""
        for stage in self.stages:
            yield from stage.statements

    def __str__(self) -> str:
        lines = [f"{self.name}: rows {self.rows}, arrays {', '.join(self.arrays)}"]
        position = 0
        for stage in self.stages:
            lines.append(f"  for {stage.columns} columns:")
            for statement in stage.statements:
                fields = ", ".join(f"{k}={v}" for k, v in statement._asdict().items())
                lines.append(f"    %{position} = {type(statement).__name__}({fields})")
                position += 1
        return "\n".join(lines)
