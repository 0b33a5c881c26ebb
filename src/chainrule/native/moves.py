"""Joins, shifts and triangles, computed at the place of the result."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from chainrule.graph import Node
from chainrule.native.nest import Value
from chainrule.native.placing import Pick, Placer, Placing, all_of, result_type, shape_of, within
from chainrule.native.views import ArrayView

MANY = 8
"""Of more arrays joined, asking every entry which one it comes from costs more than copying."""

# -- joins ----------------------------------------------------------------------------------------


def _axis(node: Node) -> int:
    axis: int = node.params["axis"]
    return axis % len(node.outputs[0].shape)


def _starts(node: Node) -> list[int]:
    """Where along the axis each joined array begins, and where the last ends."""
    if node.primitive.name == "stack":
        return list(range(len(node.inputs) + 1))
    lengths = [shape_of(node, k)[_axis(node)] for k in range(len(node.inputs))]
    return [0, *itertools.accumulate(lengths)]


def _join_picks(node: Node, views: Sequence[ArrayView]) -> tuple[Pick, ...]:
    axis, starts, found = _axis(node), _starts(node), []
    for k, view in enumerate(views):
        strides = list(view.strides)
        if node.primitive.name == "stack":
            strides.insert(axis, 0)
            found.append(Pick(k, tuple(strides), view.offset))
        else:
            found.append(Pick(k, tuple(strides), view.offset - starts[k] * strides[axis]))
    return tuple(found)


def _join(build: Placer, node: Node, picks: tuple[Pick, ...]) -> Value:
    axis, starts, type = _axis(node), _starts(node), result_type(node)
    found: Value | None = None
    for pick in reversed(picks):
        low, high = starts[pick.position], starts[pick.position + 1]
        if low == high:
            continue
        conditions = within(build, node, axis, low, high, starts[-1])
        part = build.cast(build.pick(node, pick, all_of(build, conditions)), type)
        if found is None:
            found = part
        else:
            bound = build.constant(high, build.index_type)
            before = build.compute("less", build.index(node, axis), bound, type="i1")
            found = build.compute("select", before, part, found, type=type)
    assert found is not None
    return found


# -- shifts ---------------------------------------------------------------------------------------


def _shifts(node: Node) -> dict[int, int]:
    """By how much the axes are rolled, where it is not nothing."""
    shape, axis = node.outputs[0].shape, node.params["axis"]
    found: dict[int, int] = {}
    for shift, a in np.broadcast(node.params["shift"], 0 if axis is None else axis):
        k = int(a) % len(shape)
        found[k] = (found.get(k, 0) + int(shift)) % shape[k]
    return {a: s for a, s in found.items() if s}


def _can_roll(node: Node) -> bool:
    shape, axis = node.outputs[0].shape, node.params["axis"]
    if 0 in shape or not shape or (axis is None and len(shape) != 1):
        return False
    return len(_shifts(node)) <= 2


def _roll_picks(node: Node, views: Sequence[ArrayView]) -> tuple[Pick, ...]:
    (view,), shape = views, node.outputs[0].shape
    shifts = _shifts(node)
    found = []
    for around in itertools.product((False, True), repeat=len(shifts)):
        offset = view.offset
        for (axis, shift), wraps in zip(shifts.items(), around, strict=True):
            offset += view.strides[axis] * (shape[axis] * wraps - shift)
        found.append(Pick(0, view.strides, offset))
    return tuple(found)


def _roll(build: Placer, node: Node, picks: tuple[Pick, ...]) -> Value:
    shifts, shape = _shifts(node), node.outputs[0].shape
    found: Value | None = None
    ways = itertools.product((False, True), repeat=len(shifts))
    for pick, around in zip(picks, ways, strict=True):
        conditions: list[Value] = []
        for (axis, shift), wraps in zip(shifts.items(), around, strict=True):
            low, high = (0, shift) if wraps else (shift, shape[axis])
            conditions += within(build, node, axis, low, high, shape[axis])
        where = all_of(build, conditions)
        part = build.pick(node, pick, where)
        if found is None or where is None:
            found = part
        else:
            found = build.compute("select", where, part, found, type=build.type_of(part))
    assert found is not None
    return found


# -- triangles ------------------------------------------------------------------------------------


def _triangle(build: Placer, node: Node, picks: tuple[Pick, ...]) -> Value:
    """The entry where column - row ≤ k (or ≥ k), else 0."""
    comparison = "less_equal" if node.primitive.name == "tril" else "greater_equal"
    apart = build.compute("subtract", build.index(node, -1), build.index(node, -2))
    bound = build.constant(int(node.params["k"]), build.index_type)
    kept = build.compute(comparison, apart, bound, type="i1")
    x, type = build.operand(node, 0), result_type(node)
    return build.compute("select", kept, x, build.constant(0, type), type=type)


def _can_join(node: Node) -> bool:
    return 0 < len(node.inputs) <= MANY and 0 not in node.outputs[0].shape


def _join_axes(node: Node) -> set[int]:
    return {_axis(node)} if len(node.inputs) > 1 else set()


def _last_two(node: Node) -> set[int]:
    ndim = len(node.outputs[0].shape)
    return {ndim - 2, ndim - 1}


JOIN = Placing(_can_join, _join_picks, _join_axes, _join)
ROLL = Placing(_can_roll, _roll_picks, lambda node: set(_shifts(node)), _roll)
TRIANGLE = Placing(
    lambda node: len(node.outputs[0].shape) > 1,
    lambda node, views: (),
    _last_two,
    _triangle,
    frozenset({0}),
)
