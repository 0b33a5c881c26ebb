"""`@primitive`: a function of arrays as one operation, with a rule of the user's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from chainrule import errors
from chainrule.custom.transposing import transposing
from chainrule.custom.verification import Sample, verify
from chainrule.graph import Primitive
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import LEGEND, in_legend
from chainrule.primitives.declare import Constant, Elementwise, General, Linear, Multilinear
from chainrule.primitives.fit import as_array
from chainrule.tracing.conversion import operand

Function = Callable[..., Any]
Rules = Function | Sequence[Function]


def primitive(
    function: Function | None = None,
    *,
    samples: Sequence[Sample],
    partials: Function | Constant | Sequence[Function | Constant] | None = None,
    transposed: Rules | None = None,
    jvp: Rules | None = None,
    vjp: Rules | None = None,
    surrogate: str = "",
    outputs: int = 1,
    latex: str | None = None,
    flops: float = 1.0,
) -> Any:
    """A function of arrays as one operation with its own derivative rule; a decorator.

    `function` sees plain arrays only, so it may be written in anything. Its positional parameters
    are the inputs; keyword-only ones are options, which rules may name too. Say one of

    partials    ∂y/∂x entry by entry, one function per input: acts entry by entry, broadcasts
    transposed  one function: linear in all inputs together; a tuple with one per input: linear in
                each apart. The function maps the cotangent g to that of the input at hand
    jvp         one function per pair of input and output, inputs first: the tangent of the output
    vjp         the same with cotangents: g of the output to the cotangent of the input

    and both modes follow: the other one by transposition, the derivatives of the derivative from
    the rule, which is ordinary NumPy. Rules name what they read, and only that is kept: `t` or `g`
    first (not for partials), `x` or `x1`, `x2` … the inputs, `y` or `y1` … the outputs, `shape` of
    the input at hand. They state the plain derivative; broadcasting and conjugation are undone for
    them. A rule that is no ordinary NumPy gives the mode that it states, and a sentence where the
    other is asked for; state both `jvp` and `vjp` then.

    `samples` are tuples of arguments at which the rule is compared with differences of the function
    now. `surrogate="the reason"` leaves out that comparison alone, for a rule that is meant to
    differ; `explain` shows the reason. For trees of arrays, and rules over all arguments at once,
    see `custom_derivative`. Raises RuleError; ToleranceError, with numbers, for a wrong rule.

    >>> import numpy as np
    >>> @primitive(partials=lambda x, y: y / x * (1 + np.log(x)) * x, samples=[(0.5,), (2.0,)])
    ... def to_itself(x):
    ...     return x**x
    >>> from chainrule import grad
    >>> float(grad(to_itself)(1.0))
    1.0
    """
    if function is None:
        return functools.partial(
            primitive,
            samples=samples,
            partials=partials,
            transposed=transposed,
            jvp=jvp,
            vjp=vjp,
            surrogate=surrogate,
            outputs=outputs,
            latex=latex,
            flops=flops,
        )
    name = function.__name__
    signature = inspect.signature(function)
    record = _Declaration(name, signature, outputs).record(
        {"partials": partials, "transposed": transposed, "jvp": jvp, "vjp": vjp},
        compute=function,
        latex=latex if latex is not None else rf"\operatorname{{{{{name}}}}}({{x}})",
        flops=flops,
        surrogate=surrogate,
        note="both modes are stated by the user" if jvp is not None and vjp is not None else "",
    )
    run = _called(function, signature, record)
    verify(name, run, samples, surrogate)
    return run


def _called(function: Function, signature: inspect.Signature, record: Primitive) -> Function:
    """The function that users call: positional parameters as inputs, the others as options."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return record(*[operand(value) for value in bound.args], **bound.kwargs)

    return run


