"""Constant sparse matrices of SciPy: products from either side, of every kind and size."""

import numpy as np
import pytest
from scipy import sparse

import chainrule as cr
from chainrule import errors


def matrix(rows, columns, kind="csr_array"):
    dense = np.random.default_rng(0).normal(size=(rows, columns))
    dense[np.abs(dense) < 1.0] = 0.0
    return getattr(sparse, kind)(dense), dense


KINDS = ["csr_array", "csc_array", "coo_array", "csr_matrix", "csc_matrix", "dia_array"]


@pytest.mark.parametrize("kind", KINDS)
def test_products_from_either_side(kind, rng):
    A, dense = matrix(6, 5, kind)
    x, y, X = rng.normal(size=5), rng.normal(size=6), rng.normal(size=(5, 3))
    pairs = [
        (lambda x: A @ x, lambda x: dense @ x, x),
        (lambda x: A.dot(x), lambda x: dense @ x, x),
        (lambda y: y @ A, lambda y: y @ dense, y),
        (lambda y: A.T @ y, lambda y: dense.T @ y, y),
        (lambda X: A @ X, lambda X: dense @ X, X),
        (lambda X: X.T @ A.T, lambda X: X.T @ dense.T, X),
    ]
    for f, plain, point in pairs:
        np.testing.assert_allclose(cr.jacobian(f)(point), cr.jacobian(plain)(point), atol=1e-15)
        np.testing.assert_allclose(
            cr.hessian(lambda p, f=f: np.sum(np.sin(f(p))))(point),
            cr.hessian(lambda p, f=plain: np.sum(np.sin(f(p))))(point),
            rtol=1e-12,
            atol=1e-14,
        )
        _, moved = cr.jvp(f, (point,), (np.ones_like(point),))
        np.testing.assert_allclose(moved, plain(np.ones_like(point)), atol=1e-14)


def test_more_entries_than_objects_could_hold():
    A = sparse.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(5000, 5000)).tocsr()
    x = np.linspace(0.0, 1.0, 5000)
    energy = lambda x: x @ (A @ x)  # noqa: E731  as users write it
    np.testing.assert_allclose(cr.grad(energy)(x), 2 * (A @ x), atol=1e-12)
    found = cr.sparse_hessian(energy)
    assert found.explain(x).passes == 3
    np.testing.assert_allclose((found(x) - 2 * A).data, 0, atol=1e-12)


def test_its_entries_are_the_pattern(rng):
    A, dense = matrix(8, 7)
    found = cr.sparse_jacobian(lambda x: A @ np.tanh(x))
    x = rng.normal(size=7)
    assert found(x).nnz == A.nnz
    assert cr.sparse_jacobian(lambda X: A @ X)(rng.normal(size=(7, 2))).nnz == 2 * A.nnz
    B = sparse.csr_array(np.where(np.eye(8, 7), 1.0, 0.0))
    both = lambda x, use: (A if use else B) @ x  # noqa: E731
    changing = cr.sparse_jacobian(both)
    np.testing.assert_allclose(changing(x, True).toarray(), dense)
    np.testing.assert_allclose(changing(x, False).toarray(), np.eye(8, 7))


def test_complex_entries(rng):
    A = sparse.csr_array(np.array([[1.0, 2j], [0.0, 1 - 1j]]))
    z = np.array([0.5 + 1j, -1.0])
    got = cr.grad(lambda z: np.sum(np.abs(A @ z) ** 2))(z)
    np.testing.assert_allclose(got, 2 * A.conj().T @ (A @ z))


def test_what_is_refused():
    A, _ = matrix(3, 3, "csr_matrix")
    with pytest.raises(errors.ConversionError, match="write A @ x"):
        cr.grad(lambda x: np.sum(A * x))(np.ones(3))
    with pytest.raises(errors.ShapeError, match=r"test_sparse_matrices\.py"):
        cr.grad(lambda x: np.sum(A @ x))(np.ones(4))
