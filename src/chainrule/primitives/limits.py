"""Derivatives of decompositions where values are equal: limits along which the values separate.

Where two eigenvalues of A = V diag(w) Vᴴ are equal, V is an arbitrary choice, and its derivative
divides by the gap. What is computed from w and V mostly does not depend on the choice, V f(w) Vᴴ
say, and then it has a derivative. It is the limit for ε → 0 of that at

    A(ε) = V diag(w + ε d) Vᴴ   with d₁, d₂, … all different,

where V is the only choice. The part of the cotangent K that belongs to a turn within the span of
equal values is 0 at ε = 0, so by de l'Hôpital K / (wⱼ - wᵢ) becomes (dK/dε) / (dⱼ - dᵢ). Reverse
mode therefore carries the derivative by ε beside the values that follow such a decomposition
(`tracing/separation.py`). Forward mode knows the direction of A, and chooses V such that nothing
turns: the basis of degenerate perturbation theory (T. Kato, Perturbation Theory for Linear
Operators, chapter II).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import ChoiceWarning
from chainrule.graph import Node, Traced
from chainrule.graph.node import Place, callers_place
from chainrule.graph.primitive import Wanted
from chainrule.primitives.declare import General

# LAPACK's values err by a few ε times the norm (Anderson et al., LAPACK Users' Guide, section 4.7):
# equal ones come out this far apart, and a quotient by such a gap would be noise of any size.
_FEW = 8
# Rounding that the user's code may add to what would cancel exactly, in ε of the largest entry.
_NOISE = 1000


class Separated(NamedTuple):
    """Values, some of which are equal, with the directions in which they separate."""

    values: Any
    directions: Any
    place: Place


class Decomposition(General):
    """A general record with one input, some of whose outputs are values that may be equal.

    `limit` states the pullback at such points, from all cotangents at once, since only together
    they tell what depends on the choice of vectors: (gs, ys, params) -> cotangent of the input.
    """

    __slots__ = ("limit",)

    def __init__(self, name: str, *, limit: Callable[..., Any], **record: Any) -> None:
        super().__init__(name, **record)
        self.limit = limit

    def pulls(
        self, node: Node, wanted: Wanted, xs: tuple[Any, ...], ys: tuple[Any, ...], gs: list[Any]
    ) -> list[Any]:
        if any(isinstance(y, Separated) for y in ys):
            return [self.limit(gs, ys, **node.params)]
        return super().pulls(node, wanted, xs, ys, gs)


decomposition = Decomposition


def is_zero(x: Any, scale: Any) -> Any:
    """Whether |x| ≤ 8 ε · scale: a zero up to rounding."""
    return np.abs(x) <= _FEW * np.finfo(x.dtype).eps * scale


def reciprocal(x: Any, scale: Any) -> Any:
    """1/x, but 0 for a zero up to rounding. Structural at every order."""
    zero = is_zero(x, scale)
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


def gaps(w: Any) -> Any:
    """wⱼ - wᵢ."""
    return w[..., None, :] - w[..., :, None]


def size_of(w: Any) -> Any:
    """Σ|w|, against which a gap counts as 0, for each matrix."""
    return np.sum(np.abs(w), axis=-1)[..., None, None]


def differences(w: Any) -> Any:
    """Fᵢⱼ = 1 / (wⱼ - wᵢ), 0 for equal values."""
    return reciprocal(gaps(w), size_of(w))


def separate(
    outputs: tuple[Any, ...], which: int, *, from_zero: bool, ordered: bool = True
) -> None:
    """Ask the level of a decomposition for the limit, where some of the values are nearly equal.

    `outputs` are those of the record, the values at `which`; `from_zero` counts values that are 0
    too. Plain arrays, other levels than a tape's, and tapes in tapes have no limits: there a
    quotient by 0 counts as 0.
    """
    values = outputs[which]
    if not isinstance(values, Traced) or isinstance(values.value, Traced):
        return
    w = values.value
    compared = w if ordered else np.sort(w, axis=-1)
    if not has_equal(compared, from_zero=from_zero, within=np.sqrt(np.finfo(w.dtype).eps)):
        return
    directions = np.broadcast_to(np.arange(1, w.shape[-1] + 1, dtype=w.dtype), w.shape)
    values.level.separate(values, Separated(w, directions, callers_place()))


def has_equal(w: Any, *, from_zero: bool, within: Any = None) -> bool:
    """Whether values in their order are equal, or 0, up to rounding or to `within` · Σ|w|."""
    near = (_FEW * np.finfo(w.dtype).eps if within is None else within) * np.sum(
        np.abs(w), axis=-1, keepdims=True
    )
    found = np.any(np.abs(np.diff(w, axis=-1)) <= near)
    return bool(found or (from_zero and np.any(np.abs(w) <= near)))


def both_parts(x: Any) -> tuple[Any, Any]:
    """A value and its derivative by ε, which is 0 where it is not carried."""
    if not isinstance(x, Traced):
        return x, np.zeros(x.shape, x.dtype)
    value, moved = x.value, x.mark  # type: ignore[attr-defined]
    return value, np.zeros(value.shape, value.dtype) if moved is None else moved


def limit_of_quotient(x: Any, gap: Any, direction: Any, scale: Any, size: Any) -> tuple[Any, Any]:
    """x / (gap + ε direction) for ε → 0, and where x is not 0 though the gap is.

    `x` is a pair of a value and its derivative. `size` is what values of x that are 0 cancelled
    from. A gap that is small, but no zero, leaves few digits in value / gap; where the quotient
    of the derivatives explains the value to rounding, it is the better one.
    """
    value, moved = x
    eps = np.finfo(gap.dtype).eps
    zero = is_zero(gap, scale)
    steep = moved / np.where(direction == 0, 1, direction)
    # values themselves err by ε · scale, and so x by its derivative times that
    size = np.maximum(size, scale * np.max(np.abs(moved), axis=(-2, -1), keepdims=True))
    noise = _NOISE * eps * size
    small = np.abs(gap) <= np.sqrt(eps) * scale
    explained = zero | (small & (np.abs(value - gap * steep) <= noise))
    plain = value / np.where(zero, 1, gap)
    undefined = zero & (direction != 0) & (np.abs(value) > np.sqrt(eps) * size)
    return np.where(explained & (direction != 0), steep, np.where(zero, 0, plain)), undefined


def warn_of_choice(name: str, place: Place) -> None:
    warn(
        f"{name} at {place} has equal values, and the result depends on which vectors were chosen "
        "for them, an arbitrary choice; what has no derivative there counts as 0",
        place,
    )


def warn(sentence: str, place: Place) -> None:
    """Point at the line of the user's code where the decomposition stands."""
    warnings.warn_explicit(sentence, ChoiceWarning, place.file, place.line)


