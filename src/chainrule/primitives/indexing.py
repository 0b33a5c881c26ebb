"""Reading and writing entries by position: slices, index arrays and masks.

An index is split into a template, which is static, and its arrays, which are inputs of the
operation: gather and scatter, not constants of the graph.
"""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule import errors
from chainrule.graph import Traced, composition
from chainrule.graph.node import callers_place
from chainrule.primitives import batched_entries
from chainrule.primitives.arithmetic import astype
from chainrule.primitives.batching import Call, by_example
from chainrule.primitives.declare import Linear, flat, linear
from chainrule.primitives.fit import sum_to
from chainrule.primitives.samples import case, normal
from chainrule.primitives.views import View, view, view_composition

_HOLE = object()
Index = tuple[Any, ...]


class Template(tuple[Any, ...]):
    """An index whose arrays are holes, to be filled by the inputs of the operation in order."""

    __slots__ = ()
    hole = _HOLE

    def fill(self, arrays: tuple[Any, ...]) -> Index:
        if not arrays:
            return self
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
    if type(index) is int:
        return Template((index,)), ()
    if type(index) is slice:
        plain = type(index.start) in _ENDS and type(index.stop) in _ENDS and index.step is None
        return Template((index if plain else _plain_slice(index),)), ()
    parts: list[Any] = []
    arrays: list[Any] = []
    for part in index if type(index) is tuple else (index,):
        kind = type(part)
        if kind is int or part is None or part is Ellipsis:
            parts.append(part)
        elif kind is slice:
            parts.append(_plain_slice(part))
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


_ENDS = (int, type(None))


def _plain_slice(part: slice) -> slice:
    """A slice whose ends are Python integers, also where the code computed them."""
    if type(part.start) in _ENDS and type(part.stop) in _ENDS and type(part.step) in _ENDS:
        return part
    ends = (part.start, part.stop, part.step)
    return slice(*(None if end is None else operator.index(end) for end in ends))


def _get(x: Any, *arrays: Any, template: Template) -> Any:
    x = x if type(x) is np.ndarray else np.asarray(x)
    return x[template if not arrays else template.fill(arrays)]


def _scatter(g: Any, *arrays: Any, template: Template, to: tuple[int, ...]) -> Any:
    """Zeros of shape `to` with `g` added at the index; repeated positions add up."""
    out = np.zeros(to, g.dtype)
    if not arrays:
        out[template] = g
    elif builtins.all(array.dtype.kind == "b" for array in arrays):
        out[template.fill(arrays)] = g
    else:
        np.add.at(out, template.fill(arrays), g)
    return out


entries: View = view(
    "getitem",
    compute=_get,
    inputs=None,
    back=lambda base, y, template: written(base, y, template=template),
    transposed=lambda g, indices, shape, template: scatter_entries(
        g, *indices, template=template, to=shape
    ),
    latex="{x1}[{template}]",
    batch=batched_entries.getitem,
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
    transposed=lambda g, indices, template: entries(g, *indices, template=template),
    latex=r"\operatorname{{scatter}}({x1}, {template})",
    batch=batched_entries.scatter,
    samples=[
        case(normal(3), template=Template((slice(1, 4),)), to=(5,)),
        case(normal(3), np.array([0, 2, 0]), template=Template((_HOLE,)), to=(4,)),
    ],
)


def _set(x: Any, v: Any, *arrays: Any, template: Template) -> Any:
    x = np.array(x)
    x[template.fill(arrays)] = v
    return x


def _transposed_set(g: Any, indices: Any, shape: Any, i: int, template: Template) -> Any:
    """To the array: the cotangent with zeros where it was written; to the value: what was there.

    Of positions that an index array repeats only the last write survives, so only it counts.
    """
    arrays = indices
    if i == 0:
        return written(g, np.zeros((), g.dtype), *arrays, template=template)
    if shape == () and template == (_HOLE,) and arrays[0].dtype.kind == "b":
        mask = np.reshape(arrays[0], arrays[0].shape + (1,) * (g.ndim - arrays[0].ndim))
        return np.sum(np.where(mask, g, 0))  # without a count, which examples may differ in
    g_value = entries(g, *arrays, template=template)
    if builtins.any(array.dtype.kind != "b" for array in arrays):
        order = np.arange(g_value.size).reshape(g_value.shape)
        turn = written(np.zeros(g.shape, order.dtype), order, *arrays, template=template)
        last = entries(turn, *arrays, template=template) == order
        g_value = np.where(last, g_value, 0)
    return sum_to(g_value, shape)


