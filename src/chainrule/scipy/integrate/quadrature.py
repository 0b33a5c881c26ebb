"""`quad` and its kin: integrals of functions, differentiable in their ends and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate
import scipy.special

from chainrule.scipy.forwarding import array, is_traced, plainly, refused
from chainrule.scipy.integrate.integrals import Integrand, integral
from chainrule.tracing.conversion import concrete
from chainrule.tracing.levels import innermost
from chainrule.transforms.closures import Closure, depends

Function = Callable[..., Any]


def _needs_derivative(closure: Closure, ends: tuple[Any, Any]) -> bool:
    """Whether anything that the integral depends on is traced; if need be, by asking f once."""
    if closure.values or is_traced(ends):
        return True
    if innermost() is None:
        return False
    finite = [float(end) for end in ends if np.isfinite(end)]
    inside = sum(finite) / len(finite) if finite else 0.0
    with np.errstate(all="ignore"):
        return depends(array(closure.holding(())(inside)))


def _integrated(
    closure: Closure, a: Any, b: Any, options: dict[str, Any], *, several: bool
) -> tuple[Any, ...]:
    """The result of SciPy's function, with a value that has derivatives."""

    def function(x: Any, *leaves: Any) -> Any:
        return closure.holding(leaves)(x)

    plain = {name: concrete(value) for name, value in options.items() if value is not None}
    integrand = Integrand(function, plain, closure, several=several)
    ends = (array(end)[()] for end in (a, b))
    value = integral(*ends, *closure.values, integrand=integrand)
    return (value, *integrand.last[1:])


def quad(
    func: Function,
    a: Any,
    b: Any,
    args: tuple[Any, ...] = (),
    full_output: int = 0,
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
    points: Any = None,
    **special: Any,
) -> Any:
    """`scipy.integrate.quad`: (∫ₐᵇ f(x) dx, its error), differentiable in a, b, `args`, closures.

    ∂/∂b = f(b), ∂/∂a = -f(a), ∂/∂θ = ∫ ∂f/∂θ dx, to the same tolerances; ends may be infinite.
    `points` are constants: a jump of f that moves with a parameter contributes nothing here, so
    split the integral there. `weight=` and `complex_func=` are refused for traced values.

    >>> import chainrule as cr
    >>> cr.grad(lambda k: quad(lambda x: np.exp(-k * x), 0.0, np.inf)[0])(2.0).round(9)
    np.float64(-0.25)
    """
    args = args if isinstance(args, tuple) else (args,)
    closure = Closure(func, args)
    if not _needs_derivative(closure, (a, b)):
        return scipy.integrate.quad(
            plainly(func), a, b, args, full_output, epsabs, epsrel, limit, points, **special
        )
    if any(special.get(name) for name in ("weight", "wvar", "complex_func")):
        raise refused(scipy.integrate.quad, f"with {', '.join(special)}; write it into f")
    options = {"epsabs": epsabs, "epsrel": epsrel, "limit": limit, "points": points}
    if full_output:
        options["full_output"] = full_output
    return _integrated(closure, a, b, options, several=False)


def quad_vec(
    f: Function, a: Any, b: Any, *positional: Any, args: tuple[Any, ...] = (), **options: Any
) -> Any:
    """`scipy.integrate.quad_vec`: the same for functions that return a vector."""
    closure = Closure(f, args)
    if not _needs_derivative(closure, (a, b)):
        return scipy.integrate.quad_vec(plainly(f), a, b, *positional, args=args, **options)
    options = {**dict(zip(("epsabs", "epsrel"), positional, strict=False)), **options}
    options = {"epsabs": 1e-200, "epsrel": 1e-8, **options}
    if len(positional) > 2 or options.get("full_output"):
        raise refused(scipy.integrate.quad_vec, "with full_output; leave it out")
    return _integrated(closure, a, b, options, several=True)


def fixed_quad(
    func: Function, a: Any, b: Any, args: tuple[Any, ...] = (), n: int = 5
) -> tuple[Any, None]:
    """`scipy.integrate.fixed_quad`: Gauss-Legendre quadrature of order n.

    >>> import chainrule as cr
    >>> cr.grad(lambda b: fixed_quad(lambda x: x**2, 0.0, b)[0])(3.0).round(12)
    np.float64(9.0)
    """
    if np.isinf(concrete(a)) or np.isinf(concrete(b)):
        raise ValueError("Gaussian quadrature is only available for finite limits.")
    nodes, weights = scipy.special.roots_legendre(n)
    x = (b - a) * (nodes + 1) / 2 + a
    return (b - a) / 2 * np.sum(weights * array(func(x, *args)), axis=-1), None


def dblquad(
    func: Function,
    a: Any,
    b: Any,
    gfun: Any,
    hfun: Any,
    args: tuple[Any, ...] = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> Any:
    """`scipy.integrate.dblquad`: ∫ₐᵇ ∫ f(y, x) dy dx, y from gfun(x) to hfun(x)."""
    closure = Closure(lambda *given: (func, gfun, hfun, given), args)
    if not (closure.values or is_traced((a, b))):
        return scipy.integrate.dblquad(func, a, b, gfun, hfun, args, epsabs, epsrel)

    def inner(x: Any, *given: Any) -> Any:
        low, high = (end(x) if callable(end) else end for end in (gfun, hfun))
        return quad(lambda y: func(y, x, *given), low, high, (), 0, epsabs, epsrel)[0]

    return quad(inner, a, b, args, 0, epsabs, epsrel)
