"""`solve_ivp` and `odeint`: SciPy's solvers, differentiated discretely or by the adjoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.scipy.forwarding import array, double, is_traced, plainly, refused
from chainrule.scipy.integrate import runge_kutta
from chainrule.scipy.integrate.adjoint import integrated
from chainrule.scipy.integrate.problems import Problem, slopes
from chainrule.tracing.conversion import concrete
from chainrule.tracing.levels import innermost
from chainrule.transforms.closures import Closure, depends, differs

Function = Callable[..., Any]


def solve_ivp(
    fun: Function,
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: tuple[Any, ...] | None = None,
    *,
    gradient: str | None = None,
    **options: Any,
) -> Any:
    """`scipy.integrate.solve_ivp`, differentiable in y0, both ends, `t_eval`, `args` and closures.

    gradient="discrete"  the exact derivative of the numbers computed: the steps that SciPy chose
                         are taken again and recorded. RK23, RK45 and DOP853; their default. Any
                         order and mode; memory grows with the number of steps.
    gradient="adjoint"   the derivative of the solution, up to the tolerances: a second problem,
                         solved backwards by the same method. Every method, stiff ones too. Memory
                         does not grow with what `fun` does, nor with the steps between observations
                         beyond the states of a hundred.

    `events`, and `dense_output` with the adjoint, are refused where traced values meet them.
    Sources: E. Hairer et al., Solving Ordinary Differential Equations I; Y. Cao et al. (2003).

    >>> import chainrule as cr
    >>> def end(k):
    ...     decay = solve_ivp(lambda t, y: -k * y, (0.0, 1.0), [1.0], rtol=1e-9, atol=1e-9)
    ...     return decay.y[0, -1]
    >>> bool(np.isclose(cr.grad(end)(0.5), -np.exp(-0.5)))
    True
    """
    call = (t_span, y0, t_eval, options)
    closure = Closure(fun, tuple(args or ()))
    if not (is_traced(call) or closure.values or _hides(fun, t_span, y0, args, vectorized)):
        return scipy.integrate.solve_ivp(
            plainly(fun),
            t_span,
            y0,
            method,
            t_eval,
            dense_output,
            events,
            vectorized,
            args,
            **options,
        )
    if any(map(differs, [*t_span, array(y0), t_eval, *closure.values])):
        raise errors.BatchError(
            f"solve_ivp at {callers_place()} chooses its steps for one problem, and was given "
            "values that differ between the examples of a vmap; loop over the examples, solve all "
            "of them as one large system, or use odeint"
        )
    how = _way(method, gradient, dense_output, events)
    if vectorized:
        closure = Closure(lambda t, y, *rest: array(fun(t, y[:, None], *rest))[:, 0], args or ())
    solve = _discrete if how == "discrete" else _adjoint
    options = {name: concrete(value) for name, value in options.items()}
    start, end = t_span
    times = None if t_eval is None else double(t_eval)
    found = solve(closure, (start, end), double(y0), method, times, options)
    if not dense_output:
        found.sol = None
    return found


def _hides(fun: Function, t_span: Any, y0: Any, args: Any, vectorized: bool) -> bool:
    """Whether a value that `fun` takes from elsewhere than a closure makes its result traced."""
    if innermost() is None:
        return False
    y = np.asarray(y0)
    return depends(array(fun(t_span[0], y[:, None] if vectorized else y, *(args or ()))))


def _way(method: Any, gradient: str | None, dense_output: bool, events: Any) -> str:
    """How to differentiate: as asked for, if the method can."""
    if gradient not in (None, "discrete", "adjoint"):
        raise errors.SettingError(
            f"solve_ivp at {callers_place()}: gradient={gradient!r} means nothing; it is "
            "'discrete' or 'adjoint'"
        )
    original = scipy.integrate.solve_ivp
    explicit = method in runge_kutta.METHODS
    if events is not None:
        raise refused(original, "with events=; integrate to a time that is itself an argument")
    if gradient == "discrete" and not explicit:
        raise refused(
            original, f"with method={method!r} and gradient='discrete'; use gradient='adjoint'"
        )
    how = gradient or ("discrete" if explicit else "adjoint")
    if how == "adjoint" and dense_output:
        raise refused(original, "with dense_output=True by the adjoint; give the times as t_eval")
    return how


def _stepped(
    closure: Closure, span: tuple[Any, Any], y0: Any, method: Any, options: dict[str, Any]
) -> Any:
    """SciPy's solution on plain numbers, with every step."""
    function = closure.plain()
    return scipy.integrate.solve_ivp(
        lambda t, y: concrete(array(function(t, y))),
        tuple(map(concrete, span)),
        concrete(y0),
        method,
        **options,
    )


