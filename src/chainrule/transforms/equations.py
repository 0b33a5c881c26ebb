"""A solution as one operation: x(θ) with F(x, θ) = 0, differentiated by its equation.

F(x, θ) = 0 moves with θ by ∂F/∂x ẋ + ∂F/∂θ θ̇ = 0, so

    ẋ = −(∂F/∂x)⁻¹ ∂F/∂θ θ̇,      θ̄ = −(∂F/∂θ)ᵀ (∂F/∂x)⁻ᵀ x̄.

Source: the implicit function theorem; Griewank & Walther, Evaluating Derivatives, section 15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Node, Place, Primitive
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import Saves
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import Arguments
from chainrule.transforms.forward_mode import jvp, pushforward
from chainrule.transforms.jacobian import jacobian
from chainrule.transforms.reverse_mode import pullback, vjp

Function = Callable[..., Any]


class Equation:
    """F(x, θ1, θ2, …) = 0 between a vector x and arrays θ: its residual, and what solves it."""

    __slots__ = ("_known", "iterates", "place", "reach", "residual", "solve", "symmetric", "title")

    def __init__(
        self,
        title: str,
        residual: Function,
        solve: Function,
        *,
        iterates: bool,
        symmetric: bool = False,
        reach: float = np.inf,
        place: Place | None = None,
    ) -> None:
        self.title = title
        self.residual = residual
        self.solve = solve
        self.iterates = iterates
        self.symmetric = symmetric
        self.reach = reach
        self.place = callers_place() if place is None else place
        self._known: Any = None

    def __repr__(self) -> str:
        return self.title

    def jacobian(self, y: Any, xs: tuple[Any, ...]) -> Any:
        """∂F/∂x at a solution, computed once for all the products that are asked for there."""
        at = (y, *xs)
        if self._known is not None and all(a is b for a, b in zip(self._known[0], at, strict=True)):
            return self._known[1]
        matrix = jacobian(self.residual)(y, *xs)
        plain = concrete(matrix)
        if not np.all(np.isfinite(plain)) or _condition(plain) * np.finfo(plain.dtype).eps > 1:
            raise self.singular()
        if self.reach < np.inf:
            if plain.ndim == 2:
                self._check_distance(plain, concrete(y), [concrete(x) for x in xs])
            else:  # many examples at once, whose shapes the plain arrays would not show
                self._check_distance(matrix, y, xs)
        self._known = (at, matrix)
        return matrix

    def _check_distance(self, matrix: Any, y: Any, xs: Sequence[Any]) -> None:
        """Refuse a result that one Newton step would move far: it is no solution yet."""
        move = concrete(np.linalg.solve(matrix, self.residual(y, *xs)))
        step = np.max(np.abs(move), initial=0.0)
        if not step <= self.reach * (1 + np.max(np.abs(concrete(y)), initial=0.0)):
            raise errors.SolutionError(
                f"{self.title} of {self.place}: the solver stopped about {step:.2g} away from the "
                "solution, where no derivative is to be had; let it work more accurately "
                "(tol=, options=) or begin closer (x0)"
            )

    def singular(self) -> errors.SolutionError:
        return errors.SolutionError(
            f"{self.title} of {self.place}: at the solution the derivative of the equations with "
            "respect to their unknowns is singular, so the solution is not a differentiable "
            "function of the arguments there (a multiple root, a flat minimum, or an unknown that "
            "no equation determines)"
        )

    def stuck(self) -> errors.SolutionError:
        return errors.SolutionError(
            f"{self.title} of {self.place}: the iteration that solves the linear equations of the "
            'derivative does not converge; use linear="dense", or scale the equations'
        )


def _condition(matrix: Any) -> float:
    """The largest condition number in the 1-norm; infinite for a singular matrix."""
    try:
        sizes = [np.linalg.norm(a, 1, axis=(-2, -1)) for a in (matrix, np.linalg.inv(matrix))]
        return float(np.max(sizes[0] * sizes[1]))
    except np.linalg.LinAlgError:
        return np.inf


class Implicit(Primitive):
    """The solution x(θ) of an equation as one operation, whatever steps the solver takes.

    Both modes are ordinary code on the level below, where the solution may be traced again: there
    it is this operation once more, so every order and every mix of modes follows.
    """

    __slots__ = ()
    form = "call"

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        return Saves(None, None)

    def pulls(
        self,
        node: Node,
        wanted: Sequence[int],
        xs: tuple[Any, ...],
        ys: tuple[Any, ...],
        gs: list[Any],
    ) -> list[Any]:
        # x is real, so only the cotangents of complex arguments are conjugated: the pullback of a
        # function is an adjoint, and the reverse pass expects a plain transpose.
        equation: Equation = node.params["equation"]
        y = ys[0]
        u = linear_solution(equation, y, xs, gs[0], transposed=True)
        _, _, pull = pullback(
            equation.title, lambda *xs: equation.residual(y, *xs), xs, {}, tuple(wanted)
        )
        return [np.conjugate(g) for g in pull.raw([-u])]

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        equation: Equation = node.params["equation"]
        y = ys[0]
        moving = tuple(i for i, t in enumerate(ts) if t is not None)
        arguments = Arguments(equation.title, xs, moving)
        given = [t for t in ts if t is not None]
        _, moved, _ = pushforward(
            equation.title, lambda *xs: equation.residual(y, *xs), arguments, given, {}
        )
        return [-linear_solution(equation, y, xs, moved[0], transposed=False)]


implicit = Implicit(
    "implicit",
    compute=lambda *leaves, equation: equation.solve(*leaves),
    inputs=None,
    latex=r"\operatorname{{solution}}({x})",
    note="runs the user's solver",
)


def linear_solution(
    equation: Equation, y: Any, xs: tuple[Any, ...], b: Any, *, transposed: bool
) -> Any:
    """J⁻¹ b, or J⁻ᵀ b, where J = ∂F/∂x at the solution y."""
    transposed = transposed and not equation.symmetric
    if not equation.iterates:
        matrix = equation.jacobian(y, xs)
        return np.linalg.solve(matrix.T if transposed else matrix, b)

    def product(v: Any, y: Any, *xs: Any) -> Any:
        def residual(y: Any) -> Any:
            return equation.residual(y, *xs)

        return vjp(residual, y)[1](v)[0] if transposed else jvp(residual, (y,), (v,))[1]

    # The product J v is linear in v, so v is once more the solution of an equation whose
    # derivative is J: differentiating it asks for nothing but more such systems.
    system = Equation(
        equation.title,
        lambda v, y, *rest: product(v, y, *rest[:-1]) - rest[-1],
        lambda y, *rest: _iterated(equation, lambda v: product(v, y, *rest[:-1]), rest[-1]),
        iterates=True,
        symmetric=equation.symmetric,
        place=equation.place,
    )
    return implicit(y, *xs, b, equation=system)


def _iterated(equation: Equation, product: Function, b: Any) -> Any:
    """A⁻¹ b by products with A alone, to about ten digits."""
    from scipy.sparse import linalg  # noqa: PLC0415  SciPy is loaded at its first use

    if not np.any(b):
        return np.zeros_like(b)
    operator = linalg.LinearOperator((b.size, b.size), matvec=product, dtype=b.dtype)
    digits = float(np.finfo(b.dtype).eps) ** 0.65
    if equation.symmetric:
        found, left = linalg.minres(operator, b, rtol=digits, maxiter=20 * b.size)
    else:
        restart = min(b.size, 50)
        found, left = linalg.gmres(operator, b, rtol=digits, atol=0.0, restart=restart, maxiter=200)
    misfit = np.linalg.norm(product(found) - b)
    if left or not misfit <= 1e3 * digits * np.linalg.norm(b):
        raise equation.stuck()
    return found
