"""Cross products, and linear systems whose unknowns are tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.graph import composition
from chainrule.primitives.shapes import as_tuple


def _array(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, list | tuple) else x


@composition(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """`np.cross`: the vector product of vectors of three entries, or of two, whose third is 0."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _array(a), _array(b)
    a = np.moveaxis(a, normalize_axis_index(axisa, a.ndim), -1)
    b = np.moveaxis(b, normalize_axis_index(axisb, b.ndim), -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError("np.cross needs vectors of dimension 2 or 3")
    first = [a[..., k] for k in (0, 1)]
    second = [b[..., k] for k in (0, 1)]
    third = first[0] * second[1] - first[1] * second[0]
    if a.shape[-1] == b.shape[-1] == 2:
        return third
    up: Any
    over: Any
    up, over = (v[..., 2] if v.shape[-1] == 3 else None for v in (a, b))
    if over is None:
        parts = [-up * second[1], up * second[0], third]
    elif up is None:
        parts = [first[1] * over, -first[0] * over, third]
    else:
        parts = [first[1] * over - up * second[1], up * second[0] - first[0] * over, third]
    y = np.stack(parts, axis=-1)
    return np.moveaxis(y, -1, normalize_axis_index(axisc, y.ndim))


@composition(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x1, x2 = _array(x1), _array(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")
    return np.cross(x1, x2, axis=axis)


@composition(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """`np.linalg.tensorsolve`: x with tensordot(a, x, x.ndim) = b."""
    a, b = _array(a), _array(b)
    if axes is not None:
        last = [normalize_axis_index(k, a.ndim) for k in as_tuple(axes)]
        a = np.transpose(a, [k for k in range(a.ndim) if k not in last] + last)
    shape = a.shape[b.ndim :]
    size = math.prod(shape)
    if a.size != size**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == "
            "prod(a.shape[:b.ndim])"
        )
    return np.reshape(np.linalg.solve(np.reshape(a, (size, size)), np.ravel(b)), shape)


@composition(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """`np.linalg.tensorinv`: the inverse for tensordot over the first `ind` axes."""
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = a.shape[ind:] + a.shape[:ind]
    rows = math.prod(a.shape[ind:])
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), shape)
