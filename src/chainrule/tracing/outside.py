"""What a function takes from outside its arguments: the cells, globals and attributes it names.

A compiled function asks on each call whether the names still mean the same objects. Nothing is
executed to find them: the instructions of the code say which globals and attributes it loads.
"""

from __future__ import annotations

import dis
import functools
import random
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from chainrule.graph import Traced
from chainrule.graph.node import OWN_FOLDERS

LARGEST_CONTAINER = 1000
_NUMBERS = int | float | complex | str | bytes | None | np.generic
_GENERATORS = np.random.Generator | np.random.RandomState | random.Random
_ABSENT = (AttributeError, KeyError, IndexError, ValueError)  # ValueError: an empty cell


class Binding:
    """A name outside a function, how to read it, and what it meant when that was traced."""

    __slots__ = ("fetch", "name", "value")

    def __init__(self, name: str, fetch: Callable[[], Any], value: Any) -> None:
        self.name = name
        self.fetch = fetch
        self.value = value

    def now(self) -> Any:
        """What the name means now; the binding itself where it means nothing any more."""
        try:
            return self.fetch()
        except _ABSENT:
            return self

    def holds(self) -> bool:
        """Whether the name means the same object, or an equal number or text."""
        now = self.now()
        if now is self.value:
            return True
        same_kind = type(now) is type(self.value) and isinstance(now, _NUMBERS)
        return same_kind and (bool(now == self.value) or (now != now and self.value != self.value))


class _Loads(tuple[frozenset[str], frozenset[str], frozenset[Any]]):
    """The globals and attributes that code loads, and the numbers that are written in it."""

    __slots__ = ()


@functools.lru_cache(maxsize=4096)
def _loads(code: CodeType) -> _Loads:
    names: set[str] = set()
    attributes: set[str] = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(instruction.argval)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"):
            attributes.add(instruction.argval)
    numbers = {c for c in code.co_consts if isinstance(c, int | float | complex)}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = _loads(constant)
            names |= inner[0]
            attributes |= inner[1]
            numbers |= inner[2]
    return _Loads((frozenset(names), frozenset(attributes), frozenset(numbers)))


