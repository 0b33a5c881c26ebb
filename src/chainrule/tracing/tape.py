"""The tape of reverse mode: operations in order, and only the values that a derivative needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import (
    VARIABLE,
    Level,
    Node,
    Primitive,
    Spec,
    constant_node,
    is_inexact,
    spec_of,
)
from chainrule.graph.node import Edge, callers_place
from chainrule.primitives.fit import as_array
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import capture, next_tag

Saved = tuple[tuple[Any, ...], tuple[Any, ...]]

OPAQUE: Edge = (constant_node(None, Spec((), np.dtype(np.float64))), 0)
"""What a tape notes for an operand from outside: it is never differentiated."""


def evaluate(level: Level, primitive: Primitive, values: list[Any], params: dict[str, Any]) -> Any:
    """Carry out the operation one level below `level`; a refusal of NumPy names the user's line."""
    if not level.open:
        raise _leak(level)
    try:
        return primitive(*values, **params)
    except errors.ChainruleError:
        raise
    except (ValueError, IndexError) as error:
        shapes = ", ".join(str(spec_of(v)) if hasattr(v, "shape") else repr(v) for v in values)
        raise errors.ShapeError(
            f"{primitive.name} at {callers_place()} does not fit its inputs {shapes}: {error}"
        ) from error


def _leak(level: Level) -> errors.LeakError:
    return errors.LeakError(
        f"a traced value of a {level.title} that has returned is used at {callers_place()}; "
        "return it from the differentiated function (value_grad_and_aux returns extra results), "
        "or keep stop_gradient(x) instead"
    )


class Tape(Level):
    """Records what depends on its variables, and for each operation what its pullback will read.

    `nodes[k]` was recorded with the values `saved[k]` = (inputs, outputs), None where not needed.
    """

    __slots__ = ("nodes", "saved")

    def __init__(self, title: str) -> None:
        super().__init__(next_tag(), title)
        self.nodes: list[Node] = []
        self.saved: list[Saved] = []

    def variable(self, value: Any) -> Recorded:
        """A fresh copy of `value`, the variable of a differentiation (the copy gate)."""
        node = Node(VARIABLE, (), {}, (spec_of(value),), None)
        return Recorded(self, capture(value), (node, 0))

    def constant(self, value: Any) -> Recorded:
        return Recorded(self, value, OPAQUE)

    def backwards(self) -> Iterator[tuple[Node, Saved]]:
        """The operations, last first, each with its saved values."""
        return zip(reversed(self.nodes), reversed(self.saved), strict=True)

    def backwards_once(self) -> Iterator[tuple[Node, Saved]]:
        """The same, letting go of every value after its use."""
        while self.nodes:
            yield self.nodes.pop(), self.saved.pop()

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        values: list[Any] = []
        edges: list[Edge] = []
        wanted: list[int] = []
        own = False
        for argument in arguments:
            if isinstance(argument, Recorded) and argument.level is self:
                own = True
                edge = argument.mark
                wanted_here = edge is not OPAQUE and primitive.records
                if wanted_here and primitive.differentiable(len(edges), params):
                    wanted.append(len(edges))
                edges.append(edge)
                values.append(argument.value)
            else:
                edges.append(OPAQUE)
                values.append(argument)
        result = evaluate(self, primitive, values, params)
        if not primitive.records:
            return result
        if not wanted:
            return self.constant(result) if own and is_inexact(result) else result
        return self._record(primitive, arguments, values, edges, params, wanted, result)

    def _record(
        self,
        primitive: Primitive,
        arguments: tuple[Any, ...],
        values: list[Any],
        edges: list[Edge],
        params: dict[str, Any],
        wanted: list[int],
        result: Any,
    ) -> Any:
        several = isinstance(result, tuple)
        results = result if several else (result,)
        keep_inputs, keep_outputs = primitive.saves(tuple(wanted))
        inputs: list[Any] = []
        for k, value in enumerate(values):
            if keep_inputs is not None and k not in keep_inputs:
                inputs.append(None)
            elif edges[k] is OPAQUE:
                inputs.append(capture(as_array(value)))
            else:
                inputs.append(as_array(value))
        outputs = tuple(
            [
                as_array(y) if keep_outputs is None or k in keep_outputs else None
                for k, y in enumerate(results)
            ]
        )
        if primitive.uses_shapes:
            edges = [
                (constant_node(None, spec_of(as_array(value))), 0) if edge is OPAQUE else edge
                for edge, value in zip(edges, values, strict=True)
            ]
        specs = tuple([spec_of(y) for y in results])
        node = Node(primitive, tuple(edges), params, specs, callers_place())
        traced = [
            Recorded(self, y, (node, k)) if is_inexact(y) else y for k, y in enumerate(results)
        ]
        if any(type(y) is Recorded for y in traced):
            self.nodes.append(node)
            self.saved.append((tuple(inputs), outputs))
        return tuple(traced) if several else traced[0]
