"""Each kind of node: results, gradients, shapes, operators, and what it refuses."""

import math
import operator

import numpy as np
import pytest

from chainrule.classroom import (
    Add,
    ComputationNode,
    Exp,
    IntPow,
    Leaf,
    Matexpand,
    Matmul,
    Matsum,
    Mean,
    Mul,
    Negate,
    Transpose,
    backward_algorithm,
    build_graph,
    check_node,
    forward_algorithm,
)
from chainrule.errors import (
    ChainruleError,
    NodeLookupError,
    NodeTypeError,
    NodeUnfinishedError,
    NodeValueError,
)


def gradients(graph, *leaves, one=1.0):
    backward_algorithm(forward_algorithm(graph), one=one)
    return [leaf.gradient for leaf in leaves]


def uniform(*shape):
    return np.linspace(0.5, 1.7, math.prod(shape)).reshape(shape)


NODES = {
    "negate": (Negate, [uniform(3)]),
    "exp of a number": (Exp, [0.5]),
    "exp of a matrix": (Exp, [uniform(2, 3)]),
    "mean": (Mean, [uniform(3), uniform(3)]),
    "mean, broadcast": (Mean, [uniform(2, 3), uniform(3)]),
    "add": (Add, [uniform(3), uniform(3)]),
    "add, a bias row": (Add, [uniform(4, 3), uniform(3)]),
    "add, a column and a row": (Add, [uniform(2, 1), uniform(1, 3)]),
    "add, a number": (Add, [2.0, uniform(2, 3)]),
    "mul": (Mul, [uniform(3), uniform(3)]),
    "mul, a number": (Mul, [2.0, uniform(2, 3)]),
    "mul, a column and a vector": (Mul, [uniform(2, 1), uniform(3)]),
    "quotient": (operator.truediv, [uniform(3), uniform(2, 3)]),
    "power -2": (lambda x: IntPow(x, -2), [uniform(3)]),
    "power 0": (lambda x: IntPow(x, 0), [uniform(3)]),
    "power 0 at 0": (lambda x: IntPow(x, 0), [0.0]),
    "power 1 at 0": (lambda x: IntPow(x, 1), [0.0]),
    "power 1": (lambda x: IntPow(x, 1), [uniform(3)]),
    "power 2 at 0": (lambda x: IntPow(x, 2), [0.0]),
    "power 5": (lambda x: IntPow(x, 5), [-uniform(3)]),
    "sum": (Matsum, [uniform(2, 3)]),
    "sum of columns": (lambda x: Matsum(x, (3,)), [uniform(2, 3)]),
    "sum of rows": (lambda x: Matsum(x, (2, 1)), [uniform(2, 3)]),
    "expand a number": (lambda x: Matexpand(x, (2, 3)), [2.0]),
    "expand a row": (lambda x: Matexpand(x, (2, 3)), [uniform(3)]),
    "expand a column": (lambda x: Matexpand(x, (2, 3)), [uniform(2, 1)]),
    "transpose": (Transpose, [uniform(2, 3)]),
    "matmul": (Matmul, [uniform(2, 3), uniform(3, 4)]),
    "matmul, matrix and vector": (Matmul, [uniform(2, 3), uniform(3)]),
    "matmul, vector and matrix": (Matmul, [uniform(3), uniform(3, 4)]),
    "matmul, two vectors": (Matmul, [uniform(3), uniform(3)]),
}


@pytest.mark.parametrize("case", NODES)
def test_backward_agrees_with_differences_twice(case):
    report = check_node(*NODES[case])
    assert report.ok, str(report)


@pytest.mark.parametrize("case", NODES)
def test_tensors_give_what_arrays_give(case, peer):
    torch = peer("torch")
    build, inputs = NODES[case]

    def run(make):
        leaves = [Leaf(make(value)) for value in inputs]
        graph = forward_algorithm(build(*leaves))
        total = forward_algorithm(graph.sum())
        backward_algorithm(total, one=make(1.0))
        return [graph.result, *(leaf.gradient for leaf in leaves)]

    arrays = run(np.asarray)
    tensors = run(lambda value: torch.tensor(np.asarray(value).tolist(), dtype=torch.float64))
    for array, tensor in zip(arrays, tensors, strict=True):
        assert isinstance(tensor, torch.Tensor)
        assert tuple(tensor.shape) == np.shape(array)
        # The two libraries round an exponential or a sum differently by a few ulp.
        np.testing.assert_allclose(tensor.tolist(), array, rtol=1e-14)


