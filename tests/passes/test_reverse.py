"""Reverse mode compared as graphs: what a gradient computes, not only what comes out."""

import ast
import inspect
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule.graph.invariants import check
from chainrule.passes import reverse
from chainrule.transforms.trace import record


def gradient_graph(f, *args):
    """The operations of value_and_grad, one a line without places: `v2 = sin(v0)`."""
    argnums = tuple(range(len(args)))
    graph = cr.trace(cr.value_and_grad(f, argnums))(*args)
    check(graph)
    lines = []
    for line in str(graph).splitlines()[1:]:
        target, _, operation = line.partition("   #")[0].partition(" = ")
        lines.append(f"{target.partition(':')[0]} = {operation}" if operation else target)
    return lines


def test_a_product_needs_its_factors_and_nothing_else():
    assert gradient_graph(lambda x, y: x * y, 3.0, 4.0) == [
        "v2 = multiply(v0, v1)",
        "v3 = chain_product(1.0, v1)",
        "v4 = chain_product(1.0, v0)",
        "outputs: v2, v3, v4",
    ]


def test_addition_costs_nothing():
    assert gradient_graph(lambda x, y: x + y, 3.0, 4.0) == [
        "v2 = add(v0, v1)",
        "outputs: v2, 1.0, 1.0",
    ]


def test_what_a_rule_says_of_the_output_is_not_computed_again():
    assert gradient_graph(np.exp, 2.0) == [
        "v1 = exp(v0)",
        "v2 = chain_product(1.0, v1)",
        "outputs: v1, v2",
    ]


def test_two_uses_are_added():
    assert gradient_graph(lambda x: np.sin(x) + np.exp(x), 2.0) == [
        "v1 = sin(v0)",
        "v2 = exp(v0)",
        "v3 = add(v1, v2)",
        "v4 = chain_product(1.0, v2)",
        "v5 = cos(v0)",
        "v6 = chain_product(1.0, v5)",
        "v7 = add(v4, v6)",
        "outputs: v3, v7",
    ]


def test_the_linear_layer_is_two_products_backwards():
    def loss(w, x):
        return np.sum(w @ x)

    lines = gradient_graph(loss, np.ones((2, 3)), np.ones((3, 4)))
    assert [line.partition(" = ")[2].partition("(")[0] for line in lines[:-1]] == [
        "matmul",
        "sum",
        "transpose",
        "matmul",
        "transpose",
        "matmul",
    ]


def test_what_does_not_reach_the_result_is_not_walked():
    def f(x):
        np.exp(np.sin(x))
        return x * 2.0

    assert gradient_graph(f, 3.0) == [
        "v1 = sin(v0)",
        "v2 = exp(v1)",
        "v3 = multiply(v0, 2.0)",
        "outputs: v3, 2.0",
    ]


def test_an_absent_cotangent_forms_no_term():
    """The gradient of eigenvalues alone contains no difference of eigenvalues."""
    lines = gradient_graph(lambda a: np.sum(np.linalg.eigh(a)[0]), np.diag([1.0, 1.0]))
    assert not [line for line in lines if "divide" in line or "where" in line]


def test_the_contributions_come_in_the_order_of_the_inputs():
    recording = record(lambda x, y: x / y, (6.0, 3.0), {})
    (node,) = recording.graph.nodes
    found = reverse.walk([(node, *recording.saved(node))], {(node, 0): np.float64(1.0)})
    assert list(found) == list(node.inputs)
    assert [float(g) for g in found.values()] == [1 / 3, -2 / 3]


def test_a_recording_is_walked_like_a_tape():
    def f(x, y):
        return np.sin(x * y) / y

    recording = record(f, (2.0, 3.0), {})
    (out,) = recording.graph.outputs
    cotangents = reverse.reverse(recording.backwards(), {out: np.float64(1.0)})
    walked = [float(cotangents[node, 0]) for node in recording.graph.inputs]
    assert walked == [float(g) for g in cr.grad(f, (0, 1))(2.0, 3.0)]


def test_the_main_idea_fits_on_one_screen():
    """Lines of code of passes/reverse.py, without blank lines, comments and docstrings."""
    source = Path(inspect.getfile(reverse)).read_text(encoding="utf-8")
    written = {
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    }
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    for scope in ast.walk(ast.parse(source)):
        if isinstance(scope, documented) and ast.get_docstring(scope) is not None:
            text = scope.body[0]
            written -= set(range(text.lineno, text.end_lineno + 1))
    assert 10 < len(written) < 60
