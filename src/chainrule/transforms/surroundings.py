"""What one specialisation assumed of its surroundings, asked again on every call.

A name has to mean the same object. An array that is an input of the graph is read by reference: its
entries may change. One that the code reads without it being an input (its numbers went into
constants, or into a branch) has to keep its entries too.

Once an input array was replaced, or its entries changed, and tracing again gave the same graph, it
is `free`: from then on any array of that shape and dtype will do.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from chainrule.tracing.outside import Binding, Outside
from chainrule.tracing.specialising import Hidden, Taken
from chainrule.transforms.signature import array_part

COPIED_BYTES = 65_536


class Surroundings:
    """The bindings of a specialisation, and what has to stay the same of each."""

    def __init__(
        self,
        outside: Outside,
        hidden: list[Hidden],
        taken: list[Taken],
        free: frozenset[int] = frozenset(),
    ) -> None:
        self._outside = outside
        self.bindings = outside.bindings
        self.taken = taken
        self.hidden = hidden
        inputs = {id(h.binding.value) for h in hidden}
        fixed = {id(h.binding.value) for h in hidden if not _can_move(h)}
        self.inputs = {k for k, b in enumerate(self.bindings) if id(b.value) in inputs}
        self.free = frozenset(k for k in free if k in self.inputs)
        self._named = [b for k, b in enumerate(self.bindings) if not self._is_loose(k, fixed)]
        self._loose = [
            (b, array_part(b.value))
            for k, b in enumerate(self.bindings)
            if self._is_loose(k, fixed)
        ]
        self.watched = [
            (b, _snapshot(b.value))
            for k, b in enumerate(self.bindings)
            if isinstance(b.value, np.ndarray) and _is_writable(b.value) and self._must_keep(k)
        ]
        loose = {id(b) for b, _ in self._loose}
        self._fetched = [(h, id(h.binding) in loose) for h in hidden]
        self.is_simple = not (self._named or self._loose or self.watched)

    def freed(self, free: frozenset[int]) -> Surroundings:
        """The same, with other names free."""
        return Surroundings(self._outside, self.hidden, self.taken, free)

    def _is_loose(self, k: int, fixed: set[int]) -> bool:
        return k in self.free and id(self.bindings[k].value) not in fixed

    def _must_keep(self, k: int) -> bool:
        """Whether the entries of an array have to stay: it may have gone into what was taken."""
        return k not in self.inputs or (bool(self.taken) and k not in self.free)

    def arrays(self) -> list[Any]:
        """The hidden inputs as they are now."""
        return [_moved(h) if loose else h.array for h, loose in self._fetched]

    def hold(self) -> bool:
        """Whether everything is as it was assumed."""
        if self.is_simple:
            return True
        for binding in self._named:
            if not binding.holds():
                return False
        for binding, part in self._loose:
            now = binding.now()
            if type(now) is not np.ndarray or array_part(now) != part:
                return False
        for binding, snapshot in self.watched:
            if not _is_as(binding.value, snapshot):
                return False
        return self._agree()

    def _agree(self) -> bool:
        """Whether several names of one input array still mean one array."""
        seen: dict[int, Any] = {}
        for binding, _ in self._loose:
            now = binding.now()
            if seen.setdefault(id(binding.value), now) is not now:
                return False
        return True

    def changes(self) -> list[tuple[int, str]]:
        """The bindings that changed, by position, each with a sentence."""
        found = []
        watched = {id(binding): snapshot for binding, snapshot in self.watched}
        for k, binding in enumerate(self.bindings):
            if not binding.holds():
                found.append((k, f"{binding.name} was {_words(binding.value)}, {_now(binding)}"))
            elif id(binding) in watched and not _is_as(binding.value, watched[id(binding)]):
                found.append((k, f"the entries of {binding.name} changed, which the code reads"))
        return found


def _can_move(hidden: Hidden) -> bool:
    """Whether the array, if it is a view, lies within the array that has the name."""
    owner = hidden.binding.value
    return hidden.is_whole or (owner.flags.c_contiguous and np.shares_memory(owner, hidden.array))


def _moved(hidden: Hidden) -> Any:
    """The hidden array as the name has it now: that array, or the same view of it."""
    now, array = hidden.binding.now(), hidden.array
    if hidden.is_whole:
        return now
    offset = array.ctypes.data - hidden.binding.value.ctypes.data
    return np.ndarray(array.shape, array.dtype, now, offset, array.strides)


def _now(binding: Binding) -> str:
    now = binding.now()
    return "and is gone" if now is binding else f"now {_words(now)}"


def _words(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}{list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _is_writable(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return True
        array = array.base
    return False


def _bytes(array: np.ndarray[Any, Any]) -> Any:
    return np.ascontiguousarray(array).view(np.uint8) if array.dtype.kind in "biufc" else None


def _snapshot(array: np.ndarray[Any, Any]) -> Any:
    """A copy of a small array, a checksum of a large one."""
    entries = _bytes(array)
    if entries is None:
        return None
    return entries.copy() if array.nbytes <= COPIED_BYTES else zlib.crc32(entries)


def _is_as(array: np.ndarray[Any, Any], snapshot: Any) -> bool:
    if snapshot is None:
        return True
    entries = _bytes(array)
    if isinstance(snapshot, int):
        return zlib.crc32(entries) == snapshot
    return bool(np.array_equal(entries, snapshot))
