"""SciPy's way of passing parameters: shapes, then loc and scale, by position or by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Traced


def floating(value: Any) -> Any:
    """An array of real floating numbers, from whatever SciPy takes; traced arrays as they are."""
    if isinstance(value, Traced):
        array: Any = value
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    if isinstance(value, float | int):
        return float(value)
    if isinstance(value, list | tuple) and any(isinstance(entry, Traced) for entry in value):
        return np.stack([floating(entry) for entry in value])
    value = np.asarray(value)
    return value if value.dtype.kind == "f" else value.astype(np.float64)


def bound(
    name: str, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Any]:
    """The shapes, loc and, where the distribution has one, scale: `names` in their order."""
    defaults = {"loc": 0.0, "scale": 1.0}
    given = dict(zip(names, args, strict=False))
    doubled = sorted(given.keys() & kwargs.keys())
    unknown = sorted(kwargs.keys() - set(names))
    missing = [n for n in names if n not in given and n not in kwargs and n not in defaults]
    if len(args) > len(names) or doubled or unknown or missing:
        raise TypeError(
            f"{name} takes {', '.join(names)}; not known: {unknown or 'none'}, given twice: "
            f"{doubled or 'none'}, missing: {missing or 'none'}"
        )
    found = defaults | given | kwargs
    return [floating(found[n]) for n in names]


def promoted(values: list[Any]) -> list[Any]:
    """Python numbers in the dtype of the arrays beside them, so that float32 code stays float32."""
    dtypes = [value.dtype for value in values if not isinstance(value, float)]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    return [dtype.type(value) if isinstance(value, float) else value for value in values]
