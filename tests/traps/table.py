"""Sixty traps: code whose gradient other libraries gave as NaN, each with where it was reported.

A row's function takes one real array (or number) and returns one number. `gradient` is ∇f at the
point, `second` is the Hessian times a vector of ones, `strict` the gradient by IEEE 754's products
where that is another one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.scipy.special import logsumexp, softmax

INF, NAN = np.inf, np.nan
GITHUB = "https://github.com/"


class Trap(NamedTuple):
    name: str
    source: str
    function: Callable[[Any], Any]
    point: Any
    gradient: Any
    second: Any
    strict: Any = None

    @property
    def url(self) -> str:
        repository, number = self.source.split("#")
        return f"{GITHUB}{repository}/issues/{number}"


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def entropy(p):
    return -np.sum(np.where(p > 0, p * np.log(p), 0.0))


def normalised(v):
    length = np.sqrt(np.sum(v * v))
    return np.where(length > 0, v / length, 0.0)


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


WHERE = [
    Trap(
        "sqrt in the branch not taken",
        "tinygrad/tinygrad#15806",
        lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)),
        [4.0, 0.0],
        [0.25, 0],
        [-1 / 32, 0],
        [0.25, NAN],
    ),
    Trap(
        "sqrt of a negative number in the branch not taken",
        "pytorch/pytorch#52248",
        lambda x: np.sum(np.where(x > 0, np.sqrt(x), x)),
        [-1.0, 4.0],
        [1, 0.25],
        [0, -1 / 32],
        [NAN, 0.25],
    ),
    Trap(
        "log in the branch not taken",
        "jax-ml/jax#1052",
        lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)),
        [2.0, 0.0],
        [0.5, 0],
        [-0.25, 0],
        [0.5, NAN],
    ),
    Trap(
        "division in the branch not taken",
        "pytorch/pytorch#108618",
        lambda x: np.sum(np.where(x != 0, np.sin(x) / x, 1.0)),
        [0.0],
        [0],
        [0],
        [NAN],
    ),
    Trap(
        "exp that overflows in the branch not taken",
        "tensorflow/tensorflow#2540",
        lambda x: np.where(x > 0, 0.0, np.exp(x)),
        1e10,
        0,
        0,
        NAN,
    ),
    Trap(
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
    Trap(
        "elu of a large number",
        "jax-ml/jax#1538",
        lambda x: np.sum(elu(x)),
        [1000.0, -1.0],
        [1, np.exp(-1)],
        [0, np.exp(-1)],
        [NAN, np.exp(-1)],
    ),
    Trap(
        "sqrt of a square below a floor",
        "ml-explore/mlx#3692",
        lambda x: np.maximum(np.sqrt(x[0] * x[0] + x[1] * x[1]), 1e-10),
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    Trap(
        "piecewise branches of log sigmoid",
        "pymc-devs/pytensor#2264",
        lambda x: np.where(x > 30, -np.exp(-x), np.where(x > -30, -np.log1p(np.exp(-x)), x)),
        -800.0,
        1,
        0,
        NAN,
    ),
    Trap(
        "expm1(x)/x with its series at 0",
        "chaobrain/saiunit#114",
        expm1_over_x,
        0.0,
        0.5,
        1 / 3,
        NAN,
    ),
    Trap(
        "(1 - cos x)/x² with its series at 0",
        "jax-ml/jax#1052",
        one_minus_cos_over_square,
        0.0,
        0,
        -1 / 12,
        NAN,
    ),
    Trap(
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
    Trap(
        "masked entries that are NaN",
        "pytorch/pytorch#23156",
        lambda w: np.sum((w * np.array([1.0, NAN]))[np.array([True, False])]),
        2.0,
        1,
        0,
        NAN,
    ),
    Trap(
        "pairwise distances without the diagonal",
        "pytorch/pytorch#37154",
        masked_distance,
        [0.0, 3.0],
        [-2, 2],
        [0, 0],
        [NAN, NAN],
    ),
    Trap(
        "Lennard-Jones at a padded distance 0",
        "jax-md/jax-md#348",
        lambda r: np.sum(morse(r)),
        [1.0, 0.0],
        [-6, 0],
        [156 - 42, 0],
        [-6, NAN],
    ),
    Trap(
        "huber of everything at once",
        "pytorch/pytorch#16317",
        lambda x: np.sum(huber(x)),
        [0.0, 0.5, 3.0],
        [0, 0.5, 1],
        [1, 1, 0],
    ),
    Trap(
        "where nested twice",
        "pytorch/pytorch#18287",
        lambda x: np.where(x < 0, 0.0, np.where(x > 0, np.log(x), 0.0)),
        0.0,
        0,
        0,
        NAN,
    ),
    Trap(
        "arccos outside its domain, not taken",
        "pytorch/pytorch#8069",
        lambda x: np.sum(np.where(np.abs(x) < 1, np.arccos(x), 0.0)),
        [0.0, 1.0],
        [-1, 0],
        [0, 0],
        [-1, NAN],
    ),
    Trap(
        "a mask by multiplication",
        "tensorflow/tensorflow#4914",
        lambda x: np.sum(np.array([1.0, 0.0]) * np.sqrt(x)),
        [4.0, 0.0],
        [0.25, 0],
        [-1 / 32, 0],
        [0.25, NAN],
    ),
    Trap(
        "a power that is masked",
        "jax-ml/jax#7440",
        lambda x: np.sum(np.where(x > 0, x**0.3, 0.0)),
        [1.0, 0.0],
        [0.3, 0],
        [-0.21, 0],
        [0.3, NAN],
    ),
]
NORMS = [
    Trap(
        "norm at 0",
        "pytorch/pytorch#2421",
        np.linalg.norm,
        [0.0, 0.0],
        [0, 0],
        [INF, INF],
        [NAN, NAN],
    ),
    Trap(
        "norm of a number at 0",
        "HIPS/autograd#268",
        np.linalg.norm,
        [0.0],
        [0],
        [INF],
        [NAN],
    ),
    Trap(
        "norm squared at 0",
        "jax-ml/jax#21723",
        lambda x: np.linalg.norm(x) ** 2,
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    Trap(
        "exp of a norm squared at 0",
        "HIPS/autograd#183",
        lambda x: np.exp(-(np.linalg.norm(x) ** 2)),
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    Trap(
        "norm along the last axis at 0",
        "HIPS/autograd#617",
        lambda x: np.sum(np.linalg.norm(x, axis=-1) ** 2),
        [[0.0, 0.0], [3.0, 4.0]],
        [[0, 0], [6, 8]],
        [[0, 0], [2, 2]],
        [[NAN, NAN], [6, 8]],
    ),
    Trap(
        "|x| at 0",
        "HIPS/autograd#100",
        np.abs,
        0.0,
        0,
        0,
    ),
    Trap(
        "|z| of a complex number at 0",
        "FluxML/Zygote.jl#1472",
        lambda x: np.abs(x[0] + 1j * x[1]),
        [0.0, 0.0],
        [0, 0],
        [INF, INF],
        [NAN, NAN],
    ),
    Trap(
        "hypot at 0",
        "JuliaDiff/ForwardDiff.jl#669",
        lambda x: np.hypot(x[0], x[1]),
        [0.0, 0.0],
        [0, 0],
        [INF, INF],
        [NAN, NAN],
    ),
    Trap(
        "sqrt of a square at 0",
        "pytorch/pytorch#6394",
        lambda x: np.sqrt((x - 1) ** 2),
        1.0,
        0,
        INF,
        NAN,
    ),
    Trap(
        "standard deviation of a constant",
        "pytorch/pytorch#4320",
        np.std,
        [2.0, 2.0, 2.0],
        [0, 0, 0],
        [0, 0, 0],
        [NAN, NAN, NAN],
    ),
    Trap(
        "variance of a constant",
        "jax-ml/jax#8140",
        np.var,
        [2.0, 2.0],
        [0, 0],
        [0, 0],
    ),
    Trap(
        "Frobenius norm of a zero matrix",
        "HIPS/autograd#151",
        lambda x: np.linalg.norm(x, "fro"),
        [[0.0, 0.0], [0.0, 0.0]],
        [[0, 0], [0, 0]],
        [[INF, INF], [INF, INF]],
        [[NAN, NAN], [NAN, NAN]],
    ),
    Trap(
        "a vector made of length 1, or left at 0",
        "FlyingGiraffe/vnn#4",
        lambda x: np.sum(normalised(x) * np.array([1.0, 2.0])),
        [0.0, 0.0],
        [0, 0],
        [0, 0],
        [NAN, NAN],
    ),
    Trap(
        "p-norm with zeros in it",
        "pytorch/pytorch#36493",
        lambda x: np.sum(np.abs(x) ** 3) ** (1 / 3),
        [0.0, 2.0],
        [0, 1],
        [0, 0],
    ),
    Trap(
        "distance of a point to itself, squared",
        "jax-ml/jax#3058",
        lambda x: np.sum((x - np.array([1.0, 2.0])) ** 2),
        [1.0, 2.0],
        [0, 0],
        [2, 2],
    ),
]
POWERS = [
    Trap("x² at 0", "ekmett/ad#4", lambda x: x**2.0, 0.0, 0, 2),
    Trap("x⁰ at 0", "jax-ml/jax#12409", lambda x: x**0.0, 0.0, 0, 0, NAN),
    Trap("x¹ at 0", "jax-ml/jax#14397", lambda x: x**1.0, 0.0, 1, 0),
    Trap(
        "Σ xᵏ at 0",
        "jax-ml/jax#14397",
        lambda x: np.sum(x ** np.arange(3.0)),
        0.0,
        1,
        2,
        NAN,
    ),
    Trap(
        "x^y at x = 0 by y",
        "EnzymeAD/Enzyme#2855",
        lambda v: v[0] ** v[1],
        [0.0, 1.0],
        [1, 0],
        [-INF, -INF],
        [1, NAN],
    ),
    Trap(
        "x^y at y = 0, mixed second derivative",
        "jax-ml/jax#12033",
        lambda v: v[0] ** v[1],
        [23.0, 0.0],
        [0, np.log(23.0)],
        [1 / 23, 1 / 23 + np.log(23.0) ** 2],
    ),
    Trap(
        "0^x at 2",
        "pytorch/pytorch#95180",
        lambda x: 0.0**x,
        2.0,
        0,
        0,
        NAN,
    ),
    Trap(
        "a power of a number with floor",
        "jax-ml/jax#12409",
        lambda x: np.sum(np.power(x - np.floor(x), np.array([0.0]))),
        [1.0],
        [0],
        [0],
        [NAN],
    ),
    Trap(
        "½ log(x)² at its minimum",
        "EnzymeAD/Enzyme.jl#2453",
        lambda x: 0.5 * np.log(x) ** 2,
        1.0,
        0,
        1,
    ),
    Trap(
        "x · √x at 0",
        "HIPS/autograd#581",
        lambda x: x * x**0.5,
        0.0,
        0,
        INF,
        NAN,
    ),
    Trap(
        "product with one zero",
        "tracel-ai/burn#5533",
        np.prod,
        [2.0, 0.0, 3.0],
        [0, 6, 0],
        [3, 5, 2],
    ),
    Trap(
        "product with two zeros",
        "tinygrad/tinygrad#17404",
        np.prod,
        [0.0, 0.0, 3.0],
        [0, 0, 0],
        [3, 3, 0],
    ),
    Trap(
        "cumulative product with zeros",
        "tensorflow/tensorflow#119430",
        lambda x: np.sum(np.cumprod(x)),
        [2.0, 0.0, 0.0, 3.0],
        [1, 2, 0, 0],
        [1, 9, 8, 0],
    ),
    Trap(
        "cumulative product that begins with 0",
        "tensorflow/tensorflow#3862",
        lambda x: np.sum(np.cumprod(x)),
        [0.0, 2.0, 3.0],
        [9, 0, 0],
        [6, 4, 2],
    ),
]
EXPONENTIALS = [
    Trap(
        "logaddexp(0, x) of a large number",
        "rushter/MLAlgorithms#31",
        lambda x: np.logaddexp(0.0, x),
        1e10,
        1,
        0,
    ),
    Trap(
        "sigmoid of a large negative number",
        "jax-ml/jax#777",
        lambda x: np.sum(sigmoid(x)),
        [-800.0, 0.0],
        [0, 0.25],
        [0, 0],
        [NAN, 0.25],
    ),
    Trap(
        "logsumexp of -∞ alone",
        "jax-ml/jax#6811",
        lambda x: logsumexp(x),
        [-INF, -INF],
        [0.5, 0.5],
        [0, 0],
    ),
    Trap(
        "logsumexp with one entry -∞",
        "pytorch/pytorch#31829",
        lambda x: logsumexp(x),
        [-INF, 1.0],
        [0, 1],
        [0, 0],
    ),
    Trap(
        "logsumexp with infinite masks",
        "jax-ml/jax#23842",
        lambda x: logsumexp(np.where([True, False], x, -INF)),
        [0.0, 100.0],
        [1, 0],
        [0, 0],
    ),
    Trap(
        "logaddexp of -∞ and -∞",
        "stan-dev/math#646",
        lambda x: np.logaddexp(x[0], x[1]),
        [-INF, -INF],
        [0.5, 0.5],
        [0, 0],
    ),
    Trap(
        "softmax with masked entries",
        "tensorflow/tensorflow#11756",
        lambda x: softmax(np.where([True, False, True], x, -INF))[0],
        [1.0, 1.0, 1.0],
        [0.25, 0, -0.25],
        [0, 0, 0],
    ),
    Trap(
        "entropy with a zero probability",
        "huggingface/trl#7252",
        entropy,
        [0.5, 0.5, 0.0],
        [np.log(2) - 1, np.log(2) - 1, 0],
        [-2, -2, 0],
        [np.log(2) - 1, np.log(2) - 1, NAN],
    ),
    Trap(
        "log of a masked product of probabilities",
        "jax-ml/jax#17070",
        lambda p: np.sum(np.where([True, False], p * -np.log2(p), 0.0)),
        [0.5, 0.0],
        [1 - 1 / np.log(2), 0],
        [-2 / np.log(2), 0],
        [1 - 1 / np.log(2), NAN],
    ),
    Trap(
        "sinc at 0",
        "jax-ml/jax#1722",
        np.sinc,
        0.0,
        0,
        -(np.pi**2) / 3,
    ),
    Trap(
        "mean of the entries that are numbers",
        "pytorch/pytorch#67180",
        lambda b: np.sum(np.nan_to_num(np.array([1.0, 2.0, NAN]) * b)),
        1.0,
        3,
        0,
        NAN,
    ),
]
MATRICES = [
    Trap(
        "determinant of the zero matrix",
        "jax-ml/jax#2380",
        np.linalg.det,
        [[0.0, 0.0], [0.0, 0.0]],
        [[0, 0], [0, 0]],
        [[1, -1], [-1, 1]],
    ),
    Trap(
        "determinant of a singular matrix",
        "tensorflow/tensorflow#119477",
        np.linalg.det,
        [[1.0, 2.0], [2.0, 4.0]],
        [[4, -2], [-2, 1]],
        [[1, -1], [-1, 1]],
    ),
    Trap(
        "determinant of 0, one by one",
        "pytorch/pytorch#80761",
        np.linalg.det,
        [[0.0]],
        [[1]],
        [[0]],
    ),
    Trap(
        "equal eigenvalues, Σ w²",
        "jax-ml/jax#669",
        lambda a: np.sum(np.linalg.eigvalsh(a) ** 2),
        [[1.0, 0.0], [0.0, 1.0]],
        [[2, 0], [0, 2]],
        None,  # docs/conventions.md: finite, and not right inside the span of equal values
    ),
    Trap(
        "equal singular values, Σ s",
        "jax-ml/jax#2311",
        lambda a: np.linalg.norm(a, "nuc"),
        [[1.0, 0.0], [0.0, 1.0]],
        [[1, 0], [0, 1]],
        None,
    ),
    Trap(
        "projection on equal eigenvectors",
        "jax-ml/jax#8732",
        lambda a: np.sum(np.linalg.eigh(a)[1] @ np.linalg.eigh(a)[1].T),
        [[2.0, 0.0], [0.0, 2.0]],
        [[0, 0], [0, 0]],
        [[0, 0], [0, 0]],
    ),
]
TRAPS = [*WHERE, *NORMS, *POWERS, *EXPONENTIALS, *MATRICES]
