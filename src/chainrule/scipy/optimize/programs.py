"""Linear programs: a vertex moves with the limits that meet in it; what is discrete does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import taken_apart
from chainrule.transforms.minimize import limits_of, numbers
from chainrule.transforms.stationarity import Limits


def linprog(
    c: Any,
    A_ub: Any = None,
    b_ub: Any = None,
    A_eq: Any = None,
    b_eq: Any = None,
    bounds: Any = (0, None),
    method: str = "highs",
    **options: Any,
) -> Any:
    """`scipy.optimize.linprog`: min cᵀx where A_ub x ≤ b_ub, A_eq x = b_eq and within bounds.

    At a vertex as many independent limits hold as there are variables, M x = r, so that
    ẋ = M⁻¹ (ṙ − Ṁ x), and x does not depend on c. Raises SolutionError where fewer or more limits
    hold: there x is not unique, or not differentiable. Source: D. Bertsimas, J. Tsitsiklis,
    Introduction to Linear Optimization, section 5.1.

    >>> result = linprog(np.array([-1.0, -2.0]), A_ub=np.array([[1.0, 1.0]]), b_ub=np.array([3.0]))
    >>> result.x, float(result.fun)
    (array([0., 3.]), -6.0)
    """
    c, A_ub, b_ub, A_eq, b_eq = (
        None if part is None else numbers(part) for part in (c, A_ub, b_ub, A_eq, b_eq)
    )
    size = np.size(concrete(c))
    limits = limits_of(_pairs(bounds, size), size)
    assert limits is not None
    plain = [None if part is None else concrete(part) for part in (c, A_ub, b_ub, A_eq, b_eq)]
    lower, upper = (concrete(limit) for limit in limits)
    result = optimize.linprog(
        *plain, bounds=np.stack([lower, upper], axis=1), method=method, **options
    )
    moving = any(isinstance(part, Traced) for part in (c, A_ub, b_ub, A_eq, b_eq, *limits))
    if result.x is None or not moving:
        return result
    result.x = _vertex(result, (c, A_ub, b_ub, A_eq, b_eq), limits)
    result.fun = c @ result.x
    return result


def _vertex(result: Any, program: tuple[Any, ...], limits: Limits) -> Any:
    """The solution from the limits that meet in it."""
    c, A_ub, b_ub, A_eq, b_eq = program
    size = limits.lower.size
    matrices, sides = ([], []) if A_eq is None else ([A_eq], [b_eq])
    if A_ub is not None:
        held = np.abs(result.slack) <= 1e-9 * (1 + np.abs(concrete(b_ub)))
        matrices.append(A_ub[held])
        sides.append(b_ub[held])
    target, on_bound = limits.nearest(result.x, 1e-9)
    matrices.append(np.eye(size)[on_bound])
    sides.append(target[on_bound])
    matrix = np.concatenate(matrices)
    if matrix.shape[0] != size or np.linalg.matrix_rank(concrete(matrix)) < size:
        raise _no_vertex(f"{matrix.shape[0]} limits hold there, for {size} variables")
    prices = np.linalg.solve(concrete(matrix).T, concrete(c))[0 if A_eq is None else len(A_eq) :]
    if np.any(np.abs(prices) <= 1e-12 * np.max(np.abs(concrete(c)), initial=0.0)):
        raise _no_vertex("a limit that holds there has no price, so others are as good")
    return np.linalg.solve(matrix, np.concatenate(sides))


def _no_vertex(reason: str) -> errors.SolutionError:
    return errors.SolutionError(
        f"linprog at {callers_place()} has no single solution that moves smoothly: {reason}; x is "
        "a differentiable function only at a vertex where one limit per variable holds"
    )


def _pairs(bounds: Any, size: int) -> Any:
    """SciPy takes one pair for all variables too."""
    if bounds is None:
        return [(0, None)] * size
    bounds = list(bounds) if isinstance(bounds, tuple) else bounds
    one = len(bounds) == 2 and all(b is None or np.ndim(concrete(b)) == 0 for b in bounds)
    return [tuple(bounds)] * size if one else bounds


def linear_sum_assignment(cost_matrix: Any, maximize: bool = False) -> tuple[Any, Any]:
    """`scipy.optimize.linear_sum_assignment`: rows and columns, which are piecewise constant.

    `cost[rows, columns].sum()` of a traced cost has the derivative of the least total cost.

    >>> rows, columns = linear_sum_assignment(np.array([[4.0, 1.0], [2.0, 5.0]]))
    >>> columns
    array([1, 0])
    """
    rows, columns = optimize.linear_sum_assignment(concrete(numbers(cost_matrix)), maximize)
    return rows, columns


def milp(c: Any, **options: Any) -> Any:
    """`scipy.optimize.milp`, for plain numbers; its integers jump, so it has no derivative."""
    if any(isinstance(leaf, Traced) for leaf in taken_apart((c, options))[0]):
        raise errors.UnsupportedError(
            f"milp at {callers_place()}: an integer program jumps from solution to solution and "
            "has no derivative; apply it to stop_gradient of its data, then linprog with the "
            "integers held fixed"
        )
    return optimize.milp(c, **options)
