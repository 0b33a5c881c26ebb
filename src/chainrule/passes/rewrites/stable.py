"""Forms of the same function that do not overflow, underflow or divide zero by zero.

They serve values and, where the derivatives are written out already, the pieces of gradients too:
the derivative of log Σ exp is exp(x) · (g / Σ exp), and that quotient is a softmax.
"""

from __future__ import annotations

import numpy as np

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge
from chainrule.passes.rewrites.shapes import axes_of
from chainrule.passes.rewriting import Rewriting, Row, row

_BOOL = np.dtype(bool)
_TIMES = ("multiply", "chain_product")
_LARGEST_EXPONENT = {2: 11.0, 4: 88.0, 8: 709.0}
"""By the bytes of a number: where exp is still finite."""


def _spec(edge: Edge) -> Spec:
    return edge[0].outputs[edge[1]]


def _axes(reduction: Node) -> tuple[int, ...]:
    return axes_of(reduction.params["axis"], len(_spec(reduction.inputs[0]).shape))


def _sum_of_exponentials(edge: Edge, graph: Rewriting) -> tuple[Node, Node] | None:
    """The sum and the exponential that it adds up, if an edge is one."""
    total = graph.node(edge, "sum")
    exponential = graph.node(total.inputs[0], "exp") if total else None
    return (total, exponential) if total and exponential else None


def _is_shifted(x: Edge, axes: tuple[int, ...], graph: Rewriting) -> bool:
    """Whether x is y - max y along the axes, so that no exponential of it overflows."""
    difference = graph.node(x, "subtract")
    if not difference:
        return False
    y, shift = difference.inputs
    while views := graph.node(shift, "reshape", "broadcast_to", "where", "stop_gradient"):
        shift = views.inputs[1 if views.primitive.name == "where" else 0]
    largest = graph.node(shift, "max")
    return largest is not None and largest.inputs[0] == y and _axes(largest) == axes


def _shifted(x: Edge, axes: tuple[int, ...], graph: Rewriting) -> tuple[Edge, Edge, Edge]:
    """exp(x - m), its sum, and m: the largest entry along the axes, or 0 where that is infinite."""
    spec = _spec(x)
    kept = Spec(tuple(1 if a in axes else n for a, n in enumerate(spec.shape)), spec.dtype)
    axis = None if len(axes) == len(spec.shape) else axes
    largest = graph.make("max", x, spec=kept, axis=axis, keepdims=True)
    finite = graph.make("isfinite", largest, spec=Spec(kept.shape, _BOOL))
    zero = graph.constant(spec.dtype.type(0))
    shift = graph.make("where", finite, largest, zero, spec=kept)
    exponential = graph.make("exp", graph.make("subtract", x, shift, spec=spec), spec=spec)
    total = graph.make("sum", exponential, spec=kept, axis=axis, keepdims=True)
    return exponential, total, shift


@row(
    "log of a sum of exponentials",
    "log",
    "log Σ exp x = m + log Σ exp(x - m) with m = max x: nothing overflows, and not all underflow",
    exact=False,
)
def _log_sum_exp(node: Node, graph: Rewriting) -> Edge | None:
    view = graph.node(node.inputs[0], "reshape")
    found = _sum_of_exponentials(view.inputs[0] if view else node.inputs[0], graph)
    if not found:
        return None
    total, exponential = found
    x, axes, spec = exponential.inputs[0], _axes(total), node.outputs[0]
    if _is_shifted(x, axes, graph) or 0 in _spec(x).shape:
        return None
    _, stable, shift = _shifted(x, axes, graph)
    logarithm = graph.make("log", stable, spec=_spec(stable))
    y = graph.make("add", logarithm, shift, spec=_spec(stable))
    return graph.make("reshape", y, spec=spec, to=spec.shape)


@row(
    "softmax",
    "divide",
    "exp x / Σ exp x = exp(x - m) / Σ exp(x - m), which is never ∞ / ∞ or 0 / 0",
    exact=False,
)
def _softmax(node: Node, graph: Rewriting) -> Edge | None:
    exponential = graph.node(node.inputs[0], "exp")
    total = _under_views(node.inputs[1], graph)
    found = _sum_of_exponentials(total, graph)
    if not exponential or not found or found[1] is not exponential:
        return None
    return _stable_quotient(found, node.outputs[0], graph)


