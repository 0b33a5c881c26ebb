"""What cannot be differentiated is refused by a sentence that names the call.

Each function marks the line that the message has to name with `# <-`.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

V = np.array([1.0, 2.0, 3.0])


def gradient_of_an_array():
    def double(x):
        return x * 2

    cr.grad(double)(V)  # <-


def gradient_of_a_complex_number():
    cr.grad(lambda z: z * z)(1.0 + 2.0j)  # <-


def gradient_of_a_truth_value():
    cr.grad(lambda x: x > 0)(1.0)  # <-


def gradient_of_a_text():
    cr.grad(lambda x: "loss")(1.0)  # <-


def gradient_of_nothing():
    cr.grad(lambda x: None)(1.0)  # <-


def auxiliary_result_left_out():
    cr.value_grad_and_aux(lambda x: x * x)(1.0)  # <-


def integer():
    cr.grad(lambda x: x * x)(3)  # <-


def integers():
    cr.grad(np.sum)(np.arange(3))  # <-


def truth_values():
    cr.jvp(np.sum, (np.array([True]),), (np.array([1.0]),))  # <-


def text():
    cr.grad(lambda x: x)("3.0")  # <-


def none():
    cr.value_and_grad(lambda x: x)(None)  # <-


def tree_without_numbers():
    cr.grad(lambda p: 0.0)({"name": "w", "sizes": [1, 2]})  # <-


def array_of_texts():
    cr.vjp(np.sum, np.array(["a", "b"]))  # <-


def gradient_of_a_tuple():
    cr.value_and_grad(lambda x: (x * x, x))(1.0)  # <-


def gradient_of_a_whole_array():
    cr.grad(lambda x: np.array(3))(1.0)  # <-


def arguments_without_a_tuple():
    cr.jvp(lambda x: x * x, 2.0, 1.0)  # <-


def tangents_without_a_tuple():
    cr.jvp(np.sum, (V,), V)  # <-


def argnums_out_of_range():
    cr.grad(lambda x, y: x * y, argnums=2)(1.0, 2.0)  # <-


def argnums_of_a_keyword():
    cr.grad(lambda x: x, argnums=0)(x=1.0)  # <-


def argnums_that_are_no_number():
    cr.grad(lambda x: x, argnums="x")(1.0)  # <-


def tangent_of_another_structure():
    cr.jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},))  # <-


def tangent_of_another_shape():
    cr.jvp(np.sum, (V,), (np.ones(2),))  # <-


def tangents_of_another_number():
    cr.jvp(lambda x, y: x * y, (1.0, 2.0), (1.0,))  # <-


def cotangent_of_another_structure():
    _, pull = cr.vjp(lambda x: (x, x), 1.0)
    pull([1.0, 2.0, 3.0])  # <-


def cotangent_of_another_shape():
    _, pull = cr.vjp(lambda x: x * 2, V)
    pull(np.ones(4))  # <-


def direction_of_another_shape():
    cr.hvp(lambda x: np.sum(x**3))(V, np.ones(2))  # <-


def jacobian_of_complex_numbers():
    cr.jacobian(lambda z: z * z)(np.array([1.0 + 1j]))  # <-


CALLS = [
    (gradient_of_an_array, errors.OutputError, TypeError, "shape (3,)", "np.sum"),
    (gradient_of_a_complex_number, errors.OutputError, TypeError, "complex", "np.real"),
    (gradient_of_a_truth_value, errors.OutputError, TypeError, "bool", "floating"),
    (gradient_of_a_text, errors.OutputError, TypeError, "str", "one number"),
    (gradient_of_nothing, errors.OutputError, TypeError, "NoneType", "one number"),
    (auxiliary_result_left_out, errors.OutputError, TypeError, "(value, auxiliary result)"),
    (integer, errors.InputError, TypeError, "integers", "3.0"),
    (integers, errors.InputError, TypeError, "int64[3]", "astype(float)"),
    (truth_values, errors.InputError, TypeError, "bool", "floating point"),
    (text, errors.InputError, TypeError, "str", "pass floats"),
    (none, errors.InputError, TypeError, "NoneType", "pass floats"),
    (tree_without_numbers, errors.InputError, TypeError, "argument 0", "floating point"),
    (array_of_texts, errors.InputError, TypeError, "argument 0", "floating point"),
    (gradient_of_a_tuple, errors.OutputError, TypeError, "tuple of 2", "value_grad_and_aux"),
    (gradient_of_a_whole_array, errors.OutputError, TypeError, "int64", "floating"),
    (arguments_without_a_tuple, errors.InputError, TypeError, "a float", "jvp(f, (x,), (t,))"),
    (tangents_without_a_tuple, errors.InputError, TypeError, "shape (3,)", "jvp(f, (x,), (t,))"),
    (argnums_out_of_range, errors.ArgnumsError, ValueError, "argnums=2", "2 positional arguments"),
    (argnums_of_a_keyword, errors.ArgnumsError, ValueError, "argnums=0", "keyword"),
    (argnums_that_are_no_number, errors.ArgnumsError, ValueError, "argnums='x'", "count from 0"),
    (tangent_of_another_structure, errors.StructureError, ValueError, "{'a': *}", "{'b': *}"),
    (tangent_of_another_shape, errors.StructureError, ValueError, "(2,)", "(3,)"),
    (tangents_of_another_number, errors.StructureError, ValueError, "2 arguments", "1 tangent"),
    (cotangent_of_another_structure, errors.StructureError, ValueError, "(*, *)", "[*, *, *]"),
    (cotangent_of_another_shape, errors.StructureError, ValueError, "(4,)", "(3,)"),
    (direction_of_another_shape, errors.StructureError, ValueError, "(2,)", "(3,)"),
    (jacobian_of_complex_numbers, errors.OutputError, TypeError, "complex", "vjp"),
]


@pytest.mark.parametrize(
    ("call", "kind", "builtin", "words"),
    [pytest.param(c[0], c[1], c[2], c[3:], id=c[0].__name__) for c in CALLS],
)
def test_calls(call, kind, builtin, words, place_of):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, errors.ChainruleError)
    assert isinstance(caught.value, builtin)
    message = str(caught.value)
    assert place_of(call) in message
    assert all(word in message for word in words), message


def test_a_number_written_down_is_a_constant():
    """3 and 3.0 alike, as in a branch that returns 0."""
    for constant in (3, 3.0, np.float32(3)):
        np.testing.assert_array_equal(cr.grad(lambda x, c=constant: c)(V), np.zeros(3))
        value, slope = cr.value_and_grad(lambda x, c=constant: c)(2.0)
        assert (value, slope) == (3, 0)
