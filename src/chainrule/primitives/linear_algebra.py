"""Linear systems, inverses and products of many matrices, and what their neighbours share.

Matrices are the last two axes, all axes before them are batches. Formulas: M. Giles, "Collected
matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.batching import matrices
from chainrule.primitives.declare import flat, primitive
from chainrule.primitives.implicit import solution
from chainrule.primitives.samples import case, invertible, normal, separated

HALF_THE_WORK = (
    "both modes: transposing first evaluates the tangent rule at 0, which here is half of the work"
)


def transposed(a: Any) -> Any:
    """Aᵀ of each matrix."""
    return np.swapaxes(a, -1, -2)


def adjoint(a: Any) -> Any:
    """Aᴴ of each matrix; for real ones Aᵀ, without a copy."""
    return np.swapaxes(a, -1, -2).conj()


solved = solution(
    "solve",
    compute=np.linalg.solve,
    inputs=2,
    jvp=(
        lambda t, x1, y: -np.linalg.solve(x1, t @ y),
        lambda t, x1: np.linalg.solve(x1, t),
    ),
    adjoint=lambda g, x1: np.linalg.solve(transposed(x1), g),
    vjp=(lambda g, y: -(g @ transposed(y)), lambda g: g),
    latex="{x1}^{{-1}} {x2}",
    batch=matrices(2, 2),
    samples=[
        case(invertible(3), normal(3, 2)),
        case(invertible(3, 2), normal(3, 1)),
        case(invertible(3), normal(2, 3, 2)),
    ],
)


@composition(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """`np.linalg.solve`: x = A⁻¹ b;  ẋ = A⁻¹ (ḃ - Ȧ x),  b̄ = A⁻ᵀ x̄,  Ā = -b̄ xᵀ.

    As in NumPy 2, `b` is one vector if it has one axis, else a stack of matrices.

    >>> import chainrule as cr
    >>> a = np.array([[2.0, 0.0], [0.0, 4.0]])
    >>> cr.grad(lambda b: np.sum(np.linalg.solve(a, b)))(np.ones(2))
    array([0.5 , 0.25])
    """
    a, b = (np.asarray(v) if isinstance(v, list | tuple) else v for v in (a, b))
    if b.ndim == 1:
        return solved(a, b[:, None])[..., 0]
    return solved(a, b)


# Stated by its output alone: the matrix itself is not kept for the derivative.
inverse = primitive(
    "inv",
    numpy=np.linalg.inv,
    jvp=(lambda t, y: -(y @ t @ y),),
    vjp=(lambda g, y: -(transposed(y) @ g @ transposed(y)),),
    latex="{x}^{{-1}}",
    batch=matrices(2),
    samples=[case(invertible(3)), case(invertible(2, 4))],
    note=HALF_THE_WORK,
)


def _moved_pseudoinverse(t: Any, x: Any, y: Any) -> Any:
    """Ẏ = -Y Ȧ Y + Y Yᴴ Ȧᴴ (1 - A Y) + (1 - Y A) Ȧᴴ Yᴴ Y, valid while the rank stays the same.

    Source: G. Golub, V. Pereyra, SIAM J. Numer. Anal. 10 (1973), 413-432.
    """
    t_adjoint = adjoint(t)
    left = y @ (adjoint(y) @ (t_adjoint - (t_adjoint @ x) @ y))
    right = ((t_adjoint - y @ (x @ t_adjoint)) @ adjoint(y)) @ y
    return left + right - y @ t @ y


pseudoinverse = primitive(
    "pinv",
    compute=lambda x, *, rcond: np.linalg.pinv(x, rcond),
    jvp=(_moved_pseudoinverse,),
    latex="{x}^{{+}}",
    batch=matrices(2),
    samples=[
        case(separated(4, 3), rcond=1e-15),
        case(separated(3, 4), rcond=1e-15),
        case(separated(3, 3, 2), rcond=1e-15),
    ],
)


@composition(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, **options: Any) -> Any:
    """`np.linalg.pinv`; singular values at most `rcond` times the largest count as zeros."""
    if hermitian:
        a = hermitian_part(a, "L")
    rounding = max(a.shape[-2:], default=0) * np.finfo(a.dtype).eps
    if rcond is None:
        rcond = options.get("rtol", 1e-15)
        if rcond is None:
            rcond = rounding
    if np.any(np.asarray(rcond) > rounding):
        a = _without_small_values(a, rcond)
    return pseudoinverse(a, rcond=rcond)


def _without_small_values(a: Any, rcond: Any) -> Any:
    """`a` without what belongs to its singular values at most `rcond` times the largest.

    The formula of the pseudoinverse holds where no value but 0 is left out, as here then.
    """
    u, s, _ = np.linalg.svd(a, full_matrices=False)
    kept = u * (s > np.asarray(rcond)[..., None] * s[..., :1])[..., None, :]
    return kept @ (adjoint(kept) @ a)


def hermitian_part(t: Any, triangle: str) -> Any:
    """The Hermitian matrix that NumPy reads from one triangle (L or U) of `t`.

    As a tangent it is what moves the result: the other triangle and the imaginary part of the
    diagonal are never read, so they have derivative 0.
    """
    half = t * halved_diagonal(t.shape[-1], t.dtype, triangle)
    return half + adjoint(half)


def halved_diagonal(size: int, dtype: Any, triangle: str = "L") -> Any:
    """Ones in one triangle, 1/2 on the diagonal: Φ of Seeger et al. as a mask."""
    lower = np.tri(size, dtype=dtype) - np.eye(size, dtype=dtype) / 2
    return lower if triangle == "L" else lower.T


def to_triangle(x: Any, triangle: str) -> Any:
    """The transpose of `hermitian_part`, for the adjoint `x` of a Hermitian matrix.

    The formulas of the vjp rules here are adjoints, with conjugations inside; the pass conjugates
    around every rule, and the `conj` at both ends of each rule takes that back.
    """
    return ((x + adjoint(x)) * halved_diagonal(x.shape[-1], x.dtype, triangle)).conj()


@composition(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """`np.linalg.lstsq`: (A⁺ b, |b - A A⁺ b|² per column, rank, singular values)."""
    a, b = (np.asarray(v) if isinstance(v, list | tuple) else v for v in (a, b))
    rows, columns = a.shape
    if rcond is None:
        rcond = max(rows, columns) * np.finfo(np.result_type(a, b)).eps
    s = np.linalg.svdvals(a)
    rank = np.sum(s > rcond * s[0]).astype(np.intc)  # as LAPACK counts
    x = np.linalg.pinv(a, rcond) @ b
    if rank != columns or rows <= columns:
        return x, np.zeros(0, s.dtype), rank, s
    misfit = b - a @ x
    residuals = np.sum(np.real(misfit * np.conj(misfit)), axis=0)
    return x, np.reshape(residuals, (-1,)), rank, s


@composition(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """`np.linalg.matrix_power`, by squaring: about 2 log₂ n products."""
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    square, rest, power = np.linalg.inv(a) if n < 0 else a, abs(n), None
    while True:
        rest, odd = divmod(rest, 2)
        if odd:
            power = square if power is None else power @ square
        if not rest:
            return power
        square = square @ square


def _cheapest_cuts(sizes: list[int]) -> list[list[int]]:
    """Where to cut each product of matrices k … l of sizes[k] × sizes[k + 1].

    Source: T. Cormen et al., Introduction to Algorithms, section "Matrix-chain multiplication".
    """
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    cuts = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            cost[first][last], cuts[first][last] = min(
                (
                    cost[first][cut]
                    + cost[cut + 1][last]
                    + sizes[first] * sizes[cut + 1] * sizes[last + 1],
                    cut,
                )
                for cut in range(first, last)
            )
    return cuts


@composition(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Any:
    """`np.linalg.multi_dot`: the product in the cheapest order; ends may be vectors."""
    factors = list(arrays)
    if len(factors) < 2:
        raise ValueError("np.linalg.multi_dot expects at least two arrays")
    row, column = factors[0].ndim == 1, factors[-1].ndim == 1
    if row:
        factors[0] = factors[0][None, :]
    if column:
        factors[-1] = factors[-1][:, None]
    cuts = _cheapest_cuts([factors[0].shape[0], *(f.shape[1] for f in factors)])

    def product(first: int, last: int) -> Any:
        if first == last:
            return factors[first]
        cut = cuts[first][last]
        return product(first, cut) @ product(cut + 1, last)

    y = product(0, len(factors) - 1)
    y = y[..., 0] if column else y
    return y[0] if row else y


@composition(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """`np.linalg.trace`: over the last two axes, where `np.trace` takes the first two."""
    return np.trace(x if dtype is None else x.astype(dtype), offset, -2, -1)


@composition(np.linalg.diagonal)
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """`np.linalg.diagonal`: over the last two axes, where `np.diagonal` takes the first two."""
    return np.diagonal(x, offset, -2, -1)


flat(
    "matrix_rank",
    numpy=np.linalg.matrix_rank,
    reason="its values are counts",
    samples=[case(invertible(3))],
    latex=r"\operatorname{{rank}} {x}",
    batch=matrices(2),
)
