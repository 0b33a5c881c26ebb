"""Whole Jacobians and Hessians: many columns, or many rows, in one batched pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from chainrule import errors
from chainrule.graph import Spec, is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.primitives.strictness import strictly
from chainrule.transforms.arguments import Argnums, Arguments, put_together
from chainrule.transforms.batching import vmap
from chainrule.transforms.forward_mode import pushforward
from chainrule.transforms.reverse_mode import Pullback, grad, pullback

Function = Callable[..., Any]
Mode = Literal["auto", "forward", "reverse"]
Layout = Literal["numerator", "denominator"] | None

SEED_ENTRIES = 2**22
"""Entries of the unit vectors of one pass: 32 MB of float64."""


def _size(value: Any) -> int:
    return int(np.prod(np.shape(value), dtype=int))


def jacobian(
    f: Function,
    argnums: Argnums = 0,
    mode: Mode = "auto",
    *,
    layout: Layout = None,
    strict: bool = False,
) -> Function:
    """All first derivatives: J[i, j] = ∂fᵢ/∂xⱼ, of shape (shape of f) + (shape of x).

    Forward mode carries one direction per input through `f`, reverse mode walks back one per
    output; "auto" takes the fewer. All directions go together, as by `vmap`, so every operation
    runs once. Trees in and out nest: the result has the structure of the value, and in each leaf
    that of the argument.

    layout   None          (shape of f) + (shape of x)
             "numerator"   (shape of f) + (shape of x backwards): a matrix Xₙₖ gives … × k × n
             "denominator" (shape of x) + (shape of f backwards), the transpose of that

    Memory: reverse mode keeps what a gradient keeps, forward mode nothing; a pass carries arrays of
    (number of directions) times the size of a value, and so does the result. Where that is more
    than 4 million entries the directions go in several passes.

    >>> import numpy as np
    >>> jacobian(lambda x: np.array([x[0] - x[1] ** 2, x[0] * x[2]]))(np.array([2.0, 3.0, 5.0]))
    array([[ 1., -6.,  0.],
           [ 5.,  0.,  2.]])
    >>> X = np.ones((3, 2))
    >>> jacobian(np.sum, layout="numerator")(X).shape
    (2, 3)
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f'jacobian: mode is "auto", "forward" or "reverse", not {mode!r}')
    if layout not in (None, "numerator", "denominator"):
        raise ValueError(f'jacobian: layout is None, "numerator" or "denominator", not {layout!r}')

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments("jacobian", args, argnums)
        if mode == "forward":
            return _by_columns(f, arguments, kwargs, layout)
        _, values, pull = pullback("jacobian", f, args, kwargs, argnums)
        _check_real(arguments.leaves, values)
        inputs = sum(_size(leaf) for leaf in arguments.leaves)
        if mode == "auto" and inputs < sum(_size(v) for v in values):
            return _by_columns(f, arguments, kwargs, layout)
        return _by_rows(arguments, values, pull, layout)

    return strictly(derivative) if strict else derivative


