"""Whether the `backward` of a node is right: compared with differences of its own `forward`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.classroom import values
from chainrule.classroom.algorithms import backward_algorithm, forward_algorithm
from chainrule.classroom.nodes import ComputationNode, Leaf
from chainrule.classroom.printing import build_graph
from chainrule.errors import ClassroomError

Array = np.ndarray[Any, np.dtype[np.float64]]
Builder = Callable[..., ComputationNode]

# A step of 1e-3 and Richardson's extrapolation leave an error near 1e-12 of the function's scale,
# by truncation and by rounding alike; the tolerance keeps well above it, and below 0.05 %.
_STEP = 1e-3
_RELATIVE = 1e-7
_SHOWN = 8

# What a backward made for numbers raises when it meets nodes.
_FAILURES = (TypeError, AttributeError, ValueError, LookupError, RuntimeError)


@dataclass(frozen=True)
class NodeReport:
    """What `check_node` found: `ok`, or one sentence per entry that is wrong."""

    node: str
    compared: int
    order: int
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if self.ok:
            orders = "at first and second order" if self.order == 2 else "at first order"
            return f"{self.node}.backward is right {orders}: {self.compared} entries agree."
        shown = list(self.problems[:_SHOWN])
        if len(self.problems) > _SHOWN:
            shown.append(f"... and {len(self.problems) - _SHOWN} more.")
        return "\n  ".join([f"{self.node}.backward is wrong:", *shown])

    __repr__ = __str__


def check_node(
    node_class: Builder,
    inputs: Sequence[Any],
    *,
    order: int = 2,
    rng: np.random.Generator | None = None,
) -> NodeReport:
    """Whether the backward of a kind of node agrees with central differences of its forward.

    `inputs` are the values of its inputs: numbers, arrays or tensors, taken in double precision.
    What needs more than inputs is given as a function, `lambda x: IntPow(x, 3)`. At second order
    the gradient built under `with build_graph():` must have the value of the plain one, and its
    own derivatives, also with respect to the upstream gradient, must agree with differences of
    it; `order=1` leaves this out. The upstream gradient is drawn from `rng`. Choose inputs away
    from kinks: there a difference is a mean of both sides.

    >>> from chainrule.classroom import Exp, IntPow
    >>> check_node(Exp, [np.array([0.5, -1.0])])
    Exp.backward is right at first and second order: 8 entries agree.
    >>> class Double(ComputationNode):
    ...     def forward(self):
    ...         self.result = 2 * self.input(0)
    ...
    ...     def backward(self):
    ...         return [3 * self.gradient]
    >>> print(check_node(Double, [1.0], rng=np.random.default_rng(0)))
    Double.backward is wrong:
      first order, input 0: it gives 4.91089, differences give 3.27392 (1.63696 too much).
    """
    return _Check(node_class, inputs, rng or np.random.default_rng(7)).report(order)


class _Check:
    """One check: the node's kind, its inputs and the upstream gradient that is handed to it."""

    def __init__(self, build: Builder, inputs: Sequence[Any], rng: np.random.Generator) -> None:
        self.build = build
        self.like = list(inputs)
        self.entries = [values.entries_of(value) for value in inputs]
        node, _ = self.run_forward(self.entries)
        self.kind = type(node).__name__
        self.result = node.result
        self.upstream = rng.uniform(1.0, 2.0, size=values.shape_of(node.result))
        self.weights = [rng.uniform(1.0, 2.0, size=entries.shape) for entries in self.entries]
        self.compared = 0
        self.problems: list[str] = []

    def report(self, order: int) -> NodeReport:
        try:
            self.first_order()
        except ClassroomError as problem:
            self.problems.append(f"first order: {problem}")
        if order == 2 and not self.problems:
            try:
                self.second_order()
            except _FAILURES as problem:
                self.problems.append(
                    f"second order: inside build_graph() it raised {type(problem).__name__}: "
                    f"{problem}. Build the gradients from self.gradient, self.input(i) and "
                    "self.output(), with operations on nodes."
                )
        return NodeReport(self.kind, self.compared, order, tuple(self.problems))

    def run_forward(self, entries: Sequence[Array]) -> tuple[ComputationNode, list[Leaf]]:
        held = zip(self.like, entries, strict=True)
        leaves = [Leaf(values.holding(like, own)) for like, own in held]
        return forward_algorithm(self.build(*leaves)), leaves

    def objective(self, entries: Sequence[Array]) -> float:
        """⟨upstream, result⟩, whose gradients are what `backward` must return."""
        node, _ = self.run_forward(entries)
        return float(np.sum(self.upstream * values.entries_of(node.result)))

    def gradients(self, entries: Sequence[Array], upstream: Array) -> list[Array]:
        node, leaves = self.run_forward(entries)
        backward_algorithm(node, one=values.holding(node.result, upstream))
        return [values.entries_of(leaf.gradient) for leaf in leaves]

    def slope(self, variables: Sequence[Array]) -> float:
        """Σ ⟨weights, gradient⟩ as a function of the inputs and, last, of the upstream gradient."""
        found = self.gradients(variables[:-1], variables[-1])
        return float(sum(np.sum(w * g) for w, g in zip(self.weights, found, strict=True)))

    def first_order(self) -> None:
        titles = [f"first order, input {i}" for i in range(len(self.entries))]
        found = self.gradients(self.entries, self.upstream)
        self.compare(titles, found, self.objective, self.entries)

    def second_order(self) -> None:
        node, leaves = self.run_forward(self.entries)
        one = Leaf(values.holding(node.result, self.upstream))
        with build_graph():
            backward_algorithm(node, one=one)
        total: Any = 0.0
        built = [leaf.gradient for leaf in leaves]
        for weights, gradient, leaf in zip(self.weights, built, leaves, strict=True):
            total = total + (gradient * Leaf(values.holding(leaf.value, weights))).sum()
        forward_algorithm(total)
        plain = self.gradients(self.entries, self.upstream)
        for i, (gradient, expected) in enumerate(zip(built, plain, strict=True)):
            title = f"second order, the gradient of input {i} built under build_graph()"
            if gradient.shape != expected.shape:
                self.problems.append(f"{title} has shape {gradient.shape}, not {expected.shape}.")
            else:
                self.compare_entries(title, values.entries_of(gradient.result), expected, 0.0)
        if self.problems:
            return
        backward_algorithm(total)
        titles = [f"second order, input {i}" for i in range(len(leaves))]
        # The built gradient of a constant node such as x⁰ does not contain its upstream gradient.
        to_upstream = values.zeros_of(one.value) if one.gradient is None else one.gradient
        found = [values.entries_of(g) for g in (*(leaf.gradient for leaf in leaves), to_upstream)]
        variables = [*self.entries, self.upstream]
        self.compare([*titles, "second order, the upstream gradient"], found, self.slope, variables)

    def compare(
        self,
        titles: Sequence[str],
        found: Sequence[Array],
        function: Callable[[Sequence[Array]], float],
        variables: Sequence[Array],
    ) -> None:
        for i, (title, own) in enumerate(zip(titles, found, strict=True)):
            expected, doubt = _central_differences(function, variables, i)
            self.compare_entries(title, own, expected, doubt)

    def compare_entries(
        self, title: str, found: Array, expected: Array, doubt: Array | float
    ) -> None:
        self.compared += found.size
        allowed = doubt + _RELATIVE * np.maximum(np.abs(found), np.abs(expected))
        for index in map(tuple, np.argwhere(~(np.abs(found - expected) <= allowed)).tolist()):
            place = f", entry {', '.join(map(str, index))}" if index else ""
            excess = found[index] - expected[index]
            self.problems.append(
                f"{title}{place}: it gives {found[index]:g}, differences give "
                f"{expected[index]:g} ({abs(excess):g} too {'much' if excess > 0 else 'little'})."
            )


