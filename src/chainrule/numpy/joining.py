"""`r_` and `c_`, also with traced values in the brackets."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing import creation


class Joiner:
    """Concatenates what stands in its brackets, as `numpy.r_` does.

    `axis` is the one along which it joins; items with fewer than `ndmin` axes get axes of length
    one, so that their own begin at the position `place` (-1: at the end).
    """

    __slots__ = ("axis", "ndmin", "place", "plain")

    def __init__(self, plain: Any, axis: int = 0, ndmin: int = 1, place: int = -1) -> None:
        self.plain = plain
        self.axis = axis
        self.ndmin = ndmin
        self.place = place

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        lifted = [_item(item) for item in items]
        if not any(isinstance(item, Traced) for item in lifted):
            return self.plain[key]
        joiner = self
        if isinstance(items[0], str):
            joiner, lifted = self._directed(items[0]), lifted[1:]
        return np.concatenate([joiner._widened(item) for item in lifted], axis=joiner.axis)

    def _directed(self, text: str) -> Joiner:
        """The joiner that a text such as "0,2" asks for: axis, number of axes, place."""
        try:
            numbers = [int(part) for part in text.split(",")]
            return Joiner(self.plain, *numbers, *(self.ndmin, self.place)[len(numbers) - 1 :])
        except (ValueError, TypeError) as error:
            raise errors.UnsupportedError(
                f"{text!r} in the brackets of r_ at {callers_place()} asks for a matrix, which "
                'traced values cannot make; use numbers, such as np.r_["0,2", x], or np.stack'
            ) from error

    def _widened(self, item: Any) -> Any:
        missing = self.ndmin - item.ndim
        if missing <= 0:
            return item
        before = self.place if self.place >= 0 else missing + self.place + 1
        return np.reshape(item, (1,) * before + item.shape + (1,) * (missing - before))

    def __len__(self) -> int:
        return 0


def _item(item: Any) -> Any:
    """One item as an array; a slice as the numbers that it counts through."""
    if isinstance(item, str):
        return item
    if not isinstance(item, slice):
        return creation.asarray(item)
    start = 0 if item.start is None else item.start
    step = 1 if item.step is None else item.step
    if isinstance(step, complex):
        return np.linspace(start, item.stop, int(abs(step)))
    return creation.arange(start, item.stop, step)


r_ = Joiner(np.r_)
c_ = Joiner(np.c_, axis=-1, ndmin=2, place=0)
