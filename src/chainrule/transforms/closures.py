"""The traced values that a function closes over, found so that others can stand in their places.

A solver runs on plain numbers, and a step that is computed again needs every value that it reads
as an input. So the values of a running derivative that a function holds become arguments of it.
They are looked for in its cells and defaults, in partial arguments, in the object of a method, and
in the containers, objects and functions that stand in those. What hides elsewhere, in a global say,
is met when the function runs, and refused.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete
from chainrule.tracing.dispatch import lifted

Function = Callable[..., Any]
_DEEPEST = 12  # containers within objects within functions; a bound against endless structures
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, type, ModuleType)


def depends(value: Any) -> bool:
    """Whether a value differs with the variables, or the examples, of a running transform.

    A traced constant does not: the number under it is all there is to know.
    """
    while isinstance(value, Traced):
        value.settle()
        if value.level.varies(value):
            return True
        value = value.value
    return False


def differs(value: Any) -> bool:
    """Whether a value differs between the examples of a running vmap."""
    while isinstance(value, Traced):
        if value.level.maps and value.level.varies(value):
            return True
        value = value.value
    return False


class Closure:
    """A function, or a tuple of them, and in `values` the traced arrays that it closes over.

    `args` are further arguments of every call, in which traced arrays count as held too. One array
    in two places is one value; an object array of traced scalars is one array; traced constants
    are not among the values, they become plain numbers.
    """

    __slots__ = ("_held", "_reach", "_stand_ins", "function", "place", "values")

    def __init__(self, function: Any, args: tuple[Any, ...] = ()) -> None:
        self.function = function
        self.place = callers_place()
        self._held = (function, args)
        self._reach = _Reach(self._held)
        self.values: list[Any] = []
        # What replaces each: the numbers of a constant, or None for the next of the new values. By
        # identity: once its transform has returned, a traced array cannot even be looked at.
        self._stand_ins: dict[int, Any] = {}
        for old in self._reach.traced:
            array = lifted(old)
            if depends(array):
                self.values.append(array)
                self._stand_ins[id(old)] = None
            else:
                self._stand_ins[id(old)] = for_reading(concrete(array))

    @property
    def name(self) -> str:
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def holding(self, values: Any) -> Any:
        """The same function with other values in the places of `self.values`."""
        function, args = self._held
        if self._stand_ins:
            new = iter(values)
            made = {k: next(new) if v is None else v for k, v in self._stand_ins.items()}
            function, args = _rebuilt(self._held, self._reach.holders, made)
        return (lambda *given: function(*given, *args)) if args else function

    def plain(self) -> Any:
        """The function of the numbers alone, for a solver that cannot trace."""
        return self.holding([concrete(value) for value in self.values])

    def hidden(self) -> errors.InputError:
        """The error for a result that depends on a value which was not found."""
        return errors.InputError(
            f"the function {self.name!r} given at {self.place} uses a value of the running "
            "derivative that is neither among its arguments nor held by the function itself (a "
            "global, say); pass it as an argument"
        )


def for_reading(array: Any) -> Any:
    """An array that others hold too, so that a write is refused and not lost, or worse, kept."""
    if not isinstance(array, np.ndarray):
        return array
    array = array.view()
    array.flags.writeable = False
    return array


class _Reach:
    """What can be reached from a value: in `traced` the traced arrays, the nearest first.

    `holders` are the identities of all that stands between, also round a circle.
    """

    __slots__ = ("_seen", "holders", "traced")

    def __init__(self, value: Any) -> None:
        self.traced: list[Any] = []
        self._seen: dict[int, Any] = {}  # which keeps the values alive, and so their identities
        above: dict[int, list[int]] = {}
        layer = [value]
        for _ in range(_DEEPEST):
            below: list[Any] = []
            for part in layer:
                if isinstance(part, _PLAIN) or id(part) in self._seen:
                    continue
                self._seen[id(part)] = part
                if _is_traced(part):
                    self.traced.append(part)
                    continue
                for inner in _parts(part):
                    above.setdefault(id(inner), []).append(id(part))
                    below.append(inner)
            layer = below
        self.holders: set[int] = set()
        marked = [id(part) for part in self.traced]
        while marked:
            for holder in above.get(marked.pop(), ()):
                if holder not in self.holders:
                    self.holders.add(holder)
                    marked.append(holder)


def _is_traced(value: Any) -> bool:
    """Whether a value is traced, or an object array with something traced in it."""
    if type(value) is np.ndarray and value.dtype.kind == "O":
        return any(isinstance(entry, Traced) for entry in value.flat)
    return isinstance(value, Traced)


def _parts(value: Any) -> list[Any]:
    """What stands directly in a value that is not traced itself."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, MethodType):
        return [value.__self__]
    if isinstance(value, FunctionType):
        held = [_content(cell) for cell in value.__closure__ or ()]
        return [*held, value.__defaults__, value.__kwdefaults__]
    if isinstance(value, np.ndarray) or not hasattr(value, "__dict__"):
        return []
    return list(vars(value).values())


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None


def _rebuilt(value: Any, holders: set[int], made: dict[int, Any]) -> Any:
    """A copy of a value with what `made` has in the places of the traced arrays in it.

    What holds none of them is left as it is, so that the identity of the user's own objects, and
    the counts that they keep, stay. Copies are noted in `made` before they are filled, for they
    may hold themselves.
    """

    def other(part: Any) -> Any:
        return _rebuilt(part, holders, made)

    if id(value) in made:
        return made[id(value)]
    if id(value) not in holders:
        return value
    if isinstance(value, tuple):
        new: Any = tuple.__new__(type(value), map(other, value))
    elif isinstance(value, functools.partial):
        new = functools.partial(other(value.func), *other(value.args), **other(value.keywords))
    elif isinstance(value, MethodType):
        new = _method(value, other(value.__self__))
    elif isinstance(value, FunctionType):
        return _function(value, holders, made)
    else:
        new = made[id(value)] = copy.copy(value)
        if isinstance(value, list):
            new[:] = map(other, value)
        else:
            entries = new if isinstance(value, dict) else vars(new)
            entries.update({key: other(part) for key, part in entries.items()})
    return made.setdefault(id(value), new)


def _method(value: MethodType, owner: Any) -> Any:
    if isinstance(owner, type(value.__self__)):
        return MethodType(value.__func__, owner)
    owner = np.asarray(owner)[()] if isinstance(owner, float | complex) else owner
    return getattr(owner, value.__func__.__name__)  # of a traced array, and now of a plain one


def _function(value: FunctionType, holders: set[int], made: dict[int, Any]) -> Any:
    """A function with cells of its own for what is replaced; it shares the others."""
    old = value.__closure__ or ()
    kept = [id(_content(cell)) not in holders and id(_content(cell)) not in made for cell in old]
    cells = tuple([c if keep else CellType() for c, keep in zip(old, kept, strict=True)])
    new = FunctionType(value.__code__, value.__globals__, value.__name__, None, cells)
    new.__dict__.update(value.__dict__)
    made[id(value)] = new
    for before, cell in zip(old, cells, strict=True):
        if cell is not before:
            cell.cell_contents = _rebuilt(before.cell_contents, holders, made)
    new.__defaults__ = _rebuilt(value.__defaults__, holders, made)
    new.__kwdefaults__ = _rebuilt(value.__kwdefaults__, holders, made)
    return new
