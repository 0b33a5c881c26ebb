"""CS7150 homework, "Backpropagation": every worked example, cell and number, by its place."""

import math
import re
import tracemalloc

import numpy as np
import pytest

from chainrule.classroom import (
    ComputationNode,
    Exp,
    Leaf,
    Matmul,
    Mean,
    Negate,
    backward_algorithm,
    build_graph,
    forward_algorithm,
)

COSH_FORWARD = """\
Mean result=1.25 gradient=None
  Exp result=2.0 gradient=None
    Leaf x result=0.6931471805599453 gradient=None
  Exp result=0.5 gradient=None
    Negate result=-0.6931471805599453 gradient=None
      Leaf x @[3]"""

COSH_BACKWARD = """\
Mean result=1.25 gradient=1.0
  Exp result=2.0 gradient=0.5
    Leaf x result=0.6931471805599453 gradient=0.75
  Exp result=0.5 gradient=0.5
    Negate result=-0.6931471805599453 gradient=0.25
      Leaf x @[3]"""

TANH = """\
Mul result=0.6000000000000001 gradient=1.0
  Add result=1.5 gradient=0.4
    Exp result=2.0 gradient=0.16000000000000003
      Leaf x result=0.6931471805599453 gradient=0.6400000000000001
    Negate result=-0.5 gradient=0.4
      Exp result=0.5 gradient=-0.64
        Negate result=-0.6931471805599453 gradient=-0.32
          Leaf x @[4]
  IntPow result=0.4 gradient=1.5
    Add result=2.5 gradient=-0.24
      Exp @[3]
      Exp @[6]"""

# A handful of roundings of numbers of size one.
ROUNDING = 1e-14


class Copy(ComputationNode):
    """One use of a value, made visible: the homework's "copy" operation."""

    def forward(self):
        self.result = self.input(0)

    def backward(self):
        return [self.gradient]


def cosh(x):
    return Mean(Exp(x), Exp(-x))


def tanh(x):
    expx = Exp(x)
    expnx = Exp(-x)
    return (expx - expnx) / (expx + expnx)


def polynomial(x):
    return x**4 - 2 * x**3 + 3 * x**2 - 4 * x + 5


def derivatives(y, x, order):
    """The results of y and of its derivatives by x up to `order`, each built from the last."""
    found = [forward_algorithm(y).result]
    for _ in range(order):
        total = forward_algorithm(y.sum())
        with build_graph():
            backward_algorithm(total, one=Leaf(1.0))
        y = x.gradient
        found.append(forward_algorithm(y).result)
    return found


def cosh_by_hand():
    """The graph of exercise 2.1: x goes through two copies, a and c."""
    x = Leaf(math.log(2), "x")
    a, c = Copy(x, name="a"), Copy(x, name="c")
    d = Negate(c, name="d")
    return Mean(Exp(a, name="b"), Exp(d, name="e"), name="z")


def test_exercise_2_1_forward_pass():
    z = forward_algorithm(cosh_by_hand())
    results = {name: z.get(name).result for name in "abcdez"}
    expected = {"a": math.log(2), "b": 2, "c": math.log(2), "d": math.log(0.5), "e": 0.5, "z": 1.25}
    assert results == pytest.approx(expected, abs=ROUNDING)


def test_exercise_2_1_backward_pass():
    z = backward_algorithm(forward_algorithm(cosh_by_hand()))
    gradients = {name: z.get(name).gradient for name in "zedcbax"}
    expected = {"z": 1, "e": 0.5, "d": 0.25, "c": -0.25, "b": 0.5, "a": 1, "x": 0.75}
    assert gradients == pytest.approx(expected, abs=ROUNDING)
    assert gradients["x"] == pytest.approx(math.sinh(math.log(2)), abs=ROUNDING)


def test_exercise_2_1_the_two_uses_of_x_add_up():
    z = backward_algorithm(forward_algorithm(cosh_by_hand()))
    first, second, both = (z.get(name).gradient for name in "acx")
    assert (first, second) == pytest.approx((1, -0.25), abs=ROUNDING)
    assert both == first + second == pytest.approx(0.75, abs=ROUNDING)


