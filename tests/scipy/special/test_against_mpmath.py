"""Derivatives against mpmath's arbitrary precision, to 1e-10 relative where nothing says otherwise.

mpmath differentiates numerically with forty digits, so that its own error does not count.
"""

import numpy as np
import pytest
from scipy import special

import chainrule as cr
import chainrule.scipy.special as ours


@pytest.fixture
def mp(peer):
    mpmath = peer("mpmath")
    mpmath.mp.dps = 40
    yield mpmath
    mpmath.mp.dps = 15


# name: (our function, mpmath's, points)
TABLE = {
    "gamma": (special.gamma, lambda m, x: m.gamma(x), [0.1, 2.5, 20.0, -1.5]),
    "gammaln": (special.gammaln, lambda m, x: m.loggamma(x), [0.1, 2.5, 1e3, 1e8]),
    "rgamma": (special.rgamma, lambda m, x: m.rgamma(x), [0.3, 2.5, -0.5, -2.0, -3.3]),
    "digamma": (special.digamma, lambda m, x: m.psi(0, x), [0.1, 2.5, 30.0, -1.3]),
    "erf": (special.erf, lambda m, x: m.erf(x), [-3.0, 0.0, 0.5, 5.0]),
    "erfc": (special.erfc, lambda m, x: m.erfc(x), [-3.0, 0.5, 20.0]),
    "erfinv": (special.erfinv, lambda m, x: m.erfinv(x), [-0.99, 0.0, 0.7]),
    "erfi": (special.erfi, lambda m, x: m.erfi(x), [-2.0, 0.5, 5.0]),
    "expi": (special.expi, lambda m, x: m.ei(x), [-2.0, 0.5, 20.0]),
    "exp1": (special.exp1, lambda m, x: m.e1(x), [0.1, 2.0, 20.0]),
    "spence": (special.spence, lambda m, x: m.polylog(2, 1 - x), [0.2, 0.99, 1.0, 1.5]),
    "ellipk": (special.ellipk, lambda m, x: m.ellipk(x), [-5.0, 0.0, 0.5, 0.999]),
    "ellipe": (special.ellipe, lambda m, x: m.ellipe(x), [-5.0, 0.0, 0.5, 0.999]),
    "j0": (special.j0, lambda m, x: m.besselj(0, x), [0.0, 1.0, 30.0]),
    "y1": (special.y1, lambda m, x: m.bessely(1, x), [0.5, 30.0]),
    "i1": (special.i1, lambda m, x: m.besseli(1, x), [0.0, 1.0, 30.0]),
    "k1": (special.k1, lambda m, x: m.besselk(1, x), [0.1, 1.0, 30.0]),
    "jv": (
        lambda x: special.jv(2.5, x),
        lambda m, x: m.besselj(m.mpf("2.5"), x),
        [0.5, 3.0, 40.0],
    ),
    "kv": (lambda x: special.kv(1.5, x), lambda m, x: m.besselk(m.mpf("1.5"), x), [0.5, 20.0]),
    "hyp2f1": (
        lambda x: special.hyp2f1(0.5, 1.5, 2.25, x),
        lambda m, x: m.hyp2f1(0.5, 1.5, 2.25, x),
        [-3.0, -0.5, 0.7],
    ),
    "hyp1f1": (
        lambda x: special.hyp1f1(0.5, 1.25, x),
        lambda m, x: m.hyp1f1(0.5, 1.25, x),
        [-3.0, 0.5, 10.0],
    ),
    "airy": (lambda x: special.airy(x)[0], lambda m, x: m.airyai(x), [-5.0, 0.0, 3.0]),
    "struve": (lambda x: special.struve(1.5, x), lambda m, x: m.struveh(1.5, x), [0.5, 8.0]),
    "polygamma": (
        lambda x: ours.polygamma(2, x),
        lambda m, x: m.psi(2, x),
        [0.3, 4.0, 50.0],
    ),
    "zeta": (lambda q: ours.zeta(2.5, q), lambda m, q: m.zeta(2.5, q), [0.5, 3.0]),
    "legendre": (
        lambda x: special.eval_legendre(7, x),
        lambda m, x: m.legendre(7, x),
        [-0.9, 0.0, 0.5],
    ),
    "sici": (lambda x: special.sici(x)[0], lambda m, x: m.si(x), [0.0, 1.0, 20.0]),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_in_x(name, order, mp):
    function, theirs, points = TABLE[name]
    slope = function
    for _ in range(order):
        slope = cr.grad(slope)
    for x in points:
        expected = float(mp.re(mp.diff(lambda t: theirs(mp, t), mp.mpf(x), order)))
        # 1e-13 absolute: 2x·w - c and its like round where the derivative passes 0
        assert float(slope(x)) == pytest.approx(expected, rel=1e-10, abs=1e-13), x


GAMMA = [(a, a * r) for a in (0.01, 0.5, 1.0, 3.3, 40.0, 900.0) for r in (0.1, 0.9, 1.1, 2.0)]


@pytest.mark.parametrize(("a", "x"), GAMMA)
def test_the_incomplete_gamma_function_in_its_parameter(a, x, mp):
    def theirs(s):
        if x < a:
            return mp.gammainc(s, 0, x, regularized=True)
        return -mp.gammainc(s, x, mp.inf, regularized=True)

    h = mp.mpf(a) * mp.mpf(10) ** -10
    slope = cr.grad(special.gammainc)
    for order, function in ((1, slope), (2, cr.grad(slope))):
        expected = float(mp.diff(theirs, mp.mpf(a), order, h=h))
        assert float(function(a, x)) == pytest.approx(expected, rel=1e-10), order
        if order == 1:
            assert float(cr.grad(special.gammaincc)(a, x)) == pytest.approx(-expected, rel=1e-10)


BETA = [
    (a, b, m)
    for a in (0.5, 3.0, 60.0)
    for b in (0.3, 2.0, 200.0)
    for m in (0.3, 0.95, 1.02)
    if m * a / (a + b) < 1
]


@pytest.mark.parametrize(("a", "b", "m"), BETA)
def test_the_incomplete_beta_function_in_its_parameters(a, b, m, mp):
    x = m * a / (a + b)

    def theirs(s, t):
        if m < 1:
            return mp.betainc(s, t, 0, x, regularized=True)
        return -mp.betainc(t, s, 0, 1 - mp.mpf(x), regularized=True)

    h = mp.mpf(min(a, b)) * mp.mpf(10) ** -8
    got = cr.hessian(lambda p: special.betainc(p[0], p[1], x))(np.array([a, b]))
    slopes = cr.grad(special.betainc, argnums=(0, 1))(a, b, x)
    orders = {(1, 0): slopes[0], (0, 1): slopes[1], (2, 0): got[0, 0], (1, 1): got[0, 1]}
    for order, value in orders.items():
        expected = float(mp.diff(theirs, (mp.mpf(a), mp.mpf(b)), order, h=h))
        assert float(value) == pytest.approx(expected, rel=1e-9), order


@pytest.mark.parametrize("z", [0.4 + 0.9j, 7.0 - 3.0j, -2.5 + 0.5j])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_polygamma_in_the_plane(n, z, mp):
    assert complex(ours.polygamma(n, z)) == pytest.approx(complex(mp.psi(n, z)), rel=1e-12)


def test_the_lower_tail_of_the_skew_normal_distribution(mp):
    from chainrule.scipy import stats  # noqa: PLC0415  its lower tail is all that is wanted here

    for z, a in [(-0.6, 1.5), (-3.0, 1.5), (-2.0, 4.0), (-8.0, 0.5)]:
        expected = mp.quad(lambda t, a=a: 2 * mp.npdf(t) * mp.ncdf(a * t), [-mp.inf, z - 3, z])
        assert float(stats.skewnorm.cdf(z, a)) == pytest.approx(float(expected), rel=1e-12)
