"""The record of an operation, its rules, and the registry of all records.

A record knows what computes it, what NumPy calls it, and which form its derivative has. The
forms themselves (elementwise, linear, multilinear, general) are declared in `primitives`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from chainrule.graph.node import Node, Spec
from chainrule.graph.traced import Traced

ArrayFunction = Callable[..., Any]
Positions = frozenset[int] | None
Wanted = Sequence[int]
Saved = tuple[Wanted, tuple[Any, ...], tuple[Any, ...]]
"""What a step of reverse mode keeps: the inputs that want a derivative, values of inputs, outputs.

A value that no wanted derivative reads is None, or its whole tuple is empty."""
Step = tuple[Node, Wanted, tuple[Any, ...], tuple[Any, ...]]
"""One operation and what it keeps, in one flat tuple: one is made for every operation."""
INDICES = frozenset({-1})
"""Stands for the inputs that are not floating; which those are only the call knows."""


class Saves:
    """Which inputs and outputs some derivatives of an operation read; None stands for all.

    `whole` and `nothing` say it for a call all of whose inputs are wanted, hence floating.
    """

    __slots__ = ("inputs", "no_input", "no_output", "nothing", "outputs", "whole")

    def __init__(self, inputs: Positions, outputs: Positions, arity: int | None = None) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.no_input = inputs == frozenset()
        self.no_output = outputs == frozenset()
        self.nothing = self.no_input or inputs == INDICES
        self.whole = not self.nothing and (inputs is None or len(inputs) == arity)


class Registry:
    """Every primitive by name, and what each NumPy function means for traced arrays.

    Families that need a library which takes time to import are `expected`: they load when a
    function comes that has no meaning yet, or when `complete` asks for all of them.
    """

    def __init__(self) -> None:
        self.primitives: dict[str, Primitive] = {}
        self.meanings: dict[Any, ArrayFunction] = {}
        self.expected: dict[str, str] = {}

    def add(self, primitive: Primitive) -> None:
        if primitive.name in self.primitives:
            raise TypeError(f"there is a primitive named {primitive.name!r} already")
        self.primitives[primitive.name] = primitive
        if primitive.numpy is not None:
            self.give_meaning(primitive.numpy, primitive)

    def give_meaning(self, numpy: Any, meaning: ArrayFunction) -> None:
        """Let calls of the NumPy function `numpy` on traced arrays run `meaning` instead."""
        if numpy in self.meanings:
            raise TypeError(f"numpy.{numpy.__name__} has a meaning already")
        self.meanings[numpy] = meaning

    def expect(self, library: str, family: str) -> None:
        """Say that the module `family` declares what the functions of `library` mean."""
        self.expected[library] = family

    def meaning_of(self, function: Any) -> ArrayFunction | None:
        """What `function` means; where nothing is known, after loading what may know it.

        A function that the user's code calls belongs to a library that is imported already.
        """
        if function not in self.meanings:
            families = list(self.expected.items())
            self._load([(name, family) for name, family in families if name in sys.modules])
        return self.meanings.get(function)

    def complete(self) -> Self:
        """The registry with all that it expects: for whoever lists, checks or documents it."""
        self._load(list(self.expected.items()))
        return self

    def _load(self, families: list[tuple[str, str]]) -> None:
        """Import the families; a thread that comes second waits for the first."""
        for _, family in families:
            importlib.import_module(family)
        for library, _ in families:
            self.expected.pop(library, None)

    def __iter__(self) -> Iterator[Primitive]:
        return iter(self.primitives.values())

    def __contains__(self, primitive: Primitive) -> bool:
        """Whether this very record is in here, not one of a user's own with the same name."""
        return self.primitives.get(primitive.name) is primitive

    def __getitem__(self, name: str) -> Primitive:
        return self.primitives[name]


registry = Registry()


