"""The four forms of a primitive, cheapest first. The rest is derived from what a form states.

Legend: the argument names of a rule say what it needs, and so what is saved for it.

    g        cotangent of the output          t       tangent of one input
    x, x1…   value of the input(s)            y, y1…  value of the output(s)
    xs       all input values                 indices the inputs that are not floating
    shape    shape of the input at hand       shapes  shapes of all inputs
    i        position of the input at hand    other names: keyword parameters of the operation

Rules are ordinary NumPy, written for real numbers; they state the plain derivative. Undoing
broadcasts, casting and conjugation happen in one place (`primitives/fit.py`), never here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from chainrule.graph import Flat, Node, Primitive, Rule, Spec, is_inexact, spec_of
from chainrule.graph.primitive import Wanted, input_spec
from chainrule.primitives.batching import entrywise
from chainrule.primitives.samples import Case, Domain
from chainrule.primitives.strictness import products_are_plain


class Constant:
    """A partial derivative that is the same everywhere; 0 carries its reason."""

    __slots__ = ("reason", "value")

    def __init__(self, value: int, reason: str = "") -> None:
        self.value = value
        self.reason = reason

    def __repr__(self) -> str:
        return f"{self.value}{f' ({self.reason})' if self.reason else ''}"


ONE = Constant(1)
MINUS_ONE = Constant(-1)


def ZERO(reason: str) -> Constant:  # noqa: N802  it is the third constant
    """The partial derivative 0, with the reason why there is no other."""
    return Constant(0, reason)


def _add(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    return left + right


class Elementwise(Primitive):
    """y = f(x1, x2, …) entry by entry, with broadcasting. States one partial per input.

    vjp: x̄ᵢ = chain_product(ḡ, ∂f/∂xᵢ);  jvp: ẏ = Σᵢ chain_product(ẋᵢ, ∂f/∂xᵢ).
    """

    __slots__ = ("partials",)
    form = "elementwise"

    def __init__(
        self, name: str, *, partials: Sequence[Callable[..., Any] | Constant], **record: Any
    ) -> None:
        super().__init__(name, inputs=len(partials), batch=entrywise, **record)
        self.partials = tuple(p if isinstance(p, Constant) else Rule(p) for p in partials)
        self.flat_inputs = frozenset(
            i for i, p in enumerate(self.partials) if isinstance(p, Constant) and p.value == 0
        )
        self.records = len(self.flat_inputs) < len(self.partials)
        if self.records and self.samples is None and self.domain is None:
            raise TypeError(f"the elementwise primitive {name!r} needs a domain or samples")

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        partial = self.partials[i]
        return () if isinstance(partial, Constant) else (partial,)

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        factor = gs[0]
        found = []
        for i in wanted:
            partial = self.partials[i]
            if partial is ONE:
                found.append(factor)
                continue
            if isinstance(partial, Constant):
                found.append(-factor)
                continue
            if partial.only is not None:
                p = partial.function(xs[partial.only])
            else:
                p = partial.evaluate((), node, xs, ys, i)
            # Two plain arrays, the commonest case, need not be looked at once more.
            plain = type(factor) is np.ndarray and type(p) is np.ndarray
            found.append((strong_product if plain else chain_product)(factor, p))
        return found

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        total = None
        for i, t in enumerate(ts):
            if t is not None and i not in self.flat_inputs:
                total = _add(total, self.pulls(node, [i], xs, ys, [t])[0])
        return [total]


class Linear(Primitive):
    """y = A(x1, x2, …), linear in all its floating inputs together; integer inputs are data.

    jvp: the operation itself, applied to the tangents; vjp: `transposed`, once per input.
    """

    __slots__ = ("transposed",)
    form = "linear"

    def __init__(self, name: str, *, transposed: Callable[..., Any], **record: Any) -> None:
        super().__init__(name, **record)
        self.transposed = Rule(transposed, ("g",))
        self.uses_shapes = self.transposed.uses_shapes

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        return (self.transposed,)

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        found = []
        for i in wanted:
            found.append(self.transposed.evaluate(gs, node, xs, ys, i))
        return found

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        inputs = []
        for x, t in zip(xs, ts, strict=True):
            if t is not None:
                inputs.append(t)
            elif is_inexact(x):
                spec = spec_of(x)
                inputs.append(np.zeros(spec.shape, spec.dtype))
            else:
                inputs.append(x)
        return [self(*inputs, **node.params)]


class Multilinear(Primitive):
    """y = B(x1, x2, …), linear in each input apart. States one transpose per input.

    jvp by the product rule: ẏ = Σᵢ B(x1, …, ẋᵢ, …).
    """

    __slots__ = ("transposed",)
    form = "multilinear"

    def __init__(
        self,
        name: str,
        *,
        transposed: Sequence[Callable[..., Any]] | Callable[..., Any],
        **record: Any,
    ) -> None:
        variadic = callable(transposed)
        super().__init__(name, inputs=None if callable(transposed) else len(transposed), **record)
        rules = (transposed,) if callable(transposed) else transposed
        self.transposed = tuple(Rule(rule, ("g",)) for rule in rules)
        self.uses_shapes = any(rule.uses_shapes for rule in self.transposed)
        assert variadic == (self.inputs is None)

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        return (self.transposed[0 if self.inputs is None else i],)

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        return [self.saved_for(i)[0].evaluate(gs, node, xs, ys, i) for i in wanted]

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        total = None
        for i, t in enumerate(ts):
            if t is not None:
                total = _add(total, self(*xs[:i], t, *xs[i + 1 :], **node.params))
        return [total]


class General(Primitive):
    """Any other y1, y2, … = f(x1, x2, …). States a jvp, linear in t, or a vjp, linear in g.

    One rule for each pair of an input and an output, inputs first: for eigh (one input, two
    outputs) jvp = (tangent of the values, tangent of the vectors), for solve (two inputs, one
    output) jvp = (from the matrix, from the right-hand side). A cotangent that is absent forms no
    term. The other mode follows by transposing; to state both, the record's note says why.
    """

    __slots__ = ("jvp", "vjp")
    form = "general"
    # (linear function, spec of its input, cotangent) -> cotangent of the input. Transposing a
    # function means tracing it, which is work of a higher room: `passes/transpose.py` fills this.
    transpose: ClassVar[Callable[[Callable[[Any], Any], Spec, Any], Any]]

    def __init__(
        self,
        name: str,
        *,
        jvp: Sequence[Callable[..., Any]] | None = None,
        vjp: Sequence[Callable[..., Any]] | None = None,
        **record: Any,
    ) -> None:
        super().__init__(name, **record)
        if jvp is None and vjp is None:
            raise TypeError(f"the primitive {name!r} states neither a jvp nor a vjp")
        if jvp is not None and vjp is not None and not self.note:
            raise TypeError(f"the primitive {name!r} states both modes without saying why")
        for rules in (jvp, vjp):
            if rules is not None and self.inputs and len(rules) != self.inputs * self.outputs:
                raise TypeError(f"{name!r} needs one rule per input and output")
        self.jvp = None if jvp is None else tuple(Rule(rule, ("t",)) for rule in jvp)
        self.vjp = None if vjp is None else tuple(Rule(rule, ("g",)) for rule in vjp)
        self.uses_shapes = any(r.uses_shapes for r in (self.jvp or ()) + (self.vjp or ()))

    def rules_of(self, rules: tuple[Rule, ...], i: int) -> tuple[Rule, ...]:
        """The rules of input `i`, one per output."""
        if self.inputs is None:
            return rules
        return rules[i * self.outputs : (i + 1) * self.outputs]

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        return self.rules_of(self.vjp if self.vjp is not None else self.jvp or (), i)

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        totals: list[Any] = [None] * len(wanted)
        for k, i in enumerate(wanted):
            for o, g in enumerate(gs):
                if g is not None:
                    totals[k] = _add(totals[k], self._pulled(node, i, o, xs, ys, g))
        return totals

    def _pulled(
        self, node: Node, i: int, o: int, xs: tuple[Any, ...], ys: tuple[Any, ...], g: Any
    ) -> Any:
        if self.vjp is not None:
            return self.rules_of(self.vjp, i)[o].evaluate((g,), node, xs, ys, i)
        rule = self.rules_of(self.jvp or (), i)[o]
        return General.transpose(
            lambda t: rule.evaluate((t,), node, xs, ys, i), input_spec(node, i), g
        )

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        totals: list[Any] = [None] * len(node.outputs)
        for i, t in enumerate(ts):
            if t is not None:
                for o in range(len(totals)):
                    if is_inexact(ys[o]):
                        totals[o] = _add(totals[o], self._pushed(node, i, o, xs, ys, t))
        return totals

    def _pushed(
        self, node: Node, i: int, o: int, xs: tuple[Any, ...], ys: tuple[Any, ...], t: Any
    ) -> Any:
        if self.jvp is not None:
            return self.rules_of(self.jvp, i)[o].evaluate((t,), node, xs, ys, i)
        rule = self.rules_of(self.vjp or (), i)[o]
        return General.transpose(lambda g: rule.evaluate((g,), node, xs, ys, i), node.outputs[o], t)


elementwise = Elementwise
linear = Linear
multilinear = Multilinear
primitive = General
flat = Flat


def strong_product(g: Any, p: Any) -> Any:
    """g · p, but 0 wherever either factor is exactly 0, also against infinity and NaN.

    The plain product comes first. NumPy takes NaN for the largest entry of all, so one pass without
    a temporary tells whether there is one; only then the product is repaired.
    """
    y = g * p
    witness = y  # itself where it is a scalar of NumPy's or of Python's
    if isinstance(y, np.ndarray):
        entries = y if y.ndim == 1 else y.ravel("K")
        if y.dtype.kind == "c" or not y.size:
            witness = np.vdot(entries, entries)
        else:
            witness = entries.item(entries.argmax())
    if witness == witness or products_are_plain():
        return y
    if y.dtype.kind == "c":
        y = _by_parts(g, p)
    return np.where((g == 0) | (p == 0), np.zeros((), np.result_type(y)), y)[()]


def _by_parts(g: Any, p: Any) -> Any:
    """The strong product of complex numbers: that of their real and imaginary parts."""
    g_real, g_imaginary, p_real, p_imaginary = np.real(g), np.imag(g), np.real(p), np.imag(p)
    real = strong_product(g_real, p_real) - strong_product(g_imaginary, p_imaginary)
    y = np.empty(np.shape(real), np.result_type(g, p))
    y.real = real
    y.imag = strong_product(g_real, p_imaginary) + strong_product(g_imaginary, p_real)
    return y


chain_product: Multilinear = Multilinear(
    "chain_product",
    compute=strong_product,
    transposed=(
        lambda g, x2: chain_product(g, x2),
        lambda g, x1: chain_product(g, x1),
    ),
    latex=r"{x1} \odot {x2}",
    samples=[
        Case((lambda r: r.normal(size=(3, 4)), lambda r: r.normal(size=(3, 4))), {}),
        Case((lambda r: r.normal(size=(4,)), lambda r: r.normal(size=(3, 1))), {}),
    ],
    batch=entrywise,
    note="the product of the chain rule: a structural zero stays zero against infinity",
)

__all__ = [
    "MINUS_ONE",
    "ONE",
    "ZERO",
    "Constant",
    "Domain",
    "Elementwise",
    "General",
    "Linear",
    "Multilinear",
    "chain_product",
    "elementwise",
    "flat",
    "linear",
    "multilinear",
    "primitive",
]
