"""From which step to which each buffer of a schedule is needed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

Buffer = TypeVar("Buffer", bound=Hashable)


class Lifetime(NamedTuple):
    """The steps `first` … `last` (both included) during which a buffer holds its numbers."""

    first: int
    last: int

    def meets(self, other: Lifetime) -> bool:
        """Whether there is a step during which both are needed."""
        return self.first <= other.last and other.first <= self.last


def lifetimes(
    steps: Sequence[tuple[Iterable[Buffer], Iterable[Buffer]]], kept: Iterable[Buffer] = ()
) -> dict[Buffer, Lifetime]:
    """The lifetime of every buffer that a step writes; each step is (reads, writes).

    Buffers in `kept` live to the end. One that is read and never written comes from outside.

    >>> lifetimes([(["x"], ["a"]), (["a"], ["b"]), (["b"], ["c"])], kept=["c"])["a"]
    Lifetime(first=0, last=1)
    """
    first: dict[Buffer, int] = {}
    last: dict[Buffer, int] = {}
    for position, (reads, writes) in enumerate(steps):
        for buffer in writes:
            first.setdefault(buffer, position)
            last[buffer] = position
        for buffer in reads:
            last[buffer] = position
    for buffer in kept:
        last[buffer] = len(steps)
    return {buffer: Lifetime(first[buffer], last[buffer]) for buffer in first}
