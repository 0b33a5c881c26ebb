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
    primitive = node.primitive
    wanted = [
        i
        for i, (source, index) in enumerate(node.inputs)
        if source.primitive is not CONSTANT
        and source.outputs[index].dtype.kind in "fc"
        and primitive.differentiable(i, node.params)
    ]
    specs = [source.outputs[index] for source, index in node.inputs]
    is_complex = any(spec.dtype.kind == "c" for spec in (*specs, *node.outputs))
    if is_complex:
        gs = [None if g is None else conjugated(g) for g in gs]
    for i, g in zip(wanted, primitive.pulls(node, wanted, xs, ys, gs), strict=True):
        if g is not None:
            yield node.inputs[i], fit_cotangent(conjugated(g) if is_complex else g, specs[i])


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
