"""Random bits from a key: the one operation under all of `chainrule.numpy.random`."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.primitives.declare import flat
from chainrule.primitives.samples import case


def _bits(key: Any, *, size: tuple[int, ...], stream: int = 0) -> Any:
    """64 bits per entry: block after block of Philox, whose stream NumPy promises to keep."""
    source = np.random.Philox(key=np.asarray(key, np.uint64), counter=[0, 0, 0, stream])
    return np.asarray(source.random_raw(int(np.prod(size, dtype=int))), np.uint64).reshape(size)


bits = flat(
    "random_bits",
    compute=_bits,
    reason="drawn from a key",
    latex=r"\operatorname{{bits}}({x})",
    samples=[case(np.array([7, 11], np.uint64), size=(3, 2))],
)
