"""Comparisons, choices and roundings: where the derivative is a mask, or zero with a reason.

Ties and kinks follow docs/conventions.md: `maximum` and its kin share a tie equally, `abs` has
derivative 0 at 0, `clip` passes 1 at a bound.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from chainrule.graph import Traced, composition, registry
from chainrule.primitives.arithmetic import as_operands, hypot
from chainrule.primitives.batching import Batch, along, entrywise, only, over_axes
from chainrule.primitives.declare import ONE, ZERO, elementwise, flat, linear
from chainrule.primitives.samples import (
    POSITIVE,
    REAL,
    Case,
    apart,
    case,
    domain,
    mask,
    normal,
    real,
)

STEPS = "piecewise constant"
TRUTH = "its values are truth values"
POSITIONS = "its values are positions or counts"
WHOLE_NUMBERS = "it takes whole numbers only"

_PAIR = [case(apart(3, 4), apart(4)), case(apart(3, 1), apart(2))]
_MASKS = [case(mask(3, 4), mask(4))]

for _ufunc, _python, _latex, _samples in (
    (np.greater, operator.gt, "{x1} > {x2}", _PAIR),
    (np.greater_equal, operator.ge, r"{x1} \geq {x2}", _PAIR),
    (np.less, operator.lt, "{x1} < {x2}", _PAIR),
    (np.less_equal, operator.le, r"{x1} \leq {x2}", _PAIR),
    (np.equal, operator.eq, "{x1} = {x2}", _PAIR),
    (np.not_equal, operator.ne, r"{x1} \neq {x2}", _PAIR),
    (np.logical_and, None, r"{x1} \land {x2}", _PAIR),
    (np.logical_or, None, r"{x1} \lor {x2}", _PAIR),
    (np.logical_xor, None, r"{x1} \oplus {x2}", _PAIR),
    (np.bitwise_and, operator.and_, r"{x1} \land {x2}", _MASKS),
    (np.bitwise_or, operator.or_, r"{x1} \lor {x2}", _MASKS),
    (np.bitwise_xor, operator.xor, r"{x1} \oplus {x2}", _MASKS),
):
    flat(
        _ufunc.__name__,
        numpy=_ufunc,
        compute=_python,
        reason=TRUTH,
        latex=_latex,
        inputs=2,
        samples=_samples,
        batch=entrywise,
    )


def _named(function: Any) -> str:
    """The LaTeX of a function that is written by its name."""
    return rf"\operatorname{{{{{function.__name__.replace('_', ' ')}}}}}({{x}})"


def _flat(
    functions: tuple[Any, ...], reason: str, *samples: Case, batch: Batch | None = None
) -> None:
    """Flat records under NumPy's own names."""
    for function in functions:
        latex = _named(function)
        flat(
            function.__name__,
            numpy=function,
            reason=reason,
            latex=latex,
            inputs=None,
            samples=list(samples),
            batch=batch,
        )


_TESTS = (np.isnan, np.isinf, np.isfinite, np.isposinf, np.isneginf, np.signbit)
_ROUNDED = (np.floor, np.ceil, np.rint, np.trunc, np.fix, np.round)
_flat((np.logical_not, *_TESTS, np.isreal, np.iscomplex), TRUTH, case(apart(3, 4)), batch=entrywise)
_flat((np.all, np.any), TRUTH, case(apart(3, 4)), batch=over_axes)
_flat((np.isclose,), TRUTH, case(apart(3, 4), apart(3, 4)), batch=entrywise)
_flat((np.allclose, np.array_equal, np.array_equiv), TRUTH, case(apart(3, 4), apart(3, 4)))
_flat((np.isin,), TRUTH, case(apart(3, 4), apart(3, 4)), batch=only(0))
_flat((np.invert,), TRUTH, case(mask(3, 4)), batch=entrywise)
_flat(
    (np.argmax, np.argmin, np.nanargmax, np.nanargmin), POSITIONS, case(apart(6)), batch=along(None)
)
_flat((np.argsort,), POSITIONS, case(apart(6)), batch=along(-1))
_flat((np.nonzero, np.flatnonzero, np.argwhere), POSITIONS, case(apart(6)))
_flat((np.count_nonzero,), POSITIONS, case(apart(6)), batch=over_axes)
_flat((np.argpartition,), POSITIONS, case(apart(6), kth=2), batch=along(-1))
_flat((np.lexsort,), POSITIONS, case(apart(2, 6)))
_flat((np.searchsorted,), POSITIONS, case(np.array([-1.0, 0.0, 1.0]), apart(4)), batch=only(1))
_flat((np.digitize,), POSITIONS, case(apart(4), np.array([-1.0, 0.0, 1.0])), batch=only(0))
_flat(_ROUNDED, STEPS, case(apart(3, 4)), batch=entrywise)
composition(np.around)(registry["round"])
_WHOLE = case(np.array([6, 4, 9]), np.array([3, 2, 6]))
_flat((np.gcd, np.lcm, np.left_shift, np.right_shift), WHOLE_NUMBERS, _WHOLE, batch=entrywise)
_flat((np.bitwise_count,), WHOLE_NUMBERS, case(np.array([6, 4, 9])), batch=entrywise)
_flat(
    (np.spacing,),
    "piecewise constant: the distance between neighbouring numbers",
    case(apart(3)),
    batch=entrywise,
)


