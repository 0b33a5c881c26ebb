"""NumPy's surface, row by row: each expression on traced arrays is what it is on plain ones.

The rows are ordinary NumPy expressions. Lower-case names are differentiated:

    s   scalar          v, w  vectors of 4       m, n  3 × 4       q, r  3 × 3, q well conditioned
    c   2 × 3 × 4       p     3 × 4, positive    u     3 × 4, within ±0.9
    z   complex 3 × 4

Upper-case names are plain arrays or masks of the closure. Entries lie apart from each other and
from 0, so that no kink is near.
"""

import ast

import numpy as np
import pytest

import chainrule as cr
from chainrule.transforms.trace import record

_RNG = np.random.default_rng(20261122)


def _apart(*shape):
    size = int(np.prod(shape))
    return _RNG.permutation((np.arange(size) - size // 2 + 0.5) * 0.23).reshape(shape)


POINTS = {
    "s": np.float64(1.3),
    "v": _apart(4),
    "w": _apart(4) + 0.07,
    "m": _apart(3, 4),
    "n": _apart(3, 4) + 0.05,
    "p": np.abs(_apart(3, 4)) + 0.3,
    "u": np.tanh(_apart(3, 4)) * 0.9,
    "q": _apart(3, 3) + 3 * np.eye(3),
    "r": _apart(3, 3),
    "c": _apart(2, 3, 4),
    "z": _apart(3, 4) + 1j * _apart(3, 4),
}
PLAIN = {
    "np": np,
    "A": _apart(3, 4) + 0.11,
    "B": _apart(4, 2),
    "V": _apart(4) - 0.03,
    "I": np.array([2, 0, 2, 1]),
    "J": np.array([[0, 1], [2, 2]]),
    "K": np.array([3, 0, 1]),
    "M": _apart(3, 4) > 0,
    "ROW": np.array([True, False, True]),
    "L": [0.5, 1.5, -2.0, 3.0],
    "N": np.array([[3, -1, 2, 5], [0, 4, 1, -2], [7, 6, -3, 2]]),
}


def rows(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def function_of(expression):
    """The expression as a function of the points it names, and those points."""
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    variables = sorted(names & POINTS.keys())
    code = f"lambda {', '.join(variables)}: {expression}"
    return eval(code, dict(PLAIN)), [POINTS[name] for name in variables]


ELEMENTWISE = rows("""
    s + 2
    2 - m
    m * n
    m / p
    1.5 / p
    -m
    +m
    abs(m)
    p ** 1.7
    p ** 2
    m ** 3
    p ** -1
    2.0 ** m
    p ** n
    m % 0.7
    m // 0.7
    0.7 // p
    divmod(p, 0.4)
    np.add(m, n)
    np.subtract(m, v)
    np.multiply(m, s)
    np.divide(m, p)
    np.true_divide(m, 2)
    np.negative(m)
    np.positive(m)
    np.power(p, n)
    np.float_power(p, 2)
    np.square(m)
    np.sqrt(p)
    np.cbrt(p)
    np.reciprocal(p)
    np.hypot(m, n)
    np.exp(m)
    np.exp2(m)
    np.expm1(m)
    np.log(p)
    np.log2(p)
    np.log10(p)
    np.log1p(p)
    np.logaddexp(m, n)
    np.logaddexp2(m, n)
    np.sin(m)
    np.cos(m)
    np.tan(u)
    np.arcsin(u)
    np.arccos(u)
    np.arctan(m)
    np.arctan2(m, p)
    np.sinh(m)
    np.cosh(m)
    np.tanh(m)
    np.arcsinh(m)
    np.arccosh(p + 1)
    np.arctanh(u)
    np.degrees(m)
    np.radians(m)
    np.deg2rad(m)
    np.rad2deg(m)
    np.sinc(m)
    np.abs(m)
    np.absolute(m)
    np.fabs(m)
    np.sign(m)
    np.maximum(m, n)
    np.minimum(m, 0.05)
    np.fmax(m, n)
    np.fmin(0.05, m)
    np.clip(m, -0.5, 0.7)
    np.clip(m, None, 0.7)
    np.clip(m, -0.5, None)
    np.clip(m, min=-0.5)
    np.clip(m, v - 0.4, p)
    m.clip(-0.5, 0.7)
    m.clip(max=0.7)
    np.where(M, m, n)
    np.where(m > 0, m, 0.1)
    np.where(m > 0, 2.0, n)
    np.where(M, v, s)
    np.where(M, m, N)
    np.where(m > 0, 3, m)
    np.where(m > 0, True, m)
    np.where(N, m, n)
    m * N
    N - m
    p ** N
    np.maximum(m, N)
    np.clip(m, N, None)
    np.copysign(p, m)
    np.heaviside(m, 0.5)
    np.mod(p, 0.7)
    np.remainder(m, 0.7)
    np.fmod(m, 0.7)
    np.floor_divide(m, 0.7)
    np.divmod(p, 0.4)
    np.modf(m)
    np.floor(m)
    np.ceil(m)
    np.rint(m)
    np.trunc(m)
    np.round(m, 1)
    np.around(m, 1)
    m.round(1)
    np.nan_to_num(m)
    np.real(m)
    np.imag(m)
    np.conj(m)
    m.real
    m.imag
    m.conj()
    m.conjugate()
    np.astype(m, np.float32)
    m.astype(np.float32)
    m.astype(float)
    m.astype(complex)
    m.astype(np.float64, copy=False)
    np.angle(p)
""")

SHAPES = rows("""
    m.T
    c.T
    v.T
    c.mT
    m.reshape(4, 3)
    m.reshape((2, 6))
    m.reshape(-1)
    m.reshape(2, -1)
    m.reshape(2, 6, order='F')
    m.T.reshape(-1, order='A')
    s.reshape(1, 1)
    np.reshape(c, (4, 6))
    np.reshape(m, shape=-1)
    np.reshape(m, (2, 6), 'F')
    np.reshape(m, (2, 6), copy=True)
    m.transpose()
    m.transpose(None)
    c.transpose(2, 0, 1)
    c.transpose((1, 0, 2))
    c.transpose([0, -1, 1])
    np.transpose(c, (1, 2, 0))
    np.permute_dims(c, (1, 2, 0))
    np.swapaxes(c, 0, -1)
    c.swapaxes(0, 1)
    np.moveaxis(c, 0, -1)
    np.moveaxis(c, [0, 1], [-1, 0])
    np.rollaxis(c, 2)
    np.rollaxis(c, 0, 3)
    np.matrix_transpose(c)
    np.linalg.matrix_transpose(c)
    np.broadcast_to(v, (3, 4))
    np.broadcast_to(s, (2, 2))
    np.broadcast_arrays(m, v)
    np.expand_dims(m, 1)
    np.expand_dims(m, (0, -1))
    np.squeeze(m[:, None, :, None])
    np.squeeze(m[:, None], axis=1)
    m[None].squeeze(0)
    np.ravel(m)
    m.ravel()
    m.ravel('F')
    m.T.ravel('K')
    m.flatten()
    m.flatten('F')
    np.atleast_1d(s)
    np.atleast_1d(s, v)
    np.atleast_2d(v)
    np.atleast_3d(m)
    np.concatenate([m, n])
    np.concatenate([m, n, A], axis=1)
    np.concatenate((m, n), axis=None)
    np.concatenate([m, n], dtype=np.float32)
    np.concatenate([m, N])
    np.concatenate([M, m], axis=1)
    np.concat([m, n], axis=-1)
    np.stack([m, n])
    np.stack([m, n, A], axis=-1)
    np.stack((s, s * 2, 1.0))
    np.stack([m, N, M])
    np.stack([s, 2])
    np.hstack([v, w, s])
    np.hstack([m, n])
    np.vstack([v, w])
    np.vstack([m, V])
    np.dstack([m, n])
    np.column_stack([v, w])
    np.append(v, w)
    np.append(m, n, axis=0)
    np.append(v, 3.0)
    np.append(v, [1, 2])
    np.append(I, v)
    np.split(m, 2, axis=1)
    np.split(v, [1, 3])
    np.array_split(v, 3)
    np.hsplit(m, 2)
    np.vsplit(m, 3)
    np.dsplit(c, 2)
    np.unstack(m)
    np.flip(m)
    np.flip(c, (0, 2))
    np.flip(m, -1)
    np.flipud(m)
    np.fliplr(m)
    np.rot90(m)
    np.rot90(m, 2)
    np.roll(m, 3)
    np.roll(m, (1, -1), axis=(0, 1))
    np.roll(m, 1, axis=0)
    np.pad(m, 1)
    np.pad(m, ((1, 2), (0, 1)))
    np.pad(m, (1, 2), mode='constant', constant_values=3)
    np.pad(m, 2, mode='edge')
    np.pad(m, ((1, 1), (2, 0)), mode='reflect')
    np.pad(v, 3, mode='wrap')
    np.pad(v, 2, mode='symmetric')
    np.tile(m, 2)
    np.tile(m, (2, 1, 3))
    np.tile(v, (2, 2))
    np.tile(m, 1)
    np.repeat(m, 2)
    np.repeat(m, 2, axis=0)
    np.repeat(m, [1, 0, 2], axis=0)
    m.repeat(3, axis=1)
    m.repeat(2)
    np.copy(m)
    m.copy()
    np.linspace(s, 3.0, 5)
    np.linspace(v, w, 3, axis=-1)
    np.linspace(s, 3.0, 4, endpoint=False)
    np.meshgrid(v, w)
    np.meshgrid(v, w, indexing='ij', sparse=True)
    np.meshgrid(v, w, V)
    np.diff(m)
    np.diff(v, prepend=s, append=1.0)
    np.diff(m, prepend=m[:, :2])
    np.diff(m, n=2, axis=0)
    np.tril(m)
    np.tril(c, -1)
    np.triu(m, 1)
    np.trace(q)
    np.trace(c, offset=1, axis1=1, axis2=2)
    q.trace()
    np.diagonal(q)
    np.diagonal(c, 1, 0, 2)
    q.diagonal(-1)
    np.diag(q)
    np.diag(m, 1)
    np.diag(v)
    np.diag(v, -2)
    np.diagflat(m)
""")

INDEXING = rows("""
    v[1]
    v[-1]
    v[1:3]
    v[::-1]
    v[::2]
    v[None]
    v[..., None]
    v[()]
    s[()]
    s[None]
    s[...]
    m[1]
    m[1, 2]
    m[1][2]
    m[:, 1]
    m[1:, ::2]
    m[..., 0]
    m[0, ...]
    m[None, :, None]
    m[np.int64(2)]
    m[np.int64(1):]
    c[:, 1, ::-1]
    c[1, ..., 2]
    v[I]
    v[J]
    v[[1, 1, 3]]
    v[[]]
    m[I]
    m[[0, 2]]
    m[[0, 2], [1, 3]]
    m[J, 1]
    m[:, I]
    m[:, J]
    m[J, J]
    c[0, :, I]
    c[I[:2] * 0, 1:, I[:2]]
    m[ROW]
    m[ROW, 1]
    m[M]
    m[m > 0]
    m[~M]
    m[:, V > 0]
    m[True]
    m[np.array(True)]
    m[np.newaxis, ..., 1]
    m[np.ix_([0, 2], [1, 3])]
    m[np.argmax(v), 0]
    m[np.unravel_index(5, (3, 4))]
    np.take(m, I[:3])
    np.take(m, K, axis=1)
    np.take(m, J, axis=0)
    np.take(m, 1, axis=0)
    np.take(m, [13, -14], mode='wrap')
    np.take(m, [13, -14], mode='clip')
    m.take(K, axis=1)
    m.take([3, 3])
    np.take_along_axis(m, np.argsort(m, axis=1), axis=1)
    np.sort(m)
    np.sort(m, axis=0)
    np.sort(m, axis=None)
    m.flat[5]
    m.flat[[1, 3]]
    list(m)
    [row * 2 for row in m]
    list(reversed(v))
    list(v)[2]
    [a * b for a, b in zip(v, w)]
    [k * a for k, a in enumerate(v)]
    sum(v)
    min(v)
    max(v)
    sorted(v)
    max(v, key=lambda t: -t)
    sorted(zip(v, w))[0][0]
    max(s, 0.5)
    min(2.0, s)
""")

REDUCTIONS = rows("""
    np.sum(m)
    m.sum()
    np.sum(m, 0)
    m.sum(1)
    np.sum(c, axis=(0, -1))
    np.sum(m, axis=1, keepdims=True)
    np.sum(m, keepdims=True)
    np.sum(c, axis=(), keepdims=True)
    np.sum(m, axis=0, initial=2.0)
    np.sum(m, where=M)
    np.sum(m, axis=1, where=M, initial=1.0)
    np.sum(m, dtype=np.float32)
    m.sum(axis=0, dtype=np.float64)
    np.sum(s)
    sum(m)
    np.mean(m)
    m.mean(axis=0)
    np.mean(c, axis=(1, 2), keepdims=True)
    np.mean(m, where=M)
    np.mean(m, axis=1, where=M)
    np.mean(m, dtype=np.float64)
    np.average(m)
    np.average(m, axis=1, weights=p[0])
    np.var(m)
    np.var(m, axis=0)
    m.var(axis=1, ddof=1)
    np.var(m, axis=1, keepdims=True)
    np.var(m, correction=1)
    np.var(m, where=M)
    np.var(m, axis=1, mean=np.mean(m, axis=1, keepdims=True))
    np.std(m)
    m.std(axis=0, ddof=1)
    np.std(m, axis=(0, 1), keepdims=True)
    np.prod(m)
    np.prod(m, axis=0)
    m.prod(axis=1, keepdims=True)
    np.prod(m, keepdims=True)
    np.prod(c, axis=(0, 2))
    np.prod(m, axis=0, initial=2.0, where=M)
    np.max(m)
    m.max(axis=0)
    np.amax(m, axis=1)
    np.max(c, axis=(0, 1), keepdims=True)
    np.max(m, axis=0, initial=0.05)
    np.max(m, axis=1, where=M, initial=-9.0)
    np.min(m)
    m.min(axis=1, keepdims=True)
    np.amin(m)
    np.min(m, axis=0, where=M, initial=9.0)
    np.ptp(m, axis=0)
    np.cumsum(m)
    np.cumsum(m, axis=0)
    m.cumsum(axis=1)
    np.cumsum(m, axis=-1, dtype=np.float32)
    np.cumprod(m)
    m.cumprod(axis=1)
    np.cumulative_sum(v)
    np.cumulative_prod(v, include_initial=True)
    np.argmax(m)
    m.argmax(axis=0)
    np.argmin(m, 1)
    m.argmin()
    np.argsort(v)
    m.argsort(axis=0)
    np.any(m > 0)
    np.all(m > -9, axis=1)
    m.any()
    m.all(axis=0)
    (m > 0).any(axis=1)
    np.nonzero(m)
    m.nonzero()
    np.count_nonzero(m > 0, axis=0)
    np.searchsorted(np.sort(v), 0.2)
    np.sort(v).searchsorted(w)
    np.searchsorted(L, v)
    np.bincount(I, weights=v)
    np.bincount(I, weights=v, minlength=5)
    np.add.reduce(m)
    np.add.reduce(m, 1)
    np.add.reduce(m, axis=None)
    np.multiply.reduce(m, axis=1)
    np.maximum.reduce(m)
    np.minimum.reduce(m, axis=1, keepdims=True)
    np.logaddexp.reduce(m, axis=1)
    np.logaddexp.reduce(m, axis=None, keepdims=True)
    np.subtract.reduce(m, axis=1)
    np.divide.reduce(p, axis=0)
    np.hypot.reduce(m, axis=(0, 1))
    np.hypot.reduce(m, axis=1, keepdims=True)
    np.add.accumulate(m, axis=1)
    np.multiply.accumulate(m)
    np.maximum.accumulate(m, axis=1)
    np.minimum.accumulate(v)
    np.subtract.accumulate(v)
    np.add.outer(v, w)
    np.multiply.outer(m, L)
    np.subtract.outer(L, v)
    np.arctan2.outer(v, p)
    np.linalg.norm(v)
    np.linalg.norm(m, axis=1)
""")

PRODUCTS = rows("""
    m @ n.T
    v @ w
    m @ v
    v @ m.T
    c @ B
    B.T @ c.mT
    A.T @ m
    m @ L
    L @ v
    np.matmul(c, v)
    np.matmul(v, c.mT)
    np.matmul(c[:, None], c.mT)
    np.dot(v, w)
    np.dot(m, v)
    np.dot(v, n.T)
    np.dot(m, n.T)
    np.dot(s, m)
    np.dot(m, 2.0)
    np.dot(c, B)
    np.dot(c, c.mT)
    np.dot(L, v)
    m.dot(v)
    m.dot(B)
    np.inner(v, w)
    np.inner(m, n)
    np.inner(c, v)
    np.inner(s, v)
    np.outer(v, w)
    np.outer(m, w)
    np.outer(L, v)
    np.linalg.outer(v, w)
    N @ v
    m @ N.T
    np.einsum('ij,ij->i', N, m)
    np.tensordot(N, m, axes=([0], [0]))
    np.outer(N, v)
    np.vdot(m, n)
    np.vecdot(m, n)
    np.linalg.vecdot(m, n, axis=0)
    np.matvec(m, v)
    np.vecmat(v, B)
    np.kron(v, w)
    np.kron(m, r)
    np.kron(L, v)
    np.tensordot(m, n, axes=([0, 1], [0, 1]))
    np.tensordot(m, n, axes=[[0], [0]])
    np.tensordot(c, n, axes=((2, 1), (1, 0)))
    np.tensordot(c, m, axes=2)
    np.tensordot(v, w, 0)
    np.tensordot(m, B, 1)
    np.einsum('ij->ji', m)
    np.einsum('ij->', m)
    np.einsum('ij->j', m)
    np.einsum('ij', m)
    np.einsum('ji', m)
    np.einsum('ii', q)
    np.einsum('ii->i', q)
    np.einsum('iij->j', np.stack([q, r, q]))
    np.einsum('ij,ij->ij', m, n)
    np.einsum('ij,ij', m, n)
    np.einsum('ij,kj->ik', m, n)
    np.einsum('ij,jk', m, B)
    np.einsum('i,j->ij', v, w)
    np.einsum('i,j,k->', v, w, V)
    np.einsum('ij,j,i->', q, V[:3], v[:3])
    np.einsum('ii,jj->', q, r)
    np.einsum('ii,ij->j', q, r)
    np.einsum('i...->...', c)
    np.einsum('...j->...', c)
    np.einsum('...ij,...j->...i', c, v)
    np.einsum('...ij,...kj->...ik', c, m)
    np.einsum('ij...,j->i...', c, K * s)
    np.einsum('...,...', m, v)
    np.einsum('...,...->...', m, s)
    np.einsum('i...,i...->...', m[:, :1], n)
    np.einsum('ab, bc -> ac', m, B)
    np.einsum(m, [0, 1], [1, 0])
    np.einsum(m, [0, 1], n, [0, 1])
    np.einsum(m, [0, 1], B, [1, 2], [0, 2])
    np.einsum(c, [Ellipsis, 0, 1], v, [1], [Ellipsis, 0])
    np.einsum('ij,jk,kl->il', m, n.T, m, optimize=True)
    np.einsum('ij,kj->ik', m, m)
    np.einsum('bij,bjk->bik', c, np.swapaxes(c, 1, 2))
    np.einsum('ij->ij', m)
    np.einsum('i->', v)
    np.einsum(',->', s, s)
    np.einsum('...ii->...i', np.stack([q, r]))
""")

COMPARISONS = rows("""
    m > n
    m >= 0
    m < v
    m <= s
    m == n
    m != m
    0 < m
    m == None
    m == 'text'
    np.greater(m, n)
    np.less_equal(m, n)
    np.equal(m, A)
    np.logical_and(m > 0, n > 0)
    np.logical_or(m, n)
    np.logical_not(m)
    np.isnan(m)
    np.isfinite(m)
    np.isinf(m)
    np.isclose(m, n)
    np.isclose(a=m, b=n)
    np.allclose(m, m)
    np.array_equal(m, n)
    np.signbit(m)
    np.isreal(m)
    np.iscomplex(m)
    np.iscomplexobj(m)
    np.isrealobj(m)
    np.isin(m, A)
    np.shape(m)
    np.ndim(m)
    np.size(m)
    np.size(m, 1)
    m.shape
    m.ndim
    m.size
    m.nbytes
    m.itemsize
    m.dtype
    np.result_type(m, "f4")
    np.can_cast(m, "f4")
    len(m)
    0.5 in v
    v[2] in v
    s in [1.0, 1.3]
    s in (7,)
    bool(s)
    int(s)
    round(s)
    [k for k in range(int(s * 3))]
    __import__('math').floor(s)
    __import__('math').ceil(s)
    __import__('math').trunc(s)
    m.astype(int)
    (m > 0).sum()
    np.sum(m > 0)
    np.argmax(m, axis=1, keepdims=True)
    np.digitize(m, [-1.0, 0.0, 1.0])
    np.zeros_like(m).shape
    np.ones_like(m, dtype=bool)
    np.full_like(m, 2, dtype=int)
    isinstance(m.shape, tuple)
""")

COMPLEX = rows("""
    z + 1
    z * z
    1j * z
    z / (2 + z * z)
    z ** 2
    z ** 1.5
    -z
    abs(z)
    np.abs(z)
    np.conj(z)
    z.conj()
    z.real
    z.imag
    np.real(z) * np.imag(z)
    np.angle(z)
    np.angle(z, deg=True)
    np.exp(z)
    np.log(z)
    np.sqrt(z)
    np.square(z)
    np.sin(z)
    np.cos(z)
    np.tanh(z)
    np.sinh(z)
    np.reciprocal(z)
    np.sign(z)
    np.sum(z)
    np.mean(z, axis=0)
    np.var(z)
    np.std(z, axis=1)
    np.prod(z, axis=1)
    np.cumsum(z)
    z @ z.T
    z @ z.conj().T
    np.vdot(z, z)
    np.dot(z, m.T)
    m @ z.T
    np.einsum('ij,kj->ik', z, m)
    np.vecdot(z, z)
    z[I]
    z.reshape(-1)
    np.where(M, z, m)
    np.where(M, z, N)
    np.concatenate([z, N])
    np.concatenate([z, m])
    np.stack([m, z])
    z * m
    m + z
    m + 1j * n
    np.outer(z, v)
    np.linalg.norm(z)
    z.astype(np.complex64)
    np.diag(z)
    np.roll(z, 1)
    np.maximum(np.abs(z), 0.5)
    np.isreal(z)
    z == z
""")

ROWS = [
    *(ELEMENTWISE + SHAPES + INDEXING + REDUCTIONS + PRODUCTS + COMPARISONS + COMPLEX),
]


@pytest.mark.filterwarnings("ignore:Casting complex values")
@pytest.mark.parametrize("expression", ROWS)
def test_values_and_derivatives(expression, assert_derivatives):
    f, points = function_of(expression)
    # rounding to single precision is far above any difference quotient: its derivative is 1
    rounded = "float32" in expression or "complex64" in expression
    if rounded:
        _assert_single(f, points)
    else:
        assert_derivatives(f, *points)


def _assert_single(f, points):
    """A cast rounds the value; its derivative is that of the operation without the cast."""
    expected = f(*points)
    value, moved = cr.jvp(f, tuple(points), tuple(np.ones_like(p) for p in points))
    assert value.dtype == expected.dtype
    assert moved.dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)
    ahead, behind = (f(*[p + h for p in points]) for h in (0.5, -0.5))
    np.testing.assert_allclose(moved, ahead - behind, rtol=1e-5)  # all such rows are linear


SMOOTH = [
    row
    for row in ELEMENTWISE + SHAPES + INDEXING + REDUCTIONS + PRODUCTS + COMPLEX
    if "float32" not in row and "complex64" not in row
]


@pytest.mark.filterwarnings("ignore:Casting complex values")
@pytest.mark.parametrize("expression", SMOOTH[::3])
def test_second_derivatives(expression, assert_second_derivatives, leaves_of, inexact):
    """One row in three, of every family, by forward and reverse mode over reverse mode."""
    f, points = function_of(expression)
    if all(inexact(y) for y in leaves_of(f(*points))):
        assert_second_derivatives(f, *points)


@pytest.mark.parametrize("expression", ELEMENTWISE + SHAPES + INDEXING + REDUCTIONS + PRODUCTS)
def test_single_precision_stays_single(expression, leaves_of, inexact):
    """Values have the dtype that NumPy gives them, gradients that of their variables."""
    f, points = function_of(expression)
    singles = [np.float32(p) for p in points]
    value, pull = cr.vjp(f, *singles)
    for found, expected in zip(leaves_of(value), leaves_of(f(*singles)), strict=True):
        assert np.shape(found) == np.shape(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        # a thousand roundings in single precision; the rows have a few dozen
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    gs = [np.ones(np.shape(y), np.asarray(y).dtype) if inexact(y) else None for y in leaves_of(value)]
    assert all(g.dtype == np.float32 for g in pull(type(value)(gs) if len(gs) > 1 else gs[0]))


NUMERIC = [row for row in ROWS if not row.endswith(".dtype") and "result_type" not in row]


@pytest.mark.parametrize("expression", NUMERIC)
def test_recorded_values(expression, leaves_of):
    """A recording carries integers and truth values too, and computes the same."""
    f, points = function_of(expression)
    recording = record(f, tuple(points), {})
    found = [recording.values[edge] for edge in recording.graph.outputs]
    expected = leaves_of(f(*points))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13, equal_nan=True)
