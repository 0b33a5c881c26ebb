"""Reductions that leave NaN out: `np.nansum` and its kin.

An entry that is NaN is replaced by what does not count, so its derivative is exactly 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.reductions import Axis


def _filled(a: Any, value: float) -> Any:
    return np.where(np.isnan(a), value, a) if a.dtype.kind in "fc" else a


def _present(a: Any, where: Any) -> Any:
    return ~np.isnan(a) if where is True else ~np.isnan(a) & where


def _counted(a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many entries count, in the precision of `a`."""
    counted = np.sum(_present(a, where), axis=axis, keepdims=keepdims)
    return counted.astype(np.empty(0, a.dtype).real.dtype)


@composition(np.nansum)
def nansum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """`np.nansum`: Σ of the entries that are numbers."""
    return np.sum(
        _filled(a, 0), axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where
    )


@composition(np.nanprod)
def nanprod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    return np.prod(
        _filled(a, 1), axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where
    )


@composition(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return np.cumsum(_filled(a, 0), axis=axis, dtype=dtype)


@composition(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return np.cumprod(_filled(a, 1), axis=axis, dtype=dtype)


@composition(np.nanmean)
def nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True
) -> Any:
    """`np.nanmean`; where nothing is left, NaN with NumPy's warning."""
    if dtype is not None:
        a = a.astype(dtype)
    counted = _counted(a, axis, keepdims, where)
    _warn_of_empty(counted == 0, "Mean of empty slice")
    with np.errstate(all="ignore"):
        return np.nansum(a, axis=axis, keepdims=keepdims, where=where) / counted


@composition(np.nanvar)
def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
    where: Any = True,
    mean: Any = None,
) -> Any:
    """`np.nanvar`: Σ|x - mean|² / (n - ddof) over the entries that are numbers."""
    if dtype is not None:
        a = a.astype(dtype)
    if mean is None:
        with np.errstate(all="ignore"):
            total = np.nansum(a, axis=axis, keepdims=True, where=where)
            mean = total / _counted(a, axis, True, where)
    apart_from_mean = a - mean
    if a.dtype.kind == "c":
        squares = np.real(apart_from_mean * np.conjugate(apart_from_mean))
    else:
        squares = np.square(apart_from_mean)
    squares = np.where(_present(a, where), squares, 0)
    freedom = _counted(a, axis, keepdims, where) - (ddof if correction is None else correction)
    _warn_of_empty(freedom <= 0, "Degrees of freedom <= 0 for slice.")
    with np.errstate(all="ignore"):
        y = np.sum(squares, axis=axis, keepdims=keepdims) / freedom
        return np.where(freedom <= 0, np.nan, y)


@composition(np.nanstd)
def nanstd(a: Any, axis: Axis = None, dtype: Any = None, **rest: Any) -> Any:
    return np.sqrt(np.nanvar(a, axis=axis, dtype=dtype, **rest))


def _extremum(function: Callable[..., Any], neutral: float) -> Callable[..., Any]:
    def of_numbers(
        a: Any, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:
        missing = np.isnan(a)
        y = function(
            np.where(missing, neutral, a),
            axis=axis,
            keepdims=keepdims,
            initial=initial,
            where=where,
        )
        if initial is not None:
            return y
        nothing = np.all(missing, axis=axis, keepdims=keepdims, where=where)
        _warn_of_empty(nothing, "All-NaN slice encountered")
        return np.where(nothing, np.nan, y)

    return of_numbers


nanmax = composition(np.nanmax)(_extremum(np.max, -np.inf))
nanmin = composition(np.nanmin)(_extremum(np.min, np.inf))


def _warn_of_empty(empty: Any, message: str) -> None:
    """NumPy's own warning, where a reduction has nothing to reduce."""
    if np.any(empty):
        warnings.warn(message, RuntimeWarning, stacklevel=4)
