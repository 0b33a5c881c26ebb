"""Views: what is written through one is seen by all the others, as in NumPy.

Each program takes `x` (3 × 4) and `w` (4) and returns what its writes left behind in arrays, their
views and their copies.
"""

import numpy as np
import pytest


def slices_of_slices(x, w):
    y = x.copy()
    v = y[1:][:, 1:][::-1]
    v[0] = w[:3]
    v[:, 0] *= 2
    return y, v


def row_views(x, w):
    y = x.copy()
    for k, row in enumerate(y):
        row *= k + 1
        row[k] = w[k]
    for row, other in zip(y, x, strict=True):
        row += other
    return y


def transposed_views(x, w):
    y = x.copy()
    y.T[0] = w[0]
    np.transpose(y)[1, 2] = w[1]
    y.swapaxes(0, 1)[2] *= 3
    np.moveaxis(y[None], 0, -1)[0, 3, 0] = w[2] * x[0, 0]
    np.rollaxis(y, 1)[3][:2] = w[:2]
    y.mT[3, 2] = 7.0
    return y


def reshaped_views(x, w):
    y = x.copy()
    y.reshape(-1)[5] = w[0]
    y.reshape(2, 6)[1] *= w[1]
    np.reshape(y, (6, 2))[:, 1] += 1
    y.ravel()[0] = w[2]
    np.ravel(y)[-1] = w[3]
    y[:, None].squeeze()[1, 1] = 4.0
    np.expand_dims(y, 0)[0, 2, 2] = w[0] * w[1]
    np.squeeze(y[None])[0, 3] *= 2
    np.atleast_2d(y)[0, 1] = 5.0
    return y


def views_by_cutting(x, w):
    y = x.copy()
    left, right = np.split(y, 2, axis=1)
    left *= 2
    right[0] = w[:2]
    np.flip(y)[0, 0] = 3.0
    np.flipud(y)[0, 1] = w[1]
    np.array_split(y, 2)[1][:] += x[2]
    return y * right.sum()


def copies_are_not_views(x, w):
    y = x.copy()
    y.flatten()[0] = 100.0
    y.T.reshape(-1)[1] = 100.0
    y.T.ravel()[2] = 100.0
    y[[0, 1]][0] = 100.0
    y[x > 0][0] = 100.0
    np.take(y, 0, axis=0)[0] = 100.0
    np.tile(y, 1)[0] = 100.0
    np.concatenate([y])[0] = 100.0
    np.clip(y, None, 1e9)[0] = 100.0
    np.conj(y)[0] = 100.0
    np.round(y)[0] = 100.0
    np.prod(y[:, :1], axis=1)[0] = 100.0
    np.repeat(y, 1)[0] = 100.0
    np.broadcast_to(y, (2, 3, 4)).copy()[0] = 100.0
    y.astype(float)[0] = 100.0
    np.positive(y)[0] = 100.0
    (+y)[0] = 100.0
    np.array(y, like=y)[0] = 100.0
    np.sum(y[None], axis=0)[0] = 100.0
    return y * w


def aliases_are_the_same_array(x, w):
    y = x.copy()
    z = y
    z[0] = w
    y.real[1] = w
    np.asarray(y, like=y)[2, 0] = w[0]
    y.astype(float, copy=False)[2, 1] = 5.0
    z += 1
    return y * z


def base_writes_are_seen_by_views(x, w):
    y = x.copy()
    row, column, flat, turned = y[1], y[:, 2], y.reshape(-1), y.T
    diagonal, wide = np.diagonal(y), np.broadcast_to(y, (2, 3, 4))
    y[1] = w
    y *= 2
    return row, column * x[:, 0], flat, turned, diagonal, wide


def view_writes_are_seen_by_all(x, w):
    y = x.copy()
    row, column, flat = y[1], y[:, 2], y.reshape(4, 3).T.reshape(-1)
    part = y[1:, 1:]
    row[2] = w[0]
    column += x[:, 0]
    part[0] = w[1:]
    first = row * 2
    part *= part
    return y, row, column, flat, part, first


def old_copies_keep_their_values(x, w):
    y = x.copy()
    copy, double, row = y.copy(), y * 2, y[0] + 0
    y[0] = w
    later = y.copy()
    y[1] = 0.0
    return copy * x, double, row, later, y


def overlap(x, w):
    y = x.copy()
    y[:, 1:] = y[:, :-1]
    y[:-1] += y[1:]
    y[0, ::-1] = y[0]
    y.T[...] = y.T * 2
    return y


def self_assignment(x, w):
    y = x.copy()
    y[...] = y
    y[1] = y[1]
    y[1:] = y[1:]
    return y


def views_without_dimensions(x, w):
    y = x.copy()
    one = y[0, 1, ...]
    one += 2.0
    one[...] = one * w[0]
    other = y[2:, 3:].reshape(())
    other *= 3
    squeezed = y[1:2, 1:2].squeeze()
    y[1, 1] = w[1]
    return y, one, other, squeezed


def complex_parts(x, w):
    y = x + 1j * w
    y.real[0] = w
    y.imag *= 2
    y.real = y.real + 1
    y.imag[1, 2] = x[0, 0]
    np.real(y)[2] += w
    y[1] = 1j * y[2]
    return y


def deep_view_chain(x, w):
    y = x.reshape(-1) * 1
    v = y
    for _ in range(200):
        v = v[::-1].reshape(3, 4).T.T.reshape(12)
    v[0] = w[0]
    y[5] = w[1]
    return y, v * 2


PROGRAMS = [f for f in tuple(globals().values()) if getattr(f, "__module__", None) == __name__]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program, assert_program):
    assert_program(program)