def _units(spec: Spec) -> Iterator[Any]:
    """The unit vectors of a space of arrays, along the first axis, so many at a time."""
    size = int(np.prod(spec.shape, dtype=int))
    many = max(1, SEED_ENTRIES // max(size, 1))
    for start in range(0, size, many):
        count = min(many, size - start)
        units = np.zeros((count, size), spec.dtype)
        units[np.arange(count), np.arange(start, start + count)] = 1
        yield units.reshape(count, *spec.shape)


# What a rule may ask that many examples cannot answer together, such as one plain number.
_REFUSALS = (errors.BatchError, errors.ConversionError, errors.UnsupportedError)


def _together(linear: Callable[[Any], tuple[Any, ...]], units: Any) -> list[Any]:
    """`linear` of every unit vector, the results along the first axis."""
    if len(units) > 1:
        try:
            return list(vmap(linear)(units))
        except _REFUSALS:
            pass  # one by one, which is slower and asks nothing of the rules
    return [np.stack(parts) for parts in zip(*(linear(unit) for unit in units), strict=True)]


def _piled(parts: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """The results of all passes as one array."""
    if not parts:
        return np.zeros(shape, dtype)
    return np.reshape(parts[0] if len(parts) == 1 else np.concatenate(parts), shape)


def _by_rows(arguments: Arguments, values: list[Any], pull: Pullback, layout: Layout) -> Any:
    blocks = []
    for position, value in enumerate(values):
        rows: list[list[Any]] = [[] for _ in arguments.leaves]
        if is_inexact(value):

            def row(g: Any, position: int = position) -> tuple[Any, ...]:
                gs: list[Any] = [None] * len(values)
                gs[position] = g
                return tuple(pull.raw(gs))

            for units in _units(spec_of(value)):
                for found, part in zip(rows, _together(row, units), strict=True):
                    found.append(part)
        packed = [
            _laid_out(
                _piled(parts, (*np.shape(value), *np.shape(leaf)), spec_of(leaf).dtype),
                np.ndim(value),
                layout,
            )
            for leaf, parts in zip(arguments.leaves, rows, strict=True)
        ]
        blocks.append(arguments.packed(packed))
    return put_together(pull.treedef, blocks)


def _by_columns(f: Function, arguments: Arguments, kwargs: Any, layout: Layout) -> Any:
    leaves = arguments.leaves
    values: list[Any] = []
    treedef: Any = None
    columns: list[dict[int, list[Any]]] = [{} for _ in leaves]
    for position, leaf in enumerate(leaves):

        def column(t: Any, position: int = position) -> tuple[Any, ...]:
            nonlocal values, treedef
            ts = [np.zeros(np.shape(x), spec_of(x).dtype) for x in leaves]
            ts[position] = t
            values, moved, treedef = pushforward("jacobian", f, arguments, ts, kwargs)
            _check_real(leaves, values)
            return tuple(t for t in moved if t is not None)

        for units in _units(spec_of(leaf)):
            found = iter(_together(column, units))
            for k, value in enumerate(values):
                if is_inexact(value):
                    columns[position].setdefault(k, []).append(next(found))
    if not any(_size(leaf) for leaf in leaves):
        return jacobian(f, arguments.argnums, "reverse", layout=layout)(*arguments.args, **kwargs)
    blocks = []
    for k, value in enumerate(values):
        ndim, packed = np.ndim(value), []
        for leaf, found_for in zip(leaves, columns, strict=True):
            shape = (*np.shape(leaf), *np.shape(value))
            piled = _piled(found_for.get(k, []), shape, spec_of(value).dtype)
            last = range(len(shape) - ndim, len(shape))
            packed.append(_laid_out(np.moveaxis(piled, last, range(ndim)), ndim, layout))
        blocks.append(arguments.packed(packed))
    return put_together(treedef, blocks)


def _laid_out(block: Any, outputs: int, layout: Layout) -> Any:
    """A block of shape (shape of f) + (shape of x), the first being the `outputs` first axes."""
    if layout is None:
        return block
    rows, columns = list(range(outputs)), list(range(outputs, np.ndim(block)))
    if layout == "numerator":
        return np.transpose(block, rows + columns[::-1])
    return np.transpose(block, columns + rows[::-1])


def _check_real(*groups: list[Any]) -> None:
    for leaf in (leaf for group in groups for leaf in group):
        if is_inexact(leaf) and spec_of(leaf).dtype.kind == "c":
            raise errors.OutputError(
                f"jacobian at {callers_place()}: complex numbers have no single Jacobian here; "
                "use vjp or jvp, or split real and imaginary parts"
            )


def hessian(f: Function, argnums: Argnums = 0, *, strict: bool = False) -> Function:
    """All second derivatives of a scalar function: H[i, j] = ∂²f/∂xᵢ∂xⱼ.

    Reverse over reverse: the gradient is recorded once, and walked back once for all variables
    together. Memory: that of a gradient, times the number of variables on the way back.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    return jacobian(grad(f, argnums), argnums, "reverse", strict=strict)
