"""Reverse mode: walk the operations backwards and accumulate cotangents.

    x̄ᵢ = Σ over the uses of xᵢ of (∂y/∂xᵢ)ᵀ ȳ,   seeded with the cotangent of the output.

Values and cotangents may be traced themselves: then the walk writes a graph of the gradient, which
is how derivatives nest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule.graph import Step
from chainrule.graph.node import Edge
from chainrule.primitives.fit import conjugated, fit_cotangent


@np.errstate(all="ignore")
def walk(steps: Iterable[Step], seeds: dict[Edge, Any]) -> dict[Edge, Any]:
    """The plain transpose, also for complex numbers: Σ (∂y/∂x)ᵀ g over the paths to each variable.

    `steps` are the operations, last first, each with what was saved for it.
    """
    cotangents = dict(seeds)
    for node, wanted, xs, ys in steps:
        gs = [cotangents.pop((node, 0), None)]
        if len(node.outputs) > 1:
            gs += [cotangents.pop((node, o), None) for o in range(1, len(node.outputs))]
        if gs[0] is None and all(g is None for g in gs):
            continue
        # Without strict=True, which would cost a keyword call for every operation.
        for i, g in zip(wanted, node.primitive.pulls(node, wanted, xs, ys, gs)):  # noqa: B905
            if g is None:
                continue
            source, index = edge = node.inputs[i]
            shape, dtype = spec = source.outputs[index]
            if g.shape != shape or g.dtype is not dtype:
                g = fit_cotangent(g, spec)
            known = cotangents.get(edge)
            cotangents[edge] = g if known is None else known + g
    return cotangents


def reverse(steps: Iterable[Step], seeds: dict[Edge, Any]) -> dict[Edge, Any]:
    """The cotangents of the variables, from the cotangents `seeds`; absent means zero.

    The adjoint is the conjugate of the transpose of the conjugate: between the two ends of the
    walk the conjugations cancel.
    """
    for g in seeds.values():
        if g.dtype.kind == "c":
            seeds = {edge: conjugated(g) for edge, g in seeds.items()}
            break
    found = walk(steps, seeds)
    for edge, g in found.items():
        if g.dtype.kind == "c":
            found[edge] = np.conjugate(g)
    return found
