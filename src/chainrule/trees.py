"""Nested containers of arrays, flat and back: thin functions over optree.

A tree is a leaf, or a dict, list, tuple or named tuple of trees. `None` is a leaf, because it is
the gradient of a leaf that has none. Dict entries come in the order of their sorted keys.
"""

from collections.abc import Callable
from typing import Any

import optree


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Give the leaves of a tree and its structure.

    >>> flatten({"weight": 1.0, "bias": None})[0]
    [None, 1.0]
    """
    leaves, treedef = optree.tree_flatten(tree, none_is_leaf=True)
    return list(leaves), treedef


def unflatten(treedef: Any, leaves: list[Any]) -> Any:
    """Build the tree that has this structure and these leaves.

    >>> leaves, treedef = flatten((1.0, [2.0, 3.0]))
    >>> unflatten(treedef, [10 * leaf for leaf in leaves])
    (10.0, [20.0, 30.0])
    """
    return optree.tree_unflatten(treedef, leaves)


def map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply a function leaf by leaf to trees of one structure.

    >>> map(lambda x, g: x - 0.5 * g, {"w": 1.0}, {"w": 2.0})
    {'w': 0.0}
    """
    return optree.tree_map(function, tree, *others, none_is_leaf=True)
