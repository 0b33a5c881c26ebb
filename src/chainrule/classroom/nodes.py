"""The nodes of the homework: each knows one operation and how a gradient passes through it.

`forward` fills in `result` from the results of the inputs; `backward` turns the node's own
`gradient` into one gradient per input. Both reach the inputs through `input(i)`, which gives
numbers, or, inside `with build_graph():`, nodes; a `backward` made only of operations on
`self.gradient`, `self.input(i)` and `self.output()` can therefore be differentiated again.
"""

from __future__ import annotations

import operator
from typing import Any, ClassVar

from chainrule.classroom import values
from chainrule.classroom.printing import building, printing_graph, title, tree
from chainrule.classroom.values import Shape
from chainrule.classroom.walk import depth_first, named
from chainrule.errors import NodeTypeError, NodeUnfinishedError, NodeValueError
from chainrule.graph.node import callers_place


class ComputationNode:
    """One value of a computation: what it is computed from, its result and its gradient.

    Nothing is computed at construction: see `forward_algorithm` and `backward_algorithm`. An input
    that is a plain number or array becomes a `Leaf`. A kind of node of one's own overrides
    `forward` and `backward`:

    >>> class Square(ComputationNode):
    ...     def forward(self):
    ...         self.result = self.input(0) ** 2
    ...
    ...     def backward(self):
    ...         return [self.gradient * 2 * self.input(0)]
    >>> square = Square(Leaf(3.0, "x"))
    >>> square.input_nodes[0].forward()
    >>> square.forward()
    >>> square
    Square result=9.0 gradient=None
      Leaf x result=3.0 gradient=None
    """

    # NumPy then leaves `array * node` to the node, and does not make an array of nodes of it.
    __array_ufunc__ = None
    arity: ClassVar[int | None] = None

    def __init__(self, *input_nodes: Any, name: str | None = None) -> None:
        self.name = name
        self.place = callers_place()
        if self.arity is not None and len(input_nodes) != self.arity:
            raise NodeTypeError(
                f"{self.place}: {type(self).__name__} is computed from {self.arity} input(s) "
                f"and got {len(input_nodes)}. Pass exactly {self.arity}."
            )
        self.input_nodes = [n if isinstance(n, ComputationNode) else Leaf(n) for n in input_nodes]
        self.result: Any = None
        self.gradient: Any = None
        # Of a gradient: the graph whose backward pass built it, and with it all its variables.
        self.derived_from: ComputationNode | None = None

    def forward(self) -> None:
        """Fill in `result`: one step of the forward pass."""
        raise NodeUnfinishedError(f"{type(self).__name__} ({self.place}) must define forward()")

    def backward(self) -> list[Any]:
        """From the upstream `gradient`, the list of downstream gradients, one for each input."""
        raise NodeUnfinishedError(f"{type(self).__name__} ({self.place}) must define backward()")

    def accumulate_gradient(self, upstream_gradient: Any) -> None:
        """Add what comes from one use of this node: the gradients of all its uses sum up."""
        before = self.gradient
        self.gradient = upstream_gradient if before is None else before + upstream_gradient

    def sorted_nodes(self, seen: set[ComputationNode] | None = None) -> list[ComputationNode]:
        """All nodes of the graph that ends here, depth first, each after its inputs.

        Nodes in `seen` are left out, and `seen` grows by the nodes returned.
        """
        return depth_first(self, set() if seen is None else seen)

    def get(self, name: str) -> ComputationNode:
        """The one node of the graph with this name; NodeLookupError if there are none or several.

        >>> x = Leaf(2.0, "x")
        >>> (x * x + 1).get("x") is x
        True
        """
        return named(self, name)

    def input(self, i: int) -> Any:
        """The result of input `i`, or, inside `with build_graph():`, the input node itself."""
        node = self.input_nodes[i]
        if building():
            return node
        if node.result is None:
            raise NodeValueError(
                f"{callers_place()}: input {i} of {title(self)} ({self.place}), which is "
                f"{title(node)}, has no result yet. Call its forward() first, or "
                "forward_algorithm(graph) for all."
            )
        return node.result

    def output(self) -> Any:
        """The result of this node, or, inside `with build_graph():`, the node itself.

        A `backward` that needs its own result must ask for it here: `self.result` is a number,
        which the next differentiation would take for a constant.
        """
        return self if building() else self.result

    def fit(self, i: int, gradient: Any) -> Any:
        """A gradient for input `i`, summed over the axes along which the input was repeated.

        In `2 * x` with x of shape (25,) the 2 is repeated 25 times, so its gradient is a sum.
        """
        wanted = self.input_nodes[i].shape
        if self.shape == wanted or not values.repeats_to(wanted, self.shape):
            return gradient
        if not isinstance(gradient, ComputationNode):
            repeated = values.repeats_to(wanted, values.shape_of(gradient))
            return values.summed_to(gradient, wanted) if repeated else gradient
        return gradient if _has_shape(gradient, wanted) else Matsum(gradient, wanted)

    @property
    def shape(self) -> Shape:
        """The shape of the result; `()` for a number, and before there is a result."""
        return values.shape_of(self.result)

    def __repr__(self) -> str:
        """The graph as a tree, numbered together with others inside `with printing_graph():`."""
        with printing_graph() as numbers:
            return tree(self, numbers)

    def exp(self) -> Exp:
        return Exp(self)

    def sum(self) -> Matsum:
        return Matsum(self)

    def expand(self, target_shape: Shape) -> Matexpand:
        return Matexpand(self, target_shape)

    @property
    def T(self) -> Transpose:  # noqa: N802  the name NumPy, PyTorch and the homework use
        return Transpose(self)

    def __pos__(self) -> ComputationNode:
        return self

    def __neg__(self) -> Negate:
        return Negate(self)

    def __pow__(self, int_power: int) -> IntPow:
        return IntPow(self, int_power)

    def __rpow__(self, base: Any) -> ComputationNode:
        raise NodeTypeError(
            f"{callers_place()}: a node cannot be an exponent; write (x * math.log(base)).exp()"
        )

    def __add__(self, other: Any) -> Add:
        return Add(self, other)

    def __radd__(self, other: Any) -> Add:
        return Add(other, self)

    def __sub__(self, other: Any) -> Add:
        return Add(self, -_operand(other))

    def __rsub__(self, other: Any) -> Add:
        return Add(other, -self)

    def __mul__(self, other: Any) -> Mul:
        return Mul(self, other)

    def __rmul__(self, other: Any) -> Mul:
        return Mul(other, self)

    def __truediv__(self, other: Any) -> Mul:
        return Mul(self, _operand(other) ** -1)

    def __rtruediv__(self, other: Any) -> Mul:
        return Mul(other, self**-1)

    def __matmul__(self, other: Any) -> Matmul:
        return Matmul(self, other)

    def __rmatmul__(self, other: Any) -> Matmul:
        return Matmul(other, self)


