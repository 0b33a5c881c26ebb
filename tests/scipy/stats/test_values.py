"""Values are SciPy's, to 1e-12 relative where SciPy has as many digits."""

import numpy as np
import pytest
import scipy.stats as theirs

from chainrule import errors
from chainrule.scipy import stats

# SciPy's skewnorm integrates its lower tail to 1e-8 (`test_against_mpmath` has ours).
ROUGH = {("skewnorm", "cdf"), ("skewnorm", "logcdf"), ("skewnorm", "logsf")}


def assert_same(name, method, got, expected):
    rtol = 1e-7 if (name, method) in ROUGH else 1e-12
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=0)


LOC, SCALE = 0.3, 1.7
# In standard form: the middle, the ends of the supports and beyond, and the tails.
POINTS = np.array([-9.0, -1.0, -0.7, 0.0, 0.2, 0.6, 0.9, 1.0, 1.4, 2.7, 8.0, 30.0, np.nan])


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
def test_densities(continuous, method):
    name, shapes = continuous
    compare(name, method, LOC + SCALE * POINTS, shapes)


@pytest.mark.parametrize("method", ["cdf", "sf", "logcdf", "logsf"])
def test_probabilities(with_cdf, method):
    name, shapes = with_cdf
    compare(name, method, LOC + SCALE * POINTS, shapes)


@pytest.mark.parametrize("method", ["ppf", "isf"])
def test_quantiles(with_quantiles, method):
    """SciPy's f.isf takes ppf(1 - q), which loses the digits of a small q; ours does not."""
    name, shapes = with_quantiles
    small = [] if (name, method) == ("f", "isf") else [1e-10, 1e-100]
    q = np.array([0.0, 1e-3, 0.2, 0.5, 0.77, 0.999, 1.0, -0.5, 2.0, np.nan, *small])
    compare(name, method, q, shapes)


def compare(name, method, points, shapes):
    with np.errstate(all="ignore"):
        expected = getattr(getattr(theirs, name), method)(points, *shapes, loc=LOC, scale=SCALE)
    ours = getattr(getattr(stats, name), method)
    assert_same(name, method, ours(points, *shapes, loc=LOC, scale=SCALE), expected)
    assert_same(name, method, ours(points, *shapes, LOC, SCALE), expected)


@pytest.mark.parametrize("method", ["pmf", "logpmf", "cdf", "sf", "logcdf", "logsf"])
def test_discrete_distributions(discrete, method):
    name, shapes = discrete
    k = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 9.0, 10.0, 2.5, np.nan])
    expected = getattr(getattr(theirs, name), method)(k, *shapes, loc=1)
    with np.errstate(all="raise"):
        got = getattr(getattr(stats, name), method)(k, *shapes, loc=1)
    # gammaln and xlogy round a sum of some ten terms of size 10; SciPy's pmf does not take it
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("method", ["mean", "var", "std"])
def test_moments(member, method):
    name, shapes = member
    expected = getattr(getattr(theirs, name), method)(*shapes, loc=LOC)
    assert_same(name, method, getattr(getattr(stats, name), method)(*shapes, loc=LOC), expected)


@pytest.mark.parametrize("method", ["cdf", "sf", "ppf", "isf"])
def test_what_has_no_closed_form_says_so(method):
    with pytest.raises(
        errors.UnsupportedError, match=r"vonmises\.(cdf|ppf) was called at .*test_va"
    ):
        getattr(stats.vonmises, method)(0.5, 2.0)


def test_far_tails():
    assert float(stats.norm.logsf(40.0)) == pytest.approx(-804.6084420137539, rel=1e-14)
    np.testing.assert_allclose(
        stats.truncnorm.logsf(31.0, 30.0, 40.0), theirs.truncnorm.logsf(31.0, 30.0, 40.0), 1e-12
    )
    np.testing.assert_allclose(stats.gamma.logpdf(1e5, 1e5), theirs.gamma.logpdf(1e5, 1e5), 1e-9)


@pytest.mark.parametrize("shapes", [{"df": -1.0}, {"df": 3.0, "scale": -1.0}])
def test_parameters_that_mean_nothing_give_nan(shapes):
    assert np.isnan(stats.t.logpdf(0.5, **shapes))
    assert np.isnan(stats.t.cdf(0.5, **shapes))
    assert np.isnan(stats.t.mean(**shapes))


