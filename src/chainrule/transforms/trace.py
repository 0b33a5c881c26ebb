"""From a function to its graph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from chainrule.graph import Graph
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import Running
from chainrule.tracing.recording import Recording
from chainrule.transforms.arguments import Arguments, taken_apart


def record(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, names: list[str | None] | None = None
) -> Recording:
    """Run `f` once and keep its graph and all values; every floating leaf is an input."""
    arguments = Arguments("trace", args, tuple(range(len(args))))
    level = Recording("trace")
    labels: list[Any] = list(names) if names is not None else [None] * len(arguments.leaves)
    with Running(level, keeps=True):
        variables = [
            level.variable(leaf, name) for leaf, name in zip(arguments.leaves, labels, strict=True)
        ]
        outs, _ = taken_apart(f(*arguments.replaced(variables), **kwargs))
        for out in outs:
            if not (isinstance(out, Recorded) and out.level is level):
                out = level.constant(out)
            level.graph.outputs.append(out.mark)
    return level


def trace(f: Callable[..., Any]) -> Callable[..., Graph]:
    """`trace(f)(*args)` is the graph of the operations that `f` carries out on `args`.

    >>> graph = trace(lambda x: x * x + 1.0)(3.0)
    >>> [node.primitive.name for node in graph.nodes]
    ['multiply', 'add']
    """

    @functools.wraps(f)
    def traced(*args: Any, **kwargs: Any) -> Graph:
        return record(f, args, kwargs).graph

    return traced
