"""Derivatives of what solves an equation, from the equation and not from the solver's steps.

F(x, θ) = 0 moves with θ by ∂F/∂x ẋ + ∂F/∂θ θ̇ = 0, so

    ẋ = −(∂F/∂x)⁻¹ ∂F/∂θ θ̇,      θ̄ = −(∂F/∂θ)ᵀ (∂F/∂x)⁻ᵀ x̄.

Source: the implicit function theorem; Griewank & Walther, Evaluating Derivatives, section 15.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from chainrule import errors
from chainrule.graph import Node, Place, Primitive, Traced, is_inexact
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import Saves
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import Arguments, put_together, taken_apart
from chainrule.transforms.closures import Closure
from chainrule.transforms.flattening import Layout, vector
from chainrule.transforms.forward_mode import jvp, pushforward
from chainrule.transforms.jacobian import jacobian
from chainrule.transforms.reverse_mode import grad, pullback, vjp

Function = Callable[..., Any]
LinearSolver = Literal["dense", "iterative"]


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
            self._check_distance(plain, concrete(y), [concrete(x) for x in xs])
        self._known = (at, matrix)
        return matrix

    def _check_distance(self, matrix: Any, y: Any, xs: list[Any]) -> None:
        """Refuse a result that one Newton step would move far: it is no solution yet."""
        step = np.max(np.abs(np.linalg.solve(matrix, self.residual(y, *xs))), initial=0.0)
        if not step <= self.reach * (1 + np.max(np.abs(y), initial=0.0)):
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
    """The condition number in the 1-norm; infinite for a singular matrix."""
    try:
        return float(np.linalg.norm(matrix, 1) * np.linalg.norm(np.linalg.inv(matrix), 1))
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


def solution(
    title: str,
    residual: Function,
    solve: Function,
    args: tuple[Any, ...],
    *,
    linear: LinearSolver = "dense",
    tolerance: float = np.inf,
    reach: float = np.inf,
    symmetric: bool = False,
) -> Any:
    """x = solve(*args), differentiated as the root of residual(x, *args) = 0; trees in and out.

    Traced values that the two functions close over count as arguments. `tolerance` bounds the
    residual, `reach` the length of a Newton step relative to 1 + |x|.
    """
    if linear not in ("dense", "iterative"):
        raise errors.SettingError(f'{title}: linear is "dense" or "iterative", not {linear!r}')
    closures = (Closure(residual), Closure(solve))
    hidden = list({id(v): v for c in closures for v in c.values}.values())
    leaves, treedef = taken_apart((args, hidden))
    moving = [k for k, leaf in enumerate(leaves) if is_inexact(leaf)]
    if not any(isinstance(leaf, Traced) for leaf in leaves):
        x = solve(*args)
        if tolerance < np.inf:
            layout = Layout(title, x)
            _check(title, residual, layout, layout.vector(x), args, tolerance)
        return x
    layouts: list[Layout] = []

    def opened(closure: Closure, given: tuple[Any, ...]) -> tuple[Function, tuple[Any, ...]]:
        """A function that holds the given values instead of what it closes over, and its args."""
        filled = list(leaves)
        for k, leaf in zip(moving, given, strict=True):
            filled[k] = leaf
        args, values = put_together(treedef, filled)
        others = {id(old): new for old, new in zip(hidden, values, strict=True)}
        return closure.holding([others[id(v)] for v in closure.values]), tuple(args)

    def solved(*given: Any) -> Any:
        function, args = opened(closures[1], given)
        x = function(*args)
        layouts[:] = [Layout(title, x)]
        y = np.array(concrete(layouts[0].vector(x)))
        _check(title, opened(closures[0], given)[0], layouts[0], y, args, tolerance)
        return y

    def flat_residual(y: Any, *given: Any) -> Any:
        function, args = opened(closures[0], given)
        return vector(taken_apart(function(layouts[0].tree(y), *args))[0])

    equation = Equation(
        title,
        flat_residual,
        solved,
        iterates=linear == "iterative",
        symmetric=symmetric,
        reach=reach,
    )
    y = implicit(*[leaves[k] for k in moving], equation=equation)
    return layouts[0].tree(y)


def _check(
    title: str, residual: Function, layout: Layout, y: Any, args: tuple[Any, ...], tolerance: float
) -> None:
    """Refuse a solution that is none, equations that are too many, and values out of reach."""
    found = taken_apart(residual(layout.tree(y), *args))[0]
    if any(isinstance(leaf, Traced) for leaf in found):
        raise errors.InputError(
            f"{title} at {callers_place()} reads a value of the running derivative that is neither "
            "an argument nor held by the function itself (a global, or an attribute of an object); "
            "pass it as an argument"
        )
    r = vector(found)
    if r.size != layout.size:
        raise errors.ShapeError(
            f"{title} at {callers_place()}: {r.size} equations for {layout.size} unknowns; there "
            "must be as many of one as of the other"
        )
    largest = np.max(np.abs(r), initial=0.0)
    if not largest <= tolerance:
        raise errors.SolutionError(
            f"{title} at {callers_place()}: what the solver returned is no solution, the largest "
            f"residual is {largest:.3g} and the tolerance {tolerance:.3g}; let the solver work "
            "more accurately, or pass a larger tolerance="
        )


def implicit_root(
    residual: Function,
    solve: Function,
    *,
    linear: LinearSolver = "dense",
    tolerance: float = 1e-6,
) -> Function:
    """The function θ ↦ x with residual(x, *θ) = 0, which `solve(*θ)` finds by whatever means.

    Its derivative is ẋ = −(∂F/∂x)⁻¹ ∂F/∂θ θ̇, in both modes and at every order; the solver runs
    on plain numbers and is not differentiated. x and θ are trees of real arrays, F has as many
    entries as x. `linear="dense"` forms ∂F/∂x, "iterative" uses products with it alone (GMRES),
    for many unknowns. Closed-over values of a running derivative count as arguments.

    Raises SolutionError where an entry of F exceeds `tolerance` at what the solver returned, and
    where ∂F/∂x is singular. Source: the implicit function theorem.

    >>> import numpy as np
    >>> cube_root = implicit_root(lambda x, a: x**3 - a, np.cbrt)
    >>> float(grad(cube_root)(8.0))  # 1 / (3 x²)
    0.08333333333333333
    """

    @functools.wraps(solve)
    def root(*args: Any) -> Any:
        return solution("implicit_root", residual, solve, args, linear=linear, tolerance=tolerance)

    return root


def implicit_minimize(
    objective: Function,
    solve: Function,
    *,
    linear: LinearSolver = "dense",
    tolerance: float = 1e-4,
) -> Function:
    """The function θ ↦ argmin over x of objective(x, *θ), which `solve(*θ)` finds.

    It is the root of ∂f/∂x, so ẋ = −(∂²f/∂x²)⁻¹ ∂²f/∂x∂θ θ̇; as `implicit_root` otherwise. An
    entry of the gradient at what the solver returned may be as large as `tolerance`, and the
    derivative is as accurate as that. "iterative" uses Hessian-vector products (MINRES).

    >>> import numpy as np
    >>> middle = implicit_minimize(lambda x, a: np.sum((x - a) ** 2), np.mean)
    >>> grad(middle)(np.array([1.0, 2.0, 6.0, 7.0]))
    array([0.25, 0.25, 0.25, 0.25])
    """

    def residual(x: Any, *args: Any) -> Any:
        return grad(objective)(x, *args)

    @functools.wraps(solve)
    def minimum(*args: Any) -> Any:
        return solution(
            "implicit_minimize",
            residual,
            solve,
            args,
            linear=linear,
            tolerance=tolerance,
            symmetric=True,
        )

    return minimum
