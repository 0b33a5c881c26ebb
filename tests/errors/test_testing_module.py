"""numpy.testing inside a differentiated function compares traced values as plain ones."""

import numpy as np
import pytest

import chainrule as cr

V = np.array([1.0, 2.0, 3.0])

RIGHT = [
    lambda x: np.testing.assert_allclose(x, V),
    lambda x: np.testing.assert_allclose(x[0], 1.0),
    lambda x: np.testing.assert_allclose([x[0], x[1]], V[:2]),
    lambda x: np.testing.assert_array_equal(x * 2, 2 * V),
    lambda x: np.testing.assert_array_equal(V, x),
    lambda x: np.testing.assert_equal(x, V),
    lambda x: np.testing.assert_array_less(x, V + 1),
    lambda x: np.testing.assert_almost_equal(x, V),
    lambda x: np.testing.assert_almost_equal(x[0], 1.0),
    lambda x: np.testing.assert_array_almost_equal(x, V),
    lambda x: np.testing.assert_approx_equal(x[0], 1.0),
    lambda x: np.testing.assert_array_max_ulp(x, V),
    lambda x: np.testing.assert_allclose(x.reshape(3, 1).astype(np.float32), V[:, None]),
]


@pytest.mark.parametrize(
    "transform", [cr.grad, cr.hessian, lambda f: lambda x: cr.jvp(f, (x,), (x,))]
)
@pytest.mark.parametrize("check", RIGHT)
def test_what_is_equal_passes(check, transform):
    def f(x):
        check(x)
        return np.sum(x)

    transform(f)(V)


@pytest.mark.parametrize("check", RIGHT)
def test_what_differs_fails_with_numpys_report(check):
    def f(x):
        check(x + 7.0)
        return np.sum(x)

    with pytest.raises(AssertionError):
        cr.grad(f)(V)
