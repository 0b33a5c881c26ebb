"""Both modes, in the point, the shapes, loc and scale, to second order; JAX beside."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.scipy import stats


def check(function, *arguments, order=2):
    cr.check_grads(function, tuple(np.asarray(a, float) for a in arguments), order=order)


def check_in_everything(member, method, points):
    """To second order where the method is not the complement or the logarithm of another."""
    order = 2 if method in ("logpdf", "cdf", "ppf") else 1
    function = getattr(getattr(stats, member.name), method)
    check(function, points, *member.shapes, 0.2, 1.3, order=order)


@pytest.mark.parametrize("method", ["logpdf", "pdf"])
def test_densities(continuous, method):
    check_in_everything(continuous, method, 0.2 + 1.3 * continuous.inner)


@pytest.mark.parametrize("method", ["cdf", "sf", "logcdf", "logsf"])
def test_probabilities(with_cdf, method):
    check_in_everything(with_cdf, method, 0.2 + 1.3 * with_cdf.inner)


@pytest.mark.parametrize("method", ["ppf", "isf"])
def test_quantiles(with_quantiles, method):
    check_in_everything(with_quantiles, method, np.array([0.2, 0.7]))


@pytest.mark.parametrize("method", ["logpmf", "pmf", "cdf", "sf", "logcdf", "logsf"])
def test_discrete_distributions_in_their_parameters(discrete, method):
    k = np.array([1.0, 4.0])
    if discrete.name == "bernoulli":
        k = np.array([0.0, 1.0]) if "pmf" in method else np.array([0.0])
    *counts, parameter = discrete.shapes  # the number of trials of binom is a whole number

    def function(p):
        return getattr(getattr(stats, discrete.name), method)(k, *counts, p)

    check(function, parameter)


@pytest.mark.parametrize("method", ["mean", "var", "std"])
@pytest.mark.parametrize("name", ["gamma", "beta", "lognorm", "weibull_min", "f", "truncnorm"])
def test_moments(name, method, members):
    check(getattr(getattr(stats, name), method), *members[name].shapes, 0.2, 1.3)


def test_multivariate_distributions(rng):
    x, mean = rng.normal(size=(4, 3)), rng.normal(size=3)
    a = rng.normal(size=(3, 3))

    def normal(x, mean, a):
        return stats.multivariate_normal.logpdf(x, mean, a @ a.T + np.eye(3))

    check(normal, x, mean, a)
    check(lambda s: stats.multivariate_normal.logpdf(x, mean, s), 2.0)

    def dirichlet(z, alpha):
        return stats.dirichlet.logpdf(np.exp(z) / np.sum(np.exp(z)), alpha)

    check(dirichlet, rng.normal(size=3), [1.3, 2.0, 0.7])


@pytest.mark.parametrize("name", ["gamma", "beta", "expon", "weibull_min", "lognorm", "pareto"])
def test_outside_the_support_nothing_moves(name, members):
    distribution, shapes = getattr(stats, name), members[name].shapes
    arguments = (-2.0, *shapes, 0.5, 1.5)
    everything = tuple(range(len(arguments)))
    for method, value in (("logpdf", -np.inf), ("pdf", 0.0), ("cdf", 0.0), ("sf", 1.0)):
        function = getattr(distribution, method)
        assert function(*arguments) == value
        slopes = cr.grad(function, argnums=everything)(*arguments)
        assert not np.any(slopes), method
        for i in everything:
            tangents = tuple(float(i == j) for j in everything)
            assert cr.jvp(function, arguments, tangents)[1] == 0.0


def test_one_point_outside_does_not_spoil_the_others():
    x = np.array([-1.0, 0.5, 2.0])
    gradient = cr.grad(lambda a: np.sum(stats.gamma.pdf(x, a)))(2.0)
    inside = cr.grad(lambda a: np.sum(stats.gamma.pdf(x[1:], a)))(2.0)
    assert gradient == inside


def test_the_maximum_likelihood_of_a_weibull_sample_is_where_the_gradient_is_0(rng):
    """The shape solves Σ xᶜ log x / Σ xᶜ - 1/c = mean log x."""
    x = rng.weibull(1.5, size=200) * 2.0
    c = 1.4
    for _ in range(50):
        powers = x**c
        c = 1 / (np.sum(powers * np.log(x)) / np.sum(powers) - np.mean(np.log(x)))
    scale = np.mean(x**c) ** (1 / c)
    slopes = cr.grad(
        lambda c, scale: np.sum(stats.weibull_min.logpdf(x, c, scale=scale)), argnums=(0, 1)
    )(c, scale)
    np.testing.assert_allclose(slopes, 0, atol=1e-4 * x.size)


JAX = {
    "norm": "logpdf pdf cdf logcdf sf logsf",
    "t": "logpdf pdf",
    "gamma": "logpdf pdf cdf sf",
    "beta": "logpdf pdf cdf sf",
    "chi2": "logpdf pdf cdf sf",
    "expon": "logpdf pdf cdf sf",
    "laplace": "logpdf pdf cdf",
    "logistic": "logpdf pdf cdf sf",
    "cauchy": "logpdf pdf cdf sf",
    "pareto": "logpdf pdf",
    "truncnorm": "logpdf pdf cdf sf logcdf logsf",
    "uniform": "logpdf pdf cdf",
    "vonmises": "logpdf pdf",
}


SLOW = ("truncnorm",)  # JAX compiles its logarithms of differences anew for every method


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.deep) if n in SLOW else n for n in JAX]
)
def test_against_jax(name, peer, members):
    """Values and gradients in everything that JAX differentiates: not the shapes of beta.cdf."""
    jax = peer("jax")
    theirs = getattr(peer("jax.scipy.stats"), name)
    points, shapes = 0.2 + 1.3 * members[name].inner, members[name].shapes
    for method in JAX[name].split():
        for x in points:
            arguments = (x, *shapes, 0.2, 1.3)
            if name == "vonmises":  # JAX has no loc and scale there
                arguments = (x, *shapes)
            ours = getattr(getattr(stats, name), method)
            some = (0,) if name == "beta" else tuple(range(len(arguments)))
            expected = jax.grad(getattr(theirs, method), argnums=some)(*arguments)
            got = cr.grad(ours, argnums=some)(*arguments)
            # JAX's derivative of gammainc in its shape is good to about 1e-8
            np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-12, err_msg=method)
