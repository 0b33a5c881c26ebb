"""At the edges of their domains, functions have the derivatives that their limits say, and no NaN.

Every line of `docs/conventions.md` about special functions is here, in both modes.
"""

import numpy as np
import pytest
from scipy import special

import chainrule as cr


def slopes(function, *xs):
    reverse = cr.grad(function, argnums=tuple(range(len(xs))))(*xs)
    for i, slope in enumerate(reverse):
        tangents = tuple(float(i == j) for j in range(len(xs)))
        _, forward = cr.jvp(function, xs, tangents)
        np.testing.assert_array_equal(forward, slope)
    return [float(slope) for slope in reverse]


EDGES = [
    (special.xlogy, (0.0, 2.0), [np.log(2.0), 0.0]),
    (special.xlogy, (0.0, 0.0), [-np.inf, 0.0]),
    (special.xlog1py, (0.0, -1.0), [-np.inf, 0.0]),
    (special.kl_div, (0.0, 0.0), [0.0, 1.0]),
    (special.rel_entr, (0.0, 1.0), [-np.inf, 0.0]),
    (special.entr, (0.0,), [np.inf]),
    (special.pseudo_huber, (0.0, 0.0), [0.0, 0.0]),
    (special.huber, (1.0, 1.0), [0.0, 1.0]),
    (special.boxcox, (2.0, 0.0), [0.5, np.log(2.0) ** 2 / 2]),
    (special.inv_boxcox, (1.0, 0.0), [np.e, -np.e / 2]),
    (special.erfinv, (1.0,), [np.inf]),
    (special.erfinv, (-1.0,), [np.inf]),
    (special.ndtri, (0.0,), [np.inf]),
    (special.ndtri, (1.0,), [np.inf]),
    (special.log_ndtr, (40.0,), [0.0]),
    (special.gammainc, (2.0, 0.0), [0.0, 0.0]),
    (special.gammainc, (1.0, 0.0), [0.0, 1.0]),
    (special.gammainc, (0.5, 0.0), [0.0, np.inf]),
    (special.gammainc, (2.0, np.inf), [0.0, 0.0]),
    (special.gammaincc, (2.0, 0.0), [0.0, 0.0]),
    (special.gammaincinv, (2.0, 0.0), [0.0, np.inf]),
    (special.betainc, (2.0, 3.0, 0.0), [0.0, 0.0, 0.0]),
    (special.betainc, (2.0, 3.0, 1.0), [0.0, 0.0, 0.0]),
    (special.betainc, (1.0, 3.0, 0.0), [0.0, 0.0, 3.0]),
    (special.rgamma, (0.0,), [1.0]),
    (special.rgamma, (-1.0,), [-1.0]),
    (special.exprel, (0.0,), [0.5]),
    (special.spence, (1.0,), [-1.0]),
    (special.j1, (0.0,), [0.5]),
    (special.i0e, (0.0,), [0.0]),
    (special.beip, (0.0,), [0.5]),
    (special.ellipk, (0.0,), [np.pi / 8]),
    (special.ellipe, (0.0,), [-np.pi / 8]),
]


@pytest.mark.parametrize(
    ("function", "at", "expected"), EDGES, ids=lambda v: getattr(v, "__name__", "")
)
def test_the_derivative_at_an_edge(function, at, expected):
    np.testing.assert_allclose(slopes(function, *at), expected, rtol=1e-14, atol=1e-300)


def test_a_sum_of_entropies_with_an_empty_class_has_a_finite_hessian():
    q = np.array([0.2, 0.3, 0.5])
    hessian = cr.hessian(lambda q: np.sum(special.xlogy(np.array([0.4, 0.0, 0.6]), q)))(q)
    np.testing.assert_allclose(hessian, np.diag([-0.4 / 0.04, 0.0, -0.6 / 0.25]), rtol=1e-14)


def test_the_mixed_derivative_of_xlogy_at_0_is_kept():
    mixed = cr.grad(cr.grad(special.xlogy, argnums=1), argnums=0)(0.0, 2.0)
    assert float(mixed) == 0.5


def test_nothing_warns_where_a_value_is_finite():
    with np.errstate(all="raise"):
        cr.grad(lambda x: np.sum(special.gammainc(2.5, x)))(np.array([0.0, 1e-3, 1.0, 700.0]))
        cr.grad(lambda x: np.sum(special.betainc(2.5, 1.5, x)))(np.array([0.0, 0.5, 1.0]))


@pytest.mark.parametrize("z", [3.0, 30.0, 1e3, 1e6])
def test_scaled_functions_do_not_cancel_far_out(z):
    """erfcx' ~ -1/(√π x²) (1 - 3/(2x²) + …), and dawsn' ~ -1/(2x²) (1 + 3/(2x²) + …)."""
    got = float(cr.grad(special.erfcx)(z))
    exact = -1 / (np.sqrt(np.pi) * z**2) * (1 - 1.5 / z**2)
    assert got == pytest.approx(exact, rel=15 / 4 / z**4 + 1e-13)
    got = float(cr.grad(special.dawsn)(z))
    exact = -1 / (2 * z**2) * (1 + 1.5 / z**2)
    assert got == pytest.approx(exact, rel=12 / z**4 + 1e-13)


@pytest.mark.parametrize("z", [-5.0, -40.0, -1e4])
def test_the_tail_of_the_normal_distribution(z):
    """φ/Φ ~ -z (1 + 1/z² - 2/z⁴ + …), and its slope -1 + …: finite where φ and Φ underflow."""
    slope = cr.grad(special.log_ndtr)
    assert float(slope(z)) == pytest.approx(-z * (1 + 1 / z**2 - 2 / z**4), rel=12 / z**6 + 1e-14)
    curvature = float(cr.grad(slope)(z))
    assert curvature == pytest.approx(-1 + 1 / z**2 - 6 / z**4, rel=50 / z**6 + 1e-11)
