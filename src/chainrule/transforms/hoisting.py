"""The traced values that a function closes over, as arguments of their own.

A solver that runs the user's function many times, on plain numbers, has to know every value that
its result depends on. Those that come through a closure are found here, and replaced.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import CONSTANT, Traced, is_inexact
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete
from chainrule.tracing.dual import Dual

Function = Callable[..., Any]
_DEEPEST = 12  # containers within objects within functions; a bound against endless structures


def depends(value: Any) -> bool:
    """Whether a value depends on a variable of a running derivative; constants of it do not."""
    while isinstance(value, Traced):
        value.settle()
        mark = value.mark  # type: ignore[attr-defined]
        constant = mark is None if isinstance(value, Dual) else mark[0].primitive is CONSTANT
        if not constant:
            return True
        value = value.value
    return False


class _Rebuilding:
    """One walk through what a function reaches, with every traced array replaced by `swap`.

    What holds none is left as it is, so that the identity of the user's own objects is kept.
    """

    def __init__(self, swap: Callable[[Any], Any]) -> None:
        self.swap = swap
        self.known: dict[int, Any] = {}

    def __call__(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, Traced):
            return self.swap(value) if is_inexact(value) else concrete(value)
        if depth > _DEEPEST or id(value) in self.known:
            return self.known.get(id(value), value)
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":
            return self._objects(value, depth)
        if isinstance(value, list | tuple | dict):
            return self._container(value, depth)
        if isinstance(value, types.FunctionType):
            return self._function(value, depth)
        if isinstance(value, functools.partial):
            parts = (value.func, value.args, value.keywords)
            new = tuple(self(part, depth + 1) for part in parts)
            changed = any(a is not b for a, b in zip(new, parts, strict=True))
            return functools.partial(new[0], *new[1], **new[2]) if changed else value
        if isinstance(value, types.MethodType):
            owner = self(value.__self__, depth + 1)
            same = owner is value.__self__
            return value if same else types.MethodType(value.__func__, owner)
        if isinstance(value, type | types.ModuleType) or not hasattr(value, "__dict__"):
            return value
        return self._object(value, depth)

    def _objects(self, value: Any, depth: int) -> Any:
        if not any(isinstance(entry, Traced) for entry in value.flat):
            return value
        new = np.empty(value.shape, object)
        for index in np.ndindex(*value.shape):
            new[index] = self(value[index], depth + 1)
        return new

    def _container(self, value: Any, depth: int) -> Any:
        self.known[id(value)] = value
        parts = list(value.values()) if isinstance(value, dict) else list(value)
        new = [self(part, depth + 1) for part in parts]
        if all(a is b for a, b in zip(new, parts, strict=True)):
            return value
        if isinstance(value, dict):
            found: Any = copy.copy(value)
            found.update(zip(value, new, strict=True))
        elif hasattr(value, "_fields"):
            found = type(value)(*new)
        else:
            found = type(value)(new)
        self.known[id(value)] = found
        return found

    def _function(self, value: types.FunctionType, depth: int) -> Any:
        cells = value.__closure__ or ()
        held = [_content(cell) for cell in cells]
        parts = [*held, value.__defaults__, value.__kwdefaults__]
        fresh = tuple(types.CellType(content) for content in held)
        # A function that calls itself has to find its new self in its closure.
        again = _copied(value, fresh)
        self.known[id(value)] = again
        new = [self(part, depth + 1) for part in parts]
        if all(a is b or a is again for a, b in zip(new, parts, strict=True)):
            self.known[id(value)] = value
            return value
        for cell, other in zip(fresh, new[:-2], strict=True):
            cell.cell_contents = other
        # Cells whose content stays are shared, so that what is written to them is seen.
        again.__defaults__, again.__kwdefaults__ = new[-2:]
        pairs = zip(cells, fresh, held, new[:-2], strict=True)
        found = _copied(again, tuple(c if one is other else f for c, f, one, other in pairs))
        self.known[id(value)] = found
        return found

    def _object(self, value: Any, depth: int) -> Any:
        self.known[id(value)] = value
        new = {name: self(part, depth + 1) for name, part in vars(value).items()}
        if all(new[name] is part for name, part in vars(value).items()):
            return value
        found = copy.copy(value)
        vars(found).update(new)
        self.known[id(value)] = found
        return found


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None


def _copied(value: types.FunctionType, closure: tuple[types.CellType, ...]) -> types.FunctionType:
    """The same function over other cells."""
    found = types.FunctionType(
        value.__code__, value.__globals__, value.__name__, value.__defaults__, closure
    )
    found.__kwdefaults__ = value.__kwdefaults__
    return found


class Hoisted:
    """`function` with the traced values that it closes over as its last arguments, `leaves`.

    Found are those in its closure, its defaults, `functools.partial`, the object of a method, and
    the containers and functions in them. `args` are further arguments of every call, in which
    traced values are leaves too.
    """

    __slots__ = ("_args", "function", "leaves", "place")

    def __init__(self, function: Function, args: tuple[Any, ...] = ()) -> None:
        self.function = function
        self._args = args
        self.place = callers_place()
        self.leaves: list[Any] = []
        _Rebuilding(self._note)((function, args))

    def _note(self, value: Any) -> Any:
        if depends(value) and not any(value is leaf for leaf in self.leaves):
            self.leaves.append(value)
        return value

    def with_leaves(self, leaves: tuple[Any, ...]) -> Function:
        """The function of the remaining arguments, for given values of the leaves."""
        numbers = {id(leaf): k for k, leaf in enumerate(self.leaves)}

        def swap(value: Any) -> Any:
            k = numbers.get(id(value))
            return concrete(value) if k is None else leaves[k]

        function, args = self.function, self._args
        if self.leaves or any(isinstance(arg, Traced) for arg in args):
            function, args = _Rebuilding(swap)((function, args))
        return (lambda *given: function(*given, *args)) if args else function

    def plain(self) -> Function:
        """The function with the numbers of its leaves, for a solver that cannot trace."""
        return self.with_leaves(tuple(map(concrete, self.leaves)))

    def hidden(self) -> errors.InputError:
        """The error for a result that depends on a value which was not found."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return errors.InputError(
            f"the function {name!r} given at {self.place} uses a value of the running derivative "
            "that is neither among its arguments nor in its closure; pass it through args="
        )
