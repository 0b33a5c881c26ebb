"""Matrix equations: Sylvester, Lyapunov, Riccati. Derivatives by the implicit function theorem.

Each solves a linear equation once more with other coefficients; nothing is differentiated through
an iteration. Sources: A. Griewank & A. Walther, Evaluating Derivatives, chapter 15; for the
Riccati equations T.-C. Kao & G. Hennequin, "Automatic differentiation of Sylvester, Lyapunov, and
algebraic Riccati equations" (2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from chainrule.errors import UnsupportedError
from chainrule.graph.node import callers_place
from chainrule.primitives.batching import matrices
from chainrule.primitives.implicit import Solution, solution
from chainrule.primitives.linear_algebra import adjoint, transposed
from chainrule.primitives.samples import Maker, case, normal, positive_definite
from chainrule.scipy.linalg.arguments import floating, over_stack, square


def _positive(size: int, *batch: int) -> Maker:
    """Matrices whose eigenvalues have large positive real parts."""
    return lambda rng: rng.normal(size=(*batch, size, size)) / 2 + 3 * np.eye(size)


def _contraction(size: int) -> Maker:
    return lambda rng: rng.uniform(-0.3, 0.3, size=(size, size))


sylvester: Solution = solution(
    "solve_sylvester",
    batch=matrices(2, 2, 2),
    compute=over_stack(scipy.linalg.solve_sylvester),
    inputs=3,
    jvp=(
        lambda t, x1, x2, y: -sylvester(x1, x2, t @ y),
        lambda t, x1, x2, y: -sylvester(x1, x2, y @ t),
        lambda t, x1, x2: sylvester(x1, x2, t),
    ),
    adjoint=lambda g, x1, x2: sylvester(transposed(x1), transposed(x2), g),
    vjp=(
        lambda g, y: -(g @ transposed(y)),
        lambda g, y: -(transposed(y) @ g),
        lambda g: g,
    ),
    latex=r"\operatorname{{solve}}_Y({x1} Y + Y {x2} = {x3})",
    samples=[
        case(_positive(3), _positive(2), normal(3, 2)),
        case(_positive(2, 2), _positive(3), normal(2, 3)),
    ],
)


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """X of A X + X B = Q;  Ẋ solves A Ẋ + Ẋ B = Q̇ - Ȧ X - X Ḃ.

    Shapes (…, m, m), (…, n, n), (…, m, n). A and -B must share no eigenvalue.

    >>> float(solve_sylvester([[2.0]], [[1.0]], [[6.0]])[0, 0])
    2.0
    """
    return sylvester(square(a), square(b), floating(q))


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """X of A X + X Aᴴ = Q."""
    a = square(a)
    return sylvester(a, adjoint(a), floating(q))


solve_lyapunov = solve_continuous_lyapunov


def _two_sided(x: Any) -> Any:
    """Λ ↦ Λ + Λᴴ, from a cotangent as the pass hands it over, conjugated."""
    return x + adjoint(x)


def _pulled_stein(g: Any, x1: Any, y: Any) -> Any:
    """Ā = Λ A Xᴴ + Λᴴ A X, an adjoint: the pass conjugates around it."""
    g = g.conj()
    return (g @ x1 @ adjoint(y) + adjoint(g) @ x1 @ y).conj()


stein: Solution = solution(
    "solve_discrete_lyapunov",
    batch=matrices(2, 2),
    compute=over_stack(lambda a, q: scipy.linalg.solve_discrete_lyapunov(a, q)),
    inputs=2,
    jvp=(
        lambda t, x1, y: stein(x1, t @ y @ adjoint(x1) + x1 @ y @ adjoint(t)),
        lambda t, x1: stein(x1, t),
    ),
    adjoint=lambda g, x1: stein(transposed(x1), g),
    vjp=(_pulled_stein, lambda g: g),
    latex=r"\operatorname{{solve}}_Y(Y - {x1} Y {x1}^H = {x2})",
    samples=[case(_contraction(3), normal(3, 3)), case(_contraction(2), normal(2, 2, 2))],
)


def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """X of A X Aᴴ - X + Q = 0;  Ẋ solves the same equation with Q̇ + Ȧ X Aᴴ + A X Ȧᴴ."""
    return stein(square(a), floating(q))


def _hermitian(x: Any) -> Any:
    return (x + adjoint(x)) / 2


def _continuous_gain(b: Any, r: Any, y: Any) -> Any:
    """K = R⁻¹ Bᴴ X."""
    return np.linalg.solve(r, adjoint(b) @ y)


def _discrete_gain(a: Any, b: Any, r: Any, y: Any) -> Any:
    """K = (R + Bᴴ X B)⁻¹ Bᴴ X A."""
    return np.linalg.solve(r + adjoint(b) @ y @ b, adjoint(b) @ y @ a)


# Both equations say that the gain K is the best one, so X does not move with K to first order:
# with C = A - B K they read  Cᴴ X + X C + Kᴴ R K + Q = 0  and  Cᴴ X C - X + Kᴴ R K + Q = 0, in
# which K may be held fixed. Q and R are read as Hermitian.


def _continuous(moved: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    closed = x1 - x2 @ _continuous_gain(x2, _hermitian(x4), y)
    return sylvester(adjoint(closed), closed, -moved)


def _moved_a_continuous(t: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    return _continuous(_two_sided(y @ t), x1, x2, x4, y)


def _moved_b_continuous(t: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _continuous_gain(x2, _hermitian(x4), y)
    return _continuous(-_two_sided(y @ t @ gain), x1, x2, x4, y)


def _moved_r_continuous(t: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _continuous_gain(x2, _hermitian(x4), y)
    return _continuous(adjoint(gain) @ _hermitian(t) @ gain, x1, x2, x4, y)


def _adjoint_continuous(g: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    closed = x1 - x2 @ _continuous_gain(x2, _hermitian(x4), y)
    return -sylvester(closed, adjoint(closed), g.conj()).conj()


def _pulled_b_continuous(g: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _continuous_gain(x2, _hermitian(x4), y)
    return -(y @ _two_sided(g.conj()) @ adjoint(gain)).conj()


def _pulled_r_continuous(g: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _continuous_gain(x2, _hermitian(x4), y)
    return _hermitian(gain @ g.conj() @ adjoint(gain)).conj()


continuous_riccati = solution(
    "solve_continuous_are",
    batch=matrices(2, 2, 2, 2),
    compute=over_stack(
        lambda a, b, q, r: scipy.linalg.solve_continuous_are(a, b, _hermitian(q), _hermitian(r))
    ),
    inputs=4,
    jvp=(
        _moved_a_continuous,
        _moved_b_continuous,
        lambda t, x1, x2, x4, y: _continuous(_hermitian(t), x1, x2, x4, y),
        _moved_r_continuous,
    ),
    adjoint=_adjoint_continuous,
    vjp=(
        lambda g, y: (y @ _two_sided(g.conj())).conj(),
        _pulled_b_continuous,
        lambda g: _hermitian(g),
        _pulled_r_continuous,
    ),
    latex=r"\operatorname{{care}}({x1}, {x2}, {x3}, {x4})",
    samples=[case(normal(3, 3), normal(3, 2), positive_definite(3), positive_definite(2))],
)


def _discrete(moved: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    closed = x1 - x2 @ _discrete_gain(x1, x2, _hermitian(x4), y)
    return stein(adjoint(closed), moved)


def _moved_a_discrete(t: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _discrete_gain(x1, x2, _hermitian(x4), y)
    return _discrete(_two_sided(adjoint(x1 - x2 @ gain) @ y @ t), x1, x2, x4, y)


def _moved_b_discrete(t: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _discrete_gain(x1, x2, _hermitian(x4), y)
    return _discrete(-_two_sided(adjoint(x1 - x2 @ gain) @ y @ t @ gain), x1, x2, x4, y)


def _moved_r_discrete(t: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _discrete_gain(x1, x2, _hermitian(x4), y)
    return _discrete(adjoint(gain) @ _hermitian(t) @ gain, x1, x2, x4, y)


def _adjoint_discrete(g: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    closed = x1 - x2 @ _discrete_gain(x1, x2, _hermitian(x4), y)
    return stein(closed, g.conj()).conj()


def _pulled_a_discrete(g: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    closed = x1 - x2 @ _discrete_gain(x1, x2, _hermitian(x4), y)
    return (y @ closed @ _two_sided(g.conj())).conj()


def _pulled_b_discrete(g: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _discrete_gain(x1, x2, _hermitian(x4), y)
    return -(y @ (x1 - x2 @ gain) @ _two_sided(g.conj()) @ adjoint(gain)).conj()


def _pulled_r_discrete(g: Any, x1: Any, x2: Any, x4: Any, y: Any) -> Any:
    gain = _discrete_gain(x1, x2, _hermitian(x4), y)
    return _hermitian(gain @ g.conj() @ adjoint(gain)).conj()


discrete_riccati = solution(
    "solve_discrete_are",
    batch=matrices(2, 2, 2, 2),
    compute=over_stack(
        lambda a, b, q, r: scipy.linalg.solve_discrete_are(a, b, _hermitian(q), _hermitian(r))
    ),
    inputs=4,
    jvp=(
        _moved_a_discrete,
        _moved_b_discrete,
        lambda t, x1, x2, x4, y: _discrete(_hermitian(t), x1, x2, x4, y),
        _moved_r_discrete,
    ),
    adjoint=_adjoint_discrete,
    vjp=(_pulled_a_discrete, _pulled_b_discrete, lambda g: _hermitian(g), _pulled_r_discrete),
    latex=r"\operatorname{{dare}}({x1}, {x2}, {x3}, {x4})",
    samples=[case(normal(3, 3), normal(3, 2), positive_definite(3), positive_definite(2))],
)


def _without_descriptor(name: str, e: Any, s: Any) -> None:
    if e is not None or s is not None:
        raise UnsupportedError(
            f"chainrule.scipy.linalg.{name} at {callers_place()} has no derivative for the "
            "generalised equation; bring it to the form without e and s (multiply by the inverse "
            "of e, and complete the square for s)"
        )


def solve_continuous_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    """X of Aᴴ X + X A - X B R⁻¹ Bᴴ X + Q = 0, the stabilising solution; Q and R Hermitian."""
    _without_descriptor("solve_continuous_are", e, s)
    return continuous_riccati(square(a), floating(b), square(q), square(r))


def solve_discrete_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    """X of Aᴴ X A - X - Aᴴ X B (R + Bᴴ X B)⁻¹ Bᴴ X A + Q = 0, the stabilising solution."""
    _without_descriptor("solve_discrete_are", e, s)
    return discrete_riccati(square(a), floating(b), square(q), square(r))
