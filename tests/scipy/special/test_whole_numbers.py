"""Degrees, orders and counts that are whole numbers: what SciPy cuts, the derivative cuts too."""

import numpy as np
import pytest
from scipy import special

import chainrule as cr
from chainrule import errors


def slope(f, x, step=1e-6):
    return (f(x + step) - f(x - step)) / (2 * step)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("function", [special.kn, special.yn])
def test_a_fractional_order_is_cut_to_a_whole_one(function):
    def f(x):
        return function(1.7, x)

    assert cr.grad(f)(1.2) == pytest.approx(slope(f, 1.2), rel=1e-8)


@pytest.mark.filterwarnings("ignore:non-integer")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("counts", [(1, 3), (3, 3), (0.3, 1.7)])
@pytest.mark.parametrize("function", [special.bdtr, special.bdtrc, special.nbdtr, special.nbdtrc])
def test_a_fractional_count_is_cut_to_a_whole_one(function, counts):
    def f(p):
        return function(*counts, p)

    assert cr.grad(f)(0.6) == pytest.approx(slope(f, 0.6), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("function", [special.eval_legendre, special.eval_chebyt])
def test_a_fractional_degree_has_no_derivative_here(function):
    with pytest.raises(errors.UnsupportedError, match="fractional degree"):
        cr.grad(lambda x: function(0.3, x))(0.4)
    assert np.isfinite(cr.grad(lambda x: function(3, x))(0.4))
