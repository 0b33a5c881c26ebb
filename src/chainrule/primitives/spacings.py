"""Points between two ends, in equal ratios; `np.linspace` is with the other creations."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition


@composition(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`np.logspace`: powers of `base` with equally spaced exponents."""
    if np.ndim(base):
        base = np.asarray(base) if isinstance(base, list | tuple) else base
        start, stop, base = np.broadcast_arrays(start, stop, base)
        base = np.expand_dims(base, axis)
    exponents = np.linspace(start, stop, num, endpoint=endpoint, axis=axis)
    y = np.power(base, exponents)
    return y if dtype is None else y.astype(dtype)


@composition(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """`np.geomspace`: start · (stop / start)^t for t from 0 to 1."""
    start, stop = (np.asarray(v) if not hasattr(v, "dtype") else v for v in (start, stop))
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("Geometric sequence cannot include zero")
    start, stop = np.broadcast_arrays(start + 0.0, stop + 0.0)
    t = np.linspace(0, 1, num, endpoint=endpoint, dtype=start.real.dtype)
    t = np.reshape(t, (num,) + (1,) * start.ndim)
    y = start * (stop / start) ** t
    if axis:
        y = np.moveaxis(y, 0, axis)
    return y.astype(np.result_type(y.dtype, np.float64) if dtype is None else dtype)
