"""Graphs of one operation or of a traced function, compiled and run beside the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from chainrule import trace
from chainrule.graph import CONSTANT, VARIABLE, Graph, Node, Primitive, Spec, registry, spec_of
from chainrule.interpreter import run
from chainrule.native.lowering import Loops
from chainrule.native.program import Program
from chainrule.native.schedule import Interpreted, Schedule, schedule


class Ran(NamedTuple):
    """What compiled code gave, what the interpreter gave, and the schedule between."""

    got: list[Any]
    want: list[Any]
    schedule: Schedule

    @property
    def loops(self) -> list[Loops]:
        return [step for step in self.schedule.steps if isinstance(step, Loops)]

    @property
    def interpreted(self) -> list[str]:
        return [s.node.primitive.name for s in self.schedule.steps if isinstance(s, Interpreted)]

    def assert_close(self, ulps: float = 64) -> None:
        """Equal shapes, dtypes, NaN and infinities; numbers within so many ulp of the largest."""
        for y, right in zip(self.got, self.want, strict=True):
            right = np.asarray(right)
            assert (y.shape, y.dtype) == (right.shape, right.dtype)
            if right.dtype.kind != "f":
                np.testing.assert_array_equal(y, right)
                continue
            finite = np.abs(right[np.isfinite(right)])
            scale = ulps * np.finfo(right.dtype).eps
            np.testing.assert_allclose(y, right, rtol=scale, atol=scale * max([1.0, *finite.flat]))


def one_node(record: Primitive, arguments: Sequence[Any], params: dict[str, Any]) -> Graph:
    """The graph of one operation, all of whose inputs are variables."""
    graph = Graph()
    graph.inputs = [Node(VARIABLE, (), {}, (spec_of(a),)) for a in arguments]
    result = record(*arguments, **params)
    outputs = [np.asarray(y) for y in (result if isinstance(result, tuple) else (result,))]
    specs = tuple(Spec(y.shape, y.dtype) for y in outputs)
    node = Node(record, tuple((x, 0) for x in graph.inputs), params, specs)
    graph.nodes.append(node)
    graph.outputs = [(node, k) for k in range(len(outputs))]
    return graph


def with_own_results(graph: Graph) -> Graph:
    """The graph with a copy behind each output: compiled code does not give out views."""
    true = Node(CONSTANT, (), {"value": True}, (Spec((), np.dtype(bool)),))
    for k, edge in enumerate(graph.outputs):
        spec = edge[0].outputs[edge[1]]
        copy = Node(registry["where"], ((true, 0), edge, edge), {}, (spec,))
        graph.nodes.append(copy)
        graph.outputs[k] = (copy, 0)
    return graph


def both(graph: Graph, inputs: Sequence[Any]) -> Ran:
    plan = schedule(graph)
    given = [np.array(x, order="C") for x in inputs]
    with np.errstate(all="ignore"):
        return Ran(Program(plan)(given), list(run(graph, *inputs)), plan)


@pytest.fixture
def compiled() -> Callable[..., Ran]:
    """`compiled(f, *arrays)`: a function of floating arrays, compiled and interpreted."""

    def run_both(f: Callable[..., Any], *arrays: Any) -> Ran:
        with np.errstate(all="ignore"):
            graph = trace(f)(*arrays)
        return both(with_own_results(graph), arrays)

    return run_both


@pytest.fixture
def operation() -> Callable[..., Ran]:
    """`operation(record, arguments, params)`: one operation, compiled and interpreted."""

    def run_both(record: Primitive, arguments: Sequence[Any], params: dict[str, Any]) -> Ran:
        with np.errstate(all="ignore"):
            graph = one_node(record, arguments, params)
        viewing = record.form == "linear" and len(graph.outputs) == 1
        return both(with_own_results(graph) if viewing else graph, arguments)

    return run_both
