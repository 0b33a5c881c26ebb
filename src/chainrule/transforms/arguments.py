"""The arguments of a differentiated call, taken apart into the leaves that carry derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import errors, trees
from chainrule.graph import Traced, is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.tracing.dispatch import lifted

Argnums = int | tuple[int, ...] | list[int]
_FIRST = [0]


class Arguments:
    """`args` with the floating leaves of the arguments `argnums` in the list `leaves`.

    Leaves that are not numbers are static; integers and truth values pass through, with gradient
    None. A single array in front, the commonest call, is not sent through lists and trees.
    """

    __slots__ = ("_indices", "_parts", "argnums", "args", "leaves")

    def __init__(self, title: str, args: tuple[Any, ...], argnums: Argnums) -> None:
        self.args = args
        self.argnums = argnums
        self._parts: list[tuple[list[Any], Any, list[int]]] = []
        if argnums == 0 and args and type(args[0]) is np.ndarray and args[0].dtype.kind in "fc":
            self._indices = [0]
            self._parts.append(([args[0]], None, [0]))
            self.leaves: list[Any] = [args[0]]
            return
        self._indices = positions(title, argnums, len(args))
        self.leaves = []
        for index in self._indices:
            leaves, treedef = taken_apart(args[index])
            floating = [k for k, leaf in enumerate(leaves) if is_inexact(leaf)]
            if not floating:
                raise errors.InputError(_no_number(title, index, args[index], leaves))
            self._parts.append((leaves, treedef, floating))
            self.leaves += [leaves[k] for k in floating]

    def replaced(self, leaves: list[Any]) -> tuple[Any, ...]:
        """The arguments with other leaves, in the order of `self.leaves`."""
        if len(leaves) == 1 and self._indices == _FIRST and self._parts[0][1] is None:
            return (leaves[0], *self.args[1:])
        args = list(self.args)
        remaining = iter(leaves)
        for index, (old, treedef, floating) in zip(self._indices, self._parts, strict=True):
            new = list(old)
            for k in floating:
                new[k] = next(remaining)
            args[index] = put_together(treedef, new)
        return tuple(args)

    def packed(self, derivatives: list[Any]) -> Any:
        """Derivatives, one per leaf, as trees like the arguments; a tuple where argnums is one."""
        if not isinstance(self.argnums, tuple | list) and self._parts[0][1] is None:
            return derivatives[0]
        packed = []
        remaining = iter(derivatives)
        for leaves, treedef, floating in self._parts:
            filled: list[Any] = [None] * len(leaves)
            for k in floating:
                filled[k] = next(remaining)
            packed.append(put_together(treedef, filled))
        return tuple(packed) if isinstance(self.argnums, tuple | list) else packed[0]

    def like(self, title: str, trees_given: tuple[Any, ...]) -> list[Any]:
        """The leaves of trees that have the structure of the arguments, such as tangents."""
        if len(trees_given) != len(self._indices):
            raise errors.StructureError(
                f"{title} at {callers_place()} has {len(self._indices)} arguments and "
                f"{len(trees_given)} tangents; give one tangent for each"
            )
        found: list[Any] = []
        for (_, treedef, floating), tree in zip(self._parts, trees_given, strict=True):
            leaves = leaves_like(title, treedef, tree)
            found += [leaves[k] for k in floating]
        for leaf, other in zip(self.leaves, found, strict=True):
            if np.shape(other) != np.shape(leaf):
                raise errors.StructureError(
                    f"{title} at {callers_place()}: a tangent of shape {np.shape(other)} for an "
                    f"argument of shape {np.shape(leaf)}; the two must be the same"
                )
        return found


def positions(title: str, argnums: Argnums, count: int) -> list[int]:
    """`argnums` as non-negative positions."""
    if type(argnums) is int and 0 <= argnums < count:
        return [argnums]
    given = tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)
    for argnum in given:
        if not isinstance(argnum, int | np.integer) or not -count <= argnum < count:
            raise errors.ArgnumsError(
                f"{title} at {callers_place()} is asked for argnums={argnums!r}, but the call has "
                f"{count} positional argument{'s' if count != 1 else ''}; they count from 0, and "
                "keyword arguments are not differentiated"
            )
    found = [int(argnum) % count for argnum in given]
    if len(set(found)) < len(found):
        raise errors.ArgnumsError(
            f"{title} at {callers_place()} is asked for argnums={argnums!r}, which names an "
            "argument twice; name each once"
        )
    return found


_LONE = (np.ndarray, np.generic, Traced, float)


def taken_apart(tree: Any) -> tuple[list[Any], Any]:
    """Leaves and structure; the structure of a lone leaf is None."""
    if isinstance(tree, _LONE):
        return [lifted(tree)], None
    leaves, treedef = trees.flatten(tree)
    return [lifted(leaf) for leaf in leaves], treedef


def numbers_in(leaves: list[Any]) -> list[int]:
    """The places of the leaves that an operation has to be given: floating or traced ones.

    Traced integers have no derivative, but differ between the examples of a vmap.
    """
    return [k for k, leaf in enumerate(leaves) if is_inexact(leaf) or isinstance(leaf, Traced)]


def put_together(treedef: Any, leaves: list[Any]) -> Any:
    return leaves[0] if treedef is None else trees.unflatten(treedef, leaves)


def outline(treedef: Any) -> str:
    """The structure as Python writes it, with * for every leaf: (*, {'w': *})."""
    if treedef is None:
        return "*"
    return repr(trees.unflatten(treedef, [_Star()] * treedef.num_leaves))


class _Star:
    def __repr__(self) -> str:
        return "*"


def article(value: Any) -> str:
    """What a value is, in words: a float, an array of shape (3,)."""
    if isinstance(value, np.ndarray | Traced) and spec_of(value).shape:
        return f"an array of shape {spec_of(value).shape}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def leaves_like(title: str, treedef: Any, tree: Any) -> list[Any]:
    """The leaves of `tree`, which must have the structure `treedef`."""
    if treedef is None:
        if isinstance(tree, list | tuple):
            return [np.asarray(tree)]
        return [tree]
    leaves, other = trees.flatten(tree)
    if other != treedef:
        raise errors.StructureError(
            f"{title} at {callers_place()} expects a tree of the structure {outline(treedef)}, and "
            f"was given {outline(other)}; give it one entry where * stands for each"
        )
    return leaves


def _no_number(title: str, index: int, argument: Any, leaves: list[Any]) -> str:
    """The sentence for an argument without a floating point number in it."""
    where = f"{title} at {callers_place()} cannot differentiate argument {index}"
    whole = [leaf for leaf in leaves if isinstance(leaf, int | np.ndarray | np.generic | Traced)]
    if whole:
        spec = spec_of(whole[0])
        if spec.dtype.kind in "biu":
            return (
                f"{where}: its numbers are integers ({spec}), which have no derivative; pass "
                "floating point, such as 3.0 or x.astype(float)"
            )
        return f"{where}: an array of {spec.dtype} holds no floating point numbers"
    return (
        f"{where}: a {type(argument).__name__} holds no numbers; pass floats, arrays, or lists, "
        "tuples and dicts of them"
    )
