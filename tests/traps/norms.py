"""Norms, distances and deviations where they are 0: rows as `test_traps.py` reads them."""

import numpy as np

INF = np.inf
NAN = np.nan


def normalised(v):
    length = np.sqrt(np.sum(v * v))
    return np.where(length > 0, v / length, 0.0)


ROWS = [
    (
        "norm at 0",
        "pytorch/pytorch#2421",
        np.linalg.norm,
        [0.0, 0.0],
        [0, 0],
        [INF, INF],
        [NAN, NAN],
    ),
    (
        "norm of a number at 0",
        "HIPS/autograd#268",
        np.linalg.norm,
        [0.0],
        [0],
        [INF],
        [NAN],
    ),
    (
        "norm squared at 0",
        "jax-ml/jax#21723",
        lambda x: np.linalg.norm(x) ** 2,
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    (
        "exp of a norm squared at 0",
        "HIPS/autograd#183",
        lambda x: np.exp(-(np.linalg.norm(x) ** 2)),
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    (
        "norm along the last axis at 0",
        "HIPS/autograd#617",
        lambda x: np.sum(np.linalg.norm(x, axis=-1) ** 2),
        [[0.0, 0.0], [3.0, 4.0]],
        [[0, 0], [6, 8]],
        [[0, 0], [2, 2]],
        [[NAN, NAN], [6, 8]],
    ),
    (
        "|x| at 0",
        "HIPS/autograd#100",
        np.abs,
        0.0,
        0,
        0,
    ),
    (
        "|z| of a complex number at 0",
        "FluxML/Zygote.jl#1472",
        lambda x: np.abs(x[0] + 1j * x[1]),
        [0.0, 0.0],
        [0, 0],
        [INF, INF],
        [NAN, NAN],
    ),
    (
        "hypot at 0",
        "JuliaDiff/ForwardDiff.jl#669",
        lambda x: np.hypot(x[0], x[1]),
        [0.0, 0.0],
        [0, 0],
        [INF, INF],
        [NAN, NAN],
    ),
    (
        "sqrt of a square at 0",
        "pytorch/pytorch#6394",
        lambda x: np.sqrt((x - 1) ** 2),
        1.0,
        0,
        INF,
        NAN,
    ),
    (
        "standard deviation of a constant",
        "pytorch/pytorch#4320",
        np.std,
        [2.0, 2.0, 2.0],
        [0, 0, 0],
        [0, 0, 0],
        [NAN, NAN, NAN],
    ),
    (
        "variance of a constant",
        "jax-ml/jax#8140",
        np.var,
        [2.0, 2.0],
        [0, 0],
        [0, 0],
    ),
    (
        "Frobenius norm of a zero matrix",
        "HIPS/autograd#151",
        lambda x: np.linalg.norm(x, "fro"),
        [[0.0, 0.0], [0.0, 0.0]],
        [[0, 0], [0, 0]],
        [[INF, INF], [INF, INF]],
        [[NAN, NAN], [NAN, NAN]],
    ),
    (
        "a vector made of length 1, or left at 0",
        "FlyingGiraffe/vnn#4",
        lambda x: np.sum(normalised(x) * np.array([1.0, 2.0])),
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    (
        "p-norm with zeros in it",
        "pytorch/pytorch#36493",
        lambda x: np.sum(np.abs(x) ** 3) ** (1 / 3),
        [0.0, 2.0],
        [0, 1],
        [0, 0],
    ),
    (
        "distance of a point to itself, squared",
        "jax-ml/jax#3058",
        lambda x: np.sum((x - np.array([1.0, 2.0])) ** 2),
        [1.0, 2.0],
        [0, 0],
        [2, 2],
    ),
]
