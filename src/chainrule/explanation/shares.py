"""What an operation hands to each of its inputs, as a formula and with the local derivative."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from chainrule.explanation.names import Names, spoken
from chainrule.explanation.notation import PRODUCT, Text
from chainrule.explanation.rules import Spoken, contribution_text, local_text
from chainrule.graph import Node
from chainrule.primitives.declare import Constant, Elementwise
from chainrule.primitives.fit import as_array, conjugated
from chainrule.tracing.recording import Recording


class Share(NamedTuple):
    """The part of one input, in terms of the upstream gradient.

    `local` is the local derivative where it is an array that multiplies the upstream gradient
    entry by entry; `repeated` says that NumPy repeated the input, so that the product is summed.
    """

    formula: Text
    local_text: str
    local: Any = None
    repeated: bool = False


def share(
    recording: Recording, names: Names, node: Node, i: int, upstream: list[Spoken | None]
) -> Share:
    """The share of input `i` of a recorded operation."""
    inputs = [(spoken(recording, names, e), recording.values[e]) for e in node.inputs]
    outputs = [
        (spoken(recording, names, (node, k)), recording.values[node, k])
        for k in range(len(node.outputs))
    ]
    constant = [edge not in names for edge in node.inputs]
    if isinstance(node.primitive, Elementwise) and upstream[0] is not None:
        text = local_text(node, i, inputs, outputs[0], constant)
        if text is None:
            text = Text(f"∂{outputs[0][0].text}/∂{inputs[i][0].text}")
        local = _local(node.primitive, recording, node, i)
        if local.dtype.kind == "c":
            local, text = conjugated(local), Text(f"conj({text.text})")
        repeated = np.shape(inputs[i][1]) != np.shape(outputs[0][1])
        return _product(upstream[0][0], text, local, repeated)
    formula = contribution_text(node, i, inputs, outputs, upstream, constant)
    if formula is None:
        formula = _jacobian(inputs[i][0], outputs, upstream)
    return Share(formula, formula.text)


def _local(primitive: Elementwise, recording: Recording, node: Node, i: int) -> Any:
    """The value of the partial derivative with respect to input `i`."""
    partial = primitive.partials[i]
    if isinstance(partial, Constant):
        return np.float64(partial.value)
    _, xs, ys = recording.saved(node)
    return as_array(partial.evaluate((), node, xs, ys, i))


def _product(upstream: Text, local_text: Text, local: Any, repeated: bool) -> Share:
    """upstream · local, and its sum over the axes along which the input was repeated."""
    left, right = upstream.inside(PRODUCT, first=True), local_text.inside(PRODUCT, first=False)
    product = f"{left} · {right}"
    formula = Text(f"Σ({product})") if repeated else Text(product, PRODUCT)
    return Share(formula, local_text.text, local, repeated)


def _jacobian(mine: Text, outputs: list[Spoken], upstream: list[Spoken | None]) -> Text:
    """The product in symbols, where the rule is too long to be written out."""
    terms = [
        f"(∂{y.text}/∂{mine.text})ᵀ · {g[0].text}"
        for (y, _), g in zip(outputs, upstream, strict=True)
        if g is not None
    ]
    return Text(" + ".join(terms), PRODUCT)
