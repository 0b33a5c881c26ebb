"""Least squares: exact Jacobians for the solver, and the fit as a function of its data."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.scipy.optimize.roots import no_derivatives
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import taken_apart
from chainrule.transforms.flattening import vector
from chainrule.transforms.jacobian import jacobian
from chainrule.transforms.minimize import beginning, limits_of, numbers
from chainrule.transforms.stationarity import Closeness, Limits, is_traced, minimum

Function = Callable[..., Any]

_NEAR = Closeness(bound=1e-8, row=1e-8)  # SciPy's "trf" stays strictly inside, by less than that

_LOSSES: dict[str, Function] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2 * (np.sqrt(1 + z) - 1),
    "huber": lambda z: np.where(z <= 1, z, 2 * np.sqrt(np.where(z <= 1, 1, z)) - 1),
    "cauchy": np.log1p,
    "arctan": np.arctan,
}


def least_squares(
    fun: Function,
    x0: Any,
    jac: Any = "exact",
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    loss: str = "linear",
    f_scale: float = 1.0,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """`scipy.optimize.least_squares`: min ½ s² Σ ρ((fᵢ(x)/s)²), with the exact Jacobian of f.

    The fit is differentiated with all second derivatives, as the minimum that it is: also where
    residuals are large. x0 may be a tree.

    >>> def rosenbrock(x):
    ...     return np.array([x[0] - 1.0, 10 * (x[1] - x[0] ** 2)])
    >>> np.round(least_squares(rosenbrock, [0.0, 0.0]).x, 9)
    array([1., 1.])
    """
    no_derivatives("least_squares", jac=jac)
    if loss not in _LOSSES:
        raise errors.SettingError(
            f"least_squares at {callers_place()}: loss is one of {sorted(_LOSSES)}, not {loss!r}"
        )
    layout, start = beginning("least_squares", x0)
    named = kwargs or {}
    limits = _limits(bounds, start.size)

    def flat(v: Any, *args: Any) -> Any:
        return vector(taken_apart(fun(layout.tree(v), *args, **named))[0])

    def objective(v: Any, *args: Any) -> Any:
        return 0.5 * f_scale**2 * np.sum(_LOSSES[loss]((flat(v, *args) / f_scale) ** 2))

    def run(*args: Any) -> Any:
        return optimize.least_squares(
            lambda v: flat(v, *args),
            start,
            jac=lambda v: jacobian(flat)(v, *args),
            bounds=(-np.inf, np.inf) if limits is None else tuple(limits),
            method=method,
            loss=loss,
            f_scale=f_scale,
            **options,
        )

    args = args if isinstance(args, tuple) else (args,)
    x, result = minimum("least_squares", objective, run, args, bounds=limits, close=_NEAR)
    result.x = layout.tree(x)
    if is_traced((args, x), flat):
        result.fun, result.cost = flat(x, *args), objective(x, *args)
    return result


def _limits(bounds: Any, size: int) -> Limits | None:
    """The bounds of least squares, (lower, upper) or `Bounds`; None where there are none."""
    if hasattr(bounds, "lb"):
        return limits_of(bounds, size)
    lower, upper = (np.broadcast_to(numbers(b), (size,)) for b in bounds)
    if np.all(np.isinf(concrete(lower))) and np.all(np.isinf(concrete(upper))):
        return None
    return Limits(lower, upper)


def curve_fit(
    f: Function,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    **options: Any,
) -> tuple[Any, Any]:
    """`scipy.optimize.curve_fit`: (parameters, covariance) of f(xdata, *parameters) ≈ ydata.

    Both are differentiated with respect to data, `sigma`, and what `f` closes over. The covariance
    is (JᵀJ)⁻¹, times χ² per degree of freedom unless `absolute_sigma`. Infinite where J is rank
    deficient.

    >>> x = np.linspace(0.0, 1.0, 5)
    >>> parameters, covariance = curve_fit(lambda x, a, b: a * np.exp(b * x), x, 2 * np.exp(-x))
    >>> np.round(parameters, 6)
    array([ 2., -1.])
    """
    xdata, ydata = (numbers(d) if isinstance(d, list | tuple) else d for d in (xdata, ydata))
    sigma = None if sigma is None else numbers(sigma)
    start = _first_guess(f, p0, bounds)
    unbounded = _limits(bounds, start.size) is None
    whitening = np.linalg.cholesky(sigma) if sigma is not None and np.ndim(sigma) == 2 else None

    def residuals(p: Any) -> Any:
        misfit = f(xdata, *p) - ydata
        if whitening is not None:
            return np.linalg.solve(whitening, misfit)
        return misfit if sigma is None else misfit / sigma

    result = least_squares(
        residuals,
        start,
        bounds=bounds,
        method=method or ("lm" if unbounded else "trf"),
        **options,
    )
    p = result.x
    slopes = jacobian(residuals)(p)
    count, size = slopes.shape
    if np.linalg.matrix_rank(concrete(slopes)) < size or (count <= size and not absolute_sigma):
        return p, np.full((size, size), np.inf)
    covariance = np.linalg.inv(slopes.T @ slopes)
    if not absolute_sigma:
        covariance = covariance * (np.sum(residuals(p) ** 2) / (count - size))
    return p, covariance


def _first_guess(f: Function, p0: Any, bounds: Any) -> Any:
    """Where SciPy begins too: p0, else ones, moved inside the bounds."""
    if p0 is not None:
        return np.atleast_1d(np.asarray(concrete(numbers(p0)), float))
    size = len(inspect.signature(f).parameters) - 1
    if size < 1:
        raise errors.InputError(
            f"curve_fit at {callers_place()}: how many parameters the function has cannot be read "
            "from its signature; pass p0"
        )
    limits = _limits(bounds, size)
    if limits is None:
        return np.ones(size)
    lower, upper = (np.asarray(concrete(limit), float) for limit in limits)
    below, above = np.isfinite(lower), np.isfinite(upper)
    low, high = np.where(below, lower, 0), np.where(above, upper, 0)
    one_sided = np.where(below, low + 1, np.where(above, high - 1, 1))
    return np.where(below & above, (low + high) / 2, one_sided)


def nnls(A: Any, b: Any, **options: Any) -> tuple[Any, Any]:
    """`scipy.optimize.nnls`: (x, |A x − b|) with x ≥ 0; entries that are 0 stay so.

    >>> x, distance = nnls(np.eye(2), np.array([1.0, -2.0]))
    >>> x, float(distance)
    (array([1., 0.]), 2.0)
    """
    A, b = numbers(A), numbers(b)
    x, distance = optimize.nnls(concrete(A), concrete(b), **options)
    if not is_traced((A, b)):
        return x, distance
    x = _among_free(A, b, np.zeros(x.size), x > 0)
    return x, np.linalg.norm(A @ x - b)


def lsq_linear(A: Any, b: Any, bounds: Any = (-np.inf, np.inf), **options: Any) -> Any:
    """`scipy.optimize.lsq_linear`: min ½ |A x − b|² within bounds; what is on a bound stays there.

    >>> lsq_linear(np.eye(2), np.array([1.0, -2.0]), bounds=(-1.0, 9.0), method="bvls").x
    array([ 1., -1.])
    """
    A, b = numbers(A), numbers(b)
    size = A.shape[1]
    limits = _limits(bounds, size) or Limits(np.full(size, -np.inf), np.full(size, np.inf))
    plain = tuple(concrete(limit) for limit in limits)
    result = optimize.lsq_linear(concrete(A), concrete(b), bounds=plain, **options)
    if is_traced((A, b, *limits)):
        target, held = limits.nearest(result.x, _NEAR.bound)
        result.x = _among_free(A, b, target, ~held)
        result.fun = A @ result.x - b
        result.cost = 0.5 * np.sum(result.fun**2)
    return result


def _among_free(A: Any, b: Any, target: Any, free: Any) -> Any:
    """The least squares solution whose entries that are not free equal those of `target`."""
    held = np.where(free, 0.0, target)
    part = np.linalg.lstsq(A[:, free], b - A @ held)[0]
    return np.eye(free.size)[:, free] @ part + held
