"""Reading and writing at index arrays, computed at the place of the result.

An index array that is known and advances evenly (`np.arange(n)` in `x[np.arange(n), y]`) is a
stride. Where such an array leads through every axis of a write, no two positions are the same, and
the write is a comparison at each entry: is this the position that the other arrays name?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import CONSTANT, Node
from chainrule.native.nest import Term, Value
from chainrule.native.placing import Pick, Placer, Placing, all_of, result_type, shape_of, within
from chainrule.native.views import ArrayView, Slice, slices


class Even(NamedTuple):
    """Known positions start + Σ steps · place, all of them in range."""

    start: int
    steps: tuple[int, ...]


class Chosen(NamedTuple):
    """An axis whose positions come from the input `input`, and what is known of them."""

    axis: int
    input: int
    even: Even | None


class Index(NamedTuple):
    """An index with arrays next to each other: basic parts before and behind, and the block."""

    before: list[Slice]
    chosen: list[Chosen]
    behind: list[Slice]
    block: tuple[int, ...]  # the shape that the index arrays have together


def _even(node: Node, position: int, size: int, ndim: int) -> Even | None:
    """What is known of an index array, if it is known and advances evenly."""
    source, _ = node.inputs[position]
    if source.primitive is not CONSTANT:
        return None
    given = np.asarray(source.params["value"])
    given = given.reshape((1,) * (ndim - given.ndim) + given.shape)
    if not given.size or given.min() < -size or given.max() >= size:
        return None  # the gather says that it is out of bounds
    given = np.where(given < 0, given + size, given)
    start = int(given.flat[0])
    first = (0,) * ndim
    steps = tuple(
        int(given[(*first[:k], 1, *first[k + 1 :])]) - start if n > 1 else 0
        for k, n in enumerate(given.shape)
    )
    want = start + sum(
        (s * np.arange(n).reshape((n,) + (1,) * (ndim - k - 1)))
        for k, (s, n) in enumerate(zip(steps, given.shape, strict=True))
    )
    return Even(start, steps) if np.array_equal(given, want) else None


def _index(node: Node, shape: Sequence[int], arrays: range) -> Index | None:
    """The index of a node that reads or writes an array of the given shape."""
    if not len(arrays) or any(_dtype(node, k).kind not in "iu" for k in arrays):
        return None
    template = list(node.params["template"])
    plain = [p is None or p is Ellipsis or isinstance(p, slice) for p in template]
    holes = [k for k, basic in enumerate(plain) if not basic]
    if len(holes) != len(arrays) or holes != list(range(holes[0], holes[-1] + 1)):
        return None
    if not any(p is Ellipsis for p in template):
        template.append(Ellipsis)
    whole = [slice(None) if k in holes else part for k, part in enumerate(template)]
    parts = slices(whole, shape)
    assert parts is not None
    begin = _begin(template, holes[0], len(shape))
    block = np.broadcast_shapes(*(shape_of(node, k) for k in arrays))
    chosen = []
    for k, part in zip(arrays, parts[begin : begin + len(holes)], strict=True):
        assert part.axis is not None
        chosen.append(Chosen(part.axis, k, _even(node, k, shape[part.axis], len(block))))
    return Index(parts[:begin], chosen, parts[begin + len(holes) :], block)


def _begin(template: Sequence[Any], hole: int, ndim: int) -> int:
    """How many parts stand before the first index array, the ellipsis written out."""
    used = sum(part is not None and part is not Ellipsis for part in template)
    return sum(ndim - used if part is Ellipsis else 1 for part in template[:hole])


# -- reading --------------------------------------------------------------------------------------


def _read_index(node: Node) -> Index | None:
    return _index(node, shape_of(node, 0), range(1, len(node.inputs)))


def _can_read(node: Node) -> bool:
    return 0 not in shape_of(node, 0) and _read_index(node) is not None


def _along_block(strides: Sequence[int], shape: Sequence[int], block: Sequence[int]) -> list[int]:
    """Strides of an array along the axes of the block that it is broadcast to."""
    moving = [s if n > 1 else 0 for s, n in zip(strides, shape, strict=True)]
    return [0] * (len(block) - len(shape)) + moving


def _read_picks(node: Node, views: Sequence[ArrayView]) -> tuple[Pick, ...]:
    """The array as far as its positions are known, then the index arrays that are not."""
    index = _read_index(node)
    assert index is not None
    view, offset = views[0], views[0].offset
    sides: list[list[int]] = []
    for parts in (index.before, index.behind):
        sides.append([0 if s.axis is None else s.step * view.strides[s.axis] for s in parts])
        offset += sum(s.start * view.strides[s.axis] for s in parts if s.axis is not None)
    block = [0] * len(index.block)
    for chosen in index.chosen:
        if chosen.even is not None:
            offset += chosen.even.start * view.strides[chosen.axis]
            for d, step in enumerate(chosen.even.steps):
                block[d] += step * view.strides[chosen.axis]
    found = [Pick(0, (*sides[0], *block, *sides[1]), offset)]
    for k in (c.input for c in index.chosen if c.even is None):
        steps = _along_block(views[k].strides, shape_of(node, k), index.block)
        spread = (*(0 for _ in sides[0]), *steps, *(0 for _ in sides[1]))
        found.append(Pick(k, spread, views[k].offset))
    return tuple(found)


def _read(build: Placer, node: Node, picks: tuple[Pick, ...]) -> Value:
    index, shape = _read_index(node), shape_of(node, 0)
    assert index is not None
    strides = build.view(node, 0).strides
    unknown = [c for c in index.chosen if c.even is None]
    if not unknown:
        return build.pick(node, picks[0])
    terms = tuple(
        Term(build.pick(node, pick), strides[c.axis], shape[c.axis])
        for c, pick in zip(unknown, picks[1:], strict=True)
    )
    return build.gather(node, picks[0], terms)


# -- writing --------------------------------------------------------------------------------------


class Anchor(NamedTuple):
    """Along axis `axis` of the result the block's axis runs evenly: position = start + way · b."""

    axis: int
    input: int
    start: int
    way: int  # 1 or -1
    length: int


