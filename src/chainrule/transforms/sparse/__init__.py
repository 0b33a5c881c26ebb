"""Sparse Jacobians and Hessians: pattern, colouring, compressed passes. SciPy at first use."""

from chainrule.transforms.sparse.derivatives import sparse_hessian, sparse_jacobian

__all__ = ["sparse_hessian", "sparse_jacobian"]
