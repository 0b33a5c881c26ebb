"""Loops as one operation: only the carries are kept, each step is computed again going back.

    c₁, y₀ = f(c₀, x₀);   c₂, y₁ = f(c₁, x₁);   …

Backwards:  (c̄ₖ, x̄ₖ, θ̄ += …) = the pullback of f at (cₖ, xₖ, θ), applied to (c̄ₖ₊₁, ȳₖ).

That is a loop of the same kind, running the other way, and so is forward mode: both are the same
operation again, which is how loops nest and have derivatives of every order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Node, Place, Primitive, Spec, Traced, spec_of
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import Saves
from chainrule.transforms.loop_rules import Backwards, forwards

Leaves = list[Any]
Step = Callable[[Leaves, Leaves, Leaves], tuple[Leaves, Leaves]]
"""(carry, x, constants) ↦ (next carry, y), all as lists of arrays."""


class Loop:
    """What is done at each step, how often, and in which order.

    A loop has `carries` leaves that go from step to step, `rows` leaves of which step k reads row
    k, and constants. `keeps` tells that the carry before each step is wanted too.
    """

    __slots__ = (
        "carries",
        "condition",
        "keeps",
        "length",
        "place",
        "reverse",
        "rows",
        "step",
        "title",
    )

    def __init__(
        self,
        title: str,
        step: Step,
        *,
        carries: int,
        rows: int,
        length: int | None,
        place: Place,
        condition: Callable[[Leaves, Leaves], bool] | None = None,
        keeps: bool = False,
        reverse: bool = False,
    ) -> None:
        self.title = title
        self.step = step
        self.carries = carries
        self.rows = rows
        self.length = length
        self.place = place
        self.condition = condition
        self.keeps = keeps
        self.reverse = reverse

    def __repr__(self) -> str:
        return self.title

    def split(self, leaves: Any) -> tuple[Leaves, Leaves, Leaves]:
        """Carry, rows and constants."""
        leaves, first = list(leaves), self.carries
        return leaves[:first], leaves[first : first + self.rows], leaves[first + self.rows :]

    def goes_on(self, count: int, carry: Leaves, constants: Leaves) -> bool:
        """Whether there is one more step after `count` of them."""
        if self.condition is not None:
            return self.condition(carry, constants)
        return self.length is not None and count < self.length

    def length_of(self, kept: Any) -> int:
        """How many steps were taken, of which these are the carries."""
        return int(kept[0].shape[0]) if self.length is None else self.length

    def place_of(self, count: int) -> int:
        """The row that step `count` reads."""
        return (self.length or 0) - 1 - count if self.reverse else count

    def rows_at(self, count: int, rows: Leaves) -> Leaves:
        """What step `count` reads, in copies: it may write into them."""
        place = self.place_of(count)
        return [np.array(row[place])[()] for row in rows]

    def flat_step(self, leaves: Leaves) -> tuple[Any, ...]:
        """One step as a function of one list to one list."""
        carry, y = self.step(*self.split(leaves))
        return (*carry, *y)

    def beside(
        self,
        step: Step,
        leaves: tuple[Leaves, Leaves, Leaves],
        length: int,
        *,
        reverse: bool,
        keeps: bool = False,
    ) -> tuple[Any, ...]:
        """What a loop with another step gives for other carries, rows and constants."""
        carry, rows, constants = leaves
        loop = Loop(
            self.title,
            step,
            carries=len(carry),
            rows=len(rows),
            length=length,
            place=self.place,
            keeps=keeps,
            reverse=reverse,
        )
        return loop.run([*carry, *rows, *constants])

    def run(self, leaves: Leaves) -> tuple[Any, ...]:
        """Carry and outputs; after them the carries, where a derivative will read them."""
        self.keeps = self.keeps or any(isinstance(leaf, Traced) for leaf in leaves)
        found: tuple[Any, ...] = looped(*leaves, loop=self)
        return found


def _run(*leaves: Any, loop: Loop) -> tuple[Any, ...]:
    """Final carry, outputs of all steps stacked, and the carry before each step, stacked."""
    carry, rows, constants = loop.split(leaves)
    carry = [np.array(c)[()] for c in carry]  # the step may write into it
    specs = [spec_of(c) for c in carry]
    kept = _Stacks(specs if loop.keeps else [], loop.length)
    outs: list[Leaves] = []
    while loop.goes_on(len(outs), carry, constants):
        kept.add(loop.place_of(len(outs)), carry)
        carry, y = loop.step(carry, loop.rows_at(len(outs), rows), constants)
        _check(loop, specs, carry, y)
        outs.append(y)
    if loop.reverse:
        outs.reverse()
    if outs:
        ys = [np.stack(column) for column in zip(*outs, strict=True)]
    else:  # their shapes are those of a step that is not taken
        blank = [np.zeros(r.shape[1:], r.dtype)[()] for r in rows]
        _, y = loop.step(carry, blank, constants)
        ys = [np.zeros((0, *np.shape(out)), spec_of(out).dtype) for out in y]
    return (*carry, *ys, *kept.arrays())


class _Stacks:
    """The carries before each step; allocated at once where the number of steps is known."""

    def __init__(self, specs: list[Spec], length: int | None) -> None:
        self._specs = specs
        self._ready: Leaves | None = None
        self._found: list[Leaves] = []
        if length is not None:
            self._ready = [np.empty((length, *spec.shape), spec.dtype) for spec in specs]

    def add(self, place: int, carry: Leaves) -> None:
        if self._ready is None:
            self._found.append([np.array(c) for c in carry] if self._specs else [])
            return
        for stack, c in zip(self._ready, carry, strict=False):
            stack[place] = c

    def arrays(self) -> Leaves:
        if self._ready is not None:
            return self._ready
        count = len(self._found)
        stacks = [np.empty((count, *spec.shape), spec.dtype) for spec in self._specs]
        for place, carry in enumerate(self._found):
            for stack, c in zip(stacks, carry, strict=False):
                stack[place] = c
        return stacks


def _check(loop: Loop, specs: list[Any], carry: Leaves, y: Leaves) -> None:
    if any(isinstance(leaf, Traced) for leaf in (*carry, *y)):
        raise errors.InputError(
            f"{loop.title} at {callers_place()} reads a value of the running derivative that the "
            "function of the step does not hold itself (a global, say); "
            "make it a part of the carry"
        )
    for spec, c in zip(specs, carry, strict=True):
        if spec_of(c) != spec:
            raise errors.StructureError(
                f"{loop.title} at {callers_place()}: a leaf of the carry begins as {spec} and is "
                f"{spec_of(c)} after a step; it has to stay the same, so begin with that"
            )


class Looped(Primitive):
    """A whole loop as one operation."""

    __slots__ = ()
    form = "call"

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        return Saves(None, None)

    def pulls(
        self,
        node: Node,
        wanted: Sequence[int],
        xs: tuple[Any, ...],
        ys: tuple[Any, ...],
        gs: list[Any],
    ) -> list[Any]:
        # The reverse pass hands conjugates to plain transposes; a pullback is an adjoint already.
        loop: Loop = node.params["loop"]
        gs = [None if g is None else np.conjugate(g) for g in gs]
        return [np.conjugate(g) for g in Backwards(loop, wanted, xs, ys).run(gs)]

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        return forwards(node.params["loop"], xs, ys, ts)


looped = Looped(
    "loop",
    compute=_run,
    inputs=None,
    latex=r"\operatorname{{loop}}({x})",
    note="runs the user's function at each step",
)
