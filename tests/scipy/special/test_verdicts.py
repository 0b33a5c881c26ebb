"""Every ufunc of scipy.special has a verdict: a derivative, a constant, or a sentence."""

import numpy as np
import pytest
from scipy import special

import chainrule as cr
import chainrule.scipy.special as ours
from chainrule import errors
from chainrule.graph import Flat, Primitive, registry
from chainrule.scipy.special.verdicts import UNSUPPORTED

UFUNCS = sorted(n for n in special.__all__ if isinstance(getattr(special, n), np.ufunc))
REFUSED = [name for name in UFUNCS if name in UNSUPPORTED]


@pytest.mark.parametrize("name", UFUNCS)
def test_it_has_a_meaning(name):
    assert getattr(special, name) in registry.complete().meanings


def test_most_have_a_derivative():
    assert len(UFUNCS) > 200
    assert len(REFUSED) <= 0.2 * len(UFUNCS)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_says_what_to_do(name):
    ufunc = getattr(special, name)
    with pytest.raises(errors.UnsupportedError, match=rf"special\.{name} at .*test_verdicts.*: \w"):
        cr.grad(lambda x: ufunc(*[x] * ufunc.nin))(0.5)


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs_stand_in_our_module_as_they_are(name):
    assert getattr(ours, name) is getattr(special, name)


@pytest.mark.parametrize("name", [n for n in special.__all__ if n not in UFUNCS])
def test_every_other_name_of_scipy_is_there(name):
    assert hasattr(ours, name)


def test_a_function_that_cannot_dispatch_refuses_traced_arrays():
    np.testing.assert_allclose(ours.roots_legendre(2)[1], [1.0, 1.0])
    with pytest.raises(errors.UnsupportedError, match=r"ellip_harm at .*test_verdicts"):
        cr.grad(lambda x: ours.ellip_harm(5.0, 8.0, 1, 1, x))(2.5)


def test_names_that_scipy_does_not_have_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ours.nothing


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda v: special.jv(v, 1.0), "the order of a Bessel function"),
        (lambda v: special.hyp2f1(v, 1.0, 2.0, 0.3), "a parameter of a hypergeometric function"),
        (lambda v: special.eval_legendre(v, 0.3), "the degree of a polynomial"),
        (lambda v: ours.polygamma(v, 1.5), "the order of polygamma"),
    ],
)
def test_a_parameter_without_a_known_derivative_is_named(function, what):
    with pytest.raises(errors.UnsupportedError, match=f"with respect to {what} was asked for"):
        cr.grad(function)(2.0)
    with pytest.raises(errors.UnsupportedError, match=f"with respect to {what}"):
        cr.jvp(function, (2.0,), (1.0,))


def test_such_a_parameter_may_be_a_constant():
    assert float(cr.grad(lambda x: special.jv(0.5, x))(1.0)) == pytest.approx(
        float(special.jvp(0.5, 1.0)), rel=1e-14
    )


def test_a_constant_is_flat():
    meanings = registry.complete().meanings
    assert isinstance(meanings[special.gammasgn], Flat)
    assert all(isinstance(meanings[getattr(special, n)], Primitive) for n in ("erf", "gammaln"))
