"""Operations whose result shows entries of their input: what is written into one, the other sees.

Arrays of a graph never change, so a write makes a new array. A view remembers what it shows
(`Alias`); a write into it is carried back by the inverse that the record states, and one into the
array that it shows makes it read again. `tracing/writes.py` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import Primitive, Traced, composition
from chainrule.graph.primitive import ArrayFunction
from chainrule.primitives.declare import Linear

_tuple: Any = tuple.__new__  # a NamedTuple at a third of its constructor's price


class Alias(NamedTuple):
    """That a traced array is a view of `base`: `view(base, **params)`.

    `root` stands at the end of the chain of views and owns the entries; `seen` is the value that
    it had when the view was read.
    """

    base: Any
    root: Any
    seen: Any
    view: View
    params: dict[str, Any]


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
        result = Primitive.__call__(self, *arguments, **params)
        if len(arguments) == 1 and isinstance(result, Traced):
            base = arguments[0]
            here, there = _memory(base), _memory(result)
            # NumPy's scalars, such as one entry of an array, have no memory to share.
            both = isinstance(here, np.ndarray) and isinstance(there, np.ndarray)
            if both and (self.shares is _always or self.shares(here, there)):
                alias = base.alias
                root = base if alias is None else alias.root
                result.alias = _tuple(Alias, (base, root, root.value, self, params))
        return result


def _memory(array: Any) -> Any:
    """What lies under all levels."""
    while isinstance(array, Traced):
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
