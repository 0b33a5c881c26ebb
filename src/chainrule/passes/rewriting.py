"""Rewrite a graph by named rows: one sweep over the nodes shares, folds and rewrites.

A row looks at one node, whose inputs are already rewritten, and may say which edge to read instead.
What a row makes is shared, folded and rewritten in turn. Every sweep takes linear time; sweeps are
repeated until nothing changes, within a fixed budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from chainrule.graph import (
    CONSTANT,
    VARIABLE,
    Graph,
    Node,
    Primitive,
    Spec,
    constant_node,
    registry,
    spec_of,
)
from chainrule.graph.node import Edge
from chainrule.passes.facts import facts_of
from chainrule.passes.identity import COMMUTATIVE, constant_key, frozen
from chainrule.passes.ranges import Facts

SWEEPS = 8
"""How often a graph is swept at most; two to three times is usual."""
DEPTH = 16
"""How deep rewritten nodes are rewritten in turn within one sweep."""
FOLDED_BYTES = 1 << 16
"""A constant that folding makes is at most this large, or as large as what it is made of."""
_UNFOLDED = frozenset({"broadcast_to"})  # a view that costs nothing, and a large constant if folded
_PYTHON_NUMBERS = (float, int, complex, bool)
_REFUSALS = (ValueError, ArithmeticError, IndexError, TypeError, np.linalg.LinAlgError)


class Row(NamedTuple):
    """One rewrite. `exact`: bit for bit, but for the sign of a zero; else it rounds differently."""

    name: str
    on: tuple[str, ...]
    rewrite: Callable[[Node, Rewriting], Edge | None]
    reason: str
    exact: bool = True


def row(
    name: str, on: str | Sequence[str], reason: str, *, exact: bool = True
) -> Callable[[Callable[[Node, Rewriting], Edge | None]], Row]:
    """Make a row of a function; `on` are the primitives at whose nodes it looks."""
    names = (on,) if isinstance(on, str) else tuple(on)
    return lambda rewrite: Row(name, names, rewrite, reason, exact)


class Memory:
    """What one sweep leaves for the next. A node that stays is the same object, with all that it
    depends on, so what is known of it stays true, and a row that declined it does so again unless
    its inputs are read more or less often (`declined` has the number of their readers).
    """

    def __init__(self) -> None:
        self.facts: dict[Edge, Facts] = {}
        self.weak: dict[Edge, bool] = {}
        self.declined: dict[Node, list[int]] = {}


class Rewriting:
    """One sweep over a graph. What it offers to rows: look at edges, and make nodes."""

    def __init__(
        self, graph: Graph, rows: Mapping[str, Sequence[Row]], memory: Memory | None = None
    ) -> None:
        self.graph = graph
        self.rows = rows
        self._memory = memory or Memory()
        self.nodes: list[Node] = []
        self.applied: Counter[str] = Counter()
        self.uses: list[tuple[str, Node]] = []
        self._done: dict[Edge, Edge] = {}
        self._known: dict[Any, tuple[Edge, ...]] = {}
        self._constants: dict[Any, Node] = {}
        self._uniform: dict[Node, Edge | None] = {}
        self._readers: Counter[Edge] = Counter()
        self._at: Node | None = None
        self._depth = 0
        self._old_readers: Counter[Edge] = Counter(
            edge for node in graph.nodes for edge in node.inputs
        )
        self._old_readers.update(graph.outputs)
        self._old_readers.update(guard.edge for guard in graph.guards)

    def run(self) -> Graph:
        """The rewritten graph, without what nothing needs."""
        for node in self.graph.inputs:
            self._done[node, 0] = (node, 0)
            self._readers[node, 0] = self._old_readers[node, 0]
        for node in self.graph.nodes:
            self._at = node
            inputs = tuple(map(self._now, node.inputs))
            edges = self._made(node.primitive, inputs, node.params, node.outputs, node)
            for k, edge in enumerate(edges):
                self._done[node, k] = edge
                self._readers[edge] += self._old_readers[node, k]
        found = Graph()
        found.inputs = list(self.graph.inputs)
        found.outputs = [self._now(edge) for edge in self.graph.outputs]
        found.guards = [g._replace(edge=self._now(g.edge)) for g in self.graph.guards]
        found.nodes = _needed(self.nodes, [*found.outputs, *(g.edge for g in found.guards)])
        return found

    # -- looking --------------------------------------------------------------------------------

    def facts(self, edge: Edge) -> Facts:
        """What is known of all entries of a value."""
        return _remembered(edge, self._memory.facts, facts_of)

    def number(self, edge: Edge) -> float | int | None:
        """The number that a constant without axes is, if the edge is one and it is real."""
        node = edge[0]
        if node.primitive is not CONSTANT or node.outputs[0].shape != ():
            return None
        value = node.params["value"]
        if node.outputs[0].dtype.kind not in "biuf":
            return None
        return value.item() if isinstance(value, np.ndarray | np.generic) else value  # type: ignore[no-any-return]

    def node(self, edge: Edge, *names: str) -> Node | None:
        """The node of an edge, if it is one of the operations named."""
        return edge[0] if edge[0].primitive.name in names else None

    def readers(self, edge: Edge) -> int:
        """How many read a value: operations of the graph as it was, outputs and guards."""
        return self._readers[edge]

    def is_weak(self, edge: Edge) -> bool:
        """Whether a value may be a Python number, which takes the dtype of what it meets."""
        return _remembered(edge, self._memory.weak, _is_weak)

    def uniform(self, edge: Edge) -> Edge | None:
        """The one number that all entries of a constant are, as a constant without axes."""
        node = edge[0]
        if node.primitive is not CONSTANT:
            return None
        if node not in self._uniform:
            self._uniform[node] = self._entry_of(node.params["value"])
        return self._uniform[node]

    def _entry_of(self, value: Any) -> Edge | None:
        if not isinstance(value, np.ndarray) or not value.ndim or not value.size:
            return None
        first = value[(0,) * value.ndim]
        alike = value if any(value.strides) else first  # all strides 0: one number in memory
        same = bool(np.all(alike == first))
        if same and first == 0 and value.dtype.kind == "f":
            same = bool(np.all(np.signbit(alike) == np.signbit(first)))
        return self.constant(first) if same else None

    # -- making ---------------------------------------------------------------------------------

    def constant(self, value: Any) -> Edge:
        """A constant; equal ones are one."""
        key = constant_key(value)
        if key not in self._constants:
            self._constants[key] = constant_node(value, spec_of(value))
        return self._constants[key], 0

    def make(self, name: str, *inputs: Edge, spec: Spec, **params: Any) -> Edge:
        """An operation with one output, shared and rewritten if it can be."""
        return self._made(registry[name], inputs, params, (spec,), None)[0]

    def fitted(self, edge: Edge, spec: Spec) -> Edge | None:
        """A value in the shape of `spec`, spread if need be; None where the dtype differs."""
        found = edge[0].outputs[edge[1]]
        if found == spec:
            return edge
        if found.dtype != spec.dtype:
            return None
        return self.make("broadcast_to", edge, spec=spec, to=spec.shape)

    def _now(self, edge: Edge) -> Edge:
        """What is read instead of an edge of the graph as it was."""
        if edge[0].primitive is not CONSTANT:
            return self._done[edge]
        node = edge[0]
        found = self._constants.setdefault(constant_key(node.params["value"]), node)
        return (found, 0) if found.outputs == node.outputs else edge

    def _made(
        self,
        primitive: Primitive,
        inputs: tuple[Edge, ...],
        params: dict[str, Any],
        outputs: tuple[Spec, ...],
        origin: Node | None,
    ) -> tuple[Edge, ...]:
        given = inputs
        if primitive.name in COMMUTATIVE:
            given = tuple(sorted(inputs, key=_identity))
        key = (primitive.name, given, frozen(params), outputs)
        found = self._known.get(key)
        if found is not None:
            return found
        found = self._folded(primitive, inputs, params, outputs)
        if found is None:
            node = self._new(primitive, inputs, params, outputs, origin)
            found = self._rewritten(node)
        self._known[key] = found
        return found

    def _new(
        self,
        primitive: Primitive,
        inputs: tuple[Edge, ...],
        params: dict[str, Any],
        outputs: tuple[Spec, ...],
        origin: Node | None,
    ) -> Node:
        if origin is not None and origin.inputs == inputs:
            return origin
        at = self._at
        place = None if at is None else at.place
        return Node(primitive, inputs, params, outputs, place, origin.name if origin else None)

    def _rewritten(self, node: Node) -> tuple[Edge, ...]:
        """The edges that stand for a new node: its own, or what a row puts in their place."""
        rows = self.rows.get(node.primitive.name)
        readers = [self._readers[edge] for edge in node.inputs]
        asked = self._memory.declined.get(node) != readers
        if rows and asked and len(node.outputs) == 1 and self._depth < DEPTH:
            self._depth += 1
            for each in rows:
                edge = each.rewrite(node, self)
                if edge is not None and self._may_replace(edge, node):
                    self._depth -= 1
                    self.applied[each.name] += 1
                    if self._at is not None:
                        self.uses.append((each.name, self._at))
                    return (edge,)
            self._depth -= 1
            self._memory.declined[node] = readers
        self.nodes.append(node)
        return tuple((node, k) for k in range(len(node.outputs)))

    def _may_replace(self, edge: Edge, node: Node) -> bool:
        """Whether a value has the shape and dtype of the node's, and is no weaker."""
        same = edge[0].outputs[edge[1]] == node.outputs[0]
        return same and (not self.is_weak(edge) or self.is_weak((node, 0)))

    def _folded(
        self,
        primitive: Primitive,
        inputs: tuple[Edge, ...],
        params: dict[str, Any],
        outputs: tuple[Spec, ...],
    ) -> tuple[Edge, ...] | None:
        """The results of an operation on constants, if they are small; what raises is left."""
        for node, _ in inputs:
            if node.primitive is not CONSTANT:
                return None
        if not inputs:
            return None
        made = sum(map(_bytes, outputs))
        given = sum(_bytes(node.outputs[0]) for node, _ in inputs)
        if primitive.name in _UNFOLDED or made > max(FOLDED_BYTES, given):
            return None
        try:
            with np.errstate(all="ignore"):
                result = primitive.compute(*(n.params["value"] for n, _ in inputs), **params)
        except _REFUSALS:
            return None
        results = result if isinstance(result, tuple) else (result,)
        if tuple(map(spec_of, results)) != outputs:
            return None
        self.applied["constants folded"] += 1
        return tuple(self.constant(y) for y in results)


