"""Cumulative distribution functions as SciPy's special functions have them, and their inverses.

Each is the incomplete gamma or beta function in other variables, so its derivatives are those of
`incomplete_gamma` and `incomplete_beta` by the chain rule. Counts (k) are constants, as they are
rounded down. An inverse has the derivatives -∂F/∂parameter / ∂F/∂unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from chainrule.primitives.declare import ZERO, Elementwise, elementwise
from chainrule.primitives.samples import case, domain, integers, uniform
from chainrule.scipy.special.incomplete_beta import betainc_in_parameters, log_beta_density
from chainrule.scipy.special.incomplete_gamma import gammainc_in_a, log_gamma_density

_COUNT = ZERO("a count, rounded down")
_SHAPE, _FRACTION, _POINT = (1.0, 4.0), (0.1, 0.9), (0.4, 4.0)


def trials(rng: np.random.Generator) -> Any:
    """In the dtype of SciPy's loops for whole numbers of trials; real ones are deprecated there."""
    return rng.integers(5, 9, size=4)


Slopes = tuple[Callable[..., Any], ...]


def gamma_slopes(a: Any, x: Any) -> tuple[Any, Any]:
    """∂P/∂a and ∂P/∂x."""
    return gammainc_in_a(a, x, k=1), np.exp(log_gamma_density(a, x))


def beta_slopes(a: Any, b: Any, x: Any) -> tuple[Any, Any, Any]:
    """∂I/∂a, ∂I/∂b and ∂I/∂x."""
    return (
        betainc_in_parameters(a, b, x, p=1, q=0),
        betainc_in_parameters(a, b, x, p=0, q=1),
        np.exp(log_beta_density(a, b, x)),
    )


def _declare(
    name: str, slopes: tuple[Any, ...], latex: str, *intervals: tuple[float, float], samples: Any
) -> Elementwise:
    return elementwise(
        name,
        numpy=getattr(special, name),
        partials=slopes,
        domain=domain(*intervals) if intervals else None,
        samples=samples,
        latex=latex,
        flops=500,
    )


def _pair(
    name: str, slopes: Slopes, latex: str, *intervals: tuple[float, float]
) -> tuple[Elementwise, Elementwise]:
    """A distribution function and its complement, whose name has a c more."""
    minus = tuple(_negated(slope) for slope in slopes)
    return (
        _declare(name, slopes, latex, *intervals, samples=None),
        _declare(f"{name}c", minus, f"1 - {latex}", *intervals, samples=None),
    )


def _negated(slope: Callable[..., Any]) -> Callable[..., Any]:
    """-slope, with the same argument names, which say what a rule saves."""
    negations: dict[int, Callable[..., Any]] = {
        2: lambda x1, x2: -slope(x1, x2),
        3: lambda x1, x2, x3: -slope(x1, x2, x3),
    }
    return negations[slope.__code__.co_argcount]


chdtr, chdtrc = _pair(
    "chdtr",
    (
        lambda x1, x2: gamma_slopes(x1 / 2, x2 / 2)[0] / 2,
        lambda x1, x2: np.exp(log_gamma_density(x1 / 2, x2 / 2)) / 2,
    ),
    r"\operatorname{{chdtr}}({x1}, {x2})",
    _SHAPE,
    _POINT,
)
gdtr, gdtrc = _pair(
    "gdtr",
    (
        lambda x1, x2, x3: x3 * np.exp(log_gamma_density(x2, x1 * x3)),
        lambda x1, x2, x3: gamma_slopes(x2, x1 * x3)[0],
        lambda x1, x2, x3: x1 * np.exp(log_gamma_density(x2, x1 * x3)),
    ),
    r"\operatorname{{gdtr}}({x1}, {x2}, {x3})",
    _SHAPE,
    _SHAPE,
    (0.3, 1.5),
)


def _f_fraction(m: Any, n: Any, x: Any) -> tuple[Any, Any, Any, Any]:
    """t = m x / (m x + n), at which F's distribution is I_t(m/2, n/2), and ∂t by m, n and x."""
    total = m * x + n
    return m * x / total, n * x / total**2, -m * x / total**2, m * n / total**2


def fdtr_slopes(x1: Any, x2: Any, x3: Any) -> tuple[Any, Any, Any]:
    t, by_m, by_n, by_x = _f_fraction(x1, x2, x3)
    in_a, in_b, density = beta_slopes(x1 / 2, x2 / 2, t)
    return in_a / 2 + density * by_m, in_b / 2 + density * by_n, density * by_x


