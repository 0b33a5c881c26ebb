"""The traced values that a function closes over, found in its cells so that others can stand there.

A solver has to run on plain numbers, and a step that is computed again needs every value that it
reads as an input. So the closed-over values of a derivative that is running become arguments: they
are looked for in cells, defaults, partial arguments, and in the lists, tuples, dicts and functions
that stand in those. What hides elsewhere, in attributes or globals, is met later and refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

import numpy as np

from chainrule.graph import Traced
from chainrule.tracing.dispatch import lifted

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


class Closure:
    """A function, or a tuple of them, and in `values` the traced arrays that it closes over."""

    __slots__ = ("_keys", "function", "values")

    def __init__(self, function: Any) -> None:
        self.function = function
        found: dict[int, Any] = {}

        def note(value: Any) -> Any:
            array = found.get(id(value), lifted(value))
            if isinstance(array, Traced):
                found[id(value)] = array
            return value

        _swapped(function, note, {})
        self._keys = list(found)
        self.values: list[Any] = list(found.values())

    def holding(self, values: list[Any]) -> Any:
        """The same function with other values in the places of `self.values`."""
        if not self.values:
            return self.function
        # By identity: once its transform has returned, a traced array cannot even be looked at.
        others = dict(zip(self._keys, values, strict=True))
        return _swapped(self.function, lambda old: others.get(id(old), old), {})


def _swapped(value: Any, swap: Callable[[Any], Any], memo: dict[int, Any]) -> Any:
    """`value` with `swap` applied to what is traced in it; itself where nothing is.

    `memo` has what became of each container and function, and stops where one holds itself.
    """
    kind = type(value)
    if isinstance(value, Traced) or (kind is np.ndarray and value.dtype.kind == "O"):
        return swap(value)
    if kind is FunctionType:
        return _function(value, swap, memo)
    if not isinstance(value, list | tuple | dict | functools.partial):
        return value
    if id(value) not in memo:
        memo[id(value)] = value
        memo[id(value)] = _container(value, swap, memo)
    return memo[id(value)]


def _container(value: Any, swap: Callable[[Any], Any], memo: dict[int, Any]) -> Any:
    kind = type(value)
    if kind is functools.partial:
        old = (value.func, value.args, value.keywords)
        function, args, keywords = new = _swapped(old, swap, memo)
        return value if new is old else functools.partial(function, *args, **keywords)
    if kind is dict:
        entries = {key: _swapped(entry, swap, memo) for key, entry in value.items()}
        return entries if any(entries[key] is not value[key] for key in value) else value
    if kind is not list and not isinstance(value, tuple):
        return value
    parts = [_swapped(part, swap, memo) for part in value]
    if all(n is o for n, o in zip(parts, value, strict=True)):
        return value
    return kind._make(parts) if hasattr(kind, "_make") else kind(parts)


def _function(function: FunctionType, swap: Callable[[Any], Any], memo: dict[int, Any]) -> Any:
    """A function with other cells and defaults; cells of plain numbers are shared with the old."""
    if id(function) in memo:
        return memo[id(function)]
    old = function.__closure__ or ()
    if not old and not function.__defaults__ and not function.__kwdefaults__:
        return function
    cells = tuple([cell if _settled(cell) else CellType() for cell in old])
    new = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
    )
    new.__kwdefaults__ = function.__kwdefaults__
    new.__dict__.update(function.__dict__)
    memo[id(function)] = new  # before its cells are filled: it may stand in one of them itself
    changed = False
    for cell, before in zip(cells, old, strict=True):
        if cell is not before:
            cell.cell_contents = _swapped(before.cell_contents, swap, memo)
            changed = changed or cell.cell_contents is not before.cell_contents
    if function.__defaults__:
        new.__defaults__ = _swapped(function.__defaults__, swap, memo)
    if function.__kwdefaults__:
        new.__kwdefaults__ = _swapped(function.__kwdefaults__, swap, memo)
    changed = changed or new.__defaults__ is not function.__defaults__
    changed = changed or new.__kwdefaults__ is not function.__kwdefaults__
    if not changed:
        memo[id(function)] = function
        return function
    return new


def _settled(cell: CellType) -> bool:
    """Whether a cell is empty or holds a plain number, so that a count kept in it stays shared."""
    try:
        return isinstance(cell.cell_contents, _PLAIN)
    except ValueError:
        return True
