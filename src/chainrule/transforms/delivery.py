"""Where results go: into arrays that the caller gives, or into those that it gives up."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import errors, trees
from chainrule.graph.node import callers_place


def into(out: Any, result: Any) -> Any:
    """`out`, a tree of arrays, after the result was written into it; the result without one."""
    if out is None:
        return result
    arrays, structure = trees.flatten(out)
    leaves, other = trees.flatten(result)
    if structure != other:
        raise errors.StructureError(
            f"out= at {callers_place()} has the structure {structure}, and the result {other}"
        )
    for array, leaf in zip(arrays, leaves, strict=True):
        shape, dtype = np.shape(leaf), getattr(leaf, "dtype", np.dtype(type(leaf)))
        fits = isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype
        if not fits or not array.flags.writeable:
            given = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else array
            raise errors.ShapeError(
                f"out= at {callers_place()} is given {given} for a result of {dtype}{list(shape)}; "
                "it has to be a writable array of that dtype and shape"
            )
    for array, leaf in zip(arrays, leaves, strict=True):
        np.copyto(array, leaf)
    return out


def donated(positions: tuple[int, ...], args: tuple[Any, ...], result: Any) -> Any:
    """The result, with leaves moved into donated arrays of their shape and dtype."""
    free: list[np.ndarray[Any, Any]] = []
    for position in positions:
        if not -len(args) <= position < len(args):
            raise errors.ArgnumsError(
                f"donate={positions} at {callers_place()}: the call has {len(args)} positional "
                "arguments"
            )
        for leaf in trees.flatten(args[position])[0]:
            if type(leaf) is np.ndarray and leaf.flags.writeable:
                free.append(leaf)
            elif isinstance(leaf, np.ndarray):
                raise errors.InputError(
                    f"argument {position} at {callers_place()} is donated, and holds a read-only "
                    "array or a subclass; donate writable arrays"
                )
    leaves, structure = trees.flatten(result)
    for k, leaf in enumerate(leaves):
        for j, array in enumerate(free):
            same = isinstance(leaf, np.ndarray) and leaf.shape == array.shape
            if same and leaf.dtype == array.dtype:
                np.copyto(array, leaf)
                leaves[k] = free.pop(j)
                break
    return trees.unflatten(structure, leaves)
