"""The checker of nodes is itself checked: wrong nodes must be caught, each for its own fault."""

import math

import numpy as np
import pytest

from chainrule.classroom import (
    ComputationNode,
    Exp,
    Leaf,
    Matmul,
    Mul,
    check_node,
    forward_algorithm,
)


class Cube(ComputationNode):
    def forward(self):
        self.result = self.input(0) ** 3

    def backward(self):
        return [self.gradient * 3 * self.input(0) ** 2]


class SlightlyOff(Cube):
    def backward(self):
        return [self.gradient * 3.0015 * self.input(0) ** 2]


class IgnoresUpstream(Cube):
    def backward(self):
        return [3 * self.input(0) ** 2]


class WrongPower(Cube):
    def backward(self):
        return [self.gradient * 3 * self.input(0)]


class BakesItsInput(Cube):
    """Right at first order; the number in the gradient is a constant for the second."""

    def backward(self):
        return [self.gradient * 3 * self.input_nodes[0].result ** 2]


class BakesItsResult(Exp):
    """The homework's Exp: right at first order, and the second derivative reads like sinh."""

    def backward(self):
        return [self.gradient * self.result]


class BakesTheUpstream(Cube):
    """Right in value, and no longer dependent on what comes from upstream."""

    def backward(self):
        g = self.gradient
        number = forward_algorithm(g).result if isinstance(g, ComputationNode) else g
        return [number * 3 * self.input(0) ** 2]


class NumbersOnly(ComputationNode):
    def forward(self):
        self.result = math.sin(self.input(0))

    def backward(self):
        return [self.gradient * math.cos(self.input(0))]


class SwappedMatmul(Matmul):
    """Transposes forgotten: right shapes for square matrices, wrong numbers."""

    def backward(self):
        return [self.gradient @ self.input(1), self.input(0) @ self.gradient]


class OneSided(Mul):
    def backward(self):
        return [super().backward()[0], None]


class OneEntryOff(Cube):
    def backward(self):
        mask = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.001]])
        return [self.gradient * 3 * self.input(0) ** 2 * mask]


class SquaresTheUpstream(Cube):
    def backward(self):
        return [self.gradient * self.gradient * 3 * self.input(0) ** 2]


def test_a_right_node_passes_and_says_so():
    report = check_node(Cube, [np.array([0.5, -1.0, 2.0])])
    assert report.ok is True
    assert bool(report) is True
    assert str(report) == "Cube.backward is right at first and second order: 12 entries agree."
    assert repr(report) == str(report)


@pytest.mark.parametrize(
    ("node", "inputs"),
    [
        (SlightlyOff, [1.7]),
        (SlightlyOff, [np.array([0.3, -20.0])]),
        (IgnoresUpstream, [1.7]),
        (WrongPower, [1.7]),
        (SquaresTheUpstream, [1.7]),
        (SwappedMatmul, [np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.5, 1.0], [2.0, 4.0]])]),
    ],
)
def test_wrong_at_first_order(node, inputs):
    report = check_node(node, inputs)
    assert not report.ok
    assert not report
    assert all(problem.startswith("first order, input") for problem in report.problems)


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        (BakesItsInput, "second order, input 0"),
        (BakesItsResult, "second order, input 0"),
        (BakesTheUpstream, "second order, the upstream gradient"),
    ],
)
def test_right_at_first_order_and_wrong_at_second(node, fault):
    assert check_node(node, [1.7], order=1).ok
    report = check_node(node, [1.7])
    assert not report.ok
    assert all(problem.startswith(fault) for problem in report.problems)


def test_a_backward_for_numbers_only_is_named_at_second_order():
    report = check_node(NumbersOnly, [1.2], order=1)
    assert str(report) == "NumbersOnly.backward is right at first order: 1 entries agree."
    (problem,) = check_node(NumbersOnly, [1.2]).problems
    assert problem.startswith("second order: inside build_graph() it raised TypeError")


def test_the_wrong_entry_is_named_with_its_error():
    x = np.array([[0.5, 1.0, 1.5], [2.0, 2.5, 3.0]])
    report = check_node(OneEntryOff, [x])
    upstream = np.random.default_rng(7).uniform(1.0, 2.0, size=(2, 3))[1, 2]
    (problem,) = report.problems
    assert problem.startswith("first order, input 0, entry 1, 2: it gives ")
    assert f"({upstream * 27 * 0.001:g} too much)" in problem


def test_a_missing_gradient_is_wrong_for_its_input_only():
    report = check_node(OneSided, [2.0, np.array([1.0, 3.0])])
    assert [problem[:21] for problem in report.problems] == ["first order, input 1,"] * 2


def test_a_wrong_number_or_shape_of_gradients_is_reported():
    class Twice(Cube):
        def backward(self):
            return [self.gradient, self.gradient]

    class Flat(Cube):
        def backward(self):
            return [self.gradient.reshape(-1)]

    assert "must return a list of 1" in str(check_node(Twice, [1.0]))
    assert "a gradient of shape (4,)" in str(check_node(Flat, [np.ones((2, 2))]))


def test_long_reports_are_cut():
    report = check_node(WrongPower, [np.linspace(2.0, 3.0, 20)])
    assert len(report.problems) == 20
    assert str(report).endswith("... and 12 more.")


def test_tensors_are_checked_in_double_precision(peer):
    torch = peer("torch")

    class Sine(ComputationNode):
        def forward(self):
            self.result = torch.sin(self.input(0))

        def backward(self):
            return [self.gradient * torch.cos(self.input(0))]

    class Off(Sine):
        def backward(self):
            return [self.gradient * 1.0005 * torch.cos(self.input(0))]

    inputs = [torch.tensor([[0.1, 0.2], [1.0, -2.0]])]
    assert check_node(Sine, inputs, order=1).ok
    assert len(check_node(Off, inputs, order=1).problems) == 4
    assert check_node(Exp, inputs).ok
    assert check_node(BakesItsResult, inputs).ok is False


def test_other_upstream_gradients_can_be_drawn():
    reports = {str(check_node(SlightlyOff, [1.7], rng=np.random.default_rng(i))) for i in range(2)}
    assert len(reports) == 2


def test_inputs_are_left_as_they_are():
    x = np.array([1.0, 2.0])
    check_node(Cube, [x])
    assert x.tolist() == [1.0, 2.0]
    assert Leaf(x).value is x