def test_step_1_the_printed_forward_tree():
    x = Leaf(math.log(2), "x")
    cosh_x = Mean(Exp(x), Exp(-x))
    assert str(forward_algorithm(cosh_x)) == COSH_FORWARD
    assert cosh_x.result == 1.25


def test_step_2_the_printed_backward_tree():
    x = Leaf(math.log(2), "x")
    cosh_x = forward_algorithm(Mean(Exp(x), Exp(-x)))
    assert str(backward_algorithm(cosh_x)) == COSH_BACKWARD
    assert x.gradient == 0.75


def test_step_3_the_printed_tanh_tree():
    x = Leaf(math.log(2), "x")
    tanh_x = tanh(x)
    forward_algorithm(tanh_x)
    backward_algorithm(tanh_x)
    assert str(tanh_x) == TANH
    assert x.gradient == 0.6400000000000001


def test_step_3_the_gradient_is_one_minus_the_square():
    x = Leaf(math.log(2), "x")
    tanh_x = backward_algorithm(forward_algorithm(tanh(x)))
    assert tanh_x.result == pytest.approx(math.tanh(math.log(2)), abs=ROUNDING)
    assert x.gradient == pytest.approx(1 - math.tanh(math.log(2)) ** 2, abs=ROUNDING)


def test_step_3_each_exponential_is_one_node_used_twice():
    graph = tanh(Leaf(math.log(2), "x"))
    assert sum(type(node) is Exp for node in graph.sorted_nodes()) == 2


def test_step_4_polynomial_and_slope_on_an_array():
    xx = Leaf(np.linspace(-2.0, 3.0, 25), "x")
    yy = polynomial(xx)
    backward_algorithm(forward_algorithm(yy.sum()))
    x = xx.value
    assert yy.result[[0, -1]].tolist() == [57.0, 47.0]
    assert xx.gradient[[0, -1]].tolist() == [-72.0, 68.0]
    slope = 4 * x**3 - 6 * x**2 + 6 * x - 4
    np.testing.assert_allclose(xx.gradient, slope, rtol=0, atol=72 * ROUNDING)


def test_step_4_as_typed_with_tensors(peer):
    torch = peer("torch")
    xx = Leaf(torch.linspace(-2.0, 3.0, 25), "x")
    yy = polynomial(xx)
    ysum = yy.sum()
    forward_algorithm(ysum)
    backward_algorithm(ysum, one=torch.tensor(1.0))
    twin = torch.linspace(-2.0, 3.0, 25, requires_grad=True)
    polynomial(twin).sum().backward()
    assert (yy.result[0], yy.result[-1]) == (57.0, 47.0)
    assert (xx.gradient[0], xx.gradient[-1]) == (-72.0, 68.0)
    # float32: a few roundings of terms up to 72 on each side.
    torch.testing.assert_close(xx.gradient, twin.grad, rtol=0, atol=3e-5)


def test_step_5_higher_orders_as_typed_with_tensors(peer):
    torch = peer("torch")
    xx = Leaf(torch.linspace(-2.0, 3.0, 25), "x")
    yy = polynomial(xx)
    ysum = yy.sum()
    forward_algorithm(ysum)

    with build_graph():
        backward_algorithm(ysum, one=Leaf(torch.tensor(1.0)))
    dydx = xx.gradient
    dysum = dydx.sum()
    forward_algorithm(dysum)

    with build_graph():
        backward_algorithm(dysum, one=Leaf(torch.tensor(1.0)))
    d2yd2x = xx.gradient
    d2ysum = d2yd2x.sum()
    forward_algorithm(d2ysum)

    with build_graph():
        backward_algorithm(d2ysum, one=Leaf(torch.tensor(1.0)))
    d3yd3x = xx.gradient
    d3ysum = d3yd3x.sum()
    forward_algorithm(d3ysum)

    ends = [(float(y.result[0]), float(y.result[-1])) for y in (yy, dydx, d2yd2x, d3yd3x)]
    assert ends == [(57.0, 47.0), (-72.0, 68.0), (78.0, 78.0), (-60.0, 60.0)]
    x = xx.value
    torch.testing.assert_close(d2yd2x.result, 12 * x**2 - 12 * x + 6, rtol=0, atol=3e-5)
    torch.testing.assert_close(d3yd3x.result, 24 * x - 12, rtol=0, atol=3e-5)


