"""chainrule.numpy.random: distributions, reproducibility, and the derivative of a draw.

A draw with a fixed key is a smooth function of its parameters, so differences are the oracle of its
derivative, and SciPy's distributions are that of its values.
"""

import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.numpy as cnp
from chainrule import errors
from chainrule.numpy import random

KEY = random.key(20261122)
MANY = 20_000
STEP = 1e-6

DISTRIBUTIONS = {
    "normal": ((1.0, 2.0), stats.norm(1, 2)),
    "lognormal": ((0.1, 0.5), stats.lognorm(0.5, scale=np.exp(0.1))),
    "uniform": ((1.0, 3.0), stats.uniform(1, 2)),
    "exponential": ((2.0,), stats.expon(scale=2)),
    "laplace": ((1.0, 2.0), stats.laplace(1, 2)),
    "logistic": ((1.0, 2.0), stats.logistic(1, 2)),
    "gumbel": ((1.0, 2.0), stats.gumbel_r(1, 2)),
    "weibull": ((1.5,), stats.weibull_min(1.5)),
    "rayleigh": ((2.0,), stats.rayleigh(scale=2)),
    "pareto": ((3.0,), stats.lomax(3)),
    "cauchy": ((1.0, 2.0), stats.cauchy(1, 2)),
    "gamma": ((2.5, 3.0), stats.gamma(2.5, scale=3)),
    "chisquare": ((3.0,), stats.chi2(3)),
    "standard_t": ((4.0,), stats.t(4)),
    "beta": ((2.0, 3.0), stats.beta(2, 3)),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_values_have_the_distribution(name):
    parameters, distribution = DISTRIBUTIONS[name]
    drawn = getattr(random, name)(KEY, *parameters, size=MANY)
    # with this key the smallest of the p-values is 0.03; a wrong distribution has 1e-9 and less
    assert stats.kstest(drawn, distribution.cdf).pvalue > 0.01


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_derivative_of_a_draw(name):
    parameters, _ = DISTRIBUTIONS[name]
    draw = getattr(random, name)

    def f(*parameters):
        return draw(KEY, *parameters, size=(3, 4))

    for k, value in enumerate(parameters):
        still = [0.0] * len(parameters)
        ahead, behind = (
            f(*[p + sign * STEP * (i == k) for i, p in enumerate(parameters)]) for sign in (1, -1)
        )
        difference = (ahead - behind) / (2 * STEP)
        tangents = tuple(1.0 if i == k else 0.0 for i in range(len(still)))
        _, moved = cr.jvp(f, parameters, tangents)
        # gammaincinv is right to 1e-14, so its difference over 2e-6 to 1e-8 of the value
        np.testing.assert_allclose(moved, difference, rtol=1e-6, atol=1e-6)
        slope = cr.grad(lambda *p: np.sum(f(*p)), argnums=k)(*parameters)
        np.testing.assert_allclose(slope, np.sum(difference), rtol=1e-6, atol=1e-5)
        assert np.isfinite(value)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_single_precision_stays_single_and_finite(name):
    parameters, _ = DISTRIBUTIONS[name]
    drawn = getattr(random, name)(KEY, *map(np.float32, parameters), size=MANY)
    assert drawn.dtype == np.float32
    assert np.all(np.isfinite(drawn))


def test_the_gradient_of_an_expectation():
    """E x² of the normal distribution is μ² + σ²; of 20,000 draws within four standard errors."""
    slope = cr.grad(lambda m, s: np.mean(random.normal(KEY, m, s, MANY) ** 2), argnums=(0, 1))
    found = slope(1.5, 2.0)
    assert abs(found[0] - 3.0) < 4 * 4.0 / np.sqrt(MANY)
    assert abs(found[1] - 4.0) < 4 * 9.0 / np.sqrt(MANY)


def test_several_dimensions():
    mean, cov = np.array([1.0, -1.0]), np.array([[2.0, 0.6], [0.6, 1.0]])
    drawn = random.multivariate_normal(KEY, mean, cov, MANY)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=4 * np.sqrt(2.0 / MANY))
    np.testing.assert_allclose(np.cov(drawn.T), cov, atol=0.1)
    cr.check_grads(
        lambda m, c: random.multivariate_normal(KEY, m, c + c.T, 3), (mean, cov), tolerance=1e-5
    )


