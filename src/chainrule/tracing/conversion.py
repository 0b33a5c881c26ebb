"""When a traced array is asked to be a plain number or array: what is told, and what is meant."""

from __future__ import annotations

import dis
import sys
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import OWN_FOLDERS, callers_place

OBJECT_ENTRIES = 1000
_WAYS_OUT = {
    "float": "math and float() cannot carry a derivative; use NumPy's function (np.exp for "
    "math.exp), or float(chainrule.stop_gradient(x)) where the plain number is meant",
    "complex": "complex() cannot carry a derivative; use NumPy, or "
    "complex(chainrule.stop_gradient(x)) where the plain number is meant",
    "item": "item() cannot carry a derivative; keep the array, or use "
    "chainrule.stop_gradient(x).item() where the plain number is meant",
    "tolist": "tolist() cannot carry a derivative; keep the array, or use "
    "chainrule.stop_gradient(x).tolist() where the plain numbers are meant",
}


def concrete(value: Any) -> Any:
    """The plain array under all levels."""
    while isinstance(value, Traced):
        value.settle()
        value = value.value
    return value


def to_number(kind: str, array: Traced) -> errors.ChainruleError:
    """The error for a traced array that is asked for a plain number."""
    if _is_a_write():
        return write_error()
    return errors.ConversionError(
        f"a traced value becomes a plain number at {callers_place()}, which would cut the "
        f"gradient unseen: {_WAYS_OUT[kind]}"
    )


def to_array(array: Any, dtype: Any) -> Any:
    """An object array of traced scalars, so that `np.array([x, y])` keeps shape and gradient."""
    if _is_a_write():
        raise write_error()
    if dtype is not None and np.dtype(dtype) != np.dtype(object):
        raise errors.ConversionError(
            f"a traced value becomes a plain array of {np.dtype(dtype)} at {callers_place()}, "
            "which would cut the gradient unseen: use chainrule.numpy.asarray(x, dtype) (or "
            "chainrule.numpy.array), or np.asarray(chainrule.stop_gradient(x)) where that is meant"
        )
    if array.size > OBJECT_ENTRIES:
        raise errors.ConversionError(
            f"a traced array of {array.size} entries becomes a NumPy array at {callers_place()}; "
            f"above {OBJECT_ENTRIES} entries use chainrule.numpy.asarray or np.stack instead"
        )
    out = np.empty(array.shape, object)
    for index in np.ndindex(*array.shape):
        out[index] = array[index] if index else array
    return out


def write_error() -> errors.WriteError:
    return errors.WriteError(
        f"a traced value is written into a plain array at {callers_place()}, which cannot hold "
        "it: make that array with np.zeros_like(x), np.zeros(n, like=x), or with "
        "chainrule.numpy (import chainrule.numpy as np) inside the differentiated function"
    )


def _is_a_write() -> bool:
    """Whether the user's code is at `array[index] = traced`, seen from its current instruction."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OWN_FOLDERS):
        frame = frame.f_back
    instruction = frame.f_code.co_code[frame.f_lasti]
    return dis.opname[instruction] == "STORE_SUBSCR"
