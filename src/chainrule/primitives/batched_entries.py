"""Reading and writing entries of many examples at once: the batching statements of indexing.

The examples stand on the first axis. Where index arrays differ between examples, the number of the
example is one more index array; NumPy then puts the axes of all index arrays in front, and `Plan`
says where they belong in the result of one example.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.primitives.batching import Call, by_example, padded

WHOLE = slice(None)


class Plan(NamedTuple):
    """An index for all examples, and what its result looks like.

    arrays   that fill the holes of `template`
    ndim     axes of the result for one example
    source   where the axes `target` of the result stand in what NumPy's indexing gives
    """

    template: Any
    arrays: tuple[Any, ...]
    ndim: int
    source: tuple[int, ...]
    target: tuple[int, ...]

    def out(self, y: Any) -> Any:
        """What indexing gave, with the axis of the examples first and the others in order."""
        return np.moveaxis(y, self.source, self.target) if self.source else y

    def into(self, v: Any) -> Any:
        """The opposite, for a value that is written."""
        return np.moveaxis(v, self.target, self.source) if self.source else v


def _taking(parts: tuple[Any, ...], arrays: list[Any], ndim: int, hole: Any) -> list[list[Any]]:
    """Each part of the index with how many axes it takes from the array; the ellipsis spelt out."""
    remaining = iter(arrays)
    taking: list[list[Any]] = []
    for part in parts:
        if part is hole:
            array = next(remaining)
            taking.append([part, array.ndim if array.dtype.kind == "b" else 1])
        else:
            taking.append([part, 0 if part is None or part is Ellipsis else 1])
    left = ndim - sum(count for _, count in taking)
    spelt: list[list[Any]] = []
    for part, count in taking:
        spelt += [[WHOLE, 1]] * left if part is Ellipsis else [[part, count]]
    if Ellipsis not in [part for part, _ in taking]:
        spelt += [[WHOLE, 1]] * left
    return spelt


def plan(call: Call, ndim: int, arrays: list[Any], mapped: list[bool], *, front: bool) -> Plan:
    """The index into an array of examples with `ndim` axes each.

    `front`: the array itself has the axis of the examples.
    """
    template = call.params["template"]
    hole = template.hole
    arrays, mapped, parts = _positions(template, arrays, mapped, hole)
    spelt = _taking(parts, arrays, ndim, hole)
    advanced = [k for k, (part, _) in enumerate(spelt) if part is hole or isinstance(part, int)]
    holes = any(part is hole for part, _ in spelt)
    width = max(map(_width, arrays, mapped), default=0)
    kept = [k for k, (part, _) in enumerate(spelt) if isinstance(part, slice) or part is None]
    result = len(kept) + width
    parts = tuple(part for part, _ in spelt)
    make = type(template)
    if not holes:
        return Plan(make((WHOLE, *parts)), (), result, (), ())
    together = advanced == list(range(advanced[0], advanced[-1] + 1))
    before = len([k for k in kept if k < advanced[0]]) if together else 0
    if not any(mapped):
        moved = ((width,), (0,)) if not together and width else ((), ())
        return Plan(make((WHOLE, *parts)), tuple(arrays), result, *moved)
    arrays = [padded(a, width) if m else a for a, m in zip(arrays, mapped, strict=True)]
    if not front:  # the examples come with the arrays, after the axes before them
        moved = ((before,), (0,)) if before else ((), ())
        return Plan(make(parts), tuple(arrays), result, *moved)
    numbers = np.reshape(np.arange(call.size), (call.size, *(1,) * width))
    if not before:
        return Plan(make((hole, *parts)), (numbers, *arrays), result, (), ())
    source, target = range(1, 1 + width), range(1 + before, 1 + before + width)
    return Plan(make((hole, *parts)), (numbers, *arrays), result, tuple(source), tuple(target))


def _width(array: Any, mapped: bool) -> int:
    """How many axes an index array brings to the result for one example."""
    return 1 if array.dtype.kind == "b" else array.ndim - mapped


def _positions(
    template: Any, arrays: list[Any], mapped: list[bool], hole: Any
) -> tuple[list[Any], list[bool], tuple[Any, ...]]:
    """With masks that differ between examples, the positions at which all masks hold."""
    if not any(a.dtype.kind == "b" and m for a, m in zip(arrays, mapped, strict=True)):
        return arrays, mapped, tuple(template)
    parts: list[Any] = []
    found: list[Any] = []
    differs: list[bool] = []
    remaining = iter(zip(arrays, mapped, strict=True))
    for part in template:
        if part is not hole:
            parts.append(part)
            continue
        array, own = next(remaining)
        if array.dtype.kind != "b":
            new = [array]
        elif own:
            new = _where_it_holds(array)
        else:
            new = list(np.nonzero(array))
        parts += [hole] * len(new)
        found += new
        differs += [own] * len(new)
    return found, differs, tuple(parts)


def _where_it_holds(mask: Any) -> list[Any]:
    counts = np.count_nonzero(np.reshape(mask, (mask.shape[0], -1)), axis=1)
    if len(counts) and np.any(counts != counts[0]):
        raise errors.BatchError(
            f"a mask at {callers_place()} takes different numbers of entries ({min(counts)} to "
            f"{max(counts)}) in the examples of a vmap; use np.where(mask, x, 0), which keeps "
            "every entry"
        )
    return [np.reshape(k, (mask.shape[0], -1)) for k in np.nonzero(mask)[1:]]


def _odd(arrays: list[Any], mapped: list[bool]) -> bool:
    """A truth value alone as an index makes a new axis: left to the loop over examples."""
    return any(a.dtype.kind == "b" and a.ndim == m for a, m in zip(arrays, mapped, strict=True))


def _split(call: Call, first: int) -> tuple[list[Any], list[bool]]:
    return list(call.values[first:]), list(call.mapped[first:])


def getitem(call: Call) -> Any:
    arrays, mapped = _split(call, 1)
    if _odd(arrays, mapped):
        return by_example(call)
    index = plan(call, call.ndim(0), arrays, mapped, front=call.mapped[0])
    return index.out(call.run(call.values[0], *index.arrays, template=index.template))


def scatter(call: Call) -> Any:
    arrays, mapped = _split(call, 1)
    if _odd(arrays, mapped):
        return by_example(call)
    to = call.params["to"]
    index = plan(call, len(to), arrays, mapped, front=True)
    g = index.into(padded(call.everywhere(0), index.ndim))
    return call.run(g, *index.arrays, template=index.template, to=(call.size, *to))


def setitem(call: Call) -> Any:
    arrays, mapped = _split(call, 2)
    if _odd(arrays, mapped):
        return by_example(call)
    x = call.everywhere(0)
    if len(arrays) == 1 and arrays[0].dtype.kind == "b" and mapped[0] and not call.ndim(1):
        template = call.params["template"]
        if tuple(template) == (template.hole,):  # one value, wherever the mask holds
            missing = call.ndim(0) - (arrays[0].ndim - 1)
            where = np.reshape(arrays[0], (*arrays[0].shape, *(1,) * missing))
            v = call.values[1]
            v = np.reshape(v, (-1, *(1,) * call.ndim(0))) if call.mapped[1] else v
            return np.where(where, v, x)
    index = plan(call, call.ndim(0), arrays, mapped, front=True)
    v = call.values[1]
    if not call.mapped[1]:
        v = np.reshape(v, (1, *np.shape(v)))
    if v.ndim - 1 > index.ndim:  # NumPy lets a value have more axes, of length 1
        v = np.reshape(v, (v.shape[0], *v.shape[v.ndim - index.ndim :]))
    v = index.into(padded(v, index.ndim))
    return call.run(x, v, *index.arrays, template=index.template)
