"""An integral over an interval as one operation.

    I(a, b, θ) = ∫ₐᵇ f(x, θ) dx:   ∂I/∂b = f(b),   ∂I/∂a = -f(a),   ∂I/∂θ = ∫ₐᵇ ∂f/∂θ dx

The integrals of the derivatives are operations of the same kind, so they nest to any order.
Source: Leibniz' rule, e.g. H. Flanders, Amer. Math. Monthly 80 (1973), 615-627.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from chainrule.graph import Node, Primitive, spec_of
from chainrule.graph.primitive import Saves, Wanted
from chainrule.scipy.forwarding import array
from chainrule.tracing.conversion import concrete
from chainrule.transforms.closures import Closure, depends
from chainrule.transforms.forward_mode import jvp
from chainrule.transforms.reverse_mode import pullback

Function = Callable[..., Any]


class Integrand:
    """f(x, *leaves), how SciPy integrates it, and what SciPy said of the last integral.

    `closure` is the user's function, from which f or a derivative of f was made.
    `several` tells that f returns a vector, which takes `quad_vec`.
    """

    __slots__ = ("closure", "function", "last", "options", "several")

    def __init__(
        self,
        function: Function,
        options: dict[str, Any],
        closure: Closure,
        *,
        several: bool,
    ) -> None:
        self.function = function
        self.options = options
        self.closure = closure
        self.several = several
        self.last: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return self.closure.name

    def of_derivatives(self, function: Function) -> Integrand:
        """Another integrand over the same interval, a vector, to the same tolerances.

        Where `limit` counts for `quad` it is left to `quad_vec`, which divides otherwise.
        """
        kept = {name: self.options[name] for name in ("points",) if name in self.options}
        if self.several:
            kept = dict(self.options)
        for name in ("epsabs", "epsrel"):
            kept[name] = self.options.get(name, 1.49e-8)
        return Integrand(function, kept, self.closure, several=True)

    def at(self, x: float, leaves: tuple[Any, ...]) -> Any:
        """f on plain numbers; a derivative that would get lost is an error."""
        out = array(self.function(x, *leaves))
        if depends(out):
            raise self.closure.hidden()
        return concrete(out)

    def integral(self, a: float, b: float, leaves: tuple[Any, ...]) -> Any:
        if self.several:
            found = scipy.integrate.quad_vec(
                lambda x: self.at(x, leaves), float(a), float(b), **self.options
            )
        else:
            found = scipy.integrate.quad(
                lambda x: self.at(x, leaves)[()], float(a), float(b), **self.options
            )
        self.last = found
        return np.asarray(found[0])[()]


class Integral(Primitive):
    """∫ from the first input to the second; the others are leaves of the integrand."""

    __slots__ = ()
    form = "call"

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        return Saves(None, None)

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        # As for a checkpoint: an adjoint among plain transposes is conjugated on both sides.
        integrand, g = node.params["integrand"], np.conjugate(gs[0])
        leaves = xs[2:]
        found: list[Any] = []
        inside = [i for i in wanted if i > 1]
        sums = _pulled(integrand, xs, [i - 2 for i in inside], g) if inside else []
        for i in wanted:
            if i > 1:
                found.append(np.conjugate(sums.pop(0)))
            else:
                height = _height(integrand, xs[i], leaves)
                slope = np.real(np.sum(np.conjugate(g) * height))
                found.append(slope if i == 1 else -slope)
        return found

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        integrand, leaves = node.params["integrand"], xs[2:]
        total: Any = np.zeros(spec_of(ys[0]).shape, spec_of(ys[0]).dtype)
        if ts[1] is not None:
            total = total + _height(integrand, xs[1], leaves) * ts[1]
        if ts[0] is not None:
            total = total - _height(integrand, xs[0], leaves) * ts[0]
        if any(t is not None for t in ts[2:]):
            total = total + _pushed(integrand, xs, ts[2:])
        return [total]


integral = Integral(
    "integral",
    compute=lambda a, b, *leaves, integrand: integrand.integral(a, b, leaves),
    inputs=None,
    latex=r"\int_{{{x1}}}^{{{x2}}}",
    note="runs the user's function",
)


def _height(integrand: Integrand, end: Any, leaves: tuple[Any, ...]) -> Any:
    """f at an end of the interval; an infinite end does not move, and counts as 0."""
    if not np.isfinite(concrete(end)):
        return 0.0
    return array(integrand.function(end, *leaves))


def _pulled(integrand: Integrand, xs: tuple[Any, ...], wanted: list[int], g: Any) -> list[Any]:
    """∫ (∂f/∂θ)ᵀ g dx for the leaves `wanted`, all as one vector."""
    a, b, *leaves = xs
    specs = [spec_of(leaves[k]) for k in wanted]

    def derivatives(x: Any, g: Any, *leaves: Any) -> Any:
        here = list(leaves)

        def f(*moving: Any) -> Any:
            for k, leaf in zip(wanted, moving, strict=True):
                here[k] = leaf
            return array(integrand.function(x, *here))

        points = tuple(leaves[k] for k in wanted)
        _, _, pull = pullback("quad", f, points, {}, tuple(range(len(points))))
        return np.concatenate([np.reshape(c, (-1,)) for c in pull.raw([g])])

    flat = integral(a, b, g, *leaves, integrand=integrand.of_derivatives(derivatives))
    found, start = [], 0
    for spec in specs:
        count = int(np.prod(spec.shape))
        found.append(np.reshape(flat[start : start + count], spec.shape))
        start += count
    return found


def _pushed(integrand: Integrand, xs: tuple[Any, ...], ts: list[Any]) -> Any:
    """∫ (∂f/∂θ) θ̇ dx."""
    a, b, *leaves = xs
    moving = [k for k, t in enumerate(ts) if t is not None]
    size = len(leaves)

    def along(x: Any, *both: Any) -> Any:
        here = list(both[:size])

        def f(*moved: Any) -> Any:
            for k, leaf in zip(moving, moved, strict=True):
                here[k] = leaf
            return array(integrand.function(x, *here))

        return np.reshape(jvp(f, tuple(here[k] for k in moving), both[size:])[1], (-1,))

    tangents = [ts[k] for k in moving]
    flat = integral(a, b, *leaves, *tangents, integrand=integrand.of_derivatives(along))
    return flat if integrand.several else flat[0]
