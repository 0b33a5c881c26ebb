"""Add a product of matrices to what is there already: w - r · (aᵀ b) as one operation.

BLAS adds its product to the matrix that it writes, so the product needs no memory of its own, and
no pass of its own to be added. The sum is rounded once more or less than in separate operations.
"""

from __future__ import annotations

import math
from collections import Counter

from chainrule.graph import CONSTANT, Graph, Node, registry
from chainrule.graph.node import Edge

_VIEWS = ("reshape", "transpose", "broadcast_to", "getitem", "diagonal", "flat", "real", "imag")


def accumulate(graph: Graph) -> Graph:
    """The graph with sums and differences of a product and a matrix as `matmul_add`.

    Only where the product, scaled by a number or not, is read nowhere else, and only for two
    matrices of one floating type; the other term must be an array of its own, no view of one.
    """
    readers: Counter[Edge] = Counter(edge for node in graph.nodes for edge in node.inputs)
    readers.update(graph.outputs)
    readers.update(guard.edge for guard in graph.guards)
    moved: dict[Node, Node] = {}
    gone: set[Node] = set()
    nodes: list[Node] = []

    def now(edge: Edge) -> Edge:
        return moved.get(edge[0], edge[0]), edge[1]

    for node in graph.nodes:
        found = _accumulated(node, readers, gone)
        if found is not None:
            product, scale, start, parts = found
            gone.update(parts)
            inputs, params = (*product.inputs, start), {"scale": scale}
            primitive = registry["matmul_add"]
        else:
            inputs, params, primitive = node.inputs, node.params, node.primitive
        given = tuple(map(now, inputs))
        if found is not None or given != node.inputs:
            moved[node] = Node(primitive, given, params, node.outputs, node.place, node.name)
        nodes.append(moved.get(node, node))
    changed = Graph()
    changed.inputs = list(graph.inputs)
    changed.outputs = [now(edge) for edge in graph.outputs]
    changed.guards = [guard._replace(edge=now(guard.edge)) for guard in graph.guards]
    dropped = {moved.get(node, node) for node in gone}
    changed.nodes = [node for node in nodes if node not in dropped]
    return changed


Accumulated = tuple[Node, float, Edge, tuple[Node, ...]]


def _accumulated(node: Node, readers: Counter[Edge], gone: set[Node]) -> Accumulated | None:
    """The product of a sum or difference, its factor, the other term, and what is no longer needed.

    The later term is taken where both are products.
    """
    if node.primitive.name not in ("add", "subtract") or node.outputs[0].ndim != 2:
        return None
    a, b = node.inputs
    subtracts = node.primitive.name == "subtract"
    for term, start, sign in ((b, a, -1.0 if subtracts else 1.0), (a, b, 1.0)):
        if term is a and subtracts:
            continue
        scaled = _scaled(term, readers)
        if scaled is None or not _is_matrix(start, node) or gone & {start[0], term[0]}:
            continue
        product, factor, parts = scaled
        if all(_is_matrix((n, 0), node) for n in parts) and _is_plain(product):
            return product, sign * factor, start, parts
    return None


def _scaled(edge: Edge, readers: Counter[Edge]) -> tuple[Node, float, tuple[Node, ...]] | None:
    """A product, or a number times a product, that one operation alone reads."""
    node = edge[0]
    if readers[edge] != 1:
        return None
    if node.primitive.name == "matmul":
        return node, 1.0, (node,)
    if node.primitive.name == "multiply":
        for factor, other in (node.inputs, node.inputs[::-1]):
            if factor[0].primitive is CONSTANT and factor[0].outputs[0].shape == ():
                number = factor[0].params["value"]
                product = other[0]
                single = readers[other] == 1 and product.primitive.name == "matmul"
                if single and product.outputs == node.outputs and math.isfinite(number):
                    return product, float(number), (product, node)
    return None


def _is_matrix(edge: Edge, node: Node) -> bool:
    """Whether a value lies in memory as the result will, in an array of its own."""
    source = edge[0]
    own = source.primitive is not CONSTANT and source.primitive.name not in _VIEWS
    return own and source.outputs[edge[1]] == node.outputs[0]


def _is_plain(product: Node) -> bool:
    """Whether it multiplies two matrices of the result's floating type."""
    specs = [source.outputs[k] for source, k in product.inputs]
    dtype = product.outputs[0].dtype
    return dtype.name in ("float32", "float64") and all(
        spec.dtype == dtype and spec.ndim == 2 and 0 not in spec.shape for spec in specs
    )
