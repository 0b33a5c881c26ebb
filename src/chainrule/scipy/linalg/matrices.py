"""Matrices made of vectors and of blocks: every entry is a given number, a copy or a product."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.scipy.linalg.arguments import floating


def toeplitz(c: Any, r: Any = None) -> Any:
    """T[i, j] = c[i - j] for i ≥ j and r[j - i] else; r is conj(c) where it is not given.

    >>> toeplitz(np.array([1.0, 2.0]), np.array([9.0, 3.0]))
    array([[1., 3.],
           [2., 1.]])
    """
    c = floating(c)
    r = np.conj(c) if r is None else floating(r)
    c, r = _row(c), _row(r)
    rows, columns = c.shape[-1], r.shape[-1]
    values = np.concatenate([c[..., ::-1], r[..., 1:]], axis=-1)
    place = (rows - 1) + np.arange(columns) - np.arange(rows)[:, None]
    return values[..., place]


def _row(x: Any) -> Any:
    return np.reshape(x, (1,)) if x.ndim == 0 else x


def circulant(c: Any) -> Any:
    """C[i, j] = c[i - j], indices modulo n."""
    c = _row(floating(c))
    size = c.shape[-1]
    place = (np.arange(size)[:, None] - np.arange(size)) % size
    return c[..., place]


def hankel(c: Any, r: Any = None) -> Any:
    """H[i, j] = c[i + j], continued by r[i + j - m + 1]; zeros where r is not given."""
    c = _row(floating(c))
    r = np.zeros(c.shape, c.dtype) if r is None else _row(floating(r))
    values = np.concatenate([c, r[..., 1:]], axis=-1)
    place = np.arange(c.shape[-1])[:, None] + np.arange(r.shape[-1])
    return values[..., place]


def companion(a: Any) -> Any:
    """The companion matrix of the polynomial with the coefficients `a`, highest power first."""
    a = floating(a)
    if a.shape[-1] < 2:
        raise ValueError("The length of `a` must be at least 2.")
    first = -a[..., 1:] / a[..., :1]
    size = first.shape[-1]
    below = np.broadcast_to(np.eye(size - 1, size, dtype=a.dtype), (*a.shape[:-1], size - 1, size))
    return np.concatenate([first[..., None, :], below], axis=-2)


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """A such that A @ v is np.convolve(a, v, mode) for v of length `n`."""
    a = floating(a)
    if n <= 0:
        raise ValueError("n must be a positive integer.")
    if mode not in ("full", "valid", "same"):
        raise ValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    size = a.shape[-1]
    before = np.zeros((*a.shape[:-1], n - 1), a.dtype)
    padded = np.concatenate([before, a, before], axis=-1)
    place = (n - 1) + np.arange(size + n - 1)[:, None] - np.arange(n)
    full = padded[..., place]
    if mode == "full":
        return full
    if mode == "valid":
        first, count = min(size, n) - 1, max(size, n) - min(size, n) + 1
    else:
        first, count = (min(size, n) - 1) // 2, max(size, n)
    return full[..., first : first + count, :]


def leslie(f: Any, s: Any) -> Any:
    """Fecundities in the first row, survivals below the diagonal."""
    f, s = floating(f), floating(s)
    size = f.shape[-1]
    if s.shape[-1] != size - 1:
        raise ValueError("the length of s must be one less than the length of f")
    below = s[..., :, None] * np.eye(size - 1, size, dtype=s.dtype)
    return np.concatenate([f[..., None, :], below], axis=-2)


def fiedler(a: Any) -> Any:
    """|a[i] - a[j]|; its derivative at equal entries is 0."""
    a = _row(floating(a))
    return np.abs(a[..., :, None] - a[..., None, :])


def diagsvd(s: Any, M: int, N: int) -> Any:
    """The M × N matrix with the singular values on its diagonal."""
    s = floating(s)
    if s.shape[-1] not in (M, N):
        raise ValueError("Length of s must be M or N.")
    square = s[..., :, None] * np.eye(s.shape[-1], dtype=s.dtype)
    return _padded(square, M, N)


def _padded(x: Any, rows: int, columns: int) -> Any:
    """`x` with zeros below and beside it."""
    batch = x.shape[:-2]
    beside = np.zeros((*batch, x.shape[-2], columns - x.shape[-1]), x.dtype)
    wide = np.concatenate([x, beside], axis=-1)
    below = np.zeros((*batch, rows - x.shape[-2], columns), x.dtype)
    return np.concatenate([wide, below], axis=-2)


def block_diag(*arrs: Any) -> Any:
    """The matrices along the diagonal, zeros elsewhere; vectors count as single rows.

    >>> block_diag(np.ones((1, 2)), 3.0)
    array([[1., 1., 0.],
           [0., 0., 3.]])
    """
    if not arrs:
        return np.zeros((1, 0))
    blocks = [floating(arr) for arr in arrs]
    blocks = [np.reshape(b, (1, b.size)) if b.ndim < 2 else b for b in blocks]
    total = sum(b.shape[-1] for b in blocks)
    batch = np.broadcast_shapes(*(b.shape[:-2] for b in blocks))
    dtype = np.result_type(*(b.dtype for b in blocks))
    strips, start = [], 0
    for b in blocks:
        rows, columns = b.shape[-2:]
        left = np.zeros((*batch, rows, start), dtype)
        right = np.zeros((*batch, rows, total - start - columns), dtype)
        b = np.broadcast_to(b, (*batch, rows, columns))
        strips.append(np.concatenate([left, b, right], axis=-1))
        start += columns
    return np.concatenate(strips, axis=-2)


def khatri_rao(a: Any, b: Any) -> Any:
    """Column by column the Kronecker product: shapes (m, n) and (k, n) give (m k, n)."""
    a, b = floating(a), floating(b)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError("The number of columns for both arrays should be equal.")
    product = a[..., :, None, :] * b[..., None, :, :]
    return np.reshape(product, (*product.shape[:-3], -1, product.shape[-1]))


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product, as `np.kron`."""
    return np.kron(floating(a), floating(b))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> Any:
    """A constant, as `np.tri`."""
    return np.tri(N, M, k, dtype)


def tril(m: Any, k: int = 0) -> Any:
    """The lower triangle, as `np.tril`."""
    return np.tril(floating(m), k)


def triu(m: Any, k: int = 0) -> Any:
    """The upper triangle, as `np.triu`."""
    return np.triu(floating(m), k)