@pytest.mark.parametrize(
    ("place", "expected"),
    [(-2.0, [57, -72, 78, -60, 24, 0, 0]), (3.0, [47, 68, 78, 60, 24, 0, 0])],
)
def test_step_5_the_polynomial_at_its_ends(place, expected):
    x = Leaf(place, "x")
    assert derivatives(polynomial(x), x, 6) == expected


def test_step_5_cosh_at_every_order():
    x = Leaf(math.log(2), "x")
    found = derivatives(cosh(x), x, 3)
    assert found == pytest.approx([1.25, 0.75, 1.25, 0.75], abs=ROUNDING)


def test_step_5_tanh_at_every_order():
    x = Leaf(math.log(2), "x")
    found = derivatives(tanh(x), x, 3)
    t = 0.6
    slope = 1 - t**2
    by_calculus = [t, slope, -2 * t * slope, -2 * slope * (1 - 3 * t**2)]
    assert by_calculus == pytest.approx([0.6, 0.64, -0.768, 0.1024], abs=ROUNDING)
    assert found == pytest.approx(by_calculus, abs=10 * ROUNDING)


def test_step_5_a_square_differentiated_three_times_at_zero():
    x = Leaf(0.0, "x")
    assert derivatives(x**2, x, 3) == [0.0, 0.0, 2.0, 0.0]


@pytest.mark.parametrize("value", [2.0, np.array([1.0, -2.0, 0.0])])
def test_step_5_the_second_derivative_of_3x_is_zero(value):
    x = Leaf(value, "x")
    found = derivatives(3 * x, x, 2)
    np.testing.assert_array_equal(found[1], np.full(np.shape(value), 3.0))
    np.testing.assert_array_equal(found[2], np.zeros(np.shape(value)))


def matrices(make):
    return [
        Leaf(make(d), name)
        for name, d in [
            ("A", [[1.0, 1.0], [0.0, 1.0]]),
            ("B", [[1.0, 2.0, 1.0], [0.0, 1.0, 1.0]]),
            ("C", [[3.0, 0.0, 1.0], [1.0, 2.0, 3.0]]),
        ]
    ]


STEP_6 = {
    "A": [[10.0, 8.0], [-10.0, -6.0]],
    "B": [[-4.0, 6.0, 2.0], [-6.0, 4.0, -2.0]],
    "C": [[4.0, -6.0, -2.0], [2.0, 2.0, 4.0]],
}


def test_step_6_matrix_loss_and_gradients():
    A, B, C = matrices(np.array)
    loss = ((A @ B - C) ** 2).sum()
    backward_algorithm(forward_algorithm(loss))
    assert loss.result == 20.0
    assert {leaf.name: leaf.gradient.tolist() for leaf in (A, B, C)} == STEP_6
    residual = A.value @ B.value - C.value
    np.testing.assert_array_equal(A.gradient, 2 * residual @ B.value.T)
    np.testing.assert_array_equal(B.gradient, 2 * A.value.T @ residual)


def test_step_6_as_typed_with_tensors(peer):
    torch = peer("torch")
    A, B, C = matrices(lambda d: torch.tensor(d, requires_grad=True))
    loss = ((A @ B - C) ** 2).sum()

    forward_algorithm(loss)
    with torch.no_grad():
        backward_algorithm(loss, one=torch.tensor(1.0))

    loss.result.backward()

    def despace(s):
        return re.sub(r"\s*", "", str(s))

    for name, param in zip("ABC", [A, B, C], strict=True):
        assert despace(param.gradient) == despace(param.value.grad)
        assert f"{(param.value.grad - param.gradient).norm()}" == "0.0"
        assert param.gradient.tolist() == STEP_6[name]


