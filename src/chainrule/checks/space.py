"""The floating leaves of a call as one real vector: a complex number counts as two coordinates.

⟨a, b⟩ = Σ Re(conj(a) b),   the inner product in which `vjp` is the adjoint of `jvp`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import Arguments, taken_apart

Leaves = list[Any]
Vector = np.ndarray[Any, np.dtype[np.float64]]
Map = Callable[[Leaves], Leaves]
OWN_SCALE = 1e-4


def to_vector(leaves: Leaves) -> Vector:
    """All coordinates in order, in float64; of a complex number first the real part."""
    parts = [np.empty(0)]
    for leaf in leaves:
        kind = np.complex128 if spec_of(leaf).dtype.kind == "c" else np.float64
        parts.append(np.ascontiguousarray(leaf, kind).reshape(-1).view(np.float64))
    return np.concatenate(parts)


def from_vector(vector: Vector, like: Leaves) -> Leaves:
    """Leaves with these coordinates, and with the shapes and dtypes of the leaves `like`."""
    leaves, start = [], 0
    for leaf in like:
        spec = spec_of(leaf)
        stop = start + coordinates(leaf)
        numbers = vector[start:stop]
        if spec.dtype.kind == "c":
            numbers = np.ascontiguousarray(numbers).view(np.complex128)
        array = numbers.astype(spec.dtype).reshape(spec.shape)[()]
        # a Python number stays one: it is weak beside float32 arrays
        leaves.append(array.item() if type(leaf) in (float, complex) else array)
        start = stop
    return leaves


def in_double(leaves: Leaves) -> Leaves:
    """The same numbers in float64 or complex128."""
    return [
        np.asarray(leaf, np.complex128 if spec_of(leaf).dtype.kind == "c" else np.float64)[()]
        for leaf in leaves
    ]


def coordinates(leaf: Any) -> int:
    """How many real numbers one leaf holds."""
    spec = spec_of(leaf)
    return int(np.prod(spec.shape, dtype=int)) * (2 if spec.dtype.kind == "c" else 1)


def extents(leaves: Leaves) -> Vector:
    """For each coordinate the largest number of its leaf, or 1 where all are 0."""
    parts = [np.empty(0)]
    for leaf in leaves:
        largest = float(np.max(np.abs(leaf), initial=0.0))
        usable = largest > 0 and np.isfinite(largest)
        parts.append(np.full(coordinates(leaf), largest if usable else 1.0))
    return np.concatenate(parts)


def sizes(leaves: Leaves) -> Vector:
    """For each coordinate the unit in which to change it: its own size, else that of its leaf.

    Logarithms and roots bend on the scale of their argument; but a coordinate that is nearly 0
    beside the others, such as a rounding error, says nothing about a scale.
    """
    own, largest = np.abs(to_vector(leaves)), extents(leaves)
    return np.where(own > OWN_SCALE * largest, own, largest)


def epsilon(*groups: Leaves) -> float:
    """The spacing at 1 of the coarsest dtype."""
    found = [float(np.finfo(spec_of(leaf).dtype).eps) for leaves in groups for leaf in leaves]
    return max(found, default=float(np.finfo(np.float64).eps))


def unit(position: int, size: int) -> Vector:
    vector = np.zeros(size)
    vector[position] = 1.0
    return vector


def label(position: int, leaves: Leaves, names: list[str]) -> str:
    """The coordinate as a person writes it: `x[2, 1]`, `the imaginary part of x[0]`."""
    for leaf, name in zip(leaves, names, strict=True):
        count = coordinates(leaf)
        if position >= count:
            position -= count
            continue
        spec = spec_of(leaf)
        part = ""
        if spec.dtype.kind == "c":
            part = ("the real part of ", "the imaginary part of ")[position % 2]
            position //= 2
        index = ", ".join(str(k) for k in np.unravel_index(position, spec.shape))
        return f"{part}{name}[{index}]" if spec.shape else f"{part}{name}"
    raise IndexError(f"{position} coordinates past the last leaf")


class Problem:
    """A function and a point, reduced to leaves: `function` maps floating leaves to such leaves.

    `names` are those of the leaves at the point, in the words of the user's code.
    """

    __slots__ = ("_arguments", "_f", "names", "point", "title")

    def __init__(self, title: str, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if not isinstance(args, tuple | list):
            raise errors.InputError(
                f"{title} at {callers_place()} takes the arguments of {name_of(f)} as one tuple, "
                f"such as (x,) for a single one, not {type(args).__name__}"
            )
        self.title = title
        self._f = f
        args = tuple(args)
        self._arguments = Arguments(title, args, tuple(range(len(args))))
        self.point: Leaves = self._arguments.leaves
        self.names = names_of_leaves(f, args)

    def function(self, leaves: Leaves) -> Leaves:
        outs, _ = taken_apart(self._f(*self._arguments.replaced(leaves)))
        return [out for out in outs if is_inexact(out)]

    def result(self) -> tuple[Leaves, list[str]]:
        """The floating leaves of the value at the point, and their names."""
        tree = self._f(*self._arguments.replaced(list(self.point)))
        outs, treedef = taken_apart(tree)
        named = zip(outs, _paths(treedef, "result"), strict=True)
        found = [(out, name) for out, name in named if is_inexact(out)]
        if not found:
            raise errors.OutputError(
                f"{self.title} at {callers_place()}: {name_of(self._f)} returns no floating point "
                "number; return one, or an array or a tree of them"
            )
        return [out for out, _ in found], [name for _, name in found]


def name_of(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", "the function"))


def names_of_leaves(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """The floating leaves of `args` by the names of the parameters of `f`: `x`, `layer['W']`."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # some built-in functions have no signature
        parameters = []
    positional = [
        p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    names = []
    for position, tree in enumerate(args):
        leaves, treedef = taken_apart(tree)
        known = position < len(positional)
        name = positional[position] if known else f"argument {position}"
        named = zip(leaves, _paths(treedef, name), strict=True)
        names += [path for leaf, path in named if is_inexact(leaf)]
    return names


def _paths(treedef: Any, name: str) -> list[str]:
    if treedef is None:
        return [name]
    return [accessor.codify(name) for accessor in treedef.accessors()]
