"""`custom_derivative`: a whole function, trees in and out, with a derivative of the user's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from chainrule import errors
from chainrule.custom.call import Call, Stated
from chainrule.custom.operation import Custom
from chainrule.custom.verification import Sample, verify
from chainrule.graph import Traced, is_inexact
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import put_together, taken_apart

Function = Callable[..., Any]


def custom_derivative(
    f: Function | None = None,
    *,
    samples: Sequence[Sample],
    jvp: Function | None = None,
    vjp: Function | None = None,
    forward: Function | None = None,
    backward: Function | None = None,
    surrogate: str = "",
) -> Any:
    """A function, trees in and out, whose derivative is the one that is stated; a decorator.

    State it in one of three ways, or a jvp and one of the others:

    jvp                `jvp(args, tangents, **options)`: the tangent of the result
    vjp                `vjp(args, result, g, **options)`: a tuple of cotangents, one per argument
    forward, backward  `forward(*args, **options)` returns (result, saved), and
                       `backward(saved, g)` the cotangents; then `f` is not given

    `args` and `tangents` are tuples, None standing for an argument without floating point numbers;
    keyword arguments are options. The function runs on plain arrays, so it may be anything. From
    the backward pass only `saved` is kept. Rules that are ordinary NumPy give the other mode by
    transposition and derivatives of any order; for these, arrays that `forward` saves and that are
    neither arguments nor results are differentiated as its code stands. Cotangents are adjoint to
    tangents in the inner product Re(conj(a) b), as those of `vjp` are.

    `samples` and `surrogate` are as for `primitive`. Raises RuleError; ToleranceError, with
    numbers, for a wrong rule.

    >>> import numpy as np
    >>> def forward(x):
    ...     y = 1 / (1 + np.exp(-x))
    ...     return y, y
    >>> def backward(y, g):
    ...     return g * y * (1 - y)
    >>> sigmoid = custom_derivative(forward=forward, backward=backward, samples=[(0.5,)])
    >>> from chainrule import grad
    >>> float(grad(sigmoid)(0.0)), float(grad(grad(sigmoid))(0.0))
    (0.25, 0.0)
    """
    if f is None and forward is None:
        return functools.partial(
            custom_derivative, samples=samples, jvp=jvp, vjp=vjp, surrogate=surrogate
        )
    shown, stated = _stated(f, jvp, vjp, forward, backward)
    record = Custom(shown.__name__, stated, surrogate)

    @functools.wraps(shown)
    def run(*args: Any, **options: Any) -> Any:
        leaves = [leaf for arg in args for leaf in taken_apart(arg)[0]]
        if not any(isinstance(leaf, Traced) for leaf in leaves):
            return stated.forward(*args, **options)[0]
        call = Call(args, options)
        outs = record(*[leaf for leaf in leaves if is_inexact(leaf)], call=call)
        return put_together(call.treedef, list(outs[: call.results]))

    verify(record.name, run, samples, surrogate)
    return run


def _stated(
    f: Function | None,
    jvp: Function | None,
    vjp: Function | None,
    forward: Function | None,
    backward: Function | None,
) -> tuple[Function, Stated]:
    """The function that gives name and signature, and the rules in one form."""

    def wrong(what: str) -> errors.RuleError:
        return errors.RuleError(f"custom_derivative at {callers_place()} {what}")

    if (forward is None) != (backward is None):
        raise wrong("is given one of forward and backward; they belong together")
    if forward is not None:
        if f is not None or vjp is not None:
            raise wrong("is given forward and backward, which say all; leave out f and vjp")
        return forward, Stated(forward, backward, jvp)
    assert f is not None
    function = f
    if jvp is None and vjp is None:
        raise wrong(f"states no rule for {function.__name__}; state jvp, vjp or forward, backward")
    if vjp is None:
        return function, Stated(
            lambda *args, **options: (function(*args, **options), ()), None, jvp
        )
    rule = vjp

    def run(*args: Any, **options: Any) -> tuple[Any, Any]:
        result = function(*args, **options)
        return result, (args, result, tuple(sorted(options.items())))

    def back(saved: Any, g: Any) -> Any:
        args, result, options = saved
        return rule(args, result, g, **dict(options))

    return function, Stated(run, back, jvp)
