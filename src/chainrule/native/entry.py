"""The entry of a program as a Python function: NumPy's and Python's addresses, and the function.

The layout of arrays in memory is part of NumPy's binary interface, and is compared with an array at
hand before it is relied upon. Where Python has no global lock, or is not CPython, there is no
native entry and callers use `Program.__call__`.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import sysconfig
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph.node import Edge
from chainrule.native.calls import Table
from chainrule.native.entry_text import HEAD
from chainrule.native.machine import Module

# Places in the table of NumPy's C interface, which never change (numpy/__multiarray_api.h).
_NUMPY_FUNCTIONS = {"Return": 76, "NewFromDescr": 94}
_METH_FASTCALL = 0x80


class _Method(ctypes.Structure):
    """Python's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("documentation", ctypes.c_char_p),
    )


class _Owner:
    """What a native function needs for as long as it lives: its code, its table, its objects."""

    def __init__(self, *held: Any) -> None:
        self.held = held


@functools.cache
def is_possible() -> bool:
    """Whether this Python and this NumPy lay out objects as the entry expects."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    array = np.empty((3, 5), np.float32)
    words = (ctypes.c_int64 * ((HEAD + 56) // 8)).from_address(id(array))
    field = {name: words[(HEAD + k) // 8] for name, k in _FIELDS.items()}
    shape = (ctypes.c_int64 * 2).from_address(field["dims"])
    number = ctypes.c_double.from_address(id(_NUMBER) + HEAD).value
    return (
        words[HEAD // 8 - 1] == id(np.ndarray)
        and field["data"] == array.ctypes.data
        and field["ndim"] & 0xFFFFFFFF == 2
        and tuple(shape) == (3, 5)
        and field["descr"] == id(array.dtype)
        and field["flags"] & 0xFFFFFFFF == array.flags.num
        and number == _NUMBER
        and float.__basicsize__ == HEAD + 8
    )


_FIELDS = {"data": 0, "ndim": 8, "dims": 16, "descr": 40, "flags": 48}
_NUMBER = 0.1234567


@functools.cache
def _numpy_addresses() -> dict[str, int]:
    """Functions of NumPy's C interface."""
    capsule = np._core._multiarray_umath._ARRAY_API  # type: ignore[attr-defined]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = pointer(capsule, None)
    size = max(_NUMPY_FUNCTIONS.values()) + 1
    entries = (ctypes.c_void_p * size).from_address(table)
    return {name: entries[k] or 0 for name, k in _NUMPY_FUNCTIONS.items()}


def native_function(
    module: Module,
    table: Table,
    constants: dict[Edge, Any],
    arena: Any,
    fallback: Callable[..., Any],
    name: str,
) -> Callable[..., Any]:
    """The function `entry` of a module, as Python calls it; `arena` is an aligned block or None."""
    find = ctypes.CFUNCTYPE(ctypes.c_void_p)(module.address("table_address"))
    entries = (ctypes.c_void_p * max(len(table.objects), 1)).from_address(find())
    for k, (kind, value) in enumerate(table.objects):
        match kind:
            case "object":
                entries[k] = id(value)
            case "constant":
                entries[k] = constants[value].ctypes.data
            case "arena":
                entries[k] = arena.ctypes.data
            case "fallback":
                entries[k] = id(fallback)
            case _:
                entries[k] = _numpy_addresses()[kind]
    method = _Method(name.encode(), module.address("entry"), _METH_FASTCALL, None)
    owner = _Owner(module, table, constants, arena, fallback, method)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    function: Callable[..., Any] = make(ctypes.addressof(method), owner, None)
    return function
