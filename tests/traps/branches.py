"""Branches that are not taken, and masks: rows as `test_traps.py` reads them."""

import numpy as np

NAN = np.nan


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def expm1_over_x(x):
    return np.where(np.abs(x) < 1e-5, 1 + x / 2 + x**2 / 6, np.expm1(x) / x)


def one_minus_cos_over_square(x):
    return np.where(np.abs(x) < 1e-3, 0.5 - x**2 / 24, (1 - np.cos(x)) / x**2)


def huber(x):
    return np.where(np.abs(x) < 1, 0.5 * x**2, np.abs(x) - 0.5)


def elu(x):
    return np.where(x > 0, x, np.exp(x) - 1)


def masked_distance(x):
    """Sum of the distances of two points, the diagonal taken out afterwards."""
    difference = x[:, None] - x[None, :]
    distance = np.sqrt(difference**2)
    return np.sum(np.where(np.eye(len(x), dtype=bool), 0.0, distance))


def morse(r):
    return np.where(r > 0, (1 / r) ** 12 - (1 / r) ** 6, 0.0)


ROWS = [
    (
        "sqrt in the branch not taken",
        "tinygrad/tinygrad#15806",
        lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)),
        [4.0, 0.0],
        [0.25, 0],
        [-1 / 32, 0],
        [0.25, NAN],
    ),
    (
        "sqrt of a negative number in the branch not taken",
        "pytorch/pytorch#52248",
        lambda x: np.sum(np.where(x > 0, np.sqrt(x), x)),
        [-1.0, 4.0],
        [1, 0.25],
        [0, -1 / 32],
        [NAN, 0.25],
    ),
    (
        "log in the branch not taken",
        "jax-ml/jax#1052",
        lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)),
        [2.0, 0.0],
        [0.5, 0],
        [-0.25, 0],
        [0.5, NAN],
    ),
    (
        "division in the branch not taken",
        "pytorch/pytorch#108618",
        lambda x: np.sum(np.where(x != 0, np.sin(x) / x, 1.0)),
        [0.0],
        [0],
        [0],
        [NAN],
    ),
    (
        "exp that overflows in the branch not taken",
        "tensorflow/tensorflow#2540",
        lambda x: np.where(x > 0, 0.0, np.exp(x)),
        1e10,
        0,
        0,
        NAN,
    ),
    (
        "norm of rows, small ones replaced",
        "jax-ml/jax#347",
        lambda x: np.sum(
            np.where(np.sqrt(np.sum(x**2, axis=1)) > 0.5, np.sqrt(np.sum(x**2, axis=1)), 1.0)
        ),
        [[3.0, 4.0], [0.0, 0.0]],
        [[0.6, 0.8], [0, 0]],
        [[(16 - 12) / 125, (9 - 12) / 125], [0, 0]],
        [[0.6, 0.8], [NAN, NAN]],
    ),
    (
        "elu of a large number",
        "jax-ml/jax#1538",
        lambda x: np.sum(elu(x)),
        [1000.0, -1.0],
        [1, np.exp(-1)],
        [0, np.exp(-1)],
        [NAN, np.exp(-1)],
    ),
    (
        "sqrt of a square below a floor",
        "ml-explore/mlx#3692",
        lambda x: np.maximum(np.sqrt(x[0] * x[0] + x[1] * x[1]), 1e-10),
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    (
        "piecewise branches of log sigmoid",
        "pymc-devs/pytensor#2264",
        lambda x: np.where(x > 30, -np.exp(-x), np.where(x > -30, -np.log1p(np.exp(-x)), x)),
        -800.0,
        1,
        0,
        NAN,
    ),
    (
        "expm1(x)/x with its series at 0",
        "chaobrain/saiunit#114",
        expm1_over_x,
        0.0,
        0.5,
        1 / 3,
        NAN,
    ),
    (
        "(1 - cos x)/x² with its series at 0",
        "jax-ml/jax#1052",
        one_minus_cos_over_square,
        0.0,
        0,
        -1 / 12,
        NAN,
    ),
    (
        "masked loss on missing data",
        "pytorch/pytorch#64305",
        lambda w: np.sum(
            np.where([True, False], (w * np.array([2.0, 1.0]) - np.array([1.0, NAN])) ** 2, 0.0)
        ),
        1.0,
        4,
        8,
        NAN,
    ),
    (
        "masked entries that are NaN",
        "pytorch/pytorch#23156",
        lambda w: np.sum((w * np.array([1.0, NAN]))[np.array([True, False])]),
        2.0,
        1,
        0,
        NAN,
    ),
    (
        "pairwise distances without the diagonal",
        "pytorch/pytorch#37154",
        masked_distance,
        [0.0, 3.0],
        [-2, 2],
        [0, 0],
        [NAN, NAN],
    ),
    (
        "Lennard-Jones at a padded distance 0",
        "jax-md/jax-md#348",
        lambda r: np.sum(morse(r)),
        [1.0, 0.0],
        [-6, 0],
        [156 - 42, 0],
        [-6, NAN],
    ),
    (
        "huber of everything at once",
        "pytorch/pytorch#16317",
        lambda x: np.sum(huber(x)),
        [0.0, 0.5, 3.0],
        [0, 0.5, 1],
        [1, 1, 0],
    ),
    (
        "where nested twice",
        "pytorch/pytorch#18287",
        lambda x: np.where(x < 0, 0.0, np.where(x > 0, np.log(x), 0.0)),
        0.0,
        0,
        0,
        NAN,
    ),
    (
        "arccos outside its domain, not taken",
        "pytorch/pytorch#8069",
        lambda x: np.sum(np.where(np.abs(x) < 1, np.arccos(x), 0.0)),
        [0.0, 1.0],
        [-1, 0],
        [0, 0],
        [-1, NAN],
    ),
    (
        "a mask by multiplication",
        "tensorflow/tensorflow#4914",
        lambda x: np.sum(np.array([1.0, 0.0]) * np.sqrt(x)),
        [4.0, 0.0],
        [0.25, 0],
        [-1 / 32, 0],
        [0.25, NAN],
    ),
    (
        "a power that is masked",
        "jax-ml/jax#7440",
        lambda x: np.sum(np.where(x > 0, x**0.3, 0.0)),
        [1.0, 0.0],
        [0.3, 0],
        [-0.21, 0],
        [0.3, NAN],
    ),
]
