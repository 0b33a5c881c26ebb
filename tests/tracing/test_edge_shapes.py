"""Arrays without entries, arrays without dimensions, and Python numbers."""

import numpy as np
import pytest

import chainrule as cr

A = np.arange(12.0).reshape(3, 4) + 0.5

EMPTY = [
    lambda x: np.sum(x),
    lambda x: np.sum(x, axis=0),
    lambda x: np.mean(x, axis=1),
    lambda x: np.var(x, axis=1),
    lambda x: np.prod(x),
    lambda x: np.prod(x, axis=0),
    lambda x: np.max(x, axis=1),
    lambda x: np.cumsum(x, axis=0),
    lambda x: np.cumprod(x, axis=1),
    lambda x: np.logaddexp.reduce(x, axis=1),
    lambda x: np.linalg.norm(x),
    lambda x: np.concatenate([x, A]),
    lambda x: np.stack([x, x]),
    lambda x: np.split(x, 2, axis=1)[0],
    lambda x: np.tile(x, 2),
    lambda x: np.repeat(x, 2, axis=0),
    lambda x: np.pad(x, 1),
    lambda x: np.flip(x),
    lambda x: np.sort(x, axis=0),
    lambda x: np.diff(x),
    lambda x: x @ A.T,
    lambda x: x.T @ x,
    lambda x: np.einsum("ij,kj->ik", x, A),
    lambda x: np.tensordot(x, A, axes=([1], [1])),
    lambda x: x.reshape(2, 0, 2),
    lambda x: x[[]],
    lambda x: x[x > 0],
    lambda x: x[:, 1:],
    lambda x: np.where(x > 0, np.exp(x), 0.0),
    lambda x: np.array([x, x]) * x,
]

SCALAR = [
    lambda x: np.sum(x) + np.mean(x) * np.prod(x) - np.max(x),
    lambda x: np.var(x) + np.ptp(x),
    lambda x: x.sum() + x.mean() + x.max(),
    lambda x: np.cumsum(x),
    lambda x: np.ravel(x),
    lambda x: x.flatten(),
    lambda x: x.reshape(1, 1),
    lambda x: x.T,
    lambda x: np.squeeze(x),
    lambda x: np.expand_dims(x, 0),
    lambda x: np.atleast_2d(x),
    lambda x: np.broadcast_to(x, (2, 2)),
    lambda x: np.moveaxis(x[None, None], 0, 1),
    lambda x: np.clip(x, 0, 1),
    lambda x: np.round(x),
    lambda x: np.repeat(x, 3),
    lambda x: np.tile(x, 3),
    lambda x: np.take(x, 0),
    lambda x: np.append(x, x),
    lambda x: np.stack([x, x]),
    lambda x: np.hstack([x, x]),
    lambda x: np.outer(x, x),
    lambda x: np.dot(x, x) + np.inner(x, x) * np.vdot(x, x),
    lambda x: np.kron(x, x),
    lambda x: np.einsum(",->", x, x),
    lambda x: np.where(x > 0, x, 0),
    lambda x: np.sort(x, axis=None),
    lambda x: np.argmax(x),
    lambda x: np.nan_to_num(x),
    lambda x: np.full_like(x, 2.0) * x + np.zeros_like(x),
    lambda x: np.diag(x[None]),
    lambda x: np.linspace(0, x, 3),
    lambda x: np.linalg.norm(x),
    lambda x: x.astype(np.complex128),
    lambda x: x.copy() * x.conj() + x.real,
    lambda x: x[()] * x[...] + x[None],
]


@pytest.mark.parametrize("f", EMPTY)
def test_no_entries(f, assert_derivatives):
    assert_derivatives(f, np.zeros((0, 4)))


@pytest.mark.parametrize("point", [np.float64(1.3), np.array(1.3)], ids=["scalar", "array"])
@pytest.mark.parametrize("f", SCALAR)
def test_no_dimensions(f, point, assert_derivatives):
    assert_derivatives(f, point)


@pytest.mark.parametrize("f", SCALAR)
def test_python_numbers(f):
    """A Python number has no methods of its own; a traced one has NumPy's."""
    value, pull = cr.vjp(f, 1.3)
    expected, expected_pull = cr.vjp(f, np.float64(1.3))
    np.testing.assert_array_equal(value, expected)
    if np.asarray(value).dtype.kind in "fc":
        g = np.ones(np.shape(value), np.asarray(expected).dtype)
        np.testing.assert_allclose(pull(g)[0], expected_pull(g)[0], rtol=1e-14)
