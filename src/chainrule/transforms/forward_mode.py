"""Directional derivatives: dual numbers that run through the function once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.primitives.fit import as_array, fit_tangent
from chainrule.primitives.strictness import plain_products, strictly
from chainrule.tracing.dual import Dual, DualLevel
from chainrule.tracing.levels import Running, capture
from chainrule.transforms.arguments import (
    Argnums,
    Arguments,
    article,
    put_together,
    taken_apart,
)
from chainrule.transforms.reverse_mode import grad

Function = Callable[..., Any]


def pushforward(
    title: str, f: Function, arguments: Arguments, tangents: list[Any], kwargs: Any
) -> tuple[list[Any], list[Any], Any]:
    """The leaves of the value of `f`, their tangents, and the structure of the value."""
    level = DualLevel(title)
    with Running(level):
        duals = [
            Dual.of(level, capture(leaf), fit_tangent(as_array(t), spec_of(leaf)))
            for leaf, t in zip(arguments.leaves, tangents, strict=True)
        ]
        out = f(*arguments.replaced(duals), **kwargs)
        outs, treedef = taken_apart(out)
    values, moved = [], []
    for leaf in outs:
        mine = isinstance(leaf, Dual) and leaf.level is level
        values.append(leaf.value if mine else leaf)
        if mine:
            moved.append(leaf.tangent)
        elif is_inexact(leaf):
            spec = spec_of(leaf)
            moved.append(np.zeros(spec.shape, spec.dtype)[()])
        else:
            moved.append(None)
    return values, moved, treedef


def jvp(
    f: Function,
    args: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    **kwargs: Any,
) -> tuple[Any, Any]:
    """The value of `f` at `args` and its derivative J t along `tangents`, by forward mode.

    Memory is a constant times that of `f`. Source: Griewank & Walther, Evaluating Derivatives,
    section 3.1.

    >>> import numpy as np
    >>> value, slope = jvp(lambda x, y: x * np.sin(y), (2.0, 0.0), (1.0, 3.0))
    >>> float(value), float(slope)
    (0.0, 6.0)
    """
    for what, given in (("arguments", args), ("tangents", tangents)):
        if not isinstance(given, tuple | list):
            raise errors.InputError(
                f"jvp at {callers_place()} takes the {what} of the function as one tuple, one "
                f"entry for each argument, and was given {article(given)}: write "
                "jvp(f, (x,), (t,)), with the comma"
            )
    args = tuple(args)
    arguments = Arguments("jvp", args, tuple(range(len(args))))
    directions = arguments.like("jvp", tuple(tangents))
    with plain_products(strict):
        values, moved, treedef = pushforward("jvp", f, arguments, directions, kwargs)
    return put_together(treedef, values), put_together(treedef, moved)


def hvp(f: Function, argnums: Argnums = 0, *, strict: bool = False) -> Function:
    """The product of the Hessian of a scalar function with a vector: forward over reverse.

    `hvp(f)(*args, v)` costs a small constant times a gradient and never forms the Hessian. `v` has
    the structure of the argument `argnums`. Source: Pearlmutter, Fast exact multiplication by the
    Hessian, 1994.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """

    @functools.wraps(f)
    def product(*args: Any, **kwargs: Any) -> Any:
        *points, v = args
        arguments = Arguments("hvp", tuple(points), argnums)
        directions = arguments.like("hvp", v if isinstance(argnums, tuple) else (v,))
        _, moved, treedef = pushforward("hvp", grad(f, argnums), arguments, directions, kwargs)
        return put_together(treedef, moved)

    return strictly(product) if strict else product
