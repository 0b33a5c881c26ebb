"""One call of a function with rules of its own, as a function of its floating leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chainrule.graph import Traced, is_inexact
from chainrule.transforms.arguments import put_together, taken_apart

Function = Callable[..., Any]
INPUT, OUTPUT, OWN, STATIC = range(4)


class Stated(NamedTuple):
    """What the user stated: one run that saves, and the rules of one mode or of both."""

    forward: Function  # (*args, **options) -> (result, saved)
    backward: Function | None  # (saved, g) -> cotangents
    jvp: Function | None  # (args, tangents, **options) -> tangent of the result


class Call:
    """The arguments of one call without their arrays, and what its backward pass reads.

    `saved_from` says of each saved leaf where it comes from: an input, an output, an array of its
    own (then it is a further output of the operation), or nothing that can carry a derivative.
    """

    __slots__ = ("_parts", "nested", "options", "results", "saved_from", "saved_tree", "treedef")

    def __init__(self, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.options = options
        self._parts: list[tuple[list[Any], Any, list[int]]] = []
        # Only a derivative of a derivative asks how what was saved depends on the arguments.
        self.nested = False
        for arg in args:
            leaves, treedef = taken_apart(arg)
            floating = [k for k, leaf in enumerate(leaves) if is_inexact(leaf)]
            for k in floating:
                leaf, leaves[k] = leaves[k], None
                if isinstance(leaf, Traced) and isinstance(leaf.value, Traced):
                    self.nested = True
            self._parts.append((leaves, treedef, floating))
        self.results = 0
        self.treedef: Any = None
        self.saved_from: list[tuple[int, Any]] = []
        self.saved_tree: Any = None

    def __repr__(self) -> str:
        return f"call with {len(self._parts)} argument{'s' if len(self._parts) != 1 else ''}"

    def args(self, floating_leaves: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments with these arrays in them."""
        remaining = iter(floating_leaves)
        args = []
        for leaves, treedef, floating in self._parts:
            filled = list(leaves)
            for k in floating:
                filled[k] = next(remaining)
            args.append(put_together(treedef, filled))
        return tuple(args)

    def tangents(self, floating_leaves: Sequence[Any]) -> tuple[Any, ...]:
        """Trees like the arguments, None in the place of what carries no tangent."""
        remaining = iter(floating_leaves)
        trees = []
        for leaves, treedef, floating in self._parts:
            filled: list[Any] = [None] * len(leaves)
            for k in floating:
                filled[k] = next(remaining)
            trees.append(put_together(treedef, filled) if floating else None)
        return tuple(trees)

    def cotangents(self, given: Any) -> list[Any] | None:
        """The leaves of what a backward rule returned; None where its trees do not fit."""
        parts = given if isinstance(given, tuple) else (given,)
        if len(parts) != len(self._parts):
            return None
        found: list[Any] = []
        for part, (leaves, treedef, floating) in zip(parts, self._parts, strict=True):
            mine: list[Any] = [None] * len(leaves)
            if part is not None:
                mine, other = taken_apart(part)
                if not same_structure(other, treedef):
                    return None
            found += [mine[k] for k in floating]
        return found

    def finish(self, result: Any, saved: Any, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Note the structure of a result and of what was saved; (results, arrays of its own)."""
        outs, self.treedef = taken_apart(result)
        parts, self.saved_tree = taken_apart(saved)
        self.results = len(outs)
        self.saved_from = []
        own: list[Any] = []
        static = list(self.options.values())
        for part in parts:
            source = _position(part, inputs, INPUT) or _position(part, outs, OUTPUT)
            if source is None and is_inexact(part) and not any(part is value for value in static):
                source = OWN, len(outs) + len(own)
                own.append(part)
            self.saved_from.append(source or (STATIC, part))
        return outs, own

    @property
    def keeps_inputs(self) -> bool:
        return any(kind in (INPUT, OWN) for kind, _ in self.saved_from)

    def saved(self, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
        """The tree that `forward` saved, from the values of this level."""
        sources = {INPUT: xs, OUTPUT: ys, OWN: ys}
        leaves = [what if kind == STATIC else sources[kind][what] for kind, what in self.saved_from]
        return put_together(self.saved_tree, leaves)

    def own_of(self, saved: Any) -> tuple[Any, ...]:
        """The arrays of its own among what a run saved."""
        parts, _ = taken_apart(saved)
        kinds = [kind for kind, _ in self.saved_from]
        return tuple(part for part, kind in zip(parts, kinds, strict=True) if kind == OWN)


def same_structure(one: Any, other: Any) -> bool:
    """Whether two trees have one structure; that of a lone leaf is None or a leaf."""

    def lone(treedef: Any) -> bool:
        return treedef is None or bool(treedef.is_leaf())

    return bool((lone(one) and lone(other)) or one == other)


def _position(part: Any, leaves: Sequence[Any], kind: int) -> tuple[int, Any] | None:
    return next(((kind, k) for k, leaf in enumerate(leaves) if leaf is part), None)