def test_step_6_second_order_through_non_square_matrices(peer, rng):
    torch = peer("torch")
    shapes = {"A": (2, 3), "B": (3, 4), "C": (2, 4)}
    entries = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    directions = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    leaves = {name: Leaf(value, name) for name, value in entries.items()}
    loss = ((leaves["A"] @ leaves["B"] - leaves["C"]) ** 2).sum()
    forward_algorithm(loss)
    with build_graph():
        backward_algorithm(loss)
    slope = sum((leaf.gradient * directions[name]).sum() for name, leaf in leaves.items())
    backward_algorithm(forward_algorithm(slope))

    twins = {name: torch.tensor(value, requires_grad=True) for name, value in entries.items()}
    twin_loss = ((twins["A"] @ twins["B"] - twins["C"]) ** 2).sum()
    firsts = torch.autograd.grad(twin_loss, list(twins.values()), create_graph=True)
    pairs = zip(firsts, directions.values(), strict=True)
    sum((first * torch.tensor(direction)).sum() for first, direction in pairs).backward()
    for name, leaf in leaves.items():
        # Sums of at most 24 products of numbers of size one.
        np.testing.assert_allclose(leaf.gradient, twins[name].grad.numpy(), rtol=1e-12, atol=1e-12)


def network(rng, n, d, b):
    """The network of exercise 2.3: n layers z = W x, squared entry by entry, and a summed loss."""
    weights = [Leaf(rng.normal(size=(d, d)) / d, f"W{i}") for i in range(n)]
    x = Leaf(rng.normal(size=(d, b)), "x1")
    for W in weights:
        x = (W @ x) ** 2
    return weights, x.sum()


def products(nodes):
    """Scalar multiplications in all matrix products among the nodes."""
    pairs = [[child.shape for child in node.input_nodes] for node in nodes if type(node) is Matmul]
    return sum(left[0] * left[1] * right[1] for left, right in pairs)


def test_exercise_2_3_time(rng):
    n, d, b = 5, 3, 2
    weights, loss = network(rng, n, d, b)
    forward = forward_algorithm(loss).sorted_nodes()
    with build_graph():
        backward_algorithm(loss)

    def extra(leaves):
        seen = set(forward)
        return [node for W in leaves for node in W.gradient.sorted_nodes(seen)]

    for W in weights:
        forward_algorithm(W.gradient)
    assert products(forward) == n * b * d**2  # T_run and T_forward
    assert products(extra(weights)) == (2 * n - 1) * b * d**2  # T_backward
    assert products(extra(weights[:1])) == n * b * d**2  # T_backward-for-W1: still every layer


def peak_bytes(work):
    tracemalloc.start()
    try:
        kept = work()
        return tracemalloc.get_traced_memory()[1], kept
    finally:
        tracemalloc.stop()


def test_exercise_2_3_memory_of_inference_does_not_grow_with_depth(rng):
    """The text answers O(nbd) for M_run; without gradients each activation is dropped: O(bd)."""
    d = b = 64
    run, kept_by_graph = {}, {}
    for n in (8, 64):
        weights, loss = network(rng, n, d, b)
        first = loss.get("x1").value

        def infer(weights=weights, first=first):
            x = first
            for W in weights:
                x = (W.value @ x) ** 2
            return x.sum()

        run[n], value = peak_bytes(infer)
        kept_by_graph[n], _ = peak_bytes(lambda loss=loss: forward_algorithm(loss))
        assert loss.result == pytest.approx(value, rel=1e-12)
    assert run[64] < 1.1 * run[8] < 4 * d * b * 8
    assert kept_by_graph[64] > 6 * kept_by_graph[8]  # M_forward = O(nbd)


def test_exercise_2_3_memory_of_gradients(rng):
    n, d, b = 6, 5, 3
    weights, loss = network(rng, n, d, b)
    backward_algorithm(forward_algorithm(loss))
    kept = [node for node in loss.sorted_nodes() if not isinstance(node, Leaf)]
    activations = sum(node.result.size for node in kept)
    assert activations == 2 * n * b * d + 1  # M_forward: z and its square, and the loss
    assert sum(W.gradient.size for W in weights) == n * d**2  # M_backward adds n d² to it
    assert weights[0].gradient.size == d**2  # M_backward-for-W1 adds only d²
