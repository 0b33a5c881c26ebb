"""What holds at a minimum, with bounds and constraints: the equations that move it.

With the Lagrangian L(x, λ) = f(x) − λᵀ c(x), at a minimum over lower ≤ c(x) ≤ upper and bounds on x

    ∂L/∂x_i = 0   for a free variable,        x_i = its bound   for one that stands on a bound,
    c_k(x) = its limit   for an active row,   λ_k = 0           for a row that is not.

Which variables and rows are held is read from the solution and stays as it is: derivatives are
those of the problem with these as equations (one-sided where a held one is about to leave).
Source: Nocedal & Wright, Numerical Optimization, 2nd edition, sections 12.3 and 12.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import Traced
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import taken_apart
from chainrule.transforms.closures import Closure
from chainrule.transforms.implicit import solution
from chainrule.transforms.jacobian import jacobian
from chainrule.transforms.reverse_mode import grad

Function = Callable[..., Any]


class Closeness(NamedTuple):
    """How close to a limit, relative to 1 + |limit|, counts as standing on it."""

    bound: float
    row: float


AT_THE_LIMIT = Closeness(bound=1e-12, row=1e-6)  # bounds are met to rounding, rows to a tolerance
JUST_INSIDE = Closeness(bound=1e-3, row=1e-3)  # interior methods keep a distance from both

REACH = 1e-3
"""How far, relative to 1 + |x|, a solver may stop from the solution to be differentiated there."""


class Limits(NamedTuple):
    """lower ≤ value ≤ upper; infinite where there is no limit."""

    lower: Any
    upper: Any

    def nearest(self, value: Any, close: float) -> tuple[Any, Any]:
        """The limit that is nearer to each entry, and whether the entry stands on it.

        One that has to equal its limit always does.
        """
        plain = concrete(value)
        lower, upper = (np.broadcast_to(concrete(limit), plain.shape) for limit in self)
        low = np.abs(plain - lower) <= np.abs(plain - upper)
        limit = np.where(low, lower, upper)
        finite = np.isfinite(limit)
        gap = np.abs(plain - np.where(finite, limit, 0))
        near = gap <= close * (1 + np.abs(np.where(finite, limit, 0)))
        held = finite & (near | (lower == upper))
        below, above = held & low, held & ~low
        target = np.where(below, self.lower, np.where(above, self.upper, plain))
        return target, held


class Constraint(NamedTuple):
    """limits.lower ≤ function(x) ≤ limits.upper, row by row."""

    function: Function
    limits: Limits


def _rows(constraints: Sequence[Constraint], x: Any) -> list[Any]:
    return [np.ravel(constraint.function(x)) for constraint in constraints]


def _joined(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0)


def equations(
    objective: Function,
    bounds: Limits | None,
    constraints: Sequence[Constraint],
    close: Closeness,
) -> Function:
    """F((x, λ), *args), which is 0 at a minimum."""

    def residual(z: tuple[Any, Any], *args: Any) -> tuple[Any, Any]:
        x, multipliers = z

        def lagrangian(x: Any) -> Any:
            value = objective(x, *args)
            if constraints:
                value = value - np.sum(multipliers * _joined(_rows(constraints, x)))
            return value

        slope = grad(lagrangian)(x)
        if bounds is not None:
            target, held = bounds.nearest(x, close.bound)
            slope = np.where(held, x - target, slope)
        rows, start = [], 0
        for value, constraint in zip(_rows(constraints, x), constraints, strict=True):
            target, held = constraint.limits.nearest(value, close.row)
            own = multipliers[start : start + value.size]
            rows.append(np.where(held, value - target, own))
            start += value.size
        return slope, _joined(rows)

    return residual


def multipliers(
    objective: Function,
    bounds: Limits | None,
    constraints: Sequence[Constraint],
    close: Closeness,
    x: Any,
    args: tuple[Any, ...],
) -> Any:
    """λ with ∇f = λᵀ ∂c/∂x over the free variables, by least squares; 0 for rows that are free."""
    if not constraints:
        return np.zeros(0)
    slope = grad(objective)(x, *args)
    free = np.ones(x.size, bool) if bounds is None else ~bounds.nearest(x, close.bound)[1]
    held, slopes = [], []
    for constraint in constraints:
        value = np.ravel(constraint.function(x))
        held.append(constraint.limits.nearest(value, close.row)[1])
        slopes.append(jacobian(constraint.function)(x).reshape(-1, x.size))
    active = np.concatenate(held)
    found = np.zeros(active.size)
    matrix = np.concatenate(slopes)[active][:, free]
    found[active] = np.linalg.lstsq(matrix.T, slope[free], rcond=None)[0]
    return found


def minimum(
    title: str,
    objective: Function,
    run: Function,
    args: tuple[Any, ...],
    *,
    bounds: Limits | None = None,
    constraints: Sequence[Constraint] = (),
    close: Closeness = AT_THE_LIMIT,
) -> tuple[Any, Any]:
    """(x, result) where `run(*args)` gives SciPy's result with the minimum x, a vector.

    x depends on what is traced in `args` and in what the functions and limits close over; `result`
    is plain.
    """
    kept: list[Any] = []
    rules = equations(objective, bounds, constraints, close)

    def solve(*args: Any) -> tuple[Any, Any]:
        kept[:] = [run(*args)]
        x = np.array(kept[0].x, float)
        return x, multipliers(objective, bounds, constraints, close, x, args)

    if not is_traced(args, rules, run):
        result = run(*args)
        return np.asarray(result.x, float), result
    x, _ = solution(title, rules, solve, args, reach=REACH)
    return x, kept[0]


def is_traced(args: Any, *functions: Function) -> bool:
    """Whether something traced is among the arguments, or held by one of the functions."""
    if any(isinstance(leaf, Traced) for leaf in taken_apart(args)[0]):
        return True
    return any(Closure(function).values for function in functions)
