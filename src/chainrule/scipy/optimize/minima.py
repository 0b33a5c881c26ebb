"""Minima of functions of one variable, and global ones; `minimize` itself is a transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from chainrule.scipy.optimize.roots import as_tuple
from chainrule.tracing.conversion import concrete
from chainrule.transforms.minimize import limits_of
from chainrule.transforms.stationarity import Limits, is_traced, minimum

Function = Callable[..., Any]


def minimize_scalar(
    fun: Function,
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: str | None = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """`scipy.optimize.minimize_scalar`; ẋ = −(∂²f/∂x∂θ θ̇) / (∂²f/∂x²).

    A minimum on a bound has no derivative here, since SciPy stops beside the bound: SolutionError.

    >>> result = minimize_scalar(lambda x: (x - 2.0) ** 2)
    >>> round(float(result.x), 6)
    2.0
    """
    ends = None if bounds is None else [concrete(b) for b in bounds]

    def run(*args: Any) -> Any:
        result = optimize.minimize_scalar(
            lambda x: fun(x, *args),
            bracket=bracket,
            bounds=ends,
            method=method,
            tol=tol,
            options=options,
        )
        result.x = np.atleast_1d(result.x)
        return result

    args = as_tuple(args)
    x, result = minimum("minimize_scalar", lambda v, *args: fun(v[0], *args), run, args)
    result.x = x[0]
    if is_traced((args, x), fun):
        result.fun = fun(result.x, *args)
    return result


def _over_bounds(name: str) -> Function:
    """One of SciPy's global minimisers of func(x, *args) within bounds."""
    method = getattr(optimize, name)

    def minimiser(func: Function, bounds: Any, args: Any = (), **options: Any) -> Any:
        count = len(bounds.lb) if hasattr(bounds, "lb") else len(bounds)
        limits = limits_of(bounds, count)

        def run(*args: Any) -> Any:
            lower, upper = limits or Limits(-np.inf, np.inf)
            pairs = list(zip(lower.tolist(), upper.tolist(), strict=True))
            return method(lambda x: func(x, *args), pairs, **options)

        return _with_value(name, func, run, as_tuple(args), limits)

    minimiser.__name__ = minimiser.__qualname__ = name
    minimiser.__doc__ = (
        f"`scipy.optimize.{name}`; the minimum is differentiated where it is smooth, as that of "
        "`minimize`."
    )
    return minimiser


def _with_value(
    name: str, func: Function, run: Function, args: tuple[Any, ...], limits: Limits | None
) -> Any:
    x, result = minimum(name, lambda x, *args: func(x, *args), run, args, bounds=limits)
    result.x = x
    if is_traced((args, x), func):
        result.fun = func(x, *args)
    return result


differential_evolution = _over_bounds("differential_evolution")
direct = _over_bounds("direct")
dual_annealing = _over_bounds("dual_annealing")
shgo = _over_bounds("shgo")


def basinhopping(func: Function, x0: Any, args: Any = (), **options: Any) -> Any:
    """`scipy.optimize.basinhopping`; the minimum is differentiated as that of `minimize`."""
    start = np.asarray(concrete(x0), float)

    def run(*args: Any) -> Any:
        return optimize.basinhopping(lambda x: func(x, *args), start, **options)

    return _with_value("basinhopping", func, run, as_tuple(args), None)