OPERATORS = {
    "x + 2": (lambda x: x + 2, lambda v: (v + 2, 1)),
    "2 + x": (lambda x: 2 + x, lambda v: (2 + v, 1)),
    "x - 2": (lambda x: x - 2, lambda v: (v - 2, 1)),
    "2 - x": (lambda x: 2 - x, lambda v: (2 - v, -1)),
    "x * 2": (lambda x: x * 2, lambda v: (2 * v, 2)),
    "2 * x": (lambda x: 2 * x, lambda v: (2 * v, 2)),
    "x / 2": (lambda x: x / 2, lambda v: (v / 2, 0.5)),
    "2 / x": (lambda x: 2 / x, lambda v: (2 / v, -2 / v**2)),
    "x ** 3": (lambda x: x**3, lambda v: (v**3, 3 * v**2)),
    "x ** -2": (lambda x: x**-2, lambda v: (v**-2, -2 * v**-3)),
    "x ** np.int64(2)": (lambda x: x ** np.int64(2), lambda v: (v**2, 2 * v)),
    "-x": (lambda x: -x, lambda v: (-v, -1)),
    "+x": (lambda x: +x, lambda v: (v, 1)),
    "x - x": (lambda x: x - x, lambda v: (0, 0)),
    "x * x": (lambda x: x * x, lambda v: (v * v, 2 * v)),
    "x / x": (lambda x: x / x, lambda v: (1, 0)),
    "x.exp()": (lambda x: x.exp(), lambda v: (math.exp(v), math.exp(v))),
    "x.sum()": (lambda x: x.sum(), lambda v: (v, 1)),
    "x.T": (lambda x: x.T, lambda v: (v, 1)),
    "np.float64(2) * x": (lambda x: np.float64(2) * x, lambda v: (2 * v, 2)),
    "np.float64(2) / x": (lambda x: np.float64(2) / x, lambda v: (2 / v, -2 / v**2)),
    "x - np.uint8(1)": (lambda x: x - np.uint8(1), lambda v: (v - 1, 1)),
}


@pytest.mark.parametrize("case", OPERATORS)
def test_operators_on_a_number(case):
    build, calculus = OPERATORS[case]
    x = Leaf(1.5, "x")
    graph = build(x)
    (gradient,) = gradients(graph, x)
    assert (graph.result, gradient) == pytest.approx(calculus(1.5), rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("symbol", ["add", "sub", "mul", "truediv", "matmul"])
def test_an_array_on_the_left_leaves_the_operation_to_the_node(symbol):
    constant, value = uniform(2, 2), uniform(2, 2) + 0.3
    graph = getattr(operator, symbol)(constant, Leaf(value, "x"))
    assert isinstance(graph, ComputationNode)
    expected = getattr(operator, symbol)(constant, value)
    # A quotient is computed as a product with a power, one rounding more.
    np.testing.assert_allclose(forward_algorithm(graph).result, expected, rtol=1e-15)


@pytest.mark.parametrize("symbol", ["add", "sub", "mul", "truediv", "matmul"])
def test_a_tensor_on_the_left_leaves_the_operation_to_the_node(symbol, peer):
    torch = peer("torch")
    constant, value = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.5, 2.0], [1.0, 8.0]])
    graph = getattr(operator, symbol)(constant, Leaf(value, "x"))
    expected = getattr(operator, symbol)(constant, value)
    assert torch.equal(forward_algorithm(graph).result, expected)


def test_a_constant_has_a_gradient_of_its_own_shape():
    x = Leaf(np.linspace(-2.0, 3.0, 25), "x")
    graph = (2 * x).sum()
    two = graph.input_nodes[0].input_nodes[0]
    (gradient,) = gradients(graph, two)
    assert np.shape(gradient) == ()
    assert gradient == pytest.approx(x.value.sum(), rel=1e-15)


def test_a_bias_row_collects_the_gradients_of_its_rows():
    x, bias = Leaf(uniform(4, 3), "x"), Leaf(np.zeros(3), "b")
    (gradient,) = gradients(((x + bias) ** 2).sum(), bias)
    np.testing.assert_allclose(gradient, 2 * x.value.sum(axis=0), rtol=1e-15)


@pytest.mark.parametrize("kind", [Add, Mul, Mean])
@pytest.mark.parametrize("building", [False, True])
def test_backward_by_hand_gives_each_input_a_gradient_of_its_shape(kind, building):
    node = forward_algorithm(kind(Leaf(uniform(3)), Leaf(uniform(2, 1))))
    with build_graph(building):
        node.gradient = Leaf(np.ones((2, 3))) if building else np.ones((2, 3))
        found = node.backward()
    if building:
        found = [forward_algorithm(gradient).result for gradient in found]
    assert [gradient.shape for gradient in found] == [(3,), (2, 1)]


def test_integer_arrays_compute_as_floats():
    x = Leaf(np.array([1, 2, 4], dtype=np.uint8), "x")
    graph = (-x + x**-1).sum()
    (gradient,) = gradients(graph, x)
    assert graph.result == -7 + 1.75
    assert gradient.tolist() == [-2.0, -1.25, -1.0625]