def towards(a: Any) -> dict[str, Any]:
    """The option that tells a decomposition the direction in which its input moves."""
    along = a.level.direction(a) if isinstance(a, Traced) else None
    return {} if along is None else {"along": along}


def _groups(w: Any) -> list[slice]:
    """Runs of neighbours that are equal up to rounding, in values of one matrix in their order."""
    equal = is_zero(np.diff(w), np.sum(np.abs(w)))
    ends = [*(np.flatnonzero(~equal) + 1), len(w)]
    starts = [0, *ends[:-1]]
    return [slice(a, b) for a, b in zip(starts, ends, strict=True) if b - a > 1]


def adapted(w: Any, v: Any, along: Any) -> Any:
    """Eigenvectors of A that are also limits of those of A + t · along: within each span of equal

    eigenvalues the ones that make Vᴴ · along · V diagonal there.
    """
    v = np.array(v)
    for index in np.ndindex(w.shape[:-1]):
        for group in _groups(w[index]):
            part = v[index][:, group]
            inner = part.conj().T @ along[index] @ part
            v[index][:, group] = part @ np.linalg.eigh(inner)[1]
    return v


def adapted_pairs(u: Any, s: Any, v: Any, along: Any) -> tuple[Any, Any]:
    """The same for singular vectors, all columns of U and V given: equal values turn U and V

    together, those of the value 0 turn apart, with the columns that complete them.
    """
    u, v = np.array(u), np.array(v)
    for index in np.ndindex(s.shape[:-1]):
        zero = is_zero(s[index], np.sum(s[index]))
        rank = int(np.count_nonzero(~zero))
        for group in _groups(s[index][:rank]):
            left, right = u[index][:, group], v[index][:, group]
            inner = left.conj().T @ along[index] @ right
            turn = np.linalg.eigh(inner + inner.conj().T)[1][:, ::-1]
            u[index][:, group], v[index][:, group] = left @ turn, right @ turn
        if rank < len(zero):
            left, right = u[index][:, rank:], v[index][:, rank:]
            turn_left, _, turn_right = np.linalg.svd(left.conj().T @ along[index] @ right)
            u[index][:, rank:] = left @ turn_left
            v[index][:, rank:] = right @ turn_right.conj().T
    return u, v
