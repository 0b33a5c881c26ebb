"""Places for buffers in one block of memory, so that those that live together do not overlap.

Dynamic storage allocation is NP-hard; the greedy heuristic by size comes within a few per cent of
the live peak on networks (Pisarchyk & Lee, Efficient Memory Management for Deep Neural Net
Inference, 2020). Four orders are tried and the best is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple, TypeVar

from chainrule.planning.liveness import Lifetime

Buffer = TypeVar("Buffer", bound=Hashable)
ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""


class Arena(NamedTuple):
    """Offsets of buffers, in bytes, and how many bytes they need altogether."""

    offsets: dict[Any, int]
    size: int


def aligned(size: int) -> int:
    """`size` rounded up to whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def place(
    sizes: Mapping[Buffer, int],
    lives: Mapping[Buffer, Lifetime],
    same_place: Mapping[Buffer, Buffer] | None = None,
) -> Arena:
    """Offsets for buffers of the given sizes in bytes.

    `same_place` gives for some buffers one of the same size that ends with the step that writes
    them: they are put into its place.

    >>> lives = {"a": Lifetime(0, 1), "b": Lifetime(1, 2), "c": Lifetime(2, 3)}
    >>> place({"a": 64, "b": 64, "c": 64}, lives).size
    128
    >>> place({"a": 64, "b": 64, "c": 64}, lives, {"b": "a", "c": "b"}).size
    64
    """
    if same_place:
        return _together(sizes, lives, same_place)
    position = {buffer: k for k, buffer in enumerate(sizes)}
    orders: tuple[Callable[[Buffer], tuple[int, ...]], ...] = (
        lambda b: (-sizes[b], position[b]),
        lambda b: (lives[b].first, -sizes[b], position[b]),
        lambda b: (lives[b].first - lives[b].last, -sizes[b], position[b]),
        lambda b: (-sizes[b] * (lives[b].last - lives[b].first + 1), position[b]),
    )
    tried = [_placed(sorted(sizes, key=order), sizes, lives) for order in orders]
    return min(tried, key=lambda arena: arena.size)


def _together(
    sizes: Mapping[Buffer, int],
    lives: Mapping[Buffer, Lifetime],
    same_place: Mapping[Buffer, Buffer],
) -> Arena:
    """Chains of buffers, each in the place of the one before, as one buffer that lives longer."""
    first: dict[Buffer, Buffer] = {}
    joined: dict[Buffer, Lifetime] = {}
    for buffer in sorted(sizes, key=lambda b: lives[b].first):
        donor = same_place.get(buffer)
        head = buffer if donor is None else first[donor]
        first[buffer] = head
        joined[head] = Lifetime(lives[head].first, lives[buffer].last)
    arena = place({head: sizes[head] for head in sizes if head in joined}, joined)
    return Arena({buffer: arena.offsets[first[buffer]] for buffer in sizes}, arena.size)


def _placed(
    order: list[Buffer], sizes: Mapping[Buffer, int], lives: Mapping[Buffer, Lifetime]
) -> Arena:
    """Each buffer at the lowest offset that is free during its life, in the given order."""
    offsets: dict[Buffer, int] = {}
    for buffer in order:
        size = aligned(sizes[buffer])
        taken = sorted(
            (offsets[other], offsets[other] + aligned(sizes[other]))
            for other in offsets
            if lives[other].meets(lives[buffer])
        )
        offset = 0
        for begin, end in taken:
            if offset + size <= begin:
                break
            offset = max(offset, end)
        offsets[buffer] = offset
    size = max((offsets[b] + aligned(sizes[b]) for b in offsets), default=0)
    return Arena(offsets, size)
