"""Linear systems with a banded matrix, stored by diagonals as in LAPACK.

    A x = b,   bands[upper + i - j, j] = A[i, j]:   b̄ = A⁻ᵀ x̄,   Ā[i, j] = -b̄ᵢ xⱼ inside the band

Time and memory are linear in the number of unknowns, in both modes.
Source: M. Giles, Collected matrix derivative results (2008), restricted to the band.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from chainrule.primitives.declare import General, primitive
from chainrule.primitives.samples import Maker, case, normal


def shifted(x: Any, by: int) -> Any:
    """x[k + by] along the first axis, with zeros where there is none."""
    if by == 0:
        return x
    room = np.zeros((min(abs(by), x.shape[0]), *x.shape[1:]), x.dtype)
    return np.concatenate([x[by:], room] if by > 0 else [room, x[:by]])


def transposed(bands: Any, lower: int, upper: int) -> Any:
    """The bands of Aᵀ, which has `upper` diagonals below and `lower` above."""
    return np.stack([shifted(bands[upper - d], d) for d in range(-lower, upper + 1)])


def product(bands: Any, x: Any, lower: int, upper: int) -> Any:
    """A x for the columns of x."""
    total: Any = 0.0
    for d in range(-lower, upper + 1):
        total = total + shifted(bands[upper - d][:, None] * x, d)
    return total


def outer(left: Any, x: Any, lower: int, upper: int) -> Any:
    """The band of Σ left xᵀ over the columns."""
    rows = [np.sum(shifted(left, -d) * x, axis=1) for d in range(upper, -lower - 1, -1)]
    return np.stack(rows)


def _dominant(lower: int, upper: int, size: int) -> Maker:
    """A band with a large diagonal: far from singular."""

    def make(rng: np.random.Generator) -> Any:
        bands = rng.uniform(-1, 1, size=(lower + upper + 1, size))
        bands[upper] += 3.0
        return bands

    return make


def _compute(x1: Any, x2: Any, *, lower: int, upper: int) -> Any:
    return scipy.linalg.solve_banded((lower, upper), x1, x2).astype(
        np.result_type(x1, x2), copy=False
    )


def _pulled_right(g: Any, x1: Any, lower: int, upper: int) -> Any:
    return banded_solve(transposed(x1, lower, upper), g, lower=upper, upper=lower)


banded_solve: General = primitive(
    "banded_solve",
    compute=_compute,
    inputs=2,
    jvp=(
        lambda t, x1, y, lower, upper: (
            -banded_solve(x1, product(t, y, lower, upper), lower=lower, upper=upper)
        ),
        lambda t, x1, lower, upper: banded_solve(x1, t, lower=lower, upper=upper),
    ),
    vjp=(
        lambda g, x1, y, lower, upper: -outer(_pulled_right(g, x1, lower, upper), y, lower, upper),
        _pulled_right,
    ),
    latex="{x1}^{{-1}} {x2}",
    samples=[
        case(_dominant(1, 1, 5), normal(5, 2), lower=1, upper=1),
        case(_dominant(2, 1, 4), normal(4, 1), lower=2, upper=1),
        case(_dominant(0, 2, 4), normal(4, 1), lower=0, upper=2),
    ],
    note="both modes: the right-hand side enters linearly, so its tangent rule is the operation "
    "itself, and transposing that would ask for the transpose that is being sought",
)
