"""A call of a user's function as one operation of the graph, with the user's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.custom.call import Call, Function, Stated, same_structure
from chainrule.custom.transposing import transposing
from chainrule.graph import Node, Primitive, Spec, Traced, spec_of
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import Saves, Wanted, input_spec
from chainrule.primitives.fit import as_array
from chainrule.transforms.arguments import Arguments, put_together, taken_apart
from chainrule.transforms.forward_mode import pushforward
from chainrule.transforms.reverse_mode import pullback


class Custom(Primitive):
    """Its outputs are the leaves of the result, then the arrays of its own that `forward` saves.

    Cotangents are adjoint to tangents in Re(conj(a) b), as those of `vjp` are.
    """

    __slots__ = ("_keeps_inputs", "_stated")
    form = "custom"

    def __init__(self, name: str, stated: Stated, surrogate: str) -> None:
        super().__init__(
            name,
            compute=self._run,
            inputs=None,
            latex=rf"\operatorname{{{{{name}}}}}({{x}})",
            surrogate=surrogate,
            home=None,
        )
        self.uses_shapes = True
        self._stated = stated
        self._keeps_inputs = stated.backward is None

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        """What `forward` saved; the inputs only if it saved them, or must run again with them."""
        return Saves(None if self._keeps_inputs else frozenset(), None)

    def _run(self, *leaves: Any, call: Call) -> tuple[Any, ...]:
        result, saved = self._stated.forward(*call.args(leaves), **call.options)
        outs, own = call.finish(result, saved, leaves)
        if call.keeps_inputs:
            self._keeps_inputs = True
        if any(isinstance(out, Traced) for out in (*outs, *own)):
            raise errors.InputError(
                f"{self.name} at {callers_place()} uses a value of the running derivative that is "
                "not among its arguments; pass it as an argument"
            )
        return (*outs, *own)

    # -- reverse mode -------------------------------------------------------------------------

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        # The walk hands conjugates to rules that state plain transposes; these rules are adjoints.
        call: Call = node.params["call"]
        cotangents = [None if g is None else np.conjugate(g) for g in gs]
        count = call.results
        found: list[Any] = [None] * len(node.inputs)
        if any(g is not None for g in cotangents[:count]):
            whole = _filled(cotangents[:count], node.outputs[:count])
            inputs = [input_spec(node, k) for k in range(len(node.inputs))]
            if self._stated.backward is not None:
                found = self._backward(call, call.saved(xs, ys), whole, inputs)
            else:
                found = self._transposed_jvp(call, xs, whole)
        if any(g is not None for g in cotangents[count:]):
            again = self._pulled_through_saved(call, xs, cotangents[count:])
            found = [b if a is None else a + b for a, b in zip(found, again, strict=True)]
        return [None if found[i] is None else np.conjugate(found[i]) for i in wanted]

    def _backward(self, call: Call, saved: Any, gs: list[Any], inputs: Sequence[Spec]) -> list[Any]:
        """The cotangents of the floating leaves, by the user's rule."""
        assert self._stated.backward is not None
        tree = put_together(call.treedef, gs)
        found = call.cotangents(self._stated.backward(saved, tree))
        wrong = f"the backward rule of {self.name}, used at {callers_place()}, returns"
        if found is None:
            raise errors.RuleError(
                f"{wrong} trees that are not those of the arguments; return a tuple with one "
                "cotangent for each positional argument (None where there is none)"
            )
        for spec, g in zip(inputs, found, strict=True):
            if g is not None and np.shape(g) != spec.shape:
                raise errors.RuleError(
                    f"{wrong} a cotangent of shape {np.shape(g)} for an argument of shape "
                    f"{spec.shape}; the two must be the same"
                )
        return [None if g is None else as_array(g) for g in found]

    def _transposed_jvp(self, call: Call, xs: tuple[Any, ...], gs: list[Any]) -> list[Any]:
        with transposing(self.name, "jvp", "vjp", "reverse"):
            start = tuple(_zeros(spec_of(x)) for x in xs)
            _, _, pull = pullback(
                self.name,
                lambda *ts: tuple(self._jvp(call, xs, list(ts))),
                start,
                {},
                tuple(range(len(start))),
            )
            found: list[Any] = pull.raw(gs)
            return found

    def _pulled_through_saved(self, call: Call, xs: tuple[Any, ...], gs: list[Any]) -> list[Any]:
        """Cotangents that arrive at saved arrays: `forward` is differentiated as it stands."""
        _, _, pull = pullback(self.name, self._own(call), xs, {}, tuple(range(len(xs))))
        found: list[Any] = pull.raw(gs)
        return found

    def _own(self, call: Call) -> Function:
        """The arrays of its own that `forward` saves, as a function of the inputs."""

        def own(*leaves: Any) -> tuple[Any, ...]:
            _, saved = self._stated.forward(*call.args(leaves), **call.options)
            return call.own_of(saved)

        return own

    # -- forward mode -------------------------------------------------------------------------

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        call: Call = node.params["call"]
        tangents = _filled(ts, [spec_of(x) for x in xs])
        if self._stated.jvp is not None:
            moved = self._jvp(call, xs, tangents)
        else:
            moved = self._transposed_backward(node, call, xs, ys, tangents)
        own: list[Any] = [None] * (len(node.outputs) - call.results)
        if own and call.nested:
            arguments = Arguments(self.name, xs, tuple(range(len(xs))))
            own = pushforward(self.name, self._own(call), arguments, tangents, {})[1]
        return [*moved, *own]

    def _jvp(self, call: Call, xs: Sequence[Any], tangents: list[Any]) -> list[Any]:
        """The tangents of the leaves of the result, by the user's rule."""
        assert self._stated.jvp is not None
        given = self._stated.jvp(call.args(xs), call.tangents(tangents), **call.options)
        found, treedef = taken_apart(given)
        if not same_structure(treedef, call.treedef):
            raise errors.RuleError(
                f"the jvp of {self.name}, used at {callers_place()}, returns a tangent whose tree "
                "is not that of the result"
            )
        return found

    def _transposed_backward(
        self,
        node: Node,
        call: Call,
        xs: tuple[Any, ...],
        ys: tuple[Any, ...],
        tangents: list[Any],
    ) -> list[Any]:
        """J t: the transpose of the backward rule, which is linear in g, applied to t."""
        results = node.outputs[: call.results]
        floating = [k for k, spec in enumerate(results) if spec.dtype.kind in "fc"]
        inputs = [spec_of(x) for x in xs]

        def backward(*gs: Any) -> tuple[Any, ...]:
            whole: list[Any] = [None] * call.results
            for k, g in zip(floating, gs, strict=True):
                whole[k] = g
            return tuple(_filled(self._backward(call, saved, whole, inputs), inputs))

        with transposing(self.name, "vjp", "jvp", "forward"):
            saved = call.saved(xs, ys)
            start = tuple(_zeros(results[k]) for k in floating)
            _, _, pull = pullback(self.name, backward, start, {}, tuple(range(len(start))))
            moved: list[Any] = [None] * call.results
            for k, t in zip(floating, pull.raw(tangents), strict=True):
                moved[k] = t
        return moved


def _zeros(spec: Spec) -> Any:
    return np.zeros(spec.shape, spec.dtype)[()]


def _filled(leaves: Sequence[Any], specs: Sequence[Spec]) -> list[Any]:
    """The leaves with zeros where one is absent; what is not floating stays absent."""
    return [
        _zeros(spec) if leaf is None and spec.dtype.kind in "fc" else leaf
        for leaf, spec in zip(leaves, specs, strict=True)
    ]
