"""The two derivatives of a loop, each a loop beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.graph import is_inexact, spec_of
from chainrule.transforms.arguments import Arguments
from chainrule.transforms.forward_mode import pushforward
from chainrule.transforms.reverse_mode import pullback

if TYPE_CHECKING:
    from chainrule.transforms.loops import Loop

Leaves = list[Any]


class Backwards:
    """The loop of the cotangents.

    Carry: the cotangents of the floating leaves of the carry, and the sums for the constants.
    Rows: carry and row of the forward loop, and the cotangents of what each step returned.
    """

    def __init__(
        self, loop: Loop, wanted: Sequence[int], xs: tuple[Any, ...], ys: tuple[Any, ...]
    ) -> None:
        self.loop = loop
        self.wanted = wanted
        self.xs = xs
        self.ys = ys
        first = loop.carries
        self.moving = [k for k in range(first) if is_inexact(xs[k])]
        self.row_places = [k for k in wanted if first <= k < first + loop.rows]
        self.sum_places = [k for k in wanted if k >= first + loop.rows]
        self.places = [*self.moving, *self.row_places, *self.sum_places]

    def run(self, gs: list[Any]) -> list[Any]:
        """The cotangents of the inputs `wanted`, from those of all outputs (None: absent)."""
        loop, first = self.loop, self.loop.carries
        _, rows, constants = loop.split(self.xs)
        kept = list(self.ys[len(self.ys) - first :])
        outs = range(first, len(self.ys) - first)
        stacked = [gs[o] for o in outs]
        hidden = [gs[len(self.ys) - first + k] for k in self.moving]
        given = [g for g in (*stacked, *hidden) if g is not None]
        begin = [_or_zeros(gs[k], self.xs[k]) for k in self.moving]
        begin += [_or_zeros(None, self.xs[k]) for k in self.sum_places]

        def back(carry: Leaves, row: Leaves, constants: Leaves) -> tuple[Leaves, Leaves]:
            point = [*row[: first + loop.rows], *constants]
            arriving = iter(row[first + loop.rows :])
            at_outputs = [None if g is None else next(arriving) for g in stacked]
            at_carries = [None if g is None else next(arriving) for g in hidden]
            return self.step(point, carry, at_outputs, at_carries)

        leaves = (begin, [*kept, *rows, *given], constants)
        found = loop.beside(back, leaves, loop.length_of(kept), reverse=not loop.reverse)
        moved = dict(zip((*self.moving, *self.sum_places), found[: len(begin)], strict=True))
        row_gs = found[len(begin) : len(begin) + len(self.row_places)]
        moved |= dict(zip(self.row_places, row_gs, strict=True))
        return [moved[k] for k in self.wanted]

    def step(
        self, point: Leaves, carry: Leaves, at_outputs: Leaves, at_carries: Leaves
    ) -> tuple[Leaves, Leaves]:
        """One step of the backward loop: next cotangents and sums, and those of the row."""
        loop, count = self.loop, len(self.moving)
        gs: list[Any] = [None] * loop.carries
        for k, g in zip(self.moving, carry[:count], strict=True):
            gs[k] = g

        def at_places(leaves: Leaves) -> tuple[Any, ...]:
            filled = list(point)
            for k, leaf in zip(self.places, leaves, strict=True):
                filled[k] = leaf
            return loop.flat_step(filled)

        here = [point[k] for k in self.places]
        _, _, pull = pullback(loop.title, at_places, (here,), {}, 0)
        found = pull.raw([*gs, *at_outputs])
        before = [g if h is None else g + h for g, h in zip(found[:count], at_carries, strict=True)]
        rows = found[count : count + len(self.row_places)]
        added = found[count + len(self.row_places) :]
        sums = [s + g for s, g in zip(carry[count:], added, strict=True)]
        return [*before, *sums], rows


def _or_zeros(value: Any, like: Any) -> Any:
    spec = spec_of(like)
    return np.zeros(spec.shape, spec.dtype)[()] if value is None else value


def forwards(loop: Loop, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]) -> list[Any]:
    """The tangents of all outputs: a loop whose carry is the carry and its tangent."""
    first = loop.carries
    carry, rows, constants = loop.split(xs)
    moving = [k for k in range(first) if is_inexact(xs[k])]
    row_places = [k for k in range(first, first + loop.rows) if ts[k] is not None]
    others = [k for k in range(first + loop.rows, len(xs)) if ts[k] is not None]
    places = [*moving, *row_places, *others]
    count = len(ys) - 2 * first
    floating = [o for o in range(first, first + count) if is_inexact(ys[o])]

    def pushed(carry: Leaves, row: Leaves, constants: Leaves) -> tuple[Leaves, Leaves]:
        plain = len(constants) - len(others)
        point = [*carry[:first], *row[: loop.rows], *constants[:plain]]
        tangents = [*carry[first:], *row[loop.rows :], *constants[plain:]]

        def at_places(leaves: Leaves) -> tuple[Any, ...]:
            filled = list(point)
            for k, leaf in zip(places, leaves, strict=True):
                filled[k] = leaf
            return loop.flat_step(filled)

        arguments = Arguments(loop.title, ([point[k] for k in places],), 0)
        values, moved, _ = pushforward(loop.title, at_places, arguments, tangents, {})
        return [*values[:first], *(moved[k] for k in moving)], [moved[o] for o in floating]

    begin = [_or_zeros(ts[k], xs[k]) for k in moving]
    leaves = (
        [*carry, *begin],
        [*rows, *(ts[k] for k in row_places)],
        [*constants, *(ts[k] for k in others)],
    )
    found = loop.beside(
        pushed, leaves, ys[first + count].shape[0], reverse=loop.reverse, keeps=True
    )
    tangents: list[Any] = [None] * len(ys)
    start = first + len(moving)
    for place, k in enumerate(moving):
        tangents[k] = found[first + place]
        tangents[first + count + k] = found[start + len(floating) + first + place]
    for place, o in enumerate(floating):
        tangents[o] = found[start + place]
    return tangents
