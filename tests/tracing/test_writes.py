"""In-place writes, against the same code on NumPy.

Each program takes `x` (3 × 4) and `w` (4), writes into arrays it makes from them, and returns what
the writes left behind.
"""

import numpy as np
import pytest


def entry(x, w):
    y = x.copy()
    y[1, 2] = w[0] * x[0, 0]
    return y * x


def several_entries(x, w):
    y = x * 1.0
    y[0] = w
    y[:, 1] = 2.0
    y[-1, ::2] = x[0, :2] ** 2
    y[..., 3] = w[1]
    return y


def broadcast_value(x, w):
    y = np.zeros_like(x)
    y[:] = w
    y[1:] += w * x[1:]
    y[:, :2] = x[:, :1]
    return y


def list_value(x, w):
    y = np.zeros_like(x)
    y[0] = [w[0], 2.0, x[1, 1], 0]
    y[1:, 0] = (w[1], x[0, 0] * x[0, 1])
    return y


def whole_numbers(x, w):
    y = x * w
    y[0] = np.array([1, 2, 3, 4])
    y[1, [0, 2]] = np.array([5, 6])
    y[1, 1] = np.int64(3)
    y[2, 1:] = [7, 8, 9]
    y[x > 1] = True
    y[2] += np.arange(4)
    np.copyto(y[0], np.arange(4), where=np.array([True, False, False, True]))
    return y * x


def mask(x, w):
    y = x + w
    y[x > 0.5] = 0.0
    y[y < -1] *= 2
    y[:, np.array([True, False, True, False])] = w[:1]
    return y * x


def mask_with_values(x, w):
    y = np.zeros_like(x)
    y[x > 0] = x[x > 0] ** 2
    y[x <= 0] = np.exp(x[x <= 0])
    return y


def fancy(x, w):
    y = x.copy()
    y[[2, 0]] = x[:2] * w
    y[[0, 1], [3, 2]] = w[:2]
    y[np.array([[0], [1]]), np.array([0, 1])] = x[1:, 2:]
    return y


def repeated_positions_take_the_last(x, w):
    y = x.copy()
    y[0, [1, 2, 1, 1]] = w * x[0]
    y[[2, 2]] = x[:2]
    return y


def repeated_positions_add_once(x, w):
    y = x.copy()
    y[0, [1, 1, 2]] += w[:3] * x[1, :3]
    return y


def add_at(x, w):
    y = x.copy()
    np.add.at(y, (0, [1, 1, 2]), w[:3] * x[1, :3])
    np.subtract.at(y, [2, 2], w)
    np.add.at(y, (slice(None), 0), 1.0)
    np.multiply.at(y, (1, [0, 3]), w[:2])
    np.add.at(y, [1, 1], [1.0, 2.0, 3.0, 4.0])
    return y


def augmented(x, w):
    y = x.copy()
    y += w
    y *= 2
    y -= x[0]
    y /= 1 + x**2
    y **= 2
    y[1] *= w
    y[:, 0] -= 1
    y[2, 3] **= 3
    y[0, 1] /= w[0]
    return y


def augmented_remainders(x, w):
    y = np.abs(x) + 1.05
    y %= 0.7
    z = np.abs(x) + 1.05
    z //= 0.7
    return y + z * w


def matmul_in_place(x, w):
    y = x[:, :3].copy()
    y @= x[:, 1:]
    return y


def out_of_ufuncs(x, w):
    y = np.zeros_like(x)
    back = np.add(x, w, out=y)
    np.multiply(y, x, out=y)
    np.exp(y[0], out=y[1])
    np.sin(x[2], y[2])
    z = np.zeros_like(x)
    np.add(1.0, w, out=(z,))
    return back * z


def out_of_functions(x, w):
    y = np.zeros_like(x)
    np.sum(x, axis=0, out=y[0])
    np.mean(x, 0, None, y[1])
    np.clip(x[0], -1.0, 1.0, out=y[2])
    x.cumsum(axis=1, out=y[:, :])
    np.dot(x, np.eye(4), y)
    np.take(x, [0, 1, 2, 3], axis=1, out=y)
    np.concatenate([x[:1], x[1:]], out=y)
    z = np.zeros(3, like=x)
    np.max(x, 1, z)
    x.sum(1, None, z)
    np.add.reduce(x, axis=1, out=z)
    np.einsum("ij,j->i", x, w, out=z)
    return y, z


def where_of_ufuncs(x, w):
    y = x * 2
    np.log(x, out=y, where=x > 0)
    np.sqrt(x, where=x > 0, out=y)
    z = np.zeros_like(x)
    np.divide(w, x, out=z, where=np.abs(x) > 0.5)
    return y * z


def writing_functions(x, w):
    y = np.zeros_like(x)
    np.copyto(y, w)
    np.copyto(y, x, where=x > 0)
    np.put(y, [0, 5], [w[0], 2.0])
    np.putmask(y, x > 1, w * x)
    np.fill_diagonal(y, w[:3])
    np.put_along_axis(y, np.array([[1], [2], [0]]), x[:, :1], axis=1)
    return y


def fill(x, w):
    y = np.empty_like(x)
    y.fill(w[0])
    y.flat[3] = x[0, 0]
    z = x.copy()
    z.flat = 2 * w[1]
    z.sort()
    return y * w + z


def sorted_in_place(x, w):
    y = x * w
    y.sort()
    z = x.copy()
    z.sort(axis=0)
    return y * z


def zero_dimensional_target(x, w):
    y = np.zeros((), like=x)
    y[...] = w[0]
    y[()] = y * x[0, 0]
    return y * 1


def writes_to_the_argument(x, w):
    old = x * 1
    x[0] = w
    x *= 2
    w[1] = old[1, 1]
    return x * old, w


def condition_on_written_values(x, w):
    y = x.copy()
    for i in range(3):
        if y[i, 0] > 0:
            y[i] *= w
        y[(i + 1) % 3, 0] = y[i].sum()
    while y[0, 0] < 3:
        y[0, 0] = y[0, 0] * 2 + 1
    first = y[0, :1]
    y[0, 0] = 0.0
    if not first:  # the truth of a view is that of what was written since
        y[1] *= w
    return y


def scalars_are_rebound(x, w):
    a = x[0, 0]
    b = a
    a += 1
    a *= w[0]
    c = x.sum()
    c -= b
    return x * a + b * c


PROGRAMS = [f for f in tuple(globals().values()) if getattr(f, "__module__", None) == __name__]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program, assert_program):
    assert_program(program)
