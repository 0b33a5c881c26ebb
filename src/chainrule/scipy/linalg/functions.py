"""Functions of matrices: exp, log, roots, powers, trigonometric and hyperbolic functions, sign.

The derivative of f at A along E, the Fréchet derivative L(A, E), stands in the corner of

    f([[A, E], [0, A]]) = [[f(A), L(A, E)], [0, f(A)]],

whatever the eigenvalues of A, also where they are equal or A cannot be diagonalized. Its transpose
is L(Aᵀ, ·). Sources: R. Mathias, SIAM J. Matrix Anal. Appl. 17 (1996), 610-620; N. Higham,
Functions of Matrices (2008), chapter 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from chainrule.primitives.batching import matrices
from chainrule.primitives.declare import General, primitive
from chainrule.primitives.linear_algebra import HALF_THE_WORK, transposed
from chainrule.primitives.samples import Maker, case, normal, positive_definite
from chainrule.scipy.linalg.arguments import floating, over_stack, square
from chainrule.scipy.linalg.equations import sylvester


def _blocks(a: Any, e: Any) -> Any:
    """[[A, E], [0, A]]."""
    dtype = np.result_type(a.dtype, e.dtype)
    shape = np.broadcast_shapes(a.shape, e.shape)
    a, e = np.broadcast_to(a, shape).astype(dtype), np.broadcast_to(e, shape).astype(dtype)
    above = np.concatenate([a, e], axis=-1)
    below = np.concatenate([np.zeros(shape, dtype), a], axis=-1)
    return np.concatenate([above, below], axis=-2)


def _corner(y: Any) -> Any:
    size = y.shape[-1] // 2
    return y[..., :size, size:]


def _along(f: Callable[..., Any], a: Any, e: Any, **params: Any) -> Any:
    """L(A, E) of f; E is scaled, since algorithms lose digits where E dwarfs A."""
    scale = np.max(np.abs(e), axis=(-2, -1), keepdims=True)
    scale = np.where(scale > 0, scale, 1)
    return _corner(f(_blocks(a, e / scale), **params)) * scale


def _bounded(size: int, *batch: int) -> Maker:
    return lambda rng: rng.normal(size=(*batch, size, size)) / 2


def _right_half(size: int, *batch: int) -> Maker:
    """Matrices that are not symmetric, with eigenvalues near 3."""
    return lambda rng: rng.normal(size=(*batch, size, size)) / 3 + 3 * np.eye(size)


_ROUNDING = 1000
"""Imaginary parts up to this many ε of the largest entry come from complex Schur forms."""


def _computed(function: Callable[..., Any], a: Any, *params: Any) -> Any:
    """What SciPy computes, without its warnings of inaccuracy; real where it is so to rounding.

    A function with a branch cut is real for a real matrix without negative eigenvalues, and then
    SciPy decides by chance of rounding whether its result is complex.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = function(a, *params)
    if np.iscomplexobj(a) or not np.iscomplexobj(y):
        return y
    small = _ROUNDING * len(a) * np.finfo(y.dtype).eps * np.max(np.abs(y), initial=0.0)
    return y.real if np.max(np.abs(y.imag), initial=0.0) <= small else y


def _frechet(a: Any, e: Any) -> Any:
    return scipy.linalg.expm_frechet(a, e, compute_expm=False)


exponential_along: General = primitive(
    "expm_frechet",
    batch=matrices(2, 2),
    compute=over_stack(_frechet),
    inputs=2,
    jvp=(
        lambda t, x1, x2: _corner(exponential_along(_blocks(x1, t), _twice(x2))),
        lambda t, x1: exponential_along(x1, t),
    ),
    vjp=(
        lambda g, x1, x2: _corner(
            exponential_along(_blocks(transposed(x1), g), _twice(transposed(x2)))
        ),
        lambda g, x1: exponential_along(transposed(x1), g),
    ),
    latex=r"L_{{\exp}}({x1}, {x2})",
    samples=[
        case(_bounded(3), normal(3, 3)),
        case(_bounded(2, 2), normal(2, 2, 2)),
    ],
    note="both modes: it is the transpose of itself, which transposing would not find",
)
"""L(A, E) of the exponential. Source: A. Al-Mohy, N. Higham, SIAM J. Matrix Anal. Appl. 30 (2009).

Its own derivative is the corner of L([[A, F], [0, A]], [[E, 0], [0, E]]).
"""


def _twice(e: Any) -> Any:
    return _blocks(e, np.zeros(e.shape, e.dtype))


exponential = primitive(
    "expm",
    batch=matrices(2),
    compute=over_stack(scipy.linalg.expm),
    jvp=(lambda t, x: exponential_along(x, t),),
    vjp=(lambda g, x: exponential_along(transposed(x), g),),
    latex=r"e^{{{x}}}",
    samples=[case(_bounded(3)), case(_bounded(2, 2))],
    note=HALF_THE_WORK,
)

