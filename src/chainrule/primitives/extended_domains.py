"""`numpy.emath`: functions that go on in the complex numbers where the real ones end.

Which branch is taken depends on the values that are there, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import composition


def _number(x: Any) -> Any:
    return np.asarray(x) if not hasattr(x, "dtype") else x


def _complex(x: Any) -> Any:
    return x.astype(np.result_type(x.dtype, np.complex64))


def _where_negative(x: Any) -> Any:
    """As complex numbers if some entry is negative."""
    x = _number(x)
    return _complex(x) if x.dtype.kind != "c" and np.any(x < 0) else x


def _where_large(x: Any) -> Any:
    """As complex numbers if some entry lies outside [-1, 1]."""
    x = _number(x)
    return _complex(x) if x.dtype.kind != "c" and np.any(np.abs(x) > 1) else x


def _extended(extended: Any, function: Any, lift: Callable[[Any], Any]) -> None:
    def call(x: Any) -> Any:
        return function(lift(x))

    call.__name__ = extended.__name__
    call.__doc__ = f"`numpy.emath.{extended.__name__}`."
    composition(extended)(call)


_extended(np.emath.sqrt, np.sqrt, _where_negative)
_extended(np.emath.log, np.log, _where_negative)
_extended(np.emath.log2, np.log2, _where_negative)
_extended(np.emath.log10, np.log10, _where_negative)
_extended(np.emath.arccos, np.arccos, _where_large)
_extended(np.emath.arcsin, np.arcsin, _where_large)
_extended(np.emath.arctanh, np.arctanh, _where_large)


@composition(np.emath.logn)
def logn(n: Any, x: Any) -> Any:
    """`numpy.emath.logn`: log x / log n."""
    return np.log(_where_negative(x)) / np.log(_where_negative(n))


@composition(np.emath.power)
def power(x: Any, p: Any) -> Any:
    p = _number(p)
    p = p.astype(float) if p.dtype.kind in "iu" and np.any(p < 0) else p
    return np.power(_where_negative(x), p)