def _share(wins: Any, ties: Any, dtype: Any) -> Any:
    """1 where an input is chosen, 1/2 where two are equal, else 0."""
    return wins.astype(dtype) + 0.5 * ties.astype(dtype)


def _picking(name: str, numpy: Any, wins: Any, latex: str) -> None:
    """max and min of two inputs: the cotangent goes to the one that is taken."""
    elementwise(
        name,
        numpy=numpy,
        partials=(
            lambda x1, x2, y: _share(wins(x1, x2), x1 == x2, y.dtype),
            lambda x1, x2, y: _share(wins(x2, x1), x1 == x2, y.dtype),
        ),
        domain=domain(REAL, REAL),
        latex=latex,
    )


_picking("maximum", np.maximum, np.greater, r"\max({x1}, {x2})")
_picking("minimum", np.minimum, np.less, r"\min({x1}, {x2})")
_picking(
    "fmax",
    np.fmax,
    lambda a, b: np.greater(a, b) | np.isnan(b),
    r"\operatorname{{fmax}}({x1}, {x2})",
)
_picking(
    "fmin", np.fmin, lambda a, b: np.less(a, b) | np.isnan(b), r"\operatorname{{fmin}}({x1}, {x2})"
)

sign_of_real = flat(
    "sign",
    compute=np.sign,
    reason=STEPS,
    latex=r"\operatorname{{sgn}} {x}",
    samples=[case(apart(3, 4))],
    batch=entrywise,
)
absolute_of_real = elementwise(
    "absolute",
    compute=np.absolute,
    partials=(lambda x: np.sign(x),),
    domain=real,
    latex=r"\left| {x} \right|",
)
fabs = elementwise(
    "fabs",
    numpy=np.fabs,
    partials=(lambda x: np.sign(x),),
    domain=real,
    latex=r"\left| {x} \right|",
)


@composition(np.absolute)
def absolute(x: Any) -> Any:
    """|x|; for complex x the length √(Re² + Im²), whose derivative at 0 is 0."""
    if x.dtype.kind == "c":
        return hypot(np.real(x), np.imag(x))
    return absolute_of_real(x)


@composition(np.sign)
def sign(x: Any) -> Any:
    """The sign; for complex x it is x/|x|, and 0 at 0."""
    if x.dtype.kind != "c":
        return sign_of_real(x)
    length = np.absolute(x)
    return np.where(length == 0, 0, x / np.where(length == 0, 1, length))


copysign = elementwise(
    "copysign",
    numpy=np.copysign,
    partials=(lambda x1, y: np.sign(x1) * np.sign(y), ZERO(STEPS)),
    domain=domain(REAL, POSITIVE),
    latex=r"\operatorname{{copysign}}({x1}, {x2})",
)
heaviside = elementwise(
    "heaviside",
    numpy=np.heaviside,
    partials=(ZERO(STEPS), lambda x1, y: (x1 == 0).astype(y.dtype)),
    domain=domain(POSITIVE, REAL),
    latex=r"\Theta({x1}; {x2})",
)
floor_divide = flat(
    "floor_divide",
    numpy=np.floor_divide,
    compute=operator.floordiv,
    reason=STEPS,
    inputs=2,
    latex=r"\left\lfloor {x1} / {x2} \right\rfloor",
    samples=[case(apart(3, 4), normal(4))],
    batch=entrywise,
)
remainder = elementwise(
    "remainder",
    numpy=np.remainder,
    compute=operator.mod,
    partials=(ONE, lambda x1, x2: -np.floor(x1 / x2)),
    domain=domain((0.1, 0.9), (1.0, 2.0)),
    latex=r"{x1} \bmod {x2}",
)
fmod = elementwise(
    "fmod",
    numpy=np.fmod,
    partials=(ONE, lambda x1, x2: -np.trunc(x1 / x2)),
    domain=domain((0.1, 0.9), (1.0, 2.0)),
    latex=r"\operatorname{{fmod}}({x1}, {x2})",
)


