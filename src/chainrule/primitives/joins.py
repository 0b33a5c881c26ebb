"""Arrays put together from others: joins, cuts, repetitions, borders. All linear."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule import errors
from chainrule.graph import Traced, composition
from chainrule.graph.node import callers_place
from chainrule.primitives.arithmetic import as_operands
from chainrule.primitives.batching import Call
from chainrule.primitives.declare import linear
from chainrule.primitives.indexing import set_entries
from chainrule.primitives.samples import case, normal
from chainrule.primitives.shapes import as_tuple
from chainrule.primitives.views import view_composition

Shape = tuple[int, ...]


def _array(value: Any) -> Any:
    """A list or number as the array that NumPy makes of it; anything else as it is."""
    return np.asarray(value) if isinstance(value, list | tuple | float | int | complex) else value


def _concatenate(*arrays: Any, axis: int) -> Any:
    return np.concatenate(arrays, axis=axis)


def _piece(g: Any, shapes: Sequence[Shape], i: int, axis: int) -> Any:
    """The slice of `g` that came from the i-th joined array."""
    start = builtins.sum(shape[axis] for shape in shapes[:i])
    index = [slice(None)] * len(shapes[i])
    index[axis] = slice(start, start + shapes[i][axis])
    return g[tuple(index)]


def _batched_join(call: Call) -> Any:
    """Counted from the end, the axis is the same for one example and for many."""
    axis, ndim = call.params["axis"], call.ndim(0) + (call.primitive is not joined)
    values = [call.everywhere(k) for k in range(len(call.values))]
    return call.run(*values, axis=axis if axis < 0 or axis >= ndim else axis - ndim)


joined = linear(
    "concatenate",
    compute=_concatenate,
    transposed=_piece,
    inputs=None,
    latex=r"\operatorname{{concatenate}} {x}",
    batch=_batched_join,
    samples=[
        case(normal(2, 3), normal(4, 3), axis=0),
        case(normal(2, 3), normal(2, 1), normal(2, 2), axis=-1),
    ],
)


@composition(np.concatenate)
def concatenate(
    arrays: Any, /, axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    arrays = as_operands(*map(_array, arrays))
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    y = joined(*arrays, axis=axis)
    return y if dtype is None else y.astype(dtype)


def _layer(g: Any, i: int, axis: int) -> Any:
    return g[(slice(None),) * (axis % g.ndim) + (i,)]


stacked = linear(
    "stack",
    compute=lambda *arrays, axis: np.stack(arrays, axis=axis),
    transposed=_layer,
    inputs=None,
    latex=r"\operatorname{{stack}} {x}",
    batch=_batched_join,
    samples=[
        case(normal(2, 3), normal(2, 3), axis=1),
        case(normal(3), normal(3), normal(3), axis=-1),
        case(normal(), normal(), axis=0),
    ],
)


@composition(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    y = stacked(*as_operands(*map(_array, arrays)), axis=axis)
    return y if dtype is None else y.astype(dtype)


@composition(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    arrays = [np.atleast_1d(a) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, dtype=dtype)


@composition(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return np.concatenate([np.atleast_2d(a) for a in tup], axis=0, dtype=dtype)


@composition(np.column_stack)
def column_stack(tup: Any) -> Any:
    columns = [a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup]
    return np.concatenate(columns, axis=1)


@composition(np.dstack)
def dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(a) for a in tup], axis=2)


@composition(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate([arr, values], axis=axis)


@view_composition(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut into pieces, as NumPy does: a number of pieces, or the places to cut."""
    axis = normalize_axis_index(axis, ary.ndim)
    length = ary.shape[axis]
    if isinstance(indices_or_sections, int | np.integer):
        count = int(indices_or_sections)
        sizes = [length // count + (k < length % count) for k in range(count)]
        cuts = [0, *np.cumsum(sizes).tolist()]
    else:
        cuts = [0, *(int(k) for k in indices_or_sections), length]
    lead = (slice(None),) * axis
    return [ary[(*lead, slice(a, b))] for a, b in itertools.pairwise(cuts)]


@view_composition(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    if isinstance(indices_or_sections, int | np.integer) and ary.shape[axis] % indices_or_sections:
        raise ValueError(
            f"array split does not result in an equal division: {ary.shape[axis]} entries along "
            f"axis {axis} cannot be cut into {indices_or_sections}; np.array_split can"
        )
    pieces: list[Any] = array_split(ary, indices_or_sections, axis)
    return pieces


def _opposite(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift


def _batched_roll(call: Call) -> Any:
    (x,), axis, ndim = call.values, call.params["axis"], call.ndim(0)
    if axis is None or not ndim:
        y = call.run(np.reshape(x, (call.size, -1)), axis=1)
        return np.reshape(y, x.shape)
    axes = tuple(k % ndim + 1 for k in as_tuple(axis))
    return call.run(x, axis=axes if isinstance(axis, tuple) else axes[0])


rolled = linear(
    "roll",
    compute=lambda x, *, shift, axis: np.roll(x, shift, axis=axis),
    transposed=lambda g, shift, axis: np.roll(g, _opposite(shift), axis=axis),
    latex=r"\operatorname{{roll}} {x}",
    batch=_batched_roll,
    samples=[case(normal(5), shift=2, axis=None), case(normal(3, 4), shift=(1, -1), axis=(0, 1))],
)


@view_composition(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@view_composition(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 0)


@view_composition(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 2)


@view_composition(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(np.moveaxis(x, axis, 0))


@composition(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if isinstance(shift, Traced):  # a number of places, which carries no derivative
        places: Any = shift
        shift = tuple(int(k) for k in places) if places.ndim else int(places)
    shift, axis = (tuple(k) if isinstance(k, list) else k for k in (shift, axis))
    return rolled(a, shift=shift, axis=axis)


@composition(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """Repeat whole arrays: a new axis before each old one, broadcast, then merged."""
    reps = as_tuple(reps)
    reps = (1,) * (A.ndim - len(reps)) + reps
    if builtins.all(r == 1 for r in reps):
        return np.reshape(np.positive(A), (1,) * (len(reps) - A.ndim) + A.shape)
    shape = (1,) * (len(reps) - A.ndim) + A.shape
    spaced = np.reshape(A, [k for n in shape for k in (1, n)])
    repeated = np.broadcast_to(
        spaced, [k for r, n in zip(reps, shape, strict=True) for k in (r, n)]
    )
    return np.reshape(repeated, [r * n for r, n in zip(reps, shape, strict=True)])


@composition(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeat entries: a gather along the axis."""
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)


def _stacked(fill: Any) -> Any:
    """A list or pair of lists, with traced numbers in it or not, as an array."""
    if isinstance(fill, list | tuple):
        return np.stack([_stacked(part) for part in fill])
    return fill if hasattr(fill, "dtype") else np.asarray(fill)


def _padded(array: Any, widths: list[list[int]], fill: Any) -> Any:
    """The array in a frame: one axis after the other, so that the last one takes the corners."""
    fill = _stacked(fill)
    if np.ndim(fill) == 0:
        shape = [n + a + b for n, (a, b) in zip(array.shape, widths, strict=True)]
        inside = tuple(slice(a, a + n) for (a, _), n in zip(widths, array.shape, strict=True))
        return set_entries(np.broadcast_to(fill, shape).astype(array.dtype), array, inside)
    values = np.broadcast_to(fill, (array.ndim, 2)).astype(array.dtype)
    for axis, width in enumerate(widths):
        shape = list(array.shape)
        ends = []
        for end, count in enumerate(width):
            shape[axis] = count
            ends.append(np.broadcast_to(values[axis, end], shape))
        array = np.concatenate([ends[0], array, ends[1]], axis=axis)
    return array


@composition(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """`np.pad` with constants, or with a mode that copies entries (edge, reflect, wrap …)."""
    if isinstance(pad_width, dict):
        by_axis = {normalize_axis_index(k, array.ndim): width for k, width in pad_width.items()}
        pad_width = [np.broadcast_to(by_axis.get(k, 0), (2,)) for k in range(array.ndim)]
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if mode in ("constant", "empty"):
        return _padded(array, widths, options.get("constant_values", 0))
    odd = options.get("reflect_type", "even") != "even"
    if odd or mode not in ("edge", "reflect", "symmetric", "wrap"):
        kind = f"mode={mode!r}" + (" and reflect_type='odd'" if odd else "")
        raise errors.UnsupportedError(
            f"numpy.pad with {kind} at {callers_place()} has no derivative here; constant, edge, "
            "reflect, symmetric and wrap have, and np.concatenate puts together any other border"
        )
    for axis, width in enumerate(widths):
        order = np.pad(np.arange(array.shape[axis]), width, mode=mode, **options)  # type: ignore[call-overload]
        array = np.take(array, order, axis=axis)
    return array
