"""The two passes: order of visits, accumulation, higher orders, and what must come first."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.classroom import (
    ComputationNode,
    Exp,
    IntPow,
    Leaf,
    Mean,
    backward_algorithm,
    build_graph,
    forward_algorithm,
)
from chainrule.errors import NodeTypeError, NodeValueError


class Sin(ComputationNode):
    """A student's own node, differentiable as often as one likes."""

    def forward(self):
        self.result = math.sin(self.input(0))

    def backward(self):
        return [self.gradient * cos(self.input(0))]


class Cos(ComputationNode):
    def forward(self):
        self.result = math.cos(self.input(0))

    def backward(self):
        return [-(self.gradient * sin(self.input(0)))]


def sin(x):
    return Sin(x) if is_node(x) else math.sin(x)


def cos(x):
    return Cos(x) if is_node(x) else math.cos(x)


class PrintedMul(ComputationNode):
    """The homework's Mul as it is printed, which leaves broadcasts to somebody else."""

    def forward(self):
        self.result = self.input(0) * self.input(1)

    def backward(self):
        return [self.gradient * self.input(1), self.gradient * self.input(0)]


def is_node(value):
    return isinstance(value, ComputationNode)


def recursive_order(node, seen):
    """The homework's own sorted_nodes."""
    nodes = []
    if node not in seen:
        seen.add(node)
        for child in node.input_nodes:
            nodes.extend(recursive_order(child, seen))
        nodes.append(node)
    return nodes


def grow(steps):
    """A graph of tame values from a list of (kind, first, second): each step may reuse all."""
    nodes = [Leaf(0.7, "x"), Leaf(np.array([0.4, -0.9]), "y"), Leaf(-1.1, "z")]
    for kind, first, second in steps:
        a, b = nodes[first % len(nodes)], nodes[second % len(nodes)]
        made = [a + b, a * b * 0.5, Mean(a, b), -a, Exp(a * 0.1 - 0.5), (a * 0.5) ** 2, a - b / 2]
        nodes.append(made[kind])
    return nodes


PROGRAMS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12
)


@given(PROGRAMS)
def test_nodes_come_in_the_order_of_the_homework(steps):
    graph = grow(steps)[-1]
    assert graph.sorted_nodes() == recursive_order(graph, set())


@given(PROGRAMS)
def test_gradients_agree_with_a_complex_step(steps):
    nodes = grow(steps)
    total = nodes[-1].sum()
    backward_algorithm(forward_algorithm(total))
    reached = set(total.sorted_nodes())
    for leaf in nodes[:3]:
        if leaf not in reached:
            assert leaf.gradient is None
            continue
        value, found = leaf.value, leaf.gradient
        for index in np.ndindex(np.shape(value)):
            step = np.zeros(np.shape(value), complex)
            step[index] = 1e-30j
            leaf.value = value + step[()]
            expected = np.imag(forward_algorithm(total).result) / 1e-30
            # The step itself is exact; up to 12 steps round sums of values of size one.
            assert np.asarray(found)[index] == pytest.approx(expected, rel=1e-10, abs=1e-12)
        leaf.value = value


@given(PROGRAMS)
def test_second_derivatives_agree_with_differences_of_the_first(steps):
    nodes = grow(steps)
    x, total = nodes[0], nodes[-1].sum()

    def slope(value):
        x.value = value
        backward_algorithm(forward_algorithm(total))
        return x.gradient

    if x not in total.sorted_nodes():
        return
    h = 1e-5
    expected = (slope(0.7 + h) - slope(0.7 - h)) / (2 * h)
    slope(0.7)
    with build_graph():
        backward_algorithm(total)
    backward_algorithm(forward_algorithm(x.gradient))
    # Truncation h² f''' / 6 and rounding eps / h, both near 1e-10 of the scale.
    assert x.gradient == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_each_node_steps_backward_once():
    calls = []

    class Counted(IntPow):
        def backward(self):
            calls.append(self)
            return super().backward()

    x = Leaf(1.1, "x")
    shared = Counted(x, 2)
    graph = shared * shared + shared
    backward_algorithm(forward_algorithm(graph))
    assert calls == [shared]
    assert x.gradient == pytest.approx(4 * 1.1**3 + 2 * 1.1, rel=1e-15)