def _fractions(found: Any, span: tuple[Any, Any]) -> list[Any]:
    """The times of the steps: parts of the span that stay the same while its ends move."""
    start, end = span
    length = concrete(end) - concrete(start)
    if not is_traced(span) or length == 0:
        return list(found.t)
    return [start + (end - start) * part for part in (found.t - concrete(start)) / length]


def _reached(times: Any, found: Any) -> Any:
    """Those of the times asked for that lie before the place where the solver gave up."""
    if found.success:
        return times
    direction = 1 if found.t[-1] >= found.t[0] else -1
    return times[direction * concrete(times) <= direction * found.t[-1]]


def _discrete(
    closure: Closure,
    span: tuple[Any, Any],
    y0: Any,
    method: str,
    t_eval: Any,
    options: dict[str, Any],
) -> Any:
    found = _stepped(closure, span, y0, method, options)
    f = closure.holding(closure.values)
    steps = _fractions(found, span)
    path = runge_kutta.Trajectory(method, lambda t, y: slopes(f(t, y), y), steps, y0)
    found.sol = path
    if t_eval is None:
        found.y = np.stack(path.values, axis=1)
        found.t = np.stack(steps) if is_traced(steps) else found.t
    else:
        found.t = _reached(t_eval, found)
        found.y = path.at(found.t) if path.steps else np.stack([y0] * len(found.t), axis=1)
    return found


def _adjoint(
    closure: Closure,
    span: tuple[Any, Any],
    y0: Any,
    method: Any,
    t_eval: Any,
    options: dict[str, Any],
) -> Any:
    found = _stepped(closure, span, y0, method, options)
    if t_eval is None:
        steps = _fractions(found, span)
        times = np.stack(steps) if is_traced(steps) else found.t
        found.t = times
    else:
        found.t = _reached(t_eval, found)
        times = np.concatenate([np.reshape(span[0], (1,)), found.t])
    end = float(concrete(span[1])) if found.success else None
    problem = Problem.of(closure, method, options, end=end)
    y = integrated(y0, times, *closure.values, problem=problem)
    found.y = y if t_eval is None else y[:, 1:]
    return found


_OPTIONS_OF_ODEINT = ("full_output", "Dfun", "tcrit")


def odeint(
    func: Function,
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    *positional: Any,
    tfirst: bool = False,
    **options: Any,
) -> Any:
    """`scipy.integrate.odeint`, differentiable in y0, `t`, `args` and closures, by the adjoint.

    As in SciPy, `func(y, t, ...)` takes the state first unless `tfirst`. The derivative is that of
    the solution, up to the tolerances; it is solved backwards by LSODA.

    >>> import chainrule as cr
    >>> def end(k):
    ...     return odeint(lambda y, t: -k * y, 1.0, np.array([0.0, 1.0]))[-1, 0]
    >>> bool(np.isclose(cr.grad(end)(0.5), -np.exp(-0.5)))
    True
    """

    def by_time(t: Any, y: Any, *rest: Any) -> Any:
        return func(t, y, *rest) if tfirst else func(y, t, *rest)

    args = args if isinstance(args, tuple) else (args,)
    closure = Closure(by_time, args)
    start = np.atleast_1d(double(y0))
    times = double(t)
    if not (is_traced((y0, t)) or closure.values or _hides(by_time, times, start, args, False)):
        return scipy.integrate.odeint(
            plainly(func), y0, t, args, *positional, tfirst=tfirst, **options
        )
    asked = [name for name in _OPTIONS_OF_ODEINT if options.get(name)]
    if positional or asked:
        raise refused(
            scipy.integrate.odeint,
            f"with {', '.join(asked) or 'options given by position'}; leave it out",
        )
    options = {name: concrete(value) for name, value in options.items()}
    problem = Problem.of(closure, "LSODA", options, times_by_odeint=True)
    return integrated(start, times, *closure.values, problem=problem).T
