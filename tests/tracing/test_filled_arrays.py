"""New arrays that are filled inside the function: `like=`, `zeros_like` and chainrule.numpy."""

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy as cnp

GRID = np.ones((3, 4))


def fill_loop(x, w):
    y = np.zeros(5, like=x)
    y[0] = x[0, 0]
    for k in range(1, 5):
        y[k] = np.sin(y[k - 1]) * w[k - 1] + x[1, k - 1]
    return y


def fill_two_dimensions(x, w):
    y = np.zeros((3, 4), like=w)
    for i in range(3):
        for j in range(4):
            y[i, j] = x[i, j] * w[j] if x[i, j] > 0 else w[j]
    return y


def accumulate_in_loop(x, w):
    total = np.zeros_like(w)
    for row in x:
        total += row * w
        total[0] = total[0] ** 2
    return total


def created_like(x, w):
    parts = [
        np.ones(4, like=x),
        np.empty((2, 2), like=x),
        np.full(4, 2.0, like=x),
        np.eye(2, 4, like=x),
        np.identity(4, like=x),
        np.ones_like(w),
        np.full_like(x, 3.0),
        np.full_like(x, w[0]),
        np.empty_like(w, shape=(2, 3)),
    ]
    for part in parts:
        part[-1] = w[1]
        part[0] = x[0, 1]
    return [part[[0, -1]] for part in parts]


def filled_by_chainrule_numpy(x, w):
    np = cnp
    arrays = [
        np.zeros((3, 4)),
        np.ones(4),
        np.empty((2, 4)),
        np.full(4, 2.0),
        np.full((2, 2), w[0]),
        np.eye(4),
        np.identity(3),
        np.linspace(0.0, 1.0, 5),
        np.arange(4.0),
        np.zeros_like(GRID),
        np.ones_like(GRID[0]),
        np.full_like(GRID[0], 2.0),
        np.empty_like(GRID),
    ]
    for array in arrays:
        array[-1] = w[1]
        array[0] = x[0, 0] * w[2]
    total = np.zeros(4)
    for row in x:
        total += row * w
    return [*(array[[0, -1]] for array in arrays), total, np.array([w[0], x[1].sum(), 1.0])]


PROGRAMS = [f for f in tuple(globals().values()) if getattr(f, "__module__", None) == __name__]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program, assert_program):
    assert_program(program)


def test_chainrule_numpy_is_numpy_outside_of_transforms():
    for made, plain in (
        (cnp.zeros(3), np.zeros(3)),
        (cnp.full((2, 2), 3), np.full((2, 2), 3)),
        (cnp.arange(2, 8, 3), np.arange(2, 8, 3)),
        (cnp.array([[1, 2], [3, 4]], ndmin=3), np.array([[1, 2], [3, 4]], ndmin=3)),
        (cnp.asarray([1.5]), np.asarray([1.5])),
        (cnp.linspace(0, 1, 4), np.linspace(0, 1, 4)),
    ):
        assert type(made) is np.ndarray
        assert made.dtype == plain.dtype
        np.testing.assert_array_equal(made, plain)
    assert cnp.pi == np.pi
    assert cnp.linalg is np.linalg
    assert set(dir(np)) <= set(dir(cnp))


def test_integers_of_chainrule_numpy_stay_plain():
    def f(x):
        places = cnp.zeros(2, dtype=int)
        places[1] = 2
        assert type(cnp.arange(3)) is np.ndarray
        return np.sum(x[places])

    np.testing.assert_array_equal(cr.grad(f)(np.arange(3.0)), [1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda x: cnp.arange(x[0], x[1], x[2]),
        lambda x: cnp.arange(0.5, x[1]),
        lambda x: cnp.arange(x[1]),
        lambda x: cnp.linspace(x[0], x[1], 4),
        lambda x: cnp.asarray([[x[0], 2.0], [x[1], x[2]]]),
        lambda x: cnp.array([x, x * 2], ndmin=3),
        lambda x: cnp.array(x, dtype=np.complex128),
        lambda x: cnp.asarray(x, np.float64),
        lambda x: cnp.ascontiguousarray(x),
        lambda x: cnp.full((2, 3), x),
        lambda x: cnp.full_like(x, x[1]),
    ],
)
def test_creation_with_traced_values(make, assert_derivatives):
    assert_derivatives(make, np.array([0.3, 2.9, 0.7]))


def test_array_copies_and_asarray_does_not():
    def f(x):
        y = x * 1
        cnp.array(y)[0] = 7.0
        cnp.asarray(y)[1] = 7.0
        return y

    value, _ = cr.vjp(f, np.arange(3.0))
    np.testing.assert_array_equal(value, [0.0, 7.0, 2.0])
