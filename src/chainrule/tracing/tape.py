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
    Saved,
    Spec,
    Traced,
    constant_node,
    is_inexact,
    spec_of,
)
from chainrule.graph.node import Edge, callers_place
from chainrule.graph.primitive import INDICES, Positions
from chainrule.primitives.fit import as_array, as_input
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import capture, next_tag

OPAQUE: Edge = (constant_node(None, Spec((), np.dtype(np.float64))), 0)
"""What a tape notes for an operand from outside: it is never differentiated."""


PASSED_ON = (errors.ChainruleError, np.linalg.LinAlgError)
"""Errors that keep their class: ours, and the one that code with a singular matrix catches."""


def evaluate(primitive: Primitive, values: list[Any], params: dict[str, Any]) -> Any:
    """Carry out an operation one level down; a refusal of NumPy names the user's line."""
    try:
        return primitive(*values, **params)
    except PASSED_ON:
        raise
    except (ValueError, IndexError) as error:
        raise refusal(primitive, values, error) from error


def refusal(primitive: Primitive, values: list[Any], error: Exception) -> errors.ShapeError:
    """The sentence for shapes or values that NumPy refused."""
    shapes = ", ".join(str(spec_of(v)) if hasattr(v, "shape") else repr(v) for v in values)
    return errors.ShapeError(
        f"{primitive.name} at {callers_place()} does not fit its inputs {shapes}: {error}"
    )


def objects(primitive: Primitive) -> errors.ConversionError:
    return errors.ConversionError(
        f"{primitive.name} at {callers_place()} meets Python objects that are no NumPy numbers, "
        "which cannot carry a derivative: make them floats first, x.astype(float) or float(x)"
    )


def leak(level: Level) -> errors.LeakError:
    return errors.LeakError(
        f"a traced value of a {level.title} that has returned is used at {callers_place()}; "
        "return it from the differentiated function (value_grad_and_aux returns extra results), "
        "or keep stop_gradient(x) instead"
    )


_ARRAYS = (np.ndarray, np.generic)


class Tape(Level):
    """Records what depends on its variables, and for each operation what its pullback will read.

    A step is a node with its saved values (inputs, outputs); None, or an empty tuple, where they
    are not needed. Its nodes do not note the user's lines, which nobody asks of a gradient that is
    computed at once; a `Recording` does. `weak` tells that a variable is a Python number.
    """

    __slots__ = ("steps", "weak")

    def __init__(self, title: str) -> None:
        super().__init__(next_tag(), title)
        self.steps: list[tuple[Node, Saved]] = []
        self.weak = False

    def variable(self, value: Any) -> Recorded:
        """A fresh copy of `value`, the variable of a differentiation (the copy gate)."""
        node = Node(VARIABLE, (), {}, (spec_of(value),), None)
        if not isinstance(value, _ARRAYS):
            self.weak = True
        return Recorded(self, capture(value), (node, 0))

    def constant(self, value: Any) -> Recorded:
        return Recorded(self, value, OPAQUE)

    def backwards(self) -> Iterator[tuple[Node, Saved]]:
        """The operations, last first, each with its saved values."""
        return reversed(self.steps)

    def backwards_once(self) -> Iterator[tuple[Node, Saved]]:
        """The same, letting go of every value after its use."""
        while self.steps:
            yield self.steps.pop()

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        if not self.open:
            raise leak(self)
        values = list(arguments)
        edges = [OPAQUE] * len(values)
        wanted: list[int] = []
        nested = False
        for k, argument in enumerate(arguments):
            if isinstance(argument, Traced):
                alias = argument.alias
                if alias is not None and alias.root.value is not alias.seen:
                    argument.settle()
                level = argument.level
                if level is self:
                    values[k] = value = argument.value
                    edges[k] = edge = argument.mark  # type: ignore[attr-defined]
                    if isinstance(value, Traced):
                        nested = True
                    if edge is not OPAQUE and k not in primitive.flat_inputs:
                        wanted.append(k)
                elif level.tag > self.tag:
                    return level.apply(primitive, arguments, params)
                else:
                    nested = True
        try:
            result = (primitive if nested else primitive.compute)(*values, **params)
        except PASSED_ON:
            raise
        except (ValueError, IndexError) as error:
            raise refusal(primitive, values, error) from error
        if not primitive.records:
            return result
        if not wanted:
            return self.constant(result) if is_inexact(result) else result
        saved = self._saved(primitive, wanted, values, edges, result)
        if primitive.uses_shapes and len(wanted) < len(values):
            edges = _with_shapes(edges, values)
        if isinstance(result, tuple):
            node = Node(primitive, tuple(edges), params, tuple([spec_of(y) for y in result]))
            self.steps.append((node, saved))
            return tuple(
                [Recorded(self, y, (node, k)) if is_inexact(y) else y for k, y in enumerate(result)]
            )
        spec = spec_of(result)
        if spec.dtype.kind not in "fc":
            if spec.dtype.kind == "O":
                raise objects(primitive)
            return result
        node = Node(primitive, tuple(edges), params, (spec,))
        self.steps.append((node, saved))
        return Recorded(self, result, (node, 0))

    def _saved(
        self,
        primitive: Primitive,
        wanted: list[int],
        values: list[Any],
        edges: list[Edge],
        result: Any,
    ) -> Saved:
        """The values that the derivatives for the inputs `wanted` will read."""
        saves = primitive.saves(tuple(wanted))
        all_wanted = len(wanted) == len(values)  # so all are floating, and none is from outside
        if saves.no_input or (all_wanted and saves.inputs is INDICES):
            xs: tuple[Any, ...] = ()
        elif all_wanted and saves.every_input and not self.weak:
            xs = tuple(values)
        else:
            xs = _captured(primitive, saves.inputs, values, edges, result)
        if saves.no_output:
            return wanted, xs, ()
        results = result if isinstance(result, tuple) else (result,)
        return wanted, xs, tuple([as_array(y) for y in results])


def _captured(
    primitive: Primitive, kept: Positions, values: list[Any], edges: list[Edge], result: Any
) -> tuple[Any, ...]:
    """The values at the positions `kept`; those from outside safe from later writes."""
    found: list[Any] = [None] * len(values)
    dtype = spec_of(result[0] if isinstance(result, tuple) else result).dtype
    for k, value in enumerate(values):
        if kept is None or k in kept or (kept is INDICES and not is_inexact(value)):
            value = as_input(primitive, value, dtype)
            found[k] = capture(value) if edges[k] is OPAQUE else value
    return tuple(found)


def _with_shapes(edges: list[Edge], values: list[Any]) -> list[Edge]:
    """Edges that tell the shapes of operands from outside too."""
    return [
        (constant_node(None, spec_of(as_array(value))), 0) if edge is OPAQUE else edge
        for edge, value in zip(edges, values, strict=True)
    ]
