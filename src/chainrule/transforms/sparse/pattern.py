"""The pattern of a Jacobian: which outputs of a recorded computation depend on which inputs.

Sets of input positions travel through the graph as the rows of sparse truth matrices, one row for
each entry of a value. Source: Griewank & Walther, Evaluating Derivatives, section 7.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from chainrule import errors
from chainrule.graph import Node, Spec, registry, spec_of
from chainrule.graph.node import Edge, callers_place
from chainrule.tracing.recording import Recording
from chainrule.transforms.checkpoint import checkpointed
from chainrule.transforms.sparse.links import Matrix, Operands, link
from chainrule.transforms.trace import record

MOST_ENTRIES = 2**27
Patterns = dict[Edge, Matrix]


def pattern_of(recording: Recording) -> Matrix:
    """The truth matrix (entries of the outputs × entries of the inputs) of a recording."""
    graph = recording.graph
    sizes = [_size(node.outputs[0]) for node in graph.inputs]
    width = sum(sizes)
    patterns: Patterns = {}
    start = 0
    for node, size in zip(graph.inputs, sizes, strict=True):
        patterns[node, 0] = sparse.csr_array(
            (np.ones(size, bool), (np.arange(size), start + np.arange(size))), shape=(size, width)
        )
        start += size
    propagate(recording, patterns)
    rows = []
    for edge in graph.outputs:
        empty = sparse.csr_array((_size(spec_of(recording.values[edge])), width), dtype=bool)
        rows.append(patterns.get(edge, empty))
    if not rows:
        return sparse.csr_array((0, width), dtype=bool)
    found = sparse.vstack(rows, format="csr")
    found.sort_indices()
    return found


def propagate(recording: Recording, patterns: Patterns) -> None:
    """Add the patterns of all values that depend on the inputs."""
    for node in recording.graph.nodes:
        varies = tuple(
            edge in patterns and i not in node.primitive.flat_inputs
            for i, edge in enumerate(node.inputs)
        )
        if not node.primitive.records or not any(varies):
            continue
        values = tuple(recording.values[edge] for edge in node.inputs)
        if node.primitive is checkpointed:
            _propagate_inside(node, values, patterns)
            continue
        for o, result in enumerate(node.outputs):
            if result.dtype.kind in "fc":
                found = _united(Operands(node, values, varies), o, patterns)
                if found.nnz:
                    patterns[node, o] = found


def _propagate_inside(node: Node, values: tuple[Any, ...], patterns: Patterns) -> None:
    """The same through a checkpointed call, whose operations are recorded for it."""
    inner = record(node.params["call"], values, {})
    floating = [edge for edge in node.inputs if edge[0].outputs[edge[1]].dtype.kind in "fc"]
    known: Patterns = {
        (variable, 0): patterns[edge]
        for variable, edge in zip(inner.graph.inputs, floating, strict=True)
        if edge in patterns
    }
    propagate(inner, known)
    for o, edge in enumerate(inner.graph.outputs):
        if edge in known:
            patterns[node, o] = known[edge]


def _united(operands: Operands, o: int, patterns: Patterns) -> Matrix:
    total: Matrix = None
    for i, edge in enumerate(operands.node.inputs):
        if operands.varies[i]:
            found = patterns[edge]
            for step in link(operands, i, o):
                found = _product(step, found, operands.node)
            total = found if total is None else total + found
    return total


def _product(step: Matrix, pattern: Matrix, node: Node) -> Matrix:
    """One link applied, unless the result cannot be held in memory."""
    terms = int((step.astype(np.int64) @ np.diff(pattern.indptr)).sum())
    if min(terms, step.shape[0] * pattern.shape[1]) > MOST_ENTRIES:
        raise errors.OutputError(
            f"the sparse derivative at {callers_place()} meets {node.primitive.name}"
            f"{f' of {node.place}' if node.place else ''}, whose result depends on so many inputs "
            f"that the pattern would have up to {terms:,} entries: this derivative is dense; use "
            "jacobian, hessian, or the products jvp, vjp and hvp"
        )
    return step @ pattern


def _size(spec: Spec) -> int:
    return int(np.prod(spec.shape, dtype=int))


def signature(recording: Recording) -> tuple[Any, ...]:
    """All that the pattern is derived from: where two are equal, so are the patterns.

    These are the operations that depend on the inputs, how they are joined, their parameters and
    shapes, and of the values: index arrays, masks, and where constant factors are 0.
    """
    numbers: dict[Edge, int] = {(node, 0): k for k, node in enumerate(recording.graph.inputs)}
    lines: list[Any] = [node.outputs for node in recording.graph.inputs]
    for node in recording.graph.nodes:
        if not node.primitive.records or not any(edge in numbers for edge in node.inputs):
            continue
        inputs = tuple(_read(recording, node, edge, numbers) for edge in node.inputs)
        parameters = tuple((key, _frozen(value)) for key, value in node.params.items())
        lines.append((node.primitive, inputs, parameters, node.outputs))
        for k in range(len(node.outputs)):
            numbers[node, k] = len(numbers)
    outputs = tuple(numbers.get(edge, -1) for edge in recording.graph.outputs)
    return (*lines, outputs, tuple(spec_of(recording.values[e]) for e in recording.graph.outputs))


def _read(recording: Recording, node: Node, edge: Edge, numbers: dict[Edge, int]) -> Any:
    """What the link of an operation reads of one input."""
    spec = spec_of(recording.values[edge])
    if edge in numbers and spec.dtype.kind in "fc":
        return numbers[edge], spec
    form = node.primitive.form
    if node.primitive is registry["where"] or form not in ("linear", "multilinear"):
        return -1, spec
    if spec.dtype.kind in "fc":
        return (-1, spec) if form == "linear" else (-1, spec, _frozen(recording.values[edge] != 0))
    return -1, spec, _frozen(recording.values[edge])


_PLAIN = (int, float, complex, str, bool, slice, type, np.dtype, np.generic, type(None))


class _Itself:
    """What cannot be looked into: equal to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.value is self.value

    __hash__ = None  # type: ignore[assignment]


def _frozen(value: Any) -> Any:
    """A value that can be compared."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    if isinstance(value, tuple | list):
        return type(value), *(_frozen(part) for part in value)
    if sparse.issparse(value):
        matrix = value.tocsr()
        return matrix.shape, *map(_frozen, (matrix.indptr, matrix.indices, matrix.data != 0))
    return value if isinstance(value, _PLAIN) or value is Ellipsis else _Itself(value)
