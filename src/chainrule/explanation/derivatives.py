"""The derivative of an operation as one line of text, from its record."""

from __future__ import annotations

import numpy as np

from chainrule.explanation.notation import SUM, Text
from chainrule.explanation.rules import Spoken, contribution_text, local_text
from chainrule.graph import Flat, Node, Primitive
from chainrule.primitives.declare import Elementwise
from chainrule.primitives.fit import as_array
from chainrule.tracing.levels import Running
from chainrule.tracing.recording import Recording

LONG = "by its rule"


def derivative_text(primitive: Primitive) -> str:
    """What reaches each input, one after the other, or why there is no derivative.

    For an operation entry by entry it is the partial derivative, to be multiplied with the
    upstream gradient; for others the whole product, with the upstream gradient written g.

    >>> from chainrule.graph import registry
    >>> [derivative_text(registry[name]) for name in ("multiply", "tanh", "transpose", "floor")]
    ['x2; x1', '1 - y · y', 'gᵀ', 'none: piecewise constant']
    """
    if isinstance(primitive, Flat):
        return f"none: {primitive.reason}"
    cases = primitive.samples or (primitive.domain.cases() if primitive.domain else [])
    if not cases:
        return f"{LONG}: {primitive.note}"
    arguments, params = cases[0].draw(np.random.default_rng(0))
    recording = Recording("explanation")
    with np.errstate(all="ignore"), Running(recording, keeps=True):
        primitive(*(recording.variable(as_array(value)) for value in arguments), **params)
    return "; ".join(_parts(recording, recording.graph.nodes[0]))


def _parts(recording: Recording, node: Node) -> list[str]:
    """One text for every input that receives something."""
    wanted, xs, ys = recording.saved(node)
    inputs = list(zip(_labels("x", len(xs)), xs, strict=True))
    outputs = list(zip(_labels("y", len(ys)), ys, strict=True))
    if isinstance(node.primitive, Elementwise):
        partials = [local_text(node, i, inputs, outputs[0], [False] * len(xs)) for i in wanted]
        return [_line(text) for text in partials]
    upstream: list[Spoken | None] = [
        (label, np.ones_like(y)[()]) for label, y in zip(_labels("g", len(ys)), ys, strict=True)
    ]
    found = []
    for i in wanted:
        text = contribution_text(node, i, inputs, outputs, upstream, [False] * len(xs))
        found.append(_line(text))
    return found


def _line(text: Text | None) -> str:
    return LONG if text is None else text.inside(SUM, first=True)


def _labels(letter: str, count: int) -> list[Text]:
    return [Text(letter)] if count == 1 else [Text(f"{letter}{k + 1}") for k in range(count)]
