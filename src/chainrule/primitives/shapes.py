"""Where entries stand: shapes and axes. All linear, most of them views."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from chainrule import errors
from chainrule.graph import composition
from chainrule.graph.node import callers_place
from chainrule.primitives.batching import Call, matrices, padded
from chainrule.primitives.declare import linear
from chainrule.primitives.fit import sum_to
from chainrule.primitives.samples import case, normal
from chainrule.primitives.views import View, memory_of, view, view_composition

Shape = tuple[int, ...]


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list | np.ndarray | range) else (value,)


def _reshape(x: Any, *, to: Shape) -> Any:
    return np.asarray(x).reshape(to)


def _shares(base: Any, result: Any) -> bool:
    """A reshape copies where the memory does not allow a view."""
    return result.base is base or (result.base is not None and result.base is base.base)


def _batched_reshape(call: Call) -> Any:
    to, size = call.params["to"], math.prod(call.shape(0))
    known = math.prod(n for n in to if n != -1)
    to = tuple((size // known if known else 0) if n == -1 else n for n in to)
    return call.run(*call.values, to=(call.size, *to))


reshaped: View = view(
    "reshape",
    compute=_reshape,
    transposed=lambda g, shape: np.reshape(g, shape),
    back=lambda base, y, to: reshaped(y, to=base.shape),
    shares=_shares,
    batch=_batched_reshape,
    latex=r"\operatorname{{reshape}} {x}",
    samples=[case(normal(3, 4), to=(2, 6)), case(normal(6), to=(3, 2))],
)


@view_composition(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: bool | None = None) -> Any:
    """`np.reshape`: a view where the memory allows it, as in NumPy, a copy elsewhere."""
    if copy:
        a = np.positive(a)
    shape = as_tuple(shape)
    if order == "F" or (order == "A" and memory_of(a).flags.fnc):
        return np.transpose(reshaped(np.transpose(a), to=shape[::-1]))
    return reshaped(a, to=shape)


flattened = view(
    "flat",
    compute=lambda x: np.asarray(x).reshape(-1),
    transposed=lambda g, shape: np.reshape(g, shape),
    back=lambda base, y: reshaped(y, to=base.shape),
    latex=r"\operatorname{{flat}} {x}",
    batch=lambda call: reshaped(*call.values, to=(call.size, math.prod(call.shape(0)))),
    samples=[case(normal(3, 4))],
)


def _transpose(x: Any, *, axes: tuple[int, ...] | None) -> Any:
    return np.asarray(x).transpose(axes)


def _inverse(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return None if axes is None else tuple(np.argsort(axes).tolist())


def _batched_transpose(call: Call) -> Any:
    axes = call.params["axes"]
    axes = range(call.ndim(0))[::-1] if axes is None else axes
    return call.run(*call.values, axes=(0, *(k + 1 for k in axes)))


transposed: View = view(
    "transpose",
    compute=_transpose,
    transposed=lambda g, axes: np.transpose(g, _inverse(axes)),
    back=lambda base, y, axes: transposed(y, axes=_inverse(axes)),
    latex=r"{x}^\top",
    batch=_batched_transpose,
    samples=[case(normal(3, 4), axes=None), case(normal(2, 3, 4), axes=(1, 2, 0))],
)


@view_composition(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    if axes is not None:
        axes = normalize_axis_tuple(axes, a.ndim)
    return transposed(a, axes=axes)


@view_composition(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(a.ndim))
    first, second = normalize_axis_index(axis1, a.ndim), normalize_axis_index(axis2, a.ndim)
    axes[first], axes[second] = axes[second], axes[first]
    return transposed(a, axes=tuple(axes))


@view_composition(np.linalg.matrix_transpose, np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    return np.swapaxes(x, -1, -2)


@view_composition(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    sources = normalize_axis_tuple(source, a.ndim)
    destinations = normalize_axis_tuple(destination, a.ndim)
    order = [axis for axis in range(a.ndim) if axis not in sources]
    for target, origin in sorted(zip(destinations, sources, strict=True)):
        order.insert(target, origin)
    return transposed(a, axes=tuple(order))


@view_composition(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    axis, start = normalize_axis_index(axis, a.ndim), start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


def _broadcast(x: Any, *, to: Shape) -> Any:
    """A read-only view; of a scalar, whose buffer is read-only, at a tenth of NumPy's price."""
    if isinstance(x, np.generic):
        return np.ndarray(to, x.dtype, x, 0, (0,) * len(to))
    return np.broadcast_to(x, to)


