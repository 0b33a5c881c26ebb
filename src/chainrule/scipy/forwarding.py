"""SciPy's own functions for plain arrays, ours for traced ones, a sentence where there is no rule.

A module of `chainrule.scipy` has every name of its SciPy module. A function declared with
`stands_for` runs SciPy's own unless an argument is traced; a name without a declaration is SciPy's
own too, and refuses traced arguments instead of losing their derivative.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete, gathered, unsupported
from chainrule.tracing.levels import innermost
from chainrule.transforms.closures import Closure, depends

Function = Callable[..., Any]


def is_traced(value: Any) -> bool:
    """Whether a traced array is in `value`, also in lists, tuples, dicts and object arrays."""
    if isinstance(value, Traced):
        return True
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "O" and any(isinstance(v, Traced) for v in value.flat)
    if isinstance(value, dict):
        return any(map(is_traced, value.values()))
    return isinstance(value, list | tuple) and any(map(is_traced, value))


def array(value: Any) -> Any:
    """A traced array, or a plain one of at least float64 where `value` holds integers."""
    value = gathered(value)
    if isinstance(value, Traced):
        return value
    value = np.asarray(value)
    return value.astype(float) if value.dtype.kind in "biu" else value


def double(value: Any) -> Any:
    """The same in double precision, to which much of SciPy converts whatever it is given."""
    value = array(value)
    wide = np.dtype(np.complex128 if value.dtype.kind == "c" else np.float64)
    return value if value.dtype == wide else value.astype(wide)


def plainly(function: Function) -> Function:
    """A user's function for SciPy to call: constants of a running derivative become numbers.

    One value that does depend on a variable is an error, not a number without its derivative.
    """
    if innermost() is None:
        return function
    hidden = Closure(function).hidden

    def call(*args: Any) -> Any:
        out = function(*args)
        if not is_traced(out):
            return out
        out = array(out)
        if depends(out):
            raise hidden()
        return concrete(out)

    return call


def stands_for(original: Any) -> Callable[[Function], Function]:
    """Declare what `original` of SciPy means for traced arguments."""

    def declare(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not is_traced(args) and not is_traced(kwargs):
                return original(*args, **kwargs)
            try:
                result = function(*args, **kwargs)
            except errors.ChainruleError:
                raise
            except (ValueError, IndexError) as error:
                raise errors.ShapeError(
                    f"{full_name(original)} at {callers_place()}: {error}"
                ) from error
            return _own(result)

        call.__annotations__ = {}
        return call

    return declare


def _own(result: Any) -> Any:
    """Results that share nothing with the arguments, as SciPy's functions return them."""
    if isinstance(result, Traced):
        return result.snapshot()
    return tuple(map(_own, result)) if type(result) is tuple else result


def full_name(original: Any) -> str:
    """`scipy.signal.lfilter`: the public name, without SciPy's private modules."""
    parts = [part for part in str(original.__module__).split(".") if not part.startswith("_")]
    return ".".join([*parts, original.__name__])


def refused(original: Any, why: str) -> errors.UnsupportedError:
    """The error for one way to call a function that has a derivative otherwise."""
    return errors.UnsupportedError(
        f"{full_name(original)} at {callers_place()} has no derivative here {why}"
    )


def _guarded(original: Any) -> Function:
    """A function of SciPy that refuses traced arguments."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if is_traced(args) or is_traced(kwargs):
            raise unsupported(full_name(original))
        return original(*args, **kwargs)

    return call


def _guarded_class(original: type) -> type:
    """A class of SciPy whose constructor refuses traced arguments."""

    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        if is_traced(args) or is_traced(kwargs):
            raise unsupported(full_name(original))
        original.__init__(self, *args, **kwargs)  # type: ignore[misc]

    return type(
        original.__name__, (original,), {"__init__": construct, "__doc__": original.__doc__}
    )


def forwarding(
    name: str, declared: Iterable[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a module that has all names of the SciPy module `name`."""
    module = importlib.import_module(name)
    found: dict[str, Any] = {}

    def get(attribute: str) -> Any:
        if attribute.startswith("_") or not hasattr(module, attribute):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        if attribute not in found:
            found[attribute] = _forwarded(getattr(module, attribute))
        return found[attribute]

    def names() -> list[str]:
        return sorted({*declared, *(n for n in dir(module) if not n.startswith("_"))})

    return get, names


def _forwarded(value: Any) -> Any:
    if isinstance(value, type):
        return value if issubclass(value, BaseException) else _guarded_class(value)
    return _guarded(value) if callable(value) else value
