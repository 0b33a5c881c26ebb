"""A call from Python: the trees of its arguments and result, and the addresses that it needs."""

from __future__ import annotations

from typing import Any, NamedTuple

from chainrule.graph import Spec


class Same(NamedTuple):
    """An argument that must be this very object, such as None."""

    value: Any


Tree = int | Same | tuple[Any, ...] | list[Any] | dict[Any, Any]
"""A leaf is the position of an input or output; tuples, lists and dicts hold trees."""


class Table:
    """The addresses that the text needs, by what they are; Python fills them in."""

    def __init__(self) -> None:
        self.entries: dict[Any, int] = {}
        self.objects: list[Any] = []

    def index(self, kind: str, value: Any = None) -> int:
        """The place of an address: a named one, or that of an object."""
        key = (kind, id(value)) if kind == "object" else (kind, value)
        if key not in self.entries:
            self.entries[key] = len(self.objects)
            self.objects.append((kind, value))
        return self.entries[key]


class Call(NamedTuple):
    """What an entry does: the trees of arguments and result, and the leaves' specs."""

    arguments: tuple[Tree, ...]
    result: Tree
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    scalars: bool  # a result without axes is a NumPy scalar, as NumPy's own functions return it
    nanoseconds: float
    weak: frozenset[int] | None = None  # inputs that must be Python floats; None: any may be one
