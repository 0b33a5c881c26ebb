"""Solutions of equations: one adjoint system serves the derivatives of all inputs.

Where F(x1, x2, …, y) = 0 defines y, the cotangents of all inputs read the same solution of

    (∂F/∂y)ᵀ λ = -ȳ,   x̄ᵢ = (∂F/∂xᵢ)ᵀ λ.

Source: the implicit function theorem; A. Griewank & A. Walther, Evaluating Derivatives, chapter 15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.graph import Node, Rule
from chainrule.graph.primitive import Wanted
from chainrule.primitives.declare import General


class Solution(General):
    """y solves an equation in x1, x2, …; one output. States jvp rules, λ, and x̄ᵢ from λ.

    `adjoint` finds λ from the cotangent g; the rules of `vjp` get λ in the place of g.
    """

    __slots__ = ("adjoint",)

    def __init__(
        self,
        name: str,
        *,
        adjoint: Callable[..., Any],
        jvp: tuple[Callable[..., Any], ...],
        vjp: tuple[Callable[..., Any], ...],
        **record: Any,
    ) -> None:
        record.setdefault("note", "both modes: they share nothing but the solver")
        self.adjoint = Rule(adjoint, ("g",))
        super().__init__(name, jvp=jvp, vjp=vjp, **record)

    def saved_for(self, i: int) -> tuple[Rule, ...]:
        return (self.adjoint, *super().saved_for(i))

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        multiplier = self.adjoint.evaluate(gs, node, xs, ys, 0)
        rules = self.vjp or ()
        return [rules[i].evaluate((multiplier,), node, xs, ys, i) for i in wanted]


solution = Solution
