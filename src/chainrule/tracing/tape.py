"""The tape of reverse mode: operations in order, and only the values that a derivative needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from chainrule import errors
from chainrule.graph import (
    VARIABLE,
    Level,
    Node,
    Primitive,
    Spec,
    Step,
    Traced,
    constant_node,
    is_inexact,
    spec_of,
)
from chainrule.graph.node import Edge, callers_place
from chainrule.graph.primitive import INDICES, Positions
from chainrule.primitives.fit import as_array, as_input
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import by_reference, capture, next_tag

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

    A step keeps the values of inputs and outputs; None, or an empty tuple, where they are not
    needed. Its nodes do not note the user's lines, which nobody asks of a gradient that is
    computed at once; a `Recording` does. `weak` tells that a variable is a Python number, `nested`
    that values may belong to a lower level; where they do not, operations are computed directly.
    """

    __slots__ = ("nested", "separation", "steps", "weak")

    # (tape, values of a decomposition, their directions): work of `tracing/separation.py`.
    begin_separation: ClassVar[Callable[[Tape, Any, Any], None]]

    def __init__(self, title: str) -> None:
        super().__init__(next_tag(), title)
        self.separation: Any = None
        self.steps: list[Step] = []
        self.weak = False
        self.nested = False

    def variable(self, value: Any) -> Recorded:
        """A fresh copy of `value`, the variable of a differentiation (the copy gate)."""
        node = Node(VARIABLE, (), {}, (spec_of(value),), None)
        if not isinstance(value, _ARRAYS):
            self.weak = True
        if isinstance(value, Traced):
            self.nested = True
        return Recorded(self, capture(value), (node, 0))

    def varies(self, array: Traced) -> bool:
        return array.mark is not OPAQUE  # type: ignore[attr-defined]

    def constant(self, value: Any) -> Recorded:
        if isinstance(value, Traced):
            self.nested = True
        return Recorded(self, value, OPAQUE)

    def separate(self, values: Traced, separated: Any) -> None:
        if values.mark[0].primitive.form != "leaf":  # type: ignore[attr-defined]
            Tape.begin_separation(self, values, separated)

    def direction(self, array: Traced) -> Any:
        if self.separation is None or isinstance(array.value, Traced):
            return None
        return self.separation.moved.get(array.mark)  # type: ignore[attr-defined]

    def backwards(self) -> Iterator[Step]:
        """The operations, last first, each with its saved values."""
        return reversed(self.steps)

    def backwards_once(self) -> Iterator[Step]:
        """The same, letting go of every value after its use."""
        return map(list.pop, itertools.repeat(self.steps, len(self.steps)))

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        if not self.open:
            raise leak(self)
        values: list[Any] = []
        edges: list[Edge] = []
        wanted: tuple[int, ...] = ()
        for argument in arguments:
            edge = OPAQUE
            if isinstance(argument, Traced):
                alias = argument.alias
                if alias is not None and alias.root.value is not alias.seen:
                    argument.settle()
                level = argument.level
                if level is self:
                    edge = argument.mark  # type: ignore[attr-defined]
                    if edge is not OPAQUE:
                        wanted += (len(values),)
                    argument = argument.value
                elif level.tag > self.tag:
                    return level.apply(primitive, arguments, params)
                else:
                    self.nested = True
            elif self.nested:
                argument = by_reference(argument)
            values.append(argument)
            edges.append(edge)
        try:
            result = (primitive if self.nested else primitive.compute)(*values, **params)
        except PASSED_ON:
            raise
        except (ValueError, IndexError) as error:
            raise refusal(primitive, values, error) from error
        if not primitive.records:
            return result
        if primitive.flat_inputs:
            wanted = tuple([k for k in wanted if k not in primitive.flat_inputs])
        if not wanted:
            return self.constant(result) if is_inexact(result) else result
        several = type(result) is tuple
        if several:
            specs = tuple([spec_of(y) for y in result])
        else:
            specs = (spec_of(result),)
            kind = specs[0].dtype.kind
            if kind not in "fc":
                if kind == "O":
                    raise objects(primitive)
                return result
        saves = primitive.saves_for.get(wanted) or primitive.saves(wanted)
        xs: tuple[Any, ...] = ()
        if len(wanted) == len(values):  # so all are floating, and none is from outside
            if not saves.nothing:
                if saves.whole and not self.weak:
                    xs = tuple(values)
                else:
                    xs = _captured(primitive, saves.inputs, values, edges, specs[0].dtype)
        else:
            if not saves.no_input:
                xs = _captured(primitive, saves.inputs, values, edges, specs[0].dtype)
            if primitive.uses_shapes:
                edges = _with_shapes(edges, values)
        ys: tuple[Any, ...] = ()
        if not saves.no_output:
            ys = tuple([as_array(y) for y in (result if several else (result,))])
        node = Node(primitive, tuple(edges), params, specs)
        self.steps.append((node, wanted, xs, ys))
        if self.separation is not None:
            self.separation.follow(node, values, result)
        if not several:
            return Recorded(self, result, (node, 0))
        return tuple(
            [Recorded(self, y, (node, k)) if is_inexact(y) else y for k, y in enumerate(result)]
        )


def _captured(
    primitive: Primitive,
    kept: Positions,
    values: list[Any],
    edges: list[Edge],
    dtype: np.dtype[Any],
) -> tuple[Any, ...]:
    """The values at the positions `kept`; those from outside safe from later writes."""
    found: list[Any] = [None] * len(values)
    for k, value in enumerate(values):
        if kept is None or k in kept or (kept is INDICES and not is_inexact(value)):
            if type(value) is float and dtype.kind == "f":
                found[k] = dtype.type(value)
                continue
            value = as_input(primitive, value, dtype)
            found[k] = capture(value) if edges[k] is OPAQUE else value
    return tuple(found)


def _with_shapes(edges: list[Edge], values: list[Any]) -> list[Edge]:
    """Edges that tell the shapes of operands from outside too."""
    return [
        (constant_node(None, spec_of(as_array(value))), 0) if edge is OPAQUE else edge
        for edge, value in zip(edges, values, strict=True)
    ]
