"""Roots of equations: exact Jacobians for the solver, implicit derivatives of the root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import taken_apart
from chainrule.transforms.flattening import vector
from chainrule.transforms.implicit import solution
from chainrule.transforms.jacobian import jacobian
from chainrule.transforms.minimize import beginning
from chainrule.transforms.reverse_mode import elementwise_grad
from chainrule.transforms.stationarity import REACH

Function = Callable[..., Any]


def no_derivatives(title: str, **given: Any) -> None:
    """Refuse derivatives from outside, which would be right for the solver and not for the root."""
    for name, value in given.items():
        if value is not None and not isinstance(value, str | bool):
            raise errors.SettingError(
                f"{title} at {callers_place()} computes exact derivatives itself; leave out "
                f"{name}, or call scipy.optimize.{title} where its solution is not differentiated"
            )


def as_tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


def root(
    fun: Function,
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: None = None,
    tol: float | None = None,
    callback: Function | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """`scipy.optimize.root`: fun(x, *args) = 0; ẋ = −(∂F/∂x)⁻¹ ∂F/∂θ θ̇. x0 may be a tree.

    >>> result = root(lambda x: np.array([x[0] + x[1] - 3.0, x[0] * x[1] - 2.0]), [0.5, 2.5])
    >>> np.round(result.x, 9)
    array([1., 2.])
    """
    no_derivatives("root", jac=jac)
    layout, start = beginning("root", x0)
    kept: list[Any] = []

    def flat(v: Any, *args: Any) -> Any:
        return vector(taken_apart(fun(layout.tree(v), *args))[0])

    def solve(*args: Any) -> Any:
        exact = method in ("hybr", "lm")
        kept[:] = [
            optimize.root(
                lambda v: flat(v, *args),
                start,
                method=method,
                jac=(lambda v: jacobian(flat)(v, *args)) if exact else None,
                tol=tol,
                callback=callback,
                options=options,
            )
        ]
        return np.array(kept[0].x, float)

    x = solution("root", flat, solve, as_tuple(args), reach=REACH)
    result = kept[0]
    result.x = layout.tree(x)
    return result


def root_scalar(
    f: Function,
    args: Any = (),
    method: str | None = None,
    bracket: Any = None,
    fprime: None = None,
    fprime2: None = None,
    x0: Any = None,
    x1: Any = None,
    **options: Any,
) -> Any:
    """`scipy.optimize.root_scalar`; newton and halley get exact derivatives.

    >>> root_scalar(lambda x: x**2 - 2.0, x0=1.0).root
    np.float64(1.4142135623730951)
    """
    no_derivatives("root_scalar", fprime=fprime, fprime2=fprime2)
    if method is None:
        method = "brentq" if bracket is not None else "newton" if x1 is None else "secant"
    kept: list[Any] = []
    ends = (concrete(x0), concrete(x1), None if bracket is None else [concrete(b) for b in bracket])

    def solve(*args: Any) -> Any:
        def value(x: Any) -> Any:
            return f(x, *args)

        slope = elementwise_grad(value)
        given: dict[str, Any] = {}
        if method in ("newton", "halley"):
            given["fprime"] = slope
        if method == "halley":
            given["fprime2"] = elementwise_grad(slope)
        start, second, between = ends
        kept[:] = [
            optimize.root_scalar(
                value, method=method, bracket=between, x0=start, x1=second, **given, **options
            )
        ]
        return np.float64(kept[0].root)

    found = solution(
        "root_scalar", lambda x, *args: f(x, *args), solve, as_tuple(args), reach=REACH
    )
    result = kept[0]
    result.root = found
    return result


def _bracketing(name: str) -> Function:
    """One of SciPy's solvers that begin with a change of sign."""
    method = getattr(optimize, name)

    def solver(
        f: Function, a: Any, b: Any, args: Any = (), full_output: bool = False, **options: Any
    ) -> Any:
        ends = (concrete(a), concrete(b))
        kept: list[Any] = []

        def solve(*args: Any) -> Any:
            found, details = method(lambda x: f(x, *args), *ends, full_output=True, **options)
            kept[:] = [details]
            return np.float64(found)

        x = solution(name, lambda x, *args: f(x, *args), solve, as_tuple(args), reach=REACH)
        return (x, kept[0]) if full_output else x

    solver.__name__ = solver.__qualname__ = name
    solver.__doc__ = f"`scipy.optimize.{name}`: f(x, *args) = 0 in [a, b]; ẋ = −∂f/∂θ θ̇ / (∂f/∂x)."
    return solver


bisect = _bracketing("bisect")
brenth = _bracketing("brenth")
brentq = _bracketing("brentq")
ridder = _bracketing("ridder")
toms748 = _bracketing("toms748")


def newton(
    func: Function,
    x0: Any,
    fprime: None = None,
    args: Any = (),
    tol: float = 1.48e-8,
    maxiter: int = 50,
    fprime2: None = None,
    x1: Any = None,
    rtol: float = 0.0,
    full_output: bool = False,
    disp: bool = True,
) -> Any:
    """`scipy.optimize.newton` with the exact derivative; entry by entry for an array x0.

    With `x1` it is the secant method, as in SciPy.

    >>> newton(lambda x, a: x**3 - a, np.array([1.0, 1.0]), args=(np.array([8.0, 27.0]),))
    array([2., 3.])
    """
    no_derivatives("newton", fprime=fprime, fprime2=fprime2)
    start, second = concrete(x0), None if x1 is None else concrete(x1)
    start = np.asarray(start, float)[()] if np.asarray(start).dtype.kind in "biu" else start
    kept: list[Any] = []

    def solve(*args: Any) -> Any:
        def value(x: Any) -> Any:
            return func(x, *args)

        found = optimize.newton(
            value,
            start,
            fprime=elementwise_grad(value) if second is None else None,
            tol=tol,
            maxiter=maxiter,
            x1=second,
            rtol=rtol,
            full_output=full_output,
            disp=disp,
        )
        kept[:] = list(found[1:]) if full_output else []
        return np.asarray(found[0] if full_output else found)[()]

    x = solution("newton", lambda x, *args: func(x, *args), solve, as_tuple(args), reach=REACH)
    return (x, *kept) if full_output else x


def fixed_point(func: Function, x0: Any, args: Any = (), **options: Any) -> Any:
    """`scipy.optimize.fixed_point`: func(x, *args) = x; ẋ = (1 − ∂f/∂x)⁻¹ ∂f/∂θ θ̇.

    >>> round(float(fixed_point(lambda x, a: np.cos(a * x), 0.5, (1.0,))), 12)
    0.739085133215
    """
    start = np.asarray(concrete(x0), float)[()]

    def solve(*args: Any) -> Any:
        return np.asarray(optimize.fixed_point(lambda x: func(x, *args), start, **options))[()]

    return solution(
        "fixed_point", lambda x, *args: func(x, *args) - x, solve, as_tuple(args), reach=REACH
    )
