"""What the functions of this folder are given, as floating arrays; and stacks of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import is_inexact
from chainrule.tracing.conversion import operand


def floating(value: Any) -> Any:
    """An array of real or complex floating point numbers, traced or plain, from what SciPy takes.

    Half precision becomes single, as LAPACK has none.
    """
    value = operand(value)
    if not hasattr(value, "dtype"):
        value = np.asarray(value)
    if not is_inexact(value):
        return value.astype(np.float64)
    return value.astype(np.float32) if value.dtype == np.float16 else value


def square(value: Any) -> Any:
    """A square matrix, or a stack of them."""
    value = floating(value)
    if value.ndim < 2 or value.shape[-1] != value.shape[-2]:
        raise ValueError(f"expected a square matrix, or a stack of them, not shape {value.shape}")
    return value


def as_columns(b: Any, a: Any) -> tuple[Any, bool]:
    """A right-hand side as a matrix, and whether it was one vector."""
    b = floating(b)
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-2]:
        raise ValueError(f"shapes of a {a.shape} and b {b.shape} are incompatible")
    return (b[:, None], True) if b.ndim == 1 else (b, False)


def over_stack(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of plain matrices, with one matrix as result, for stacks of them.

    SciPy's own loops over stacks came one by one from 1.9 on; this serves all of its versions. It
    also keeps single precision, in which some of SciPy's functions do not compute.
    """

    def looped(*matrices: Any, **params: Any) -> Any:
        dtype = np.result_type(*matrices)
        if all(m.ndim == 2 for m in matrices):
            return _as_precise(function(*matrices, **params), dtype)
        batch = np.broadcast_shapes(*(m.shape[:-2] for m in matrices))
        spread = [np.broadcast_to(m, (*batch, *m.shape[-2:])) for m in matrices]
        found = [function(*(m[k] for m in spread), **params) for k in np.ndindex(batch)]
        if not found:
            return np.zeros((*batch, *matrices[-1].shape[-2:]), dtype)
        return _as_precise(np.reshape(np.stack(found), (*batch, *found[0].shape)), dtype)

    return looped


def _as_precise(y: Any, dtype: np.dtype[Any]) -> Any:
    """`y` in single precision where `dtype` is single; real or complex as it is."""
    if dtype.char not in "fF":
        return y
    return y.astype(np.complex64 if np.iscomplexobj(y) else np.float32, copy=False)
