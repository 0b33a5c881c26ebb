"""Bounds of operations that act entry by entry: from those of the inputs to those of the result.

Interval arithmetic on the mathematical functions; `passes/facts.py` widens for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge

INFINITY = math.inf


class Facts(NamedTuple):
    """What holds for all entries of a value.

    low, high   bounds of the entries that are not NaN; infinite where an entry may be
    nan         whether an entry may be NaN
    minus_zero  whether an entry may be -0
    nan_as      a value that is NaN exactly where this one is
    nan_from    where none of these is NaN, the entry is finite; None where that cannot be said
    nan_where   where one of these is NaN, the entry is NaN
    nonzero     no entry is 0, although the bounds do not say so
    """

    low: float
    high: float
    nan: bool
    minus_zero: bool
    nan_as: Edge
    nan_from: tuple[Edge, ...] | None
    nan_where: tuple[Edge, ...]
    nonzero: bool = False

    @property
    def zero(self) -> bool:
        """Whether an entry may be 0."""
        return self.low <= 0 <= self.high and not self.nonzero

    @property
    def bounded(self) -> bool:
        """Whether no entry is infinite."""
        return self.low > -INFINITY and self.high < INFINITY

    @property
    def finite(self) -> bool:
        """Whether every entry is finite."""
        return self.bounded and not self.nan


class Range(NamedTuple):
    """Bounds, whether NaN comes out where none went in, and whether -0 may come out."""

    low: float
    high: float
    new_nan: bool = False
    minus_zero: bool = True


def of_dtype(spec: Spec) -> tuple[float, float]:
    """What entries that are truth values or whole numbers may be."""
    if spec.dtype.kind == "b":
        return 0.0, 1.0
    limits = np.iinfo(spec.dtype)
    return float(limits.min), float(limits.max)


Given = Sequence[Facts]
_Rule = Callable[[Given, Node], Range]


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _corners(a: Facts, b: Facts) -> tuple[float, float]:
    corners = [_times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(corners), max(corners)


def _infinite(x: Facts) -> bool:
    return not x.bounded


def _add(given: Given, node: Node) -> Range:
    a, b = given
    opposed = (a.high == INFINITY and b.low == -INFINITY) or (
        a.low == -INFINITY and b.high == INFINITY
    )
    low = -INFINITY if -INFINITY in (a.low, b.low) else a.low + b.low
    high = INFINITY if INFINITY in (a.high, b.high) else a.high + b.high
    return Range(low, high, opposed, a.minus_zero and b.minus_zero)


def _negated(x: Facts) -> Facts:
    return x._replace(low=-x.high, high=-x.low, minus_zero=x.zero)


def _subtract(given: Given, node: Node) -> Range:
    a, b = given
    return _add((a, _negated(b)), node)._replace(minus_zero=a.minus_zero and b.zero)


def _positive(x: Facts) -> bool:
    """No entry is below 0 or -0."""
    return x.low >= 0 and not x.minus_zero


def _multiply(given: Given, node: Node) -> Range:
    a, b = given
    new_nan = (a.zero and _infinite(b)) or (b.zero and _infinite(a))
    if node.primitive.name == "chain_product":
        # The sign of a strong zero is open: it is taken to be 0 and not -0.
        return Range(*_corners(a, b), False, False)
    if node.inputs[0] == node.inputs[1]:
        return _square(given[:1], node)
    return Range(*_corners(a, b), new_nan, not (_positive(a) and _positive(b)))


def _square(given: Given, node: Node) -> Range:
    (x,) = given
    high = _corners(x, x)[1]
    return Range(0.0 if x.zero else min(x.low * x.low, x.high * x.high), high, False, False)


def _divide(given: Given, node: Node) -> Range:
    a, b = given
    new_nan = (a.zero and b.zero) or (_infinite(a) and _infinite(b))
    if b.zero:
        low = 0.0 if _positive(a) and _positive(b) else -INFINITY
        return Range(low, INFINITY, new_nan, low < 0)
    ends = sorted((1 / b.low if b.low else INFINITY, 1 / b.high if b.high else INFINITY))
    low, high = _corners(a, b._replace(low=ends[0], high=ends[1]))
    if _infinite(a):
        low, high = (-INFINITY if low < 0 else 0.0), (INFINITY if high > 0 else 0.0)
    return Range(low, high, new_nan, not (_positive(a) and _positive(b)))


def _negative(given: Given, node: Node) -> Range:
    (x,) = given
    return Range(-x.high, -x.low, False, x.zero)


def _absolute(given: Given, node: Node) -> Range:
    (x,) = given
    low = 0.0 if x.zero else min(abs(x.low), abs(x.high))
    return Range(low, max(abs(x.low), abs(x.high)), False, False)


def _exp(given: Given, node: Node) -> Range:
    return Range(_finite_exp(given[0].low), _finite_exp(given[0].high), False, False)


def _finite_exp(x: float) -> float:
    return math.exp(x) if x < 700 else INFINITY


def _log(given: Given, node: Node) -> Range:
    (x,) = given
    low = math.log(x.low) if x.low > 0 else -INFINITY
    high = math.log(x.high) if x.high > 0 else -INFINITY
    return Range(low, high, x.low < 0, False)


def _log1p(given: Given, node: Node) -> Range:
    (x,) = given
    low = math.log1p(x.low) if x.low > -1 else -INFINITY
    high = math.log1p(x.high) if x.high > -1 else -INFINITY
    return Range(low, high, x.low < -1, x.minus_zero)


def _sqrt(given: Given, node: Node) -> Range:
    (x,) = given
    return Range(math.sqrt(max(x.low, 0.0)), math.sqrt(max(x.high, 0.0)), x.low < 0, x.minus_zero)


def _within(low: float, high: float, *, of_infinity: bool = False) -> _Rule:
    """A function with bounds of its own; sin and cos of infinity are NaN."""
    return lambda given, node: Range(low, high, of_infinity and _infinite(given[0]))


def _maximum(given: Given, node: Node) -> Range:
    a, b = given
    minus = a.minus_zero or b.minus_zero
    return Range(max(a.low, b.low), max(a.high, b.high), False, minus)


def _minimum(given: Given, node: Node) -> Range:
    a, b = given
    minus = a.minus_zero or b.minus_zero
    return Range(min(a.low, b.low), min(a.high, b.high), False, minus)


def _where(given: Given, node: Node) -> Range:
    _, a, b = given
    return Range(min(a.low, b.low), max(a.high, b.high), False, a.minus_zero or b.minus_zero)


def _same(given: Given, node: Node) -> Range:
    """A cast or nothing; into whole numbers anything may come out."""
    spec = node.outputs[0]
    if spec.dtype.kind != "f":
        return Range(*of_dtype(spec), False, False)
    return Range(given[0].low, given[0].high, False, given[0].minus_zero)


def _truth(given: Given, node: Node) -> Range:
    return Range(0.0, 1.0, False, False)


def _power(given: Given, node: Node) -> Range:
    positive = _positive(given[0])
    return Range(0.0 if positive else -INFINITY, INFINITY, not positive, not positive)


ENTRYWISE: dict[str, _Rule] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "chain_product": _multiply,
    "divide": _divide,
    "negative": _negative,
    "absolute": _absolute,
    "fabs": _absolute,
    "square": _square,
    "exp": _exp,
    "log": _log,
    "log1p": _log1p,
    "sqrt": _sqrt,
    "power": _power,
    "tanh": _within(-1.0, 1.0),
    "arctan": _within(-1.571, 1.571),
    "sin": _within(-1.0, 1.0, of_infinity=True),
    "cos": _within(-1.0, 1.0, of_infinity=True),
    "sign": _within(-1.0, 1.0),
    "maximum": _maximum,
    "minimum": _minimum,
    "where": _where,
    **dict.fromkeys(("astype", "positive", "stop_gradient", "broadcast_to"), _same),
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), _truth),
    **dict.fromkeys(("equal", "not_equal", "isnan", "isinf", "isfinite"), _truth),
    **dict.fromkeys(("logical_not", "logical_and", "logical_or", "logical_xor"), _truth),
}
