"""Singular matrices and equal eigenvalues: rows as `test_traps.py` reads them."""

import numpy as np

ROWS = [
    (
        "determinant of the zero matrix",
        "jax-ml/jax#2380",
        np.linalg.det,
        [[0.0, 0.0], [0.0, 0.0]],
        [[0, 0], [0, 0]],
        [[1, -1], [-1, 1]],
    ),
    (
        "determinant of a singular matrix",
        "tensorflow/tensorflow#119477",
        np.linalg.det,
        [[1.0, 2.0], [2.0, 4.0]],
        [[4, -2], [-2, 1]],
        [[1, -1], [-1, 1]],
    ),
    (
        "determinant of 0, one by one",
        "pytorch/pytorch#80761",
        np.linalg.det,
        [[0.0]],
        [[1]],
        [[0]],
    ),
    (
        "equal eigenvalues, Σ w²",
        "jax-ml/jax#669",
        lambda a: np.sum(np.linalg.eigvalsh(a) ** 2),
        [[1.0, 0.0], [0.0, 1.0]],
        [[2, 0], [0, 2]],
        None,  # docs/conventions.md: finite, and not right inside the span of equal values
    ),
    (
        "equal singular values, Σ s",
        "jax-ml/jax#2311",
        lambda a: np.linalg.norm(a, "nuc"),
        [[1.0, 0.0], [0.0, 1.0]],
        [[1, 0], [0, 1]],
        None,
    ),
    (
        "projection on equal eigenvectors",
        "jax-ml/jax#8732",
        lambda a: np.sum(np.linalg.eigh(a)[1] @ np.linalg.eigh(a)[1].T),
        [[2.0, 0.0], [0.0, 2.0]],
        [[0, 0], [0, 0]],
        [[0, 0], [0, 0]],
    ),
]
