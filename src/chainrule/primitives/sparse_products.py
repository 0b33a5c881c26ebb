"""Products with a constant sparse matrix of SciPy, which traced arrays cannot be asked to join.

SciPy is not imported here: a sparse matrix is whatever has a product and a transpose, so that the
samples are plain matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.primitives.declare import Linear, linear
from chainrule.primitives.samples import case, normal

# In single precision, which every dtype of x keeps.
_MATRIX = np.array([[0.0, 2.0, 0.0, 0.0], [1.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 3.0]], np.float32)

sparse_product: Linear = linear(
    "sparse_product",
    compute=lambda x, *, matrix: matrix @ x,
    transposed=lambda g, matrix: sparse_product(g, matrix=matrix.T),
    latex=r"\operatorname{{sparse}} {x}",
    samples=[case(normal(4), matrix=_MATRIX), case(normal(4, 2), matrix=_MATRIX)],
)


def is_sparse(value: Any) -> bool:
    """Whether a value is one of SciPy's sparse matrices or arrays."""
    return type(value).__module__.startswith("scipy.sparse")


def sparse_times(matrix: Any, x: Any) -> Any:
    """A @ x for a sparse matrix A."""
    return sparse_product(x, matrix=matrix.tocsr())


def times_sparse(x: Any, matrix: Any) -> Any:
    """x @ A for a sparse matrix A."""
    if x.ndim < 2:
        return sparse_product(x, matrix=matrix.T.tocsr())
    return np.transpose(sparse_product(np.transpose(x), matrix=matrix.T.tocsr()))
