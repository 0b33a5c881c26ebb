"""Activations: functions of one array that keep its shape and its floating-point type."""

import numpy as np

import chainrule as cr
from chainrule.nn.array import Array


def relu(x: Array) -> Array:
    """Keep what is positive and replace the rest by 0: y = max(0, x), elementwise.

    The derivative is 1 where x > 0 and 0 where x <= 0, at 0 too. A NaN stays a NaN.

    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    # np.maximum(x, 0) would share the derivative at the tie x = 0 and give 1/2 there, and a product
    # with a mask would make 0 * inf of an infinite x or cotangent: the selection does neither.
    return np.where(x <= 0, 0, x)


def sigmoid(x: Array) -> Array:
    """Squash to (0, 1): y = 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2, with y' = y (1 - y).

    The form with tanh overflows nowhere. Its error is one rounding of 1, so far below zero (x < -37
    in float64, x < -17 in float32) it gives 0: where the logarithm of the result is wanted, write
    `-np.logaddexp(0, -x)` instead.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 * (1 + np.tanh(0.5 * x))


def tanh(x: Array) -> Array:
    """Squash to (-1, 1): y = tanh(x), with y' = 1 - y².

    >>> tanh(np.array([0.0, np.log(2.0)]))
    array([0. , 0.6])
    """
    return np.tanh(x)


def softmax(x: Array, axis: int = -1) -> Array:
    """Turn scores into probabilities that sum to 1: yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along `axis`.

    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    exponentials = np.exp(_shifted(x, axis))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Give the logarithms of softmax: yᵢ = xᵢ - log Σⱼ exp(xⱼ) along `axis`.

    They stay finite where the probabilities themselves would round to 0.

    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    shifted = _shifted(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _shifted(x: Array, axis: int) -> Array:
    """Move the largest score along `axis` to 0, so that no exponential overflows."""
    # softmax does not change when all scores move together, so the shift is a constant to every
    # derivative: exact at all orders, and nothing flows back through the maximum and its ties.
    return x - cr.stop_gradient(np.max(x, axis=axis, keepdims=True))
