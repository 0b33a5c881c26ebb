"""What is known of every entry of a value: bounds, zeros, and where a NaN comes from.

Bounds are interval arithmetic, a little widened for rounding. `nan_from` and `nan_where` say more
than bounds can: 1 - tanh(x)² is not finite only where x is NaN, and there 2 tanh(x) is NaN too, so
their product is never 0 · ∞. They speak of corresponding entries, so only operations that act
entry by entry pass them on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.graph import CONSTANT, Spec
from chainrule.graph.node import Edge
from chainrule.passes.ranges import ENTRYWISE, INFINITY, Facts, Range, of_dtype

SCANNED = 1 << 16
"""Entries of a constant that are looked at at most."""
REMEMBERED = 12
"""How many places a NaN can come from that are remembered for one value."""
_WIDENING = {2: 1e-2, 4: 1e-5, 8: 1e-6}


def is_plain_product(g: Facts, p: Facts) -> bool:
    """Whether g · p is never 0 · ∞ or 0 · NaN, so that the strong product is the plain one."""
    return _never_meets(g, p) and _never_meets(p, g)


def _never_meets(zero: Facts, wild: Facts) -> bool:
    """Whether the first is never 0 where the second is not finite."""
    if not zero.zero or wild.finite:
        return True
    return wild.nan_from is not None and all(e in zero.nan_where for e in wild.nan_from)


def facts_of(edge: Edge, known: Mapping[Edge, Facts]) -> Facts:
    """The facts of a value from those of the inputs of its node."""
    node, index = edge
    spec = node.outputs[index]
    if spec.dtype.kind not in "biuf":
        return Facts(-INFINITY, INFINITY, True, True, edge, None, (edge,))
    if node.primitive is CONSTANT:
        return _of_constant(edge, node.params["value"], spec)
    given = [known[e] for e in node.inputs]
    real = all(s.outputs[k].dtype.kind in "biuf" for s, k in node.inputs)
    name = node.primitive.name
    if real and name in ENTRYWISE:
        return _entrywise(edge, given, ENTRYWISE[name](given, node))
    if real and name in _REARRANGING and given:
        joined = given if name in ("concatenate", "stack") else given[:1]
        low, high = min(x.low for x in joined), max(x.high for x in joined)
        minus = any(x.minus_zero for x in joined)
        return _apart(edge, low, high, any(x.nan for x in joined), minus)
    if real and name in ("sum", "mean", "scatter"):
        return _of_sum(edge, given[0])
    if spec.dtype.kind == "f":
        bound = 1.0 if name == "softmax" else INFINITY
        return _apart(edge, 0.0 if name == "softmax" else -INFINITY, bound, True, True)
    return _apart(edge, *of_dtype(spec), False, False)


def _apart(edge: Edge, low: float, high: float, nan: bool, minus_zero: bool) -> Facts:
    """Facts of a value whose entries correspond to no others."""
    low, high = _widened(low, high, edge[0].outputs[edge[1]])
    bounded = low > -INFINITY and high < INFINITY
    source = () if bounded and not nan else (edge,) if bounded else None
    return Facts(low, high, nan, minus_zero and low <= 0 <= high, edge, source, (edge,))


def _of_constant(edge: Edge, value: Any, spec: Spec) -> Facts:
    array = np.asarray(value)
    if (any(array.strides) and array.size > SCANNED) or not array.size:
        if spec.dtype.kind != "f":
            return _apart(edge, *of_dtype(spec), False, False)
        return _apart(edge, -INFINITY, INFINITY, True, True)
    if not any(array.strides):
        array = array[(0,) * array.ndim]
    nan = bool(np.any(np.isnan(array)))
    rest = array[~np.isnan(array)] if nan else array
    low, high = (float(np.min(rest)), float(np.max(rest))) if np.size(rest) else (0.0, 0.0)
    minus = spec.dtype.kind == "f" and bool(np.any((array == 0) & np.signbit(array)))
    source = () if low > -INFINITY and high < INFINITY and not nan else None
    return Facts(low, high, nan, minus, edge, source, (edge,), not np.any(rest == 0))


def _of_sum(edge: Edge, given: Facts) -> Facts:
    """A sum has at most as many terms as there are entries; scattered entries may add up too."""
    node = edge[0]
    source, index = node.inputs[0]
    count = max(1, math.prod(source.outputs[index].shape))
    low, high = min(given.low, 0.0) * count, max(given.high, 0.0) * count
    low, high = _widened(low, high, node.outputs[0])
    nan = given.nan or (low == -INFINITY and high == INFINITY)  # ∞ - ∞ among partial sums
    if node.primitive.name == "mean":
        low = given.low if low > -INFINITY else low
        high = given.high if high < INFINITY else high
        nan = nan or 0 in source.outputs[index].shape
    return _apart(edge, low, high, nan, node.primitive.name != "sum")


def _entrywise(edge: Edge, given: Sequence[Facts], found: Range) -> Facts:
    """Facts of an operation that acts entry by entry, from those of its inputs."""
    node = edge[0]
    name, spec = node.primitive.name, node.outputs[0]
    low, high = _widened(found.low, found.high, spec)
    if spec.dtype.kind != "f":
        if name not in _WITHOUT_OVERFLOW:
            low, high = of_dtype(spec)
        return Facts(low, high, False, False, edge, (), ())
    passing = _passing(name, given)
    nan = found.new_nan or any(x.nan for x in given)
    minus = found.minus_zero and low <= 0 <= high
    sources = {x.nan_as for x in given if x.nan}
    through = any(x.nan for x in passing)
    nan_as = next(iter(sources)) if len(sources) == 1 and through and not found.new_nan else edge
    nan_from: tuple[Edge, ...] | None = None
    if low > -INFINITY and high < INFINITY:
        nan_from = tuple(dict.fromkeys(x.nan_as for x in given if x.nan)) if nan else ()
        if found.new_nan or len(nan_from) > REMEMBERED:
            nan_from = (edge,)
    where = dict.fromkeys([nan_as, edge])
    if name == "where":
        where.update(dict.fromkeys(e for e in given[1].nan_where if e in given[2].nan_where))
    for x in passing:
        where.update(dict.fromkeys(x.nan_where))
    return Facts(low, high, nan, minus, nan_as, nan_from, tuple(where)[:REMEMBERED])


def _passing(name: str, given: Sequence[Facts]) -> list[Facts]:
    """The inputs whose NaN makes the result NaN, whatever the others are."""
    if name == "where":
        return []
    if name == "chain_product":
        g, p = given
        return [a for a, b in ((g, p), (p, g)) if not b.zero]
    if name in ("power", "hypot", "fmax", "fmin"):  # 1**NaN is 1, hypot(inf, NaN) is inf
        return []
    return list(given)


def _widened(low: float, high: float, spec: Spec) -> tuple[float, float]:
    """Bounds after rounding to the dtype: a little wider, and infinite where it overflows."""
    if spec.dtype.kind != "f":
        return low, high
    limits = np.finfo(spec.dtype)
    slack = _WIDENING.get(spec.dtype.itemsize, 1e-6)
    low -= abs(low) * slack
    high += abs(high) * slack
    largest, smallest = float(limits.max), 4 * float(limits.tiny)
    low = -INFINITY if low <= -largest else 0.0 if 0 < low < smallest else low
    high = INFINITY if high >= largest else 0.0 if -smallest < high < 0 else high
    return low, high


_WITHOUT_OVERFLOW = ("where", "maximum", "minimum", "broadcast_to", "positive")
_REARRANGING = frozenset(
    {
        *("reshape", "flat", "transpose", "getitem", "diagonal", "max", "min"),
        *("concatenate", "stack", "roll"),
    }
)