class Leaf(ComputationNode):
    """A value that is given: a variable or a constant. Its `value` can be changed between passes.

    An array of integers computes as floats.
    """

    def __init__(self, value: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        values.floating(value)  # a list or a text is refused here, where the user's line is at hand
        self.value = value

    def forward(self) -> None:
        self.result = values.floating(self.value)

    def backward(self) -> list[Any]:
        return []


class Negate(ComputationNode):
    """y = -x, so the gradient is -g."""

    arity = 1

    def forward(self) -> None:
        self.result = -self.input(0)

    def backward(self) -> list[Any]:
        return [-self.gradient]


class Exp(ComputationNode):
    """y = eˣ, so the gradient is g · y: the exponential is its own derivative."""

    arity = 1

    def forward(self) -> None:
        self.result = values.exponential(self.input(0))

    def backward(self) -> list[Any]:
        return [self.gradient * self.output()]


class Mean(ComputationNode):
    """y = (a + b) / 2, so each input gets g / 2."""

    arity = 2

    def forward(self) -> None:
        self.result = (self.input(0) + self.input(1)) / 2

    def backward(self) -> list[Any]:
        half = self.gradient / 2
        return [self.fit(0, half), self.fit(1, half)]


class Add(ComputationNode):
    """y = a + b, so each input gets g."""

    arity = 2

    def forward(self) -> None:
        self.result = self.input(0) + self.input(1)

    def backward(self) -> list[Any]:
        return [self.fit(0, self.gradient), self.fit(1, self.gradient)]


class Mul(ComputationNode):
    """y = a · b, so a gets g · b and b gets g · a."""

    arity = 2

    def forward(self) -> None:
        self.result = self.input(0) * self.input(1)

    def backward(self) -> list[Any]:
        to_first, to_second = self.gradient * self.input(1), self.gradient * self.input(0)
        return [self.fit(0, to_first), self.fit(1, to_second)]


class IntPow(ComputationNode):
    """y = xⁿ with a fixed whole number n, so the gradient is g · n · xⁿ⁻¹.

    For n = 0 it is 0 whatever x is, where the formula gives 0 · x⁻¹: at x = 0 that is not a number,
    and x² comes to it when it is differentiated for the third time. Raises NodeTypeError for a
    power that is not a whole number.
    """

    arity = 1

    def __init__(self, base: Any, int_power: int, name: str | None = None) -> None:
        super().__init__(base, name=name)
        try:
            self.int_power = operator.index(int_power)
        except TypeError:
            raise NodeTypeError(
                f"{self.place}: a power must be a whole number, not {int_power!r}. "
                "For x > 0 write exp(p · log x) with nodes of your own."
            ) from None

    def forward(self) -> None:
        self.result = self.input(0) ** self.int_power

    def backward(self) -> list[Any]:
        if self.int_power == 0:
            zeros = values.zeros_of(self.input_nodes[0].result)
            return [Leaf(zeros) if building() else zeros]
        return [self.gradient * self.int_power * self.input(0) ** (self.int_power - 1)]


class Matsum(ComputationNode):
    """The sum of all entries, or the sums that leave `target_shape`: y = Σ x, the gradient is g."""

    arity = 1

    def __init__(self, inp: Any, target_shape: Shape = (), name: str | None = None) -> None:
        super().__init__(inp, name=name)
        self.target_shape = tuple(target_shape)

    def forward(self) -> None:
        self.result = values.summed_to(self.input(0), self.target_shape)

    def backward(self) -> list[Any]:
        return [_expand(self.gradient, self.input_nodes[0].shape)]


class Matexpand(ComputationNode):
    """The input repeated to fill `target_shape`, so the gradient is summed over the repetitions."""

    arity = 1

    def __init__(self, inp: Any, target_shape: Shape, name: str | None = None) -> None:
        super().__init__(inp, name=name)
        self.target_shape = tuple(target_shape)

    def forward(self) -> None:
        self.result = values.expanded(self.input(0), self.target_shape)

    def backward(self) -> list[Any]:
        return [self.fit(0, self.gradient)]


class Transpose(ComputationNode):
    """y = Xᵀ, so the gradient is gᵀ. A number or a vector is its own transpose."""

    arity = 1

    def forward(self) -> None:
        self.result = values.transposed(self.input(0))

    def backward(self) -> list[Any]:
        return [_transpose(self.gradient)]


class Matmul(ComputationNode):
    """Y = A B for matrices and vectors, so A gets g Bᵀ and B gets Aᵀ g.

    A vector on the left is a row and one on the right a column, as for NumPy's `@`.
    Raises NodeValueError for anything but one or two axes, and where the lengths differ.
    """

    arity = 2

    def forward(self) -> None:
        a, b = self.input(0), self.input(1)
        left, right = values.shape_of(a), values.shape_of(b)
        if not (0 < len(left) < 3 and 0 < len(right) < 3 and left[-1] == right[0]):
            raise NodeValueError(
                f"{self.place}: {left} @ {right} is no matrix product. It needs vectors or "
                "matrices, the first as wide as the second is high; use * with a number."
            )
        self.result = a @ b

    def backward(self) -> list[Any]:
        g, a, b = self.gradient, self.input(0), self.input(1)
        left, right = (node.shape for node in self.input_nodes)
        if len(left) == len(right) == 1:
            return [g * b, g * a]
        to_a = g @ _transpose(b) if len(right) == 2 else _outer(g, b, left)
        to_b = _transpose(a) @ g if len(left) == 2 else _outer(a, g, right)
        return [to_a, to_b]


def _operand(other: Any) -> Any:
    """What stands beside a node: another node, or a constant fit for arithmetic."""
    return other if isinstance(other, ComputationNode) else values.floating(other)


def _has_shape(gradient: ComputationNode, shape: Shape) -> bool:
    """Whether the node is known to come out in this shape, before it has a result."""
    return isinstance(gradient, (Matsum, Matexpand)) and gradient.target_shape == shape


def _expand(x: Any, shape: Shape) -> Any:
    return x.expand(shape) if isinstance(x, ComputationNode) else values.expanded(x, shape)


def _transpose(x: Any) -> Any:
    return x.T if isinstance(x, ComputationNode) else values.transposed(x)


def _outer(column: Any, row: Any, shape: Shape) -> Any:
    """The matrix of all products of an entry of `column` and an entry of `row`."""
    return _transpose(_expand(column, (shape[1], shape[0]))) * row
