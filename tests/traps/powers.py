"""Powers and products at 0: rows as `test_traps.py` reads them."""

import numpy as np

INF = np.inf
NAN = np.nan


ROWS = [
    ("x² at 0", "ekmett/ad#4", lambda x: x**2.0, 0.0, 0, 2),
    ("x⁰ at 0", "jax-ml/jax#12409", lambda x: x**0.0, 0.0, 0, 0, NAN),
    ("x¹ at 0", "jax-ml/jax#14397", lambda x: x**1.0, 0.0, 1, 0),
    (
        "Σ xᵏ at 0",
        "jax-ml/jax#14397",
        lambda x: np.sum(x ** np.arange(3.0)),
        0.0,
        1,
        2,
        NAN,
    ),
    (
        "x^y at x = 0 by y",
        "EnzymeAD/Enzyme#2855",
        lambda v: v[0] ** v[1],
        [0.0, 1.0],
        [1, 0],
        [-INF, -INF],
        [1, NAN],
    ),
    (
        "x^y at y = 0, mixed second derivative",
        "jax-ml/jax#12033",
        lambda v: v[0] ** v[1],
        [23.0, 0.0],
        [0, np.log(23.0)],
        [1 / 23, 1 / 23 + np.log(23.0) ** 2],
    ),
    (
        "0^x at 2",
        "pytorch/pytorch#95180",
        lambda x: 0.0**x,
        2.0,
        0,
        0,
        NAN,
    ),
    (
        "a power of a number with floor",
        "jax-ml/jax#12409",
        lambda x: np.sum(np.power(x - np.floor(x), np.array([0.0]))),
        [1.0],
        [0],
        [0],
        [NAN],
    ),
    (
        "½ log(x)² at its minimum",
        "EnzymeAD/Enzyme.jl#2453",
        lambda x: 0.5 * np.log(x) ** 2,
        1.0,
        0,
        1,
    ),
    (
        "x · √x at 0",
        "HIPS/autograd#581",
        lambda x: x * x**0.5,
        0.0,
        0,
        INF,
        NAN,
    ),
    (
        "product with one zero",
        "tracel-ai/burn#5533",
        np.prod,
        [2.0, 0.0, 3.0],
        [0, 6, 0],
        [3, 5, 2],
    ),
    (
        "product with two zeros",
        "tinygrad/tinygrad#17404",
        np.prod,
        [0.0, 0.0, 3.0],
        [0, 0, 0],
        [3, 3, 0],
    ),
    (
        "cumulative product with zeros",
        "tensorflow/tensorflow#119430",
        lambda x: np.sum(np.cumprod(x)),
        [2.0, 0.0, 0.0, 3.0],
        [1, 2, 0, 0],
        [1, 9, 8, 0],
    ),
    (
        "cumulative product that begins with 0",
        "tensorflow/tensorflow#3862",
        lambda x: np.sum(np.cumprod(x)),
        [0.0, 2.0, 3.0],
        [9, 0, 0],
        [6, 4, 2],
    ),
]
