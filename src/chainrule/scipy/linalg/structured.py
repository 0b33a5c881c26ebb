"""Systems whose matrix is given by few numbers: banded, Toeplitz and circulant."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from chainrule.primitives.implicit import Solution, solution
from chainrule.primitives.linear_algebra import transposed
from chainrule.primitives.samples import Maker, case, normal
from chainrule.scipy.linalg.arguments import floating
from chainrule.scipy.linalg.matrices import toeplitz

# The band (lower, upper) of A as LAPACK stores it: ab[upper + i - j, j] = A[i, j].


def _banded(ab: Any, b: Any, *, lower: int, upper: int) -> Any:
    return scipy.linalg.solve_banded((lower, upper), ab, b, check_finite=False)


def _inside(ab: Any, lower: int, upper: int) -> Any:
    """The band with zeros in the corners, which lie outside of the matrix and are never read."""
    rows, columns = np.arange(lower + upper + 1)[:, None], np.arange(ab.shape[1])
    i = columns + rows - upper
    return np.where((i >= 0) & (i < ab.shape[1]), ab, 0)


def _shifted(x: Any, by: int) -> Any:
    """x[k + by] along the first axis, zeros from outside."""
    size = len(x)
    by = max(-size, min(size, by))
    zeros = np.zeros((abs(by), *x.shape[1:]), x.dtype)
    return np.concatenate([x[by:], zeros] if by >= 0 else [zeros, x[:by]])


def _turned(ab: Any, lower: int, upper: int) -> Any:
    """The band (upper, lower) of Aᵀ."""
    ab = _inside(ab, lower, upper)
    rows = [_shifted(ab[upper - k], k) for k in range(-lower, upper + 1)]
    return np.stack(rows)


def _times(ab: Any, y: Any, lower: int, upper: int) -> Any:
    """A y from the band of A."""
    ab = _inside(ab, lower, upper)
    return sum(_shifted(ab[upper - k][:, None] * y, k) for k in range(-lower, upper + 1))


def _outer_band(x: Any, y: Any, lower: int, upper: int) -> Any:
    """The band of x yᵀ: row k of it holds Σ x[i] y[i + k] at column i + k."""
    rows = [np.sum(_shifted(x, -k) * y, axis=1) for k in range(upper, -lower - 1, -1)]
    return _inside(np.stack(rows), lower, upper)


def _dominant_band(rows: int, size: int, diagonal: int) -> Maker:
    def make(rng: np.random.Generator) -> Any:
        ab = rng.normal(size=(rows, size)) / 2
        ab[diagonal] += 3
        return ab

    return make


banded_solve: Solution = solution(
    "solve_banded",
    compute=_banded,
    inputs=2,
    jvp=(
        lambda t, x1, y, lower, upper: (
            -banded_solve(x1, _times(t, y, lower, upper), lower=lower, upper=upper)
        ),
        lambda t, x1, lower, upper: banded_solve(x1, t, lower=lower, upper=upper),
    ),
    adjoint=lambda g, x1, lower, upper: banded_solve(
        _turned(x1, lower, upper), g, lower=upper, upper=lower
    ),
    vjp=(lambda g, y, lower, upper: -_outer_band(g, y, lower, upper), lambda g: g),
    latex=r"\operatorname{{band}}({x1})^{{-1}} {x2}",
    samples=[
        case(_dominant_band(3, 5, 1), normal(5, 2), lower=1, upper=1),
        case(_dominant_band(4, 5, 1), normal(5, 1), lower=2, upper=1),
        case(_dominant_band(2, 4, 1), normal(4, 1), lower=0, upper=1),
    ],
)


def _columns(b: Any) -> tuple[Any, bool]:
    b = floating(b)
    return (b[:, None], True) if b.ndim == 1 else (b, False)


def solve_banded(
    l_and_u: tuple[int, int],
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """x of A x = b, where ab[u + i - j, j] = A[i, j]. Work and memory in proportion to the band.

    Entries of `ab` outside of the matrix have derivative 0.

    >>> ab = np.array([[0.0, 1.0], [2.0, 4.0], [0.0, 0.0]])
    >>> solve_banded((1, 1), ab, np.array([4.0, 4.0]))
    array([1.5, 1. ])
    """
    lower, upper = (int(k) for k in l_and_u)
    columns, vector = _columns(b)
    x = banded_solve(floating(ab), columns, lower=lower, upper=upper)
    return x[:, 0] if vector else x


def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """x of A x = b for a Hermitian positive definite A, of which `ab` holds one half of the band.

    The half given is what has derivatives.
    """
    ab = floating(ab)
    width = len(ab) - 1
    if width == 0:
        return solve_banded((0, 0), ab, b)
    if lower:
        other = _turned(ab, width, 0).conj()
        full = np.concatenate([other, ab[1:]])
    else:
        other = _turned(ab, 0, width).conj()
        full = np.concatenate([ab, other[1:]])
    return solve_banded((width, width), full, b)


def hermitian_band(ab: Any, lower: bool) -> Any:
    """The full Hermitian matrix of which `ab` holds one half of the band."""
    ab = _inside(ab, len(ab) - 1, 0) if lower else _inside(ab, 0, len(ab) - 1)
    size, width = ab.shape[1], len(ab) - 1
    below: Any = np.zeros((size, size), ab.dtype)
    for k in range(1, min(width, size - 1) + 1):
        entries = ab[k, : size - k] if lower else np.conj(ab[width - k, k:])
        below = below + np.diag(entries, -k)
    diagonal = np.real(ab[0 if lower else width])
    return below + np.conj(below.T) + np.diag(diagonal)


def _along_diagonals(m: Any) -> Any:
    """Sums of M over its diagonals, from the highest (i - j = n - 1) to the lowest.

    Each row, padded to twice the length less one, starts one place further when the rows are read
    as one: the diagonals become columns.
    """
    size = len(m)
    flipped = np.concatenate([m[:, ::-1], np.zeros((size, size), m.dtype)], axis=1)
    skewed = np.reshape(flipped, -1)[: size * (2 * size - 1)]
    return np.sum(np.reshape(skewed, (size, 2 * size - 1)), axis=0)


def _first_column(m: Any) -> Any:
    """The cotangent of c in toeplitz(c, r), from that of the matrix."""
    return _along_diagonals(m)[len(m) - 1 :]


def _first_row(m: Any) -> Any:
    """The same of r, whose first entry is not read."""
    reached = _along_diagonals(m)[: len(m)][::-1]
    return np.concatenate([np.zeros(1, m.dtype), reached[1:]])


def _dominant(size: int) -> Maker:
    return lambda rng: rng.normal(size=size) / 3 + 3 * np.eye(size)[0]


toeplitz_solve: Solution = solution(
    "solve_toeplitz",
    compute=lambda c, r, b: scipy.linalg.solve_toeplitz((c, r), b, check_finite=False).astype(
        np.result_type(c, r, b), copy=False
    ),
    inputs=3,
    jvp=(
        lambda t, x1, x2, y: -toeplitz_solve(x1, x2, toeplitz(t, 0 * t) @ y),
        lambda t, x1, x2, y: -toeplitz_solve(x1, x2, np.triu(toeplitz(t, t), 1) @ y),
        lambda t, x1, x2: toeplitz_solve(x1, x2, t),
    ),
    adjoint=lambda g, x1, x2: toeplitz_solve(
        np.concatenate([x1[:1], x2[1:]]), np.concatenate([x2[:1], x1[1:]]), g
    ),
    vjp=(
        lambda g, y: -_first_column(g @ transposed(y)),
        lambda g, y: -_first_row(g @ transposed(y)),
        lambda g: g,
    ),
    latex=r"\operatorname{{toeplitz}}({x1}, {x2})^{{-1}} {x3}",
    samples=[
        case(_dominant(4), _dominant(4), normal(4, 2)),
        case(_dominant(3), _dominant(3), normal(3, 1)),
    ],
)
"""By Levinson's recursion, in n² operations."""


