"""The steps of backpropagation, one by one: values forwards, then gradients backwards.

The algorithm of the lectures: every value has an accumulator that starts at 0; the result's is set
to 1; then, in reverse order of computation, every operation adds to the accumulators of its inputs,
in their own order, what reaches them: upstream · local derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chainrule.explanation.names import Names, spoken
from chainrule.explanation.notation import CALLED, PRODUCT, SUM, Text, written
from chainrule.explanation.shares import Share, share
from chainrule.explanation.values import brief, is_small
from chainrule.graph import Flat, Node, is_inexact, registry
from chainrule.graph.node import Edge
from chainrule.passes.reverse import walk
from chainrule.primitives.declare import Constant, Elementwise
from chainrule.primitives.fit import as_array, conjugated
from chainrule.tracing.recording import Recording

# How the course names what an operation does to the gradient that arrives.
GATES = {
    "add": "distributor",
    "multiply": "swap multiplier",
    "maximum": "router",
    "minimum": "router",
    "fmax": "router",
    "fmin": "router",
    "max": "router",
    "min": "router",
    "where": "router",
}
COPY = "copy gate: adder"
WIDEST = 120

Kind = Literal["value", "start", "seed", "contribution", "stop"]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: what is written (`target`), from what, and what it holds afterwards (`value`).

    value         a value of the forward pass: `operation` on `operands`
    start         an accumulator is set to 0
    seed          the accumulator of the result is set to 1
    contribution  an operation adds to the accumulator of one input: `value` is `before` plus
                  `contribution`, which for an operation entry by entry is `upstream` · `local`
    stop          a gradient arrives at an operation without a derivative, and ends there

    `value` and `upstream` are tuples for an operation with several outputs; `local` is None where
    the local derivative is a linear map and no array. `gate` is the course's name of the operation.
    """

    kind: Kind
    target: str
    value: Any
    text: str
    operation: str = ""
    operands: tuple[Any, ...] = ()
    upstream: Any = None
    local: Any = None
    local_text: str = ""
    contribution: Any = None
    before: Any = None
    gate: str = ""

    @property
    def backward(self) -> bool:
        return self.kind in ("seed", "contribution", "stop")


def steps(recording: Recording, result: Edge, names: Names) -> Iterator[Step]:
    """Every step of both passes over a recorded computation, in order."""
    graph = recording.graph
    reached = {(node, 0) for node in graph.inputs}
    for node in graph.inputs:
        yield _start(recording, result, names, (node, 0))
    for node in graph.nodes:
        yield _value(recording, names, node)
        if not reached.isdisjoint(node.inputs):
            for k in range(len(node.outputs)):
                reached.add((node, k))
                if is_inexact(recording.values[node, k]):
                    yield _start(recording, result, names, (node, k))
    seed = np.ones_like(as_array(recording.values[result]))[()]
    gradient = _gradient(names, result, result)
    yield Step("seed", gradient, seed, f"{gradient} ← {brief(seed)}")
    accumulators = {result: seed}
    with np.errstate(all="ignore"):
        for node in reversed(graph.nodes):
            if not reached.isdisjoint(node.inputs):
                yield from _backward(recording, result, names, node, reached, accumulators)


def _gradient(names: Names, result: Edge, edge: Edge) -> str:
    return f"d{names[result]}/d{names[edge]}"


def _start(recording: Recording, result: Edge, names: Names, edge: Edge) -> Step:
    gradient = _gradient(names, result, edge)
    zero = np.zeros_like(as_array(recording.values[edge]))[()]
    shape = f" {np.shape(zero)}" if np.shape(zero) else ""
    return Step("start", gradient, zero, f"{gradient} ← 0{shape}")


def _value(recording: Recording, names: Names, node: Node) -> Step:
    """`u = x + 1 = 17 + 1 = 18`: the operation, the operation on numbers, the value."""
    operands = tuple(recording.values[edge] for edge in node.inputs)
    results = tuple(recording.values[node, k] for k in range(len(node.outputs)))
    target = ", ".join(names[node, k] for k in range(len(results)))
    formula = written(
        node.primitive, node.params, [spoken(recording, names, edge) for edge in node.inputs]
    )
    middle = ""
    if all(is_small(value) for value in (*operands, *results)):
        numbers = [Text(brief(value)) for value in operands]
        middle = written(node.primitive, node.params, numbers).text
    after = ", ".join(brief(value) for value in results)
    text = _joined(f"{target} = {formula.text}", middle, after)
    value = results[0] if len(results) == 1 else results
    name = node.primitive.name
    return Step("value", target, value, text, name, operands)


