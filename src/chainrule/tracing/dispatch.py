"""How NumPy's calls on traced arrays become operations: ufuncs, functions, methods."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Flat, registry
from chainrule.graph.node import callers_place
from chainrule.primitives.views import viewing
from chainrule.tracing import creation, folds, writes
from chainrule.tracing.about import ABOUT
from chainrule.tracing.array import TracedArray
from chainrule.tracing.conversion import gathered, name_of, operand, target, to_objects, unsupported
from chainrule.tracing.conversion import lifted as lifted
from chainrule.tracing.core_axes import with_core_axes
from chainrule.tracing.unsupported import UNSUPPORTED

_CONTAINERS = (np.ndarray, list, tuple)
# What stands in the list of a join may be a list of traced scalars. (That of np.block is nested.)
_JOINS = {
    *(np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack),
}


def ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What `__array_ufunc__` does: the call, or one of the ufunc's methods."""
    if method == "__call__" and not options:
        meaning = registry.meanings.get(ufunc) or _loaded(ufunc)
        inputs = tuple([operand(value) for value in inputs])
        return _own(ufunc, meaning(*inputs), inputs)
    if method == "at":
        return writes.at(ufunc, *inputs)
    out = target(options) if options else None
    inputs = tuple([operand(value) for value in inputs])
    if method == "__call__":
        result = _call_ufunc(ufunc, inputs, options, out)
    elif method == "reduceat":
        array, indices, *rest = inputs
        options = {**dict(zip(("axis", "dtype"), rest, strict=False)), **options}
        result = folds.fold(ufunc, method, array, indices=indices, **options)
    elif method in ("reduce", "accumulate"):
        result = folds.fold(ufunc, method, inputs[0], **options)
    elif method == "outer":
        a, b = inputs
        result = ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **options)
    else:
        raise unsupported(f"{name_of(ufunc)}.{method}")
    return _delivered(result, out)


def _loaded(ufunc: Any) -> Callable[..., Any]:
    """The meaning of a ufunc outside NumPy, whose family may load only now."""
    meaning = registry.meaning_of(ufunc)
    if meaning is None:
        raise _unsupported(ufunc)
    return meaning


def _call_ufunc(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any], out: Any) -> Any:
    meaning = registry.meanings.get(ufunc) or _loaded(ufunc)
    if ufunc.signature is not None:
        meaning = with_core_axes(ufunc, meaning, options)
    where, dtype = options.pop("where", True), options.pop("dtype", None)
    casting = options.pop("casting", "same_kind")
    rest = set(options) - {"order", "subok"}
    if rest:
        raise unsupported(f"{name_of(ufunc)} with {', '.join(sorted(rest))}=")
    if dtype is not None:
        inputs = tuple([_cast(ufunc, value, np.dtype(dtype), casting) for value in inputs])
    if where is True:
        return _own(ufunc, meaning(*inputs), inputs)
    with np.errstate(all="ignore"):  # NumPy does not compute the entries that are left out
        result = meaning(*inputs)
    return np.where(where, result, 0.0 if out is None else out)


def _cast(ufunc: Any, value: Any, dtype: np.dtype[Any], casting: Any) -> Any:
    """An operand in the dtype in which the ufunc is asked to compute."""
    if isinstance(value, float | int | complex):
        return dtype.type(value)
    if not np.can_cast(value.dtype, dtype, casting):
        raise errors.ConversionError(
            f"{name_of(ufunc)} at {callers_place()} is asked to compute in {dtype}, and its input "
            f"of {value.dtype} cannot be cast to that with casting={casting!r}"
        )
    return value.astype(dtype)


