"""log Σ exp and softmax, computed so that nothing overflows.

    y = m + log Σ exp(x - m) with m = max x;   ∂y/∂xᵢ = softmax(x)ᵢ

NumPy knows the first as `np.logaddexp.reduce`; SciPy's names stand in `chainrule.scipy.special`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.batching import over_axes
from chainrule.primitives.declare import primitive
from chainrule.primitives.reductions import Axis, spread
from chainrule.primitives.samples import case, normal


def _logsumexp(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    """The largest terms are counted and the rest added to them by log1p, as logaddexp does."""
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(over="ignore", divide="ignore"):
        terms = np.exp(x - shift)
        first = (terms == 1).astype(terms.dtype)
        count = np.sum(first, axis=axis, keepdims=True)
        terms -= first
        rest = np.sum(terms, axis=axis, keepdims=True)
        known = np.where(count > 0, count, 1)
        y = shift + np.where(count > 0, np.log(known) + np.log1p(rest / known), np.log(rest))
    return y if keepdims else np.squeeze(y, None if axis is None else axis)[()]


def _softmax(x: Any, *, axis: Axis, limits: bool) -> Any:
    """exp(x - max) / Σ exp(x - max), NaN where the largest entry is infinite.

    With `limits` such a largest entry takes all, shared equally where there are several: the limit
    of equal entries that grow, or fall, together.
    """
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        y = np.exp(x - largest)
        y /= np.sum(y, axis=axis, keepdims=True)
    if limits and np.any(np.isinf(largest)):
        ties = (x == largest).astype(y.dtype)
        y = np.where(np.isinf(largest), ties / np.sum(ties, axis=axis, keepdims=True), y)
    return y


def _softmax_times(t: Any, y: Any, axis: Axis) -> Any:
    """y ∘ (t - ⟨y, t⟩), a symmetric matrix times t."""
    return y * (t - np.sum(y * t, axis=axis, keepdims=True))


softmax = primitive(
    "softmax",
    compute=_softmax,
    jvp=(_softmax_times,),
    vjp=(lambda g, y, axis: _softmax_times(g, y, axis),),
    latex=r"\operatorname{{softmax}} {x}",
    samples=[
        case(normal(3, 4), axis=None, limits=False),
        case(normal(3, 4), axis=-1, limits=False),
        case(normal(2, 3, 4), axis=(0, 2), limits=True),
    ],
    flops=20,
    batch=over_axes,
    note="both modes, because its Jacobian is symmetric: one rule is the other",
)
log_sum_exp = primitive(
    "logsumexp",
    compute=_logsumexp,
    jvp=(
        lambda t, x, axis, keepdims: np.sum(
            softmax(x, axis=axis, limits=True) * t, axis=axis, keepdims=keepdims
        ),
    ),
    vjp=(
        lambda g, x, shape, axis, keepdims: (
            softmax(x, axis=axis, limits=True) * spread(g, shape, axis, keepdims)
        ),
    ),
    latex=r"\log \sum e^{{{x}}}",
    samples=[
        case(normal(3, 4), axis=None, keepdims=False),
        case(normal(3, 4), axis=-1, keepdims=True),
        case(normal(2, 3, 4), axis=(0, 2), keepdims=False),
    ],
    flops=20,
    batch=over_axes,
    note="both modes: it ends most losses of classification, and transposing costs a trace",
)


@composition(np.logaddexp.reduce)
def logaddexp_reduce(
    array: Any,
    axis: Axis = 0,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """`np.logaddexp.reduce`: log Σ exp along `axis`; a sum without terms is -inf."""
    if array.dtype.kind == "c":
        raise TypeError("np.logaddexp takes real numbers only")
    if dtype is not None:
        array = array.astype(dtype)
    if where is not True:
        array = np.where(where, array, -np.inf)
    y = log_sum_exp(array, axis=axis, keepdims=bool(keepdims))
    return y if initial is None else np.logaddexp(y, initial)
