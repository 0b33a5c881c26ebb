"""Bad input inside the user's function: what happened, the line of the code, what to do.

Each program marks the line that the message has to name with `# <-`.
"""

import math
import pickle
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.stats

import chainrule as cr
from chainrule import errors

V = np.array([1.0, 2.0, 3.0])


def float_of_x(x):
    return float(x[0]) * x[1]  # <-


def math_of_x(x):
    y = x[0] * 2
    return math.exp(y)  # <-


def formatted_by_percent(x):
    return "%.3f" % x[0]  # noqa: UP031  # <-


def complex_of_x(x):
    return complex(x[0])  # <-


def item_of_x(x):
    return x[0].item() * x[1]  # <-


def list_of_x(x):
    return x.tolist()[0]  # <-


def float64_of_x(x):
    return np.float64(x[0])  # <-


def array_with_a_dtype(x):
    return np.array([x[0], x[1]], dtype=float).sum()  # <-


def asarray_with_a_dtype(x):
    return np.asarray(x, dtype=np.float32).sum()  # <-


def range_of_traced_ends(x):
    return np.arange(0.0, x[1], 0.5).sum()  # <-


def random_with_a_traced_parameter(x):
    return np.random.default_rng(0).normal(x[0])  # <-


def pickled(x):
    return pickle.dumps(x)  # <-


def key_of_a_dict(x):
    return {x[0]: 1.0}[x[0]]  # <-


def member_of_a_set(x):
    return len({1.0, x[0]})  # <-


def index_that_is_no_integer(x):
    return [1.0, 2.0][x[0]]  # <-


def written_entry(x):
    y = np.zeros(3)
    y[0] = x[0] * 2  # <-
    return np.sum(y)


def written_slice(x):
    y = np.zeros(3)
    y[0:2] = x[1:]  # <-
    return np.sum(y)


def written_list(x):
    y = np.zeros(3)
    y[[0, 1]] = [x[0], x[1]]  # <-
    return np.sum(y)


def written_matrix_entry(x):
    y = np.zeros((2, 2))
    for k in range(2):
        y[k, 0] = np.sin(x[k])  # <-
    return np.sum(y)


def augmented_array(x):
    y = np.zeros(3)
    y += x  # <-
    return np.sum(y)


def augmented_entry(x):
    y = np.zeros(3)
    y[1] *= x[0]  # <-
    return np.sum(y)


def out_of_a_ufunc(x):
    y = np.zeros(3)
    np.exp(x, out=y)  # <-
    return np.sum(y)


def out_of_a_function(x):
    y = np.zeros(())
    np.sum(x, out=y)  # <-
    return y


def added_at(x):
    y = np.zeros(3)
    np.add.at(y, [0, 0], x[0])  # <-
    return np.sum(y)


def copied_to(x):
    y = np.zeros(3)
    np.copyto(y, x)  # <-
    return np.sum(y)


def shapes_of_a_sum(x):
    return np.sum(x + np.ones(4))  # <-


def shapes_of_a_product(x):
    h = np.tanh(x)
    return np.sum(np.ones((2, 4)) @ h)  # <-


def shape_of_a_reshape(x):
    return np.sum(x.reshape(2, 2))  # <-


def shapes_of_a_join(x):
    return np.sum(np.concatenate([x, np.ones((2, 2))]))  # <-


def shapes_of_an_einsum(x):
    return np.einsum("i,i->", x, np.ones(4))  # <-


def axis_out_of_range(x):
    return np.sum(np.max(x, axis=1))  # <-


def axis_of_swapaxes(x):
    return np.sum(np.swapaxes(x, 0, 2))  # <-


def axis_of_expand_dims(x):
    return np.sum(np.expand_dims(x, 4))  # <-


def index_out_of_range(x):
    return x[7]  # <-


def uneven_split(x):
    return np.split(x, 2)[0][0]  # <-


def squeezed_too_far(x):
    return np.squeeze(x, axis=0)  # <-


def shape_of_a_written_slice(x):
    y = x * 1
    y[:2] = np.ones(4)  # <-
    return np.sum(y)


def unsupported_function(x):
    np.savetxt("numbers.txt", x)  # <-
    return np.sum(x)