def _joined(formula: str, middle: str, after: str) -> str:
    """`formula = middle = after`, without a middle that says nothing or makes the line too long."""
    text = f"{formula} = {middle} = {after}"
    return f"{formula} = {after}" if middle in ("", after) or len(text) > WIDEST else text


def _backward(
    recording: Recording,
    result: Edge,
    names: Names,
    node: Node,
    reached: set[Edge],
    accumulators: dict[Edge, Any],
) -> Iterator[Step]:
    """What one operation hands to its inputs, in their own order."""
    gs = [accumulators.get((node, k)) for k in range(len(node.outputs))]
    if all(g is None for g in gs):
        return
    if not node.primitive.records:
        outputs = [(node, k) for k, g in enumerate(gs) if g is not None]
        yield _stop([_gradient(names, result, edge) for edge in outputs], node)
        return
    known = [
        None if g is None else (Text(_gradient(names, result, (node, k))), g)
        for k, g in enumerate(gs)
    ]
    upstream = gs[0] if len(gs) == 1 else tuple(gs)
    wanted, xs, ys = recording.saved(node)
    for i in wanted:
        if node.inputs[i] not in reached:
            continue
        seeds = {(node, k): conjugated(g) for k, g in enumerate(gs) if g is not None}
        for edge, transposed in walk([(node, [i], xs, ys)], seeds).items():
            contribution = conjugated(transposed)
            part = share(recording, names, node, i, known)
            before = accumulators.get(edge)
            accumulators[edge] = contribution if before is None else before + contribution
            gradient = _gradient(names, result, edge)
            yield _contribution(
                gradient, node, upstream, part, contribution, before, accumulators[edge]
            )


def _contribution(
    gradient: str,
    node: Node,
    upstream: Any,
    part: Share,
    contribution: Any,
    before: Any,
    after: Any,
) -> Step:
    """`dy/dx ← dy/dx + dy/du · 1 = 18 + 17 · 1 = 35`: one addition to one accumulator."""
    name = node.primitive.name
    held = np.zeros_like(contribution)[()] if before is None else before
    surrogate = node.primitive.surrogate
    gates = [f"surrogate: {surrogate}"] if surrogate else []
    if name in GATES and node.primitive in registry:
        gates.append(f"{CALLED.get(name, name)} gate: {GATES[name]}")
    gates += [] if before is None else [COPY]
    return Step(
        kind="contribution",
        target=gradient,
        value=after,
        text=_line(gradient, held, upstream, part, contribution, after),
        operation=name,
        upstream=upstream,
        local=part.local,
        local_text=part.local_text,
        contribution=contribution,
        before=held,
        gate=", ".join(gates),
    )


def _line(
    gradient: str, before: Any, upstream: Any, part: Share, contribution: Any, after: Any
) -> str:
    formula = f"{gradient} ← {gradient} + {part.formula.inside(SUM, first=False)}"
    middle = ""
    if is_small(after) and is_small(contribution):
        if part.local is None or part.repeated or not is_small(upstream):
            added = Text(brief(contribution))
        else:
            factors = Text(brief(upstream)), Text(brief(part.local))
            left, right = (factor.inside(PRODUCT, first=False) for factor in factors)
            added = Text(f"{left} · {right}", PRODUCT)
        middle = f"{brief(before)} + {added.inside(SUM, first=False)}"
    return _joined(formula, middle, brief(after))


def _stop(gradients: list[str], node: Node) -> Step:
    """A gradient that ends at an operation without a derivative, with the reason."""
    primitive = node.primitive
    reason = "it has no derivative"
    if isinstance(primitive, Flat):
        reason = primitive.reason
    elif isinstance(primitive, Elementwise):
        reasons = [p.reason for p in primitive.partials if isinstance(p, Constant)]
        reason = next(filter(None, reasons), reason)
    text = f"{', '.join(gradients)} ends at {primitive.name}: {reason}"
    return Step("stop", gradients[0], None, text, primitive.name)
