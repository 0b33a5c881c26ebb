"""`linear`, `relu` and `sqerr` of the Bristol notes, against their equations and differences."""

import numpy as np
import pytest

from chainrule.classroom import linear, relu, sqerr
from chainrule.errors import NodeTypeError, NodeValueError


def numerical_jacobian(function, inputs, i):
    """Central differences, out.shape + in.shape. All functions here are at most quadratic."""
    x = np.asarray(inputs[i], dtype=float)
    columns = []
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = 1e-3
        ends = [function(*inputs[:i], x + s * step, *inputs[i + 1 :]) for s in (1, -1)]
        columns.append((ends[0] - ends[1]) / 2e-3)
    out = np.shape(columns[0])
    return np.moveaxis(np.array(columns), 0, -1).reshape(out + x.shape)


def cases(rng):
    h, W, b = rng.normal(size=3), rng.normal(size=(3, 2)), rng.normal(size=2)
    away_from_the_kink = np.array([[-1.5, 0.5, 2.0], [3.0, -0.1, 0.2]])
    return {
        "linear": (linear, (h, W, b)),
        "linear, a batch": (linear, (rng.normal(size=(4, 3)), W, b)),
        "linear, numbers": (linear, (0.5, -2.0, 3.0)),
        "linear, a batch of numbers": (linear, (rng.normal(size=4), -2.0, 3.0)),
        "relu": (relu, (away_from_the_kink[0],)),
        "relu, a batch": (relu, (away_from_the_kink,)),
        "relu, a number": (relu, (-0.5,)),
        "sqerr": (sqerr, (rng.normal(size=3), rng.normal(size=3))),
        "sqerr, a batch": (sqerr, (rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))),
        "sqerr, numbers": (sqerr, (0.5, -2.0)),
    }


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


CASES = list(cases(np.random.default_rng(0)))


@pytest.mark.parametrize("case", CASES)
def test_jacobian_agrees_with_differences(case, rng):
    function, inputs = cases(rng)[case]
    for i, found in enumerate(as_tuple(function.jacobian(*inputs))):
        expected = numerical_jacobian(function, inputs, i)
        assert np.shape(found) == expected.shape
        # Differences of quadratics are exact but for rounding, eps / step.
        np.testing.assert_allclose(found, expected, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_backward_is_upstream_times_jacobian(case, rng):
    function, inputs = cases(rng)[case]
    upstream = rng.normal(size=np.shape(function(*inputs)))[()]
    jacobians = as_tuple(function.jacobian(*inputs))
    gradients = as_tuple(function.backward(upstream, *inputs))
    for gradient, jacobian, value in zip(gradients, jacobians, inputs, strict=True):
        assert np.shape(gradient) == np.shape(value)
        expected = np.tensordot(upstream, jacobian, axes=np.ndim(upstream))
        np.testing.assert_allclose(gradient, expected, atol=1e-14)


def test_equations_66_70_and_74(rng):
    h, W, b = rng.normal(size=3), rng.normal(size=(3, 2)), rng.normal(size=2)
    g = rng.normal(size=2)
    to_h, to_W, to_b = linear.backward(g, h, W, b)
    for i in range(3):
        assert to_h[i] == pytest.approx(sum(W[i, j] * g[j] for j in range(2)))
        for j in range(2):
            assert to_W[i, j] == h[i] * g[j]
    assert to_b.tolist() == g.tolist()


def test_the_bias_sums_over_the_batch(rng):
    h, W, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    g = rng.normal(size=(5, 2))
    _, to_W, to_b = linear.backward(g, h, W, b)
    np.testing.assert_allclose(to_b, g.sum(axis=0), rtol=1e-15)
    np.testing.assert_allclose(to_W, sum(np.outer(h[k], g[k]) for k in range(5)), atol=1e-14)


def test_relu_at_the_kink_and_at_nan():
    a = np.array([-1.0, 0.0, np.nan, 2.0])
    assert relu(a)[[0, 1, 3]].tolist() == [0.0, 0.0, 2.0]
    assert np.isnan(relu(a)[2])
    assert relu.backward(np.ones(4), a).tolist() == [0.0, 0.0, 0.0, 1.0]
    assert relu.jacobian(0.0) == 0.0
    assert relu(np.array([-1.0, 2.0], dtype=np.float32)).dtype == np.float32


def test_sqerr_is_half_the_sum_of_squares():
    f, y = np.array([3.0, 1.0]), np.array([1.0, 0.0])
    assert sqerr(f, y) == 2.5
    assert [g.tolist() for g in sqerr.backward(1.0, f, y)] == [[2.0, 1.0], [-2.0, -1.0]]


@pytest.mark.parametrize("shapes", [((3,), (2, 3), (3,)), ((3,), (3, 2), (3,)), ((3,), (3, 2), ())])
def test_linear_names_shapes_that_do_not_fit(shapes):
    h, W, b = (np.ones(shape) for shape in shapes)
    with pytest.raises(NodeValueError, match=r"test_bristol.*linear got h, W and b of shapes"):
        linear(h, W, b)


def test_other_shapes_that_do_not_fit():
    with pytest.raises(NodeValueError, match=r"test_bristol.*sqerr got f of shape \(3,\)"):
        sqerr(np.ones(3), np.ones((3, 1)))
    with pytest.raises(NodeValueError, match=r"test_bristol.*upstream gradient has shape \(2,\)"):
        relu.backward(np.ones(2), np.ones(3))
    with pytest.raises(NodeTypeError, match=r"test_bristol.*np\.array"):
        relu([1.0, -1.0])
