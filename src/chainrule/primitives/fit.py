"""The one place where broadcasts are undone, dtypes are cast and cotangents are conjugated."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Primitive, Spec

_FLOAT64 = np.dtype(np.float64)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes that broadcasting added or stretched: the transpose of broadcasting."""
    if g.shape == shape:
        return g
    added = g.ndim - len(shape)
    stretched = tuple(
        axis + added for axis, size in enumerate(shape) if size == 1 and g.shape[axis + added] != 1
    )
    axes = tuple(range(added)) + stretched
    if axes:
        g = np.add.reduce(g, axis=axes)
    return g if g.shape == shape else np.reshape(g, shape)


def cast(value: Any, dtype: np.dtype[Any]) -> Any:
    """`value` in `dtype`; a complex one loses its imaginary part where the variable is real."""
    if value.dtype.kind == "c" and dtype.kind != "c":
        value = np.real(value)
    return value if value.dtype == dtype else value.astype(dtype)


def fit_cotangent(g: Any, spec: Spec) -> Any:
    """A cotangent with the shape and dtype of its variable."""
    if g.dtype == spec.dtype and g.shape == spec.shape:
        return g
    if g.shape != spec.shape:
        broadcast = np.broadcast_shapes(g.shape, spec.shape)
        if g.shape != broadcast:
            g = np.broadcast_to(g, broadcast)
        g = sum_to(g, spec.shape)
    return g if g.dtype == spec.dtype else cast(g, spec.dtype)


def fit_tangent(t: Any, spec: Spec) -> Any:
    """A tangent with the shape and dtype of its value."""
    t = as_array(t)
    if t.shape != spec.shape:
        t = np.broadcast_to(t, spec.shape)
    return t if t.dtype == spec.dtype else cast(t, spec.dtype)


def as_array(value: Any, dtype: np.dtype[Any] = _FLOAT64) -> Any:
    """A Python number as a NumPy scalar of `dtype`; anything else as it is.

    `dtype` is that of the result which the number went into: a weak 0.5 in float32 code must not
    turn the rules that read it into float64 code.
    """
    kind = type(value)
    if kind is not float and kind is not int and kind is not complex:
        return value
    if dtype.kind == "c":  # a real number stays real: orders and degrees have no imaginary part
        return dtype.type(value) if kind is complex else dtype.type(value).real
    if dtype.kind == "f" and kind is not complex:
        return dtype.type(value)
    return np.complex128(value) if kind is complex else np.float64(value)


def as_input(primitive: Primitive, value: Any, dtype: np.dtype[Any]) -> Any:
    """An input as the rules of `primitive`, whose result has `dtype`, read it.

    Elementwise rules do arithmetic with their inputs, which in int8 or bool would overflow unseen.
    """
    if primitive.form == "elementwise" and dtype.kind in "fc":
        if type(value) is bool:
            return dtype.type(value)
        if getattr(value, "dtype", dtype).kind in "biu":
            return value.astype(dtype.type(0).real.dtype)
    return as_array(value, dtype)


def conjugated(g: Any) -> Any:
    """The conjugate of a complex cotangent; rules are stated without it."""
    return np.conjugate(g) if g.dtype.kind == "c" else g
