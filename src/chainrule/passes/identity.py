"""When two operations, or two constants, are the same: keys that compare equal exactly then."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

COMPARED_BYTES = 1 << 16
"""Constants up to this size are compared by their bytes, larger ones by identity."""

COMMUTATIVE = frozenset(
    {
        *("add", "multiply", "chain_product", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_xor"),
        *("bitwise_and", "bitwise_or", "bitwise_xor"),
    }
)
"""Operations whose two inputs may change places without changing a bit of the result."""


def constant_key(value: Any) -> Hashable:
    """Equal for constants of one kind, dtype and shape with the same bits."""
    if isinstance(value, np.ndarray):
        if value.nbytes > COMPARED_BYTES or value.dtype.kind == "O":
            return ("array", id(value))
        return ("array", value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, np.generic):
        return ("scalar", value.dtype.str, value.tobytes())
    return (type(value), repr(value))


def frozen(value: Any) -> Hashable:
    """Parameters of an operation as something that can be compared: slices, lists, dictionaries."""
    kind = type(value)
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, tuple | list):
        return (kind, tuple(map(frozen, value)))
    if isinstance(value, dict):
        return (kind, tuple((key, frozen(value[key])) for key in sorted(value)))
    if isinstance(value, np.ndarray | np.generic | float | complex):
        return constant_key(value)
    try:
        hash(value)
    except TypeError:
        return ("object", id(value))
    return (kind, value)
