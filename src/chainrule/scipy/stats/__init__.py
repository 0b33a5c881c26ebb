"""Distributions with SciPy's names and signatures, differentiable in points and parameters.

>>> import chainrule as cr
>>> from chainrule.scipy import stats
>>> loss = lambda mu, sigma: stats.norm.logpdf(1.0, mu, sigma)
>>> [float(slope) for slope in cr.grad(loss, argnums=(0, 1))(0.0, 2.0)]
[0.25, -0.375]
"""

import chainrule.scipy.special  # noqa: F401  its rules are what the distributions are made of
from chainrule.scipy.stats.discrete import bernoulli, binom, geom, nbinom, poisson
from chainrule.scipy.stats.half_line import (
    chi2,
    expon,
    f,
    gamma,
    halfnorm,
    invgamma,
    lognorm,
    rayleigh,
    weibull_min,
)
from chainrule.scipy.stats.intervals import beta, pareto, truncnorm, uniform
from chainrule.scipy.stats.multivariate import dirichlet, multivariate_normal
from chainrule.scipy.stats.real_line import (
    cauchy,
    gumbel_r,
    laplace,
    logistic,
    norm,
    skewnorm,
    t,
    vonmises,
)

__all__ = [
    "bernoulli",
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "f",
    "gamma",
    "geom",
    "gumbel_r",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "multivariate_normal",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "rayleigh",
    "skewnorm",
    "t",
    "truncnorm",
    "uniform",
    "vonmises",
    "weibull_min",
]
