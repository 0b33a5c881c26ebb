"""How the arguments and results of a call hold a graph's inputs and outputs, for a native entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import trees
from chainrule.transforms.arguments import put_together
from chainrule.transforms.backends import Form, entry_tree
from chainrule.transforms.signature import Call
from chainrule.transforms.specialise import Trace


def form_of(
    trace: Trace, call: Call, donate: tuple[int, ...], fallback: Callable[..., Any], name: str
) -> Form | None:
    """The form, or None where a native entry cannot hold it and Python has to.

    That is so for guards, keyword arguments, NumPy's scalars, arrays that are not in C order, and
    containers that are no plain tuples, lists and dicts.
    """
    from chainrule.native.calls import Same  # noqa: PLC0415  only compiling needs it

    parts = [call.key[1][k] for k in call.dynamic]
    if trace.graph.guards or not all(part is float or _is_plain(part) for part in parts):
        return None
    places: dict[int, Any] = {k: Same(leaf) for k, leaf in enumerate(call.leaves)}
    places.update({k: position for position, k in enumerate(call.dynamic)})
    args, kwargs = call.with_leaves(list(range(len(call.leaves))))
    arguments = entry_tree(args, places)
    result, results = _result_tree(trace)
    if kwargs or arguments is None or result is None:
        return None
    count = len(call.dynamic)
    hidden = tuple(range(count, len(trace.graph.inputs)))
    weak = frozenset(k for k, part in enumerate(parts) if part is float)
    donated = _donated(trace, args, places, donate, results)
    fixed = [leaf for k, leaf in enumerate(call.leaves) if k not in call.dynamic]
    fixed += [value for kind, value in trace.results if kind == "static"]
    objects = tuple(map(id, fixed))
    return Form((*arguments, *hidden), result, weak, donated, fallback, name, objects)


def _is_plain(part: Any) -> bool:
    """Whether a leaf is an array in C order."""
    return type(part) is tuple and len(part) == 2 and type(part[0]) is tuple


def _result_tree(trace: Trace) -> tuple[Any, list[int]]:
    """The result with the positions of outputs as leaves, and those positions in order."""
    from chainrule.native.calls import Same  # noqa: PLC0415  only compiling needs it

    places: dict[int, Any] = {}
    outputs = iter(trace.graph.outputs)
    count = 0
    for k, (kind, value) in enumerate(trace.results):
        if kind == "static":
            places[k] = Same(value)
            continue
        node, index = next(outputs)
        if kind == "number" or (kind == "array" and node.outputs[index].shape == ()):
            return None, []
        places[k] = count
        count += 1
    tree = put_together(trace.treedef, list(range(len(trace.results))))
    return entry_tree(tree, places), list(range(count))


def _donated(
    trace: Trace,
    args: tuple[Any, ...],
    places: dict[int, Any],
    donate: tuple[int, ...],
    results: list[int],
) -> dict[int, int]:
    """For outputs, the donated input of the same shape and dtype whose memory each may take."""
    given = [
        places[leaf]
        for position in donate
        if -len(args) <= position < len(args)
        for leaf in trees.flatten(args[position])[0]
        if type(places[leaf]) is int
    ]
    found: dict[int, int] = {}
    for position in results:
        node, index = trace.graph.outputs[position]
        for k in given:
            if (
                trace.graph.inputs[k].outputs[0] == node.outputs[index]
                and node.outputs[index].shape
            ):
                found[position] = k
                given.remove(k)
                break
    return found
