"""Minibatches: a data set in random order, a few examples at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def minibatches(
    *arrays: NDArray[Any], size: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Go once through the examples in random order, `size` at a time.

    The arrays share their first axis and are shuffled alike; each batch is a tuple of their parts.
    The last batch holds what is left over. Raises SettingError, at once, for a size below 1, for
    no arrays, and for arrays of different lengths.

    >>> x, y = np.arange(5), np.arange(5) ** 2
    >>> for a, b in minibatches(x, y, size=2, rng=np.random.default_rng(0)):
    ...     print(a, b)
    [2 4] [ 4 16]
    [3 0] [9 0]
    [1] [1]
    """
    lengths = [len(array) for array in arrays]
    if size < 1 or len(set(lengths)) != 1:
        raise SettingError(
            f"Minibatches of {size} were asked for from {len(arrays)} arrays of the lengths "
            f"{lengths}. Give a size of 1 or more and arrays of one length."
        )
    order = rng.permutation(lengths[0])
    return (
        tuple(array[order[start : start + size]] for array in arrays)
        for start in range(0, lengths[0], size)
    )