class Rule:
    """A derivative rule together with what its argument names say that it needs.

    The first arguments are the cotangent or tangent if the rule takes one (`takes`); the others
    are the names of the legend in `primitives/declare.py`, or keyword parameters of the operation.
    """

    __slots__ = ("function", "needs", "only", "saves_inputs", "saves_outputs", "uses_shapes")

    def __init__(self, function: ArrayFunction, takes: tuple[str, ...] = ()) -> None:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        if names[: len(takes)] != takes:
            raise TypeError(f"a rule of this form starts with {takes}, not with {list(names)}")
        self.function = function
        self.needs = [_need(name) for name in names[len(takes) :]]
        # By far the commonest rule reads one input value and nothing else.
        self.only = self.needs[0][1] if [kind for kind, _ in self.needs] == ["x"] else None
        kinds = {kind for kind, _ in self.needs}
        self.saves_inputs: Positions = frozenset(k for kind, k in self.needs if kind == "x")
        if "xs" in kinds:
            self.saves_inputs = None  # all of them; how many there are only the call knows
        elif "indices" in kinds:
            self.saves_inputs = INDICES
        self.saves_outputs = frozenset(k for kind, k in self.needs if kind == "y")
        self.uses_shapes = "shape" in kinds or "shapes" in kinds

    def evaluate(
        self, linear: Sequence[Any], node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], i: int
    ) -> Any:
        """The rule for input `i` of `node`, whose saved values are `xs` and `ys`."""
        arguments = [*linear]
        for kind, which in self.needs:
            if kind == "parameter":
                arguments.append(node.params[which])
            elif kind == "shape":
                source, index = node.inputs[i]
                arguments.append(source.outputs[index].shape)
            elif kind == "indices":
                arguments.append(xs and tuple(x for x in xs if x is not None and _is_index(x)))
            elif kind == "x":
                arguments.append(xs[which])
            elif kind == "y":
                arguments.append(ys[which])
            elif kind == "shapes":
                arguments.append(tuple(source.outputs[k].shape for source, k in node.inputs))
            else:
                arguments.append(xs if kind == "xs" else i)
        return self.function(*arguments)


def input_spec(node: Node, i: int) -> Spec:
    source, index = node.inputs[i]
    return source.outputs[index]


def _is_index(x: Any) -> bool:
    return x.dtype.kind in "biu"


LEGEND = ("xs", "indices", "shape", "shapes", "i")


def _need(name: str) -> tuple[str, Any]:
    """What one argument name of a rule reads: the kind, and which of its kind."""
    kind, digits = name[0], name[1:]
    if kind in "xy" and (not digits or digits.isdigit()):
        return kind, int(digits or 1) - 1
    return (name, None) if name in LEGEND else ("parameter", name)


def in_legend(name: str) -> bool:
    """Whether a rule that has an argument of this name reads something else than a parameter."""
    return _need(name)[0] != "parameter" or name in ("g", "t")


def _parameters(compute: Any, inputs: int | None, samples: Any) -> set[str]:
    """The keyword parameters of an operation: those of Python code, and those of its samples."""
    found = {name for sample in samples or () for name in sample.params}
    code = getattr(compute, "__code__", None)
    if code is not None:
        first = code.co_argcount if inputs is None else inputs
        found.update(code.co_varnames[first : code.co_argcount + code.co_kwonlyargcount])
    return found


def _union(sets: list[Positions]) -> Positions:
    """The inputs that any of several rules reads; all of them where that cannot be said."""
    if INDICES in sets:
        return INDICES if all(s == INDICES or s == frozenset() for s in sets) else None
    given = [s for s in sets if s is not None]
    return frozenset().union(*given) if len(given) == len(sets) else None