fdtr, fdtrc = _pair(
    "fdtr",
    (
        lambda x1, x2, x3: fdtr_slopes(x1, x2, x3)[0],
        lambda x1, x2, x3: fdtr_slopes(x1, x2, x3)[1],
        lambda x1, x2, x3: fdtr_slopes(x1, x2, x3)[2],
    ),
    r"\operatorname{{fdtr}}({x1}, {x2}, {x3})",
    _SHAPE,
    _SHAPE,
    _POINT,
)


def stdtr_in_df(df: Any, t: Any) -> Any:
    """Half of I_{ν/(ν+t²)}(ν/2, ½) lies below a negative t, and above a positive one."""
    x = df / (df + t * t)
    in_a, _, density = beta_slopes(df / 2, np.full_like(df, 0.5), x)
    tail = in_a / 2 + density * t * t / (df + t * t) ** 2
    return -np.sign(t) * tail / 2


def stdtr_density(df: Any, t: Any) -> Any:
    log_scale = special.betaln(df / 2, np.full_like(df, 0.5)) + np.log(df) / 2
    return np.exp(-(df + 1) / 2 * np.log1p(t * t / df) - log_scale)


stdtr = _declare(
    "stdtr",
    (lambda x1, x2: stdtr_in_df(x1, x2), lambda x1, x2: stdtr_density(x1, x2)),
    r"\operatorname{{stdtr}}({x1}, {x2})",
    samples=[
        case(uniform(1.0, 5.0, 4), uniform(0.3, 3.0, 3, 1)),
        case(uniform(1.0, 5.0, 4), uniform(-3.0, -0.3, 4)),
    ],
)


def _counting(
    name: str, slopes: tuple[Any, ...], minus: tuple[Any, ...], latex: str, samples: Any
) -> tuple[Elementwise, Elementwise]:
    return (
        _declare(name, slopes, latex, samples=samples),
        _declare(f"{name}c", minus, f"1 - {latex}", samples=samples),
    )


def poisson(k: Any, m: Any) -> Any:
    """d/dm Q(⌊k⌋ + 1, m), less its sign."""
    return np.exp(log_gamma_density(np.floor(k) + 1, m))


pdtr, pdtrc = _counting(
    "pdtr",
    (_COUNT, lambda x1, x2: -poisson(x1, x2)),
    (_COUNT, lambda x1, x2: poisson(x1, x2)),
    r"\operatorname{{pdtr}}({x1}, {x2})",
    [case(integers(0, 6, 3, 1), uniform(*_POINT, 4))],
)


def binomial(k: Any, n: Any, p: Any) -> Any:
    """d/dp I_p(⌊k⌋ + 1, n - ⌊k⌋), where SciPy cuts n to a whole number; 0 where k is all of n."""
    left = np.trunc(n) - np.floor(k)
    slope = np.exp(log_beta_density(np.floor(k) + 1, np.maximum(left, 1), p))
    return np.where(left > 0, slope, 0)


bdtr, bdtrc = _counting(
    "bdtr",
    (_COUNT, _COUNT, lambda x1, x2, x3: -binomial(x1, x2, x3)),
    (_COUNT, _COUNT, lambda x1, x2, x3: binomial(x1, x2, x3)),
    r"\operatorname{{bdtr}}({x1}, {x2}, {x3})",
    [case(integers(0, 4, 3, 1), trials, uniform(*_FRACTION, 4))],
)


def negative_binomial(k: Any, n: Any, p: Any) -> Any:
    """d/dp I_p(n, ⌊k⌋ + 1), where SciPy cuts n to a whole number."""
    return np.exp(log_beta_density(np.trunc(n), np.floor(k) + 1, p))


nbdtr, nbdtrc = _counting(
    "nbdtr",
    (_COUNT, _COUNT, lambda x1, x2, x3: negative_binomial(x1, x2, x3)),
    (_COUNT, _COUNT, lambda x1, x2, x3: -negative_binomial(x1, x2, x3)),
    r"\operatorname{{nbdtr}}({x1}, {x2}, {x3})",
    [case(integers(0, 4, 3, 1), integers(2, 6, 4), uniform(*_FRACTION, 4))],
)