class Outside:
    """The bindings of a function and of the functions that it calls by name."""

    def __init__(self, function: Any, others: tuple[Any, ...] = ()) -> None:
        self.bindings: list[Binding] = []
        self.arrays: dict[int, Binding] = {}
        self.generators: list[Any] = []
        self.numbers: set[Any] = set()
        self.is_traced = False
        self._attributes: set[str] = set()
        self._seen: set[int] = set()
        known = -1
        while known < len(self._attributes):  # an object may have been met before its names
            known = len(self._attributes)
            self.bindings, self.arrays, self._seen = [], {}, set()
            self.generators = []
            for name, value in [("the function", function), *(("an argument", o) for o in others)]:
                self._visit(name, value)

    def _bind(self, name: str, fetch: Callable[[], Any]) -> None:
        try:
            value = fetch()
        except _ABSENT:
            return
        if isinstance(value, ModuleType):
            self._visit(name, value)
            return
        binding = Binding(name, fetch, value)
        if isinstance(value, np.ndarray | _NUMBERS) or not _is_own(value):
            self.bindings.append(binding)
        if isinstance(value, np.ndarray):
            self.arrays.setdefault(id(value), binding)
        elif isinstance(value, _NUMBERS):
            if isinstance(value, int | float | complex | np.number):
                self.numbers.add(value)
        else:
            self._visit(name, value)

    def _visit(self, name: str, value: Any) -> None:
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, Traced):
            self.is_traced = True
        elif isinstance(value, _GENERATORS):
            self.generators.append(value)
        elif isinstance(value, FunctionType):
            self._function(name, value)
        elif isinstance(value, MethodType):
            self._visit(name, value.__func__)
            self._visit(name.rpartition(".")[0] or name, value.__self__)
        elif isinstance(value, functools.partial):
            for part in (value.func, value.args, value.keywords):
                self._visit(name, part)
        elif isinstance(value, dict | list | tuple):
            self._container(name, value)
        elif isinstance(value, ModuleType):
            if not _is_own(value):
                self._named(name, value, vars(value))
        else:
            self._object(name, value)

    def _function(self, name: str, function: FunctionType) -> None:
        names, attributes, numbers = _loads(function.__code__)
        own = _is_own(function)
        for cell_name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            fetch = functools.partial(getattr, cell, "cell_contents")
            if own and not isinstance(cell.cell_contents, np.ndarray):
                self._visit(cell_name, cell.cell_contents)  # our own cells never change
            else:
                self._bind(cell_name, fetch)
        for default in (function.__defaults__ or (), function.__kwdefaults__ or {}):
            self._visit(f"the defaults of {function.__name__}", default)
        if own:
            return
        self._attributes |= attributes
        self.numbers |= numbers
        for global_name in sorted(names):
            if global_name in function.__globals__:
                fetch = functools.partial(function.__globals__.__getitem__, global_name)
                self._bind(global_name, fetch)

    def _container(self, name: str, container: Any) -> None:
        keys = list(container) if isinstance(container, dict) else range(len(container))
        if not isinstance(container, tuple) and container:
            self._bind(f"the length of {name}", functools.partial(len, container))
        for key in keys[:LARGEST_CONTAINER]:
            self._bind(f"{name}[{key!r}]", functools.partial(container.__getitem__, key))

    def _named(self, name: str, owner: Any, found: Any) -> None:
        for key in sorted(self._attributes.intersection(found)):
            self._bind(f"{name}.{key}", functools.partial(getattr, owner, key))

    def _object(self, name: str, value: Any) -> None:
        kind = value if isinstance(value, type) else type(value)
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is not None:
            self._visit(name, wrapped)
        if _is_own(value) or _is_own(kind):
            return
        if not isinstance(value, type):
            self._named(name, value, _own_attributes(value))
        for base in kind.__mro__:
            for key in (*sorted(self._attributes.intersection(vars(base))), "__call__"):
                member = vars(base).get(key)
                for function in (member, getattr(member, "fget", None)):
                    if isinstance(function, FunctionType):
                        self._visit(f"{name}.{key}", function)

    def binding_of(self, array: np.ndarray[Any, Any]) -> tuple[Binding, bool] | None:
        """The binding of an array from outside, and whether it is that very array or a view."""
        found = self.arrays.get(id(array))
        if found is not None:
            return found, True
        base: Any = array.base
        while isinstance(base, np.ndarray):
            if id(base) in self.arrays:
                return self.arrays[id(base)], False
            base = base.base
        for binding in self._same_memory(array):
            return binding, False
        return None

    def _same_memory(self, array: np.ndarray[Any, Any]) -> Iterator[Binding]:
        """The outside arrays that are views of the same memory: siblings of `array`."""
        if array.base is None:
            return
        for binding in self.arrays.values():
            if np.may_share_memory(array, binding.value):
                yield binding


def _own_attributes(value: Any) -> set[str]:
    """The names that an object itself has, in its dict or its slots."""
    names = set(getattr(value, "__dict__", ()))
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        names.update((slots,) if isinstance(slots, str) else slots)
    return names


_LIBRARIES = ("chainrule", "numpy", "scipy")
_STANDARD = sys.stdlib_module_names - {"__main__"}


def _is_own(value: Any) -> bool:
    """Whether something is chainrule's, NumPy's, SciPy's or Python's, and not the user's."""
    if isinstance(value, FunctionType) and value.__code__.co_filename.startswith(OWN_FOLDERS):
        return True
    if isinstance(value, FunctionType | ModuleType | type):
        name = value.__name__ if isinstance(value, ModuleType) else value.__module__
        first = (name or "").partition(".")[0]
        return first in _LIBRARIES or first in _STANDARD
    return type(value).__module__.partition(".")[0] in _LIBRARIES
