"""Recording a whole computation: every operation, constants and comparisons included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.graph import (
    CONSTANT,
    VARIABLE,
    Graph,
    Guard,
    Level,
    Node,
    Primitive,
    Saved,
    Step,
    Traced,
    constant_node,
    spec_of,
)
from chainrule.graph.node import Edge, callers_place
from chainrule.graph.traced import owner
from chainrule.primitives.fit import as_array, as_input
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import capture, next_tag
from chainrule.tracing.tape import evaluate, leak


class Recording(Level):
    """Writes `graph`, and keeps the value of every edge in `values`."""

    __slots__ = ("graph", "values")

    def __init__(self, title: str) -> None:
        super().__init__(next_tag(), title)
        self.graph = Graph()
        self.values: dict[Edge, Any] = {}

    def _leaf(self, node: Node, value: Any) -> Recorded:
        edge = (node, 0)
        self.values[edge] = value = capture(value)
        return Recorded(self, value, edge)

    def variable(self, value: Any, name: str | None = None) -> Recorded:
        """An input of the graph."""
        node = Node(VARIABLE, (), {}, (spec_of(value),), None, name)
        self.graph.inputs.append(node)
        return self._leaf(node, value)

    def varies(self, array: Traced) -> bool:
        assert isinstance(array, Recorded)
        return array.mark[0].primitive is not CONSTANT

    def constant(self, value: Any) -> Recorded:
        """A value from outside, as a leaf of the graph."""
        return self._leaf(constant_node(value, spec_of(value)), value)

    def read(self, array: Traced, kind: str) -> Any:
        """Note that the code asked for a value: the graph holds only while it stays the same."""
        assert isinstance(array, Recorded)
        self.graph.guards.append(Guard(array.mark, kind, array.value, callers_place()))
        return array.value

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        level = owner(arguments)
        if level is not self:
            return level.apply(primitive, arguments, params)
        if not self.open:
            raise leak(self)
        inputs = [
            a if isinstance(a, Recorded) and a.level is self else self.constant(a)
            for a in arguments
        ]
        result = evaluate(primitive, [a.value for a in inputs], params)
        results = result if isinstance(result, tuple) else (result,)
        specs = tuple(spec_of(y) for y in results)
        node = Node(primitive, tuple(a.mark for a in inputs), params, specs, callers_place())
        self.graph.nodes.append(node)
        recorded = []
        for k, y in enumerate(results):
            self.values[node, k] = y
            recorded.append(Recorded(self, y, (node, k)))
        return tuple(recorded) if isinstance(result, tuple) else recorded[0]

    def saved(self, node: Node) -> Saved:
        """The inputs of one operation that carry derivatives, and all its values."""
        wanted = [
            i
            for i, (source, index) in enumerate(node.inputs)
            if source.primitive is not CONSTANT
            and source.outputs[index].dtype.kind in "fc"
            and i not in node.primitive.flat_inputs
        ]
        dtype = node.outputs[0].dtype
        xs = tuple(as_input(node.primitive, self.values[edge], dtype) for edge in node.inputs)
        ys = tuple(as_array(self.values[node, k]) for k in range(len(node.outputs)))
        return wanted, xs, ys

    def backwards(self) -> Iterator[Step]:
        """The operations that depend on an input, last first, each with its values."""
        reached = set(self.graph.inputs)
        steps = []
        for node in self.graph.nodes:
            if any(source in reached for source, _ in node.inputs):
                reached.add(node)
                if node.primitive.records:
                    steps.append(node)
        for node in reversed(steps):
            yield (node, *self.saved(node))
