"""What SciPy's special module writes in Python and cannot dispatch, under the same names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.graph import Traced
from chainrule.primitives.declare import elementwise
from chainrule.primitives.samples import case, uniform
from chainrule.scipy.special.polygamma_functions import hurwitz_zeta, polygamma_record


def _is_traced(*values: Any) -> bool:
    return any(isinstance(value, Traced) for value in values)


def polygamma(n: Any, x: Any) -> Any:
    """ψ⁽ⁿ⁾(x), the (n + 1)-th derivative of log Γ; DLMF 5.15.1. n is constant.

    >>> round(float(polygamma(1, 1.0)), 6)
    1.644934
    """
    return polygamma_record(n, x)


def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    """The Riemann zeta function, or Hurwitz's Σ 1 / (k + q)ˣ, differentiable in q; DLMF 25.11.17.

    >>> import chainrule as cr
    >>> round(float(cr.grad(lambda q: zeta(2.0, q))(1.0)), 6)
    -2.404114
    """
    if q is None and not _is_traced(x):
        return special.zeta(x, out=out)
    if out is not None:
        raise TypeError("zeta with out= is for plain arrays; assign the result instead")
    return hurwitz_zeta(x, 1.0 if q is None else q)


def multigammaln(a: Any, d: int) -> Any:
    """log of the multivariate gamma function of dimension d, DLMF 35.3.4; shape of a.

    ValueError where a ≤ (d - 1)/2, as in SciPy.

    >>> round(float(multigammaln(3.0, 2)), 6)
    1.550195
    """
    if int(d) != d:
        raise ValueError("d should be a positive integer (dimension)")
    if np.any(a <= 0.5 * (d - 1)):
        raise ValueError(f"a must be larger than (d - 1)/2 = {0.5 * (d - 1)} in every entry")
    terms = [special.gammaln(a - j / 2) for j in range(int(d))]
    return d * (d - 1) / 4 * math.log(math.pi) + sum(terms[1:], terms[0])


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """N! / (k! (N - k)!), 0 unless 0 ≤ k ≤ N; for real numbers by the gamma function.

    >>> float(comb(5, 2))
    10.0
    """
    if not _is_traced(N, k):
        return special.comb(N, k, exact=exact, repetition=repetition)
    if exact:
        raise ValueError("comb with exact=True counts integers, which have no derivative")
    if repetition:
        return comb(N + k - 1, k)
    inside = (k >= 0) & (N >= 0) & (k <= N)
    safe = np.where(inside, N, 1), np.where(inside, k, 0)
    return np.where(inside, special.binom(*safe), 0.0)


def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """N! / (N - k)!, 0 unless 0 ≤ k ≤ N; for real numbers by the gamma function.

    >>> float(perm(5, 2))
    20.0
    """
    if not _is_traced(N, k):
        return special.perm(N, k, exact=exact)
    if exact:
        raise ValueError("perm with exact=True counts integers, which have no derivative")
    inside = (k >= 0) & (N >= 0) & (k <= N)
    safe = np.where(inside, N - k + 1, 1), np.where(inside, k, 0)
    return np.where(inside, special.poch(*safe), 0.0)


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """n! = Γ(n + 1), and 0 for negative n.

    >>> float(factorial(4.0))
    24.0
    """
    if not _is_traced(n):
        return special.factorial(n, exact=exact, extend=extend)
    if exact:
        raise ValueError("factorial with exact=True counts integers, which have no derivative")
    if extend == "complex":
        return special.gamma(n + 1)
    return np.where(n < 0, 0.0, special.gamma(np.where(n < 0, 0, n) + 1))


def softplus(x: Any) -> Any:
    """log(1 + eˣ), without overflow.

    >>> round(float(softplus(0.0)), 6)
    0.693147
    """
    return np.logaddexp(x, 0.0)


sinc = np.sinc


def diric(x: Any, n: int) -> Any:
    """sin(nx/2) / (n sin(x/2)), and its limits ±1 at the multiples of 2π.

    >>> float(diric(0.0, 3))
    1.0
    """
    if not _is_traced(x):
        return special.diric(x, n)
    half = x / 2
    turns = np.round(half / math.pi)
    rest = half - math.pi * turns
    sign = 1 - 2 * np.mod(turns * (n - 1), 2)
    return sign * np.sinc(n * rest / math.pi) / np.sinc(rest / math.pi)


def _lambertw(x: Any, *, k: Any, tol: float) -> Any:
    """In the complex precision of x, as SciPy has it."""
    y = special.lambertw(x, k, tol)
    return y.astype(np.result_type(np.complex64, np.asarray(x).dtype))[()]


lambertw_record = elementwise(
    "lambertw",
    compute=_lambertw,
    partials=(lambda y: np.exp(-y) / (1 + y),),
    samples=[
        case(uniform(0.2, 3.0, 3, 4), k=0, tol=1e-12),
        case(uniform(-0.3, -0.1, 4), k=-1, tol=1e-12),
    ],
    latex="W_{{{k}}}({x})",
    flops=100,
)


def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """The k-th branch of w eʷ = z, complex; w' = e⁻ʷ / (1 + w), DLMF 4.13.4.

    >>> import chainrule as cr
    >>> float(cr.grad(lambda z: np.real(lambertw(z)))(0.0))
    1.0
    """
    return lambertw_record(z, k=k, tol=tol)


def assoc_laguerre(x: Any, n: Any, k: Any = 0.0) -> Any:
    """The generalised Laguerre polynomial of degree n and order k.

    >>> float(assoc_laguerre(1.0, 1, 0.0))
    0.0
    """
    return special.eval_genlaguerre(n, k, x)


__all__ = [
    "assoc_laguerre",
    "comb",
    "diric",
    "factorial",
    "lambertw",
    "multigammaln",
    "perm",
    "polygamma",
    "sinc",
    "softplus",
    "zeta",
]