def _central_differences(
    function: Callable[[Sequence[Array]], float], variables: Sequence[Array], i: int
) -> tuple[Array, Array]:
    """∂f/∂(variable i) by central differences at two steps, extrapolated; and how far to trust it.

    The doubt is how much the two steps differ, and the rounding of f over the step.
    """
    slopes, doubts = np.empty(variables[i].shape), np.empty(variables[i].shape)
    for index in np.ndindex(variables[i].shape):
        step = _STEP * max(abs(float(variables[i][index])), _STEP)
        coarse, fine = (_slope(function, variables, i, index, h) for h in (step, step / 2))
        slopes[index] = (4 * fine[0] - coarse[0]) / 3
        rounding = 50 * np.finfo(np.float64).eps * max(coarse[1], fine[1]) / step
        doubts[index] = abs(coarse[0] - fine[0]) + rounding
    return slopes, doubts


def _slope(
    function: Callable[[Sequence[Array]], float],
    variables: Sequence[Array],
    i: int,
    index: tuple[int, ...],
    step: float,
) -> tuple[float, float]:
    """(f(x + h) - f(x - h)) / 2h along one entry, and the larger |f| of the two."""
    both = []
    for signed in (step, -step):
        moved = [variable.copy() for variable in variables]
        moved[i][index] += signed
        both.append(function(moved))
    return (both[0] - both[1]) / (2 * step), max(abs(both[0]), abs(both[1]))
