"""Equal values of a decomposition, separated by an infinitesimal ε while a tape runs.

The values of the tape stay as they are. For those that follow the decomposition their derivatives
by ε are noted too, and the walk backwards then computes with pairs, until it arrives at the
decomposition, whose limit takes the pairs apart again (`primitives/limits.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.graph import Node, Step, Traced
from chainrule.graph.node import Edge
from chainrule.primitives.limits import Separated, warn
from chainrule.tracing.dual import Dual, DualLevel, push
from chainrule.tracing.tape import Tape

_INCOMMENSURATE = 0.7390851332151607
"""A factor under which no direction of the second decomposition cancels one of the first."""


class Separation:
    """What one tape knows about ε: derivatives of its values, and the decompositions."""

    __slots__ = ("decomposed", "level", "moved")

    def __init__(self) -> None:
        self.level = DualLevel("separation of equal values")
        self.moved: dict[Edge, Any] = {}
        self.decomposed: dict[Node, tuple[int, Separated]] = {}

    def begin(self, edge: Edge, separated: Separated) -> None:
        """The values of `edge` separate.

        Where the matrix follows another decomposition and so moves with ε itself, its vectors were
        chosen to move smoothly (`direction`), and its values move by that and by directions of
        their own, which separate what the first ones leave together.
        """
        node, which = edge
        moved = self.moved.get(edge)
        if moved is not None:
            largest = np.max(np.abs(moved), initial=0.0)
            own = separated.directions * (_INCOMMENSURATE * (largest if largest > 0 else 1))
            separated = separated._replace(directions=moved + own)
        self.decomposed[node] = which, separated
        self.moved[edge] = separated.directions

    def follow(self, node: Node, values: list[Any], result: Any) -> None:
        """Derivatives by ε of the results of an operation."""
        tangents = [self.moved.get(edge) for edge in node.inputs]
        if all(t is None for t in tangents):
            return
        results = result if isinstance(result, tuple) else (result,)
        try:
            found = push(node.primitive, values, results, tangents, node.params)
        except UnsupportedError:
            self._give_up(node)
            return
        for k, t in enumerate(found):
            if t is not None:
                self.moved[node, k] = t

    def _give_up(self, node: Node) -> None:
        """A rule of the user's, for reverse mode alone, does not tell how its result moves."""
        for decomposed, (_, separated) in self.decomposed.items():
            warn(
                f"{decomposed.primitive.name} at {separated.place} has equal values, and "
                f"{node.primitive.name}, which follows, has no rule for forward mode: what the "
                "derivative needs of it within the span of equal values counts as 0",
                separated.place,
            )
        self.moved.clear()
        self.decomposed.clear()

    def steps(self, steps: Iterable[Step]) -> Iterator[Step]:
        """The steps of the tape with pairs in the place of the values that ε moves."""
        for node, wanted, xs, ys in steps:
            xs = tuple([self._pair(x, edge) for x, edge in zip(xs, node.inputs, strict=False)])
            ys = tuple([self._pair(y, (node, k)) for k, y in enumerate(ys)])
            if node in self.decomposed:
                which, separated = self.decomposed[node]
                ys = (*ys[:which], separated, *ys[which + 1 :])
            yield node, wanted, xs, ys

    def _pair(self, value: Any, edge: Edge) -> Any:
        moved = self.moved.get(edge)
        return value if moved is None or value is None else Dual.of(self.level, value, moved)

    def without(self, g: Any) -> Any:
        """A cotangent at ε = 0, an array of its own."""
        if isinstance(g, Traced) and g.level is self.level:
            return np.array(g.value)[()]
        return g


def _separate(tape: Tape, values: Any, separated: Separated) -> None:
    if tape.separation is None:
        tape.separation = Separation()
    tape.separation.begin(values.mark, separated)


Tape.begin_separation = staticmethod(_separate)
