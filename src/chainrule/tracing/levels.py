"""Levels: which transform is running, what it captured, and how its errors are told."""

from __future__ import annotations

import itertools
import traceback
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

import numpy as np

from chainrule import errors
from chainrule.graph import Level, Place, Traced
from chainrule.graph.node import OWN_FOLDERS, callers_place

_tags = itertools.count(1)
_active: ContextVar[tuple[Level, ...]] = ContextVar("active levels", default=())

COPIED_BYTES = 65_536


def next_tag() -> int:
    """A tag larger than all before it."""
    return next(_tags)


def innermost() -> Level | None:
    """The transform that is running now and began last, if any."""
    levels = _active.get()
    return levels[-1] if levels else None


class Captures:
    """Plain arrays saved without copying: read-only until the outermost transform ends."""

    __slots__ = ("frozen",)

    def __init__(self) -> None:
        self.frozen: list[tuple[np.ndarray[Any, Any], Place]] = []

    def freeze(self, array: np.ndarray[Any, Any]) -> None:
        owner: Any = array
        while isinstance(owner, np.ndarray):
            if owner.flags.writeable:
                owner.flags.writeable = False
                self.frozen.append((owner, callers_place()))
            owner = owner.base

    def thaw(self) -> None:
        # NumPy lets a view be writeable only after the array that it views is.
        for array, _ in sorted(self.frozen, key=lambda pair: _views_between(pair[0])):
            array.flags.writeable = True
        self.frozen.clear()


def _views_between(array: Any) -> int:
    """How many arrays `array` is a view of, one through another."""
    count = 0
    while isinstance(array.base, np.ndarray):
        array, count = array.base, count + 1
    return count


_captures: ContextVar[Captures | None] = ContextVar("captured arrays", default=None)


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
    captures = _captures.get()
    if value.nbytes <= COPIED_BYTES or captures is None:
        return value.copy(order="K")
    captures.freeze(value)
    return value


class Running:
    """`with Running(level):` a transform runs; on leaving, its level closes and errors are told.

    Leaving the outermost transform gives captured arrays back their writability. A transform whose
    record is used later (`keeps`: the pullback of vjp) copies what it captures instead.
    """

    __slots__ = ("_captures_token", "_token", "captures", "keeps", "level")

    def __init__(self, level: Level, *, keeps: bool = False) -> None:
        self.level = level
        self.keeps = keeps

    def __enter__(self) -> Self:
        levels = _active.get()
        self._token = _active.set((*levels, self.level))
        self._captures_token: Token[Captures | None] | None = None
        self.captures = _captures.get()
        if self.keeps:
            self._captures_token = _captures.set(None)
        elif self.captures is None:
            self.captures = Captures()
            self._captures_token = _captures.set(self.captures)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.level.open = False
        _active.reset(self._token)
        captured = [place for _, place in self.captures.frozen] if self.captures else []
        if self._captures_token is not None:
            _captures.reset(self._captures_token)
            if self.captures is not None and not self.keeps:
                self.captures.thaw()
        if error is not None:
            _tell(error, captured)


# How NumPy's loops say that they have no loop for objects.
_OBJECT_REFUSALS = ("dtype('O')", "not supported for the input types", "which has no callable")


def _was_caught(hidden: BaseException) -> bool:
    """Whether the user's code caught `hidden`: then its way up went through the user's frame.

    One that NumPy's C code took and replaced ends in our frames.
    """
    trace = hidden.__traceback__
    return trace is None or not trace.tb_frame.f_code.co_filename.startswith(OWN_FOLDERS)


def _tell(error: BaseException, captured: list[Place]) -> None:
    """Raise our own sentence where NumPy wrapped it, or where it can say more."""
    hidden: BaseException | None = error
    while hidden is not None:
        if isinstance(hidden, errors.ChainruleError):
            if hidden is not error and not _was_caught(hidden):
                raise hidden from None
            return
        hidden = hidden.__cause__ or hidden.__context__
    if isinstance(error, TypeError) and any(words in str(error) for words in _OBJECT_REFUSALS):
        raise errors.ConversionError(
            "an object array of traced values, which np.array([x, y]) makes, is used at "
            f"{users_line(error)} by a function that takes plain numbers only; make the array "
            "with chainrule.numpy.array (import chainrule.numpy as np) or np.stack"
        ) from error
    if captured and isinstance(error, ValueError) and "read-only" in str(error):
        lines = ", ".join(dict.fromkeys(str(place) for place in captured))
        raise errors.MutationError(
            f"an array that was recorded at {lines} is written at {users_line(error)} before its "
            "derivative is computed, which would change the gradient; write into a copy instead "
            "(a = a.copy())"
        ) from error


def users_line(error: BaseException) -> str:
    """The innermost line of the user's code on the way to `error`."""
    found = "an unknown line"
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith(OWN_FOLDERS):
            found = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return found
