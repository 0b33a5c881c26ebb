"""log Σ exp and softmax with SciPy's signatures, for plain and traced arrays alike.

>>> import numpy as np
>>> import chainrule as cr
>>> from chainrule.scipy.special import logsumexp
>>> cr.grad(logsumexp)(np.array([0.0, np.log(3.0)]))
array([0.25, 0.75])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Traced, is_inexact
from chainrule.primitives import softmax as records
from chainrule.primitives.reductions import Axis
from chainrule.tracing.dispatch import lifted
from chainrule.transforms.stop_gradient import stop_gradient

__all__ = ["log_softmax", "logsumexp", "softmax"]


def _floating(value: Any) -> Any:
    """An array of real or complex numbers, from whatever SciPy takes."""
    if not isinstance(value, Traced):
        value = lifted(np.asarray(value))
    return value if is_inexact(value) else np.asarray(value, float)


def logsumexp(
    a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log Σᵢ bᵢ exp(aᵢ) along `axis`; ∂/∂aᵢ = bᵢ exp(aᵢ) / Σ, which is softmax(a) without `b`.

    With `return_sign` the pair (log |Σ|, sign of Σ); without it a negative sum gives NaN. Where the
    result is infinite, the largest entries share the derivative equally.

    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    a = _floating(a)
    if b is not None or a.dtype.kind == "c":
        return _weighted(a, 1.0 if b is None else b, axis, keepdims, return_sign)
    y = records.log_sum_exp(a, axis=axis, keepdims=keepdims)
    if not return_sign:
        return y
    return y, np.where(stop_gradient(y) == -np.inf, 0, 1).astype(y.dtype)[()]


def _weighted(a: Any, b: Any, axis: Axis, keepdims: bool, return_sign: bool) -> Any:
    """m + log Σ b exp(a - m), m the largest of the entries that count: a constant to derivatives.

    Entries with b = 0 do not choose m, so their exponentials may overflow; they are cut there.
    """
    b = _floating(b)
    if np.shape(a) != np.shape(b):
        a, b = np.broadcast_arrays(a, b)
    real = stop_gradient(np.real(a))
    m = np.max(np.where(b == 0, -np.inf, real), axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    limit = np.log(np.finfo(m.dtype).max) / 2
    with np.errstate(all="ignore"):
        exponents = np.where((b == 0) & (real - m > limit), limit, a - m)
        total = np.sum(b * np.exp(exponents), axis=axis, keepdims=keepdims)
        m = m if keepdims else np.squeeze(m, None if axis is None else axis)
        if return_sign:
            return np.log(np.abs(total)) + m, np.sign(total)
        return np.log(total) + m


def softmax(x: Any, axis: Axis = None) -> Any:
    """exp(x) / Σ exp(x) along `axis`; ẏ = y ∘ (ẋ - ⟨y, ẋ⟩).

    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    return records.softmax(_floating(x), axis=axis, limits=False)


def log_softmax(x: Any, axis: Axis = None) -> Any:
    """x - log Σ exp(x) along `axis`, finite where softmax would round to 0.

    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    x = _floating(x)
    with np.errstate(invalid="ignore"):
        return x - records.log_sum_exp(x, axis=axis, keepdims=True)
