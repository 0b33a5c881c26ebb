"""The gradient by central differences: slow, inexact, and independent of every rule."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.checks.space import epsilon, from_vector, name_of, to_vector, unit
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import Argnums, Arguments

Function = Callable[..., Any]


def numerical_gradient(f: Function, argnums: Argnums = 0, step: float | None = None) -> Function:
    """The gradient of a real scalar function by central differences, two calls per number.

    ∂f/∂xₖ ≈ (f(x + h eₖ) - f(x - h eₖ)) / 2h, with an error of order h² + ε|f|/h. The default step
    h = ε^(1/3) max(1, |xₖ|) balances the two and leaves about two thirds of the digits; `step` sets
    h itself. Arguments may be trees; float32 arguments are stepped, and f evaluated, in float32;
    for complex ones the result is ∂f/∂Re + i ∂f/∂Im.

    Raises InputError, OutputError, ArgnumsError. Source: Nocedal & Wright, Numerical Optimization,
    section 8.1.

    >>> slope = numerical_gradient(lambda x: x**3)(2.0)
    >>> round(float(slope), 8)
    12.0
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments("numerical_gradient", args, argnums)
        point = arguments.leaves

        def value(leaves: list[Any]) -> float:
            return real_scalar("numerical_gradient", f, f(*arguments.replaced(leaves), **kwargs))

        base = to_vector(point)
        widths = np.full(base.size, step) if step is not None else _widths(point)
        slopes = np.empty(base.size)
        for k, h in enumerate(widths):
            ahead = from_vector(base + h * unit(k, base.size), point)
            behind = from_vector(base - h * unit(k, base.size), point)
            # what was really stepped, after rounding to the dtype of the argument
            distance = to_vector(ahead)[k] - to_vector(behind)[k]
            slopes[k] = (value(ahead) - value(behind)) / distance
        return arguments.packed(from_vector(slopes, point))

    return gradient


def _widths(point: list[Any]) -> Any:
    """The default step of each coordinate, from the precision of its own leaf."""
    parts = [np.empty(0)]
    for leaf in point:
        numbers = to_vector([leaf])
        parts.append(epsilon([leaf]) ** (1 / 3) * np.maximum(1.0, np.abs(numbers)))
    return np.concatenate(parts)


def real_scalar(title: str, f: Function, out: Any) -> float:
    """The value of a function that has a gradient, as a number."""
    if not (is_inexact(out) or isinstance(out, int | np.integer)) or spec_of(out).shape != ():
        shape = f"an array of shape {np.shape(out)}" if isinstance(out, np.ndarray) else repr(out)
        raise errors.OutputError(
            f"{title} at {callers_place()}: {name_of(f)} returns {shape}, and a gradient needs one "
            "real floating point number; return np.sum(...) of it"
        )
    if spec_of(out).dtype.kind == "c":
        raise errors.OutputError(
            f"{title} at {callers_place()}: {name_of(f)} returns a complex number, and a gradient "
            "needs a real one; return np.real(...) or np.abs(...)**2"
        )
    return float(out)
