"""Positions of entries as whole numbers, computed from others."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.comparison import POSITIONS, WHOLE_NUMBERS
from chainrule.primitives.declare import flat
from chainrule.primitives.samples import case
from chainrule.primitives.shapes import as_tuple

packed = flat(
    "packbits",
    numpy=np.packbits,
    reason=WHOLE_NUMBERS,
    latex=r"\operatorname{{packbits}} {x}",
    samples=[case(np.array([True, False, True]))],
)
unpacked = flat(
    "unpackbits",
    numpy=np.unpackbits,
    reason=WHOLE_NUMBERS,
    latex=r"\operatorname{{unpackbits}} {x}",
    samples=[case(np.array([3, 200], np.uint8))],
)


POSITIONS_OF_OTHERS = {np.unravel_index: POSITIONS, np.ravel_multi_index: POSITIONS}
"""The functions here that have no derivative, though they are made of others, and why."""


@composition(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    """`np.ix_`: each sequence along an axis of its own; truth values become positions."""
    parts = []
    for k, part in enumerate(args):
        part = np.asarray(part) if isinstance(part, list | tuple | range) else part
        if part.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        part = np.flatnonzero(part) if part.dtype.kind == "b" else part
        parts.append(np.reshape(part, [-1 if j == k else 1 for j in range(len(args))]))
    return tuple(parts)


def _steps(shape: Any, order: str) -> list[int]:
    """How many entries lie between neighbours along each axis."""
    sizes = [int(n) for n in as_tuple(shape)]
    if order not in ("C", "F"):
        raise ValueError("only 'C' or 'F' order is permitted")
    steps, step = [], 1
    for n in reversed(sizes) if order == "C" else sizes:
        steps.append(step)
        step *= n
    return steps[::-1] if order == "C" else steps


@composition(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Any, ...]:
    """`np.unravel_index`: positions along each axis, of positions among all entries in a row."""
    sizes = as_tuple(shape)
    total = int(np.prod(sizes))
    if np.any((indices < 0) | (indices >= total)):
        raise ValueError(f"index is out of bounds for array with size {total}")
    steps = _steps(shape, order)
    return tuple(indices // step % n for step, n in zip(steps, sizes, strict=True))


@composition(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    """`np.ravel_multi_index`: positions among all entries in a row, of those along each axis."""
    sizes = as_tuple(dims)
    modes = mode if isinstance(mode, tuple | list) else (mode,) * len(sizes)
    total: Any = 0
    for k, n, step, how in zip(multi_index, sizes, _steps(dims, order), modes, strict=True):
        if how == "wrap":
            k = k % n
        elif how == "clip":
            k = np.clip(k, 0, n - 1)
        elif np.any((k < 0) | (k >= n)):
            raise ValueError("invalid entry in coordinates array")
        total = total + k * step
    return total