def _column_and_row(c_or_cr: Any) -> tuple[Any, Any]:
    if isinstance(c_or_cr, tuple):
        c, r = (floating(part) for part in c_or_cr)
        return np.ravel(c), np.ravel(r)
    c = np.ravel(floating(c_or_cr))
    return c, np.conj(c)


def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """x of T x = b for the Toeplitz matrix with the first column c (and first row r of a pair)."""
    c, r = _column_and_row(c_or_cr)
    columns, vector = _columns(b)
    x = toeplitz_solve(c, r, columns)
    return x[:, 0] if vector else x


def matmul_toeplitz(
    c_or_cr: Any, x: Any, check_finite: bool = False, workers: int | None = None
) -> Any:
    """T x for the Toeplitz matrix with the first column c (and first row r of a pair)."""
    return toeplitz(*_column_and_row(c_or_cr)) @ floating(x)


def solve_circulant(
    c: Any,
    b: Any,
    singular: str = "raise",
    tol: float | None = None,
    caxis: int = -1,
    baxis: int = 0,
    outaxis: int = 0,
) -> Any:
    """x of C x = b for the circulant matrix with the first column c, one of each.

    Raises LinAlgError where C is singular; SciPy's `singular="lstsq"` and its stacks are not here.
    """
    c, b = floating(c), floating(b)
    if c.ndim != 1 or singular != "raise":
        raise NotImplementedError(
            "chainrule.scipy.linalg.solve_circulant takes one circulant matrix that is not "
            "singular; use circulant(c) and lstsq"
        )
    columns, vector = _columns(np.moveaxis(b, baxis, 0))
    order = np.concatenate([[0], np.arange(len(c) - 1, 0, -1)])
    rest = columns.shape[1:]
    x = toeplitz_solve(c, c[order], np.reshape(columns, (len(c), -1)))
    x = np.reshape(x, (len(c), *rest))
    return x[:, 0] if vector else np.moveaxis(x, 0, outaxis)
