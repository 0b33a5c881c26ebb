"""Polynomials by their coefficients, highest power first: `np.polyval` and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition


def _coefficients(p: Any) -> Any:
    p = np.atleast_1d(np.asarray(p) if isinstance(p, list | tuple) else p)
    if p.ndim > 1:
        raise ValueError("Polynomial must be 1d only.")
    return p


@composition(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """`np.polyval`: Σ p_k x^(n-k), by Horner's scheme.

    >>> import chainrule as cr
    >>> cr.grad(np.polyval, argnums=(0, 1))(np.array([3.0, 2.0, 1.0]), 5.0)
    (array([25.,  5.,  1.]), np.float64(32.0))
    """
    x = np.asarray(x) if isinstance(x, list | tuple) else x
    y: Any = np.zeros_like(x)
    for coefficient in np.atleast_1d(p):
        y = y * x + coefficient
    return y


@composition(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = _coefficients(a1), _coefficients(a2)
    short, long = sorted((a1, a2), key=len)
    return np.concatenate([np.zeros(len(long) - len(short), short.dtype), short]) + long


@composition(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    return np.polyadd(_coefficients(a1), np.negative(_coefficients(a2)))


@composition(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    a1, a2 = (p if len(p) else np.zeros(1, p.dtype) for p in map(_coefficients, (a1, a2)))
    return np.convolve(a1, a2)


@composition(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """`np.polydiv`: quotient and remainder, by long division."""
    u, v = _coefficients(u) + 0.0, _coefficients(v) + 0.0
    dtype = np.result_type(u.dtype, v.dtype)
    rest, quotients = u.astype(dtype), []
    for k in range(len(u) - len(v) + 1):
        quotients.append(rest[k] * (1 / v[0]))  # rounded as NumPy does
        taken = rest[k : k + len(v)] - quotients[-1] * v  # of its first entry rounding is left
        rest = np.concatenate([rest[:k], taken, rest[k + len(v) :]])
    quotient = np.stack(quotients) if quotients else np.zeros(1, dtype)
    while len(rest) > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return quotient, rest


@composition(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    p = _coefficients(p)
    if m < 0:
        raise ValueError("Order of derivative must be positive")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composition(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """`np.polyint`: the antiderivative, m times, with the constants k."""
    p = _coefficients(p)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(m) if k is None else np.ravel(k)
    if len(constants) == 1 and m > 1:
        constants = np.broadcast_to(constants, (m,))
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for step in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[step : step + 1]])
    return p


@composition(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """`np.poly`: the coefficients of Π (x - z), for the zeros or the eigenvalues of a matrix."""
    zeros = np.atleast_1d(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] and zeros.size:
        zeros = np.linalg.eigvals(zeros)
    elif zeros.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if not zeros.size:
        return 1.0
    p: Any = np.ones(1, zeros.dtype)
    for zero in zeros:
        p = np.convolve(p, np.stack([np.ones((), zeros.dtype), -zero]))
    if zeros.dtype.kind == "c" and np.all(np.sort(zeros) == np.sort(np.conjugate(zeros))):
        p = np.real(p)
    return p


@composition(np.roots)
def roots(p: Any) -> Any:
    """`np.roots`: the eigenvalues of the companion matrix; ż = -Σ ṗ_k z^(n-k) / p'(z)."""
    p = _coefficients(p)
    places = np.flatnonzero(p)
    if not places.size:
        return np.zeros(0)
    first, last = int(places[0]), int(places[-1])
    zeros, p = len(p) - 1 - last, p[first : last + 1]
    p = p.astype(np.float64) if p.dtype.kind in "biu" else p
    size = len(p) - 1
    if not size:
        return np.zeros(zeros)
    shift = np.eye(size - 1, size, dtype=p.dtype)
    found = np.linalg.eigvals(np.concatenate([-p[None, 1:] / p[0], shift]))
    return np.concatenate([found, np.zeros(zeros, found.dtype)])


@composition(np.polyfit)
def polyfit(
    x: Any,
    y: Any,
    deg: Any,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: Any = False,
) -> Any:
    """`np.polyfit`: least squares on the powers of x, each column scaled to length 1."""
    x, y = (v if hasattr(v, "dtype") else np.asarray(v) for v in (x, y))
    if x.ndim != 1 or y.ndim not in (1, 2) or len(x) != len(y) or not len(x) or deg < 0:
        raise ValueError("np.polyfit needs a vector x, y of the same length, and deg >= 0")
    x, y = x + 0.0, y + 0.0
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    powers = np.vander(x, int(deg) + 1)
    if w is not None:
        w = np.asarray(w) if isinstance(w, list | tuple) else w
        powers, y = powers * w[:, None], y * (w[:, None] if y.ndim == 2 else w)
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    c, misfit, rank, s = np.linalg.lstsq(powers / scale, y, rcond)
    c = np.transpose(np.transpose(c) / scale)
    if full:
        return c, misfit, rank, s, rcond
    if not cov:
        return c
    spread = np.linalg.inv(np.matmul(np.transpose(powers), powers))
    factor = 1
    if cov != "unscaled":
        if len(x) <= int(deg) + 1:
            raise ValueError("the covariance needs more points than coefficients")
        factor = misfit / (len(x) - int(deg) - 1)
    return c, spread * factor if y.ndim == 1 else spread[:, :, None] * factor
