"""Quantiles, medians and partial orders: gathers of the entries that the order picks.

A quantile lies at a position v among the n sorted entries: (1 - γ) x_⌊v⌋ + γ x_⌊v⌋₊₁ with
γ = v - ⌊v⌋. The methods differ in v. Source: R. Hyndman, Y. Fan, "Sample quantiles in statistical
packages", The American Statistician 50 (1996), 361-365.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from chainrule.graph import composition
from chainrule.primitives.reductions import Axis
from chainrule.primitives.shapes import as_tuple

# v = n q + α + q (1 - α - β) - 1: Hyndman and Fan's continuous definitions, by (α, β).
_CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


def _half_at_whole(v: Any) -> Any:
    """The next entry, or the middle of two where v is one of them."""
    return np.where(v == np.floor(v), v + 0.5, np.ceil(v))


def _nearest_even(v: Any) -> Any:
    """The nearest entry, of two at the same distance the one whose place, from 1, is even."""
    lower = np.floor(v)
    return np.where((v == lower) & (lower % 2 == 1), lower, lower + 1)


_POSITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "linear": lambda n, q: (n - 1) * q,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.round((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "averaged_inverted_cdf": lambda n, q: _half_at_whole(n * q - 1),
    "closest_observation": lambda n, q: _nearest_even(n * q - 1.5),
}


_ENTRIES = ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")
"""The methods that pick one entry and never go between two."""


def _position(method: str, n: Any, q: Any) -> Any:
    """Where the quantile lies among n sorted entries, counted from 0."""
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        v = n * q + (alpha + q * (1 - alpha - beta)) - 1
    elif method in _POSITIONS:
        v = _POSITIONS[method](n, q)
    else:
        raise ValueError(f"{method!r} is not a method of np.quantile")
    return np.clip(v, 0, n - 1)


def _rows(a: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The axes that are reduced, as one axis at the end; and the shape that keepdims gives."""
    if a.dtype.kind in "biu":
        a = a.astype(np.float64)
    chosen = range(a.ndim) if axis is None else as_tuple(axis)
    axes = normalize_axis_tuple(tuple(chosen), a.ndim)
    kept = tuple(1 if k in axes else n for k, n in enumerate(a.shape))
    rest = tuple(n for k, n in enumerate(a.shape) if k not in axes)
    last = np.moveaxis(a, axes, range(-len(axes), 0)) if axes else a[..., None]
    return np.reshape(last, (*rest, int(np.prod([a.shape[k] for k in axes], dtype=int)))), kept


def _between(below: Any, above: Any, fraction: Any) -> Any:
    """(1 - γ) a + γ b, computed from the nearer end as NumPy does."""
    gap = above - below
    near = below + gap * fraction
    return np.where(fraction >= 0.5, above - gap * (1 - fraction), near)


def _as_probability(q: Any, dtype: Any) -> Any:
    """q as an array in the precision of the entries where it is a Python number."""
    if dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    weak = isinstance(q, float | int) and dtype.kind == "f"
    q = np.asarray(q, dtype=dtype if weak else None) if not hasattr(q, "dtype") else q
    q = q.astype(np.float64) if q.dtype.kind in "biu" else q
    if not (np.all(q >= 0) and np.all(q <= 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    return q


def _quantile_of(a: Any, q: Any, axis: Axis, method: str, keepdims: bool, skips: bool) -> Any:
    """Quantiles of each row; `skips` leaves NaN out, else a row with NaN has the quantile NaN."""
    rows, kept = _rows(a, axis)
    if skips and not rows.shape[-1]:
        return np.full(np.shape(q) + (kept if keepdims else rows.shape[:-1]), np.nan, a.dtype)
    missing = np.isnan(rows)
    ordered = np.sort(rows, axis=-1)
    n: Any = rows.shape[-1]
    if skips:
        n = np.maximum(n - np.count_nonzero(missing, axis=-1), 1)
        n = n.astype(q.dtype)
    flat = np.reshape(q, (-1, *(1 for _ in rows.shape[:-1])))
    v = np.broadcast_to(_position(method, n, flat), (np.size(q), *rows.shape[:-1]))
    lower = np.floor(v)
    low = np.moveaxis(lower.astype(np.intp), 0, -1)
    y = np.take_along_axis(ordered, low, axis=-1)
    if method not in _ENTRIES:
        last = np.reshape(n, (*rows.shape[:-1], 1)).astype(np.intp) - 1 if skips else n - 1
        above = np.take_along_axis(ordered, np.minimum(low + 1, last), axis=-1)
        y = _between(y, above, np.moveaxis(v - lower, 0, -1))
    y = np.moveaxis(y, -1, 0)
    if not skips:
        y = np.where(np.any(missing, axis=-1), np.nan, y)
    return np.reshape(y, np.shape(q) + (kept if keepdims else rows.shape[:-1]))


@composition(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """`np.quantile`; differentiable in the entries, and in q where the method is continuous.

    >>> import chainrule as cr
    >>> cr.grad(lambda x: np.quantile(x, 0.25))(np.array([3.0, 1.0, 2.0]))
    array([0. , 0.5, 0.5])
    """
    a = np.asarray(a) if isinstance(a, list | tuple) else a
    return _quantile_of(a, _as_probability(q, a.dtype), axis, method, bool(keepdims), False)


@composition(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    a = np.asarray(a) if isinstance(a, list | tuple) else a
    return _quantile_of(a, _as_probability(q, a.dtype), axis, method, bool(keepdims), True)


def _percent(q: Any) -> Any:
    return q / 100 if hasattr(q, "dtype") or isinstance(q, float | int) else np.asarray(q) / 100


@composition(np.percentile)
def percentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    return np.quantile(a, _percent(q), axis=axis, method=method, keepdims=keepdims)  # type: ignore[call-overload]


@composition(np.nanpercentile)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    return np.nanquantile(a, _percent(q), axis=axis, method=method, keepdims=keepdims)  # type: ignore[call-overload]


@composition(np.median)
def median(a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """`np.median`: the middle entry, or the mean of the two in the middle."""
    rows, kept = _rows(a, axis)
    n = rows.shape[-1]
    if not n:
        return np.full(kept if keepdims else rows.shape[:-1], np.nan, rows.dtype)
    ordered = np.sort(rows, axis=-1)
    y = ordered[..., n // 2]
    if n % 2 == 0:
        y = (y + ordered[..., n // 2 - 1]) / 2
    y = np.where(np.any(np.isnan(rows), axis=-1), np.nan, y)
    return np.reshape(y, kept) if keepdims else y


@composition(np.nanmedian)
def nanmedian(
    a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    half = np.asarray(0.5, np.result_type(a.dtype, np.float32) if a.dtype.kind == "f" else None)
    return _quantile_of(a, half, axis, "linear", bool(keepdims), True)


@composition(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect") -> Any:
    """The entries in the order of `np.argpartition`: a permutation, constant almost everywhere."""
    if axis is None:
        a, axis = np.ravel(a), -1
    order = np.argpartition(a, kth, axis=axis)
    return np.take_along_axis(a, order, axis=axis)


@composition(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """Sorted by real part, then by imaginary part, as complex numbers."""
    small = a.dtype.kind in "iu" and a.dtype.itemsize <= 2
    complexes = np.complex64 if small else np.result_type(np.float64, np.complex64)
    return np.sort(a, axis=-1).astype(a.dtype if a.dtype.kind == "c" else complexes)
