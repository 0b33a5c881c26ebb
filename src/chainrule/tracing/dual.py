"""Dual numbers: forward mode that flows through the code in constant extra memory.

a + ḃ ε  with ε² = 0:   f(a + ȧ ε) = f(a) + f'(a) ȧ ε
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.graph import Level, Node, Primitive, is_inexact, spec_of
from chainrule.graph.traced import Traced, owner
from chainrule.primitives.fit import as_array, as_input, fit_tangent
from chainrule.tracing.array import TracedArray
from chainrule.tracing.levels import by_reference, innermost, next_tag
from chainrule.tracing.tape import evaluate, leak, objects


class DualLevel(Level):
    """Carries a tangent beside every value; None is a tangent that is structurally zero."""

    __slots__ = ("by_hand",)

    def __init__(self, title: str, *, by_hand: bool = False) -> None:
        super().__init__(next_tag(), title)
        self.by_hand = by_hand

    def varies(self, array: Traced) -> bool:
        assert isinstance(array, Dual)
        return array.mark is not None

    def constant(self, value: Any) -> Dual:
        return Dual.of(self, value, None)

    def direction(self, array: Traced) -> Any:
        assert isinstance(array, Dual)
        plain = not isinstance(array.value, Traced) and not isinstance(array.mark, Traced)
        return array.mark if plain else None

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        level = owner(arguments)
        if level is not self:
            return level.apply(primitive, arguments, params)
        if not self.open:
            raise leak(self)
        values: list[Any] = []
        tangents: list[Any] = []
        own = False
        for argument in arguments:
            if isinstance(argument, Dual) and argument.level is self:
                own = True
                values.append(argument.value)
                wanted = argument.mark is not None and primitive.records
                wanted = wanted and len(tangents) not in primitive.flat_inputs
                tangents.append(argument.mark if wanted else None)
            else:
                values.append(by_reference(argument))
                tangents.append(None)
        result = evaluate(primitive, values, params)
        if not primitive.records:
            return result
        several = isinstance(result, tuple)
        if not several and spec_of(result).dtype.kind == "O":
            raise objects(primitive)
        results = result if several else (result,)
        if any(t is not None for t in tangents):
            moved = push(primitive, values, results, tangents, params)
        elif own:
            moved = [None] * len(results)
        else:
            return result
        duals = tuple(
            Dual.of(self, y, t) if is_inexact(y) else y for y, t in zip(results, moved, strict=True)
        )
        return duals if several else duals[0]


def push(
    primitive: Primitive,
    values: list[Any],
    results: tuple[Any, ...],
    tangents: list[Any],
    params: dict[str, Any],
) -> list[Any]:
    """The tangents of the results of one operation."""
    dtype = spec_of(results[0]).dtype
    xs = tuple(as_input(primitive, value, dtype) for value in values)
    ys = tuple(as_array(y) for y in results)
    inputs = tuple((Node(primitive, (), {}, (spec_of(x),)), 0) for x in xs)
    node = Node(primitive, inputs, params, tuple(spec_of(y) for y in ys))
    with np.errstate(all="ignore"):
        moved = primitive.push(node, xs, ys, tangents)
        return [
            None if t is None else fit_tangent(t, spec)
            for t, spec in zip(moved, node.outputs, strict=True)
        ]


class Dual(TracedArray):
    """A value and its tangent.

    >>> def f(x): return x * x + 1.0
    >>> f(Dual(3.0, 1.0))
    Dual(10.0, 6.0)
    >>> value, slope = f(Dual(3.0, 1.0))

    Numbers built by hand share one perturbation; where differentiations nest, use `jvp`, which
    gives each its own.
    """

    __slots__ = ()

    def __init__(self, value: Any, tangent: Any = 0.0) -> None:
        value, tangent = (
            np.asarray(v) if isinstance(v, list | tuple) else v for v in (value, tangent)
        )
        if not is_inexact(value):
            value = np.asarray(value, float)[()] if not isinstance(value, Traced) else value
        if np.shape(tangent) != np.shape(value):
            tangent = np.broadcast_to(tangent, np.shape(value))
        super().__init__(_by_hand(value), value, tangent)

    @classmethod
    def of(cls, level: Level, value: Any, tangent: Any) -> Dual:
        """A dual number of a running transform."""
        self = cls.__new__(cls)
        TracedArray.__init__(self, level, value, tangent)
        return self

    def snapshot(self) -> Dual:
        self.settle()
        return Dual.of(self.level, self.value, self.mark)

    @property
    def tangent(self) -> Any:
        """The tangent; zeros where it is structurally zero."""
        self.settle()
        return np.zeros(self.shape, self.dtype)[()] if self.mark is None else self.mark

    def __iter__(self) -> Iterator[Any]:
        if self.shape or not self.level.by_hand:  # type: ignore[attr-defined]
            return super().__iter__()  # inside a transform a scalar cannot be unpacked, as in NumPy
        return iter((self.value, self.tangent))

    def __repr__(self) -> str:
        return f"Dual({_text(self.value)}, {_text(self.tangent)})"


def _text(value: Any) -> str:
    return str(value) if np.ndim(value) == 0 else np.array2string(np.asarray(value))


_outermost: dict[int, DualLevel] = {}


def _by_hand(value: Any) -> DualLevel:
    """The level of dual numbers made by hand: above all that their values belong to.

    There is one for each running transform and depth of nesting.
    """
    depth = 0
    inner = value
    while isinstance(inner, Dual):
        depth, inner = depth + 1, inner.value
    running = innermost()
    if running is not None and running.standing is None:
        running.standing = {}
    levels = _outermost if running is None else running.standing
    if depth not in levels:
        levels[depth] = DualLevel("dual number", by_hand=True)
    return levels[depth]
