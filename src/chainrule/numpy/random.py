"""Random numbers from a key: reproducible, and differentiable in their parameters.

A key is a pair of 64-bit numbers. The same key gives the same numbers, on every machine and in
every transform; `split` makes new keys from one. A draw is a smooth function of the parameters of
its distribution (the path-wise derivative, or reparameterisation), so that a gradient passes
through it: Kingma & Welling, Auto-Encoding Variational Bayes, 2014; for the gamma family Figurnov,
Mohamed & Mnih, Implicit Reparameterization Gradients, 2018. Bits come from Philox: Salmon et al.,
Parallel Random Numbers: As Easy as 1, 2, 3, 2011.

    first argument a key    normal uniform exponential laplace logistic gumbel lognormal weibull
                            rayleigh pareto cauchy gamma chisquare beta dirichlet standard_t
                            multivariate_normal, with NumPy's parameters after the key
    constants               integers permutation choice bernoulli, of which no derivative passes
                            through the choice itself

Without a key a name means what it means in `numpy.random`, and a traced parameter is refused.

>>> import numpy as np
>>> import chainrule as cr
>>> from chainrule.numpy import random
>>> k = random.key(0)
>>> def spread(scale):
...     return np.mean(random.normal(k, 0.0, scale, size=1000) ** 2)
>>> bool(abs(cr.grad(spread)(3.0) - 6.0) < 0.5)
True
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.primitives.draws import bits
from chainrule.tracing import creation

Size = int | tuple[int, ...] | None
_SPLITTING = 1  # the stream of bits that makes keys; draws take stream 0


def key(seed: int) -> Any:
    """The key of a seed: an array of two 64-bit numbers.

    >>> key(7).shape
    (2,)
    """
    return np.random.SeedSequence(seed).generate_state(2, np.uint64)


def split(key: Any, n: int = 2) -> Any:
    """`n` new keys, independent of each other and of what `key` draws; one a row.

    >>> first, second = split(key(0))
    """
    return bits(key, size=(n, 2), stream=_SPLITTING)


def _is_key(value: Any) -> bool:
    return getattr(value, "dtype", None) == np.uint64 and value.shape == (2,)


def keyed(sampler: Callable[..., Any]) -> Callable[..., Any]:
    """`sampler` where it is called with a key; else the function of numpy.random of that name."""
    name = sampler.__name__

    @functools.wraps(sampler)
    def draw(*args: Any, **options: Any) -> Any:
        if "key" in options or (args and _is_key(args[0])):
            return sampler(*args, **options)
        if any(isinstance(value, Traced) for value in (*args, *options.values())):
            raise errors.ConversionError(
                f"numpy.random.{name} at {callers_place()} draws with plain parameters only: give "
                f"chainrule.numpy.random.{name} a key first, chainrule.numpy.random.key(seed), and "
                "the draw has a derivative with respect to its parameters"
            )
        return getattr(np.random, name)(*args, **options)

    return draw


def shape_of(size: Size, *parameters: Any) -> tuple[int, ...]:
    """The shape of a draw: `size`, or what the parameters broadcast to."""
    shapes = [np.shape(p) for p in parameters]
    whole = None if size is None else (size,) if isinstance(size, int | np.integer) else tuple(size)
    try:
        shape = np.broadcast_shapes(*shapes, whole or ())
        if whole is None or shape == whole:
            return shape
        raise ValueError(f"it would have to be {shape}")
    except ValueError as error:
        raise errors.ShapeError(
            f"a draw of size {whole} at {callers_place()} with parameters of the shapes {shapes} "
            f"does not fit: {error}"
        ) from error


def _dtype(*parameters: Any) -> Any:
    """float32 parameters draw float32 numbers."""
    arrays = [p.dtype for p in parameters if hasattr(p, "dtype") and p.dtype.kind in "fc"]
    return np.result_type(*arrays) if arrays else np.dtype(np.float64)


def units(key: Any, shape: tuple[int, ...]) -> Any:
    """Uniform numbers of the open interval (0, 1): (k + ½) / 2⁵²."""
    return (np.right_shift(bits(key, size=shape), np.uint64(12)).astype(float) + 0.5) * 2.0**-52


def normals(key: Any, shape: tuple[int, ...]) -> Any:
    """Standard normal numbers, two from two uniform ones: Box & Muller, 1958."""
    count = int(np.prod(shape, dtype=int))
    u = units(key, ((count + 1) // 2, 2))
    radius, angle = np.sqrt(-2.0 * np.log(u[:, 0])), 2.0 * np.pi * u[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return np.reshape(np.reshape(pairs, -1)[:count], shape)


def _noise(source: Callable[..., Any], key: Any, size: Size, *parameters: Any) -> Any:
    """Numbers of a distribution without parameters, in the shape and dtype of the draw."""
    return source(key, shape_of(size, *parameters)).astype(_dtype(*parameters))


def _exponentials(key: Any, shape: tuple[int, ...]) -> Any:
    return -np.log(units(key, shape))


def _laplaces(key: Any, shape: tuple[int, ...]) -> Any:
    v = units(key, shape) - 0.5
    return -np.sign(v) * np.log1p(-2.0 * np.abs(v))


def _logistics(key: Any, shape: tuple[int, ...]) -> Any:
    u = units(key, shape)
    return np.log(u) - np.log1p(-u)


def _gumbels(key: Any, shape: tuple[int, ...]) -> Any:
    return -np.log(_exponentials(key, shape))


def _cauchys(key: Any, shape: tuple[int, ...]) -> Any:
    return np.tan(np.pi * (units(key, shape) - 0.5))


@keyed
def normal(key: Any, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """loc + scale · z, z standard normal."""
    return loc + scale * _noise(normals, key, size, loc, scale)


@keyed
def standard_normal(key: Any, size: Size = None) -> Any:
    """z, the standard normal distribution."""
    return normals(key, shape_of(size))


@keyed
def lognormal(key: Any, mean: Any = 0.0, sigma: Any = 1.0, size: Size = None) -> Any:
    """exp(mean + sigma · z), z standard normal."""
    return np.exp(normal(key, mean, sigma, size))


@keyed
def uniform(key: Any, low: Any = 0.0, high: Any = 1.0, size: Size = None) -> Any:
    """low + (high - low) · u, u uniform in (0, 1)."""
    return low + (high - low) * _noise(units, key, size, low, high)


@keyed
def exponential(key: Any, scale: Any = 1.0, size: Size = None) -> Any:
    """-scale · log u."""
    return scale * _noise(_exponentials, key, size, scale)


@keyed
def laplace(key: Any, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """loc - scale · sgn(u - ½) log(1 - 2 |u - ½|)."""
    return loc + scale * _noise(_laplaces, key, size, loc, scale)


@keyed
def logistic(key: Any, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """loc + scale · log(u / (1 - u))."""
    return loc + scale * _noise(_logistics, key, size, loc, scale)


@keyed
def gumbel(key: Any, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """loc - scale · log(-log u)."""
    return loc + scale * _noise(_gumbels, key, size, loc, scale)


@keyed
def weibull(key: Any, a: Any, size: Size = None) -> Any:
    """(-log u)^(1/a); times a scale, the two-parameter distribution."""
    return _noise(_exponentials, key, size, a) ** (1.0 / a)


@keyed
def rayleigh(key: Any, scale: Any = 1.0, size: Size = None) -> Any:
    """scale · √(-2 log u)."""
    return scale * np.sqrt(2.0 * _noise(_exponentials, key, size, scale))


@keyed
def pareto(key: Any, a: Any, size: Size = None) -> Any:
    """u^(-1/a) - 1, the distribution of Lomax, as in NumPy."""
    return np.expm1(_noise(_exponentials, key, size, a) / a)


@keyed
def cauchy(key: Any, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Any:
    """loc + scale · tan(π (u - ½))."""
    return loc + scale * _noise(_cauchys, key, size, loc, scale)


@keyed
def gamma(key: Any, shape: Any, scale: Any = 1.0, size: Size = None) -> Any:
    """scale · P⁻¹(shape, u), the inverse of the regularised incomplete gamma function.

    Differentiating the inverse is the implicit reparameterisation, ∂y/∂a = -(∂P/∂a) / (∂P/∂y).
    """
    from scipy.special import gammaincinv  # noqa: PLC0415  SciPy takes time to import

    drawn = gammaincinv(shape, units(key, shape_of(size, shape, scale)))
    return scale * drawn.astype(_dtype(shape, scale))


@keyed
def chisquare(key: Any, df: Any, size: Size = None) -> Any:
    """2 · gamma(df / 2)."""
    return 2.0 * gamma(key, df / 2.0, size=size)


@keyed
def standard_t(key: Any, df: Any, size: Size = None) -> Any:
    """z / √(chisquare(df) / df)."""
    first, second = split(key)
    return _noise(normals, first, size, df) / np.sqrt(chisquare(second, df, size) / df)


@keyed
def beta(key: Any, a: Any, b: Any, size: Size = None) -> Any:
    """x / (x + y) for x = gamma(a), y = gamma(b)."""
    first, second = split(key)
    whole = shape_of(size, a, b)
    x, y = gamma(first, a, size=whole), gamma(second, b, size=whole)
    return x / (x + y)


@keyed
def dirichlet(key: Any, alpha: Any, size: Size = None) -> Any:
    """x / Σ x for xᵢ = gamma(alphaᵢ); the last axis is that of alpha."""
    alpha = creation.asarray(alpha)
    outer = shape_of(size, np.zeros(alpha.shape[:-1]))
    x = gamma(key, alpha, size=outer + alpha.shape[-1:])
    return x / np.sum(x, axis=-1, keepdims=True)


@keyed
def multivariate_normal(key: Any, mean: Any, cov: Any, size: Size = None) -> Any:
    """mean + L z, with L Lᵀ = cov by Cholesky's decomposition."""
    mean = creation.asarray(mean)
    cov = creation.asarray(cov)
    outer = shape_of(size, np.zeros(mean.shape[:-1]))
    z = normals(key, outer + mean.shape[-1:]).astype(_dtype(mean, cov))
    return mean + z @ np.linalg.cholesky(cov).T


