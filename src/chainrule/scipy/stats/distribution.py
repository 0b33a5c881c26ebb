"""What every distribution has in common: parameters, support, and what lies outside of it.

A distribution states its standard form inside its support. Outside, a density is 0 and its
logarithm -∞, with derivative 0; parameters that mean nothing, and NaN, give NaN, as in SciPy. The
entries outside are replaced before the formula, so that none of them can spoil a derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.scipy.stats.arguments import bound, floating, promoted


class Frozen:
    """A distribution with its parameters: `norm(0, 2).logpdf(x)`."""

    def __init__(self, distribution: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._distribution = distribution
        self._args = args
        self._kwargs = kwargs

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._distribution, name)
        return lambda *x: method(*x, *self._args, **self._kwargs)


class Distribution:
    """The parameters of one call, and where its values lie with respect to the support."""

    name: str
    shapes: tuple[str, ...] = ()
    position: tuple[str, ...] = ("loc", "scale")
    inside = 0.5
    """A point inside the support of every member of the family."""

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        return Frozen(self, args, kwargs)

    def support_of(self, *shapes: Any) -> tuple[Any, Any]:
        """The ends of the support in standard form."""
        raise NotImplementedError

    def is_valid(self, *shapes: Any) -> Any:
        """Where the shapes mean something: all of them positive, unless a family says otherwise."""
        valid: Any = np.True_
        for shape in shapes:
            valid = valid & (shape > 0)
        return valid

    def parameters(
        self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, list[Any], Any, Any, Any]:
        """x, shapes, loc and scale (1 where there is none), and where they mean something."""
        given = bound(self.name, (*self.shapes, *self.position), args, kwargs)
        if "scale" not in self.position:
            given.append(1.0)
        x, *shapes, loc, scale = promoted([floating(x), *given])
        return x, shapes, loc, scale, self.is_valid(*shapes) & (scale > 0)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The expected value."""
        _, shapes, loc, scale, valid = self.parameters(0.0, args, kwargs)
        with np.errstate(all="ignore"):
            return np.where(valid, loc + scale * self.mean_of(*shapes), np.nan)[()]

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variance."""
        _, shapes, _, scale, valid = self.parameters(0.0, args, kwargs)
        with np.errstate(all="ignore"):
            return np.where(valid, scale * scale * self.var_of(*shapes), np.nan)[()]

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """The standard deviation."""
        return np.sqrt(self.var(*args, **kwargs))

    def mean_of(self, *shapes: Any) -> Any:
        raise self._missing("mean")

    def var_of(self, *shapes: Any) -> Any:
        raise self._missing("var")

    def _missing(self, method: str) -> errors.UnsupportedError:
        return errors.UnsupportedError(
            f"chainrule.scipy.stats.{self.name}.{method} was called at {callers_place()}, and is "
            f"not known in closed form here: use scipy.stats.{self.name}.{method} of plain numbers"
        )


def unless(condition: Any, value: Any, otherwise: Any) -> Any:
    """`value` where the condition does not hold; a scalar where all are scalars."""
    return np.where(condition, otherwise, value)[()]


def log_of(probability: Any, complement: Any) -> Any:
    """log p, from 1 - p where that is the smaller: near p = 1 it has all the digits."""
    likely = probability > 0.5
    near_1 = np.log1p(-np.where(likely, complement, 0.0))
    return np.where(likely, near_1, np.log(np.where(likely, 1.0, probability)))


class Continuous(Distribution):
    """A distribution with a density: log density, distribution function and their complements."""

    def log_density(self, z: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def below(self, z: Any, *shapes: Any) -> Any:
        """P(Z ≤ z)."""
        raise self._missing("cdf")

    def above(self, z: Any, *shapes: Any) -> Any:
        """P(Z > z)."""
        return 1 - self.below(z, *shapes)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return log_of(self.below(z, *shapes), self.above(z, *shapes))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return log_of(self.above(z, *shapes), self.below(z, *shapes))

    def quantile(self, q: Any, *shapes: Any) -> Any:
        """The z with P(Z ≤ z) = q."""
        raise self._missing("ppf")

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        """The z with P(Z > z) = q."""
        return self.quantile(1 - q, *shapes)

    def logpdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """log f(x); -∞ outside the support."""
        x, shapes, loc, scale, valid = self.parameters(x, args, kwargs)
        with np.errstate(all="ignore"):
            z = (x - loc) / scale
            low, high = self.support_of(*shapes)
            out = (z < low) | (z > high) | np.isinf(z) | np.logical_not(valid)
            y = self.log_density(unless(out, z, self.inside), *shapes) - np.log(scale)
            return unless(np.isnan(z) | np.logical_not(valid), unless(out, y, -np.inf), np.nan)

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density f(x); 0 outside the support."""
        return np.exp(self.logpdf(x, *args, **kwargs))

    def cdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """P(X ≤ x)."""
        return self._probability(self.below, (0.0, 1.0), x, args, kwargs)

    def sf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """P(X > x)."""
        return self._probability(self.above, (1.0, 0.0), x, args, kwargs)

    def logcdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """log P(X ≤ x)."""
        return self._probability(self.log_below, (-np.inf, 0.0), x, args, kwargs)

    def logsf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """log P(X > x)."""
        return self._probability(self.log_above, (0.0, -np.inf), x, args, kwargs)

    def ppf(self, q: Any, *args: Any, **kwargs: Any) -> Any:
        """The x with P(X ≤ x) = q."""
        return self._inverse(self.quantile, False, q, args, kwargs)

    def isf(self, q: Any, *args: Any, **kwargs: Any) -> Any:
        """The x with P(X > x) = q."""
        return self._inverse(self.upper_quantile, True, q, args, kwargs)

    def _probability(
        self,
        formula: Any,
        ends: tuple[float, float],
        x: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """`formula` inside the support, `ends` below and above it."""
        x, shapes, loc, scale, valid = self.parameters(x, args, kwargs)
        with np.errstate(all="ignore"):
            z = (x - loc) / scale
            low, high = self.support_of(*shapes)
            under, over = z <= low, z >= high
            y = formula(unless(under | over | np.logical_not(valid), z, self.inside), *shapes)
            y = unless(under, unless(over, y, ends[1]), ends[0])
            return unless(np.isnan(z) | np.logical_not(valid), y, np.nan)

    def _inverse(
        self,
        formula: Any,
        upper: bool,
        q: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """`formula` between 0 and 1, the ends of the support there, NaN beyond."""
        q, shapes, loc, scale, valid = self.parameters(q, args, kwargs)
        with np.errstate(all="ignore"):
            low, high = self.support_of(*shapes)
            at_0, at_1 = (high, low) if upper else (low, high)
            z = formula(unless((q <= 0) | (q >= 1) | np.logical_not(valid), q, 0.5), *shapes)
            z = unless(q == 0, unless(q == 1, z, at_1), at_0)
            wrong = np.logical_not((q >= 0) & (q <= 1)) | np.logical_not(valid)
            return unless(wrong, z * scale + loc, np.nan)


class Discrete(Distribution):
    """A distribution on whole numbers, which carry no derivative themselves; the parameters do."""

    position = ("loc",)

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def below(self, k: Any, *shapes: Any) -> Any:
        """P(K ≤ k)."""
        raise NotImplementedError

    def above(self, k: Any, *shapes: Any) -> Any:
        """P(K > k)."""
        raise NotImplementedError

    def log_above(self, k: Any, *shapes: Any) -> Any:
        return log_of(self.above(k, *shapes), self.below(k, *shapes))

    def log_below(self, k: Any, *shapes: Any) -> Any:
        return log_of(self.below(k, *shapes), self.above(k, *shapes))

    def inside_of(self, *shapes: Any) -> Any:
        """A whole number inside the support."""
        return self.support_of(*shapes)[0]

    def logpmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """log P(K = k); -∞ between whole numbers and outside the support."""
        k, shapes, loc, _, valid = self.parameters(k, args, kwargs)
        with np.errstate(all="ignore"):
            z = k - loc
            whole = np.floor(z)
            low, high = self.support_of(*shapes)
            out = (whole != z) | (whole < low) | (whole > high) | np.logical_not(valid)
            y = self.log_mass(unless(out, whole, self.inside_of(*shapes)), *shapes)
            return unless(np.isnan(z) | np.logical_not(valid), unless(out, y, -np.inf), np.nan)

    def pmf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """P(K = k)."""
        return np.exp(self.logpmf(k, *args, **kwargs))

    def cdf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """P(K ≤ k)."""
        return self._probability(self.below, (0.0, 1.0), k, args, kwargs)

    def sf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """P(K > k)."""
        return self._probability(self.above, (1.0, 0.0), k, args, kwargs)

    def logcdf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """log P(K ≤ k)."""
        return self._probability(self.log_below, (-np.inf, 0.0), k, args, kwargs)

    def logsf(self, k: Any, *args: Any, **kwargs: Any) -> Any:
        """log P(K > k)."""
        return self._probability(self.log_above, (0.0, -np.inf), k, args, kwargs)

    def _probability(
        self,
        formula: Any,
        ends: tuple[float, float],
        k: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        k, shapes, loc, _, valid = self.parameters(k, args, kwargs)
        with np.errstate(all="ignore"):
            z = k - loc
            whole = np.floor(z)
            low, high = self.support_of(*shapes)
            under, over = whole < low, whole >= high
            y = formula(
                unless(under | over | np.logical_not(valid), whole, self.inside_of(*shapes)),
                *shapes,
            )
            y = unless(under, unless(over, y, ends[1]), ends[0])
            return unless(np.isnan(z) | np.logical_not(valid), y, np.nan)