def test_weights_that_add_up_to_one():
    alpha = np.array([0.8, 2.0, 3.5])
    weights = random.dirichlet(KEY, alpha, MANY)
    np.testing.assert_allclose(weights.sum(1), 1.0)
    np.testing.assert_allclose(weights.mean(0), alpha / alpha.sum(), atol=0.01)
    _, pull = cr.vjp(lambda a: random.dirichlet(KEY, a, 5), alpha)
    difference = (
        random.dirichlet(KEY, alpha + STEP, 5) - random.dirichlet(KEY, alpha - STEP, 5)
    ) / (2 * STEP)
    g = np.sin(np.arange(15.0)).reshape(5, 3)
    np.testing.assert_allclose(np.sum(pull(g)[0]), np.sum(g * difference), rtol=1e-6)


def test_draws_are_reproducible():
    """The numbers themselves: Philox promises its stream, and the rest is arithmetic."""
    assert random.key(0).tolist() == [15793235383387715774, 12390638538380655177]
    np.testing.assert_array_equal(random.normal(KEY, size=4), random.normal(KEY, size=4))
    np.testing.assert_array_equal(random.normal(KEY, size=4), random.normal(KEY, size=7)[:4])
    first, second = random.split(KEY)
    drawn = [random.uniform(k, size=3) for k in (KEY, first, second)]
    assert len({row.tobytes() for row in drawn}) == 3


def test_split_keys_are_independent():
    keys = random.split(KEY, 200)
    drawn = np.stack([random.normal(k, size=50) for k in keys])
    correlations = np.corrcoef(drawn)[np.triu_indices(200, 1)]
    # of 19,900 correlations of 50 normal numbers the largest is near 4.1 / √50
    assert np.max(np.abs(correlations)) < 5.5 / np.sqrt(50)


def test_whole_numbers_and_orders():
    drawn = random.integers(KEY, 2, 5, size=3000)
    assert drawn.dtype == np.int64
    counts = np.bincount(drawn, minlength=5)
    np.testing.assert_allclose(counts[2:], 1000, atol=4 * np.sqrt(3000 * 2 / 9))
    assert counts[:2].sum() == 0
    assert sorted(random.permutation(KEY, 9)) == list(range(9))
    assert np.mean(random.bernoulli(KEY, 0.3, MANY)) == pytest.approx(0.3, abs=0.015)
    weights = np.array([0.1, 0.2, 0.3, 0.4, 0.0])
    drawn = random.choice(KEY, 5, MANY, p=weights)
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / MANY, weights, atol=0.015)
    firsts = [random.choice(k, 5, 2, replace=False, p=weights)[0] for k in random.split(KEY, 2000)]
    np.testing.assert_allclose(np.bincount(firsts, minlength=5) / 2000, weights, atol=0.05)
    with pytest.raises(errors.ShapeError, match="4 entries"):
        random.choice(KEY, 5, 5, replace=False, p=weights)


def test_entries_carry_derivatives_and_probabilities_do_not():
    x = np.arange(4.0)
    order = random.permutation(KEY, 4)
    _, pull = cr.vjp(lambda x: random.permutation(KEY, x), x)
    np.testing.assert_array_equal(pull(x)[0][order], x)
    slope = cr.grad(lambda x: np.sum(random.choice(KEY, x, 10)))(x)
    assert np.sum(slope) == 10
    with pytest.raises(errors.ConversionError, match="score function"):
        cr.grad(lambda p: np.sum(random.choice(KEY, 4, 2, p=p)) * p[0])(np.full(4, 0.25))


def test_without_a_key_the_names_are_numpys():
    np.random.seed(5)
    expected = np.random.normal(1.0, 2.0, size=3), np.random.permutation(4), np.random.rand(2)
    np.random.seed(5)
    found = cnp.random.normal(1.0, 2.0, size=3), cnp.random.permutation(4), cnp.random.rand(2)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert cnp.random.default_rng is np.random.default_rng
    with pytest.raises(errors.ConversionError, match=r"chainrule\.numpy\.random\.key\(seed\)"):
        cr.grad(lambda x: cnp.random.normal(x))(1.0)
    with pytest.raises(errors.ConversionError, match="has no binomial yet"):
        cr.grad(lambda p: np.random.default_rng(0).binomial(5, p) * p)(0.5)


def test_a_key_can_stand_in_an_argument():
    def f(state):
        first, second = random.split(state["key"])
        return np.sum(random.normal(first, state["x"], 2.0, 3) + random.uniform(second, size=3))

    assert cr.grad(f)({"key": KEY, "x": 0.5}) == {"key": None, "x": 3.0}


def test_sizes():
    assert random.normal(KEY, np.zeros((2, 3))).shape == (2, 3)
    assert random.normal(KEY, np.zeros(3), size=(4, 3)).shape == (4, 3)
    assert random.uniform(KEY).shape == ()
    with pytest.raises(errors.ShapeError, match=r"size \(4,\) .* does not fit"):
        random.normal(KEY, np.zeros(3), size=4)
