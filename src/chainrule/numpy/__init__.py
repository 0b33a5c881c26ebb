"""NumPy with what cannot dispatch by itself: `import chainrule.numpy as np`.

Everything here is NumPy's own, except

    array asarray asanyarray ascontiguousarray     keep traced values in their arguments
    arange fromiter require broadcast r_ c_ vectorize
    zeros ones empty full eye identity tri         inside a differentiated function give arrays
    linspace logspace geomspace                    into which traced values can be written
    zeros_like ones_like empty_like full_like
    random                                         draws with a key, and derivatives with respect
                                                   to the parameters of the distribution

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

import importlib
from collections.abc import Callable
from typing import Any

import numpy

from chainrule.numpy.iterating import broadcast, fromiter, require
from chainrule.numpy.joining import c_, r_
from chainrule.numpy.vectorizing import vectorize
from chainrule.tracing import creation
from chainrule.tracing.levels import innermost

__all__ = [
    "arange",
    "array",
    "asanyarray",
    "asarray",
    "ascontiguousarray",
    "broadcast",
    "c_",
    "empty",
    "empty_like",
    "eye",
    "fromiter",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "r_",
    "random",
    "require",
    "tri",
    "vectorize",
    "zeros",
    "zeros_like",
]


def __getattr__(name: str) -> Any:
    if name == "random":  # like NumPy's, at its first use: it takes time to import
        return importlib.import_module("chainrule.numpy.random")
    return getattr(numpy, name)


def __dir__() -> list[str]:
    return sorted(set(__all__) | set(dir(numpy)))


def _writable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A creation function whose arrays, inside a transform, accept traced values."""

    def create(*args: Any, **options: Any) -> Any:
        array = function(*args, **options)
        level = innermost()
        return array if level is None else creation.made(level, array)

    create.__name__ = function.__name__
    create.__doc__ = (
        f"`numpy.{function.__name__}`; inside a transform, traced values can be written."
    )
    return create


array = creation.array
asarray = creation.asarray
asanyarray = creation.asarray
ascontiguousarray = creation.asarray
arange = _writable(creation.arange)
full = _writable(creation.full)
zeros = _writable(numpy.zeros)
ones = _writable(numpy.ones)
empty = _writable(numpy.empty)
eye = _writable(numpy.eye)
identity = _writable(numpy.identity)
tri = _writable(numpy.tri)
linspace = _writable(numpy.linspace)
logspace = _writable(numpy.logspace)
geomspace = _writable(numpy.geomspace)
zeros_like = _writable(numpy.zeros_like)
ones_like = _writable(numpy.ones_like)
empty_like = _writable(numpy.empty_like)
full_like = _writable(numpy.full_like)