exponent = flat(
    "exponent",
    batch=entrywise,
    compute=lambda x: np.frexp(x)[1],
    reason=STEPS,
    latex=r"\operatorname{{exponent}} {x}",
    samples=[case(apart(3, 4))],
)
scaled_by_powers_of_two = elementwise(
    "ldexp",
    numpy=np.ldexp,
    partials=(lambda x2, y: np.ldexp(np.ones((), y.dtype), x2.astype(np.intc)), ZERO(STEPS)),
    samples=[case(normal(3, 4), np.array([1, -2, 0, 3]))],
    latex=r"{x1} \cdot 2^{{{x2}}}",
)
next_after = elementwise(
    "nextafter",
    numpy=np.nextafter,
    partials=(ONE, ZERO(STEPS)),
    domain=domain(REAL, (5.0, 6.0)),
    latex=r"\operatorname{{nextafter}}({x1}, {x2})",
)


@composition(np.frexp)
def frexp(x: Any) -> Any:
    """Mantissa and exponent of two: x = m · 2ᵉ, with e piecewise constant."""
    power = exponent(x)
    return np.ldexp(x, -power), power


@composition(np.divmod)
def divmod(x1: Any, x2: Any) -> Any:
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@composition(np.modf)
def modf(x: Any) -> Any:
    """Fractional and integral part, both with the sign of x."""
    whole = np.trunc(x)
    return x - whole, whole


def _where(condition: Any, x2: Any, x3: Any) -> Any:
    return np.where(condition, x2, x3)[()]


# Linear in the two branches together; a branch that is not taken gets exact zeros.
select = linear(
    "where",
    compute=_where,
    inputs=3,
    transposed=lambda g, x1, i: np.where(x1, g, 0) if i == 1 else np.where(x1, 0, g),
    latex=r"{x1} \mathbin{{?}} {x2} : {x3}",
    batch=entrywise,
    samples=[case(mask(3, 4), normal(3, 4), normal(4)), case(mask(3, 1), normal(4), normal(3, 4))],
)


@composition(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """`np.where`; with the condition alone, the indices at which it holds."""
    if x is None and y is None:
        return np.nonzero(condition)
    if not isinstance(condition, Traced):
        condition = np.asarray(condition)
    if condition.dtype.kind != "b":
        condition = condition != 0  # a number as a condition is no branch, and carries nothing
    return select(condition, *as_operands(x, y))


def _or_not_a_number(outside: Any, bound: Any) -> Any:
    """Where a bound cuts off, and where it is NaN; an ordinary number costs nothing more."""
    if isinstance(bound, float | int) and bound == bound:
        return outside
    return outside | np.isnan(bound)


@composition(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit the values; the derivative is 1 at a bound, and the bound takes what is cut off.

    A bound that is NaN makes the entry NaN, as in NumPy.
    """
    low = a_min if a_min is not None else min
    high = a_max if a_max is not None else max
    if low is not None:
        a = np.where(_or_not_a_number(a < low, low), low, a)
    if high is not None:
        a = np.where(_or_not_a_number(a > high, high), high, a)
    return a


@composition(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Replace NaN and infinities; the replaced entries are constants. Complex ones by parts."""
    if x.dtype.kind == "c":
        parts = (np.real(x), np.imag(x))
        x, y = (nan_to_num(part, nan=nan, posinf=posinf, neginf=neginf) for part in parts)
        return x + 1j * y
    limits = np.finfo(x.dtype)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(x == np.inf, limits.max if posinf is None else posinf, x)
    return np.where(x == -np.inf, limits.min if neginf is None else neginf, x)
