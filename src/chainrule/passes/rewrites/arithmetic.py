"""Sums, products, signs and powers.

Exact rows keep every bit, NaN and infinity included; only the sign of a strong product's zero is
left open, as it is by the product itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge
from chainrule.passes.rewriting import Rewriting, Row, row

_PRODUCTS = ("multiply", "divide", "chain_product")


def _floating(node: Node) -> bool:
    return node.outputs[0].dtype.kind == "f"


@row("factor of one", ("multiply", "divide", "chain_product"), "x · 1 and x / 1 are x")
def _one(node: Node, graph: Rewriting) -> Edge | None:
    a, b = node.inputs
    if graph.number(b) == 1:
        return graph.fitted(a, node.outputs[0])
    if graph.number(a) == 1 and node.primitive.name != "divide":
        return graph.fitted(b, node.outputs[0])
    return None


@row("factor of minus one", _PRODUCTS, "x · (-1) and x / (-1) are -x")
def _minus_one(node: Node, graph: Rewriting) -> Edge | None:
    a, b = node.inputs
    for x, factor in ((a, b), (b, a))[: 1 if node.primitive.name == "divide" else 2]:
        if graph.number(factor) == -1 and x[0].outputs[x[1]] == node.outputs[0]:
            return graph.make("negative", x, spec=node.outputs[0])
    return None


@row(
    "no change",
    ("positive", "stop_gradient", "astype"),
    "the value is the same, and when all derivatives are taken only that counts",
)
def _nothing(node: Node, graph: Rewriting) -> Edge | None:
    return graph.fitted(node.inputs[0], node.outputs[0])


@row("zero term", ("add", "subtract"), "x + (-0) and x - 0 are x; x + 0 is, unless x can be -0")
def _zero(node: Node, graph: Rewriting) -> Edge | None:
    a, b = node.inputs
    subtracts = node.primitive.name == "subtract"
    for x, term in ((a, b), (b, a))[: 1 if subtracts else 2]:
        number = graph.number(term)
        if number is None or number != 0:
            continue
        minus = (math.copysign(1.0, number) < 0) != subtracts
        if minus or not graph.facts(x).minus_zero:
            return graph.fitted(x, node.outputs[0])
    return None


@row("twice negative", "negative", "-(-x) is x")
def _twice_negative(node: Node, graph: Rewriting) -> Edge | None:
    inner = graph.node(node.inputs[0], "negative")
    return inner.inputs[0] if inner and _floating(node) else None


@row("sum with a negative", ("add", "subtract"), "x - (-y) is x + y, x + (-y) is x - y")
def _negative_term(node: Node, graph: Rewriting) -> Edge | None:
    if not _floating(node):
        return None
    a, b = node.inputs
    spec = node.outputs[0]
    negative = graph.node(b, "negative")
    if negative:
        name = "add" if node.primitive.name == "subtract" else "subtract"
        return graph.make(name, a, negative.inputs[0], spec=spec)
    negative = graph.node(a, "negative")
    if negative and node.primitive.name == "add":
        return graph.make("subtract", b, negative.inputs[0], spec=spec)
    return None


@row("negative minus itself", "subtract", "-x - x is -(x + x), zeros included")
def _minus_itself(node: Node, graph: Rewriting) -> Edge | None:
    a, b = node.inputs
    negative = graph.node(a, "negative")
    if not negative or negative.inputs[0] != b or not _floating(node):
        return None
    spec = node.outputs[0]
    return graph.make("negative", graph.make("add", b, b, spec=spec), spec=spec)


@row("sign out of a product", _PRODUCTS, "(-x) · y is -(x · y): rounding is symmetric")
def _signs(node: Node, graph: Rewriting) -> Edge | None:
    if not _floating(node):
        return None
    if "negative" not in [source.primitive.name for source, _ in node.inputs]:
        return None
    signs = [graph.node(edge, "negative") for edge in node.inputs]
    if not any(signs):
        return None
    inputs = [s.inputs[0] if s else edge for s, edge in zip(signs, node.inputs, strict=True)]
    spec = node.outputs[0]
    if graph.number(inputs[0]) is not None and graph.number(inputs[1]) is not None:
        return None
    product = graph.make(node.primitive.name, *inputs, spec=spec)
    return product if all(signs) else graph.make("negative", product, spec=spec)


@row("sign into a factor", "negative", "-(x · c) is x · (-c)")
def _into_factor(node: Node, graph: Rewriting) -> Edge | None:
    edge = node.inputs[0]
    product = graph.node(edge, "multiply", "divide")
    if not product or not _floating(node) or graph.readers(edge) > 1:
        return None
    for k, factor in enumerate(product.inputs):
        number = graph.number(factor)
        if number is not None and factor[0].outputs[0].dtype.kind == "f":
            inputs = list(product.inputs)
            inputs[k] = graph.constant(-factor[0].params["value"])
            return graph.make(product.primitive.name, *inputs, spec=node.outputs[0])
    return None


@row("sign out of a sum", ("sum", "mean"), "Σ(-x) is -Σx: rounding is symmetric")
def _sign_of_sum(node: Node, graph: Rewriting) -> Edge | None:
    inner = graph.node(node.inputs[0], "negative")
    if not inner or not _floating(node) or inner.outputs[0].dtype != node.outputs[0].dtype:
        return None
    spec = node.outputs[0]
    total = graph.make(node.primitive.name, inner.inputs[0], spec=spec, **node.params)
    return graph.make("negative", total, spec=spec)


@row("product with itself", "multiply", "x · x is the square")
def _itself(node: Node, graph: Rewriting) -> Edge | None:
    a, b = node.inputs
    return graph.make("square", a, spec=node.outputs[0]) if a == b and _floating(node) else None


@row("twice", "multiply", "2 · x is x + x")
def _twice(node: Node, graph: Rewriting) -> Edge | None:
    for x, factor in (node.inputs, node.inputs[::-1]):
        if graph.number(factor) == 2 and x[0].outputs[x[1]] == node.outputs[0]:
            return graph.make("add", x, x, spec=node.outputs[0])
    return None


@row("quotient by a power of two", "divide", "1 / c is exact, and so both round alike")
def _halves(node: Node, graph: Rewriting) -> Edge | None:
    x, divisor = node.inputs
    number = graph.number(divisor)
    spec = node.outputs[0]
    if number is None or spec.dtype.kind != "f" or number == 0 or not math.isfinite(number):
        return None
    limits = np.finfo(spec.dtype)
    mantissa, exponent = math.frexp(float(number))
    if abs(mantissa) != 0.5 or not limits.minexp < exponent < limits.maxexp - 2:
        return None
    weak = type(divisor[0].params["value"]) in (int, float)
    inverse = 1.0 / float(number)
    factor = graph.constant(inverse if weak else spec.dtype.type(inverse))
    return graph.make("multiply", x, factor, spec=spec)


@row("power of an array", "power", "NumPy computes these powers of arrays this way")
def _power(node: Node, graph: Rewriting) -> Edge | None:
    x, exponent = node.inputs
    number, spec = graph.number(exponent), node.outputs[0]
    if spec.dtype.kind != "f" or x[0].outputs[x[1]] != spec:
        return None
    if number == 1:
        return x
    if not spec.shape:
        return None
    if number == 2:
        return graph.make("square", x, spec=spec)
    if number == 0.5:
        return graph.make("sqrt", x, spec=spec)
    return graph.make("reciprocal", x, spec=spec) if number == -1 else None


@row(
    "small whole power",
    "power",
    "one or two products, each rounded, for a power that is rounded once",
    exact=False,
)
def _small_power(node: Node, graph: Rewriting) -> Edge | None:
    x, exponent = node.inputs
    number, spec = graph.number(exponent), node.outputs[0]
    if spec.dtype.kind != "f" or x[0].outputs[x[1]] != spec or number not in (-2, -1, 2, 3, 4):
        return None
    if number < 0:
        x = graph.make("reciprocal", x, spec=spec)
        return graph.make("square", x, spec=spec) if number == -2 else x
    square = graph.make("square", x, spec=spec)
    if number == 2:
        return square
    if number == 3:
        return graph.make("multiply", x, square, spec=spec)
    return graph.make("square", square, spec=spec)


@row("choice without a choice", "where", "both branches are the same, or the condition is known")
def _where(node: Node, graph: Rewriting) -> Edge | None:
    condition, yes, no = node.inputs
    if yes == no:
        return graph.fitted(yes, node.outputs[0])
    number = graph.number(condition)
    if number is not None:
        return graph.fitted(yes if number else no, node.outputs[0])
    opposite = graph.node(condition, "logical_not")
    if opposite and opposite.inputs[0][0].outputs[opposite.inputs[0][1]].dtype == bool:
        return graph.make("where", opposite.inputs[0], no, yes, spec=node.outputs[0])
    return None


@row("sign out of a reshape", ("reshape", "transpose"), "the entries are the same")
def _sign_of_reshape(node: Node, graph: Rewriting) -> Edge | None:
    inner = graph.node(node.inputs[0], "negative")
    if not inner:
        return None
    spec = node.outputs[0]
    shaped = graph.make(node.primitive.name, inner.inputs[0], spec=spec, **node.params)
    return graph.make("negative", shaped, spec=spec)


@row(
    "choices by one condition",
    ("add", "subtract"),
    "what is added is chosen once; a term of 0 drops out of its branch",
)
def _choices(node: Node, graph: Rewriting) -> Edge | None:
    first, second = (graph.node(edge, "where") for edge in node.inputs)
    if not first or not second or first.inputs[0] != second.inputs[0]:
        return None
    if any(graph.readers(edge) > 1 for edge in node.inputs):
        return None
    pairs = list(zip(first.inputs[1:], second.inputs[1:], strict=True))
    if any(all(graph.number(e) is None for e in pair) for pair in pairs):
        return None  # no sum is saved
    dtype = node.outputs[0].dtype
    branches = []
    for a, b in pairs:
        if graph.is_weak(a) or graph.is_weak(b):
            a, b = _typed(a, dtype, graph), _typed(b, dtype, graph)
        shape = np.broadcast_shapes(*(e[0].outputs[e[1]].shape for e in (a, b)))
        branches.append(graph.make(node.primitive.name, a, b, spec=Spec(shape, dtype)))
    return graph.make("where", first.inputs[0], *branches, spec=node.outputs[0])


def _typed(edge: Edge, dtype: np.dtype[Any], graph: Rewriting) -> Edge:
    """A Python number with the dtype of the result that it goes into."""
    number = graph.number(edge)
    return edge if number is None else graph.constant(dtype.type(number))


ROWS: tuple[Row, ...] = (
    _minus_one,
    _minus_itself,
    _choices,
    _sign_of_reshape,
    _one,
    _nothing,
    _zero,
    _twice_negative,
    _negative_term,
    _signs,
    _into_factor,
    _sign_of_sum,
    _itself,
    _twice,
    _halves,
    _power,
    _small_power,
    _where,
)
