"""One specialisation of a compiled function: traced once, run for every call that it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import Graph, Guard, Traced
from chainrule.graph.fingerprint import fingerprint
from chainrule.graph.node import Edge
from chainrule.passes.cut import Piece, cut
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import Running
from chainrule.tracing.outside import Outside
from chainrule.tracing.specialising import PREDICATES, Foreign, Specialising
from chainrule.transforms.arguments import put_together, taken_apart
from chainrule.transforms.backends import Form, Runnable
from chainrule.transforms.signature import Call
from chainrule.transforms.surroundings import Surroundings

SMALL_NODES, SMALL_ENTRIES = 20, 4096


class Miss(NamedTuple):
    """A guard that did not hold, and what was observed up to it."""

    guard: Guard
    observed: tuple[Any, ...]


class Trace(NamedTuple):
    """What tracing a function found: the graph, the form of its result, its surroundings."""

    graph: Graph
    results: tuple[tuple[str, Any], ...]
    treedef: Any
    surroundings: Surroundings
    fingerprint: str


def trace_call(
    function: Callable[..., Any], call: Call, names: list[str], free: frozenset[int]
) -> Trace:
    """Run `function` once on the arguments of `call`, recording. Raises Foreign, see there."""
    statics = [leaf for k, leaf in enumerate(call.leaves) if k not in call.dynamic]
    outside = Outside(function, tuple(s for s in statics if hasattr(s, "__dict__")))
    if outside.is_traced:
        raise Foreign
    level = Specialising(outside)
    with Running(level):
        inputs = [
            level.variable(leaf, names[k])
            for k, leaf in zip(call.dynamic, call.arrays, strict=True)
        ]
        args, kwargs = call.with_inputs(inputs)
        outs, treedef = taken_apart(function(*args, **kwargs))
        results = tuple(_result(level, out) for out in outs)
        level.check_generators()
        level.check_writes()
    hidden = list(level.hidden.values())
    level.graph.inputs += [h.node for h in hidden]
    surroundings = Surroundings(outside, hidden, level.taken, free)
    return Trace(level.graph, results, treedef, surroundings, fingerprint(level.graph))


def _result(level: Specialising, out: Any) -> tuple[str, Any]:
    """How one leaf of the result is made: of an output of the graph, or as it is."""
    if isinstance(out, np.ndarray | np.generic) and out.dtype.kind in "biufc":
        out = level.constant(out)
    if not isinstance(out, Traced):
        return "static", out
    if not (isinstance(out, Recorded) and out.level is level):
        raise Foreign
    level.graph.outputs.append(out.mark)
    if isinstance(out.value, np.ndarray):
        return "array", None
    return ("scalar" if isinstance(out.value, np.generic) else "number"), None


class Specialisation:
    """A trace made ready to run: pieces that end in guards, and the piece that gives the result."""

    def __init__(
        self,
        trace: Trace,
        call: Call,
        prepare: Callable[[Graph, bool], Runnable],
        finish: Callable[[Graph, Form | None], Runnable],
        form: Form | None,
    ) -> None:
        self.trace = trace
        self.call = call
        self.observed = tuple(guard.observed for guard in trace.graph.guards)
        self._inputs: list[Edge] = [(node, 0) for node in trace.graph.inputs]
        self._arrays_only = all(kind == "array" for kind, _ in trace.results)
        self.pieces: list[tuple[Piece, Runnable | None]] = []
        self._last: Piece | None = None
        if not trace.graph.guards:
            self.runnable = finish(trace.graph, form)
            return
        pieces, self._last = cut(trace.graph)
        for piece in pieces:
            ready = prepare(piece.graph, is_small(piece)) if piece.gives else None
            self.pieces.append((piece, ready))
        self.runnable = finish(self._last.graph, None)

    @property
    def entry(self) -> Callable[..., Any] | None:
        """The native function of the user's own arguments, followed by the hidden inputs."""
        return self.runnable.entry

    def run(self, arrays: list[Any]) -> list[Any] | Miss:
        """The outputs, or the first guard that does not hold; nothing is written before that."""
        inputs = arrays + self.trace.surroundings.arrays()
        if self._last is None:
            return self.runnable(inputs)
        values = dict(zip(self._inputs, inputs, strict=True))
        position = 0
        for piece, prepared in self.pieces:
            if prepared is not None:
                found = prepared([values[edge] for edge in piece.reads])
                values.update(zip(piece.gives, found, strict=True))
            for guard in piece.guards:
                now = PREDICATES[guard.kind](values[guard.edge])
                if now != guard.observed:
                    return Miss(guard, (*self.observed[:position], now))
                position += 1
        return self.runnable([values[edge] for edge in self._last.reads])

    def result(self, outputs: list[Any]) -> Any:
        """The result of the function, in its own form, from the outputs of the graph."""
        if self._arrays_only and self.trace.treedef is None:
            return outputs[0]
        remaining = iter(outputs)
        leaves = []
        for kind, value in self.trace.results:
            if kind == "static":
                leaves.append(value)
                continue
            out = next(remaining)
            if kind == "number":
                out = out.item() if hasattr(out, "item") else out
            elif kind == "scalar":
                out = out[()] if isinstance(out, np.ndarray) else out
            elif not isinstance(out, np.ndarray):
                out = np.asarray(out)
            leaves.append(out)
        return put_together(self.trace.treedef, leaves)

    def runnables(self) -> list[Runnable]:
        """All that is run, in order."""
        return [r for _, r in self.pieces if r is not None] + [self.runnable]

    def fits(self, observed: tuple[Any, ...]) -> bool:
        """Whether the guards begin with these observations."""
        return len(self.observed) >= len(observed) and (self.observed[: len(observed)] == observed)


def is_small(piece: Piece) -> bool:
    """Whether a piece that ends in guards is not worth native code, or can change shapes."""
    if any(guard.kind == "shape" for guard in piece.guards):
        return True
    entries = sum(
        int(np.prod(spec.shape, dtype=int)) for node in piece.graph.nodes for spec in node.outputs
    )
    return len(piece.graph.nodes) <= SMALL_NODES and entries <= SMALL_ENTRIES
