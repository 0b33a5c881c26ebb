"""Recompute instead of store: a call of which the tape keeps only the arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Node, Primitive, Traced, is_inexact
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import Saves, Wanted
from chainrule.primitives.batching import Call as BatchCall
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import Arguments, numbers_in, put_together, taken_apart
from chainrule.transforms.batching import vmap
from chainrule.transforms.closures import Closure, for_reading
from chainrule.transforms.forward_mode import pushforward
from chainrule.transforms.reverse_mode import pullback

Function = Callable[..., Any]


class Call:
    """A call as a function of its leaves, closed-over ones too, which returns leaves as well."""

    __slots__ = ("_closure", "_leaves", "_moving", "_name", "_structure", "place", "treedef")

    def __init__(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._name = getattr(function, "__name__", "function")
        self._closure = Closure(functools.partial(function, **kwargs) if kwargs else function)
        self.place = self._closure.place
        self._leaves, self._structure = taken_apart((self._closure.values, args))
        self._moving = numbers_in(self._leaves)
        self.treedef: Any = None

    @property
    def leaves(self) -> list[Any]:
        return [self._leaves[k] for k in self._moving]

    def __call__(self, *leaves: Any) -> tuple[Any, ...]:
        filled = list(self._leaves)
        for k, leaf in zip(self._moving, leaves, strict=True):
            filled[k] = leaf
        values, args = put_together(self._structure, filled)
        outs, self.treedef = taken_apart(self._closure.holding(values)(*args))
        return tuple(outs)

    def __repr__(self) -> str:
        return self._name


class CallOnExamples:
    """A call of the user's function on many examples at once."""

    __slots__ = ("_call", "_mapped", "place")

    def __init__(self, call: Call, mapped: tuple[bool, ...]) -> None:
        self._call = call
        self._mapped = mapped
        self.place = call.place

    def __call__(self, *leaves: Any) -> tuple[Any, ...]:
        axes = tuple(0 if mapped else None for mapped in self._mapped)
        outs: tuple[Any, ...] = vmap(self._call, axes)(*leaves)
        return outs

    def __repr__(self) -> str:
        return repr(self._call)


def _on_examples(call: BatchCall) -> Any:
    return call.run(*call.values, call=CallOnExamples(call.params["call"], call.mapped))


class Checkpointed(Primitive):
    """The call of a user's function as one operation: both modes run the function again."""

    __slots__ = ()
    form = "call"

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        return Saves(None, None)

    def pulls(
        self,
        node: Node,
        wanted: Wanted,
        xs: tuple[Any, ...],
        ys: tuple[Any, ...],
        gs: list[Any],
    ) -> list[Any]:
        # The reverse pass hands conjugates to rules that state plain transposes; the pullback of a
        # function is an adjoint already, so the conjugation is undone on the way in and out.
        call = node.params["call"]
        _, values, pull = pullback("checkpoint", call, xs, {}, tuple(wanted))
        for again, before in zip(values, ys, strict=True):
            if not np.array_equal(concrete(again), concrete(before), equal_nan=is_inexact(before)):
                raise errors.MutationError(
                    f"the checkpointed function {call!r} of {call.place} gave another result when "
                    "it ran again for its derivative; it has to depend on its arguments alone "
                    "(draw random numbers outside and pass them in)"
                )
        found = pull.raw([None if g is None else np.conjugate(g) for g in gs])
        return [np.conjugate(g) for g in found]

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        arguments = Arguments("checkpoint", xs, tuple(i for i, t in enumerate(ts) if t is not None))
        tangents = [t for t in ts if t is not None]
        return pushforward("checkpoint", node.params["call"], arguments, tangents, {})[1]


def _run(*leaves: Any, call: Call) -> tuple[Any, ...]:
    # What the function writes into its arguments would change what was kept, on one level, and
    # would be lost on another.
    given = [leaf.snapshot() if isinstance(leaf, Traced) else for_reading(leaf) for leaf in leaves]
    try:
        outs = call(*given)
    except ValueError as error:
        if "read-only" in str(error):
            raise _written(call) from error
        raise
    for leaf, handle in zip(leaves, given, strict=True):
        if isinstance(leaf, Traced) and handle.value is not leaf.value:
            raise _written(call)
    if any(isinstance(out, Traced) for out in outs):
        raise errors.InputError(
            f"the checkpointed function {call!r} at {callers_place()} uses a value of the running "
            "derivative that is not among its arguments and that it does not hold itself (a "
            "global, say); pass it as an argument"
        )
    return outs


def _written(call: Call) -> errors.MutationError:
    return errors.MutationError(
        f"the checkpointed function {call!r} of {call.place} writes into an array that it was "
        "given or closes over, and it has to run twice; let it begin with a copy (u = np.copy(u)) "
        "and return what it made"
    )


checkpointed = Checkpointed(
    "checkpoint",
    compute=_run,
    inputs=None,
    latex=r"\operatorname{{{call}}}({x})",
    batch=_on_examples,
    note="runs the user's function",
)


def checkpoint(f: Function) -> Function:
    """`f`, but reverse mode keeps only its arguments and result, and runs it again for the rest.

    Memory for time: values inside `f` live only while its own derivative is computed. Values of a
    running derivative that `f` closes over count as arguments; `f` has to return the same result
    when it runs again. Source: Griewank, Achieving logarithmic growth of temporal and
    spatial complexity in reverse automatic differentiation, 1992.

    >>> import numpy as np
    >>> from chainrule.transforms.reverse_mode import grad
    >>> float(grad(lambda x: checkpoint(lambda u: np.sin(np.sin(u)))(x))(0.0))
    1.0
    """

    @functools.wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        call = Call(f, args, kwargs)
        if not any(isinstance(leaf, Traced) for leaf in call.leaves):
            return f(*args, **kwargs)
        outs = checkpointed(*call.leaves, call=call)
        return put_together(call.treedef, list(outs))

    return run
