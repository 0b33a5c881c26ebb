"""A graph as text: one operation a line, with shapes, parameters and the line of the code."""

import numpy as np

import chainrule as cr
from chainrule.transforms.trace import record


def line_of(f, offset=0):
    return f"test_text.py:{f.__code__.co_firstlineno + offset}"


def test_operations_constants_and_places():
    def f(x, w):
        y = w @ x + 1.0
        return np.sum(y * np.array([1.0, 2.0]))

    text = str(cr.trace(f)(np.ones(3), np.ones((2, 3))))
    assert text.splitlines() == [
        "inputs: v0: float64[3], v1: float64[2,3]",
        f"v2: float64[2] = matmul(v1, v0)   # {line_of(f, 1)}",
        f"v3: float64[2] = add(v2, 1.0)   # {line_of(f, 1)}",
        f"v4: float64[2] = multiply(v3, constant[2])   # {line_of(f, 2)}",
        f"v5: float64[] = sum(v4, axis=None, keepdims=False)   # {line_of(f, 2)}",
        "outputs: v5",
    ]


def test_names_of_the_inputs_are_kept():
    def f(x, y):
        return x * y

    text = str(record(f, (2.0, 3.0), {}, ["x", "y"]).graph)
    assert text.splitlines()[:2] == [
        "inputs: x: float64[], y: float64[]",
        f"v2: float64[] = multiply(x, y)   # {line_of(f, 1)}",
    ]


def test_guards_name_what_was_read():
    def f(x):
        if x > 0:
            return x * 2.0
        return x

    lines = str(cr.trace(f)(3.0)).splitlines()
    assert lines[1] == f"v1: bool[] = greater(v0, 0)   # {line_of(f, 1)}"
    assert lines[3] == f"guard: bool of v1 is True   # {line_of(f, 1)}"


def test_operations_with_several_outputs_number_them():
    def f(a):
        w, v = np.linalg.eigh(a)
        return w[0] * v

    lines = str(cr.trace(f)(np.eye(2))).splitlines()
    assert lines[1].startswith("v1: float64[2], float64[2,2] = eigh(v0, triangle=L)")
    assert "getitem(v1.0, template=[0])" in lines[2]
    assert "multiply(v2, v1.1)" in lines[3]


def test_a_function_that_returns_its_argument_or_a_constant():
    assert str(cr.trace(lambda x: (x, 2.0))(1.0)).splitlines() == [
        "inputs: v0: float64[]",
        "outputs: v0, 2.0",
    ]


def test_single_precision_and_complex_numbers_are_told():
    text = str(cr.trace(lambda x, z: (x, z))(np.float32(1.0), np.ones(2) * 1j))
    assert "v0: float32[], v1: complex128[2]" in text