written: Linear = linear(
    "setitem",
    compute=_set,
    inputs=None,
    transposed=_transposed_set,
    latex="{x1}[{template}] = {x2}",
    batch=batched_entries.setitem,
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
    return written(x, entry_values(x, value), *arrays, template=template)


def entry_values(x: Any, value: Any) -> Any:
    """What is written into `x`: whole numbers in a floating array are floating point."""
    if isinstance(value, list | tuple):
        value = np.asarray(value)
    if isinstance(value, bool):
        return float(value)
    whole = hasattr(value, "dtype") and value.dtype.kind in "biu"
    return value.astype(x.dtype) if whole and x.dtype.kind in "fc" else value


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
    indices = indices if isinstance(indices, Traced) else np.asarray(indices)
    if mode == "clip":
        indices = np.clip(indices, 0, a.shape[axis] - 1)
    elif mode == "wrap":
        indices = indices % a.shape[axis]
    return get_entries(a, (slice(None),) * normalize_axis_index(axis, a.ndim) + (indices,))


def _along(shape: tuple[int, ...], indices: Any, axis: int) -> Index:
    """The index that takes `indices` along one axis and every position along the others."""
    if np.ndim(indices) != len(shape):
        raise ValueError("`indices` and the array must have the same number of dimensions")
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in shape)])
    index[axis] = indices
    return tuple(index)


@composition(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return get_entries(arr, _along(arr.shape, indices, normalize_axis_index(axis, arr.ndim)))


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    if axis is None:
        arr, axis = arr.flat, 0
    arr[_along(arr.shape, indices, normalize_axis_index(axis, arr.ndim))] = values


@composition(np.sort)
def sort(
    a: Any,
    axis: int | None = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: bool | None = None,
) -> Any:
    """The entries in the order of `np.argsort`: a permutation, constant almost everywhere."""
    if axis is None:
        a, axis = np.ravel(a), -1
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind=kind, stable=stable), axis=axis)


def _transposed_diagonal(
    g: Any, shape: tuple[int, ...], offset: int, axis1: int, axis2: int
) -> Any:
    """Zeros with `g` on the diagonal."""
    down, right = builtins.max(0, -offset), builtins.max(0, offset)
    steps = np.arange(g.shape[-1])
    rest = [n for k, n in enumerate(shape) if k not in (axis1 % len(shape), axis2 % len(shape))]
    template, arrays = split_index((Ellipsis, steps + down, steps + right))
    to = (*rest, shape[axis1], shape[axis2])
    return np.moveaxis(
        scatter_entries(g, *arrays, template=template, to=to), (-2, -1), (axis1, axis2)
    )


def _read_only(base: Any, y: Any, **params: Any) -> Any:
    raise errors.WriteError(
        f"the result of np.diagonal is written at {callers_place()}; it is read-only, as in NumPy: "
        "write a[k, k] with an array k of positions, or use np.fill_diagonal"
    )


def _batched_diagonal(call: Call) -> Any:
    ndim, params = call.ndim(0), call.params
    axis1, axis2 = params["axis1"] % ndim + 1, params["axis2"] % ndim + 1
    return call.run(*call.values, axis1=axis1, axis2=axis2)


diagonal_entries = view(
    "diagonal",
    compute=lambda x, *, offset, axis1, axis2: np.diagonal(x, offset, axis1, axis2),
    transposed=_transposed_diagonal,
    back=_read_only,
    latex=r"\operatorname{{diag}} {x}",
    batch=_batched_diagonal,
    samples=[
        case(normal(3, 4), offset=1, axis1=0, axis2=1),
        case(normal(4, 2, 3), offset=-1, axis1=2, axis2=0),
    ],
)


@view_composition(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return diagonal_entries(a, offset=offset, axis1=axis1, axis2=axis2)


@view_composition(np.diag)
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


@composition(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """`np.bincount`: counts, or sums of `weights`, whose derivative is a gather."""
    if weights is None:
        return counts(x, minlength=minlength)
    size = builtins.max(minlength, 1 + int(np.max(x)) if np.size(x) else 0)
    template, arrays = split_index((np.asarray(x),))
    weights = weights.astype(np.float64)  # as NumPy sums them
    return scatter_entries(weights, *arrays, template=template, to=(size,))


counts = flat(
    "bincount",
    compute=np.bincount,
    reason="its values are positions or counts",
    latex=r"\operatorname{{bincount}}({x})",
    batch=by_example,
    samples=[case(np.array([0, 2, 2]), minlength=0)],
)


@composition(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along the axis, `n` times."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    axis = normalize_axis_index(axis, a.ndim)
    layer = tuple(1 if k == axis else size for k, size in enumerate(a.shape))
    given = [end for end in (prepend, a, append) if end is not None]
    if len(given) > 1:
        parts = [np.broadcast_to(end, layer) if np.ndim(end) == 0 else end for end in given]
        a = np.concatenate(parts, axis=axis)
    lead = (slice(None),) * axis
    for _ in range(n):
        a = a[(*lead, slice(1, None))] - a[(*lead, slice(None, -1))]
    return a


@composition(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@composition(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return astype(a, dtype=a.dtype) if a.dtype.kind == "b" else np.positive(a)
