"""The multivariate normal and the Dirichlet distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.scipy.stats.arguments import floating
from chainrule.scipy.stats.distribution import Frozen


class MultivariateNormal:
    """log f(x) = -½ (|L⁻¹(x - μ)|² + d log 2π) - Σ log Lᵢᵢ with Σ = L Lᵀ by Cholesky.

    x has the coordinates along its last axis; `cov` is a number, a diagonal or a matrix, as in
    SciPy. numpy.linalg.LinAlgError where it is not positive definite.

    >>> import numpy as np
    >>> round(float(multivariate_normal.logpdf(np.zeros(2), np.zeros(2), np.eye(2))), 6)
    -1.837877
    """

    name = "multivariate_normal"

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        return Frozen(self, args, kwargs)

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The logarithm of the density, one for each point of x."""
        if allow_singular:
            raise errors.UnsupportedError(
                f"multivariate_normal with allow_singular=True at {callers_place()} has no "
                "derivative here: give a positive definite cov, such as cov + 1e-9 * np.eye(d)"
            )
        mean, cov = self._parameters(mean, cov)
        size = cov.shape[0]
        x = floating(x)
        if np.ndim(x) == 0:
            x = np.reshape(x, (1,))
        elif np.ndim(x) == 1 and size == 1:
            x = np.reshape(x, (-1, 1))
        root = np.linalg.cholesky(cov)
        shift = x - mean
        shape = np.shape(shift)
        whitened = np.linalg.solve(root, np.reshape(shift, (-1, size)).T)
        squares = np.reshape(np.sum(whitened * whitened, axis=0), shape[:-1])
        log_volume = np.sum(np.log(np.diagonal(root)))
        return (-0.5 * (squares + size * math.log(2 * math.pi)) - log_volume)[()]

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The density, one for each point of x."""
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def _parameters(self, mean: Any, cov: Any) -> tuple[Any, Any]:
        """A mean of shape (d,) and a covariance of shape (d, d), from what SciPy takes."""
        cov = floating(cov)
        size = np.size(mean) if mean is not None else (np.shape(cov) or (1,))[0]
        mean = np.zeros(size) if mean is None else np.reshape(floating(mean), (size,))
        if np.ndim(cov) == 0:
            cov = cov * np.eye(size)
        elif np.ndim(cov) == 1:
            cov = cov * np.eye(np.shape(cov)[0])
        if np.shape(cov) != (size, size):
            raise errors.ShapeError(
                f"multivariate_normal at {callers_place()}: the mean has {size} entries and the "
                f"covariance the shape {np.shape(cov)}"
            )
        return mean, cov


class Dirichlet:
    """log f(x) = log Γ(Σα) - Σ log Γ(αᵢ) + Σ (αᵢ - 1) log xᵢ, coordinates along the first axis.

    ValueError where a coordinate is negative or the coordinates do not add up to 1, as in SciPy;
    the last coordinate may be left out.

    >>> import numpy as np
    >>> round(float(dirichlet.logpdf([0.2, 0.3, 0.5], [1.0, 1.0, 1.0])), 6)
    0.693147
    """

    name = "dirichlet"

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        return Frozen(self, args, kwargs)

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density, one for each column of x."""
        alpha, x = self._alpha(alpha), floating(x)
        if np.shape(x)[0] == np.shape(alpha)[0] - 1:
            x = np.concatenate([x, np.reshape(1 - np.sum(x, axis=0), (1, *np.shape(x)[1:]))])
        if np.shape(x)[0] != np.shape(alpha)[0]:
            raise errors.ShapeError(
                f"dirichlet at {callers_place()}: x has {np.shape(x)[0]} coordinates and alpha "
                f"{np.shape(alpha)[0]}"
            )
        if np.any(x < 0) or np.any(np.abs(np.sum(x, axis=0) - 1) > 1e-9):
            raise ValueError("the coordinates of x must not be negative and must add up to 1")
        powers = np.reshape(alpha - 1, (-1,) + (1,) * (np.ndim(x) - 1))
        return np.sum(special.xlogy(powers, x), axis=0) - self._log_scale(alpha)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density, one for each column of x."""
        return np.exp(self.logpdf(x, alpha))

    def mean(self, alpha: Any) -> Any:
        """α / Σα."""
        alpha = self._alpha(alpha)
        return alpha / np.sum(alpha)

    def var(self, alpha: Any) -> Any:
        """The variance of each coordinate."""
        total = np.sum(self._alpha(alpha))
        mean = self.mean(alpha)
        return mean * (1 - mean) / (total + 1)

    def _log_scale(self, alpha: Any) -> Any:
        return np.sum(special.gammaln(alpha)) - special.gammaln(np.sum(alpha))

    def _alpha(self, alpha: Any) -> Any:
        alpha = floating(alpha)
        if np.any(alpha <= 0):
            raise ValueError("the parameters alpha of dirichlet must be positive")
        return alpha


multivariate_normal, dirichlet = MultivariateNormal(), Dirichlet()

__all__ = ["dirichlet", "multivariate_normal"]
