"""SciPy's minimisers with exact derivatives, and the derivative of the minimum they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete, gathered, lifted
from chainrule.transforms.flattening import Layout, as_point
from chainrule.transforms.forward_mode import hvp
from chainrule.transforms.jacobian import hessian, jacobian
from chainrule.transforms.reverse_mode import value_and_grad
from chainrule.transforms.stationarity import (
    AT_THE_LIMIT,
    JUST_INSIDE,
    Constraint,
    Limits,
    is_traced,
    minimum,
)

Function = Callable[..., Any]

_WITHOUT_DERIVATIVES = {"nelder-mead", "powell", "cobyla", "cobyqa"}
_WITH_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
_WITH_HESSIANS = {"dogleg", "trust-exact"}


def minimize(
    fun: Function,
    x0: Any,
    args: Any = (),
    method: str | Function | None = None,
    jac: None = None,
    hess: None = None,
    hessp: None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Function | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """`scipy.optimize.minimize` with exact derivatives: the x that makes `fun(x, *args)` smallest.

    The method gets what it can use: gradients (with the value, from one pass), Hessian-vector
    products (Newton-CG, trust-ncg, trust-krylov, trust-constr), Hessians (trust-exact, dogleg),
    and the Jacobians of constraints. x0 is an array or any tree of them; bounds count its entries
    in order. Result: SciPy's OptimizeResult, with `x` in the structure of x0.

    Where `args`, or what the functions and limits close over, is being differentiated, so is `x`,
    as the solution of the conditions of a minimum (`transforms/stationarity.py`): bounds and
    constraints that hold as equations keep doing so. The start x0 has no influence. `fun` follows.

    Raises SettingError for jac, hess or hessp, which have no place here, and SolutionError where
    the minimum is not a differentiable function.

    >>> def rosenbrock(x):
    ...     return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    >>> result = minimize(rosenbrock, np.zeros(3), method="trust-exact", tol=1e-12)
    >>> np.round(result.x, 9)
    array([1., 1., 1.])
    """
    from scipy import optimize  # noqa: PLC0415  SciPy is loaded at its first use

    if jac is not None or hess is not None or hessp is not None:
        raise errors.SettingError(
            f"minimize at {callers_place()} computes all derivatives itself; leave out jac, hess "
            "and hessp, or call scipy.optimize.minimize with derivatives of your own"
        )
    layout, start = beginning("minimize", x0)
    limits = limits_of(bounds, start.size)
    rows = [_constraint(c, layout) for c in _listed(constraints)]
    args = args if isinstance(args, tuple) else (args,)

    def objective(v: Any, *args: Any) -> Any:
        return fun(layout.tree(v), *args)

    def run(*args: Any) -> Any:
        return optimize.minimize(
            **_derivatives(objective, method, args),
            x0=start,
            method=method,
            bounds=None if limits is None else optimize.Bounds(*limits),
            constraints=[_for_scipy(row, method) for row in rows],
            tol=tol,
            callback=callback,
            options=options,
        )

    x, result = minimum(
        "minimize",
        objective,
        run,
        args,
        bounds=limits,
        constraints=rows,
        close=JUST_INSIDE if _name(method) == "trust-constr" else AT_THE_LIMIT,
    )
    result.x = layout.tree(x)
    if is_traced((args, result.x), fun):
        result.fun = fun(result.x, *args)
    return result


def beginning(title: str, x0: Any) -> tuple[Layout, Any]:
    """The structure of the unknown, and its first value as a plain vector.

    A lone number becomes an array of one entry, as in SciPy.
    """
    point = as_point(x0)
    if not isinstance(point, dict | list | tuple) and np.ndim(point) == 0:
        point = np.reshape(point, (1,))
    layout = Layout(title, point)
    return layout, np.array(concrete(layout.vector(point)), float)


def _derivatives(
    objective: Function, method: str | Function | None, args: tuple[Any, ...]
) -> dict[str, Any]:
    """What a method of SciPy can use: `fun`, and as many derivatives as it takes."""
    name = _name(method)
    if name in _WITHOUT_DERIVATIVES:
        return {"fun": lambda x: objective(x, *args)}
    given: dict[str, Any] = {
        "fun": lambda x: value_and_grad(objective)(x, *args),
        "jac": True,
    }
    if name in _WITH_PRODUCTS:
        given["hessp"] = lambda x, p: hvp(objective)(x, *args, p)
    elif name in _WITH_HESSIANS:
        given["hess"] = lambda x: hessian(objective)(x, *args)
    return given


def limits_of(bounds: Any, size: int) -> Limits | None:
    """SciPy's bounds, a `Bounds` or a sequence of pairs (None is none), as two vectors."""
    if bounds is None:
        return None
    if hasattr(bounds, "lb"):
        lower, upper = bounds.lb, bounds.ub
    else:
        pairs = list(bounds)
        lower = [-np.inf if low is None else low for low, _ in pairs]
        upper = [np.inf if high is None else high for _, high in pairs]
    return Limits(*(np.broadcast_to(numbers(limit), (size,)) for limit in (lower, upper)))


def numbers(value: Any) -> Any:
    """What SciPy takes as an array of numbers, also of traced ones, as an array."""
    value = lifted(gathered(value))
    return np.asarray(value, float) if isinstance(value, list | tuple | float | int) else value


def _listed(constraints: Any) -> Sequence[Any]:
    return constraints if isinstance(constraints, list | tuple) else [constraints]


def _constraint(constraint: Any, layout: Layout) -> Constraint:
    """One of SciPy's three kinds of constraints, as a function of the vector of unknowns."""
    if isinstance(constraint, dict):
        fun, args = constraint["fun"], constraint.get("args", ())
        upper = 0.0 if constraint["type"].lower() == "eq" else np.inf
        return Constraint(_of_vector(lambda x: fun(x, *args), layout), Limits(0.0, upper))
    limits = Limits(numbers(constraint.lb), numbers(constraint.ub))
    if hasattr(constraint, "A"):
        matrix = constraint.A.toarray() if hasattr(constraint.A, "toarray") else constraint.A
        matrix = numbers(matrix)
        return Constraint(lambda v: matrix @ v, limits)
    return Constraint(_of_vector(constraint.fun, layout), limits)


def _of_vector(fun: Function, layout: Layout) -> Function:
    """A constraint, whose values may be a number, an array or a list of them, as a vector."""
    return lambda v: np.ravel(numbers(fun(layout.tree(v))))


def _for_scipy(constraint: Constraint, method: Any) -> Any:
    """A constraint with its Jacobian; SciPy warns where a method is given more than it takes."""
    from scipy import optimize  # noqa: PLC0415  SciPy is loaded at its first use

    function, given = constraint.function, {}
    name = _name(method)
    if name not in _WITHOUT_DERIVATIVES:
        given["jac"] = jacobian(function)
    if name == "trust-constr":
        given["hess"] = lambda x, v: hessian(lambda x: np.sum(v * function(x)))(x)
    return optimize.NonlinearConstraint(function, *constraint.limits, **given)


def _name(method: Any) -> str:
    return method.lower() if isinstance(method, str) else ""
