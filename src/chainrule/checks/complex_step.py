"""The gradient by complex steps: exact to rounding, for real analytic functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.checks.space import from_vector, name_of, to_vector, unit
from chainrule.graph import is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import Argnums, Arguments

Function = Callable[..., Any]


def complex_step(f: Function, argnums: Argnums = 0, step: float = 1e-30) -> Function:
    """The gradient of a real scalar function by imaginary steps, one call per number.

    ∂f/∂xₖ = Im f(x + i h eₖ) / h + O(h²): nothing is subtracted, so h can be so small that the
    error vanishes. f must be analytic and accept complex numbers: no abs, max, comparison or
    conjugate of what depends on x. float32 arguments are stepped in complex64.

    Raises InputError for complex arguments, OutputError where f drops the imaginary part. Source:
    Squire & Trapp, Using complex variables to estimate derivatives of real functions, 1998.

    >>> import numpy as np
    >>> float(complex_step(lambda x: np.exp(x) * x)(0.0))
    1.0
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments("complex_step", args, argnums)
        point = arguments.leaves
        if any(spec_of(leaf).dtype.kind == "c" for leaf in point):
            raise errors.InputError(
                f"complex_step at {callers_place()} steps from real numbers into the complex plane "
                "and was given a complex argument; numerical_gradient takes those"
            )
        base = to_vector(point)
        lifted = [
            leaf + np.zeros((), np.result_type(spec_of(leaf).dtype, np.complex64)) for leaf in point
        ]
        real = [np.real(z) for z in lifted]
        slopes = np.empty(base.size)
        for k in range(base.size):
            moved = from_vector(step * unit(k, base.size), real)
            leaves = [z + 1j * d for z, d in zip(lifted, moved, strict=True)]
            out = f(*arguments.replaced(leaves), **kwargs)
            slopes[k] = _imaginary(f, out) / step
        return arguments.packed(from_vector(slopes, point))

    return gradient


def _imaginary(f: Function, out: Any) -> float:
    where = f"complex_step at {callers_place()}"
    if np.shape(out) != ():
        raise errors.OutputError(
            f"{where}: {name_of(f)} returns an array of shape {np.shape(out)}, and a gradient "
            "needs one number; return np.sum(...) of it"
        )
    if not is_inexact(out) or spec_of(out).dtype.kind != "c":
        raise errors.OutputError(
            f"{where}: {name_of(f)} returns a real number for a complex argument, so the imaginary "
            "part that carries the derivative was dropped (by np.abs, np.real, a comparison, or "
            "because the result does not depend on the argument); use numerical_gradient instead"
        )
    return float(np.imag(out))
