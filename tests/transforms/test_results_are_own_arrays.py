"""What a transform returns belongs to the caller: writable, and shared with nobody."""

import numpy as np

import chainrule as cr


def test_equal_cotangents_are_two_arrays(rng):
    x, y = rng.normal(size=3), rng.normal(size=3)
    gx, gy = cr.grad(lambda x, y: np.sum((x + y) ** 2), argnums=(0, 1))(x, y)
    expected = gy.copy()
    gx *= 0.0
    np.testing.assert_array_equal(gy, expected)


def test_a_broadcast_cotangent_can_be_written():
    gradient = cr.grad(np.sum)(np.ones(3))
    gradient[0] = 5.0
    np.testing.assert_array_equal(gradient, [5.0, 1.0, 1.0])


def test_a_pullback_does_not_hand_back_its_argument(rng):
    x, g = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
    _, pull = cr.vjp(lambda x: x.T, x)
    (found,) = pull(g)
    found *= 0.0
    assert np.all(g != 0.0)
    _, pull = cr.vjp(lambda x: +x, x)
    (found,) = pull(x)
    assert not np.shares_memory(found, x)


def test_a_value_does_not_share_memory_with_the_argument(rng):
    x = rng.normal(size=3)
    value, _ = cr.vjp(lambda x: x, x)
    assert not np.shares_memory(value, x)
    value, _ = cr.jvp(lambda x: x[1:], (x,), (np.ones(3),))
    assert not np.shares_memory(value, x)


def test_gradients_of_gradients_are_written_apart(rng):
    def outer(x):
        gx, gy = cr.grad(lambda a, b: np.sum((a + b) ** 2), argnums=(0, 1))(x, 2 * x)
        gx[0] = 0.0
        return np.sum(gy)

    np.testing.assert_allclose(cr.grad(outer)(rng.normal(size=3)), np.full(3, 6.0))
