"""A tree of arrays as one vector and back, so that code which takes vectors takes trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import put_together, taken_apart


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
    kinds = {spec.dtype.kind for spec in specs}
    if len(kinds) > 1:
        raise errors.InputError(
            f"flatten at {callers_place()} is given real and complex numbers, which make no vector "
            "that can be put back; flatten np.real and np.imag of the complex ones"
        )
    parts = [np.reshape(leaves[k], (-1,)) for k in floating]
    vector = np.concatenate(parts) if parts else np.zeros(0)
    size = vector.shape[0]
    rest = [None if k in floating else leaf for k, leaf in enumerate(leaves)]

    def unflatten(vector: Any) -> Any:
        if np.shape(vector) != (size,):
            raise errors.ShapeError(
                f"a vector of shape {np.shape(vector)} at {callers_place()} is to become a tree of "
                f"{size} numbers"
            )
        filled: list[Any] = list(rest)
        start = 0
        for k, spec in zip(floating, specs, strict=True):
            stop = start + int(np.prod(spec.shape, dtype=int))
            part = np.reshape(vector[start:stop], spec.shape)
            filled[k] = part if part.dtype == spec.dtype else part.astype(spec.dtype)
            filled[k] = filled[k] if spec.shape else filled[k][()]
            start = stop
        return put_together(treedef, filled)

    return vector, unflatten
