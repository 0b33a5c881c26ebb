"""The record of an operation, its rules, and the registry of all records.

A record knows what computes it, what NumPy calls it, and which form its derivative has. The
forms themselves (elementwise, linear, multilinear, general) are declared in `primitives`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.graph.node import Node, Spec
from chainrule.graph.traced import Level, Traced

ArrayFunction = Callable[..., Any]
Saved = tuple[list[int], tuple[Any, ...], tuple[Any, ...]]
"""What a step of reverse mode keeps: the inputs that want a derivative, values of inputs, outputs.

A value that no wanted derivative reads is None, or its whole tuple is empty."""
Saves = tuple[frozenset[int] | None, frozenset[int] | None]


class Registry:
    """Every primitive by name, and what each NumPy function means for traced arrays."""

    def __init__(self) -> None:
        self.primitives: dict[str, Primitive] = {}
        self.meanings: dict[Any, ArrayFunction] = {}

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

    def __iter__(self) -> Iterator[Primitive]:
        return iter(self.primitives.values())

    def __getitem__(self, name: str) -> Primitive:
        return self.primitives[name]


registry = Registry()


class Rule:
    """A derivative rule together with what its argument names say that it needs.

    The first arguments are the cotangent or tangent if the rule takes one (`takes`); the others
    are the names of the legend in `primitives/declare.py`, or keyword parameters of the operation.
    """

    __slots__ = ("first", "function", "plan", "saves_inputs", "saves_outputs", "uses_shapes")

    def __init__(self, function: ArrayFunction, takes: tuple[str, ...] = ()) -> None:
        names = list(inspect.signature(function).parameters)
        if tuple(names[: len(takes)]) != takes:
            raise TypeError(f"a rule of this form starts with {takes}, not with {names}")
        self.function = function
        self.plan = [_lookup(name) for name in names[len(takes) :]]
        # By far the commonest plan, one input value and nothing else, skips the loop of __call__.
        self.first = self.plan[0][1] if [kind for kind, _ in self.plan] == ["x"] else None
        inputs = [key for kind, key in self.plan if kind == "x"]
        self.saves_inputs: frozenset[int] | None = frozenset(inputs)
        if any(kind in ("xs", "rest") for kind, _ in self.plan):
            self.saves_inputs = None  # all of them; how many there are only the call knows
        self.saves_outputs = frozenset(key for kind, key in self.plan if kind == "y")
        self.uses_shapes = any(kind in ("shape", "shapes") for kind, _ in self.plan)

    def __call__(
        self, linear: tuple[Any, ...], node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], i: int
    ) -> Any:
        """Evaluate the rule for input `i` of `node`, whose saved values are `xs` and `ys`."""
        if self.first is not None:
            return self.function(*linear, xs[self.first])
        arguments = list(linear)
        for kind, key in self.plan:
            if kind == "x":
                arguments.append(xs[key])
            elif kind == "y":
                arguments.append(ys[key])
            elif kind == "param":
                arguments.append(node.params[key])
            else:
                arguments.append(_about_call(kind, node, xs, i))
        return self.function(*arguments)


def _about_call(kind: str, node: Node, xs: tuple[Any, ...], i: int) -> Any:
    """What the rarer argument names of the legend stand for."""
    if kind == "shape":
        return input_spec(node, i).shape
    if kind == "shapes":
        return tuple(input_spec(node, j).shape for j in range(len(node.inputs)))
    if kind == "xs":
        return xs
    return xs[1:] if kind == "rest" else i


def _lookup(name: str) -> tuple[str, Any]:
    """What one argument name of a rule stands for, as (kind, key)."""
    if name in ("shape", "shapes", "xs", "rest", "i"):
        return name, None
    if name in ("x", "y"):
        return name, 0
    if name[0] in "xy" and name[1:].isdigit():
        return name[0], int(name[1:]) - 1
    return "param", name


def input_spec(node: Node, i: int) -> Spec:
    source, index = node.inputs[i]
    return source.outputs[index]


class Primitive:
    """The record of one operation; calling it computes, or records, the operation.

    name         unique, lower case
    numpy        the NumPy function it stands for: tracing intercepts that one
    compute      what computes it on plain arrays; `numpy` itself where that is not given
    latex        how the formula is written; {x}, {x1}, {x2} … stand for the inputs
    samples      the inputs on which its rules are tested, see `primitives/samples.py`
    inputs       how many array inputs it has, or None where calls differ
    outputs      how many arrays it returns
    """

    __slots__ = (
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
    ) -> None:
        if numpy is None and compute is None:
            raise TypeError(f"the primitive {name!r} needs `numpy` or `compute`")
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
        self.records = True  # whether a derivative can pass through it at all
        self.flat_inputs: frozenset[int] = frozenset()  # structurally zero derivatives
        self.uses_shapes = False
        self.saves_for: dict[tuple[int, ...], Saves] = {}
        registry.add(self)

    def __repr__(self) -> str:
        return f"<{self.form} primitive {self.name}>"

    def __call__(self, *arguments: Any, **params: Any) -> Any:
        level: Level | None = None
        for argument in arguments:
            if isinstance(argument, Traced):
                if argument.alias is not None:
                    argument.settle()
                if level is None or argument.level.tag > level.tag:
                    level = argument.level
        if level is None:
            return self.compute(*arguments, **params)
        return level.apply(self, arguments, params)

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        """The rules that the derivative with respect to input `i` evaluates."""
        raise NotImplementedError

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        """Which inputs and outputs (None: all) the derivatives for the inputs `wanted` read."""
        found = self.saves_for.get(wanted)
        if found is None:
            rules = [rule for i in wanted for rule in self.saved_for(i)]
            sets = [rule.saves_inputs for rule in rules]
            given = [s for s in sets if s is not None]
            inputs = frozenset().union(*given) if len(given) == len(sets) else None
            outputs: frozenset[int] = frozenset().union(*(rule.saves_outputs for rule in rules))
            found = self.saves_for[wanted] = (inputs, outputs)
        return found

    def pulls(
        self, node: Node, wanted: list[int], xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
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
