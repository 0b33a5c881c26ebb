"""Histograms: counts are constant almost everywhere, sums of weights linear in the weights.

The edges follow the range of the entries where neither the range nor the edges are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import composition
from chainrule.graph.node import callers_place
from chainrule.primitives.indexing import scatter_entries, split_index


def _edges(x: Any, bins: Any, span: Any) -> Any:
    """The edges between bins: as given, or `bins` equal parts of the range."""
    if isinstance(bins, str):
        raise errors.UnsupportedError(
            f"np.histogram with bins={bins!r} at {callers_place()} chooses the number of bins by "
            "the data, which has no derivative here; give the number, or the edges"
        )
    if np.ndim(bins):
        return np.asarray(bins) if isinstance(bins, list | tuple) else bins
    if bins < 1:
        raise ValueError("`bins` must be positive, when an integer")
    if span is None:
        low, high = (np.min(x), np.max(x)) if x.size else (0.0, 1.0)
    else:
        low, high = span
    if low > high:
        raise ValueError("max must be larger than min in range parameter.")
    if low == high:
        low, high = low - 0.5, high + 0.5
    dtype = np.result_type(low, high, x)
    return np.linspace(low, high, int(bins) + 1, dtype=dtype if dtype.kind in "fc" else np.float64)


def _bins(x: Any, edges: Any) -> Any:
    """The number of the bin of each entry, 0 below and len(edges) above; the last edge belongs."""
    k = np.searchsorted(edges, x, side="right")
    return np.where(x == edges[-1], len(edges) - 1, k)


def _totals(places: Any, weights: Any, size: int) -> Any:
    """How often each place occurs, or the sum of the weights there."""
    places = np.ravel(places)
    if weights is None:
        return np.bincount(places, minlength=size)
    template, arrays = split_index((places,))
    return scatter_entries(np.ravel(weights), *arrays, template=template, to=(size,))


def _vector(x: Any) -> Any:
    return np.ravel(np.asarray(x) if isinstance(x, list | tuple) else x)


@composition(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    return _edges(_vector(a), bins, range)


@composition(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """`np.histogram`: (counts or sums of weights, edges).

    >>> import chainrule as cr
    >>> x = np.array([0.1, 0.2, 0.9])
    >>> f = lambda w: np.histogram(x, bins=2, range=(0.0, 1.0), weights=w)[0] @ np.array([1.0, 5.0])
    >>> cr.grad(f)(np.ones(3))
    array([1., 1., 5.])
    """
    x = _vector(a)
    edges = _edges(x, bins, range)
    weights = None if weights is None else _vector(weights)
    totals = _totals(_bins(x, edges), weights, len(edges) + 1)[1:-1]
    if density:
        return totals / np.diff(edges) / np.sum(totals), edges
    return totals, edges


@composition(np.histogramdd)
def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Any, tuple[Any, ...]]:
    """`np.histogramdd`: the columns of `sample`, or its arrays, are the coordinates."""
    if isinstance(sample, list | tuple):
        columns = [_vector(column) for column in sample]
    else:
        sample = sample if sample.ndim > 1 else np.reshape(sample, (-1, 1))
        if sample.ndim > 2:
            raise ValueError("the sample of np.histogramdd has one row per point")
        columns = [sample[:, k] for k in np.arange(sample.shape[1]).tolist()]
    count = len(columns)
    each = (
        list(bins) if isinstance(bins, Sequence) and not isinstance(bins, str) else [bins] * count
    )
    spans = [None] * count if range is None else list(range)
    if len(each) != count or len(spans) != count:
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    edges = [_edges(*parts) for parts in zip(columns, each, spans, strict=True)]
    shape = tuple(len(edge) + 1 for edge in edges)
    places: Any = 0
    for column, edge in zip(columns, edges, strict=True):
        places = places * (len(edge) + 1) + _bins(column, edge)
    weights = None if weights is None else _vector(weights)
    totals = _totals(places, weights, int(np.prod(shape)))
    totals = np.reshape(totals, shape)[(slice(1, -1),) * count].astype(float)
    if density:
        totals = totals / np.sum(totals)
        for k, edge in enumerate(edges):
            shape = tuple(-1 if j == k else 1 for j in np.arange(count).tolist())
            totals = totals / np.reshape(np.diff(edge), shape)
    return totals, tuple(edges)


@composition(np.histogram2d)
def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> tuple[Any, Any, Any]:
    """`np.histogram2d`: (totals, edges of x, edges of y)."""
    if isinstance(bins, list | tuple) or np.ndim(bins):
        given = list(bins)
        bins = given if len(given) == 2 else given * 2 if len(given) == 1 else [bins, bins]
    totals, (along_x, along_y) = np.histogramdd([x, y], bins, range, density, weights)
    return totals, along_x, along_y
