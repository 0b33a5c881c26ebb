"""What runs the graph of a compiled function: native code, or NumPy operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from chainrule import errors
from chainrule.graph import Graph
from chainrule.interpreter.prepared import Prepared

if TYPE_CHECKING:
    from chainrule.native.schedule import Schedule

Backend = Literal["native", "interpreted"]
Source = Literal["graph", "schedule", "llvm", "asm"]


class Form(NamedTuple):
    """How the user's arguments and results hold the inputs and outputs of a graph."""

    arguments: tuple[Any, ...]
    result: Any
    weak: frozenset[int]
    donated: dict[int, int]
    fallback: Callable[..., Any]
    name: str
    objects: tuple[int, ...]  # the identities of the leaves that are no arrays


class Runnable(Protocol):
    """A graph made ready: called with one array per input, it gives one per output.

    `entry`, if there is one, takes the user's own arguments, and is called instead.
    """

    graph: Graph
    entry: Callable[..., Any] | None

    def __call__(self, inputs: Sequence[Any]) -> list[Any]: ...


class Native:
    """A graph as native code."""

    def __init__(self, graph: Graph, form: Form | None) -> None:
        # Importing llvmlite takes 0.3 s, and the lowering some tens of ms; only compiling needs it.
        from chainrule.native.program import Program  # noqa: PLC0415
        from chainrule.native.schedule import schedule  # noqa: PLC0415

        self.graph = graph
        self.schedule: Schedule = schedule(graph)
        self.entry: Callable[..., Any] | None = None
        if form is None:
            self.program = Program(self.schedule)
        else:
            self.program = Program(
                self.schedule,
                form.donated,
                arguments=form.arguments,
                result=form.result,
                scalars=True,
                weak=form.weak,
            )
            self.entry = self.program.function(form.fallback, form.name)

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        return self.program(inputs)


def prepare(graph: Graph, backend: Backend, form: Form | None = None) -> Runnable:
    """The graph made ready to run."""
    return Prepared(graph) if backend == "interpreted" else Native(graph, form)


def source(runnable: Runnable, what: Source) -> str:
    """What a runnable is made of, as text."""
    if what == "graph":
        return str(runnable.graph)
    if what not in ("schedule", "llvm", "asm"):
        raise errors.SettingError(f"source({what!r}): choose 'graph', 'schedule', 'llvm' or 'asm'")
    if not isinstance(runnable, Native):
        return f"(runs with NumPy; no {what})"
    if what == "schedule":
        return str(runnable.schedule)
    if what == "llvm":
        return str(runnable.program.text)
    from chainrule.native.machine import machine  # noqa: PLC0415  see Native

    return machine().assembly(runnable.program.text)


class Counts(NamedTuple):
    """What a runnable consists of; `steps` are the operations that NumPy carries out, and why."""

    kernels: int
    products: int
    arena_bytes: int
    steps: list[tuple[str, str]]


def counts(runnable: Runnable) -> Counts:
    """The kernels, products, bytes and steps by NumPy of a runnable."""
    if not isinstance(runnable, Native):
        reason = "it is not native code"
        return Counts(0, 0, 0, [(node.primitive.name, reason) for node in runnable.graph.nodes])
    from chainrule.native.lowering import Loops  # noqa: PLC0415  see Native
    from chainrule.native.products import Product  # noqa: PLC0415
    from chainrule.native.schedule import Interpreted  # noqa: PLC0415

    found = runnable.schedule.steps
    return Counts(
        sum(isinstance(step, Loops) for step in found),
        sum(isinstance(step, Product) for step in found),
        runnable.schedule.arena.size,
        [(s.node.primitive.name, s.reason) for s in found if isinstance(s, Interpreted)],
    )


def entry_tree(tree: Any, leaves: dict[int, Any]) -> Any:
    """A tree of positions as the native entry takes it; None where it cannot take such a tree.

    `leaves` gives, for each position, a leaf of the entry: the place of an input, or an object.
    """
    if type(tree) is int:
        return leaves[tree]
    if type(tree) in (tuple, list):
        children = [entry_tree(child, leaves) for child in tree]
        return None if any(c is None for c in children) else type(tree)(children)
    if type(tree) is dict and all(type(key) is str for key in tree):
        items = {key: entry_tree(child, leaves) for key, child in tree.items()}
        return None if any(c is None for c in items.values()) else items
    return None
