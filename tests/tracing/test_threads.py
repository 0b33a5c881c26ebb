"""Gradients in several threads and contexts do not see each other."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy as cnp
from chainrule import errors

SIZES = [3, 10, 10_000]  # the largest is above the size up to which operands are copied


def loss(x, scale):
    y = cnp.zeros(x.shape)
    y[::2] = x[::2] * scale[::2]
    y[1::2] = np.sin(x[1::2])
    return np.sum(y**2) * np.mean(scale * x)


def test_gradients_in_a_pool_are_those_of_one_thread():
    rng = np.random.default_rng(5)
    shared = {size: rng.normal(size=size) for size in SIZES}
    points = [(rng.normal(size=size), shared[size]) for size in SIZES * 20]
    gradient = cr.grad(loss)
    expected = [gradient(*point) for point in points]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda point: gradient(*point), points))
        seconds = list(pool.map(lambda p: cr.hvp(loss)(p[0], p[1], p[0]), points[:2] * 5))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, (x, scale) in zip(seconds, points[:2] * 5, strict=True):
        np.testing.assert_array_equal(a, cr.hvp(loss)(x, scale, x))
    assert all(array.flags.writeable for array in shared.values())


def test_a_function_may_use_threads_itself():
    def f(x):
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda k: np.sin(x[k]) * x[k], range(len(x))))
        return np.sum(np.array(parts))

    x = np.linspace(0.1, 2.0, 20)
    np.testing.assert_allclose(cr.grad(f)(x), np.cos(x) * x + np.sin(x), rtol=1e-14)


def test_an_error_in_one_thread_stays_there():
    def bad(x):
        return float(x[0])

    def run(k):
        if k % 2:
            with pytest.raises(errors.ConversionError):
                cr.grad(bad)(np.ones(3))
            return None
        return cr.grad(loss)(np.ones(4), np.ones(4))

    expected = cr.grad(loss)(np.ones(4), np.ones(4))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(run, range(40)):
            if found is not None:
                np.testing.assert_array_equal(found, expected)


def test_a_copied_context_runs_beside_the_transform():
    """Code that a transform hands to another context still makes arrays of that transform."""

    def f(x):
        def part():
            y = cnp.zeros(2)
            y[0] = x[0] ** 2
            return y[0]

        return contextvars.copy_context().run(part) + x[1]

    np.testing.assert_array_equal(cr.grad(f)(np.array([3.0, 1.0])), [6.0, 1.0])
    assert type(cnp.zeros(2)) is np.ndarray


def test_tasks_of_asyncio_do_not_mix():
    async def gradient(k):
        await asyncio.sleep(0)
        x = np.arange(3.0) + k
        found = cr.grad(lambda x: np.sum(x**2))(x)
        await asyncio.sleep(0)
        return np.array_equal(found, 2 * x)

    async def together():
        return await asyncio.gather(*(gradient(k) for k in range(20)))

    assert all(asyncio.run(together()))


def test_a_thread_that_does_not_know_of_its_transform_is_told_so():
    """It begins with an empty context, so what chainrule.numpy makes there is plain."""

    def f(x):
        def part():
            y = cnp.zeros(2)
            y[0] = x[0] ** 2
            return y[0]

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(part).result()

    with pytest.raises(errors.WriteError, match=r"this thread .*copy_context"):
        cr.grad(f)(np.array([3.0, 1.0]))
