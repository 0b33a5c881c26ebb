"""What the values of a recorded computation are called: the user's names, else u1, u2, …"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chainrule.explanation.notation import Text
from chainrule.explanation.values import number
from chainrule.graph import CONSTANT, is_inexact
from chainrule.graph.node import Edge
from chainrule.tracing.recording import Recording
from chainrule.transforms.arguments import taken_apart

Names = dict[Edge, str]


def argument_names(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """A name for every floating leaf of the arguments: `x`, `params['weight']`.

    >>> argument_names(lambda x, layers: None, (1.0, [{"w": 2.0, "b": 3.0}]))
    ['x', "layers[0]['b']", "layers[0]['w']"]
    """
    found = []
    for name, argument in zip(_parameters(f, len(args)), args, strict=True):
        leaves, treedef = taken_apart(argument)
        paths = [name] if treedef is None else [a.codify(name) for a in treedef.accessors()]
        found += [path for path, leaf in zip(paths, leaves, strict=True) if is_inexact(leaf)]
    return found


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first `count` positional parameters of `f`."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # a function written in C that does not tell
        parameters = {}.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    if not names and count == 1:
        return [rest]
    return [*names, *(f"{rest}{k + 1}" for k in range(count - len(names)))][:count]


def name_all(recording: Recording, result: Edge, assigned: Mapping[Edge, str]) -> Names:
    """A name for every value that a step can speak of, each different.

    Inputs and assigned values have theirs; arrays from outside are c1, c2, …; the result is y,
    or f where y is taken; whatever is left is u1, u2, … in the order of computation.
    """
    graph = recording.graph
    names: Names = {(node, 0): node.name or "x" for node in graph.inputs}
    for edge, name in assigned.items():
        if edge[0].primitive is not CONSTANT:
            names.setdefault(edge, name)
    taken = set(names.values()) | set(assigned.values())
    constants, values = _fresh("c", taken), _fresh("u", taken)
    if result not in names:
        names[result] = next((name for name in ("y", "f") if name not in taken), "") or next(values)
    for node in graph.nodes:
        for edge in node.inputs:
            if edge[0].primitive is CONSTANT and edge not in names and edge[0].outputs[0].shape:
                names[edge] = next(constants)
        for k in range(len(node.outputs)):
            if (node, k) not in names:
                names[node, k] = next(values)
    return names


def _fresh(letter: str, taken: set[str]) -> Iterator[str]:
    k = 0
    while True:
        k += 1
        if f"{letter}{k}" not in taken:
            yield f"{letter}{k}"


def spoken(recording: Recording, names: Names, edge: Edge) -> Text:
    """What stands for a value in a formula: its name, or the number where it is a constant."""
    name = names.get(edge)
    return Text(number(recording.values[edge]) if name is None else name)
