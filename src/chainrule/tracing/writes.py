"""In-place writes, made functional: a write binds the traced array to a new node.

Arrays that are views of the one that is written, and those of which it is a view, follow as they do
in NumPy: a write into a view goes back up to the array that owns the entries, and every other view
of that array reads again before its next use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced, spec_of
from chainrule.graph.node import callers_place
from chainrule.primitives import indexing
from chainrule.primitives.views import memory_of
from chainrule.tracing import conversion

_EVERYTHING = indexing.split_index(Ellipsis)[0]


def settle(array: Any) -> None:
    """Read a view again if the array that owns its entries was written since."""
    alias = array.alias
    if alias is None or alias.root.value is alias.seen:
        return
    root, stale = alias.root, [array]
    while (base := stale[-1].alias.base) is not root and base.alias.seen is not root.value:
        stale.append(base)
    for view in reversed(stale):
        alias = view.alias
        rebind(view, alias.view(alias.base, **alias.params))
        alias.seen = root.value


def rebind(array: Any, other: Any) -> None:
    """Let the handle `array` stand for the value of `other`; its place among views stays."""
    if not isinstance(other, Traced):
        other = array.level.constant(np.array(other))
    array.__class__ = other.__class__
    array.level, array.value, array.mark = other.level, other.value, other.mark


def write(array: Any, new: Any) -> None:
    """Put `new` in the place of all entries, as `out=` does: it has to fit without losing much."""
    settle(array)
    shape, dtype = spec_of(new)
    if shape != array.shape:
        try:
            new = np.broadcast_to(new, array.shape)
        except ValueError as error:
            raise errors.ShapeError(
                f"a result of shape {shape} is written at {callers_place()} into an array of shape "
                f"{array.shape}, which it does not fit"
            ) from error
    if dtype != array.dtype:
        if not np.can_cast(dtype, array.dtype, "same_kind"):
            raise _dtype_error(dtype, array.dtype)
        new = new.astype(array.dtype)
    _replace(array, new)


def _replace(array: Any, new: Any) -> None:
    """Bind `array` to `new`, and with it the arrays that it is a view of."""
    while array.alias is not None:
        alias = array.alias
        new = alias.view.back(alias.base, new, **alias.params)
        alias.seen = None  # it reads again: its memory is the owner's
        array = alias.base
    before, after = memory_of(array).flags, memory_of(new).flags
    if (before.c_contiguous, before.f_contiguous) != (after.c_contiguous, after.f_contiguous):
        new = indexing.written(array, new, template=_EVERYTHING)  # as the memory was laid out
    rebind(array, new)


def set_entries(array: Any, index: Any, value: Any) -> None:
    """array[index] = value."""
    settle(array)
    template, arrays = indexing.split_index(index)
    if isinstance(value, Traced) and value.alias is not None and not arrays:
        alias = value.alias
        conversion.check_swap()
        own = alias.base is array and alias.view is indexing.entries
        if own and alias.params["template"] == template:
            return  # y[a:b] += v has written through the view already
    dtype = getattr(value, "dtype", np.dtype(type(value)))
    if dtype.kind == "c" and array.dtype.kind != "c":
        raise _dtype_error(dtype, array.dtype)
    value = indexing.entry_values(array, value)
    _replace(array, indexing.written(array, value, *arrays, template=template))


def in_place(array: Any, result: Any) -> Any:
    """What `array += …` leaves under the name: the array with new entries.

    NumPy's scalars cannot be changed, so there the name gets a new one.
    """
    if array.alias is None and array.shape == ():
        return result
    if np.shape(result) != array.shape:
        raise errors.ShapeError(
            f"an array of shape {array.shape} is changed in place at {callers_place()} by a result "
            f"of shape {np.shape(result)}, which it cannot hold"
        )
    write(array, result)
    return array


def _dtype_error(given: Any, held: Any) -> errors.WriteError:
    return errors.WriteError(
        f"numbers of dtype {given} are written at {callers_place()} into an array of dtype {held}, "
        f"which cannot hold them: make that array with dtype={np.result_type(given, held)}, or "
        "write a part of them, such as np.real(...)"
    )


def at(ufunc: Any, array: Any, index: Any, value: Any = None) -> None:
    """`ufunc.at(array, index, value)`: repeated positions take effect one after the other."""
    settle(_traced(array))
    value = conversion.operand(value)
    if ufunc in (np.add, np.subtract):
        value = value if ufunc is np.add else np.negative(value)
        _replace(array, indexing.add_at(array, index, value))
        return
    places = _places(array, index)
    rounds = _rounds(places)
    if len(rounds) == 1:
        entries = indexing.get_entries(array, index)
        set_entries(array, index, ufunc(entries) if value is None else ufunc(entries, value))
        return
    flat = np.ravel(array)
    values = None if value is None else np.ravel(np.broadcast_to(value, places.shape))
    for turn in rounds:
        at = places.reshape(-1)[turn]
        entries = indexing.get_entries(flat, at)
        new = ufunc(entries) if values is None else ufunc(entries, values[turn])
        flat = indexing.set_entries(flat, new, at)
    _replace(array, np.reshape(flat, array.shape))


def _places(array: Any, index: Any) -> Any:
    """The position, among all entries in a row, of each entry that the index names."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(conversion.concrete(part) for part in parts)
    return np.arange(array.size).reshape(array.shape)[plain]


