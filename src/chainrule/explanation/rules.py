"""The text of a derivative rule: run it once on recorded arrays, and write what was recorded.

So the formula that is shown is the rule that computes the number, and a new primitive needs no
text of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explanation.notation import Text, written
from chainrule.explanation.values import brief, is_small
from chainrule.graph import CONSTANT, Node
from chainrule.graph.node import Edge
from chainrule.passes.reverse import walk
from chainrule.primitives.declare import Constant, Elementwise
from chainrule.primitives.fit import as_array
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import Running
from chainrule.tracing.recording import Recording

LONGEST = 72
ROUTERS = {"maximum": ">", "fmax": ">", "minimum": "<", "fmin": "<"}

Spoken = tuple[Text, Any]
"""A value and what it is called."""


class Slate:
    """A recording whose variables have texts, and the texts of what is computed from them."""

    def __init__(self) -> None:
        self.level = Recording("explanation")
        self.texts: dict[Edge, Text | None] = {}

    def put(self, spoken: Spoken, *, constant: bool = False) -> Any:
        """The recorded array that stands for a value; a constant stays a plain number."""
        text, value = spoken
        if constant:
            return value
        variable = self.level.variable(as_array(value))
        self.texts[variable.mark] = text
        return variable

    def read(self, result: Any) -> Text | None:
        """The formula of a result, None where it is too long to be read."""
        for node in self.level.graph.nodes:
            operands = [self._of(edge) for edge in node.inputs]
            known = [operand for operand in operands if operand is not None]
            text = None
            if _is_undone(node):
                text = self._of(node.inputs[0][0].inputs[0])
            elif len(known) == len(operands) and len(node.outputs) == 1:
                text = written(node.primitive, node.params, known)
                text = known[0] if _keeps_entries(node) else text
            if text is not None and len(text.text) > LONGEST:
                text = None
            for k in range(len(node.outputs)):
                self.texts[node, k] = text
        return self._of(result.mark) if isinstance(result, Recorded) else _plain(result)

    def _of(self, edge: Edge) -> Text | None:
        if edge[0].primitive is CONSTANT:
            return _plain(self.level.values[edge])
        return self.texts[edge]


def _is_undone(node: Node) -> bool:
    """Whether a node is the conjugate of a conjugate."""
    name = node.primitive.name
    return name == "conjugate" == node.inputs[0][0].primitive.name


def _keeps_entries(node: Node) -> bool:
    """Whether a node only puts in or takes out axes of length 1, for the sake of a broadcast."""
    if node.primitive.name != "reshape":
        return False
    (source, index), (output,) = node.inputs[0], node.outputs
    return [n for n in source.outputs[index].shape if n != 1] == [n for n in output.shape if n != 1]


def _plain(value: Any) -> Text | None:
    return Text(brief(value)) if is_small(value) else None


def local_text(
    node: Node, i: int, inputs: list[Spoken], output: Spoken, constant: list[bool]
) -> Text | None:
    """The partial derivative ∂output/∂(input i) of an elementwise operation, as a formula."""
    assert isinstance(node.primitive, Elementwise)
    partial = node.primitive.partials[i]
    if isinstance(partial, Constant):
        return Text(str(partial.value))
    if node.primitive.name in ROUTERS:
        return _routed(ROUTERS[node.primitive.name], inputs[i], inputs[1 - i])
    slate = Slate()
    with np.errstate(all="ignore"), Running(slate.level, keeps=True):
        xs = tuple(slate.put(x, constant=c) for x, c in zip(inputs, constant, strict=True))
        derivative = partial.evaluate((), node, xs, (slate.put(output),), i)
    return slate.read(derivative)


def _routed(sign: str, mine: Spoken, other: Spoken) -> Text:
    """The partial of max and min: 1 where the input is the one that is taken, 1/2 at a tie."""
    chosen = f"[{mine[0].text} {sign} {other[0].text}]"
    if not np.any(mine[1] == other[1]):
        return Text(chosen)
    return Text(f"({chosen} + [{mine[0].text} = {other[0].text}] / 2)")


def contribution_text(
    node: Node,
    i: int,
    inputs: list[Spoken],
    outputs: list[Spoken],
    upstream: list[Spoken | None],
    constant: list[bool],
) -> Text | None:
    """What the operation adds to input `i`, as a formula in the upstream gradients."""
    slate = Slate()
    with np.errstate(all="ignore"), Running(slate.level, keeps=True):
        xs = tuple(slate.put(x, constant=c) for x, c in zip(inputs, constant, strict=True))
        ys = tuple(slate.put(y) for y in outputs)
        seeds = {(node, k): slate.put(g) for k, g in enumerate(upstream) if g is not None}
        (received,) = walk([(node, [i], xs, ys)], seeds).values()
    return slate.read(received)
