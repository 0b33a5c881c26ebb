"""The solution of an initial value problem as one operation, with its continuous adjoint.

    λ' = -(∂f/∂y)ᵀ λ,   θ̄ = ∫ (∂f/∂θ)ᵀ λ dt,   λ jumps by ȳᵢ at the time tᵢ of an observation
    t̄ᵢ = ȳᵢ · f(tᵢ, yᵢ),   t̄₀ = -λ(t₀) · f(t₀, y₀)

Forward mode integrates the tangent ẏ' = (∂f/∂y) ẏ + (∂f/∂θ) θ̇ beside y.
Source: Y. Cao, S. Li, L. Petzold, R. Serban, Adjoint sensitivity analysis for
differential-algebraic equations, SIAM J. Sci. Comput. 24 (2003).

The walk backwards needs y(t). It is solved again from the last observation, in pieces of
`STEPS_PER_PIECE` steps, whose interpolants are all that is held at one time: integrating y itself
backwards would need less, and is unstable for every problem that forgets its beginning.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Node, Primitive, Traced, spec_of
from chainrule.graph.primitive import Saves, Wanted
from chainrule.scipy.integrate.problems import Problem
from chainrule.transforms.forward_mode import jvp
from chainrule.transforms.reverse_mode import pullback

STEPS_PER_PIECE = 100


class Integrated(Primitive):
    """y at the times (t₀, t₁, …), one column each: inputs y₀, the times, and the leaves of f."""

    __slots__ = ()
    form = "call"

    def saves(self, wanted: tuple[int, ...]) -> Saves:
        return Saves(None, None)

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        # As for a checkpoint: an adjoint among plain transposes is conjugated on both sides.
        found = _walk_back(node.params["problem"], xs, ys[0], np.conjugate(gs[0]))
        return [np.conjugate(found[i]) for i in wanted]

    def push(
        self, node: Node, xs: tuple[Any, ...], ys: tuple[Any, ...], ts: list[Any]
    ) -> list[Any]:
        return [_moved(node.params["problem"], xs, ys[0], ts)]


def _integrate(y0: Any, times: Any, *leaves: Any, problem: Problem) -> Any:
    return problem.values(leaves, y0, times)


integrated = Integrated(
    "initial_value_problem",
    compute=_integrate,
    inputs=None,
    latex=r"\operatorname{{solve}}({x1}, {x2})",
    note="runs the user's function",
)


def _moved(problem: Problem, xs: tuple[Any, ...], values: Any, ts: list[Any]) -> Any:
    """The tangent of the solution: both are integrated together."""
    y0, times, *leaves = xs
    size = y0.shape[0]
    moving = [k for k, t in enumerate(ts[2:]) if t is not None]
    tangents = [ts[2 + k] for k in moving]

    def along(t: Any, z: Any, *both: Any) -> Any:
        here, dots = list(both[: len(leaves)]), both[len(leaves) :]

        def f(y: Any, *moved: Any) -> Any:
            for k, leaf in zip(moving, moved, strict=True):
                here[k] = leaf
            return problem.function(t, y, *here)

        points = (z[:size], *(here[k] for k in moving))
        return np.concatenate(jvp(f, points, (z[size:], *dots)))

    start = np.zeros(size, y0.dtype) if ts[0] is None else ts[0]
    if ts[1] is not None:
        start = start - problem.function(times[0], y0, *leaves) * ts[1][0]
    larger = problem.augmented(along, copies=2)
    both = integrated(np.concatenate([y0, start]), times, *leaves, *tangents, problem=larger)
    moved = both[size:]
    if ts[1] is not None:
        slopes = [problem.function(times[k], values[:, k], *leaves) for k in range(len(times))]
        moved = moved + np.stack(slopes, axis=1) * ts[1]
    return moved


def _walk_back(problem: Problem, xs: tuple[Any, ...], values: Any, g: Any) -> list[Any]:
    """The cotangents of y₀, of the times and of the leaves."""
    y0, times, *leaves = xs
    traced = any(isinstance(v, Traced) for v in (*xs, values, g))
    leg = _traced_leg if traced else _plain_leg
    adjoint = np.zeros(y0.shape[0], g.dtype)
    sums = [np.zeros(spec_of(leaf).shape, spec_of(leaf).dtype) for leaf in leaves]
    moments = []
    for k in range(len(times) - 1, 0, -1):
        slope = problem.function(times[k], values[:, k], *leaves)
        moments.append(np.real(np.sum(np.conjugate(g[:, k]) * slope)))
        adjoint = adjoint + g[:, k]
        ends = (times[k - 1], times[k])
        adjoint, sums = leg(problem, tuple(leaves), ends, values[:, k - 1 : k + 1], adjoint, sums)
    slope = problem.function(times[0], y0, *leaves)
    moments.append(-np.real(np.sum(np.conjugate(adjoint) * slope)))
    return [adjoint + g[:, 0], np.stack(moments[::-1]), *sums]


def _pulled(problem: Problem, t: Any, y: Any, leaves: tuple[Any, ...]) -> Any:
    """λ ↦ (∂f/∂y)ᵀ λ and (∂f/∂θ)ᵀ λ."""

    def f(y: Any, *leaves: Any) -> Any:
        return problem.function(t, y, *leaves)

    return pullback("solve_ivp", f, (y, *leaves), {}, tuple(range(1 + len(leaves))))[2]


def _packed(adjoint: Any, sums: list[Any]) -> Any:
    return np.concatenate([adjoint, *(np.reshape(s, (-1,)) for s in sums)])


def _unpacked(w: Any, size: int, leaves: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """The adjoint and the sums of the leaves, each with the shape and kind of its leaf."""
    found, start = [], size
    for leaf in leaves:
        shape, dtype = spec_of(leaf)
        count = int(np.prod(shape))
        part = np.reshape(w[start : start + count], shape)
        found.append(part if dtype.kind == "c" else np.real(part))
        start += count
    return w[:size], found


def _pieces(
    problem: Problem, leaves: tuple[Any, ...], start: float, end: float, y0: Any
) -> list[tuple[float, Any]]:
    """Where to begin again: (time, state) at the start and after every hundredth step."""
    found = [(start, y0)]
    forward = problem.augmented(problem.function, copies=1)
    for count, (t, y) in enumerate(forward.steps(leaves, start, end, y0), start=1):
        if count % STEPS_PER_PIECE == 0 and t != end:
            found.append((t, y.copy()))
    return found


def _plain_leg(
    problem: Problem,
    leaves: tuple[Any, ...],
    ends: tuple[Any, Any],
    values: Any,
    adjoint: Any,
    sums: list[Any],
) -> tuple[Any, list[Any]]:
    """Adjoint and sums carried from one observation back to the one before it."""
    start, end = map(float, ends)
    if start == end:
        return adjoint, sums
    size = adjoint.shape[0]
    forward = problem.augmented(problem.function, copies=1)
    w = _packed(adjoint, sums)
    stop = end
    for begin, y in reversed(_pieces(problem, leaves, start, end, values[:, 0])):
        path = forward.solved(leaves, begin, stop, y, dense_output=True).sol

        def backwards(t: Any, w: Any, *_: Any, path: Any = path) -> Any:
            cotangents = _pulled(problem, t, path(t), leaves).raw([w[:size]])
            return -_packed(cotangents[0], cotangents[1:])

        def matrix(t: Any, w: Any, path: Any = path) -> Any:
            """The system is linear: its matrix has the pullbacks of unit vectors as columns."""
            pull = _pulled(problem, t, path(t), leaves)
            columns = [pull.raw([unit]) for unit in np.eye(size)]
            left = -np.stack([_packed(c[0], c[1:]) for c in columns], axis=1)
            return np.concatenate([left, np.zeros((w.size, w.size - size))], axis=1)

        larger = problem.augmented(backwards, copies=None)
        if larger.method in ("Radau", "BDF", "LSODA") and w.dtype.kind == "f":
            larger.options["jac"] = matrix
        for _, state in larger.steps((), stop, begin, w):
            w = state
        stop = begin
    return _unpacked(w, size, leaves)


def _traced_leg(
    problem: Problem,
    leaves: tuple[Any, ...],
    ends: tuple[Any, Any],
    values: Any,
    adjoint: Any,
    sums: list[Any],
) -> tuple[Any, list[Any]]:
    """The same as one more problem of this kind, with y integrated backwards too.

    This is what higher derivatives differentiate: its inputs are all that it depends on.
    """
    size = adjoint.shape[0]

    def backwards(t: Any, w: Any, *leaves: Any) -> Any:
        y, adjoint = w[:size], w[size : 2 * size]
        cotangents = _pulled(problem, t, y, leaves).raw([adjoint])
        slope = problem.function(t, y, *leaves)
        return np.concatenate([slope, -_packed(cotangents[0], cotangents[1:])])

    larger = problem.augmented(backwards, copies=None)
    start = np.concatenate([values[:, 1], _packed(adjoint, sums)])
    times = np.stack([ends[1], ends[0]])
    w = integrated(start, times, *leaves, problem=larger)[:, 1]
    return _unpacked(w[size:], size, leaves)
