"""Initialisers: `(shape, *, rng, dtype)` to a fresh array; a weight has shape (inputs, outputs).

k inputs feed each output, m outputs are fed by each input

name              entries                                  keeps
glorot_uniform    uniform on ±√(6 / (k + m))               variances of values and gradients, tanh
he_normal         normal, mean 0, deviation √(2 / k)       variance of values under relu
zeros             0                                        biases
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


Initialiser = Callable[..., "NDArray[Any]"]


def glorot_uniform(
    shape: tuple[int, int], *, rng: np.random.Generator, dtype: DTypeLike = np.float64
) -> NDArray[Any]:
    """Draw a weight uniformly from ±√(6 / (inputs + outputs)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16.

    >>> glorot_uniform((2, 4), rng=np.random.default_rng(0)).shape
    (2, 4)
    """
    inputs, outputs = shape
    bound = math.sqrt(6 / (inputs + outputs))
    return rng.uniform(-bound, bound, shape).astype(dtype)


def he_normal(
    shape: tuple[int, int], *, rng: np.random.Generator, dtype: DTypeLike = np.float64
) -> NDArray[Any]:
    """Draw a weight from the normal distribution of mean 0 and standard deviation √(2 / inputs).

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, equation 10.

    >>> he_normal((2, 4), rng=np.random.default_rng(0), dtype=np.float32).dtype
    dtype('float32')
    """
    inputs, _ = shape
    return rng.normal(0, math.sqrt(2 / inputs), shape).astype(dtype)


def zeros(
    shape: tuple[int, ...],
    *,
    rng: np.random.Generator | None = None,
    dtype: DTypeLike = np.float64,
) -> NDArray[Any]:
    """Give an array of zeros; `rng` is taken, and not used, so that initialisers are exchangeable.

    >>> zeros((3,))
    array([0., 0., 0.])
    """
    return np.zeros(shape, dtype)