class _Declaration:
    """What the signature of a function says about its record."""

    def __init__(self, name: str, signature: inspect.Signature, outputs: int) -> None:
        self.name = name
        self.outputs = outputs
        kinds = [p.kind for p in signature.parameters.values()]
        if inspect.Parameter.VAR_KEYWORD in kinds:
            raise self._wrong("takes **options; write them out as keyword-only parameters")
        self.options = {p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}
        for name in self.options:
            if in_legend(name):
                raise self._wrong(
                    f"has the option {name!r}, and rules that say so read something else (an "
                    "input, an output, a shape, the position of the input); call it another name"
                )
        variadic = inspect.Parameter.VAR_POSITIONAL in kinds
        self.inputs = None if variadic else len(kinds) - len(self.options)

    def _wrong(self, what: str) -> errors.RuleError:
        return errors.RuleError(f"the primitive {self.name} at {callers_place()} {what}")

    def record(self, stated: dict[str, Any], **record: Any) -> Primitive:
        """The record in the form that the stated rules say."""
        given = {kind: rules for kind, rules in stated.items() if rules is not None}
        if len(given) != 1 and set(given) != {"jvp", "vjp"}:
            raise self._wrong(
                f"states {' and '.join(given) or 'no rule'}; state one of partials, transposed, "
                "jvp and vjp (or both of the last two)"
            )
        record = {**record, "home": None, "samples": (), "outputs": self.outputs}
        if "transposed" in given and callable(given["transposed"]):
            (rule,) = self._checked("transposed", given["transposed"])
            return Linear(self.name, transposed=rule, inputs=self.inputs, **record)
        rules = {kind: self._checked(kind, stated) for kind, stated in given.items()}
        if "partials" in rules:
            return Elementwise(self.name, partials=rules["partials"], **record)
        if "transposed" in rules:
            return Multilinear(self.name, transposed=rules["transposed"], **record)
        return self._general(rules, record)

    def _general(self, rules: dict[str, tuple[Function, ...]], record: Any) -> Primitive:
        """A general record; a rule that cannot be transposed says so in a sentence of its own."""
        named = {kind: tuple(stated) for kind, stated in rules.items()}
        return Guarded(self.name, inputs=self.inputs, **named, **record)

    def _checked(self, kind: str, rules: Any) -> tuple[Any, ...]:
        """The rules as a tuple of the right length, each reading only what there is."""
        found = tuple(rules) if isinstance(rules, tuple | list) else (rules,)
        per_input = self.outputs if kind in ("jvp", "vjp") else 1
        whole = kind == "transposed" and callable(rules)
        if self.inputs is not None and not whole and len(found) != self.inputs * per_input:
            raise self._wrong(
                f"has {self.inputs} inputs and {self.outputs} outputs, and its {kind} states "
                f"{len(found)} rules; give {self.inputs * per_input}, in a tuple"
            )
        for rule in found:
            if not isinstance(rule, Constant):
                self._check_names(kind, rule)
        return found

    def _check_names(self, kind: str, rule: Function) -> None:
        first: list[str] = {"partials": [], "transposed": ["g"], "jvp": ["t"], "vjp": ["g"]}[kind]
        names = list(inspect.signature(rule).parameters)
        if names[: len(first)] != first:
            raise self._wrong(f"has a rule in {kind} that does not begin with {first[0]}: {names}")
        counts = {"x": self.inputs, "y": self.outputs}
        for name in names[len(first) :]:
            letter, digits = name[:1], name[1:] or "1"
            numbered = letter in counts and digits.isdigit() and int(digits) >= 1
            known = numbered and (counts[letter] is None or int(digits) <= (counts[letter] or 0))
            if not known and name not in {*LEGEND, *self.options}:
                raise self._wrong(
                    f"has a rule in {kind} that reads {name!r}, which is neither an input (x1 …), "
                    "an output (y1 …), shape, nor a keyword-only parameter"
                )


class Guarded(General):
    """A general record whose rule need not be ordinary NumPy: then it cannot be transposed."""

    __slots__ = ()

    def _pulled(self, node: Any, i: int, o: int, xs: Any, ys: Any, g: Any) -> Any:
        if self.vjp is not None:
            return as_array(super()._pulled(node, i, o, xs, ys, g))
        with transposing(self.name, "jvp", "vjp", "reverse"):
            return super()._pulled(node, i, o, xs, ys, g)

    def _pushed(self, node: Any, i: int, o: int, xs: Any, ys: Any, t: Any) -> Any:
        if self.jvp is not None:
            return super()._pushed(node, i, o, xs, ys, t)
        with transposing(self.name, "vjp", "jvp", "forward"):
            return super()._pushed(node, i, o, xs, ys, t)
