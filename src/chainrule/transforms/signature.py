"""What a call of a compiled function looks like: its leaves, and the key of what fits it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
import optree

from chainrule import errors, trees
from chainrule.graph import Spec, Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.dispatch import lifted

WEAK = (float, complex)
_NUMERIC = "biufc"


class Call(NamedTuple):
    """The arguments of one call, taken apart.

    `arrays` are the leaves that are inputs of a graph, at the positions `dynamic`; all others are
    static. Calls with equal keys fit the same specialisations.
    """

    key: Any
    leaves: list[Any]
    treedef: Any
    dynamic: tuple[int, ...]
    arrays: list[Any]

    def with_inputs(self, inputs: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments with other inputs in the places of the arrays."""
        leaves = list(self.leaves)
        for k, value in zip(self.dynamic, inputs, strict=True):
            leaves[k] = value
        return self.with_leaves(leaves)

    def with_leaves(self, leaves: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments of this structure with other leaves."""
        if self.treedef is None:
            return tuple(leaves), {}
        tree: Any = optree.tree_unflatten(self.treedef, leaves)
        return tree[0], tree[1]


def call_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """The call, or None where an argument belongs to a running transform."""
    if not kwargs and all(type(a) is np.ndarray and a.dtype.kind in _NUMERIC for a in args):
        leaves, treedef = list(args), None
        if all(a.dtype.isnative for a in args):
            parts = tuple([array_part(a) for a in args])
            return Call((None, parts), leaves, None, tuple(range(len(args))), leaves)
    else:
        leaves, treedef = trees.flatten((args, kwargs))
    parts_found: list[Any] = []
    dynamic: list[int] = []
    for k, leaf in enumerate(leaves):
        if isinstance(leaf, np.ndarray):
            leaf = leaves[k] = _array(leaf)
        if isinstance(leaf, Traced):
            return None
        if isinstance(leaf, np.ndarray):
            parts_found.append(array_part(leaf))
            dynamic.append(k)
        elif isinstance(leaf, np.number | np.bool_):
            parts_found.append(("scalar", leaf.dtype))
            dynamic.append(k)
        elif type(leaf) in WEAK:
            parts_found.append(type(leaf))
            dynamic.append(k)
        else:
            parts_found.append(_static(leaf))
    key = (treedef, tuple(parts_found))
    return Call(key, leaves, treedef, tuple(dynamic), [leaves[k] for k in dynamic])


def array_part(array: np.ndarray[Any, Any]) -> Hashable:
    """Shape, dtype and layout: a view of the argument is one or not, depending on its layout."""
    if array.flags.c_contiguous:
        return array.shape, array.dtype
    return array.shape, array.dtype, array.strides


def _array(array: np.ndarray[Any, Any]) -> Any:
    """An array argument as a plain one of numbers in the order of this machine."""
    if isinstance(array, np.matrix | np.ma.MaskedArray):
        raise errors.InputError(
            f"a compiled function at {callers_place()} is given a {type(array).__name__}, whose "
            "operators mean something else than those of arrays; pass np.asarray(it)"
        )
    array = array.view(np.ndarray) if type(array) is not np.ndarray else array
    if array.dtype.kind == "O":
        found = lifted(array)
        if isinstance(found, Traced):
            return found
        array = found
    if array.dtype.kind not in _NUMERIC:
        raise errors.InputError(
            f"a compiled function at {callers_place()} is given an array of {array.dtype}, which "
            "holds no numbers; pass floating point, integer or boolean arrays"
        )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _static(leaf: Any) -> Hashable:
    try:
        hash(leaf)
    except TypeError:
        raise errors.InputError(
            f"a compiled function at {callers_place()} is given a {type(leaf).__name__}, which is "
            "neither an array nor a number nor hashable, so calls with equal ones cannot be "
            "recognised; pass arrays, numbers, texts, or lists, tuples and dicts of them"
        ) from None
    return type(leaf), leaf


def differences(old: Any, new: Any, names: Callable[[Any], list[str]]) -> list[str]:
    """What of a key has changed, in words; `names` gives the names of the leaves of a structure."""
    (old_tree, old_parts), (new_tree, new_parts) = old, new
    if old_tree != new_tree or len(old_parts) != len(new_parts):
        return ["the arguments form another tree, or are passed another way"]
    found = []
    for name, before, after in zip(names((new_tree, new_parts)), old_parts, new_parts, strict=True):
        if before != after:
            advice = ""
            if isinstance(after, tuple) and after[0] is int:
                advice = " (an integer is part of the program; np.asarray of it would be an input)"
            found.append(f"{name} was {_words(before)}, now {_words(after)}{advice}")
    return found


def _words(part: Any) -> str:
    if isinstance(part, type):
        return f"a Python {part.__name__}"
    if isinstance(part[0], type):
        return repr(part[1])
    if part[0] == "scalar":
        return f"a {part[1]} scalar"
    text = str(Spec(part[0], part[1]))
    return f"{text} with strides {part[2]}" if len(part) > 2 else text


def only_leading_differs(old: Any, new: Any) -> bool:
    """Whether two keys differ in nothing but the first axis of some arrays."""
    (old_tree, old_parts), (new_tree, new_parts) = old, new
    if old_tree != new_tree or len(old_parts) != len(new_parts):
        return False
    return all(a == b or _same_but_leading(a, b) for a, b in zip(old_parts, new_parts, strict=True))


def _same_but_leading(a: Any, b: Any) -> bool:
    is_array = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b) == 2
    if not is_array or not (isinstance(a[0], tuple) and isinstance(b[0], tuple)):
        return False
    return bool(a[0] and b[0] and a[0][1:] == b[0][1:] and a[1] == b[1])
