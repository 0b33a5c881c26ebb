"""Reading and writing entries by position: slices, index arrays and masks.

An index is split into a template, which is static, and its arrays, which are inputs of the
operation: gather and scatter, not constants of the graph.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from chainrule.graph import Traced, composition
from chainrule.primitives.declare import Linear, linear
from chainrule.primitives.fit import sum_to
from chainrule.primitives.samples import case, normal

_HOLE = object()
Index = tuple[Any, ...]


class Template(tuple[Any, ...]):
    """An index whose arrays are holes, to be filled by the inputs of the operation in order."""

    __slots__ = ()

    def fill(self, arrays: tuple[Any, ...]) -> Index:
        if not arrays:
            return tuple(self)
        remaining = iter(arrays)
        return tuple(next(remaining) if part is _HOLE else part for part in self)

    def __repr__(self) -> str:
        parts = ["array" if part is _HOLE else _part_text(part) for part in self]
        return f"[{', '.join(parts)}]"


def _part_text(part: Any) -> str:
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop)]
        return ":".join(ends) + (f":{part.step}" if part.step is not None else "")
    return "..." if part is Ellipsis else str(part)


def split_index(index: Any) -> tuple[Template, tuple[Any, ...]]:
    """`index` as a template and the arrays that fill its holes."""
    parts: list[Any] = []
    arrays: list[Any] = []
    for part in index if type(index) is tuple else (index,):
        kind = type(part)
        if kind is int or kind is slice or part is None or part is Ellipsis:
            parts.append(part)
        elif kind is builtins.bool or isinstance(part, np.bool_):
            parts.append(_HOLE)
            arrays.append(np.asarray(part))
        elif isinstance(part, Traced | np.ndarray):
            parts.append(_HOLE)
            arrays.append(part)
        elif isinstance(part, list | tuple):
            parts.append(_HOLE)
            arrays.append(np.asarray(part, dtype=None if part else np.intp))
        else:
            parts.append(part.__index__() if hasattr(part, "__index__") else part)
    return Template(parts), tuple(arrays)


def _get(x: Any, *arrays: Any, template: Template) -> Any:
    return x[template.fill(arrays)]


def _scatter(g: Any, *arrays: Any, template: Template, to: tuple[int, ...]) -> Any:
    """Zeros of shape `to` with `g` added at the index; repeated positions add up."""
    out = np.zeros(to, g.dtype)
    index = template.fill(arrays)
    if not arrays or builtins.all(array.dtype.kind == "b" for array in arrays):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


entries: Linear = linear(
    "getitem",
    compute=_get,
    inputs=None,
    transposed=lambda g, rest, shape, template: scatter_entries(
        g, *rest, template=template, to=shape
    ),
    latex="{x1}[{template}]",
    samples=[
        case(normal(5), template=Template((slice(1, 4),))),
        case(normal(3, 4), template=Template((Ellipsis, None, slice(None, None, -2)))),
        case(normal(3, 4), template=Template((1,))),
        case(normal(3, 4), np.array([0, 2, 0]), template=Template((_HOLE,))),
        case(
            normal(3, 4), np.array([0, 2]), np.array([[3], [1]]), template=Template((_HOLE, _HOLE))
        ),
        case(normal(3), np.array([True, False, True]), template=Template((_HOLE,))),
    ],
)
scatter_entries: Linear = linear(
    "scatter",
    compute=_scatter,
    inputs=None,
    transposed=lambda g, rest, template: entries(g, *rest, template=template),
    latex=r"\operatorname{{scatter}}({x1}, {template})",
    samples=[
        case(normal(3), template=Template((slice(1, 4),)), to=(5,)),
        case(normal(3), np.array([0, 2, 0]), template=Template((_HOLE,)), to=(4,)),
    ],
)


def _set(x: Any, v: Any, *arrays: Any, template: Template) -> Any:
    x = np.array(x, dtype=x.dtype)
    x[template.fill(arrays)] = v
    return x


def _transposed_set(g: Any, rest: Any, shape: Any, i: int, template: Template) -> Any:
    """To the array: the cotangent with zeros where it was written; to the value: what was there.

    Of positions that an index array repeats only the last write survives, so only it counts.
    """
    arrays = rest[1:]
    if i == 0:
        return written(g, np.zeros((), g.dtype), *arrays, template=template)
    g_value = entries(g, *arrays, template=template)
    if builtins.any(array.dtype.kind != "b" for array in arrays):
        index = template.fill(arrays)
        order = np.arange(g_value.size).reshape(g_value.shape)
        last = np.zeros(g.shape, order.dtype)
        last[index] = order
        g_value = np.where(last[index] == order, g_value, 0)
    return sum_to(g_value, shape)


written = linear(
    "setitem",
    compute=_set,
    inputs=None,
    transposed=_transposed_set,
    latex="{x1}[{template}] = {x2}",
    samples=[
        case(normal(5), normal(3), template=Template((slice(1, 4),))),
        case(normal(3, 4), normal(), template=Template((1,))),
        case(normal(3, 4), normal(3, 4), np.array([0, 2, 0]), template=Template((_HOLE,))),
        case(normal(3), normal(), np.array([True, False, True]), template=Template((_HOLE,))),
    ],
)


def get_entries(x: Any, index: Any) -> Any:
    """x[index]."""
    template, arrays = split_index(index)
    return entries(x, *arrays, template=template)


def set_entries(x: Any, value: Any, index: Any) -> Any:
    """`x` with x[index] = value, as a new array."""
    template, arrays = split_index(index)
    if isinstance(value, list | tuple):
        value = np.asarray(value)
    return written(x, value, *arrays, template=template)


def add_at(x: Any, index: Any, value: Any) -> Any:
    """`x` with `value` added at the index; repeated positions add up, as in `np.add.at`."""
    template, arrays = split_index(index)
    shape = np.shape(x[index])
    return x + scatter_entries(
        np.broadcast_to(value, shape), *arrays, template=template, to=x.shape
    )


@composition(np.take)
def take(a: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    if axis is None:
        a, axis = np.ravel(a), 0
    indices = np.asarray(indices) if isinstance(indices, list | tuple | int) else indices
    if mode == "clip":
        indices = np.clip(indices, 0, a.shape[axis] - 1)
    elif mode == "wrap":
        indices = indices % a.shape[axis]
    return a[(slice(None),) * (axis % a.ndim) + (indices,)]


@composition(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = axis % arr.ndim
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    index[axis] = indices
    return arr[tuple(index)]


@composition(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = a.shape[-2:]
    length = builtins.max(
        0, builtins.min(rows + builtins.min(offset, 0), columns - builtins.max(offset, 0))
    )
    steps = np.arange(length)
    return a[..., steps - builtins.min(offset, 0), steps + builtins.max(offset, 0)]


@composition(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a diagonal."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    steps, size = np.arange(v.shape[0]), v.shape[0] + abs(k)
    index = (steps - builtins.min(k, 0), steps + builtins.max(k, 0))
    template, arrays = split_index(index)
    return scatter_entries(v, *arrays, template=template, to=(size, size))


@composition(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(v), k)


@composition(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@composition(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return np.positive(a)
