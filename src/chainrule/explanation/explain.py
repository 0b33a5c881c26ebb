"""`explain`: from a function and a point to the whole story of value and gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chainrule import errors
from chainrule.explanation.names import Names, argument_names, name_all
from chainrule.explanation.steps import Step, steps
from chainrule.explanation.values import brief
from chainrule.graph import CONSTANT, VARIABLE, spec_of
from chainrule.graph.node import Edge, callers_place
from chainrule.tracing.recording import Recording
from chainrule.transforms.trace import record

NOTES = 76
"""The column at which the names of the gates stand, where the steps are shorter."""


class Explanation:
    """What a computation did and how its gradient came about, step by step.

    `steps` are plain data (see `Step`), in order: the forward pass, then the backward pass.
    """

    __slots__ = ("_names", "_recording", "_result", "steps")

    def __init__(self, recording: Recording, result: Edge, assigned: Mapping[Edge, str]) -> None:
        self._recording = recording
        self._result = result
        self._names: Names = name_all(recording, result, assigned)
        self.steps: list[Step] = list(steps(recording, result, self._names))

    def table(self) -> str:
        """The steps as text, one a line: what was given, both passes, the gradients."""
        lines = ["given", *self._given(), "forward"]
        lines += [f"  {step.text}" for step in self.steps if not step.backward]
        lines.append("backward")
        backward = [step for step in self.steps if step.backward]
        width = min(NOTES, max(len(step.text) for step in backward))
        lines += [f"  {step.text:{width}}  {step.gate}".rstrip() for step in backward]
        lines += ["gradients", *self._gradients()]
        return "\n".join(lines + self._legend())

    __str__ = table

    def _given(self) -> list[str]:
        leaves = [edge for edge in self._names if edge[0].primitive in (VARIABLE, CONSTANT)]
        return [f"  {self._names[e]} = {brief(self._recording.values[e])}" for e in leaves]

    def _gradients(self) -> list[str]:
        last = {step.target: step.value for step in self.steps if step.kind != "value"}
        result = self._names[self._result]
        targets = [f"d{result}/d{self._names[n, 0]}" for n in self._recording.graph.inputs]
        return [f"  {target} = {brief(last[target])}" for target in targets]

    def _legend(self) -> list[str]:
        lines = []
        if any("Σ(" in step.text for step in self.steps):
            lines.append("Σ(…): the sum over the axes along which NumPy repeated the input")
        shape = spec_of(self._recording.values[self._result]).shape
        if shape:
            name = self._names[self._result]
            lines.append(f"{name} has shape {shape}: these are the gradients of the sum of {name}")
        return lines


def explain(f: Callable[..., Any], *args: Any) -> Explanation:
    """Tell, step by step, how the value of `f` at `args` and its gradients come about.

    Takes what `grad` takes, and results that are arrays: then the seed is 1 at every entry, and the
    gradients are those of the sum of the entries. Raises InputError and OutputError.
    Source: Griewank & Walther, Evaluating Derivatives, section 3.2.

    >>> def f(x):
    ...     return x * (x + 1)
    >>> print(explain(f, 17.0).table())
    given
      x = 17
    forward
      dy/dx ← 0
      u1 = x + 1 = 17 + 1 = 18
      dy/du1 ← 0
      y = x · u1 = 17 · 18 = 306
      dy/dy ← 0
    backward
      dy/dy ← 1
      dy/dx ← dy/dx + dy/dy · u1 = 0 + 1 · 18 = 18   multiply gate: swap multiplier
      dy/du1 ← dy/du1 + dy/dy · x = 0 + 1 · 17 = 17  multiply gate: swap multiplier
      dy/dx ← dy/dx + dy/du1 · 1 = 18 + 17 · 1 = 35  add gate: distributor, copy gate: adder
    gradients
      dy/dx = 35
    """
    recording = record(f, args, {}, [*argument_names(f, args)])
    outputs = recording.graph.outputs
    if len(outputs) != 1:
        raise errors.OutputError(
            f"explain at {callers_place()}: the function returns {len(outputs)} arrays; return the "
            "one whose gradient is to be explained"
        )
    return _explanation(recording, outputs[0], {})


def explain_assigned(
    f: Callable[..., Sequence[Any]], inputs: Mapping[str, Any], assigned: Sequence[str]
) -> Explanation:
    """The same for a function that gives a list: a value for each name in `assigned`, the result.

    The result may be the last of the named values. The names are used in the steps.
    """
    recording = record(f, tuple(inputs.values()), {}, [*inputs])
    outputs = recording.graph.outputs
    names: dict[Edge, str] = {}
    for edge, name in zip(outputs[: len(assigned)], assigned, strict=True):
        names.setdefault(edge, name)
    return _explanation(recording, outputs[-1], names)


def _explanation(recording: Recording, result: Edge, assigned: Mapping[Edge, str]) -> Explanation:
    spec = spec_of(recording.values[result])
    if spec.dtype.kind != "f":
        raise errors.OutputError(
            f"explain at {callers_place()}: the result is {spec}, and steps are explained for real "
            "floating point results; return such a number, for a complex one np.real(...) of it"
        )
    return Explanation(recording, result, assigned)
