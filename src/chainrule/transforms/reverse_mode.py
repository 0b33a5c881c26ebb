"""Gradients and pullbacks: one run of the function, one walk backwards."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Level, Spec, Step, Traced, is_inexact, spec_of
from chainrule.graph.node import Edge, callers_place
from chainrule.passes.reverse import reverse
from chainrule.primitives.fit import as_array, fit_cotangent
from chainrule.primitives.strictness import plain_products, products_are_plain, strictly
from chainrule.tracing.array import Recorded
from chainrule.tracing.dispatch import lifted
from chainrule.tracing.levels import Running
from chainrule.tracing.separation import Separation
from chainrule.tracing.tape import OPAQUE, Tape
from chainrule.transforms.arguments import (
    Argnums,
    Arguments,
    leaves_like,
    put_together,
    taken_apart,
)

Function = Callable[..., Any]


def owned(out: Any, level: Level) -> bool:
    """Whether a result depends on the variables of this level."""
    if isinstance(out, Recorded):
        out.settle()
        return out.level is level
    return False


def _cotangents(
    steps: Iterable[Step],
    seeds: dict[Edge, Any],
    variables: list[Edge],
    limits: Separation | None,
    given: Iterable[Any] = (),
) -> list[Any]:
    """The cotangents of the variables from those of the outputs; zeros where nothing arrives.

    Each is an array of its own: the walk hands one array to several inputs where their cotangents
    are equal, also one that was `given`, and views where that is enough, but the caller may write
    into what it gets.
    """
    if limits is not None and not any(isinstance(g, Traced) for g in seeds.values()):
        steps = limits.steps(steps)
    cotangents = reverse(steps, seeds)
    handed_out = [id(g) for g in given] if given else []
    found = []
    for edge in variables:
        g = cotangents.get(edge)
        if limits is not None:
            g = limits.without(g)
        if type(g) is not np.ndarray:
            g = _number(g, edge)
        elif g.base is not None or id(g) in handed_out:
            g = g.copy()
        handed_out.append(id(g))
        found.append(g)
    return found


def _number(g: Any, edge: Edge) -> Any:
    """A cotangent that is no plain array: a scalar, a traced one, or an absent one, which is 0."""
    if g is None:
        spec = edge[0].outputs[0]
        return np.zeros(spec.shape, spec.dtype)[()]
    return g.snapshot() if isinstance(g, Traced) else g


def _scalar(title: str, function: Function, out: Any, value: Any) -> Spec:
    """The spec of `value`, that of a result with a gradient: one real number, also as [y].

    A Python number, whole or not, is a constant that the code wrote down: its gradient is zero.
    """
    if type(out) is int:
        return spec_of(float(out))
    if is_inexact(value):
        spec = spec_of(value)
        if all(n == 1 for n in spec.shape) and spec.dtype.kind == "f":
            return spec
    raise _not_scalar(title, getattr(function, "__name__", "the function"), out)


def _not_scalar(title: str, name: str, out: Any) -> errors.OutputError:
    if isinstance(out, tuple) and title != "value_grad_and_aux":
        return errors.OutputError(
            f"{title} at {callers_place()}: {name} returns a tuple of {len(out)}, not a real "
            "floating scalar; return the one number to differentiate, or (value, auxiliary "
            "result) and use value_grad_and_aux"
        )
    if not is_inexact(out):
        kind = f"{spec_of(out)}" if hasattr(out, "dtype") else type(out).__name__
        return errors.OutputError(
            f"{title} at {callers_place()}: {name} returns {kind}, not a real floating scalar; "
            "return one number, such as np.sum(...)"
        )
    if np.size(out) != 1:
        return errors.OutputError(
            f"{title} at {callers_place()}: {name} returns an array of shape {np.shape(out)}, and "
            "a gradient needs a scalar; return np.sum(...) of it, or use jacobian (all "
            "derivatives) or elementwise_grad (the diagonal)"
        )
    return errors.OutputError(
        f"{title} at {callers_place()}: {name} returns a complex number, and a gradient needs "
        "a real one; return np.real(...), np.abs(...)**2, or use vjp"
    )


def _differentiate(
    title: str, f: Function, argnums: Argnums, args: tuple[Any, ...], kwargs: Any, *, aux: bool
) -> tuple[Any, Any, Any]:
    """(value, gradient, auxiliary result) of one call."""
    arguments = Arguments(title, args, argnums)
    tape = Tape(title)
    with Running(tape):
        handles = [tape.variable(leaf) for leaf in arguments.leaves]
        variables = [handle.mark for handle in handles]  # the code may write into its handles
        out = f(*arguments.replaced(handles), **kwargs)
        del handles
        extra = None
        if aux:
            if not (isinstance(out, tuple) and len(out) == 2):
                raise errors.OutputError(
                    f"{title} at {callers_place()} expects a function that returns "
                    f"(value, auxiliary result), not one {_kind(out)}"
                )
            out, extra = out
            leaves, treedef = taken_apart(extra)
            extra = put_together(treedef, [_lowered(leaf, tape) for leaf in leaves])
        out = lifted(out)
        value = _lowered(out, tape)
        spec = _scalar(title, f, out, value)
        one = np.ones(spec.shape, spec.dtype) if spec.shape else spec.dtype.type(1)
    seeds = {} if value is out else {out.mark: one}
    gradients = _cotangents(tape.backwards_once(), seeds, variables, tape.separation)
    return value, arguments.packed(gradients), extra


def _kind(out: Any) -> str:
    return "array" if isinstance(out, Traced) else type(out).__name__


def _lowered(out: Any, level: Level) -> Any:
    """A result without the level that has just ended."""
    return out.value if owned(out, level) else out


def grad(f: Function, argnums: Argnums = 0, *, strict: bool = False) -> Function:
    """The gradient of a real scalar function: ∇f, by reverse mode.

    The result has the shape, or the tree structure, of the argument `argnums` (a tuple of them
    where `argnums` is a tuple). For complex arguments it is ∂f/∂Re + i ∂f/∂Im. One call costs a
    small constant times a call of `f`, however many variables there are.

    With `strict`, here and in the other transforms, a zero is IEEE 754's and not a strong one
    (docs/conventions.md): 0 · ∞ in the chain rule is NaN, as in other libraries.

    Raises InputError, OutputError, ArgnumsError. Source: Griewank & Walther, Evaluating
    Derivatives, chapter 3.

    >>> import numpy as np
    >>> float(grad(lambda x: x**2 + np.sin(x))(0.0))
    1.0
    """

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _differentiate("grad", f, argnums, args, kwargs, aux=False)[1]

    return strictly(gradient) if strict else gradient


def value_and_grad(f: Function, argnums: Argnums = 0, *, strict: bool = False) -> Function:
    """The value of a real scalar function and its gradient, from one run.

    >>> value, slope = value_and_grad(lambda x: x**3)(2.0)
    >>> float(value), float(slope)
    (8.0, 12.0)
    """

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return _differentiate("value_and_grad", f, argnums, args, kwargs, aux=False)[:2]

    return strictly(value_and_gradient) if strict else value_and_gradient


def value_grad_and_aux(f: Function, argnums: Argnums = 0, *, strict: bool = False) -> Function:
    """For a function that returns (value, auxiliary result): value, gradient, auxiliary result.

    >>> value, slope, aux = value_grad_and_aux(lambda x: (x * x, {"twice": 2 * x}))(3.0)
    >>> float(slope), float(aux["twice"])
    (6.0, 6.0)
    """

    @functools.wraps(f)
    def value_gradient_and_aux(*args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
        return _differentiate("value_grad_and_aux", f, argnums, args, kwargs, aux=True)

    return strictly(value_gradient_and_aux) if strict else value_gradient_and_aux


class Pullback:
    """g ↦ Jᵀ g at the point where the function was run; can be called any number of times."""

    __slots__ = ("_arguments", "_outs", "_strict", "_tape", "_variables", "treedef")

    def __init__(
        self, tape: Tape, arguments: Arguments, variables: list[Edge], outs: Any, treedef: Any
    ) -> None:
        self._strict = products_are_plain()
        self._tape = tape
        self._arguments = arguments
        self._variables = variables
        self._outs = outs
        self.treedef = treedef

    def __call__(self, cotangent: Any) -> Any:
        """The cotangents of the arguments: a tuple with one tree per argument."""
        gs = leaves_like("the pullback of vjp", self.treedef, cotangent)
        return self.from_leaves(gs)

    def from_leaves(self, gs: list[Any]) -> Any:
        """The same from the leaves of a cotangent; None is an absent one."""
        return self._arguments.packed(self.raw(gs))

    def raw(self, gs: list[Any]) -> list[Any]:
        """The cotangents of the floating leaves of the arguments, in their order."""
        fitted: list[Any] = []
        for out, g in zip(self._outs, gs, strict=True):
            if g is None or not is_inexact(out):
                fitted.append(None)
                continue
            g, spec = as_array(g), spec_of(out)
            if np.shape(g) != spec.shape:
                raise errors.StructureError(
                    f"the pullback of vjp at {callers_place()} was given a cotangent of shape "
                    f"{np.shape(g)} for a result of shape {spec.shape}; the two must be the same"
                )
            fitted.append(fit_cotangent(g, spec))
        seeds: dict[Edge, Any] = {}
        for out, g in zip(self._outs, fitted, strict=True):
            # all constants share one mark, whatever their shapes
            if g is not None and owned(out, self._tape) and out.mark is not OPAQUE:
                seeds[out.mark] = seeds[out.mark] + g if out.mark in seeds else g
        tape = self._tape
        with plain_products(self._strict):
            return _cotangents(tape.backwards(), seeds, self._variables, tape.separation, fitted)


def pullback(
    title: str, f: Function, args: tuple[Any, ...], kwargs: Any, argnums: Argnums
) -> tuple[Any, list[Any], Pullback]:
    """The value of `f`, its leaves, and the pullback to the arguments `argnums`."""
    arguments = Arguments(title, args, argnums)
    tape = Tape(title)
    with Running(tape, keeps=True):
        handles = [tape.variable(leaf) for leaf in arguments.leaves]
        variables = [handle.mark for handle in handles]  # the code may write into its handles
        out = f(*arguments.replaced(handles), **kwargs)
        del handles
        outs, treedef = taken_apart(out)
    values = [_lowered(leaf, tape) for leaf in outs]
    value = put_together(treedef, values)
    return value, values, Pullback(tape, arguments, variables, outs, treedef)


def vjp(f: Function, *args: Any, strict: bool = False, **kwargs: Any) -> tuple[Any, Pullback]:
    """The value of `f` at `args` and its pullback g ↦ Jᵀ g, the product of reverse mode.

    `g` has the structure of the value; the pullback returns a tuple, one tree per argument.

    >>> value, pull = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> [float(g) for g in pull(1.0)]
    [4.0, 3.0]
    """
    with plain_products(strict):
        value, _, pull = pullback("vjp", f, args, kwargs, tuple(range(len(args))))
    return value, pull


def elementwise_grad(f: Function, argnums: Argnums = 0, *, strict: bool = False) -> Function:
    """The derivative, entry by entry, of a function that acts entry by entry.

    It is the gradient of the sum of the result, the diagonal of the Jacobian where that is
    diagonal.

    >>> import numpy as np
    >>> elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        _, values, pull = pullback("elementwise_grad", f, args, kwargs, argnums)
        if any(is_inexact(v) and spec_of(v).dtype.kind == "c" for v in values):
            raise errors.OutputError(
                f"elementwise_grad at {callers_place()}: the function returns complex numbers, "
                "whose derivative need not be one number per entry; use jvp or vjp"
            )
        return pull.from_leaves([np.ones(np.shape(v), spec_of(v).dtype)[()] for v in values])

    return strictly(derivative) if strict else derivative
