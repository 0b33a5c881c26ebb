"""How an operation that moves entries is computed at the place of its result.

`picks` are the entries that it reads elsewhere, at strides along the axes of the result, and it
asks for positions along the axes in `indexed`. So the transpose of a slice is a read under a
condition, and writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from chainrule.graph import Node
from chainrule.native.nest import Term, Value
from chainrule.native.scalars import Builder, type_of
from chainrule.native.views import ArrayView


class Pick(NamedTuple):
    """Entries of the input at `position`, with strides along the axes of the result."""

    position: int
    strides: tuple[int, ...]
    offset: int


class Placer(Builder, Protocol):
    """What a placing writes with."""

    @property
    def index_type(self) -> str:
        """The type of positions."""

    def view(self, node: Node, position: int) -> ArrayView:
        """Where the entries of an input from outside lie."""

    def index(self, node: Node, axis: int) -> Value:
        """The position along an axis of the result."""

    def pick(self, node: Node, pick: Pick, where: Value | None = None) -> Value:
        """An entry read elsewhere; 0 where a condition does not hold."""

    def gather(self, node: Node, pick: Pick, terms: tuple[Term, ...]) -> Value:
        """An entry further on, by computed positions."""

    def require(self, condition: Value) -> None:
        """What must hold for all positions to be there."""

    def operand(self, node: Node, position: int) -> Value:
        """The entry of an input at the place of the result."""


class Placing(NamedTuple):
    """How one operation is computed at the place of its result; `read` are its other inputs."""

    fits: Callable[[Node], bool]
    picks: Callable[[Node, Sequence[ArrayView]], tuple[Pick, ...]]
    indexed: Callable[[Node], set[int]]
    write: Callable[[Any, Node, tuple[Pick, ...]], Value]
    read: frozenset[int] = frozenset()


def shape_of(node: Node, position: int) -> tuple[int, ...]:
    source, index = node.inputs[position]
    return source.outputs[index].shape


def result_type(node: Node) -> str:
    found = type_of(node.outputs[0].dtype)
    assert found is not None
    return found


def all_of(build: Placer, conditions: Sequence[Value]) -> Value | None:
    found: Value | None = None
    for condition in conditions:
        found = condition if found is None else build.compute("and", found, condition)
    return found


def within(build: Placer, node: Node, axis: int, low: int, high: int, size: int) -> list[Value]:
    """The conditions low ≤ position < high that are not always so."""
    found: list[Value] = []
    if low > 0:
        bound = build.constant(low, build.index_type)
        found.append(build.compute("greater_equal", build.index(node, axis), bound, type="i1"))
    if high < size:
        bound = build.constant(high, build.index_type)
        found.append(build.compute("less", build.index(node, axis), bound, type="i1"))
    return found
