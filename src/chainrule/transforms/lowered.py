"""What a compiled function can tell of itself, and the function with some arguments bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.graph import Spec
from chainrule.transforms.backends import Source, counts, source
from chainrule.transforms.specialise import Specialisation

if TYPE_CHECKING:
    from chainrule.transforms.compile import Compiled


def spec(shape: int | tuple[int, ...] = (), dtype: Any = np.float64) -> Spec:
    """The shape and dtype of an array that need not exist, for `lower`.

    >>> str(spec((3, 4), np.float32))
    'float32[3,4]'
    """
    return Spec((shape,) if isinstance(shape, int) else tuple(shape), np.dtype(dtype))


def placeholder(spec: Spec) -> Any:
    """An array of a spec, with numbers for which most functions are defined."""
    size = int(np.prod(spec.shape, dtype=int))
    if spec.dtype.kind in "biu":
        return np.zeros(spec.shape, spec.dtype)
    # The golden ratio spreads over (0, 1) without repeating, so that no two entries tie.
    return (
        (0.1 + 0.8 * (np.arange(size) * 0.6180339887498949 % 1))
        .reshape(spec.shape)
        .astype(spec.dtype)
    )


class Lowered:
    """One specialisation: what it was made for, its guards, its sources and its report."""

    def __init__(self, specialisation: Specialisation) -> None:
        self._specialisation = specialisation

    @property
    def inputs(self) -> list[str]:
        """The inputs of the graph: name and spec; those from outside come last."""
        nodes = self._specialisation.trace.graph.inputs
        return [f"{node.name or 'unnamed'}: {node.outputs[0]}" for node in nodes]

    @property
    def guards(self) -> list[str]:
        """What has to hold for it to be used: the value that was read, and the line."""
        guards = self._specialisation.trace.graph.guards
        return [f"{guard.kind} is {guard.observed!r} at {guard.place}" for guard in guards]

    def __repr__(self) -> str:
        return f"<specialisation for {', '.join(self.inputs)}; {len(self.guards)} guards>"

    def constants(self) -> list[str]:
        """What comes from outside the arguments, and how it is kept true."""
        surroundings = self._specialisation.trace.surroundings
        watched = {id(binding) for binding, _ in surroundings.watched}
        lines = [
            f"{h.binding.name}: {h.node.outputs[0]}, read by reference at {h.place}"
            for h in surroundings.hidden
        ]
        for k, binding in enumerate(surroundings.bindings):
            if id(binding) in watched:
                size = binding.value.nbytes
                lines.append(f"{binding.name}: its {size} bytes are compared on every call")
            elif k not in surroundings.inputs:
                lines.append(f"{binding.name}: {_short(binding.value)}, has to stay the same")
        for taken in surroundings.taken:
            lines.append(f"{_short(taken.value)} at {taken.place}: computed while tracing, copied")
        return lines

    def source(self, what: Source = "graph") -> str:
        """Its graph, schedule, LLVM code or machine code, as text."""
        if what == "graph":
            return str(self._specialisation.trace.graph)
        return "\n".join(source(r, what) for r in self._specialisation.runnables())

    def report(self) -> str:
        """Kernels, products, bytes, operations, and what NumPy carries out and why."""
        nodes = self._specialisation.trace.graph.nodes
        entries = [
            node.primitive.flops * int(np.prod(node.outputs[0].shape, dtype=int))
            for node in nodes
            if node.outputs
        ]
        found = [counts(runnable) for runnable in self._specialisation.runnables()]
        steps = [step for each in found for step in each.steps]
        lines = [
            f"{len(nodes)} operations, about {sum(entries):.3g} floating point operations "
            "besides those of products",
            f"{sum(each.kernels for each in found)} kernels, "
            f"{sum(each.products for each in found)} products of matrices, "
            f"{len(steps)} steps by NumPy",
            f"{sum(each.arena_bytes for each in found)} bytes for intermediate values",
            f"{len(self.guards)} guards",
        ]
        lines += [f"by NumPy: {name}, because {reason}" for name, reason in steps]
        return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"


class Bound:
    """A compiled function with some of its arguments given."""

    def __init__(self, compiled: Compiled, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._compiled = compiled
        self._args = args
        self._kwargs = kwargs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*self._args, *args, **{**self._kwargs, **kwargs})