def test_a_graph_with_two_to_the_thousandth_paths():
    x = Leaf(1.0, "x")
    y = x
    for _ in range(1000):
        y = (y + y) * 0.5
    backward_algorithm(forward_algorithm(y))
    assert x.gradient == 1.0


def test_a_second_pass_starts_from_nothing():
    x = Leaf(3.0, "x")
    graph = forward_algorithm(x * x)
    backward_algorithm(graph)
    backward_algorithm(graph)
    assert x.gradient == 6.0


def test_graphs_that_are_not_derived_keep_their_gradients():
    x, w = Leaf(3.0, "x"), Leaf(5.0, "w")
    backward_algorithm(forward_algorithm(x * x))
    backward_algorithm(forward_algorithm(w * 2))
    assert (x.gradient, w.gradient) == (6.0, 2)


@pytest.mark.parametrize("seed", [1.0, Leaf(1.0)])
def test_a_variable_that_dropped_out_has_the_gradient_zero(seed):
    x = Leaf(np.array([1.0, 2.0]), "x")
    inner = x * 3
    graph = forward_algorithm((inner + 1).sum())
    for expected in (3.0, 0.0, 0.0):
        with build_graph():
            backward_algorithm(graph, one=seed)
        slope = x.gradient
        graph = forward_algorithm(slope.sum())
        np.testing.assert_array_equal(slope.result, np.full(2, expected))
    backward_algorithm(graph)
    np.testing.assert_array_equal(x.gradient, np.zeros(2))
    np.testing.assert_array_equal(inner.gradient, np.zeros(2))


def test_a_seed_used_for_two_graphs_does_not_mix_them_up():
    x, w, one = Leaf(2.0, "x"), Leaf(5.0, "w"), Leaf(1.0)
    first, second = forward_algorithm(x + 3), forward_algorithm(w + 4)
    with build_graph():
        backward_algorithm(first, one=one)
        backward_algorithm(second, one=one)
    backward_algorithm(forward_algorithm(x.gradient * 7))
    assert x.gradient == 0.0
    assert forward_algorithm(w.gradient).result == 1.0


def test_differentiating_by_the_seed_gives_the_derivative_along_a_direction():
    x, u = Leaf(np.array([1.0, 2.0, 3.0]), "x"), Leaf(np.zeros(3), "u")
    graph = forward_algorithm(x**3)
    with build_graph():
        backward_algorithm(graph, one=u)
    direction = np.array([1.0, 0.0, -1.0])
    backward_algorithm(forward_algorithm((x.gradient * direction).sum()))
    np.testing.assert_array_equal(u.gradient, 3 * x.value**2 * direction)


