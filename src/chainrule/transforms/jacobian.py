"""Whole Jacobians and Hessians, column by column or row by row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from chainrule import errors
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import Argnums, Arguments, put_together
from chainrule.transforms.forward_mode import pushforward
from chainrule.transforms.reverse_mode import grad, pullback

Function = Callable[..., Any]
Mode = Literal["auto", "forward", "reverse"]


def _size(value: Any) -> int:
    return int(np.prod(np.shape(value), dtype=int))


def _units(leaves: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Each unit vector of the space of `leaves`, with the position of its leaf."""
    specs = [spec_of(leaf) if is_inexact(leaf) else None for leaf in leaves]
    for position, spec in enumerate(specs):
        if spec is None:
            continue
        for k in range(int(np.prod(spec.shape, dtype=int))):
            units = [None if s is None else np.zeros(s.shape, s.dtype) for s in specs]
            units[position].reshape(-1)[k] = 1  # type: ignore[union-attr]
            yield position, units


def jacobian(f: Function, argnums: Argnums = 0, mode: Mode = "auto") -> Function:
    """All first derivatives: J[i, j] = ∂fᵢ/∂xⱼ, of shape (shape of f) + (shape of x).

    That is the numerator layout. Forward mode runs `f` once per input, reverse mode walks back
    once per output; "auto" takes the fewer. Trees in and out nest: the result has the structure of
    the value, and in each leaf that of the argument.

    >>> import numpy as np
    >>> jacobian(lambda x: np.array([x[0] - x[1] ** 2, x[0] * x[2]]))(np.array([2.0, 3.0, 5.0]))
    array([[ 1., -6.,  0.],
           [ 5.,  0.,  2.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f'jacobian: mode is "auto", "forward" or "reverse", not {mode!r}')

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments("jacobian", args, argnums)
        if mode == "forward":
            return _by_columns(f, arguments, kwargs)
        _, values, pull = pullback("jacobian", f, args, kwargs, argnums)
        _check_real(f, arguments.leaves, values)
        inputs = sum(_size(leaf) for leaf in arguments.leaves)
        if mode == "auto" and inputs < sum(_size(v) for v in values):
            return _by_columns(f, arguments, kwargs)
        return _by_rows(arguments, values, pull)

    return derivative


def _by_rows(arguments: Arguments, values: list[Any], pull: Any) -> Any:
    rows: list[list[list[Any]]] = [[[] for _ in arguments.leaves] for _ in values]
    for position, units in _units(values):
        packed = pull.raw(units)
        for column, g in enumerate(packed):
            rows[position][column].append(g)
    blocks = []
    for value, row in zip(values, rows, strict=True):
        shapes = [np.shape(value) + np.shape(leaf) for leaf in arguments.leaves]
        dtypes = [spec_of(leaf).dtype for leaf in arguments.leaves]
        blocks.append(
            arguments.packed([_piled(g, s, d) for g, s, d in zip(row, shapes, dtypes, strict=True)])
        )
    return put_together(pull.treedef, blocks)


def _by_columns(f: Function, arguments: Arguments, kwargs: Any) -> Any:
    columns: list[list[Any]] | None = None
    values: list[Any] = []
    treedef: Any = None
    for position, units in _units(arguments.leaves):
        values, moved, treedef = pushforward("jacobian", f, arguments, units, kwargs)
        if columns is None:
            _check_real(f, arguments.leaves, values)
            columns = [[[] for _ in arguments.leaves] for _ in values]
        for row, t in enumerate(moved):
            columns[row][position].append(t)
    if columns is None:
        return jacobian(f, arguments.argnums, "reverse")(*arguments.args, **kwargs)
    blocks = []
    for value, row_of_columns in zip(values, columns, strict=True):
        packed = []
        for leaf, ts in zip(arguments.leaves, row_of_columns, strict=True):
            ndim, shape = len(np.shape(value)), (*np.shape(leaf), *np.shape(value))
            piled = _piled(ts, shape, spec_of(value).dtype)
            packed.append(np.moveaxis(piled, range(len(shape) - ndim, len(shape)), range(ndim)))
        blocks.append(arguments.packed(packed))
    return put_together(treedef, blocks)


def _piled(entries: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """Derivatives of one entry each, as one array."""
    if not entries:
        return np.zeros(shape, dtype)
    return np.reshape(np.stack(entries), shape)


def _check_real(f: Function, *groups: list[Any]) -> None:
    for leaf in (leaf for group in groups for leaf in group):
        if is_inexact(leaf) and spec_of(leaf).dtype.kind == "c":
            raise errors.OutputError(
                f"jacobian at {callers_place()}: complex numbers have no single Jacobian here; "
                "use vjp or jvp, or split real and imaginary parts"
            )


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """All second derivatives of a scalar function: H[i, j] = ∂²f/∂xᵢ∂xⱼ.

    Reverse over reverse: the gradient is recorded once and walked back once per variable.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    return jacobian(grad(f, argnums), argnums, "reverse")
