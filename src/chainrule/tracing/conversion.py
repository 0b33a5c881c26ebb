"""Between traced arrays and plain ones: what becomes a number, what is lifted, what is refused."""

from __future__ import annotations

import dis
import sys
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import OWN_FOLDERS, callers_place
from chainrule.primitives import joins, shapes

OBJECT_ENTRIES = 1000
_NUMBERS = (Traced, float, int, complex, np.number, np.bool_)
_WAYS_OUT = {
    "float": "math and float() cannot carry a derivative; use NumPy's function (np.exp for "
    "math.exp, chainrule.numpy.arange for np.arange), or float(chainrule.stop_gradient(x)) where "
    "the plain number is meant",
    "complex": "complex() cannot carry a derivative; use NumPy, or "
    "complex(chainrule.stop_gradient(x)) where the plain number is meant",
    "item": "item() cannot carry a derivative; keep the array, or use "
    "chainrule.stop_gradient(x).item() where the plain number is meant",
    "tolist": "tolist() cannot carry a derivative; keep the array, or use "
    "chainrule.stop_gradient(x).tolist() where the plain numbers are meant",
    "pickle": "a file or another process cannot carry a derivative; use "
    "chainrule.stop_gradient(x) where the plain number is meant",
}


def name_of(function: Any) -> str:
    """What a function is called in the user's code: numpy.sin, numpy.linalg.inv."""
    name = str(function.__name__)
    if getattr(np, name, None) is function:
        return f"numpy.{name}"
    module = getattr(function, "__module__", None)
    return f"{module}.{name}" if module else name


