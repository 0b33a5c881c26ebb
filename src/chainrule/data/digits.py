"""Handwritten digits of 8 × 8 pixels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give 1,797 images of handwritten digits and the digit that each one shows.

    features: (1797, 64) float32 in [0, 1], the 8 × 8 pixels row by row; labels: (1797,) int64,
    0 … 9. Both are fresh arrays. Source: E. Alpaydin and C. Kaynak, "Optical Recognition of
    Handwritten Digits", UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49,
    CC BY 4.0; the part of it that scikit-learn ships.

    >>> features, labels = digits()
    >>> features.shape, labels[:10]
    ((1797, 64), array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    """
    archive: Any
    with (
        open(os.path.join(os.path.dirname(__file__), "digits.npz"), "rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        # Pixels count the dark points of a 4 × 4 block: 0 … 16, so the division is exact.
        return archive["pixels"].astype(np.float32) / 16, archive["labels"].astype(np.int64)
