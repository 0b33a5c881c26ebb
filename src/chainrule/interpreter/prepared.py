"""A graph made ready to run often with NumPy: what is read where is found out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import CONSTANT, Graph, Primitive
from chainrule.graph.node import Edge


class _Step(NamedTuple):
    primitive: Primitive
    params: dict[str, Any]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    frees: tuple[int, ...]


class Prepared:
    """Runs a graph on plain arrays, one operation after the other; results share no memory."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.entry: Callable[..., Any] | None = None  # native programs have one
        self._first: list[Any] = [None] * len(graph.inputs)
        places: dict[Edge, int] = {(node, 0): k for k, node in enumerate(graph.inputs)}

        def place(edge: Edge) -> int:
            if edge not in places:
                places[edge] = len(self._first)
                is_constant = edge[0].primitive is CONSTANT
                self._first.append(edge[0].params["value"] if is_constant else None)
            return places[edge]

        last: dict[int, int] = {}
        steps = []
        for position, node in enumerate(graph.nodes):
            reads = tuple(place(edge) for edge in node.inputs)
            writes = tuple(place((node, k)) for k in range(len(node.outputs)))
            last.update(dict.fromkeys(reads, position))
            steps.append((node, reads, writes))
        self._outputs = tuple(place(edge) for edge in graph.outputs)
        kept = set(self._outputs)
        self._steps = [
            _Step(
                node.primitive,
                node.params,
                reads,
                writes,
                tuple(k for k in dict.fromkeys(reads) if last[k] == position and k not in kept),
            )
            for position, (node, reads, writes) in enumerate(steps)
        ]

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs for the inputs, in the order of the graph's."""
        values = list(self._first)
        values[: len(inputs)] = inputs
        with np.errstate(all="ignore"):  # as native code, which warns of nothing
            for step in self._steps:
                result = step.primitive.compute(*[values[k] for k in step.reads], **step.params)
                if len(step.writes) == 1 and type(result) is not tuple:
                    values[step.writes[0]] = result
                else:
                    for k, y in zip(step.writes, result, strict=True):
                        values[k] = y
                for k in step.frees:
                    values[k] = None
        return [_own(values[k]) for k in self._outputs]


def _own(y: Any) -> Any:
    """An output as an array of its own; NumPy may have made it as a view of another."""
    return y.copy() if isinstance(y, np.ndarray) and y.base is not None else y
