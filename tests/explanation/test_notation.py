"""Formulas as text: parentheses exactly where they are needed, and numbers that can be read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explanation.notation import Text, written
from chainrule.explanation.values import brief
from chainrule.graph import registry
from chainrule.scipy import integrate

BINARY = ("add", "subtract", "multiply", "divide", "power", "chain_product")
UNARY = ("negative", "square", "absolute")
VALUES = {"a": np.float64(2.0), "b": np.float64(-3.0), "c": np.float64(0.5), "d": np.float64(4.0)}
TREES = st.recursive(
    st.sampled_from(sorted(VALUES)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(BINARY), inner, inner), st.tuples(st.sampled_from(UNARY), inner)
    ),
    max_leaves=8,
)


def evaluated(tree):
    """A tree as text, and its value."""
    if isinstance(tree, str):
        return Text(tree), VALUES[tree]
    name, *inner = tree
    texts, values = zip(*map(evaluated, inner), strict=True)
    return written(registry[name], {}, texts), registry[name].compute(*values)


@given(TREES)
def test_the_text_has_the_value_of_the_tree(tree):
    """Python reads the text back; a missing parenthesis would change the value."""
    with np.errstate(all="ignore"):
        text, value = evaluated(tree)
        source = text.text.replace("·", "*").replace("²", "**2").replace("^", "**")
        again = eval(source, {"abs": abs, **VALUES})
    # the square is a product in one place and a power in the other: roundings of up to 8 operations
    np.testing.assert_allclose(again, value, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("add", ["x", "1"], "x + 1"),
        ("multiply", ["x", "-5"], "x · (-5)"),
        ("multiply", ["-5", "x"], "-5 · x"),
        ("square", ["-2"], "(-2)²"),
        ("negative", ["-2"], "-(-2)"),
        ("power", ["x", "-1"], "x^(-1)"),
        ("maximum", ["0", "-2"], "max(0, -2)"),
        ("matmul", ["W", "x"], "W @ x"),
    ],
)
def test_one_operation(name, operands, text):
    assert written(registry[name], {}, [Text(operand) for operand in operands]).text == text


def test_parameters_are_written_where_they_say_something():
    total = registry["sum"]
    assert written(total, {"axis": None, "keepdims": False}, [Text("x")]).text == "sum(x)"
    assert written(total, {"axis": 0, "keepdims": True}, [Text("x")]).text == (
        "sum(x, axis=0, keepdims=True)"
    )


def test_objects_among_the_parameters_are_written_as_they_present_themselves():
    def block(u):
        return np.sin(u) * u

    def told(f):
        return str(cr.explain(f, 0.5))

    assert "checkpoint(x, call=block) = " in told(lambda x: cr.checkpoint(block)(x))
    assert "loop(1, x, loop=scan) = " in told(
        lambda x: cr.scan(lambda c, r: (c * x, None), 1.0, length=3)[0]
    )
    assert "integrand=block) = " in told(lambda x: integrate.quad(block, 0, x)[0])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (17.0, "17"),
        (-0.0, "0"),
        (1e-12, "1e-12"),
        (np.float32(0.1), "0.1"),
        (True, "True"),
        (np.nan, "nan"),
        (np.array([[1.0, 2.0]]), "[[1, 2]]"),
        (np.zeros((0, 3)), "[]"),
        (np.arange(10), "[0, …, 9] (10,)"),
    ],
)
def test_values(value, text):
    assert brief(value) == text
