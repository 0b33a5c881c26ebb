"""Covariances and correlations of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import composition


def _observations(m: Any, y: Any, rowvar: bool, dtype: Any) -> Any:
    """Variables as rows, observations as columns."""
    m = np.asarray(m) if isinstance(m, list | tuple) else m
    if np.ndim(m) > 2 or (y is not None and np.ndim(y) > 2):
        raise ValueError("a covariance needs arrays of at most two dimensions")

    def rows(x: Any) -> Any:
        x = np.asarray(x) if isinstance(x, list | tuple) else x
        x = np.atleast_2d(x)
        return x if rowvar or x.shape[0] == 1 else np.transpose(x)

    x = rows(m) if y is None else np.concatenate([rows(m), rows(y)], axis=0)
    given = [v.dtype for v in (m, y) if hasattr(v, "dtype")]
    return x.astype(np.result_type(*given, np.float64) if dtype is None else dtype)


@composition(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """`np.cov`: Σ w (x - mean)(x - mean)ᴴ / (Σ w - ddof Σ w a / Σ w), a the `aweights`.

    >>> import chainrule as cr
    >>> cr.grad(lambda x: np.cov(x)[()])(np.array([1.0, 2.0, 6.0]))
    array([-2., -1.,  3.])
    """
    if ddof is None:
        ddof = 0 if bias else 1
    if ddof != int(ddof):
        raise ValueError("ddof must be integer")
    x = _observations(m, y, rowvar, dtype)
    weights: Any = None if fweights is None else np.asarray(fweights, dtype=float)
    if aweights is not None:
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        total: Any = x.shape[1]
        freedom: Any = total - ddof
        centred = x - np.mean(x, axis=1, keepdims=True)
        weighted = centred
    else:
        total = np.sum(weights)
        correction = 1 if aweights is None else np.sum(weights * aweights) / total
        freedom = total - ddof * correction
        centred = x - np.sum(x * weights, axis=1, keepdims=True) / total
        weighted = centred * weights
    product = np.matmul(centred, np.conjugate(np.transpose(weighted)))
    return np.squeeze(product / np.maximum(freedom, 0))


@composition(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """`np.corrcoef`: the covariance of variables scaled to variance 1, within ±1."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviation[:, None] / deviation[None, :]
    if c.dtype.kind == "c":
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)