def _under_views(edge: Edge, graph: Rewriting) -> Edge:
    """What reshapes and broadcasts show."""
    while view := graph.node(edge, "reshape", "broadcast_to"):
        edge = view.inputs[0]
    return edge


def _stable_quotient(
    found: tuple[Node, Node], spec: Spec, graph: Rewriting, *, strong: bool = False
) -> Edge | None:
    """exp(x - m) / Σ exp(x - m), if it has the shape asked for.

    In a gradient it is a strong product, as it was: for infinite x that is 0 and not NaN.
    """
    total, exponential = found
    x, axes = exponential.inputs[0], _axes(total)
    if _spec(x) != spec or _is_shifted(x, axes, graph) or 0 in spec.shape:
        return None
    stable, sums, _ = _shifted(x, axes, graph)
    if not strong:
        return graph.make("divide", stable, sums, spec=spec)
    inverse = graph.make("divide", graph.constant(spec.dtype.type(1)), sums, spec=_spec(sums))
    return graph.make("chain_product", inverse, stable, spec=spec)


@row(
    "softmax in a gradient",
    _TIMES,
    "exp x · (g / Σ exp x) = g · softmax(x), and exp x · (g / (1 + exp x)) = g / (1 + exp(-x))",
    exact=False,
)
def _softmax_gradient(node: Node, graph: Rewriting) -> Edge | None:
    for first, second in (node.inputs, node.inputs[::-1]):
        exponential = graph.node(first, "exp")
        if not exponential or _spec(first) != node.outputs[0]:
            continue
        found = _over_sum(second, exponential, graph)
        if found is not None:
            factor, share = found
            name, spec = node.primitive.name, node.outputs[0]
            return share if factor is None else graph.make(name, factor, share, spec=spec)
    return None


def _over_sum(edge: Edge, exponential: Node, graph: Rewriting) -> tuple[Edge | None, Edge] | None:
    """g and exp x / S for an edge g / S, where S is Σ exp x or 1 + exp x; no g where it is 1."""
    views = []
    while view := graph.node(edge, "reshape", "broadcast_to"):
        views.append(view)
        edge = view.inputs[0]
    factor: Edge | None = None
    product = graph.node(edge, *_TIMES)
    if product:
        sides = product.inputs if graph.node(product.inputs[1], "divide") else product.inputs[::-1]
        factor, edge = sides
    quotient = graph.node(edge, "divide")
    if not quotient or (product and graph.number(quotient.inputs[0]) != 1):
        return None
    if graph.number(quotient.inputs[0]) != 1:
        factor = quotient.inputs[0]
    share = _share(quotient.inputs[1], exponential, graph)
    if share is None:
        return None
    if factor is not None and _spec(factor).shape:
        for view in reversed(views):
            name, spec = view.primitive.name, view.outputs[0]
            if name == "reshape" and _spec(factor).shape != _spec(view.inputs[0]).shape:
                return None
            factor = graph.make(name, factor, spec=spec, to=spec.shape)
    return factor, share


def _share(divisor: Edge, exponential: Node, graph: Rewriting) -> Edge | None:
    """exp x / S, in its stable form, for S = Σ exp x or S = 1 + exp x."""
    spec = exponential.outputs[0]
    found = _sum_of_exponentials(_under_views(divisor, graph), graph)
    if found:
        if found[1] is not exponential:
            return None
        return _stable_quotient(found, spec, graph, strong=True)
    if _one_plus(divisor, graph) is not exponential or _is_bounded(exponential, graph):
        return None
    x = exponential.inputs[0]
    opposite = graph.make("exp", graph.make("negative", x, spec=spec), spec=spec)
    one = graph.constant(spec.dtype.type(1))
    total = graph.make("add", one, opposite, spec=spec)
    return graph.make("divide", one, total, spec=spec)


def _one_plus(edge: Edge, graph: Rewriting) -> Node | None:
    """The exponential of 1 + exp x."""
    total = graph.node(edge, "add")
    if total:
        for one, other in (total.inputs, total.inputs[::-1]):
            if graph.number(one) == 1:
                return graph.node(other, "exp")
    return None


def _is_bounded(exponential: Node, graph: Rewriting) -> bool:
    """Whether the exponential is known not to overflow."""
    size = exponential.outputs[0].dtype.itemsize
    return graph.facts(exponential.inputs[0]).high <= _LARGEST_EXPONENT.get(size, 0.0)