def _identity(edge: Edge) -> tuple[int, int]:
    return id(edge[0]), edge[1]


def _bytes(spec: Spec) -> int:
    size = int(spec.dtype.itemsize)
    for n in spec.shape:
        size *= n
    return size


def _needed(nodes: list[Node], edges: Iterable[Edge]) -> list[Node]:
    """The nodes that the edges depend on, in the same order."""
    wanted = {node for node, _ in edges}
    found = []
    for node in reversed(nodes):
        if node in wanted:
            found.append(node)
            wanted.update(source for source, _ in node.inputs)
    return found[::-1]


Known = TypeVar("Known")


def _remembered(
    edge: Edge,
    memory: dict[Edge, Known],
    found: Callable[[Edge, Mapping[Edge, Known]], Known],
) -> Known:
    """What is known of an edge from what is known of its inputs, without deep recursion."""
    if edge in memory:
        return memory[edge]
    pending = [edge]
    while pending:
        last = pending[-1]
        missing = [e for e in last[0].inputs if e not in memory] if last not in memory else []
        if missing:
            pending += missing
            continue
        if last not in memory:
            memory[last] = found(last, memory)
        pending.pop()
    return memory[edge]


def _is_weak(edge: Edge, known: Mapping[Edge, bool]) -> bool:
    node, index = edge
    if node.outputs[index].shape != ():
        return False
    if node.primitive is CONSTANT:
        return type(node.params["value"]) in _PYTHON_NUMBERS
    if node.primitive is VARIABLE:
        return node.outputs[0].dtype.name in ("float64", "int64", "bool", "complex128")
    loose = node.primitive.form == "elementwise" or not node.primitive.records
    return loose and all(known[e] for e in node.inputs)


class Rewritten(NamedTuple):
    """A graph after rewriting, how often each row was applied, and at which nodes."""

    graph: Graph
    applied: Counter[str]
    uses: list[tuple[str, Node]]


def rewritten(graph: Graph, rows: Sequence[Row]) -> Rewritten:
    """Sweep a graph until nothing changes, `SWEEPS` times at most."""
    table: dict[str, list[Row]] = {}
    for each in rows:
        for name in each.on:
            table.setdefault(name, []).append(each)
    applied: Counter[str] = Counter()
    uses: list[tuple[str, Node]] = []
    memory = Memory()
    for _ in range(SWEEPS):
        sweep = Rewriting(graph, table, memory)
        found = sweep.run()
        applied += sweep.applied
        uses += sweep.uses
        if found.nodes == graph.nodes and found.outputs == graph.outputs:
            break
        graph = found
    return Rewritten(found, applied, uses)
