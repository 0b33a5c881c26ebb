"""Which operation makes a derivative wrong: each alone, on the values that it had in the call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from chainrule.checks.differences import directional
from chainrule.checks.mismatch import Mismatch, Settings, chained, random_direction
from chainrule.checks.space import Leaves, Map, label, to_vector
from chainrule.graph import Node, is_inexact
from chainrule.tracing.recording import Recording
from chainrule.transforms.trace import record


def blame(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    modes: tuple[str, ...],
    mismatch: Mismatch,
    settings: Settings,
) -> str:
    """A sentence: the rule whose derivative is wrong, or why no single rule is to blame.

    `modes` is the derivative of `f` that was found wrong, the innermost mode first, and `mismatch`
    its worst entry.
    """
    with np.errstate(all="ignore"):
        recording = record(f, args, {})
        cut, bent = [], []
        for node, function, point in _operations(recording):
            if not node.primitive.records:
                if _moves(function, point, settings):
                    cut.append(node)
                continue
            found = chained(function, point, modes, settings)
            if found is None or found.doubtful:
                continue
            if found.kinked or not np.isfinite(found.expected):
                bent.append(node)
            else:
                return _culprit(node, found, function, point, modes)
    return _no_rule(recording, mismatch, cut, bent)


def _operations(recording: Recording) -> Iterator[tuple[Node, Map, Leaves]]:
    """Each operation that depends on an input, as a function of what it depends on it through."""
    reached = set(recording.graph.inputs)
    for node in recording.graph.nodes:
        _, xs, ys = recording.saved(node)
        wanted = [
            i
            for i, (source, _) in enumerate(node.inputs)
            if source in reached and is_inexact(xs[i])
        ]
        if wanted and any(is_inexact(y) for y in ys):
            reached.add(node)
            yield node, _alone(node, xs, wanted), [xs[i] for i in wanted]


def _alone(node: Node, xs: tuple[Any, ...], wanted: list[int]) -> Map:
    def operation(leaves: Leaves) -> Leaves:
        inputs = list(xs)
        for i, leaf in zip(wanted, leaves, strict=True):
            inputs[i] = leaf
        out = node.primitive(*inputs, **node.params)
        return [y for y in (out if isinstance(out, tuple) else (out,)) if is_inexact(y)]

    return operation


def _moves(function: Map, point: Leaves, settings: Settings) -> bool:
    """Whether an operation without a derivative changes with its input all the same."""
    measured = directional(function, point, random_direction(point, settings.rng))
    return bool(np.any(np.abs(measured.value) > 10 * measured.doubt(np.inf)))


def over(modes: tuple[str, ...]) -> str:
    """A derivative by its modes, the outermost first: `forward over reverse`."""
    return " over ".join(reversed(modes))


def _culprit(
    node: Node, found: Mismatch, function: Map, point: Leaves, modes: tuple[str, ...]
) -> str:
    one = len(point) == 1
    names = ["its input" if one else f"its input {k + 1}" for k in range(len(point))]
    by = f" with respect to {label(found.input, point, names)}" if found.input is not None else ""
    size = "" if to_vector(point).size == 1 else by
    return (
        f"to blame is the rule of {node.primitive.name} ({node.primitive.form}), used at "
        f"{node.place}: alone, on the values of this call, its {over(modes)} derivative{size} is "
        f"{found.got:.10g} where {found.expected:.10g} is right"
    )


def _no_rule(recording: Recording, mismatch: Mismatch, cut: list[Node], bent: list[Node]) -> str:
    """Why the derivative is not the limit of differences although no rule is wrong."""
    if cut:
        reasons = _listed(str(getattr(node.primitive, "reason", "")) for node in cut)
        return (
            f"no rule is wrong, but {_uses(cut)} lets no derivative pass ({reasons}), while "
            "differences see the value change"
        )
    why = []
    if bent:
        why.append(f"{_uses(bent)} has a kink or a singularity at its input")
    elif mismatch.kinked:
        left, right = mismatch.slopes
        why.append(
            f"the function has a kink here, slope {left:.6g} on one side and {right:.6g} on the "
            "other"
        )
    guards = recording.graph.guards
    if guards:
        places = _listed(str(guard.place) for guard in guards)
        why.append(
            f"the code reads values at {places}, and the derivative is that of the branch taken"
        )
    if why:
        return (
            f"no single rule is to blame: {'; '.join(why)}. What the derivative is there is a "
            "convention (docs/conventions.md); check at another point, or with a smaller step="
        )
    return (
        "no single rule is to blame: each operation alone is right at its input. Either the "
        "differences are too coarse for this function (set step= or tolerance=), or a value "
        "reaches the result by a way that is not recorded"
    )


def _uses(nodes: list[Node]) -> str:
    return _listed(f"{node.primitive.name} at {node.place}" for node in nodes)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
