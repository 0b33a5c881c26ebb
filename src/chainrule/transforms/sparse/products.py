"""Which entries the sums of products in matmul and einsum visit."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Node

MOST_TERMS = 2**25
Pairs = tuple[Any, Any]


def product_pairs(
    node: Node, values: tuple[Any, ...], varies: tuple[bool, ...], i: int
) -> Pairs | None:
    """The pairs (entry of the result, entry of input `i`) that share a term; None if unknown.

    A term with a factor 0 that does not depend on the variables is left out.
    """
    if node.primitive.name == "matmul":
        labels, result = _matmul_labels(*(np.ndim(value) for value in values))
    elif node.primitive.name == "einsum":
        inputs, _, result = node.params["subscripts"].partition("->")
        labels = inputs.split(",")
    else:
        return None
    every = sorted(set("".join(labels)))
    sizes: dict[str, int] = {}
    for text, value in zip(labels, values, strict=True):
        for label, size in zip(text, np.shape(value), strict=True):
            sizes[label] = max(sizes.get(label, 1), size)
    terms = int(np.prod([sizes[label] for label in every], dtype=int))
    if terms > MOST_TERMS:
        return None

    def spread(text: str, array: Any) -> Any:
        """`array` over all labels, of length 1 along those that it does not have."""
        own = "".join(sorted(set(text)))
        array = np.einsum(f"{text}->{own}", array)
        shape = iter(array.shape)
        return array.reshape([next(shape) if label in own else 1 for label in every])

    grid = tuple(sizes[label] for label in every)
    shapes = [np.shape(value) for value in values]
    columns = spread(labels[i], np.arange(np.size(values[i])).reshape(shapes[i]))
    out = tuple(sizes[label] for label in result)
    rows = spread(result, np.arange(int(np.prod(out, dtype=int))).reshape(out))
    kept = np.ones((1,) * len(every), bool)
    for k, value in enumerate(values):
        if k != i and not varies[k]:
            kept = kept & spread(labels[k], np.asarray(value) != 0)
    taken = np.broadcast_to(kept, grid)
    return np.broadcast_to(rows, grid)[taken], np.broadcast_to(columns, grid)[taken]


def _matmul_labels(left: int, right: int) -> tuple[list[str], str]:
    """The labels of `np.matmul` for factors of these dimensions: Y and Z meet at k."""
    batch = "ABCDEFGHIJKLMNOPQRSTUVWX"
    depth = max(left, right) - 2
    heads = [batch[max(depth - (n - 2), 0) : depth] if n > 2 else "" for n in (left, right)]
    first = heads[0] + ("Yk" if left > 1 else "k")
    second = heads[1] + ("kZ" if right > 1 else "k")
    longest = max(heads, key=len)
    return [first, second], longest + "Y" * (left > 1) + "Z" * (right > 1)
