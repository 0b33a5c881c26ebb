"""Where entries stand: shapes, axes, joins and cuts. All linear."""

from __future__ import annotations

import builtins
import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import composition
from chainrule.graph.node import callers_place
from chainrule.primitives.declare import linear
from chainrule.primitives.fit import sum_to
from chainrule.primitives.indexing import set_entries
from chainrule.primitives.samples import case, normal
from chainrule.primitives.views import memory_of, view, view_composition

Shape = tuple[int, ...]


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list | np.ndarray | range) else (value,)


def axis_of(axis: Any, ndim: int) -> int:
    """An axis as a non-negative number, checked as NumPy checks it."""
    position = operator.index(axis)
    if not -ndim <= position < ndim:
        raise errors.ShapeError(
            f"axis {position} at {callers_place()} is out of bounds for an array of dimension "
            f"{ndim}"
        )
    return position % ndim


def _reshape(x: Any, *, to: Shape) -> Any:
    return np.asarray(x).reshape(to)


def _shares(base: Any, result: Any, params: dict[str, Any]) -> bool:
    return np.may_share_memory(memory_of(base), memory_of(result))


reshaped = view(
    "reshape",
    compute=_reshape,
    transposed=lambda g, shape: np.reshape(g, shape),
    back=lambda base, y, to: reshaped(y, to=base.shape),
    shares=_shares,
    latex=r"\operatorname{{reshape}} {x}",
    samples=[case(normal(3, 4), to=(2, 6)), case(normal(6), to=(3, 2))],
)


@view_composition(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: bool | None = None) -> Any:
    """`np.reshape`: a view where the memory allows it, as in NumPy, a copy elsewhere."""
    if copy:
        a = np.positive(a)
    shape = _tuple(shape)
    if order == "F" or (order == "A" and memory_of(a).flags.fnc):
        return np.transpose(reshaped(np.transpose(a), to=shape[::-1]))
    return reshaped(a, to=shape)


def _transpose(x: Any, *, axes: tuple[int, ...] | None) -> Any:
    return np.asarray(x).transpose(axes)


