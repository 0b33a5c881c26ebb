"""The homework's printed tree, and the two modes that `with` switches on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.classroom.nodes import ComputationNode

DEEPEST_INDENT = 24

Numbers = dict["ComputationNode", str]

_building: ContextVar[bool] = ContextVar("building", default=False)
_printing: ContextVar[Numbers | None] = ContextVar("printing", default=None)


def building() -> bool:
    """Whether results are nodes (inside `with build_graph():`) and not numbers."""
    return _building.get()


@contextmanager
def build_graph(build_graph: bool = True) -> Iterator[bool]:
    """While it lasts, `backward` returns nodes that can be differentiated once more.

    Yields the former state, and goes back to it at the end.
    """
    before = _building.get()
    token = _building.set(build_graph)
    try:
        yield before
    finally:
        _building.reset(token)


@contextmanager
def printing_graph() -> Iterator[Numbers]:
    """While it lasts, all printed trees share one numbering, so that `@[3]` reaches across them.

    Yields the numbers given so far, by node.
    """
    before = _printing.get()
    numbers: Numbers = {} if before is None else before
    token = _printing.set(numbers)
    try:
        yield numbers
    finally:
        _printing.reset(token)


def title(node: ComputationNode) -> str:
    """The kind of the node and its name, if it has one: `Leaf x`."""
    return type(node).__name__ + (f" {node.name}" if node.name else "")


def tree(root: ComputationNode, numbers: Numbers) -> str:
    """The node and all that it is computed from, one line each, inputs indented by two spaces.

    Nodes are numbered from 1 as they are printed; one met again is only referred to, `Leaf x @[3]`.
    Beyond level 24 the indentation stops and the line states its level instead, so that the text of
    a chain grows with its length and not with its square.
    """
    lines: list[str] = []
    pending = [(root, 0)]
    while pending:
        node, level = pending.pop()
        text = title(node)
        if node in numbers:
            text += f" @[{numbers[node]}]"
        else:
            numbers[node] = str(len(numbers) + 1)
            text += f" result={_brief(node.result)} gradient={_brief(node.gradient)}"
            pending.extend((child, level + 1) for child in reversed(node.input_nodes))
        lines.append(_indented(text, level))
    return "\n".join(lines)


def _brief(value: Any) -> str:
    """A value as it prints; of a gradient that is itself a node only its own line, no tree."""
    if not _is_node(value):
        return str(value)
    return (
        f"<{title(value)} result={title(value.result) if _is_node(value.result) else value.result}>"
    )


def _is_node(value: Any) -> bool:
    return hasattr(value, "input_nodes")


def _indented(text: str, level: int) -> str:
    """The text moved to its level; further lines of a matrix stand one level deeper."""
    margin = "  " * min(level, DEEPEST_INDENT)
    mark = f"[level {level}] " if level > DEEPEST_INDENT else ""
    return margin + mark + text.replace("\n", "\n" + margin + "  ")
