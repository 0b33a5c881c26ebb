"""Levels: which transform is running, and what it captured."""

from __future__ import annotations

import itertools
import warnings
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

import numpy as np

from chainrule.graph import Level, Place, Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.telling import tell
from chainrule.tracing.warned import placed

Frozen = list[tuple[np.ndarray[Any, Any], Place]]
"""Plain arrays saved without copying, and where: read-only until the outermost transform ends."""

_tags = itertools.count(1)
_running: ContextVar[tuple[tuple[Level, ...], Frozen | None]] = ContextVar(
    "levels of the running transforms, and what they froze", default=((), None)
)

COPIED_BYTES = 65_536


def next_tag() -> int:
    """A tag larger than all before it."""
    return next(_tags)


def innermost() -> Level | None:
    """The transform that is running now and began last, if any."""
    levels, _ = _running.get()
    return levels[-1] if levels else None


def by_reference(array: Any) -> Any:
    """A plain operand as the running transforms want to see it: an input where one compiles.

    A derivative keeps copies of operands and computes with them, which a compiled function would
    take for constants.
    """
    for level in _running.get()[0]:
        array = level.reference(array)
    return array


def _freeze(array: np.ndarray[Any, Any], frozen: Frozen) -> None:
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            owner.flags.writeable = False
            frozen.append((owner, callers_place()))
        owner = owner.base


def _thaw(frozen: Frozen) -> None:
    # NumPy lets a view be writeable only after the array that it views is.
    for array, _ in sorted(frozen, key=lambda pair: _views_between(pair[0])):
        array.flags.writeable = True
    frozen.clear()


def _views_between(array: Any) -> int:
    """How many arrays `array` is a view of, one through another."""
    count = 0
    while isinstance(array.base, np.ndarray):
        array, count = array.base, count + 1
    return count


def _can_be_written(array: Any) -> bool:
    """Whether the array, or one that it is a view of, is writeable."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return True
        array = array.base
    return False


def capture(value: Any) -> Any:
    """`value` such that later writes of the user's code cannot change what was recorded."""
    if not isinstance(value, np.ndarray):
        return value.snapshot() if isinstance(value, Traced) else value
    if not _can_be_written(value):
        return value
    _, frozen = _running.get()
    if value.nbytes <= COPIED_BYTES or frozen is None:
        return value.copy(order="K")
    _freeze(value, frozen)
    return value


class Running:
    """`with Running(level):` a transform runs; on leaving, its level closes and errors are told.

    Leaving the outermost transform gives captured arrays back their writability. A transform whose
    record is used later (`keeps`: the pullback of vjp) copies what it captures instead.
    """

    __slots__ = ("_own", "_showed", "_token", "frozen", "keeps", "level")

    def __init__(self, level: Level, *, keeps: bool = False) -> None:
        self.level = level
        self.keeps = keeps

    def __enter__(self) -> Self:
        levels, frozen = _running.get()
        self._own = frozen is None and not self.keeps
        self.frozen = [] if self._own else frozen
        self._token = _running.set(((*levels, self.level), None if self.keeps else self.frozen))
        self._showed = placed()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.level.open = False
        _running.reset(self._token)
        if self._showed is not None:
            warnings.showwarning = self._showed
        if self.frozen or error is not None:
            captured = [place for _, place in self.frozen or ()]
            if self._own:
                _thaw(self.frozen or [])
            if error is not None:
                tell(error, self.level, captured)
