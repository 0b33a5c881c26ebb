"""A tree of real numbers as one vector, which is what solvers work with, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import errors, trees
from chainrule.graph import Traced, is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.tracing.dispatch import lifted
from chainrule.transforms.arguments import put_together, taken_apart


class Layout:
    """Where each leaf of a tree stands in the vector of all their entries."""

    __slots__ = ("_treedef", "shapes", "size", "title")

    def __init__(self, title: str, tree: Any) -> None:
        leaves, self._treedef = taken_apart(tree)
        for leaf in leaves:
            if not is_inexact(leaf) or spec_of(leaf).dtype.kind == "c":
                kind = spec_of(leaf) if hasattr(leaf, "dtype") else type(leaf).__name__
                raise errors.InputError(
                    f"{title} at {callers_place()} works with real floating point numbers, and "
                    f"was given {kind}; pass floats, or split complex numbers into two real ones"
                )
        self.title = title
        self.shapes = [np.shape(leaf) for leaf in leaves]
        self.size = sum(_size(shape) for shape in self.shapes)

    def vector(self, tree: Any) -> Any:
        """The entries of a tree of this structure, one after the other."""
        leaves, treedef = taken_apart(tree)
        shapes = [np.shape(leaf) for leaf in leaves]
        if treedef != self._treedef or shapes != self.shapes:
            raise errors.StructureError(
                f"{self.title} at {callers_place()} expects a tree with leaves of the shapes "
                f"{self.shapes}, and was given one with the shapes {shapes}"
            )
        return vector(leaves)

    def tree(self, vector: Any) -> Any:
        """The tree whose entries stand in `vector`."""
        leaves, start = [], 0
        for shape in self.shapes:
            stop = start + _size(shape)
            leaves.append(np.reshape(vector[start:stop], shape)[()])
            start = stop
        return put_together(self._treedef, leaves)


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def vector(leaves: list[Any]) -> Any:
    """All entries of some arrays in one row."""
    if len(leaves) == 1:
        return np.ravel(leaves[0])
    return np.concatenate([np.ravel(leaf) for leaf in leaves])


def as_point(tree: Any) -> Any:
    """A point where a solver begins: a list of numbers is an array, as for SciPy; else a tree."""
    listed = isinstance(tree, list | tuple) and not hasattr(tree, "_fields")
    if listed and all(isinstance(entry, int | float | np.number) for entry in tree):
        return np.asarray(tree, float)
    return trees.map(_floating, tree)


def _floating(leaf: Any) -> Any:
    leaf = lifted(leaf)
    if isinstance(leaf, Traced) or not isinstance(leaf, bool | int | np.ndarray | np.generic):
        return leaf
    return np.asarray(leaf, float)[()] if np.asarray(leaf).dtype.kind in "biu" else leaf