class Primitive:
    """The record of one operation; calling it computes, or records, the operation.

    name         unique, lower case
    numpy        the NumPy function it stands for: tracing intercepts that one
    compute      what computes it on plain arrays; `numpy` itself where that is not given
    latex        how the formula is written; {x}, {x1}, {x2} … stand for the inputs
    samples      the inputs on which its rules are tested, see `primitives/samples.py`
    inputs       how many array inputs it has, or None where calls differ
    outputs      how many arrays it returns
    batch        how it acts on many examples at once, `primitives/batching.py`; None: one by one
    surrogate    why its rule is meant to differ from the derivative; "" where it is the derivative
    home         the registry that lists it; None for a record of a user's own
    """

    __slots__ = (
        "batch",
        "compute",
        "domain",
        "flat_inputs",
        "flops",
        "inputs",
        "latex",
        "name",
        "note",
        "numpy",
        "outputs",
        "records",
        "samples",
        "saves_for",
        "surrogate",
        "uses_shapes",
    )

    form = "abstract"

    def __init__(
        self,
        name: str,
        *,
        numpy: Any = None,
        compute: ArrayFunction | None = None,
        latex: str,
        samples: Any = None,
        domain: Any = None,
        flops: float = 1.0,
        inputs: int | None = 1,
        outputs: int = 1,
        note: str = "",
        batch: ArrayFunction | None = None,
        surrogate: str = "",
        home: Registry | None = registry,
    ) -> None:
        if numpy is None and compute is None:
            raise TypeError(f"the primitive {name!r} needs `numpy` or `compute`")
        for parameter in _parameters(compute or numpy, inputs, samples):
            if in_legend(parameter):
                raise TypeError(
                    f"the primitive {name!r} has the parameter {parameter!r}, and a rule that says "
                    "so reads something else (the legend of `primitives/declare.py`); call it "
                    "another name"
                )
        self.name = name
        self.numpy = numpy
        self.compute: ArrayFunction = compute if compute is not None else numpy
        self.latex = latex
        self.samples = samples
        self.domain = domain
        self.flops = flops
        self.inputs = inputs
        self.outputs = outputs
        self.note = note
        self.batch = batch
        self.surrogate = surrogate
        self.records = True  # whether a derivative can pass through it at all
        self.flat_inputs: frozenset[int] = frozenset()  # structurally zero derivatives
        self.uses_shapes = False
        self.saves_for: dict[tuple[int, ...], Saves] = {}
        if home is not None:
            home.add(self)

    def __repr__(self) -> str:
        return f"<{self.form} primitive {self.name}>"

    def __call__(self, *arguments: Any, **params: Any) -> Any:
        for argument in arguments:
            if isinstance(argument, Traced):
                return argument.level.apply(self, arguments, params)
        return self.compute(*arguments, **params)

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        """The rules that the derivative with respect to input `i` evaluates."""
        raise NotImplementedError

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        """Which inputs and outputs (None: all) the derivatives for the inputs `wanted` read."""
        found = self.saves_for.get(wanted)
        if found is None:
            rules = [rule for i in wanted for rule in self.saved_for(i)]
            inputs = _union([rule.saves_inputs for rule in rules])
            outputs: frozenset[int] = frozenset().union(*(rule.saves_outputs for rule in rules))
            found = self.saves_for[wanted] = Saves(inputs, outputs, self.inputs)
        return found

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        """The cotangents of the inputs `wanted` from those of the outputs (None: absent)."""
        raise NotImplementedError

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        """The tangents of the outputs from the tangents `ts` of the inputs (None: absent)."""
        raise NotImplementedError


class Flat(Primitive):
    """An operation whose result is constant almost everywhere, or not a number; with the reason."""

    __slots__ = ("reason",)
    form = "flat"

    def __init__(self, name: str, *, reason: str, **record: Any) -> None:
        super().__init__(name, **record)
        self.records = False
        self.reason = reason


class Leaf(Primitive):
    """The beginning of a graph: a variable or a constant. Never computed."""

    __slots__ = ()
    form = "leaf"


def _given(value: Any = None) -> Any:
    return value


VARIABLE = Leaf("copy", compute=_given, latex="{name}", inputs=0)
"""A variable of a differentiation: a fresh copy of a value (the copy gate)."""

CONSTANT = Leaf("constant", compute=_given, latex="{value}", inputs=0)


def constant_node(value: Any, spec: Spec) -> Node:
    """A leaf that depends on no variable."""
    return Node(CONSTANT, (), {"value": value}, (spec,))


def composition(*functions: Any) -> Callable[[ArrayFunction], ArrayFunction]:
    """Say what NumPy functions are made of: ordinary NumPy code, differentiated as it runs."""

    def declare(function: ArrayFunction) -> ArrayFunction:
        for numpy in functions:
            registry.give_meaning(numpy, function)
        return function

    return declare


_ARRAYS = (np.ndarray, np.generic, Traced)


def is_inexact(value: Any) -> bool:
    """Whether a value can carry a derivative: floating point, real or complex."""
    kind = type(value)
    if kind is float or kind is complex:
        return True
    return issubclass(kind, _ARRAYS) and value.dtype.kind in "fc"
