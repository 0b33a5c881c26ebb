"""Reverse mode: walk the operations backwards and accumulate cotangents.

    x̄ᵢ = Σ over the uses of xᵢ of (∂y/∂xᵢ)ᵀ ȳ,   seeded with the cotangent of the output.

Values and cotangents may be traced themselves: then the walk writes a graph of the gradient, which
is how derivatives nest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from chainrule.graph import CONSTANT, Node
from chainrule.graph.node import Edge
from chainrule.primitives.fit import conjugated, fit_cotangent

Saved = tuple[tuple[Any, ...], tuple[Any, ...]]
Step = tuple[Node, Saved]


def contributions(node: Node, saved: Saved, gs: list[Any]) -> Iterator[tuple[Edge, Any]]:
    """What one operation adds to the cotangent of each of its inputs, in their own order."""
    xs, ys = saved
    complex_output = any(spec.dtype.kind == "c" for spec in node.outputs)
    for i, edge in enumerate(node.inputs):
        source, index = edge
        spec = source.outputs[index]
        if source.primitive is CONSTANT or spec.dtype.kind not in "fc":
            continue
        if not node.primitive.differentiable(i, node.params):
            continue
        if complex_output or spec.dtype.kind == "c":
            conjugates = [None if g is None else conjugated(g) for g in gs]
            g = node.primitive.pull(node, i, xs, ys, conjugates)
            g = None if g is None else conjugated(g)
        else:
            g = node.primitive.pull(node, i, xs, ys, gs)
        if g is not None:
            yield edge, fit_cotangent(g, spec)


def reverse(steps: Iterable[Step], seeds: dict[Edge, Any]) -> dict[Edge, Any]:
    """The cotangents of the variables, from the cotangents `seeds`; absent means zero.

    `steps` are the operations, last first, each with the values that were saved for it.
    """
    cotangents = dict(seeds)
    with np.errstate(all="ignore"):
        for node, saved in steps:
            gs = [cotangents.pop((node, o), None) for o in range(len(node.outputs))]
            if any(g is not None for g in gs):
                for edge, g in contributions(node, saved, gs):
                    known = cotangents.get(edge)
                    cotangents[edge] = g if known is None else known + g
    return cotangents
