"""Exponentials, logarithms and their limits: rows as `test_traps.py` reads them."""

import numpy as np

from chainrule.scipy.special import logsumexp, softmax

INF = np.inf
NAN = np.nan


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def entropy(p):
    return -np.sum(np.where(p > 0, p * np.log(p), 0.0))


ROWS = [
    (
        "logaddexp(0, x) of a large number",
        "rushter/MLAlgorithms#31",
        lambda x: np.logaddexp(0.0, x),
        1e10,
        1,
        0,
    ),
    (
        "sigmoid of a large negative number",
        "jax-ml/jax#777",
        lambda x: np.sum(sigmoid(x)),
        [-800.0, 0.0],
        [0, 0.25],
        [0, 0],
        [NAN, 0.25],
    ),
    (
        "logsumexp of -∞ alone",
        "jax-ml/jax#6811",
        lambda x: logsumexp(x),
        [-INF, -INF],
        [0.5, 0.5],
        [0, 0],
    ),
    (
        "logsumexp with one entry -∞",
        "pytorch/pytorch#31829",
        lambda x: logsumexp(x),
        [-INF, 1.0],
        [0, 1],
        [0, 0],
    ),
    (
        "logsumexp with infinite masks",
        "jax-ml/jax#23842",
        lambda x: logsumexp(np.where([True, False], x, -INF)),
        [0.0, 100.0],
        [1, 0],
        [0, 0],
    ),
    (
        "logaddexp of -∞ and -∞",
        "stan-dev/math#646",
        lambda x: np.logaddexp(x[0], x[1]),
        [-INF, -INF],
        [0.5, 0.5],
        [0, 0],
    ),
    (
        "softmax with masked entries",
        "tensorflow/tensorflow#11756",
        lambda x: softmax(np.where([True, False, True], x, -INF))[0],
        [1.0, 1.0, 1.0],
        [0.25, 0, -0.25],
        [0, 0, 0],
    ),
    (
        "entropy with a zero probability",
        "huggingface/trl#7252",
        entropy,
        [0.5, 0.5, 0.0],
        [np.log(2) - 1, np.log(2) - 1, 0],
        [-2, -2, 0],
        [np.log(2) - 1, np.log(2) - 1, NAN],
    ),
    (
        "log of a masked product of probabilities",
        "jax-ml/jax#17070",
        lambda p: np.sum(np.where([True, False], p * -np.log2(p), 0.0)),
        [0.5, 0.0],
        [1 - 1 / np.log(2), 0],
        [-2 / np.log(2), 0],
        [1 - 1 / np.log(2), NAN],
    ),
    (
        "sinc at 0",
        "jax-ml/jax#1722",
        np.sinc,
        0.0,
        0,
        -(np.pi**2) / 3,
    ),
    (
        "mean of the entries that are numbers",
        "pytorch/pytorch#67180",
        lambda b: np.sum(np.nan_to_num(np.array([1.0, 2.0, NAN]) * b)),
        1.0,
        3,
        0,
        NAN,
    ),
]