logarithm: General = primitive(
    "logm",
    batch=matrices(2),
    compute=over_stack(lambda a: _computed(scipy.linalg.logm, a)),
    jvp=(lambda t, x: _along(logarithm, x, t),),
    vjp=(lambda g, x: _along(logarithm, transposed(x), g),),
    latex=r"\log {x}",
    samples=[case(_right_half(3)), case(_right_half(2, 2)), case(positive_definite(3))],
    note=HALF_THE_WORK,
)

power: General = primitive(
    "fractional_matrix_power",
    batch=matrices(2),
    compute=over_stack(
        lambda a, *, exponent: _computed(scipy.linalg.fractional_matrix_power, a, exponent)
    ),
    jvp=(lambda t, x, exponent: _along(power, x, t, exponent=exponent),),
    vjp=(lambda g, x, exponent: _along(power, transposed(x), g, exponent=exponent),),
    latex="{x}^{{{exponent}}}",
    samples=[
        case(_right_half(3), exponent=0.3),
        case(_right_half(2, 2), exponent=-1.5),
    ],
    note=HALF_THE_WORK,
)

root = primitive(
    "sqrtm",
    batch=matrices(2),
    compute=over_stack(lambda a: _computed(scipy.linalg.sqrtm, a)),
    jvp=(lambda t, y: sylvester(y, y, t),),
    vjp=(lambda g, y: sylvester(transposed(y), transposed(y), g),),
    latex=r"{x}^{{1/2}}",
    samples=[case(_right_half(3)), case(_right_half(2, 2)), case(positive_definite(3))],
    note=HALF_THE_WORK,
)
"""Y of Y Y = A; Ẏ solves Y Ẏ + Ẏ Y = Ȧ."""


def expm(A: Any) -> Any:
    """e^A = Σ Aᵏ / k!, of each matrix of a stack (…, n, n).

    >>> expm(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 1.],
           [0., 1.]])
    """
    return exponential(square(A))


def expm_frechet(
    A: Any, E: Any, method: str | None = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """(e^A, L(A, E)), or L(A, E) alone: the derivative of the exponential at A along E."""
    a, e = square(A), square(E)
    along = exponential_along(a, e)
    return (exponential(a), along) if compute_expm else along


def logm(A: Any, disp: Any = True) -> Any:
    """The principal logarithm: Y of e^Y = A, with imaginary parts of eigenvalues in (-π, π)."""
    return logarithm(square(A))


def sqrtm(A: Any, disp: Any = True, blocksize: Any = 64) -> Any:
    """The principal square root: Y of Y Y = A. Right at equal eigenvalues; not at eigenvalue 0.

    >>> import chainrule as cr
    >>> cr.grad(lambda a: np.trace(sqrtm(a)))(np.eye(2))
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    return root(square(A))


def fractional_matrix_power(A: Any, t: float) -> Any:
    """A^t for a constant number t."""
    a = square(A)
    if float(t).is_integer():
        return np.linalg.matrix_power(a, int(t))
    return power(a, exponent=float(t))


def _parts(a: Any) -> tuple[Any, Any]:
    """(e^iA, e^-iA); for a real matrix the second is the conjugate of the first."""
    forward = exponential(1j * a)
    return forward, (exponential(-1j * a) if a.dtype.kind == "c" else np.conj(forward))


def cosm(A: Any) -> Any:
    """cos A = (e^iA + e^-iA) / 2."""
    a = square(A)
    forward, backward = _parts(a)
    return np.real(forward) if a.dtype.kind != "c" else 0.5 * (forward + backward)


def sinm(A: Any) -> Any:
    """sin A = (e^iA - e^-iA) / 2i."""
    a = square(A)
    forward, backward = _parts(a)
    return np.imag(forward) if a.dtype.kind != "c" else -0.5j * (forward - backward)


def tanm(A: Any) -> Any:
    """tan A = (cos A)⁻¹ sin A."""
    return np.linalg.solve(cosm(A), sinm(A))


def coshm(A: Any) -> Any:
    """cosh A = (e^A + e^-A) / 2."""
    a = square(A)
    return 0.5 * (exponential(a) + exponential(-a))


def sinhm(A: Any) -> Any:
    """sinh A = (e^A - e^-A) / 2."""
    a = square(A)
    return 0.5 * (exponential(a) - exponential(-a))


def tanhm(A: Any) -> Any:
    """tanh A = (cosh A)⁻¹ sinh A."""
    return np.linalg.solve(coshm(A), sinhm(A))


def signm(A: Any, disp: Any = True) -> Any:
    """sign A = A (A²)^(-1/2), for a matrix without purely imaginary eigenvalues.

    Source: N. Higham, Functions of Matrices (2008), equation 5.2.
    """
    a = floating(square(A))
    return a @ np.linalg.inv(root(a @ a))
