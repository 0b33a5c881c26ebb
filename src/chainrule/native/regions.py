"""Writing at a basic index, computed at the place of the result: zeros, or what was there, outside.

scatter:  yᵢ = g₍ᵢ₋ₛ₎/ₜ where the slice s, s + t, … holds, else 0
setitem:  yᵢ = v₍ᵢ₋ₛ₎/ₜ there, else xᵢ
"""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.graph import Node
from chainrule.native.nest import Term, Value
from chainrule.native.placing import Pick, Placer, Placing, all_of, result_type, shape_of, within
from chainrule.native.views import ArrayView, Slice, slices


def _slices_of(node: Node) -> list[Slice] | None:
    return slices(node.params["template"], node.outputs[0].shape)


def _can_place(node: Node) -> bool:
    arrays = 1 if node.primitive.name == "scatter" else 2
    found = _slices_of(node) if len(node.inputs) == arrays else None
    return found is not None and all(part.length for part in found)


def _picks(node: Node, views: Sequence[ArrayView]) -> tuple[Pick, ...]:
    """What is written, as it lies under the axes of the result; steps are left to `_write`."""
    position = len(views) - 1
    strides, offset = [0] * len(node.outputs[0].shape), views[position].offset
    for part, step in _moving(node, views[position].strides):
        if part.step in (1, -1):
            assert part.axis is not None
            strides[part.axis] = step * part.step
            offset -= part.start * part.step * step
    return (Pick(position, tuple(strides), offset),)


def _moving(node: Node, strides: Sequence[int]) -> list[tuple[Slice, int]]:
    """The axes of the result along which what is written moves, and its strides there."""
    parts, shape = _slices_of(node), shape_of(node, len(node.inputs) - 1)
    assert parts is not None
    left = [part for part in parts if not part.whole]
    lead = len(left) - len(shape)  # what is written is broadcast: aligned at the last axes
    return [
        (part, strides[k - lead])
        for k, part in enumerate(left)
        if part.axis is not None and k >= lead and shape[k - lead] != 1
    ]


def _axes(node: Node) -> set[int]:
    parts, shape = _slices_of(node), node.outputs[0].shape
    assert parts is not None
    return {s.axis for s in parts if s.axis is not None and s.length != shape[s.axis]}


def _write(build: Placer, node: Node, picks: tuple[Pick, ...]) -> Value:
    parts, shape, type = _slices_of(node), node.outputs[0].shape, result_type(node)
    assert parts is not None
    (pick,) = picks
    conditions: list[Value] = []
    for part in parts:
        if part.axis is not None:
            ends = (part.start, part.start + part.step * (part.length - 1))
            low, high = min(ends), max(ends) + 1
            conditions += within(build, node, part.axis, low, high, shape[part.axis])
            if abs(part.step) > 1 and part.length > 1:
                conditions.append(_hit(build, node, part))
    where = all_of(build, conditions)
    terms = _terms(build, node, where)
    if terms:
        value = build.gather(node, pick, terms)
        zero = build.constant(0, build.type_of(value))
        value = value if where is None else _chosen(build, where, value, zero)
    else:
        value = build.pick(node, pick, where)
    value = build.cast(value, type)
    if node.primitive.name == "scatter" or where is None:
        return value
    return _chosen(build, where, value, build.operand(node, 0))


def _chosen(build: Placer, where: Value, yes: Value, no: Value) -> Value:
    return build.compute("select", where, yes, no, type=build.type_of(yes))


def _steps(build: Placer, node: Node, part: Slice) -> Value:
    """(position - start) / step, rounded towards zero."""
    assert part.axis is not None
    start = build.constant(part.start, build.index_type)
    apart = build.compute("subtract", build.index(node, part.axis), start)
    return build.compute("quotient", apart, build.constant(part.step, build.index_type))


def _hit(build: Placer, node: Node, part: Slice) -> Value:
    """Whether a position is one of start, start + step, …"""
    assert part.axis is not None
    back = build.compute(
        "multiply", _steps(build, node, part), build.constant(part.step, build.index_type)
    )
    back = build.compute("add", back, build.constant(part.start, build.index_type))
    return build.compute("equal", back, build.index(node, part.axis), type="i1")


def _terms(build: Placer, node: Node, where: Value | None) -> tuple[Term, ...]:
    """The steps through what is written along the axes where the slice has a step."""
    position = len(node.inputs) - 1
    found = []
    for part, stride in _moving(node, build.view(node, position).strides):
        if abs(part.step) > 1:
            at, zero = _steps(build, node, part), build.constant(0, build.index_type)
            at = at if where is None else _chosen(build, where, at, zero)
            found.append(Term(at, stride, part.length))
    return tuple(found)


REGION_SCATTER = Placing(_can_place, _picks, _axes, _write)
REGION_WRITE = Placing(_can_place, _picks, _axes, _write, frozenset({0}))
