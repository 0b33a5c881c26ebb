"""Arrays with entries taken out, put in, repeated or set in blocks; functions along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from chainrule import errors
from chainrule.graph import Traced, composition
from chainrule.graph.node import callers_place
from chainrule.primitives.indexing import get_entries, scatter_entries, split_index
from chainrule.primitives.samples import case, normal
from chainrule.primitives.shapes import as_tuple
from chainrule.primitives.views import view, view_composition


def _along(x: Any, positions: Any, axis: int) -> Any:
    """The entries at `positions` of one axis, which may be traced integers."""
    return get_entries(x, (slice(None),) * axis + (positions,))


@composition(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = np.asarray(arr) if isinstance(arr, list | tuple) else arr
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    size = arr.shape[axis]
    if isinstance(obj, Traced):
        chosen: Any = obj
        gone = chosen if chosen.dtype.kind == "b" else np.isin(np.arange(size), chosen % size)
        return _along(arr, np.flatnonzero(~gone), axis)
    return _along(arr, np.delete(np.arange(size), obj), axis)


@composition(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`np.insert`: old and new entries joined, then put in the order that NumPy gives them."""
    arr, values = (np.asarray(v) if not hasattr(v, "dtype") else v for v in (arr, values))
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    size = arr.shape[axis]
    single = np.ndim(obj) == 0 and not isinstance(obj, slice)
    if values.ndim < arr.ndim:
        values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    if single:  # the first axis of the values runs along the axis
        values = np.moveaxis(values, 0, axis)
    positions = np.arange(size)[obj] if isinstance(obj, slice) else np.asarray(obj)
    count = positions.sum() if positions.dtype.kind == "b" else positions.size
    count = values.shape[axis] if count == 1 else int(count)
    # New entries are numbered -1, -2 … in NumPy's own order of the positions.
    order = np.insert(np.arange(size), obj, -1 - np.arange(count))
    layer = tuple(count if k == axis else n for k, n in enumerate(arr.shape))
    values = np.broadcast_to(values.astype(arr.dtype), layer)
    both = np.concatenate([arr, values], axis=axis)
    return _along(both, np.where(order < 0, size - 1 - order, order), axis)


@composition(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """`np.resize`: the entries in a row, again from the beginning where they do not suffice."""
    a = np.ravel(a)
    shape = as_tuple(new_shape)
    if not a.size:
        return np.zeros(shape, a.dtype)
    return get_entries(a, np.resize(np.arange(a.size), shape))


@composition(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """`np.trim_zeros`: without the zeros before the first and after the last other entry."""
    sides = trim.lower()
    if sides not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    x = np.asarray(filt) if isinstance(filt, list | tuple) else filt
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    index: list[Any] = [slice(None)] * x.ndim
    for k in axes:
        others = tuple(i for i in range(x.ndim) if i != k)
        places = np.flatnonzero(np.any(x != 0, axis=others))
        if not places.size:
            index[k] = slice(0, 0)
            continue
        first = int(places[0]) if "f" in sides else None
        index[k] = slice(first, int(places[-1]) + 1 if "b" in sides else None)
    return x[tuple(index)]


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    if not arrays:
        raise ValueError("np.block of an empty list")
    depths = {_depth(part) for part in arrays}
    if len(depths) > 1:
        raise ValueError("List depths of np.block are mismatched")
    return 1 + depths.pop()


def _leaves(arrays: Any) -> list[Any]:
    return [a for part in arrays for a in _leaves(part)] if isinstance(arrays, list) else [arrays]


@composition(np.block)
def block(arrays: Any) -> Any:
    """`np.block`: the innermost lists are joined along the last axis, those around them before."""
    depth = _depth(arrays)
    ndim = max(depth, *(np.ndim(leaf) for leaf in _leaves(arrays)))

    def joined(part: Any, axis: int) -> Any:
        if isinstance(part, list):
            return np.concatenate([joined(inner, axis + 1) for inner in part], axis=axis)
        return np.reshape(part, (1,) * (ndim - np.ndim(part)) + np.shape(part))

    return np.copy(joined(arrays, -depth)) if not depth else joined(arrays, -depth)


@composition(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.apply_along_axis`: func1d of every row along the axis, in a Python loop."""
    axis = normalize_axis_index(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    lead = rows.shape[:-1]
    results = [func1d(rows[index], *args, **kwargs) for index in np.ndindex(*lead)]
    if not results:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    y = np.stack([r if hasattr(r, "dtype") else np.asarray(r) for r in results])
    inner = y.shape[1:]
    y = np.reshape(y, lead + inner)
    return np.moveaxis(y, range(len(lead), y.ndim), range(axis, axis + len(inner)))


@composition(np.apply_over_axes)
def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: Any) -> Any:
    """`np.apply_over_axes`: func(a, axis) for one axis after the other, keeping dimensions."""
    ndim = a.ndim
    for axis in as_tuple(axes):
        axis = axis + ndim if axis < 0 else axis
        y = func(a, axis)
        a = y if y.ndim == ndim else np.expand_dims(y, axis)
        if a.ndim != ndim:
            raise ValueError("function is not returning an array of the correct shape")
    return a


def _read_only(base: Any, y: Any, **params: Any) -> Any:
    raise errors.WriteError(
        f"the result of sliding_window_view is written at {callers_place()}; it shows the same "
        "entries many times and is read-only, as in NumPy: write into a copy of it"
    )


def _transposed_windows(g: Any, shape: Any, size: int, axis: int) -> Any:
    """Each entry gets the sum over the windows in which it is seen."""
    places = np.arange(shape[axis] - size + 1)[:, None] + np.arange(size)
    template, arrays = split_index((slice(None),) * axis + (places,))
    return scatter_entries(np.moveaxis(g, -1, axis + 1), *arrays, template=template, to=shape)


_windows = np.lib.stride_tricks.sliding_window_view
sliding_windows = view(
    "sliding_windows",
    compute=lambda x, *, size, axis: _windows(x, size, axis),
    transposed=_transposed_windows,
    back=_read_only,
    latex=r"\operatorname{{windows}} {x}",
    samples=[case(normal(5), size=3, axis=0), case(normal(4, 3), size=2, axis=0)],
)


@view_composition(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """`sliding_window_view`: the windows along each axis, which are axes at the end."""
    sizes = as_tuple(window_shape)
    axes = (
        range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    )
    if len(sizes) != len(axes):
        raise ValueError("window_shape must give one length for each axis")
    for size, k in zip(sizes, axes, strict=True):
        if not 0 <= size <= x.shape[k]:
            raise ValueError("window shape cannot be larger than input array shape, or negative")
        x = sliding_windows(x, size=int(size), axis=k)
    return x
