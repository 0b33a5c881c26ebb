"""Derivatives of what solves an equation, from the equation and not from the solver's steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.conversion import concrete
from chainrule.transforms.arguments import numbers_in, put_together, taken_apart
from chainrule.transforms.closures import Closure
from chainrule.transforms.equations import Equation, implicit
from chainrule.transforms.flattening import Layout, vector
from chainrule.transforms.reverse_mode import grad

Function = Callable[..., Any]
LinearSolver = Literal["dense", "iterative"]


class Problem:
    """A residual and its solver, as functions of all leaves that they depend on.

    Those are the leaves of the arguments, and the traced values that the two close over.
    """

    __slots__ = ("_hidden", "_leaves", "_moving", "_treedef", "residual", "solve")

    def __init__(self, residual: Function, solve: Function, args: tuple[Any, ...]) -> None:
        self.residual, self.solve = Closure(residual), Closure(solve)
        values = (*self.residual.values, *self.solve.values)
        self._hidden = list({id(value): value for value in values}.values())
        self._leaves, self._treedef = taken_apart((args, self._hidden))
        self._moving = numbers_in(self._leaves)

    @property
    def traced(self) -> bool:
        return any(isinstance(leaf, Traced) for leaf in self._leaves)

    @property
    def leaves(self) -> list[Any]:
        return [self._leaves[k] for k in self._moving]

    def at(self, closure: Closure, leaves: tuple[Any, ...]) -> tuple[Function, tuple[Any, ...]]:
        """A function that holds these leaves instead of what it closed over, and its arguments."""
        filled = list(self._leaves)
        for k, leaf in zip(self._moving, leaves, strict=True):
            filled[k] = leaf
        args, values = put_together(self._treedef, filled)
        others = {id(old): new for old, new in zip(self._hidden, values, strict=True)}
        return closure.holding([others[id(value)] for value in closure.values]), tuple(args)


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
    problem = Problem(residual, solve, args)
    if not problem.traced:
        x = solve(*args)
        if tolerance < np.inf:
            layout = Layout(title, x)
            _check(title, residual, layout, layout.vector(x), args, tolerance)
        return x
    layouts: list[Layout] = []

    def solved(*leaves: Any) -> Any:
        function, args = problem.at(problem.solve, leaves)
        x = function(*args)
        layouts[:] = [Layout(title, x)]
        y = np.array(concrete(layouts[0].vector(x)))
        plain, _ = problem.at(problem.residual, leaves)
        _check(title, plain, layouts[0], y, args, tolerance)
        return y

    def flat_residual(y: Any, *leaves: Any) -> Any:
        function, args = problem.at(problem.residual, leaves)
        return vector(taken_apart(function(layouts[0].tree(y), *args))[0])

    iterates = linear == "iterative"
    equation = Equation(
        title, flat_residual, solved, iterates=iterates, symmetric=symmetric, reach=reach
    )
    y = implicit(*problem.leaves, equation=equation)  # which fills `layouts`
    return layouts[0].tree(y)


def _check(
    title: str, residual: Function, layout: Layout, y: Any, args: tuple[Any, ...], tolerance: float
) -> None:
    """Refuse a solution that is none, equations that are too many, and values out of reach."""
    found = taken_apart(residual(layout.tree(y), *args))[0]
    if any(isinstance(leaf, Traced) for leaf in found):
        raise errors.InputError(
            f"{title} at {callers_place()} reads a value of the running derivative that is neither "
            "an argument nor held by the function itself (a global, say); "
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
