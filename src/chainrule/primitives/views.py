"""Operations whose result shows entries of their input: what is written into one, the other sees.

Arrays of a graph never change, so a write makes a new array. A view remembers what it shows
(`Alias`); a write into it is carried back by the inverse that the record states, and one into the
array that it shows makes it read again. `tracing/writes.py` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import Traced, composition
from chainrule.graph.primitive import ArrayFunction
from chainrule.primitives.declare import Linear


class Alias:
    """That a traced array is a view of `base`: `view(base, **params)`.

    `root` stands at the end of the chain of views and owns the entries; `seen` is the value that
    it had when the view was read.
    """

    __slots__ = ("base", "params", "root", "seen", "view")

    def __init__(self, base: Any, view: View, params: dict[str, Any]) -> None:
        self.base = base
        self.root = base if base.alias is None else base.alias.root
        self.seen = self.root.value
        self.view = view
        self.params = params


def _always(base: Any, result: Any) -> bool:
    return True


class View(Linear):
    """A linear operation on one array that NumPy carries out without copying.

    back(base, view, **params)  `base` as it is after `view` was written
    shares(base, result)        for two plain arrays, whether they share memory, if that depends
    """

    __slots__ = ("back", "shares")

    def __init__(
        self,
        name: str,
        *,
        back: Callable[..., Any],
        shares: Callable[[Any, Any], bool] = _always,
        **record: Any,
    ) -> None:
        super().__init__(name, **record)
        self.back = back
        self.shares = shares

    def __call__(self, *arguments: Any, **params: Any) -> Any:
        for argument in arguments:
            if isinstance(argument, Traced):
                return self.read(argument, arguments, params)
        return self.compute(*arguments, **params)

    def read(self, traced: Any, arguments: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """The operation on arguments one of which is `traced`, as a view of a lone one."""
        result = traced.level.apply(self, arguments, params)
        if len(arguments) == 1 and isinstance(result, Traced):
            # NumPy's scalars, such as one entry of an array, have no memory to share.
            here, there = traced.value, result.value
            if type(there) is not np.ndarray or result.level.maps:
                here, there = _memories(traced, result)
            both = isinstance(here, np.ndarray) and isinstance(there, np.ndarray)
            if both and (self.shares is _always or self.shares(here, there)):
                result.alias = Alias(traced, self, params)
        return result


def _memories(base: Any, result: Any) -> tuple[Any, Any]:
    """What lies under the levels that both have in common."""
    while isinstance(result, Traced):
        if result.level.maps:
            return _memory(base), _memory(result)
        base, result = base.value, result.value
    return base, result


def _memory(array: Any) -> Any:
    """What lies under all levels; of many examples, under one."""
    while isinstance(array, Traced):
        if array.level.maps:
            return array.level.memory(array)
        array = array.value
    return array


view = View

viewing: set[Any] = set()
"""The NumPy functions whose results may be views; those of all others are arrays of their own."""


def view_composition(*functions: Any) -> Callable[[ArrayFunction], ArrayFunction]:
    """A composition for NumPy functions that return views."""
    viewing.update(functions)
    return composition(*functions)


def memory_of(array: Any) -> np.ndarray[Any, Any]:
    """The plain array under all levels, to look at how it lies in memory."""
    return np.asarray(_memory(array))
