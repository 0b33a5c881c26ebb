"""NumPy with what cannot dispatch by itself: `import chainrule.numpy as np`.

Everything here is NumPy's own, except

    array asarray ascontiguousarray arange     keep traced values in their arguments
    zeros ones empty full eye identity linspace   inside a differentiated function give arrays into
                                                  which traced values can be written

Outside a differentiated function these are NumPy's own too.

>>> import chainrule as cr
>>> import chainrule.numpy as np
>>> def squares(x):
...     out = np.zeros(3)
...     for k in range(3):
...         out[k] = x[k] ** 2
...     return np.sum(out)
>>> cr.grad(squares)(np.array([1.0, 2.0, 3.0]))
array([2., 4., 6.])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from chainrule.tracing.array import TracedArray
from chainrule.tracing.dispatch import lifted
from chainrule.tracing.levels import innermost

__all__ = [
    "arange",
    "array",
    "asarray",
    "ascontiguousarray",
    "empty",
    "eye",
    "full",
    "identity",
    "linspace",
    "ones",
    "zeros",
]


def __getattr__(name: str) -> Any:
    return getattr(numpy, name)


def __dir__() -> list[str]:
    return sorted(set(__all__) | set(dir(numpy)))


def _nested(value: Any) -> Any:
    """Lists of traced arrays as one traced array; anything else as it is."""
    if isinstance(value, list | tuple) and value:
        parts = [_nested(part) for part in value]
        if any(isinstance(part, TracedArray) for part in parts):
            return numpy.stack(
                [p if isinstance(p, TracedArray) else numpy.asarray(p) for p in parts]
            )
        return value
    return lifted(value)


def array(object: Any, dtype: Any = None, *, copy: bool = True, ndmin: int = 0, **rest: Any) -> Any:
    """`numpy.array`, also of traced values and of nested lists with traced values in them."""
    value = _nested(object)
    if not isinstance(value, TracedArray):
        return numpy.array(object, dtype, copy=copy, ndmin=ndmin, **rest)
    if dtype is not None:
        value = value.astype(dtype)
    elif copy:
        value = value.copy()
    return value.reshape((1,) * (ndmin - value.ndim) + value.shape) if ndmin > value.ndim else value


def asarray(a: Any, dtype: Any = None, **rest: Any) -> Any:
    """`numpy.asarray`, also of traced values."""
    value = _nested(a)
    if not isinstance(value, TracedArray):
        return numpy.asarray(a, dtype, **rest)
    return value if dtype is None or value.dtype == dtype else value.astype(dtype)


ascontiguousarray = asarray


def arange(*args: Any, **options: Any) -> Any:
    """`numpy.arange`, also with traced ends: start + step · (0, 1, 2, …)."""
    if not any(isinstance(a, TracedArray) for a in args):
        return _writable(numpy.arange)(*args, **options)
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
    count = max(0, int(numpy.ceil((stop - start) / step)))
    return start + step * numpy.arange(count)


def full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    """`numpy.full`, also with a traced value."""
    value = _nested(fill_value)
    if isinstance(value, TracedArray):
        filled = numpy.broadcast_to(value, shape)
        return filled.copy() if dtype is None else filled.astype(dtype)
    return _writable(numpy.full)(shape, fill_value, dtype, **options)


def _writable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A creation function whose arrays, inside a transform, accept traced values."""

    def create(*args: Any, **options: Any) -> Any:
        made = function(*args, **options)
        level = innermost()
        floating = isinstance(made, numpy.ndarray) and made.dtype.kind in "fc"
        return level.constant(made) if level is not None and floating else made

    create.__name__ = function.__name__
    create.__doc__ = (
        f"`numpy.{function.__name__}`; inside a transform, traced values can be written."
    )
    return create


zeros = _writable(numpy.zeros)
ones = _writable(numpy.ones)
empty = _writable(numpy.empty)
eye = _writable(numpy.eye)
identity = _writable(numpy.identity)
linspace = _writable(numpy.linspace)
