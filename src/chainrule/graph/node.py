"""Nodes and graphs: plain data, frozen by convention and checked by `graph.invariants`.

A slotted class costs a quarter of a frozen dataclass to create, and one is created for every
operation that is recorded; nothing in the project assigns to a node after its creation.
"""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from chainrule.graph.primitive import Primitive

_FLOAT, _COMPLEX = np.dtype(np.float64), np.dtype(np.complex128)
_INTEGER, _BOOLEAN = np.dtype(np.int64), np.dtype(np.bool_)
_PYTHON_NUMBERS = {float: _FLOAT, complex: _COMPLEX, int: _INTEGER, bool: _BOOLEAN}


# What the constructor of a NamedTuple does, at a third of its price, for every operation.
_tuple: Any = tuple.__new__


class Spec(NamedTuple):
    """Shape and dtype of an array, without the array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"


def spec_of(value: Any) -> Spec:
    """The spec of an array, a traced array or a Python number."""
    if type(value) in _PYTHON_NUMBERS:
        return Spec((), _PYTHON_NUMBERS[type(value)])
    return _tuple(Spec, (value.shape, value.dtype))  # type: ignore[no-any-return]


class Place(NamedTuple):
    """Where in the user's code an operation stands; the line is looked up only when asked for."""

    code: CodeType
    instruction: int

    @property
    def file(self) -> str:
        return self.code.co_filename

    @property
    def line(self) -> int:
        for start, stop, line in self.code.co_lines():
            if start <= self.instruction < stop and line is not None:
                return line
        return self.code.co_firstlineno

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


OWN_FOLDERS = (
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ""),
    os.path.join(os.path.dirname(os.path.abspath(np.__file__)), ""),
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(np.__file__))), "scipy", ""),
)


class _OwnFiles(dict[str, bool]):
    """Whether a file belongs to chainrule, NumPy or SciPy, found out once per file."""

    def __missing__(self, file: str) -> bool:
        self[file] = own = file.startswith(OWN_FOLDERS)
        return own


_OWN_FILES = _OwnFiles()


def callers_place(skip: int = 1) -> Place:
    """The innermost place on the call stack that is neither in chainrule, NumPy nor SciPy.

    `skip` frames are known to be chainrule's own and are not looked at.
    """
    frame = sys._getframe(skip)
    while _OWN_FILES[frame.f_code.co_filename] and frame.f_back is not None:
        frame = frame.f_back
    return _tuple(Place, (frame.f_code, frame.f_lasti))  # type: ignore[no-any-return]


class Node:
    """One operation of a computation.

    `inputs` are pairs (node, output index); `outputs` has one `Spec` per output; `place` is the
    line of the user's code, or None for what the engine itself put in.
    """

    __slots__ = ("inputs", "name", "outputs", "params", "place", "primitive")

    def __init__(
        self,
        primitive: Primitive,
        inputs: tuple[tuple[Node, int], ...],
        params: dict[str, Any],
        outputs: tuple[Spec, ...],
        place: Place | None = None,
        name: str | None = None,
    ) -> None:
        self.primitive = primitive
        self.inputs = inputs
        self.params = params
        self.outputs = outputs
        self.place = place
        self.name = name

    def __repr__(self) -> str:
        outputs = ", ".join(map(str, self.outputs))
        return f"<{self.primitive.name}{f' {self.name}' if self.name else ''}: {outputs}>"


Edge = tuple[Node, int]


class Guard(NamedTuple):
    """A value that the code read while it was traced: the graph holds while it stays the same."""

    edge: Edge
    kind: str
    observed: Any
    place: Place


class Graph:
    """A computation: `nodes` in an order in which each stands after its inputs."""

    __slots__ = ("guards", "inputs", "nodes", "outputs")

    def __init__(self) -> None:
        self.inputs: list[Node] = []
        self.nodes: list[Node] = []
        self.outputs: list[Edge] = []
        self.guards: list[Guard] = []

    def __str__(self) -> str:
        from chainrule.graph.text import write  # noqa: PLC0415  text reads graphs, not the reverse

        return write(self)