def function(
    self: TracedArray, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What `__array_function__` does."""
    meaning = registry.meanings.get(function)
    if meaning is not None:
        return call(function, meaning, args, kwargs)
    if function in creation.CREATIONS:
        return creation.made(self.level, creation.CREATIONS[function](*args, **kwargs))
    if function in creation.MEANINGS:
        return creation.MEANINGS[function](*args, **kwargs)
    if function in writes.WRITERS:
        return writes.WRITERS[function](*args, **kwargs)
    if function in ABOUT:
        return ABOUT[function](*args, **kwargs)
    raise _unsupported(function)


def _unsupported(function: Any) -> errors.UnsupportedError:
    """The error for a function without a derivative; with what to use, where that is known."""
    instead = UNSUPPORTED.get(function)
    if instead is None:
        return unsupported(name_of(function))
    return errors.UnsupportedError(
        f"{name_of(function)} at {callers_place()} has no derivative: {instead}"
    )


def call(function: Any, meaning: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Carry out a NumPy function by its meaning; what it refuses names the user's line."""
    for argument in args:
        if type(argument) in _CONTAINERS:
            if function in _JOINS and type(args[0]) is not np.ndarray:
                args = ([gathered(part) for part in args[0]], *args[1:])
            args = tuple([_lifted(a) for a in args])
            break
    if isinstance(meaning, Flat):
        args, kwargs = _arrays_first(function, args, kwargs)
    elif len(args) > 1 and len(args) > _position_of_out(function):
        args, kwargs = _options_by_name(function, args, kwargs)
    out = target(kwargs) if "out" in kwargs else None
    try:
        result = meaning(*args, **kwargs)
    except (errors.ChainruleError, np.linalg.LinAlgError):
        raise
    except (ValueError, IndexError) as error:
        raise errors.ShapeError(f"{name_of(function)} at {callers_place()}: {error}") from error
    except TypeError as error:
        explained = _explained(error, function, meaning, args, kwargs)
        if explained is error:
            raise  # not `from` itself, which would be a chain without an end
        raise explained from error
    result = _own(function, result, args)
    return result if out is None else _delivered(result, out)


def _lifted(argument: Any) -> Any:
    """An argument, or a list of them, with object arrays of traced scalars as traced arrays."""
    if type(argument) in (list, tuple):
        return type(argument)(
            [lifted(part) if type(part) is np.ndarray else part for part in argument]
        )
    return lifted(argument)


def _own(function: Any, result: Any, args: Iterable[Any]) -> Any:
    """A result that later writes do not share with the arguments, unless NumPy gives a view."""
    if isinstance(result, TracedArray) and function not in viewing:
        if result.alias is not None:
            return result.snapshot()
        for argument in args:
            if result is argument:
                return result.snapshot()
    return result


def _delivered(result: Any, out: Any) -> Any:
    """The result, or `out` after the result was written into it."""
    if out is None:
        return result
    if isinstance(out, tuple):
        return tuple(_delivered(*pair) for pair in zip(result, out, strict=True))
    if isinstance(out, TracedArray):
        writes.write(out, result)
    else:
        out[...] = to_objects(result) if isinstance(result, TracedArray) else result
    return out


@functools.cache
def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a NumPy function, or none where NumPy does not tell."""
    try:
        return dict(inspect.signature(function).parameters)
    except ValueError:
        return {}


@functools.cache
def _position_of_out(function: Any) -> int:
    """Where `out` stands among the positional parameters; past the last where it does not."""
    parameters = _parameters(function)
    by_position = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    return list(parameters).index("out") if "out" in by_position else sys.maxsize


def _options_by_name(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional arguments from `out` on by their names, since meanings do not take `out`."""
    start = _position_of_out(function)
    names = list(_parameters(function))[start : len(args)]
    return args[:start], {**dict(zip(names, args[start:], strict=True)), **kwargs}


def _arrays_first(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Required arguments by position, as inputs of the operation; options by name."""
    required = [
        name
        for name, p in _parameters(function).items()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    names = list(_parameters(function))
    if not required or len(args) > len(names):
        return args, kwargs
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if not all(name in given for name in required):
        return args, kwargs
    inputs = tuple(operand(given.pop(name)) for name in required)
    return inputs, {name: _option(function, name, value) for name, value in given.items()}


def _option(function: Any, name: str, value: Any) -> Any:
    """An option of an operation without a derivative: its value, which NumPy itself reads."""
    while isinstance(value, TracedArray):
        if value.level.maps:
            raise unsupported(f"{name_of(function)} with {name}= that differs inside a vmap")
        value.settle()
        value = value.value
    return value


def _explained(
    error: TypeError, function: Any, meaning: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Exception:
    """The error of a call that NumPy takes and its meaning does not: an option without a rule."""
    if not isinstance(meaning, Flat):
        try:
            inspect.signature(meaning).bind(*args, **kwargs)
        except TypeError:
            known = inspect.signature(meaning).parameters
            missing = [name for name in kwargs if name not in known]
            if missing and all(name in _parameters(function) for name in missing):
                return unsupported(f"{name_of(function)} with {', '.join(missing)}=")
    return error


TracedArray.__array_function__ = function  # type: ignore[attr-defined]


def _method(function: Any) -> Callable[..., Any]:
    meaning = registry.meanings[function]

    def method(self: TracedArray, *args: Any, **kwargs: Any) -> Any:
        return call(function, meaning, (self, *args), kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"As `numpy.{function.__name__}`."
    return method


for _function in (
    *(np.sum, np.mean, np.var, np.std, np.prod, np.max, np.min, np.cumsum, np.cumprod, np.all),
    *(np.any, np.argmax, np.argmin, np.argsort, np.clip, np.conj, np.conjugate, np.diagonal),
    *(np.nonzero, np.ravel, np.repeat, np.round, np.searchsorted, np.squeeze, np.swapaxes),
    *(np.take, np.trace, np.copy, np.dot),
):
    setattr(TracedArray, _function.__name__, _method(_function))
TracedArray.conj = TracedArray.conjugate  # type: ignore[attr-defined]


def _ufunc_method(ufunc: Any) -> Callable[..., Any]:
    return lambda self, *others: ufunc(self, *others)


# np.sin of an object array calls x.sin() on each traced entry: every unary ufunc has a method, and
# so have the ones of two arguments that NumPy looks up by name.
for _ufunc in [u for u in registry.meanings if isinstance(u, np.ufunc) and u.nout == 1]:
    _called = _ufunc.nin == 1 or _ufunc in (np.hypot, np.arctan2, np.fmod)
    if _called and not hasattr(TracedArray, _ufunc.__name__):
        setattr(TracedArray, _ufunc.__name__, _ufunc_method(_ufunc))
