"""`fromiter`, `require` and `broadcast`, also of traced values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from chainrule.graph import Traced
from chainrule.tracing import creation
from chainrule.tracing.conversion import gathered


def fromiter(iter: Iterable[Any], dtype: Any, count: int = -1, **rest: Any) -> Any:
    """`numpy.fromiter`: a vector of what an iterable gives."""
    if count >= 0:
        iter = islice(iter, count)
    entries = list(iter)
    if any(isinstance(entry, Traced) for entry in entries):
        return creation.array(entries, dtype)
    return np.fromiter(entries, dtype, count, **rest)


def require(a: Any, dtype: Any = None, requirements: Any = None, **rest: Any) -> Any:
    """`numpy.require`; a traced array meets all requirements of memory, for it has none."""
    value = gathered(a)
    if isinstance(value, Traced):
        return creation.asarray(value, dtype)
    return np.require(a, dtype, requirements, **rest)


class broadcast:  # noqa: N801  NumPy's name
    """`numpy.broadcast`: the entries of several arrays, side by side, as they broadcast."""

    def __init__(self, *args: Any) -> None:
        arrays = [creation.asarray(a) for a in args]
        self.shape: tuple[int, ...] = np.broadcast_shapes(*(array.shape for array in arrays))
        self._rows = [np.reshape(np.broadcast_to(array, self.shape), -1) for array in arrays]
        self.numiter = len(arrays)
        self.index = 0

    @property
    def ndim(self) -> int:
        return len(self.shape)

    nd = ndim

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int))

    @property
    def iters(self) -> tuple[Iterator[Any], ...]:
        return tuple(iter(row) for row in self._rows)

    def reset(self) -> None:
        self.index = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        if self.index >= self.size:
            raise StopIteration
        self.index += 1
        return tuple(row[self.index - 1] for row in self._rows)
