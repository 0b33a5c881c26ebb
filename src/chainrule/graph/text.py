"""A graph as text: one line per operation, in order."""

from __future__ import annotations

from typing import Any

from chainrule.graph.node import Edge, Graph, Node
from chainrule.graph.primitive import CONSTANT


def write(graph: Graph) -> str:
    """The graph, one operation a line: `v2: float64[3] = multiply(v0, v1)   # file.py:3`."""
    names: dict[Node, str] = {}

    def name(edge: Edge) -> str:
        node, index = edge
        if node.primitive is CONSTANT:
            return _short(node.params["value"])
        known = names.setdefault(node, node.name or f"v{len(names)}")
        return f"{known}.{index}" if len(node.outputs) > 1 else known

    lines = [f"inputs: {', '.join(f'{name((n, 0))}: {n.outputs[0]}' for n in graph.inputs)}"]
    for node in graph.nodes:
        arguments = [name(edge) for edge in node.inputs]
        arguments += [f"{key}={_short(value)}" for key, value in node.params.items()]
        target = name((node, 0)).partition(".")[0]
        specs = ", ".join(map(str, node.outputs))
        place = f"   # {node.place}" if node.place else ""
        lines.append(f"{target}: {specs} = {node.primitive.name}({', '.join(arguments)}){place}")
    for guard in graph.guards:
        observed = _short(guard.observed)
        lines.append(f"guard: {guard.kind} of {name(guard.edge)} is {observed}   # {guard.place}")
    lines.append(f"outputs: {', '.join(name(edge) for edge in graph.outputs)}")
    return "\n".join(lines)


def _short(value: Any) -> str:
    shape = getattr(value, "shape", ())
    return f"constant{list(shape)}" if shape else str(value)