@row(
    "log of one plus an exponential",
    ("log", "log1p"),
    "log(1 + exp x) = max(x, 0) + log1p(exp(-|x|)): nothing overflows or is rounded away",
    exact=False,
)
def _softplus(node: Node, graph: Rewriting) -> Edge | None:
    plain = node.primitive.name == "log"
    exponential = _one_plus(node.inputs[0], graph) if plain else graph.node(node.inputs[0], "exp")
    spec = node.outputs[0]
    if not exponential or exponential.outputs[0] != spec or spec.dtype.kind != "f":
        return None
    if not plain and _is_bounded(exponential, graph):
        return None
    x = exponential.inputs[0]
    size = graph.make("absolute", x, spec=spec)
    small = graph.make("exp", graph.make("negative", size, spec=spec), spec=spec)
    rest = graph.make("log1p", small, spec=spec)
    largest = graph.make("maximum", x, graph.constant(spec.dtype.type(0)), spec=spec)
    return graph.make("add", largest, rest, spec=spec)


@row(
    "log of a quotient",
    "log",
    "log(exp x / s) = x - log s and log(1 / s) = -log s: the quotient cannot underflow",
    exact=False,
)
def _log_quotient(node: Node, graph: Rewriting) -> Edge | None:
    quotient = graph.node(node.inputs[0], "divide")
    if not quotient:
        return None
    above, below = quotient.inputs
    exponential = graph.node(above, "exp")
    if not exponential and graph.number(above) != 1:
        return None
    logarithm = graph.make("log", below, spec=_spec(below))
    if exponential:
        return graph.make("subtract", exponential.inputs[0], logarithm, spec=node.outputs[0])
    return graph.make("negative", logarithm, spec=node.outputs[0])


@row("log of a softmax", "log", "log softmax x = x - log Σ exp x", exact=False)
def _log_softmax(node: Node, graph: Rewriting) -> Edge | None:
    softmax = graph.node(node.inputs[0], "softmax")
    if not softmax:
        return None
    x, spec = softmax.inputs[0], node.outputs[0]
    axes = axes_of(softmax.params["axis"], len(spec.shape))
    kept = Spec(tuple(1 if a in axes else n for a, n in enumerate(spec.shape)), spec.dtype)
    axis = softmax.params["axis"]
    total = graph.make("logsumexp", x, spec=kept, axis=axis, keepdims=True)
    return graph.make("subtract", x, total, spec=spec)


@row("log of an exponential", "log", "log exp x = x", exact=False)
def _log_exp(node: Node, graph: Rewriting) -> Edge | None:
    exponential = graph.node(node.inputs[0], "exp")
    return exponential.inputs[0] if exponential else None


@row(
    "square of a root",
    ("square", "multiply", "power"),
    "(√x)² = x, with the derivative 1 at 0; a norm squared is the sum of squares",
    exact=False,
)
def _square_of_root(node: Node, graph: Rewriting) -> Edge | None:
    name = node.primitive.name
    if name == "multiply" and node.inputs[0] != node.inputs[1]:
        return None
    if name == "power" and graph.number(node.inputs[1]) != 2:
        return None
    root = graph.node(node.inputs[0], "sqrt")
    return root.inputs[0] if root else None


@row("root of a square", "sqrt", "√(x²) = |x|, which does not overflow", exact=False)
def _root_of_square(node: Node, graph: Rewriting) -> Edge | None:
    edge = node.inputs[0]
    square, product = graph.node(edge, "square"), graph.node(edge, "multiply")
    power = graph.node(edge, "power")
    if square or (product and product.inputs[0] == product.inputs[1]):
        x = edge[0].inputs[0]
    elif power and graph.number(power.inputs[1]) == 2:
        x = power.inputs[0]
    else:
        return None
    if _spec(x) != node.outputs[0] or node.outputs[0].dtype.kind != "f":
        return None
    return graph.make("absolute", x, spec=node.outputs[0])


ROWS: tuple[Row, ...] = (
    _log_exp,
    _log_softmax,
    _log_quotient,
    _log_sum_exp,
    _softplus,
    _softmax,
    _softmax_gradient,
    _square_of_root,
    _root_of_square,
)