def test_a_single_one_stands_for_every_entry():
    x = Leaf(np.array([1.0, 2.0, 3.0]), "x")
    backward_algorithm(forward_algorithm(x * x + 1))
    np.testing.assert_array_equal(x.gradient, 2 * x.value)
    backward_algorithm(forward_algorithm(x * x), one=np.array([1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(x.gradient, [2.0, 0.0, 0.0])


def test_a_node_of_ones_own_works_at_every_order():
    x = Leaf(0.3, "x")
    y = Sin(x * x)
    found = [forward_algorithm(y).result]
    for _ in range(2):
        with build_graph():
            backward_algorithm(y)
        y = x.gradient
        found.append(forward_algorithm(y).result)
    s, c = math.sin(0.09), math.cos(0.09)
    assert found == pytest.approx([s, 0.6 * c, 2 * c - 0.36 * s], rel=1e-14)


@pytest.mark.parametrize("building", [False, True])
def test_a_printed_node_gets_its_broadcasts_undone(building):
    two, x = Leaf(2.0, "two"), Leaf(np.array([1.0, 2.0, 3.0]), "x")
    graph = forward_algorithm(PrintedMul(two, x).sum())
    with build_graph(building):
        backward_algorithm(graph)
    found = [leaf.gradient for leaf in (two, x)]
    if building:
        found = [forward_algorithm(gradient).result for gradient in found]
    assert found[0] == 6.0
    assert np.shape(found[0]) == ()
    np.testing.assert_array_equal(found[1], [2.0, 2.0, 2.0])


def test_none_means_that_an_input_gets_nothing():
    class Stop(ComputationNode):
        def forward(self):
            self.result = self.input(0)

        def backward(self):
            return [None]

    x = Leaf(2.0, "x")
    backward_algorithm(forward_algorithm(Stop(x**2) + 5 * x))
    assert x.gradient == 5.0


def test_a_number_returned_while_a_graph_is_built_becomes_a_leaf():
    class Two(ComputationNode):
        def forward(self):
            self.result = 2 * self.input(0)

        def backward(self):
            return [2.0]

    x = Leaf(1.0, "x")
    graph = forward_algorithm(Two(x))
    with build_graph():
        backward_algorithm(graph)
    assert forward_algorithm(x.gradient).result == 2.0


def test_forward_always_gives_numbers():
    x = Leaf(2.0, "x")
    with build_graph():
        assert forward_algorithm(x * x).result == 4.0


def test_build_graph_ends_with_its_block():
    x = Leaf(2.0, "x")
    graph = forward_algorithm(x * x)

    def fail():
        with build_graph() as before:
            assert before is False
            with build_graph(False) as inner:
                assert inner is True
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    backward_algorithm(graph)
    assert x.gradient == 4.0


def test_backward_before_forward_is_a_sentence():
    with pytest.raises(NodeValueError, match=r"test_algorithms.*forward_algorithm\(graph\) before"):
        backward_algorithm(Leaf(2.0, "x") ** 2)


def test_a_node_as_seed_needs_build_graph():
    graph = forward_algorithm(Leaf(2.0, "x") ** 2)
    with pytest.raises(NodeTypeError, match=r"test_algorithms.*with build_graph\(\)"):
        backward_algorithm(graph, one=Leaf(1.0))


@pytest.mark.parametrize("one", [np.ones(2), Leaf(np.ones(2))])
def test_a_seed_of_another_shape_is_refused(one):
    graph = forward_algorithm(Leaf(np.ones(3), "x") ** 2)
    with (
        build_graph(is_node(one)),
        pytest.raises(NodeValueError, match=r"one has shape \(2,\) and the result \(3,\)"),
    ):
        backward_algorithm(graph, one=one)


class Broken(ComputationNode):
    """Doubles its input; what `backward` returns is chosen by each test."""

    returned = None

    def forward(self):
        self.result = 2 * self.input(0)

    def backward(self):
        return self.returned


@pytest.mark.parametrize("returned", [2.0, [], [1.0, 1.0], None])
def test_backward_must_return_one_gradient_per_input(returned):
    graph = forward_algorithm(Broken(1.0))
    graph.returned = returned
    with pytest.raises(NodeTypeError, match=r"Broken\.backward\(\) must return a list of 1"):
        backward_algorithm(graph)


def test_a_gradient_of_a_wrong_shape_names_the_node():
    graph = forward_algorithm(Broken(Leaf(np.ones((2, 3)), "x")))
    graph.returned = [np.ones((3, 2))]
    message = r"gives input 0 \(Leaf x\) a gradient of shape \(3, 2\).* has shape \(2, 3\)"
    with pytest.raises(NodeValueError, match=message):
        backward_algorithm(graph)


def test_forward_must_leave_a_result():
    class Forgetful(ComputationNode):
        def forward(self):
            return self.input(0)

    with pytest.raises(NodeValueError, match=r"Forgetful\.forward\(\) .*left no result"):
        forward_algorithm(Forgetful(1.0))