def test_arguments_that_do_not_fit_are_named():
    with pytest.raises(TypeError, match=r"gamma takes a, loc, scale; .* missing: \['a'\]"):
        stats.gamma.logpdf(1.0)
    with pytest.raises(TypeError, match=r"not known: \['b'\]"):
        stats.gamma.logpdf(1.0, 2.0, b=1.0)
    with pytest.raises(TypeError, match=r"given twice: \['loc'\]"):
        stats.norm.logpdf(1.0, 2.0, loc=1.0)


def test_a_frozen_distribution_keeps_its_parameters():
    frozen = stats.norm(1.0, scale=2.0)
    assert frozen.logpdf(0.5) == stats.norm.logpdf(0.5, 1.0, 2.0)
    assert frozen.mean() == 1.0
    assert stats.poisson(3.0).logpmf(2) == stats.poisson.logpmf(2, 3.0)


def test_float32_stays_float32():
    x = np.array([0.5, 1.5], np.float32)
    assert stats.norm.logpdf(x).dtype == np.float32
    assert stats.gamma.cdf(x, np.float32(2.0)).dtype == np.float32


def test_the_multivariate_normal(rng):
    a = rng.normal(size=(3, 3))
    cov, mean, x = a @ a.T + np.eye(3), rng.normal(size=3), rng.normal(size=(2, 5, 3))
    ours, peer = stats.multivariate_normal, theirs.multivariate_normal
    for arguments in [(x, mean, cov), (x[0, 0], mean, cov), (x, None, cov), (x, mean, 2.0)]:
        np.testing.assert_allclose(ours.logpdf(*arguments), peer.logpdf(*arguments), rtol=1e-12)
        np.testing.assert_allclose(ours.pdf(*arguments), peer.pdf(*arguments), rtol=1e-12)
    np.testing.assert_allclose(ours.pdf(x[0, :, 0]), peer.pdf(x[0, :, 0]), rtol=1e-12)
    np.testing.assert_allclose(ours.pdf(0.4, 0.2, 3.0), peer.pdf(0.4, 0.2, 3.0), rtol=1e-12)
    np.testing.assert_allclose(
        ours.logpdf(x, mean, [1.0, 2.0, 3.0]), peer.logpdf(x, mean, [1.0, 2.0, 3.0]), rtol=1e-12
    )
    assert ours(mean, cov).logpdf(x[0, 0]) == ours.logpdf(x[0, 0], mean, cov)


def test_the_multivariate_normal_refuses_what_it_cannot_do():
    ours = stats.multivariate_normal
    with pytest.raises(errors.ShapeError, match=r"the mean has 2 entries and the covariance"):
        ours.logpdf(np.zeros(2), np.zeros(2), np.eye(3))
    with pytest.raises(errors.UnsupportedError, match="allow_singular=True at"):
        ours.logpdf(np.zeros(2), np.zeros(2), np.eye(2), allow_singular=True)
    with pytest.raises(np.linalg.LinAlgError):
        ours.logpdf(np.zeros(2), np.zeros(2), -np.eye(2))


def test_the_dirichlet_distribution():
    alpha = np.array([1.3, 2.0, 0.7])
    x = np.array([[0.2, 0.1], [0.3, 0.6], [0.5, 0.3]])
    for points in (x, x[:, 0], x[:2, 0]):
        np.testing.assert_allclose(
            stats.dirichlet.logpdf(points, alpha), theirs.dirichlet.logpdf(points, alpha), 1e-12
        )
    np.testing.assert_allclose(stats.dirichlet.mean(alpha), theirs.dirichlet.mean(alpha), 1e-12)
    np.testing.assert_allclose(stats.dirichlet.var(alpha), theirs.dirichlet.var(alpha), 1e-12)
    with pytest.raises(ValueError, match="must add up to 1"):
        stats.dirichlet.logpdf([0.2, 0.3, 0.6], alpha)
    with pytest.raises(ValueError, match="alpha of dirichlet must be positive"):
        stats.dirichlet.logpdf([0.2, 0.3, 0.5], -alpha)
    with pytest.raises(errors.ShapeError, match="x has 1 coordinates and alpha 3"):
        stats.dirichlet.logpdf([1.0], alpha)
