"""One pass along a recorded computation, whose values are known: tangents or cotangents alone."""

from __future__ import annotations

from typing import Any

from chainrule.graph import Step
from chainrule.graph.node import Edge
from chainrule.passes.reverse import reverse
from chainrule.tracing.dual import push
from chainrule.tracing.recording import Recording


class Sweeps:
    """Forward and backward passes along one recording; the function itself does not run again."""

    __slots__ = ("_recording", "_steps", "passes")

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._steps: list[Step] | None = None
        self.passes = 0

    def push(self, tangents: list[Any]) -> list[Any]:
        """The tangents of the outputs from those of the inputs; None is an absent one."""
        self.passes += 1
        recording = self._recording
        known: dict[Edge, Any] = {
            (node, 0): t for node, t in zip(recording.graph.inputs, tangents, strict=True)
        }
        for node in recording.graph.nodes:
            primitive = node.primitive
            if not primitive.records:
                continue
            ts = [
                None if i in primitive.flat_inputs else known.get(edge)
                for i, edge in enumerate(node.inputs)
            ]
            if all(t is None for t in ts):
                continue
            values = [recording.values[edge] for edge in node.inputs]
            results = tuple(recording.values[node, k] for k in range(len(node.outputs)))
            for k, t in enumerate(push(primitive, values, results, ts, node.params)):
                known[node, k] = t
        return [known.get(edge) for edge in recording.graph.outputs]

    def pull(self, cotangents: list[Any]) -> list[Any]:
        """The cotangents of the inputs from those of the outputs."""
        self.passes += 1
        recording = self._recording
        if self._steps is None:
            self._steps = list(recording.backwards())
        seeds: dict[Edge, Any] = {}
        for edge, g in zip(recording.graph.outputs, cotangents, strict=True):
            if g is not None:
                seeds[edge] = seeds[edge] + g if edge in seeds else g
        found = reverse(self._steps, seeds)
        return [found.get((node, 0)) for node in recording.graph.inputs]
