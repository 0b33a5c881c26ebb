"""Between traced arrays and plain ones: what becomes a number, what is lifted, what is refused."""

from __future__ import annotations

import dis
import os
import sys
import threading
from types import FrameType
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import OWN_FOLDERS, callers_place
from chainrule.primitives import joins, shapes
from chainrule.tracing.calls import Call, call_at, way_out
from chainrule.tracing.levels import innermost
from chainrule.tracing.telling import remembered

OBJECT_ENTRIES = 1000
_NUMBERS = (Traced, float, int, complex, np.number, np.bool_)
_WAYS_OUT = {
    "float": "float() cannot carry a derivative; use NumPy's function",
    "complex": "complex() cannot carry a derivative; use NumPy's function",
    "item": "item() cannot carry a derivative; keep the array",
    "tolist": "tolist() cannot carry a derivative; keep the array",
    "pickle": "a file or another process cannot carry a derivative; compute with it here",
}
_MEANT = {
    "float": "float(chainrule.stop_gradient(x))",
    "complex": "complex(chainrule.stop_gradient(x))",
    "item": "chainrule.stop_gradient(x).item()",
    "tolist": "chainrule.stop_gradient(x).tolist()",
    "pickle": "chainrule.stop_gradient(x)",
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
    advice = way_out(_call()) or _WAYS_OUT[kind]
    return remembered(
        errors.ConversionError(
            f"a traced value becomes a plain number at {callers_place()}, which would cut the "
            f"gradient unseen: {advice}, or {_MEANT[kind]} where the plain number is meant"
        ),
        array.level,
    )


def to_float(array: Traced) -> float:
    """What `float(x)` gives: an error, but where NumPy's test functions ask, who only compare."""
    if _asked_by_a_test():
        return float(concrete(array))
    raise to_number("float", array)


def chosen_inside(array: Traced) -> errors.ConversionError:
    """The error for a search that compares traced values and would return plain numbers."""
    advice = way_out(_call()) or "give it plain numbers, chainrule.stop_gradient(x)"
    return errors.ConversionError(
        f"an optimiser of SciPy compares traced values at {callers_place()}; it would find its "
        f"way by them and return plain numbers, which would cut the gradient unseen: {advice}"
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
    if _asked_by_a_test():
        return np.array(concrete(array), dtype)
    if dtype is not None and np.dtype(dtype) != np.dtype(object):
        advice = way_out(_call()) or (
            "use chainrule.numpy.asarray(x, dtype) (or chainrule.numpy.array)"
        )
        raise errors.ConversionError(
            f"a traced value becomes a plain array of {np.dtype(dtype)} at {callers_place()}, "
            f"which would cut the gradient unseen: {advice}, or "
            "np.asarray(chainrule.stop_gradient(x)) where that is meant"
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
        f"it: {_where_to_make_it()}"
    )


def _where_to_make_it() -> str:
    if innermost() is None and threading.current_thread() is not threading.main_thread():
        return (
            "this thread began inside the differentiated function and does not know of it; make "
            "the array there with np.zeros_like(x), or run the thread's work in a copy of the "
            "context (contextvars.copy_context().run)"
        )
    return (
        "make that array inside the differentiated function with np.zeros_like(x), "
        "np.zeros(n, like=x), or zeros, ones, empty or full of chainrule.numpy "
        "(import chainrule.numpy as np)"
    )


_STORES = {"STORE_SUBSCR", "STORE_SLICE"}
_TESTING = os.path.join(OWN_FOLDERS[1], "testing", "")


def _users_frame() -> FrameType:
    """The innermost frame that is neither in chainrule, NumPy nor SciPy."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OWN_FOLDERS):
        frame = frame.f_back
    return frame


def _call() -> Call | None:
    """What the user's code is calling, as it is written there."""
    frame = _users_frame()
    return call_at(frame, frame.f_lasti)


def _is_a_write() -> bool:
    """Whether the user's code is at `array[index] = traced`, seen from its current instruction."""
    frame = _users_frame()
    instruction = frame.f_code.co_code[frame.f_lasti]
    return dis.opname[instruction] in _STORES


def check_swap() -> None:
    """Refuse `rng.shuffle(x)`, which swaps rows through views and would leave some of them twice.

    Its loop is compiled: the user's code is at a call, and not at a store.
    """
    frame = _users_frame()
    if "CALL" not in dis.opname[frame.f_code.co_code[frame.f_lasti]]:
        return
    call = call_at(frame, frame.f_lasti)
    if call is None or call.name == "shuffle":
        raise errors.UnsupportedError(
            f"shuffle at {callers_place()} would swap the rows of a traced array through views of "
            "it, and leave some of them twice; use x = rng.permutation(x), or "
            "chainrule.numpy.random.permutation(key, x)"
        )


def _asked_by_a_test() -> bool:
    """Whether numpy.testing asks: it compares and reports, and nothing comes back from it."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(OWN_FOLDERS):
        if frame.f_code.co_filename.startswith(_TESTING):
            return True
        frame = frame.f_back
    return False
