"""Results that need no work: another way of stepping through an array that is there already."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple, SupportsIndex

from chainrule.graph import Node
from chainrule.graph.node import Edge


class ArrayView(NamedTuple):
    """The entries of `base`, from entry `offset` on, in steps of `strides` entries."""

    base: Edge
    offset: int
    strides: tuple[int, ...]


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in entries, of an array in C order."""
    found, step = [], 1
    for n in reversed(shape):
        found.append(step)
        step *= n
    return tuple(reversed(found))


def whole(edge: Edge) -> ArrayView:
    """An array as it lies."""
    return ArrayView(edge, 0, contiguous(edge[0].outputs[edge[1]].shape))


def view_of(node: Node, given: ArrayView) -> ArrayView | None:
    """The result of `node` as a view, if it is one; `given` is how its input lies."""
    source, index = node.inputs[0]
    before, after = source.outputs[index].shape, node.outputs[0].shape
    name = node.primitive.name
    strides: Sequence[int] | None
    if name == "transpose":
        axes = node.params["axes"] or tuple(reversed(range(len(before))))
        strides = [given.strides[a] for a in axes]
    elif name == "broadcast_to":
        added = len(after) - len(before)
        strides = [0] * added + [
            0 if n == 1 else step for n, step in zip(before, given.strides, strict=True)
        ]
    elif name == "diagonal":
        return _diagonal(before, given, node.params)
    elif name in ("reshape", "flat"):
        strides = _reshaped(before, given.strides, after)
    elif name == "getitem" and len(node.inputs) == 1:
        return _sliced(node.params["template"], before, given)
    else:
        return None
    return None if strides is None else given._replace(strides=tuple(strides))


def _reshaped(
    before: Sequence[int], strides: Sequence[int], after: Sequence[int]
) -> tuple[int, ...] | None:
    """Strides of the same entries where axes of length 1 come and go, or all lie in C order."""
    kept = [(n, s) for n, s in zip(before, strides, strict=True) if n != 1]
    if [n for n, _ in kept] == [n for n in after if n != 1]:
        steps = iter([s for _, s in kept])
        return tuple(0 if n == 1 else next(steps) for n in after)
    order = contiguous(before)
    if all(s == c for n, s, c in zip(before, strides, order, strict=True) if n != 1):
        return contiguous(after)
    return None


class Slice(NamedTuple):
    """Positions start + step · k, k < length, along one axis of an array; a new axis has none."""

    axis: int | None
    start: int
    step: int
    length: int
    whole: bool  # whether it is one number, which leaves no axis in what is read


def slices(template: Sequence[Any], shape: Sequence[int]) -> list[Slice] | None:
    """A basic index, as what it does along the axes; None for one with arrays in it."""
    used = sum(part is not None and part is not Ellipsis for part in template)
    if not any(part is Ellipsis for part in template):
        template = (*template, Ellipsis)
    found: list[Slice] = []
    axis = 0
    for part in template:
        if part is Ellipsis:
            rest = range(axis, axis + len(shape) - used)
            found += [Slice(a, 0, 1, shape[a], False) for a in rest]
            axis = rest.stop
        elif part is None:
            found.append(Slice(None, 0, 1, 1, False))
        elif isinstance(part, slice):
            start, stop, step = part.indices(shape[axis])
            found.append(Slice(axis, start, step, len(range(start, stop, step)), False))
            axis += 1
        elif isinstance(part, SupportsIndex):
            found.append(Slice(axis, operator.index(part) % shape[axis], 1, 1, True))
            axis += 1
        else:
            return None
    return found


def _sliced(template: Sequence[Any], shape: Sequence[int], given: ArrayView) -> ArrayView | None:
    """A basic index: whole numbers, slices, new axes and one ellipsis."""
    parts = slices(template, shape)
    if parts is None:
        return None
    offset, strides = given.offset, []
    for part in parts:
        step = 0 if part.axis is None else given.strides[part.axis]
        offset += part.start * step
        if not part.whole:
            strides.append(part.step * step)
    return ArrayView(given.base, offset, tuple(strides))


def _diagonal(shape: Sequence[int], given: ArrayView, params: dict[str, Any]) -> ArrayView:
    """The entries (k, k + offset) of two axes, which both go; the diagonal is the last axis."""
    first, second = params["axis1"] % len(shape), params["axis2"] % len(shape)
    shift, strides = params["offset"], given.strides
    start = shift * strides[second] if shift >= 0 else -shift * strides[first]
    left = [s for k, s in enumerate(strides) if k not in (first, second)]
    return ArrayView(given.base, given.offset + start, (*left, strides[first] + strides[second]))
