"""A tree of numbers as one vector and back, so that code which takes vectors takes trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import errors, trees
from chainrule.graph import Traced, is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.tracing.dispatch import lifted
from chainrule.transforms.arguments import put_together, taken_apart


def vector(leaves: Sequence[Any]) -> Any:
    """All entries of some arrays in one row of its own."""
    return np.concatenate([np.ravel(leaf) for leaf in leaves]) if leaves else np.zeros(0)


def split(vector: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """The arrays of these shapes whose entries stand in `vector`, one after the other."""
    parts, start = [], 0
    for shape in shapes:
        stop = start + int(np.prod(shape, dtype=int))
        parts.append(np.reshape(vector[start:stop], shape)[()])
        start = stop
    return parts


def flatten(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All floating point numbers of a tree as one vector, and the function that puts them back.

    Both are made of NumPy functions, so derivatives pass through either. Other leaves (integers,
    texts, None) are not in the vector; `unflatten` puts the ones that were given in their places.
    The vector has the dtype of all leaves together, each leaf of `unflatten` its own. Complex
    numbers beside real ones have no such vector. Raises InputError, ShapeError.

    >>> vector, unflatten = flatten({"w": np.eye(2), "b": 3.0, "steps": 7})
    >>> vector
    array([3., 1., 0., 0., 1.])
    >>> unflatten(2 * vector)
    {'w': array([[2., 0.],
           [0., 2.]]), 'b': np.float64(6.0), 'steps': 7}
    """
    leaves, treedef = taken_apart(tree)
    floating = [k for k, leaf in enumerate(leaves) if is_inexact(leaf)]
    specs = [spec_of(leaves[k]) for k in floating]
    if len({spec.dtype.kind for spec in specs}) > 1:
        raise errors.InputError(
            f"flatten at {callers_place()} is given real and complex numbers, which make no vector "
            "that can be put back; flatten np.real and np.imag of the complex ones"
        )
    flat = vector([leaves[k] for k in floating])
    size = flat.size
    rest = [None if k in floating else leaf for k, leaf in enumerate(leaves)]

    def unflatten(vector: Any) -> Any:
        if np.shape(vector) != (size,):
            raise errors.ShapeError(
                f"a vector of shape {np.shape(vector)} at {callers_place()} is to become a tree of "
                f"{size} numbers"
            )
        filled: list[Any] = list(rest)
        parts = split(vector, [spec.shape for spec in specs])
        for k, part, spec in zip(floating, parts, specs, strict=True):
            filled[k] = part if part.dtype == spec.dtype else part.astype(spec.dtype)
        return put_together(treedef, filled)

    return flat, unflatten


class Layout:
    """Where each leaf of a tree of real numbers stands in a vector, for the solver `title`."""

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
        self.size = sum(map(np.size, leaves))

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
        return put_together(self._treedef, split(vector, self.shapes))


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