def _read_only(base: Any, y: Any, to: Shape) -> Any:
    raise errors.WriteError(
        f"the result of np.broadcast_to is written at {callers_place()}; it shows the same entries "
        "many times and is read-only, as in NumPy: write into a copy of it"
    )


def _batched_broadcast(call: Call) -> Any:
    to = call.params["to"]
    return call.run(padded(call.values[0], len(to)), to=(call.size, *to))


broadcasted = view(
    "broadcast_to",
    compute=_broadcast,
    transposed=lambda g, shape: sum_to(g, shape),
    back=_read_only,
    latex=r"\operatorname{{broadcast}} {x}",
    batch=_batched_broadcast,
    samples=[case(normal(4), to=(3, 4)), case(normal(3, 1), to=(2, 3, 4))],
)


@view_composition(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return broadcasted(array, to=as_tuple(shape))


@view_composition(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@view_composition(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    ndim = a.ndim + len(as_tuple(axis))
    new = set(normalize_axis_tuple(axis, ndim))
    sizes = iter(a.shape)
    return reshaped(a, to=tuple(1 if k in new else next(sizes) for k in range(ndim)))


@view_composition(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    if axis is None:
        return reshaped(a, to=tuple(n for n in a.shape if n != 1))
    gone = set(normalize_axis_tuple(axis, a.ndim))
    if builtins.any(a.shape[k] != 1 for k in gone):
        raise ValueError(f"axis {axis} of shape {a.shape} cannot be dropped: its length is not 1")
    return reshaped(a, to=tuple(n for k, n in enumerate(a.shape) if k not in gone))


@view_composition(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    """`np.ravel`: unlike a reshape, a copy unless the entries lie next to each other."""
    if order == "K":  # as it lies in memory
        a = np.transpose(a, np.argsort([-abs(step) for step in memory_of(a).strides], stable=True))
    elif order == "F" or (order == "A" and memory_of(a).flags.fnc):
        a = np.transpose(a)
    flat = reshaped(a, to=(-1,))
    return flat if memory_of(a).flags.c_contiguous else np.copy(flat)


@view_composition(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    out = tuple(a if np.ndim(a) else np.reshape(a, (1,)) for a in arys)
    return out if len(out) > 1 else out[0]


@view_composition(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    out = tuple(a if np.ndim(a) > 1 else np.reshape(a, (1, -1 if np.ndim(a) else 1)) for a in arys)
    return out if len(out) > 1 else out[0]


@view_composition(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    out = tuple(
        a
        if np.ndim(a) > 2
        else np.atleast_2d(a)[..., None]
        if np.ndim(a)
        else np.reshape(a, (1, 1, 1))
        for a in arys
    )
    return out if len(out) > 1 else out[0]


@view_composition(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """A quarter turn, `k` times, from the first towards the second axis."""
    first, second = axes
    if k % 4 == 0:
        return m[...]
    if k % 4 == 2:
        return np.flip(m, (first, second))
    if k % 4 == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    return np.flip(np.swapaxes(m, first, second), second)


@composition(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Each coordinate spread over the grid; with "xy" the first two axes are exchanged."""
    axes = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        axes[0], axes[1] = 1, 0
    shapes = [[1] * len(xi) for _ in xi]
    for shape, axis in zip(shapes, axes, strict=True):
        shape[axis] = -1
    grids = [np.reshape(x, shape) for x, shape in zip(xi, shapes, strict=True)]
    if not sparse:
        grids = list(np.broadcast_arrays(*grids))
    return tuple(np.positive(grid) if copy else grid for grid in grids)


@view_composition(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1 if k in axes else None) for k in range(m.ndim))]


@view_composition(np.flipud)
def flipud(m: Any) -> Any:
    return np.flip(m, 0)


@view_composition(np.fliplr)
def fliplr(m: Any) -> Any:
    return np.flip(m, 1)


triangle_lower = linear(
    "tril",
    compute=lambda x, *, k: np.tril(x, k),
    transposed=lambda g, k: np.tril(g, k),
    latex=r"\operatorname{{tril}} {x}",
    batch=matrices(2),
    samples=[case(normal(3, 4), k=0), case(normal(2, 3, 3), k=-1)],
)
triangle_upper = linear(
    "triu",
    compute=lambda x, *, k: np.triu(x, k),
    transposed=lambda g, k: np.triu(g, k),
    latex=r"\operatorname{{triu}} {x}",
    batch=matrices(2),
    samples=[case(normal(3, 4), k=0), case(normal(2, 3, 3), k=1)],
)


@composition(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    return triangle_lower(m, k=k)


@composition(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    return triangle_upper(m, k=k)