def _inverse(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return None if axes is None else tuple(np.argsort(axes).tolist())


transposed = view(
    "transpose",
    compute=_transpose,
    transposed=lambda g, axes: np.transpose(g, _inverse(axes)),
    back=lambda base, y, axes: transposed(y, axes=_inverse(axes)),
    latex=r"{x}^\top",
    samples=[case(normal(3, 4), axes=None), case(normal(2, 3, 4), axes=(1, 2, 0))],
)


@view_composition(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    if axes is not None:
        axes = tuple(axis_of(axis, a.ndim) for axis in axes)
    return transposed(a, axes=axes)


@view_composition(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(a.ndim))
    first, second = axis_of(axis1, a.ndim), axis_of(axis2, a.ndim)
    axes[first], axes[second] = axes[second], axes[first]
    return transposed(a, axes=tuple(axes))


@view_composition(np.linalg.matrix_transpose, np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    return np.swapaxes(x, -1, -2)


@view_composition(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    sources = [axis_of(axis, a.ndim) for axis in _tuple(source)]
    destinations = [axis_of(axis, a.ndim) for axis in _tuple(destination)]
    order = [axis for axis in range(a.ndim) if axis not in sources]
    for target, origin in sorted(zip(destinations, sources, strict=True)):
        order.insert(target, origin)
    return transposed(a, axes=tuple(order))


@view_composition(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis_of(axis, a.ndim), start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


def _broadcast(x: Any, *, to: Shape) -> Any:
    """A read-only view; of a scalar it is made directly, at a tenth of np.broadcast_to's price."""
    x = np.asarray(x)
    if x.ndim:
        return np.broadcast_to(x, to)
    view: Any = np.ndarray(to, x.dtype, x, 0, (0,) * len(to))
    view.flags.writeable = False
    return view


def _read_only(base: Any, y: Any, to: Shape) -> Any:
    raise errors.WriteError(
        f"the result of np.broadcast_to is written at {callers_place()}; it shows the same entries "
        "many times and is read-only, as in NumPy: write into a copy of it"
    )


broadcasted = view(
    "broadcast_to",
    compute=_broadcast,
    transposed=lambda g, shape: sum_to(g, shape),
    back=_read_only,
    latex=r"\operatorname{{broadcast}} {x}",
    samples=[case(normal(4), to=(3, 4)), case(normal(3, 1), to=(2, 3, 4))],
)


@view_composition(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return broadcasted(array, to=_tuple(shape))


@view_composition(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@view_composition(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    ndim = a.ndim + len(_tuple(axis))
    new = {axis_of(k, ndim) for k in _tuple(axis)}
    sizes = iter(a.shape)
    return reshaped(a, to=tuple(1 if k in new else next(sizes) for k in range(ndim)))


@view_composition(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    if axis is None:
        return reshaped(a, to=tuple(n for n in a.shape if n != 1))
    gone = {axis_of(k, a.ndim) for k in _tuple(axis)}
    if builtins.any(a.shape[k] != 1 for k in gone):
        raise errors.ShapeError(
            f"np.squeeze at {callers_place()} cannot drop axis {axis} of shape {a.shape}: its "
            "length is not 1"
        )
    return reshaped(a, to=tuple(n for k, n in enumerate(a.shape) if k not in gone))


@view_composition(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    if order == "K":  # as it lies in memory
        a = np.transpose(a, np.argsort([-abs(step) for step in memory_of(a).strides], stable=True))
    return reshape(a, (-1,), order)


@view_composition(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    out = tuple(a if np.ndim(a) else np.reshape(a, (1,)) for a in arys)
    return out if len(out) > 1 else out[0]


@view_composition(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    out = tuple(a if np.ndim(a) > 1 else np.reshape(a, (1, -1 if np.ndim(a) else 1)) for a in arys)
    return out if len(out) > 1 else out[0]


def _concatenate(*arrays: Any, axis: int) -> Any:
    return np.concatenate(arrays, axis=axis)


def _piece(g: Any, shapes: Sequence[Shape], i: int, axis: int) -> Any:
    """The slice of `g` that came from the i-th joined array."""
    start = builtins.sum(shape[axis] for shape in shapes[:i])
    index = [slice(None)] * len(shapes[i])
    index[axis] = slice(start, start + shapes[i][axis])
    return g[tuple(index)]


joined = linear(
    "concatenate",
    compute=_concatenate,
    transposed=_piece,
    inputs=None,
    latex=r"\operatorname{{concatenate}} {x}",
    samples=[
        case(normal(2, 3), normal(4, 3), axis=0),
        case(normal(2, 3), normal(2, 1), normal(2, 2), axis=-1),
    ],
)


@composition(np.concatenate)
def concatenate(
    arrays: Any, /, axis: int | None = 0, *, dtype: Any = None, casting: str = ""
) -> Any:
    arrays = [np.asarray(a) if isinstance(a, list | tuple | float | int) else a for a in arrays]
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    y = joined(*arrays, axis=axis)
    return y if dtype is None else y.astype(dtype)


@composition(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "") -> Any:
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis=axis, dtype=dtype)


@composition(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: str = "") -> Any:
    arrays = [np.atleast_1d(a) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, dtype=dtype)


@composition(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: str = "") -> Any:
    return np.concatenate([np.atleast_2d(a) for a in tup], axis=0, dtype=dtype)


@composition(np.column_stack)
def column_stack(tup: Any) -> Any:
    columns = [a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup]
    return np.concatenate(columns, axis=1)


@composition(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate([arr, values], axis=axis)


@view_composition(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut into pieces, as NumPy does: a number of pieces, or the places to cut."""
    length = ary.shape[axis]
    if isinstance(indices_or_sections, int | np.integer):
        count = int(indices_or_sections)
        sizes = [length // count + (k < length % count) for k in range(count)]
        cuts = [0, *np.cumsum(sizes).tolist()]
    else:
        cuts = [0, *(int(k) for k in indices_or_sections), length]
    lead = (slice(None),) * (axis % ary.ndim)
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


@view_composition(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else [k % m.ndim for k in _tuple(axis)]
    return m[tuple(slice(None, None, -1 if k in axes else None) for k in range(m.ndim))]


@view_composition(np.flipud)
def flipud(m: Any) -> Any:
    return np.flip(m, 0)


@view_composition(np.fliplr)
def fliplr(m: Any) -> Any:
    return np.flip(m, 1)


def _opposite(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift


rolled = linear(
    "roll",
    compute=lambda x, *, shift, axis: np.roll(x, shift, axis=axis),
    transposed=lambda g, shift, axis: np.roll(g, _opposite(shift), axis=axis),
    latex=r"\operatorname{{roll}} {x}",
    samples=[case(normal(5), shift=2, axis=None), case(normal(3, 4), shift=(1, -1), axis=(0, 1))],
)


@composition(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return rolled(a, shift=shift, axis=axis)


@composition(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """Repeat whole arrays: a new axis before each old one, broadcast, then merged."""
    reps = _tuple(reps)
    reps = (1,) * (A.ndim - len(reps)) + reps
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


@composition(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    """`np.pad` with constants, or with a mode that copies entries (edge, reflect, wrap …)."""
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if mode == "constant":
        fill = options.get("constant_values", 0)
        frame = np.pad(np.zeros(array.shape, array.dtype), widths, constant_values=fill)
        inside = tuple(slice(a, a + n) for (a, _), n in zip(widths, array.shape, strict=True))
        return set_entries(frame, array, inside)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"np.pad with mode={mode!r} has no derivative here; modes that copy have")
    for axis, width in enumerate(widths):
        order = np.pad(np.arange(array.shape[axis]), width, mode=mode, **options)  # type: ignore[call-overload]
        array = np.take(array, order, axis=axis)
    return array


triangle_lower = linear(
    "tril",
    compute=lambda x, *, k: np.tril(x, k),
    transposed=lambda g, k: np.tril(g, k),
    latex=r"\operatorname{{tril}} {x}",
    samples=[case(normal(3, 4), k=0), case(normal(2, 3, 3), k=-1)],
)
triangle_upper = linear(
    "triu",
    compute=lambda x, *, k: np.triu(x, k),
    transposed=lambda g, k: np.triu(g, k),
    latex=r"\operatorname{{triu}} {x}",
    samples=[case(normal(3, 4), k=0), case(normal(2, 3, 3), k=1)],
)


@composition(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    return triangle_lower(m, k=k)


@composition(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    return triangle_upper(m, k=k)
