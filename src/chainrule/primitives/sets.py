"""Sets of entries: which entries are taken is constant almost everywhere, so they are gathers.

Of equal entries the first one counts, and gets the derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.comparison import POSITIONS
from chainrule.primitives.declare import flat
from chainrule.primitives.indexing import get_entries
from chainrule.primitives.samples import apart, case

# NumPy's own result types, so that traced results have the same fields.
_ALL: Any = type(np.unique_all(np.zeros(1)))
_COUNTS: Any = type(np.unique_counts(np.zeros(1)))
_INVERSE: Any = type(np.unique_inverse(np.zeros(1)))


def _occurrences(x: Any, *, axis: Any, equal_nan: bool) -> tuple[Any, ...]:
    """For sorted unique entries: where they stand first, their numbers for each entry, counts."""
    found = np.unique(
        x,
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=axis,
        equal_nan=equal_nan,
    )
    return found[1:]


occurrences = flat(
    "unique",
    compute=_occurrences,
    reason=POSITIONS,
    outputs=3,
    latex=r"\operatorname{{unique}} {x}",
    samples=[
        case(apart(3, 4), axis=None, equal_nan=True),
        case(apart(3, 4), axis=0, equal_nan=True),
    ],
)


def _values_in_numpys_order(x: Any) -> Any:
    """The positions of the entries that `np.unique_values` gives, which need not be sorted."""
    values = np.unique_values(x)
    _, first = np.unique(x, return_index=True, equal_nan=False)
    order = np.argsort(values, kind="stable")
    positions = np.empty_like(first)
    positions[order] = first
    return positions


first_positions = flat(
    "unique_values",
    compute=_values_in_numpys_order,
    reason=POSITIONS,
    latex=r"\operatorname{{unique}} {x}",
    samples=[case(apart(3, 4))],
)


@composition(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """`np.unique`: the sorted entries, each once; the derivative goes to the first of equal ones.

    >>> import chainrule as cr
    >>> cr.grad(lambda x: np.unique(x)[0])(np.array([3.0, 1.0, 1.0]))
    array([0., 1., 0.])
    """
    ar = np.asarray(ar) if isinstance(ar, list | tuple) else ar
    asked = return_index or return_inverse or return_counts
    if axis is None and not sorted and not asked:
        return np.unique_values(ar) if not equal_nan else np.unique(ar)
    index, inverse, counts = occurrences(ar, axis=axis, equal_nan=equal_nan)
    if axis is None:
        values = get_entries(np.ravel(ar), index)
    else:
        values = np.moveaxis(get_entries(np.moveaxis(ar, axis, 0), index), 0, axis)
    if not asked:
        return values
    extra = ((return_index, index), (return_inverse, inverse), (return_counts, counts))
    return (values, *(part for wanted, part in extra if wanted))


@composition(np.unique_all)
def unique_all(x: Any, /) -> Any:
    return _ALL(*np.unique(x, True, True, True, equal_nan=False))


@composition(np.unique_counts)
def unique_counts(x: Any, /) -> Any:
    return _COUNTS(*np.unique(x, return_counts=True, equal_nan=False))


@composition(np.unique_inverse)
def unique_inverse(x: Any, /) -> Any:
    return _INVERSE(*np.unique(x, return_inverse=True, equal_nan=False))


@composition(np.unique_values)
def unique_values(x: Any, /) -> Any:
    return get_entries(np.ravel(x), first_positions(x))


@composition(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    return np.unique(np.concatenate([ar1, ar2], axis=None))


@composition(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """`np.intersect1d`: the common entries, taken from the first array."""
    ar1, ar2 = np.ravel(ar1), np.ravel(ar2)
    values, index = np.unique(ar1, return_index=True)
    common = np.flatnonzero(np.isin(values, ar2))
    values, index = get_entries(values, common), get_entries(index, common)
    if not return_indices:
        return values
    others, other_index = np.unique(ar2, return_index=True)
    places = np.searchsorted(others, values)
    return values, index, get_entries(other_index, places)


@composition(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    ar1 = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return get_entries(ar1, np.flatnonzero(np.isin(ar1, ar2, invert=True)))


@composition(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """`np.setxor1d`: what is in one of the two and not in both, sorted."""
    only = [np.setdiff1d(ar1, ar2), np.setdiff1d(ar2, ar1)]
    return np.sort(np.concatenate(only))
