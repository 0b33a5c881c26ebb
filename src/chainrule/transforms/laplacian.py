"""Second derivatives along the axes alone: the diagonal of the Hessian, and its sum."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import Argnums, Arguments, put_together
from chainrule.transforms.forward_mode import pushforward

Function = Callable[..., Any]


def _axes(leaves: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Each unit vector of the space of the leaves, with the position of its leaf."""
    for position, leaf in enumerate(leaves):
        for k in range(int(np.prod(spec_of(leaf).shape, dtype=int))):
            direction = [np.zeros(spec_of(x).shape, spec_of(x).dtype) for x in leaves]
            direction[position].reshape(-1)[k] = 1
            yield position, direction


def _second(
    title: str, f: Function, arguments: Arguments, direction: list[Any], kwargs: Any
) -> tuple[list[Any], Any]:
    """The leaves of d²/dh² f(x + h t) at h = 0, and their structure: forward over forward mode."""

    def slope(*args: Any) -> Any:
        inner = Arguments(title, args, arguments.argnums)
        _, moved, treedef = pushforward(title, f, inner, direction, kwargs)
        return put_together(treedef, moved)

    _, bent, treedef = pushforward(title, slope, arguments, direction, {})
    return bent, treedef


def _check_real(title: str, f: Function, leaves: list[Any]) -> None:
    for leaf in leaves:
        if is_inexact(leaf) and spec_of(leaf).dtype.kind == "c":
            raise errors.OutputError(
                f"{title} at {callers_place()}: complex numbers have no second derivative along "
                f"an axis here ({getattr(f, '__name__', 'the function')}); split real and "
                "imaginary parts"
            )


def laplacian(f: Function, argnums: Argnums = 0) -> Function:
    """The Laplacian Δf = Σᵢ ∂²f/∂xᵢ², over all entries of the arguments `argnums`.

    `f` may return any tree of arrays; the result has its structure. Cost: one run of `f` per
    variable, each with first and second tangents (about four times a plain run), in the memory of
    a run; nothing of the Hessian is formed. Raises InputError, ArgnumsError, OutputError. Source:
    Griewank & Walther, Evaluating Derivatives, section 13.2.

    >>> import numpy as np
    >>> float(laplacian(lambda x: x[0] ** 2 * x[1] + x[1] ** 3)(np.array([1.0, 2.0])))
    16.0
    """

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments("laplacian", args, argnums)
        _check_real("laplacian", f, arguments.leaves)
        total: list[Any] | None = None
        treedef: Any = None
        for _, direction in _axes(arguments.leaves):
            bent, treedef = _second("laplacian", f, arguments, direction, kwargs)
            _check_real("laplacian", f, bent)
            if total is None:
                total = bent
            else:
                total = [a if a is None else a + b for a, b in zip(total, bent, strict=True)]
        if total is None:  # no variables: a sum of no terms, in the shape of the result
            zeros = [np.zeros(spec_of(x).shape, spec_of(x).dtype) for x in arguments.leaves]
            total, treedef = _second("laplacian", f, arguments, zeros, kwargs)
        return put_together(treedef, total)

    return derivative


def hessian_diagonal(f: Function, argnums: Argnums = 0) -> Function:
    """The diagonal of the Hessian of a scalar function: ∂²f/∂xᵢ², shaped like the argument.

    Cost as for `laplacian`. Where the Hessian is sparse, `sparse_hessian(f)(x).diagonal()` takes a
    few passes instead of one run per variable. Raises InputError, ArgnumsError, OutputError.

    >>> import numpy as np
    >>> hessian_diagonal(lambda x: np.sum(x**3) + x[0] * x[1])(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments("hessian_diagonal", args, argnums)
        _check_real("hessian_diagonal", f, arguments.leaves)
        found: list[list[Any]] = [[] for _ in arguments.leaves]
        for position, direction in _axes(arguments.leaves):
            bent, _ = _second("hessian_diagonal", f, arguments, direction, kwargs)
            found[position].append(_scalar(f, bent))
        specs = [spec_of(leaf) for leaf in arguments.leaves]
        return arguments.packed(
            [
                np.reshape(np.stack(entries), spec.shape)
                if entries
                else np.zeros(spec.shape, spec.dtype)
                for entries, spec in zip(found, specs, strict=True)
            ]
        )

    return derivative


def _scalar(f: Function, bent: list[Any]) -> Any:
    if len(bent) == 1 and is_inexact(bent[0]) and spec_of(bent[0]).shape == ():
        _check_real("hessian_diagonal", f, bent)
        return bent[0]
    raise errors.OutputError(
        f"hessian_diagonal at {callers_place()}: {getattr(f, '__name__', 'the function')} does not "
        "return one number, and a Hessian is of a scalar function; return np.sum(...) of it, or "
        "use laplacian"
    )
