"""The leading eigenpairs of a Hessian that is never formed, from its products with vectors."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

import chainrule as cr


def test_low_rank_curvature(rng):
    """Three directions of strong curvature among 200; the products find them to rounding."""
    basis = np.linalg.qr(rng.normal(size=(200, 3)))[0]
    strengths = np.array([300.0, 200.0, 100.0])

    def loss(x):
        return np.sum(strengths * np.cosh(basis.T @ x)) + 0.5 * np.sum(x**2)

    x = np.zeros(200)
    product = LinearOperator((200, 200), matvec=lambda v: cr.hvp(loss)(x, v), dtype=float)
    values, vectors = eigsh(product, k=3, v0=np.ones(200))
    np.testing.assert_allclose(values[::-1], strengths + 1, rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.diag(vectors[:, ::-1].T @ basis)), 1.0, rtol=1e-10)