def test_float32_stays_float32():
    x = Leaf(np.array([1.0, 2.0], dtype=np.float32), "x")
    graph = (3 * x.exp() / 2 - 1).sum()
    (gradient,) = gradients(graph, x)
    assert gradient.dtype == graph.result.dtype == np.float32


def test_expand_to_a_shape_and_back():
    x = Leaf(2.0, "x")
    graph = x.expand((2, 3))
    (gradient,) = gradients(graph.sum(), x)
    np.testing.assert_array_equal(graph.result, np.full((2, 3), 2.0))
    assert gradient == 6.0


def test_a_leaf_may_change_its_value_between_passes():
    x = Leaf(2.0, "x")
    graph = x * x
    assert gradients(graph, x) == [4.0]
    x.value = 5.0
    assert gradients(graph, x) == [10.0]
    assert graph.result == 25.0


def test_get_finds_a_name_and_says_what_is_wrong():
    x, twin, y = Leaf(1.0, "x"), Leaf(2.0, "x"), Leaf(3.0, "y")
    graph = x * y
    assert graph.get("y") is y
    with pytest.raises(NodeLookupError, match=r"test_nodes.*no node is named 'z'.*: x, y\."):
        graph.get("z")
    with pytest.raises(LookupError, match=r"2 nodes are named 'x'"):
        (graph + twin).get("x")
    assert (x * x).get("x") is x


@pytest.mark.parametrize("value", [[1.0, 2.0], (1.0,), None, "1.0"])
def test_what_is_no_number_is_refused_where_it_is_written(value):
    with pytest.raises(NodeTypeError, match=r"test_nodes.*np\.array\(\.\.\.\)"):
        Leaf(value)
    with pytest.raises(NodeTypeError, match=r"test_nodes"):
        Leaf(1.0) - value


@pytest.mark.parametrize("power", [0.5, 2.0, "2", Leaf(2.0)])
def test_only_whole_powers(power):
    with pytest.raises(NodeTypeError, match=r"test_nodes.*whole number"):
        Leaf(2.0) ** power


def test_a_node_is_no_exponent():
    with pytest.raises(TypeError, match=r"test_nodes.*exp\(\)"):
        2 ** Leaf(3.0)


def test_the_number_of_inputs_is_checked():
    with pytest.raises(NodeTypeError, match=r"test_nodes.*Mean is computed from 2 input.* got 3"):
        Mean(1.0, 2.0, 3.0)


@pytest.mark.parametrize(("left", "right"), [((2, 3), (2, 3)), ((), (2,)), ((2, 2, 2), (2, 2))])
def test_matmul_names_shapes_that_do_not_fit(left, right):
    graph = Leaf(np.ones(left)) @ Leaf(np.ones(right))
    with pytest.raises(NodeValueError, match=r"test_nodes.*is no matrix product"):
        forward_algorithm(graph)


def test_transpose_of_more_than_a_matrix_is_refused():
    with pytest.raises(NodeValueError, match=r"only matrices.*\(2, 2, 2\)"):
        forward_algorithm(Leaf(np.ones((2, 2, 2))).T)


def test_shapes_that_do_not_broadcast_name_the_node_and_its_inputs():
    graph = Leaf(np.ones(2), "a") + Leaf(np.ones(3), "b")
    with pytest.raises(ValueError, match=r"broadcast") as caught:
        forward_algorithm(graph)
    (note,) = caught.value.__notes__
    assert "forward() of Add, made at test_nodes.py:" in note
    assert "Leaf a of shape (2,), Leaf b of shape (3,)" in note


def test_the_base_class_asks_for_forward_and_backward():
    node = ComputationNode(1.0)
    with pytest.raises(NodeUnfinishedError, match=r"ComputationNode .*must define forward"):
        node.forward()
    with pytest.raises(NotImplementedError, match=r"must define backward"):
        node.backward()


def test_forward_by_hand_needs_the_inputs_first():
    x = Leaf(2.0, "x")
    square = x**2
    with pytest.raises(NodeValueError, match=r"input 0 of IntPow .* is Leaf x, has no result yet"):
        square.forward()
    x.forward()
    square.forward()
    square.gradient = 1.0
    assert square.backward() == [4.0]
    assert issubclass(NodeValueError, ChainruleError)


def test_under_build_graph_inputs_and_outputs_are_nodes():
    x = Leaf(2.0, "x")
    graph = forward_algorithm(x.exp())
    assert (graph.input(0), graph.output()) == (2.0, math.exp(2.0))
    with build_graph():
        assert graph.input(0) is x
        assert graph.output() is graph
