"""How NumPy's calls on traced arrays become operations: ufuncs, functions, methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import registry
from chainrule.graph.node import callers_place
from chainrule.primitives import indexing, shapes
from chainrule.tracing import conversion
from chainrule.tracing.array import TracedArray

_REDUCTIONS: dict[Any, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
    np.logaddexp: np.logaddexp.reduce,
}
_ACCUMULATIONS: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}
_CREATIONS = {np.zeros, np.ones, np.empty, np.full, np.eye, np.identity, np.arange}
_LIKE = {np.zeros_like: 0.0, np.ones_like: 1.0, np.empty_like: 0.0}
_ABOUT: dict[Any, Callable[[Any], Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
    np.iscomplexobj: lambda a: a.dtype.kind == "c",
    np.isrealobj: lambda a: a.dtype.kind != "c",
    np.isscalar: lambda a: a.ndim == 0,
}


def unsupported(name: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(
        f"{name} at {callers_place()} has no derivative here yet; write it with NumPy functions "
        "that have one (`chainrule list` names them), or apply it to chainrule.stop_gradient(x) "
        "where no derivative is meant to pass"
    )


def lifted(value: Any) -> Any:
    """An object array of traced scalars (from np.array([x, y])) as one traced array."""
    if not (isinstance(value, np.ndarray) and value.dtype == object):
        return value
    if value.ndim == 0:
        return value[()]
    if not value.size:
        return value.astype(float)
    entries = [lifted(entry) for entry in value.reshape(-1)]
    if not any(isinstance(entry, TracedArray) for entry in entries):
        return value
    return shapes.reshape(shapes.stack(entries), value.shape)


def _target(options: dict[str, Any]) -> Any:
    """Take `out=` from the options: the traced array to write, or None."""
    out = options.pop("out", None)
    if isinstance(out, tuple):
        out = out[0]
    if out is not None and not isinstance(out, TracedArray):
        raise conversion.write_error()
    return out


def ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What `__array_ufunc__` does: the call, or one of the ufunc's methods."""
    out = _target(options) if options else None
    if any(type(value) is np.ndarray and value.dtype == object for value in inputs):
        inputs = tuple(lifted(value) for value in inputs)
    if method == "at":
        return _at(ufunc, *inputs)
    if method == "__call__":
        meaning = registry.meanings.get(ufunc)
        if meaning is None:
            raise unsupported(f"numpy.{ufunc.__name__}")
        where, dtype = options.pop("where", True), options.pop("dtype", None)
        if dtype is not None:
            inputs = tuple(value.astype(dtype) for value in inputs)
        result = meaning(*inputs, **options)
        if where is not True:
            result = np.where(where, result, 0.0 if out is None else out)
    elif method in ("reduce", "accumulate"):
        table = _REDUCTIONS if method == "reduce" else _ACCUMULATIONS
        if ufunc not in table:
            raise unsupported(f"numpy.{ufunc.__name__}.{method}")
        axis = options.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        result = registry.meanings[table[ufunc]](inputs[0], axis=axis, **options)
    elif method == "outer":
        a, b = (np.asarray(v) if isinstance(v, list | tuple) else v for v in inputs)
        result = ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **options)
    else:
        raise unsupported(f"numpy.{ufunc.__name__}.{method}")
    if out is None:
        return result
    out.assign(result)
    return out


def _at(ufunc: Any, array: Any, index: Any, value: Any = None) -> None:
    """`np.add.at(array, index, value)` and subtract.at on a traced array."""
    if not isinstance(array, TracedArray):
        raise conversion.write_error()
    if ufunc not in (np.add, np.subtract):
        raise unsupported(f"numpy.{ufunc.__name__}.at")
    array.settle()
    array.assign(indexing.add_at(array, index, value if ufunc is np.add else -value))


def function(
    self: TracedArray, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What `__array_function__` does."""
    meaning = registry.meanings.get(function)
    if meaning is None:
        return _without_derivative(self, function, args, kwargs)
    out = _target(kwargs) if "out" in kwargs else None
    result = meaning(*args, **kwargs)
    if out is None:
        return result
    out.assign(result)
    return out


def _without_derivative(
    self: TracedArray, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if function in _ABOUT:
        return _ABOUT[function](*args)
    if function in _CREATIONS:
        return self.level.constant(function(*args, **kwargs))
    if function in _LIKE:
        return full_like(args[0], _LIKE[function], *args[1:], **kwargs)
    if function is np.full_like:
        return full_like(args[0], args[1], *args[2:], **kwargs)
    if function is np.result_type:
        return np.result_type(*(a.dtype if isinstance(a, TracedArray) else a for a in args))
    if function in (np.array_repr, np.array_str, np.array2string):
        return repr(args[0])
    raise unsupported(f"numpy.{function.__name__}")


def full_like(array: Any, value: Any, dtype: Any = None, **options: Any) -> Any:
    """A writable traced constant with the shape and dtype of `array`."""
    shape = options.get("shape")
    shape = np.shape(array) if shape is None else shape
    filled = array.level.constant(np.zeros(shape, array.dtype if dtype is None else dtype))
    if isinstance(value, TracedArray) or np.ndim(value) or value != 0:
        filled[...] = value
    return filled


def _method(name: str, meaning: Any) -> Callable[..., Any]:
    def method(self: TracedArray, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = meaning(self, *args, **kwargs)
        if out is None:
            return result
        _target({"out": out}).assign(result)
        return out

    method.__name__ = name
    method.__doc__ = f"As `numpy.{name}`."
    return method


for _name in (
    *("sum", "mean", "var", "std", "prod", "max", "min", "cumsum", "cumprod", "all", "any"),
    *("argmax", "argmin", "argsort", "clip", "conj", "conjugate", "diagonal", "nonzero", "ravel"),
    *("repeat", "round", "searchsorted", "squeeze", "swapaxes", "take", "trace", "ptp"),
):
    setattr(TracedArray, _name, _method(_name, registry.meanings[getattr(np, _name)]))


def _scalar_method(meaning: Any) -> Callable[..., Any]:
    return lambda self: meaning(self)


# np.sin of an object array calls x.sin() on each traced entry: every unary ufunc has a method.
for _function, _meaning in tuple(registry.meanings.items()):
    _unary = isinstance(_function, np.ufunc) and _function.nin == 1 and _function.nout == 1
    if _unary and not hasattr(TracedArray, _function.__name__):
        setattr(TracedArray, _function.__name__, _scalar_method(_meaning))