def unsupported_option(x):
    return np.sum(np.pad(x, 1, mode="linear_ramp"))  # <-


def unsupported_keyword(x):
    return np.quantile(x, 0.5, method="inverted_cdf", weights=np.ones(3))  # <-


def object_array_in_linear_algebra(x):
    return np.linalg.det(np.array([[x[0], 1.0], [x[1], x[2]]]))  # <-


def root_of_a_bracket(x):
    return scipy.optimize.brentq(lambda t: t * t - x[0], 0.0, 5.0)  # <-


def golden_section(x):
    return scipy.optimize.golden(lambda t: (t - x[0]) ** 2)  # <-


def secant(x):
    return scipy.optimize.newton(lambda t: t * t - x[0], 1.5)  # <-


def linear_algebra_of_scipy(x):
    return scipy.linalg.expm(np.outer(x, x))[0, 0]  # <-


def shuffled_rows(x):
    y = np.outer(x, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own, that this may go wrong
        np.random.default_rng(0).shuffle(y)  # <-
    return np.sum(y[0])


def compiled_code_of_scipy(x):
    return scipy.signal.upfirdn(x, V)[0]  # <-


def statistics_of_scipy(x):
    return scipy.stats.pearsonr(x, V[::-1] ** 2)[0]  # <-


def iterated_into_an_array(x):
    return np.fromiter(x, float).sum()  # <-


def gamma_of_math(x):
    return math.gamma(x[0])  # <-


def broadcast_view_written(x):
    y = np.broadcast_to(x, (2, 3))
    y[0] = 1.0  # <-
    return np.sum(y)


CONVERSION, WRITE, SHAPE, UNSUPPORTED = (
    (errors.ConversionError, TypeError),
    (errors.WriteError, TypeError),
    (errors.ShapeError, ValueError),
    (errors.UnsupportedError, NotImplementedError),
)
PROGRAMS = [
    (float_of_x, *CONVERSION, "float()", "float(chainrule.stop_gradient(x))"),
    (math_of_x, *CONVERSION, "np.exp for math.exp", "chainrule.stop_gradient(x)"),
    (formatted_by_percent, *CONVERSION, "f'{x:.3f}'", "chainrule.stop_gradient(x)"),
    (complex_of_x, *CONVERSION, "complex(chainrule.stop_gradient(x))"),
    (item_of_x, *CONVERSION, "chainrule.stop_gradient(x).item()"),
    (list_of_x, *CONVERSION, "chainrule.stop_gradient(x).tolist()"),
    (float64_of_x, *CONVERSION, "float64", "chainrule.stop_gradient(x)"),
    (array_with_a_dtype, *CONVERSION, "float64", "chainrule.numpy.array"),
    (asarray_with_a_dtype, *CONVERSION, "float32", "chainrule.numpy.asarray"),
    (range_of_traced_ends, *CONVERSION, "chainrule.numpy.arange for np.arange"),
    (random_with_a_traced_parameter, *CONVERSION, "chainrule.numpy.random.normal(key, …)"),
    (pickled, *CONVERSION, "another process", "chainrule.stop_gradient(x)"),
    (key_of_a_dict, *CONVERSION, "key of a dict", "int(x)"),
    (member_of_a_set, *CONVERSION, "a set", "int(x)"),
    (index_that_is_no_integer, *CONVERSION, "index", "int(x)"),
    (written_entry, *WRITE, "np.zeros_like(x)", "np.zeros(n, like=x)", "chainrule.numpy"),
    (written_slice, *WRITE, "np.zeros_like(x)"),
    (written_list, *WRITE, "np.zeros_like(x)"),
    (written_matrix_entry, *WRITE, "np.zeros_like(x)"),
    (augmented_array, *WRITE, "np.zeros_like(x)"),
    (augmented_entry, *WRITE, "np.zeros_like(x)"),
    (out_of_a_ufunc, *WRITE, "np.zeros_like(x)"),
    (out_of_a_function, *WRITE, "np.zeros_like(x)"),
    (added_at, *WRITE, "np.zeros_like(x)"),
    (copied_to, *WRITE, "np.zeros_like(x)"),
    (broadcast_view_written, *WRITE, "read-only", "copy"),
    (shapes_of_a_sum, *SHAPE, "add", "float64[3]", "float64[4]"),
    (shapes_of_a_product, *SHAPE, "matmul", "float64[2,4]", "float64[3]"),
    (shape_of_a_reshape, *SHAPE, "reshape", "(2,2)"),
    (shapes_of_a_join, *SHAPE, "concatenate", "float64[2,2]"),
    (shapes_of_an_einsum, *SHAPE, "einsum", "float64[3]", "float64[4]"),
    (axis_out_of_range, *SHAPE, "max", "axis 1"),
    (axis_of_swapaxes, *SHAPE, "numpy.swapaxes", "axis 2"),
    (axis_of_expand_dims, *SHAPE, "numpy.expand_dims", "axis 4"),
    (index_out_of_range, *SHAPE, "index 7", "size 3"),
    (uneven_split, *SHAPE, "numpy.split", "np.array_split can"),
    (squeezed_too_far, *SHAPE, "numpy.squeeze", "not 1"),
    (shape_of_a_written_slice, *SHAPE, "setitem", "float64[4]"),
    (unsupported_function, *UNSUPPORTED, "numpy.savetxt", "a file holds", "stop_gradient"),
    (unsupported_option, *UNSUPPORTED, "numpy.pad", "linear_ramp", "edge"),
    (unsupported_keyword, *UNSUPPORTED, "numpy.quantile with weights=", "chainrule list"),
    (object_array_in_linear_algebra, *CONVERSION, "object array", "chainrule.numpy.array"),
    (root_of_a_bracket, *CONVERSION, "scipy.optimize.brentq", "stop_gradient"),
    (golden_section, *CONVERSION, "scipy.optimize.golden", "compares"),
    (secant, *CONVERSION, "scipy.optimize.newton", "compares"),
    (linear_algebra_of_scipy, *CONVERSION, "scipy.linalg.expm", "stop_gradient"),
    (shuffled_rows, *UNSUPPORTED, "x = rng.permutation(x)"),
    (compiled_code_of_scipy, *CONVERSION, "scipy.signal.upfirdn", "stop_gradient"),
    (statistics_of_scipy, *CONVERSION, "scipy.stats.pearsonr", "stop_gradient"),
    (iterated_into_an_array, *CONVERSION, "chainrule.numpy.fromiter for np.fromiter"),
    (gamma_of_math, *CONVERSION, "scipy.special.gamma for math.gamma"),
]


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(
    ("program", "kind", "builtin", "words"),
    [pytest.param(p[0], p[1], p[2], p[3:], id=p[0].__name__) for p in PROGRAMS],
)
def test_programs(program, kind, builtin, words, mode, place_of):
    with pytest.raises(kind) as caught:
        cr.grad(program)(V) if mode == "reverse" else cr.jvp(program, (V,), (V,))
    assert isinstance(caught.value, errors.ChainruleError)
    assert isinstance(caught.value, builtin)
    message = str(caught.value)
    assert place_of(program) in message, message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    "program", [p[0] for p in PROGRAMS if p[1] is errors.ShapeError], ids=lambda p: p.__name__
)
def test_numpys_own_words_stay_as_the_cause(program):
    with pytest.raises(errors.ShapeError) as caught:
        cr.grad(program)(V)
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError | IndexError)
    assert str(cause).strip().splitlines()[0] in str(caught.value)


def test_an_index_out_of_range_is_an_index_error():
    def entry_or_zero(x, k):
        try:
            return x[k]
        except IndexError:
            return 0.0 * x[0]

    np.testing.assert_array_equal(cr.grad(lambda x: entry_or_zero(x, 9) + x[1])(V), [0, 1, 0])


@pytest.mark.parametrize("size", [1, 2])
def test_the_truth_of_an_array_is_numpys(size):
    """One entry has a truth value, more than one have none, as in NumPy."""

    def f(x):
        return np.sum(x) if x else 0.0 * np.sum(x)

    x = np.ones(size)
    if size == 1:
        np.testing.assert_array_equal(cr.grad(f)(x), [1.0])
    else:
        with pytest.raises(ValueError, match="ambiguous"):
            cr.grad(f)(x)