def _write_index(node: Node) -> Index | None:
    arrays = range(1 if node.primitive.name == "scatter" else 2, len(node.inputs))
    return _index(node, node.outputs[0].shape, arrays)


def _anchors(index: Index) -> list[Anchor | None] | None:
    """For each axis of the block the axis of the result that it leads through, each only once."""
    found: list[Anchor | None] = []
    for d, count in enumerate(index.block):
        if count == 1:
            found.append(None)
            continue
        anchor = next((a for c in index.chosen if (a := _anchor(c, d, count))), None)
        if anchor is None:
            return None
        found.append(anchor)
    return found


def _anchor(chosen: Chosen, d: int, count: int) -> Anchor | None:
    even = chosen.even
    if even is None or abs(even.steps[d]) != 1:
        return None
    if any(step for k, step in enumerate(even.steps) if k != d):
        return None
    return Anchor(chosen.axis, chosen.input, even.start, even.steps[d], count)


def _can_write(node: Node) -> bool:
    index, shape = _write_index(node), node.outputs[0].shape
    if index is None or 0 in index.block or 0 in shape or _anchors(index) is None:
        return False
    parts = [*index.before, *index.behind]
    return all(s.axis is not None and s.length == shape[s.axis] and s.step == 1 for s in parts)


def _values(node: Node) -> int:
    """The input whose entries are written."""
    return 0 if node.primitive.name == "scatter" else 1