def unsupported(name: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(
        f"{name} at {callers_place()} has no derivative here yet; write it with NumPy functions "
        "that have one (`chainrule list` names them), or apply it to chainrule.stop_gradient(x) "
        "where no derivative is meant to pass"
    )


def concrete(value: Any) -> Any:
    """The plain array under all levels."""
    while isinstance(value, Traced):
        value.settle()
        value = value.value
    return value


def lifted(value: Any) -> Any:
    """An object array of traced scalars (from np.array([x, y])) as one traced array.

    A traced array stays, read again if it is a view of one that was written.
    """
    if isinstance(value, Traced):
        value.settle()
        return value
    if not (isinstance(value, np.ndarray) and value.dtype.kind == "O"):
        return value
    if value.ndim == 0:
        return value[()]
    if not value.size:
        return value.astype(np.float64)
    entries = [lifted(entry) for entry in value.reshape(-1).tolist()]
    if not all(isinstance(entry, _NUMBERS) for entry in entries):
        return value
    if not any(isinstance(entry, Traced) for entry in entries):
        return np.array(entries).reshape(value.shape)  # plain numbers, in objects for no reason
    return shapes.reshaped(joins.stack(entries), to=value.shape)


def gathered(value: Any) -> Any:
    """Lists of traced arrays as one traced array; anything else as it is."""
    if isinstance(value, list | tuple) and value:
        parts = [gathered(part) for part in value]
        return joins.stack(parts) if any(isinstance(part, Traced) for part in parts) else value
    return lifted(value)


def operand(value: Any) -> Any:
    """An operand as an array: lists as NumPy takes them, object arrays lifted."""
    kind = type(value)
    if kind is np.ndarray:
        return lifted(value) if value.dtype.kind == "O" else value
    if kind is list or kind is tuple:
        value = gathered(value)
        return value if isinstance(value, Traced) else np.asarray(value)
    return value


def to_number(kind: str, array: Traced) -> errors.ChainruleError:
    """The error for a traced array that is asked for a plain number."""
    if _is_a_write():
        return write_error()
    return errors.ConversionError(
        f"a traced value becomes a plain number at {callers_place()}, which would cut the "
        f"gradient unseen: {_WAYS_OUT[kind]}"
    )


def no_key() -> errors.ConversionError:
    return errors.ConversionError(
        f"a traced value is used as a key of a dict, a set or a cache at {callers_place()}; arrays "
        "cannot be keys: use int(x), or float(chainrule.stop_gradient(x)) where the plain number "
        "is meant"
    )


def no_index(array: Any) -> errors.ConversionError:
    return errors.ConversionError(
        f"a traced {array.dtype} is used as an index or a count at {callers_place()}; only a "
        "single integer can be one: use int(x)"
    )


def to_array(array: Any, dtype: Any) -> Any:
    """What `__array__` gives, so that `np.array([x, y])` keeps shape and gradient."""
    if _is_asked_by_a_sparse_matrix():
        return _nothing_to_read(array)
    if _is_a_write():
        raise write_error()
    if dtype is not None and np.dtype(dtype) != np.dtype(object):
        raise errors.ConversionError(
            f"a traced value becomes a plain array of {np.dtype(dtype)} at {callers_place()}, "
            "which would cut the gradient unseen: use chainrule.numpy.asarray(x, dtype) (or "
            "chainrule.numpy.array), or np.asarray(chainrule.stop_gradient(x)) where that is meant"
        )
    if array.dtype.kind == "c":
        raise errors.ConversionError(
            f"a traced complex value is put into a NumPy array at {callers_place()}; NumPy would "
            "hold it as an object, whose .real and .imag are not its parts: use "
            "chainrule.numpy.array (import chainrule.numpy as np) or np.stack instead"
        )
    if array.size > OBJECT_ENTRIES:
        raise errors.ConversionError(
            f"a traced array of {array.size} entries becomes a NumPy array at {callers_place()}; "
            f"above {OBJECT_ENTRIES} entries use chainrule.numpy.asarray or np.stack instead"
        )
    return to_objects(array)


def _is_asked_by_a_sparse_matrix() -> bool:
    """Whether SciPy's product of a sparse matrix wants to know what its other factor is.

    A 0-d array of objects tells it that it cannot know, so Python asks the traced array instead.
    """
    frame = sys._getframe(3)  # this function, to_array, __array__, and who called that
    if frame.f_code.co_name != "_matmul_dispatch":
        return False
    caller = frame.f_back
    if caller is not None and caller.f_code.co_name == "__mul__":
        raise errors.ConversionError(
            f"a sparse matrix and a traced value are multiplied with * at {callers_place()}; "
            "write A @ x for the product of matrix and vector"
        )
    return True


def _nothing_to_read(array: Any) -> np.ndarray[Any, Any]:
    out = np.empty((), object)
    out[()] = array
    return out


def to_objects(array: Any) -> np.ndarray[Any, Any]:
    """An object array of traced scalars."""
    out = np.empty(array.shape, object)
    for index in np.ndindex(*array.shape):
        out[index] = array[index] if index else array
    return out


def target(options: dict[str, Any]) -> Any:
    """Take `out=` from the options: the array to write, one per result, or None."""
    out = options.pop("out", None)
    if isinstance(out, tuple) and len(out) == 1:
        out = out[0]
    for array in out if isinstance(out, tuple) else (out,):
        objects = isinstance(array, np.ndarray) and array.dtype == object
        if array is not None and not isinstance(array, Traced) and not objects:
            raise write_error()
    return out


def write_error() -> errors.WriteError:
    return errors.WriteError(
        f"a traced value is written into a plain array at {callers_place()}, which cannot hold "
        "it: make that array inside the differentiated function with np.zeros_like(x), "
        "np.zeros(n, like=x), or zeros, ones, empty or full of chainrule.numpy "
        "(import chainrule.numpy as np)"
    )


_STORES = {"STORE_SUBSCR", "STORE_SLICE"}


def _is_a_write() -> bool:
    """Whether the user's code is at `array[index] = traced`, seen from its current instruction."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OWN_FOLDERS):
        frame = frame.f_back
    instruction = frame.f_code.co_code[frame.f_lasti]
    return dis.opname[instruction] in _STORES
