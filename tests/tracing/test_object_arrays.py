"""`np.array([f(x), g(x)])` and `np.asarray(x)`: object arrays of traced scalars.

They keep NumPy's shapes and reductions, and the derivative; where a traced array meets one, and
where one leaves the function, it becomes a traced array again.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph import Traced

V = np.array([0.7, -1.3, 2.1])
M = np.array([[0.4, -1.2, 2.0, 0.7], [1.5, 0.3, -0.6, 1.1], [-0.9, 0.8, 0.2, -1.4]])

BUILT = {
    "list of scalars": lambda v: np.array([v[0] ** 2, v[1] * v[2], v.sum()]),
    "with plain numbers": lambda v: np.array([v[0], 2.0, 3]),
    "tuple": lambda v: np.array((v[0], v[1])),
    "nested lists": lambda v: np.array([[v[0], 0.0], [1.0, v[1] * v[2]]]),
    "list of arrays": lambda v: np.array([v, v**2]),
    "list of traced and plain arrays": lambda v: np.array([v, [1.0, 2.0, 3.0], np.ones(3)]),
    "lists of arrays": lambda v: np.array([[v, v], [v * 2, V]]),
    "asarray": lambda v: np.asarray(v),
    "asarray of a scalar": lambda v: np.asarray(v[0]),
    "array of a scalar": lambda v: np.array(v[1]),
    "comprehension": lambda v: np.array([np.sin(a) for a in v]),
    "array of an array of arrays": lambda v: np.array([np.array([a, a**2]) for a in v]),
    "asanyarray": lambda v: np.asanyarray([v[2], v[0]]),
    "stack of object arrays": lambda v: np.stack([np.array([v[0], 1.0]), np.array([v[1], v[2]])]),
}


@pytest.mark.parametrize("build", BUILT.values(), ids=BUILT)
def test_the_result_of_a_function(build, assert_derivatives):
    assert_derivatives(build, V)


@pytest.mark.parametrize("build", BUILT.values(), ids=BUILT)
def test_jacobians_by_both_modes(build):
    reverse, forward = (cr.jacobian(build, mode=mode)(V) for mode in ("reverse", "forward"))
    assert reverse.shape == build(V).shape + V.shape
    np.testing.assert_allclose(reverse, forward, rtol=1e-14)


REDUCTIONS = [
    lambda a: a.sum(),
    lambda a: a.sum(axis=0),
    lambda a: a.sum(axis=1, keepdims=True),
    lambda a: np.sum(a, axis=-1),
    lambda a: a.mean(),
    lambda a: np.mean(a, axis=0),
    lambda a: a.var(),
    lambda a: a.var(axis=1),
    lambda a: a.std(ddof=1),
    lambda a: np.std(a, axis=0),
    lambda a: a.prod(),
    lambda a: a.prod(axis=0),
    lambda a: a.max(),
    lambda a: a.min(axis=1),
    lambda a: np.max(a, axis=0),
    lambda a: np.cumsum(a, axis=1),
    lambda a: a.dot(np.arange(4.0)),
    lambda a: a @ np.arange(8.0).reshape(4, 2),
    lambda a: np.trace(a),
    lambda a: np.linalg.norm(a),
    lambda a: np.sort(a, axis=None)[:3],
    lambda a: np.median(a, axis=1),
    lambda a: a.T,
    lambda a: a.reshape(2, 6),
    lambda a: a.ravel(),
    lambda a: a[1:, ::2],
    lambda a: a[[0, 2], [1, 3]],
    lambda a: a[a > 0],
    lambda a: np.concatenate([a, a]),
    lambda a: np.where(a > 0, a, 0.0),
    lambda a: np.outer(a[0], a[1]),
    lambda a: np.einsum("ij,ij->i", a, a),
    lambda a: np.diag(a),
    lambda a: np.roll(a, 1),
    lambda a: a + 1,
    lambda a: 2 / a,
    lambda a: a**2 - a * a,
    lambda a: abs(a),
    lambda a: -a,
    lambda a: a % 0.65,
    lambda a: np.exp(a),
    lambda a: np.sin(a) * np.sqrt(np.abs(a)),
    lambda a: np.tanh(a),
    lambda a: np.log1p(np.square(a)),
    lambda a: np.arctan2(a, a + 5),
    lambda a: np.hypot(a, 2.0),
    lambda a: np.maximum(a, 0.5),
    lambda a: np.clip(a, -0.5, 0.5),
    lambda a: np.power(np.abs(a), 1.5),
    lambda a: np.full((2, 2), a[0, 0]),
    lambda a: np.vectorize(lambda e: e**2)(a),
]


@pytest.mark.parametrize("use", REDUCTIONS)
def test_asarray_of_a_matrix_is_used_as_numpy_uses_it(use, assert_derivatives):
    assert_derivatives(lambda m: use(np.asarray(m)), M)


LISTS = [
    np.sum,
    np.mean,
    np.std,
    np.var,
    np.prod,
    np.max,
    np.min,
    np.cumsum,
    np.linalg.norm,
    np.exp,
    lambda a: np.dot(a, [1.0, 2.0, 3.0]),
    lambda a: np.maximum(a, 0.1),
    lambda a: np.concatenate([a, a]),
    lambda a: np.outer(a, a),
]


@pytest.mark.parametrize("function", LISTS)
def test_numpy_functions_of_lists(function, assert_derivatives):
    assert_derivatives(lambda v: function([v[0] * v[1], v[2], np.sin(v[0])]), V)


MIXED = [
    lambda o, v: o + v,
    lambda o, v: v + o,
    lambda o, v: o * v - v / o,
    lambda o, v: v - o,
    lambda o, v: v**2 / o,
    lambda o, v: np.abs(v) ** o,
    lambda o, v: o @ v,
    lambda o, v: v @ o,
    lambda o, v: v @ np.array([o, v, o]),
    lambda o, v: np.multiply(o, v),
    lambda o, v: np.add(v, o),
    lambda o, v: np.arctan2(o, v),
    lambda o, v: np.dot(o, v),
    lambda o, v: np.where(v > 0, o, v),
    lambda o, v: np.concatenate([o, v]),
    lambda o, v: np.stack([v, o, V]),
    lambda o, v: np.einsum("i,i->", o, v),
    lambda o, v: np.outer(v, o),
    lambda o, v: o * V + V * o,
    lambda o, v: V @ o,
    lambda o, v: v[0] * o,
    lambda o, v: o * v[0],
    lambda o, v: o < v,
    lambda o, v: v == o,
    lambda o, v: [o[0] * v, [v[1], 2.0, o[1]] * v],
]


@pytest.mark.parametrize("use", MIXED)
def test_together_with_traced_and_plain_arrays(use, assert_derivatives):
    assert_derivatives(lambda v: use(np.array([v[1] * 0.3, v[0] + 1, 2.5]), v), V)


def test_writes_into_an_object_array(assert_derivatives):
    def f(v):
        a = np.array([v[0], 2.0 * v[1], 3.0 * v[2]])
        a[0] = v[1] * v[2]
        a[1] += v[0]
        a *= 2
        a += v
        np.multiply(a, v, out=a)
        a[1:] = a[1:] * a[:-1]
        return a

    assert_derivatives(f, V)


def test_writes_of_an_object_array(assert_derivatives):
    def f(v):
        y = np.zeros((2, 3), like=v)
        y[0] = np.array([v[0], 1.0, v[1] * v[2]])
        y[1, :2] += np.array([v[2], v[0]])
        return y

    assert_derivatives(f, V)


def test_a_copy_is_a_copy(assert_derivatives):
    def f(v):
        y = v * 1
        a = np.array(y)
        a[0] = 5.0
        y[1] = 7.0
        return y, a

    assert_derivatives(f, V)


def test_as_argument_of_an_inner_derivative():
    """d/dv |∇ₐ Σ a²|² at a = (v₀, v₁ v₂): Σ 4 a², by the chain rule 8 a ∂a/∂v."""

    def f(v):
        a = np.array([v[0], v[1] * v[2]])
        return np.sum(cr.grad(lambda a: np.sum(a**2))(a) ** 2)

    x, y, z = V
    np.testing.assert_allclose(cr.grad(f)(V), [8 * x, 8 * y * z * z, 8 * y * y * z], rtol=1e-14)


def test_second_order(assert_second_derivatives):
    assert_second_derivatives(
        lambda v: np.array([np.asarray(v).mean() * v[0], np.linalg.norm([v[1], v[2]])]), V
    )


def test_hand_made_duals():
    d = cr.Dual(3.0, 1.0)
    found = np.array([d * d, 2.0]) * d
    assert (found[0].value, found[0].tangent) == (27.0, 27.0)
    assert (found[1].value, found[1].tangent) == (6.0, 2.0)


@pytest.mark.parametrize("size", [1000, 1001])
def test_the_limit_is_a_thousand_entries(size):
    def f(x):
        return np.sum(np.asarray(x) * 2.0)

    if size <= 1000:
        np.testing.assert_array_equal(cr.grad(f)(np.ones(size)), np.full(size, 2.0))
        return
    with pytest.raises(errors.ConversionError, match=r"1001 entries .* test_object_arrays\.py:\d+"):
        cr.grad(f)(np.ones(size))


def test_what_numpy_makes_inside_is_an_object_array_of_traced_scalars():
    def f(x):
        a = np.asarray(x)
        assert type(a) is np.ndarray
        assert a.dtype == object
        assert a.shape == x.shape
        assert all(isinstance(entry, Traced) and entry.shape == () for entry in a.flat)
        return a[0, 0]

    cr.grad(f)(M)