def _write_picks(node: Node, views: Sequence[ArrayView]) -> tuple[Pick, ...]:
    """What is written, then the index arrays that are not known, under the axes of the result."""
    index = _write_index(node)
    assert index is not None
    sources = [_values(node), *(c.input for c in index.chosen if c.even is None)]
    ndim = len(index.before) + len(index.block) + len(index.behind)
    found = []
    for k in sources:
        shape, view, strides = shape_of(node, k), views[k], [0] * len(node.outputs[0].shape)
        offset, steps = view.offset, _along_block(view.strides, shape, index.block)
        if k == sources[0]:
            whole = _along_block(view.strides, shape, range(ndim))
            first, last = len(index.before), len(index.before) + len(index.block)
            sides = [*zip(index.before, whole[:first], strict=True)]
            sides += zip(index.behind, whole[last:], strict=True)
            for part, step in sides:
                assert part.axis is not None
                strides[part.axis] = step
            steps = whole[first:last]
        for anchor, step in zip(_anchors(index) or (), steps, strict=True):
            if anchor is not None:
                strides[anchor.axis] = step * anchor.way
                offset -= anchor.start * anchor.way * step
        found.append(Pick(k, tuple(strides), offset))
    return tuple(found)


def _write_axes(node: Node) -> set[int]:
    index = _write_index(node)
    assert index is not None
    return {chosen.axis for chosen in index.chosen}


def _write(build: Placer, node: Node, picks: tuple[Pick, ...]) -> Value:
    index, shape, type = _write_index(node), node.outputs[0].shape, result_type(node)
    assert index is not None
    anchors = _anchors(index)
    assert anchors is not None
    conditions: list[Value] = []
    for anchor in (a for a in anchors if a is not None):
        ends = (anchor.start, anchor.start + anchor.way * (anchor.length - 1))
        low, high = min(ends), max(ends) + 1
        conditions += within(build, node, anchor.axis, low, high, shape[anchor.axis])
    where = all_of(build, conditions)
    led = {a.input for a in anchors if a is not None}
    unknown = iter(picks[1:])
    for chosen in index.chosen:
        if chosen.even is None:
            position = _checked(build, node, next(unknown), shape[chosen.axis], where)
        elif chosen.input in led:
            continue
        else:
            position = _led(build, node, chosen.even, anchors)
        here = build.index(node, chosen.axis)
        conditions.append(build.compute("equal", position, here, type="i1"))
    hit = all_of(build, conditions)
    value = build.cast(build.pick(node, picks[0], where), type)
    if hit is None:
        return value
    rest = build.constant(0, type) if _values(node) == 0 else build.operand(node, 0)
    return build.compute("select", hit, value, rest, type=type)


def _checked(build: Placer, node: Node, pick: Pick, size: int, where: Value | None) -> Value:
    """A position from an index array, counted from the front, and required to be in range."""
    given = build.pick(node, pick, where)  # 0, which is in range, where nothing is written
    zero, bound = build.constant(0, "i64"), build.constant(size, "i64")
    wide = build.cast(given, "i64")
    below = build.compute("less", wide, zero, type="i1")
    wide = build.compute("select", below, build.compute("add", wide, bound), wide, type="i64")
    fits = build.compute(
        "and",
        build.compute("greater_equal", wide, zero, type="i1"),
        build.compute("less", wide, bound, type="i1"),
    )
    build.require(fits)
    return build.cast(wide, build.index_type)


def _led(build: Placer, node: Node, even: Even, anchors: Sequence[Anchor | None]) -> Value:
    """A position that follows those of the anchors: start + Σ steps · b."""
    found = build.constant(even.start, build.index_type)
    for anchor, step in zip(anchors, even.steps, strict=True):
        if anchor is not None and step:
            begin = build.constant(anchor.start, build.index_type)
            b = build.compute("subtract", build.index(node, anchor.axis), begin)
            factor = build.constant(step * anchor.way, build.index_type)
            found = build.compute("add", found, build.compute("multiply", b, factor))
    return found


READ = Placing(_can_read, _read_picks, lambda node: set(), _read)
SCATTER = Placing(_can_write, _write_picks, _write_axes, _write)
WRITE = Placing(_can_write, _write_picks, _write_axes, _write, frozenset({0}))


def _dtype(node: Node, position: int) -> Any:
    source, index = node.inputs[position]
    return source.outputs[index].dtype
