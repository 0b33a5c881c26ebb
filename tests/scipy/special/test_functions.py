"""What SciPy writes in Python: the same values, and both modes to second order."""

import numpy as np
import pytest
from scipy import special as theirs

import chainrule as cr
from chainrule.scipy import special as ours

X = np.array([0.4, 1.3, 2.6])

FUNCTIONS = [
    (lambda s, x: s.polygamma(2, x), X),
    (lambda s, x: s.zeta(2.5, x), X),
    (lambda s, x: s.multigammaln(x, 3), X + 1),
    (lambda s, x: s.comb(x + 2, 1.5), X),
    (lambda s, x: s.comb(5.5, x), X),
    (lambda s, x: s.comb(5.5, x, repetition=True), X),
    (lambda s, x: s.perm(x + 2, 1.5), X),
    (lambda s, x: s.factorial(x), X),
    (lambda s, x: s.softplus(x), X - 1),
    (lambda s, x: s.sinc(x), X),
    (lambda s, x: s.diric(x, 5), X + 5),
    (lambda s, x: s.diric(x, 4), X + 5),
    (lambda s, x: s.lambertw(x).real, X),
    (lambda s, x: s.lambertw(-x / 10, -1).real, X),
    (lambda s, x: s.assoc_laguerre(x, 3, 1.5), X),
    (lambda s, x: s.spherical_jn(2, x), X),
    (lambda s, x: s.spherical_jn(0, x, derivative=True), X),
    (lambda s, x: s.spherical_yn(1, x), X),
    (lambda s, x: s.spherical_yn(1, x, derivative=True), X),
    (lambda s, x: s.spherical_in(2, x), X),
    (lambda s, x: s.spherical_in(2, x, derivative=True), X),
    (lambda s, x: s.spherical_kn(1, x), X),
    (lambda s, x: s.spherical_kn(1, x, derivative=True), X),
    (lambda s, x: s.jvp(1.5, x, 2), X),
    (lambda s, x: s.yvp(1, x), X),
    (lambda s, x: s.ivp(0.5, x, 3), X),
    (lambda s, x: s.kvp(1, x, 2), X),
    (lambda s, x: s.h1vp(1, x).imag, X),
    (lambda s, x: s.h2vp(1, x, 2).real, X),
    (lambda s, x: s.logsumexp(x), X),
    (lambda s, x: s.softmax(x), X),
    (lambda s, x: s.log_softmax(x), X),
]


@pytest.mark.parametrize(("function", "x"), FUNCTIONS)
def test_values_are_those_of_scipy(function, x):
    np.testing.assert_allclose(function(ours, x), function(theirs, x), rtol=1e-13)
    value, _ = cr.vjp(lambda x: function(ours, x), x)
    np.testing.assert_allclose(value, function(theirs, x), rtol=1e-13)


@pytest.mark.parametrize(("function", "x"), FUNCTIONS)
def test_both_modes_to_second_order(function, x):
    cr.check_grads(lambda x: function(ours, x), (x,), order=2)


def test_counts_outside_are_0_and_do_not_move():
    n = np.array([-1.5, 2.0])
    np.testing.assert_array_equal(cr.grad(lambda n: np.sum(ours.factorial(n)))(n)[0], 0.0)
    assert float(cr.grad(lambda k: ours.comb(2.0, k))(3.0)) == 0.0


@pytest.mark.parametrize("name", ["comb", "perm", "factorial"])
def test_exact_counts_have_no_derivative(name):
    arguments = (3,) if name != "factorial" else ()
    with pytest.raises(ValueError, match=rf"{name} with exact=True counts integers"):
        cr.grad(lambda x: getattr(ours, name)(x, *arguments, exact=True))(5.0)


def test_multigammaln_refuses_what_scipy_refuses():
    with pytest.raises(ValueError, match="a must be larger than"):
        ours.multigammaln(0.5, 3)
    with pytest.raises(ValueError, match="d should be a positive integer"):
        ours.multigammaln(5.0, 1.5)


JAX = {
    "betainc": (1.3, 2.2, 0.3),
    "betaln": (1.3, 2.2),
    "digamma": (1.3,),
    "entr": (0.4,),
    "erf": (0.4,),
    "erfc": (0.4,),
    "erfinv": (0.4,),
    "exp1": (0.7,),
    "expi": (0.7,),
    "expit": (0.4,),
    "gammainc": (1.3, 2.2),
    "gammaincc": (1.3, 2.2),
    "gammaln": (1.3,),
    "hyp1f1": (1.3, 2.2, 0.4),
    "i0": (0.4,),
    "i0e": (0.4,),
    "i1": (0.4,),
    "i1e": (0.4,),
    "kl_div": (0.4, 0.7),
    "log_ndtr": (-3.0,),
    "logit": (0.3,),
    "ndtr": (0.4,),
    "ndtri": (0.3,),
    "poch": (1.3, 2.2),
    "rel_entr": (0.4, 0.7),
    "spence": (0.4,),
    "xlog1py": (0.4, 0.7),
    "xlogy": (0.4, 0.7),
}
ONLY = {"betainc": (2,), "hyp1f1": (2,)}  # the others have no derivative there or here


@pytest.mark.parametrize("name", JAX)
def test_against_jax(name, peer):
    jax = peer("jax")
    xs = JAX[name]
    some = ONLY.get(name, tuple(range(len(xs))))
    expected = jax.grad(getattr(peer("jax.scipy.special"), name), argnums=some)(*xs)
    got = cr.grad(getattr(ours, name), argnums=some)(*xs)
    # the series of JAX's gammainc in its shape ends at about 1e-8
    np.testing.assert_allclose(got, expected, rtol=1e-7 if "gammainc" in name else 1e-10)
