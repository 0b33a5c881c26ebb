"""Accuracy of the functions in loops, over the whole range and at special values.

The oracle is NumPy in a wider type: 80 bits for float64 where the machine has them, float64 for
float32. Whole range: random bits, so that every exponent occurs, and the intervals where the
functions live.
"""

import numpy as np
import pytest

from chainrule.graph import registry

COUNT = 20_000
BOUND = 4  # ulp, what libmvec promises
ONE = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sqrt", "sin", "cos"),
    *("tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh"),
    *("arctanh", "radians", "degrees"),
)
TWO = ("power", "hypot", "arctan2")
EXACT_ONE = (
    *("negative", "absolute", "fabs", "square", "sign", "floor", "ceil", "trunc", "rint", "fix"),
    *("reciprocal", "isnan", "isinf", "isfinite", "signbit", "isposinf", "isneginf", "round"),
    "logical_not",
)
EXACT_TWO = (
    *("add", "subtract", "multiply", "divide", "maximum", "minimum", "fmax", "fmin", "copysign"),
    *("fmod", "remainder", "floor_divide", "heaviside", "less", "less_equal", "greater"),
    *("greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_xor"),
)
DTYPES = [
    pytest.param(np.float32, np.float64, id="float32"),
    pytest.param(
        np.float64,
        np.longdouble,
        id="float64",
        marks=pytest.mark.skipif(
            np.finfo(np.longdouble).nmant <= 52, reason="this machine has no wider type"
        ),
    ),
]


def special(dtype):
    limits = np.finfo(dtype)
    some = [0, np.inf, limits.tiny, limits.smallest_subnormal, limits.max, 1, 0.5, 2, np.pi / 2]
    some += [1 + limits.eps, 1 - limits.eps / 2, 3, 88.7, 103.9, 709.7, 745.2, 1e5, 1e22]
    return np.array([*some, *(-x for x in some), np.nan], dtype)


def whole_range(dtype, rng):
    bits = np.dtype(dtype).itemsize * 8
    x = rng.integers(0, 2**bits, COUNT, dtype=f"u{bits // 8}").view(dtype)
    quarter = COUNT // 4
    x[:quarter] = rng.normal(size=quarter) * 3
    x[quarter : 2 * quarter] = rng.uniform(-1, 1, quarter)
    x[2 * quarter : 2 * quarter + quarter // 2] = rng.uniform(-800, 800, quarter // 2)
    x[-special(dtype).size :] = special(dtype)
    return x


def pairs(dtype, rng):
    """Two arrays, and every pair of special values at their beginning."""
    x, y = whole_range(dtype, rng), rng.permutation(whole_range(dtype, rng))
    y[COUNT // 2 :] = rng.uniform(-5, 5, COUNT - COUNT // 2)
    first, second = np.meshgrid(special(dtype), special(dtype))
    x[: first.size], y[: first.size] = first.ravel(), second.ravel()
    return x, y


def largest_error(y, right, dtype):
    """In ulp of the right number; NaN, infinities and signs must be the same."""
    with np.errstate(all="ignore"):
        rounded = right.astype(dtype)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(rounded))
    np.testing.assert_array_equal(np.isinf(y), np.isinf(rounded))
    known = np.isfinite(rounded)
    np.testing.assert_array_equal(np.signbit(y[known]), np.signbit(rounded[known]))
    with np.errstate(over="ignore"):  # the number after the largest is infinity
        ulp = np.spacing(np.abs(rounded[known])).astype(right.dtype)
    return float(np.max(np.abs(y[known].astype(right.dtype) - right[known]) / ulp))


@pytest.mark.parametrize(("dtype", "wide"), DTYPES)
@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number(name, dtype, wide, operation, rng):
    x = whole_range(dtype, rng)
    y = operation(registry[name], [x], {}).got[0]
    with np.errstate(all="ignore"):
        right = registry[name].numpy(x.astype(wide))
    assert largest_error(y, right, dtype) <= BOUND


@pytest.mark.parametrize(("dtype", "wide"), DTYPES)
@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_numbers(name, dtype, wide, operation, rng):
    x, y = pairs(dtype, rng)
    if name == "power":
        x = np.abs(x)
    z = operation(registry[name], [x, y], {}).got[0]
    with np.errstate(all="ignore"):
        right = registry[name].numpy(x.astype(wide), y.astype(wide))
    assert largest_error(z, right, dtype) <= BOUND


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [*EXACT_ONE, *EXACT_TWO])
def test_what_rounds_once_is_what_numpy_gives(name, dtype, operation, rng):
    given = pairs(dtype, rng)[: 1 if name in EXACT_ONE else 2]
    ran = operation(registry[name], given, {})
    np.testing.assert_array_equal(ran.got[0], ran.want[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["sinc", "logaddexp", "logaddexp2"])
def test_what_is_made_of_functions_is_near_numpy(name, dtype, operation, rng):
    given = [rng.uniform(-30, 30, COUNT).astype(dtype) for _ in range(registry[name].inputs)]
    for x in given:
        x[: special(dtype).size] = rng.permutation(special(dtype))
    if name == "sinc":  # where the sine of a huge number is not decided by the number itself
        given[0][np.abs(given[0]) > 100] = 0
    operation(registry[name], given, {}).assert_close()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_length_of_a_row(dtype, compiled):
    """Full vectors, several at a time, and what is left at the end; special values everywhere."""

    def f(x):
        return np.exp(x) * np.tanh(x), np.sqrt(x), np.maximum(x, 1.0), x * 2 + 1

    values = special(dtype)
    for length in range(1, 68):
        compiled(f, np.resize(values, length)).assert_close(8)
        rows = np.resize(np.arange(3.0 * length), (3, length)).astype(dtype)
        compiled(lambda a: (np.sum(a, axis=1), np.max(a, axis=1) * 2), rows).assert_close()


@pytest.mark.parametrize("exponent", [*range(-9, 10), 0.5, 1.5, -0.5])
def test_known_exponents(exponent, compiled):
    x = np.array([0.0, -0.0, 1.3, -1.7, 1e-30, -1e30, np.inf, -np.inf, np.nan, 1e200])
    ran = compiled(lambda x: x**exponent, x)
    np.testing.assert_array_equal(np.isnan(ran.got[0]), np.isnan(ran.want[0]))
    np.testing.assert_allclose(ran.got[0], ran.want[0], rtol=4 * np.finfo(float).eps)