@keyed
def integers(key: Any, low: int, high: int | None = None, size: Size = None) -> Any:
    """Whole numbers of [low, high), or of [0, low); a constant.

    All are equally likely up to (high - low) / 2⁶⁴.
    """
    low, high = (0, low) if high is None else (low, high)
    drawn = bits(key, size=shape_of(size)) % np.uint64(high - low)
    return drawn.astype(np.int64) + low


@keyed
def bernoulli(key: Any, p: Any = 0.5, size: Size = None) -> Any:
    """u < p: truth values, a constant."""
    return units(key, shape_of(size, p)) < p


@keyed
def permutation(key: Any, x: Any) -> Any:
    """A whole number counted through, or the entries along the first axis, in random order.

    The order is a constant; the derivative follows the entries.
    """
    if isinstance(x, int | np.integer):
        return np.argsort(bits(key, size=(int(x),)), kind="stable")
    x = creation.asarray(x)
    return x[np.argsort(bits(key, size=x.shape[:1]), kind="stable")]


@keyed
def choice(key: Any, a: Any, size: Size = None, replace: bool = True, p: Any = None) -> Any:
    """Entries of `a`, or whole numbers below it, with probabilities `p`.

    Which entries is a constant; the derivative follows the entries. Without replacement those of
    the largest log p + Gumbel noise are taken: Efraimidis & Spirakis, 2006. Raises ConversionError
    for traced probabilities, with respect to which a draw has no derivative.
    """
    if isinstance(p, Traced):
        raise errors.ConversionError(
            f"choice at {callers_place()} has no derivative with respect to its probabilities p; "
            "give it chainrule.stop_gradient(p), and multiply by the log-probability of what was "
            "drawn where its derivative is meant (the score function)"
        )
    entries = creation.asarray(np.arange(a) if isinstance(a, int | np.integer) else a)
    count, shape = len(entries), shape_of(size)
    weights = np.full(count, 1.0 / count) if p is None else np.asarray(p, float)
    if replace:
        total = np.cumsum(weights)
        places = np.searchsorted(total / total[-1], units(key, shape), side="right")
        return entries[np.minimum(places, count - 1)]
    wanted = int(np.prod(shape, dtype=int))
    if wanted > np.count_nonzero(weights):
        raise errors.ShapeError(
            f"choice at {callers_place()} takes {wanted} of {np.count_nonzero(weights)} entries "
            "without replacement; take fewer, or replace=True"
        )
    with np.errstate(divide="ignore"):
        scores = np.log(weights) - np.log(_exponentials(key, (count,)))
    return entries[np.reshape(np.argsort(-scores, kind="stable")[:wanted], shape)]


def __getattr__(name: str) -> Any:
    return getattr(np.random, name)