def _rounds(places: Any) -> list[Any]:
    """Which of the positions to write in each round, so that none repeats within a round."""
    places = places.reshape(-1)
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    sizes = np.diff(starts, append=len(ordered))
    turn = np.empty(len(places), np.intp)
    turn[order] = np.arange(len(ordered)) - np.repeat(starts, sizes)
    return [np.flatnonzero(turn == k) for k in range(int(turn.max(initial=0)) + 1)]


def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    src = conversion.operand(src)
    _traced(dst)[...] = src if where is True else np.where(where, src, dst)


def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    size = _traced(a).size
    ind = np.ravel(conversion.concrete(ind))
    if mode != "raise":
        ind = np.clip(ind, 0, size - 1) if mode == "clip" else ind % size
    if len(ind):
        a.flat[ind] = np.resize(conversion.operand(v), len(ind))


def _place(arr: Any, mask: Any, vals: Any) -> None:
    """The entries under the mask, from the beginning of `vals` again where they do not suffice."""
    places = np.flatnonzero(conversion.concrete(mask))
    if len(places):
        _traced(arr).flat[places] = np.resize(conversion.operand(vals), len(places))


def _putmask(a: Any, mask: Any, values: Any) -> None:
    _traced(a)[mask] = np.broadcast_to(conversion.operand(values), a.shape)[mask]


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    indexing.put_along_axis(_traced(arr), indices, values, axis)


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    _traced(a)
    if a.ndim < 2 or (a.ndim > 2 and len(set(a.shape)) > 1):
        raise errors.ShapeError(
            f"fill_diagonal at {callers_place()} is given an array of shape {a.shape}, which has "
            "no diagonal: it needs two axes, or several of one length"
        )
    if a.ndim == 2 and wrap:  # a tall matrix goes on below with another diagonal
        places = np.arange(0, a.size, a.shape[1] + 1)
    else:
        steps = np.arange(min(a.shape))
        places = np.ravel_multi_index((steps,) * a.ndim, a.shape)
    a.flat[places] = np.resize(conversion.operand(val), len(places))


def _traced(array: Any) -> Any:
    """The array that a function of NumPy writes, which has to be a traced one."""
    if not isinstance(array, Traced):
        raise conversion.write_error()
    return array


WRITERS: dict[Any, Callable[..., None]] = {
    np.copyto: _copyto,
    np.place: _place,
    np.put: _put,
    np.putmask: _putmask,
    np.put_along_axis: _put_along_axis,
    np.fill_diagonal: _fill_diagonal,
}
"""NumPy's functions that write into their first argument."""
