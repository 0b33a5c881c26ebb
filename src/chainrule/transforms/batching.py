"""The same function on many examples at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule import errors, trees
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.batched import CONSTANT, Batched, BatchLevel
from chainrule.tracing.levels import Running, capture
from chainrule.tracing.telling import users_line
from chainrule.transforms.arguments import put_together, taken_apart

Function = Callable[..., Any]
Axes = Any
"""An axis, None, or a tree of them that is the beginning of the tree that they are for."""

_NUMBERS: Any = (np.ndarray, np.generic, Traced, bool, int, float, complex)


def vmap(f: Function, in_axes: Axes = 0, out_axes: Axes = 0) -> Function:
    """`f` for each example along an axis of its arguments, in one run, and the results stacked.

    in_axes    which axis of each argument counts the examples: one for all arguments, or a tuple
               with an entry for each. None: the argument is the same for all examples. An entry
               may be a tree of axes for the tree that the argument is. Axes may be negative.
    out_axes   where the axis stands in each result; None for a result that is the same for all.

    Inside `f` every array looks like that of one example. A value that the code reads, as in
    `if x > 0`, has to be the same for all examples; `np.where` has no such condition. Keyword
    arguments are handed on as they are. Nests with every other transform.

    Raises BatchError, ArgnumsError. Every operation runs once for all examples, as its record says,
    or else one example after the other.

    >>> import numpy as np
    >>> vmap(np.dot)(np.array([[1.0, 2.0], [3.0, 4.0]]), np.eye(2))
    array([1., 4.])
    >>> vmap(lambda a, x: a * np.sum(x), in_axes=(None, 1))(2.0, np.ones((3, 2)))
    array([6., 6.])
    """

    @functools.wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, treedef, axes = _arguments(args, in_axes)
        size = _size(leaves, axes)
        level = BatchLevel("vmap", size)
        with Running(level):
            inside = [_inside(level, *pair) for pair in zip(leaves, axes, strict=True)]
            out = _run(f, trees.unflatten(treedef, inside), kwargs)
            outs, out_treedef = taken_apart(out)
        places = _spread("out_axes", out_axes, out)
        results = [_result(level, y, axis) for y, axis in zip(outs, places, strict=True)]
        return put_together(out_treedef, results)

    return mapped


def _inside(level: BatchLevel, leaf: Any, axis: int | None) -> Any:
    """What stands for an argument inside the function; a shared array can be indexed there too."""
    if axis is not None:
        return level.mapped(capture(np.moveaxis(leaf, axis, 0)))
    numbers = isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc"
    return level.constant(capture(leaf)) if numbers else leaf


def _run(f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return f(*args, **kwargs)
    except IndexError as error:
        # NumPy's arrays do not ask an index of another kind what it can do.
        if isinstance(error, errors.ChainruleError) or "only integers, slices" not in str(error):
            raise
        raise errors.BatchError(
            f"a plain array is indexed at {users_line(error)} by an array that differs between the "
            "examples of a vmap, which it does not understand: make it an argument of the "
            "function, with None in in_axes"
        ) from error


def _arguments(args: tuple[Any, ...], in_axes: Axes) -> tuple[list[Any], Any, list[int | None]]:
    """The leaves of all arguments, their structure, and the axis of each leaf."""
    if isinstance(in_axes, tuple | list) and len(in_axes) != len(args):
        raise errors.ArgnumsError(
            f"vmap at {callers_place()} was given in_axes={in_axes!r} for {len(args)} positional "
            f"argument{'s' if len(args) != 1 else ''}; give one entry for each, or one for all"
        )
    axes: list[int | None] = []
    for k, argument in enumerate(args):
        given = in_axes[k] if isinstance(in_axes, tuple | list) else in_axes
        axes += _spread("in_axes", given, argument)
    leaves, treedef = trees.flatten(args)
    found: list[int | None] = []
    for leaf, axis in zip(leaves, axes, strict=True):
        if axis is None or not isinstance(leaf, _NUMBERS):
            found.append(None)  # names, functions and the like are the same for all examples
            continue
        ndim = np.ndim(leaf)
        if not -ndim <= axis < ndim:
            raise errors.ArgnumsError(
                f"vmap at {callers_place()} maps over axis {axis} of "
                f"{f'an array of shape {np.shape(leaf)}' if ndim else f'the number {leaf!r}'}, "
                "which has no such axis; say None in in_axes for what all examples share"
            )
        found.append(normalize_axis_index(axis, ndim))
    return leaves, treedef, found


def _spread(name: str, axes: Axes, tree: Any) -> list[int | None]:
    """One axis for each leaf of `tree`, from an axis or from the beginning of such a tree."""
    if axes is None or isinstance(axes, int | np.integer):
        return [axes if axes is None else int(axes)] * len(taken_apart(tree)[0])
    parts = axes
    if isinstance(axes, dict) and isinstance(tree, dict) and axes.keys() == tree.keys():
        parts, tree = [axes[k] for k in sorted(axes)], [tree[k] for k in sorted(tree)]
    if not isinstance(parts, tuple | list) or not isinstance(tree, tuple | list):
        raise _no_prefix(name, axes, tree)
    if len(parts) != len(tree):
        raise _no_prefix(name, axes, tree)
    return [axis for pair in zip(parts, tree, strict=True) for axis in _spread(name, *pair)]


def _no_prefix(name: str, axes: Axes, tree: Any) -> errors.StructureError:
    return errors.StructureError(
        f"vmap at {callers_place()}: {name}={axes!r} does not fit a {type(tree).__name__}; give an "
        "axis, None, or containers of axes like those of the value"
    )


def _size(leaves: list[Any], axes: list[int | None]) -> int:
    """How many examples there are; all arguments have to agree."""
    sizes: list[tuple[Any, int, int]] = [
        (np.shape(leaf), axis, np.shape(leaf)[axis])
        for leaf, axis in zip(leaves, axes, strict=True)
        if axis is not None
    ]
    if not sizes:
        raise errors.ArgnumsError(
            f"vmap at {callers_place()} has no axis to map over: every entry of in_axes is None, "
            "or no argument is an array"
        )
    if len({size for *_, size in sizes}) > 1:
        said = ", ".join(f"{size} along axis {axis} of {shape}" for shape, axis, size in sizes)
        raise errors.BatchError(
            f"vmap at {callers_place()} is given different numbers of examples: {said}"
        )
    return sizes[0][2]


def _result(level: BatchLevel, y: Any, axis: int | None) -> Any:
    """A result of `f` for all examples, an array of its own with their axis at `axis`."""
    mine = isinstance(y, Batched) and y.level is level
    differs = mine and y.mark != CONSTANT
    value = y.value if mine else y
    if axis is None:
        if differs:
            raise errors.BatchError(
                f"vmap at {callers_place()}: out_axes is None for a result that differs between "
                "the examples; give it an axis"
            )
        return value
    if not isinstance(value, _NUMBERS):
        raise errors.OutputError(
            f"vmap at {callers_place()}: the function returns a {type(value).__name__}, which "
            "cannot be stacked; return arrays, or say None in out_axes for it"
        )
    if not differs:
        value = np.broadcast_to(value, (level.size, *np.shape(value)))
    if not -np.ndim(value) <= axis < np.ndim(value):
        raise errors.ArgnumsError(
            f"vmap at {callers_place()}: out_axes={axis} for a result of shape "
            f"{np.shape(value)[1:]}, which then has {np.ndim(value)} axes"
        )
    value = np.moveaxis(value, 0, axis)
    return np.copy(value)
