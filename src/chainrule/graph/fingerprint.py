"""A short name for what a graph computes: equal graphs have equal names, whoever recorded them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from chainrule.graph.node import Graph, Node
from chainrule.graph.primitive import CONSTANT, Primitive


def fingerprint(graph: Graph) -> str:
    """The same for graphs of the same operations, parameters, constants, specs and outputs.

    Guards and the user's lines do not count. An unknown kind of parameter counts by identity.
    """
    digest = hashlib.sha256()
    names: dict[Node, str] = {}
    for node in graph.inputs:
        names[node] = f"v{len(names)}"
        digest.update(f"{names[node]}{node.outputs}".encode())

    def reference(node: Node, index: int) -> bytes:
        if node.primitive is CONSTANT:
            return _described(node.params["value"])
        return f"{names[node]}.{index}".encode()

    for node in graph.nodes:
        names[node] = f"v{len(names)}"
        digest.update(f"\n{node.primitive.name}{node.outputs}".encode())
        for edge in node.inputs:
            digest.update(b"," + reference(*edge))
        for key in sorted(node.params):
            digest.update(f";{key}=".encode() + _described(node.params[key]))
    for edge in graph.outputs:
        digest.update(b">" + reference(*edge))
    return digest.hexdigest()


def _described(value: Any) -> bytes:
    """A parameter as bytes that determine it."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "O":
        array = np.asarray(value)
        return f"{type(value).__name__}{array.dtype.str}{array.shape}".encode() + array.tobytes()
    if isinstance(value, slice):
        return b"slice" + _described((value.start, value.stop, value.step))
    if isinstance(value, tuple | list):
        return b"(" + b",".join(map(_described, value)) + b")"
    if isinstance(value, dict):
        return b"{" + b",".join(_described(pair) for pair in sorted(value.items())) + b"}"
    if value is None or value is Ellipsis or isinstance(value, int | float | complex | str | bytes):
        return f"{type(value).__name__}:{value!r}".encode()
    if isinstance(value, np.dtype):
        return f"dtype:{value.str}".encode()
    if isinstance(value, Primitive):
        return f"primitive:{value.name}".encode()
    return f"{type(value).__name__}@{id(value)}".encode()
