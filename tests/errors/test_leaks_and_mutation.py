"""Values used after their transform, and operands written while they are recorded."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

V = np.array([1.0, 2.0, 3.0])


def leaked_from_a_gradient():
    kept = []
    cr.grad(lambda x: (kept.append(x * 2), np.sum(x))[1])(V)
    return kept[0] + 1  # <-


def leaked_from_forward_mode():
    kept = []
    cr.jvp(lambda x: (kept.append(x * 2), np.sum(x))[1], (V,), (V,))
    return np.sin(kept[0])  # <-


def leaked_from_an_inner_gradient():
    def outer(x):
        kept = []
        cr.grad(lambda u: (kept.append(u * x[0]), u * u)[1])(1.0)
        return np.sum(x) * kept[0]  # <-

    return cr.grad(outer)(V)


def leaked_view():
    kept = []

    def f(x):
        y = x * 2
        kept.append(y[1:])
        y[1] = 0.0
        return np.sum(y)

    cr.grad(f)(V)
    return kept[0] * 2  # <-


@pytest.mark.parametrize(
    "leak",
    [leaked_from_a_gradient, leaked_from_forward_mode, leaked_from_an_inner_gradient, leaked_view],
)
def test_leaks(leak, place_of):
    with pytest.raises(errors.LeakError) as caught:
        leak()
    assert isinstance(caught.value, RuntimeError)
    assert place_of(leak) in str(caught.value)
    assert "stop_gradient(x)" in str(caught.value)


def mutation(x, big):
    y = np.sum(x * big)
    big[0] = 7.0  # <-
    return y


def test_a_large_operand_that_is_written_names_both_lines(place_of):
    big = np.ones(100_000)
    with pytest.raises(errors.MutationError) as caught:
        cr.grad(mutation)(np.ones(100_000), big)
    message = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert place_of(mutation) in message
    assert place_of(mutation, mark="x * big") in message
    assert "copy" in message
    assert big.flags.writeable
    big[0] = 2.0


def test_a_small_operand_may_be_written():
    small = np.ones(3)
    np.testing.assert_array_equal(cr.grad(mutation)(V, small), np.ones(3))
    np.testing.assert_array_equal(small, [7.0, 1.0, 1.0])


@pytest.mark.parametrize(
    "use",
    [
        lambda x, buffer: x[buffer],
        lambda x, buffer: np.take(x, buffer),
        lambda x, buffer: np.where(buffer > 0, x, 0.0),
        lambda x, buffer: np.add.reduce(x * buffer),
        lambda x, buffer: np.einsum("i,i->", x, buffer),
        lambda x, buffer: x @ buffer,
        lambda x, buffer: np.abs(x) ** buffer,
        lambda x, buffer: np.bincount(buffer, weights=x),
        lambda x, buffer: np.roll(x, buffer.tolist()[0]),
    ],
)
def test_what_is_read_later_is_captured(use):
    """Indices and factors that the code overwrites afterwards, as reused work arrays are."""

    def f(x, overwrite):
        buffer = np.array([2, 0, 1])
        y = np.sum(use(x, buffer) * np.arange(1.0, 4.0))
        if overwrite:
            buffer[:] = 1
        return y

    np.testing.assert_array_equal(cr.grad(f)(V, True), cr.grad(f)(V, False))
    for mode in ("forward", "reverse"):
        once, twice = (
            cr.jacobian(cr.grad(lambda x, o=overwrite: f(x, o)), mode=mode)(V)
            for overwrite in (False, True)
        )
        np.testing.assert_array_equal(once, twice)


def test_operands_of_every_kind_are_captured_by_value(tmp_path):
    """Read-only views of a buffer, subclasses and transposes: the gradient is that of the ones."""
    mapped = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=(3,))
    for buffer in (np.ones(3), mapped):
        for view in (np.broadcast_to, lambda a, shape: a[::-1], lambda a, shape: a):
            buffer[:] = 1.0

            def f(x, view=view, buffer=buffer):
                y = np.sum(x * view(buffer, (2, 3)))
                buffer[:] = 5.0
                return y

            np.testing.assert_array_equal(cr.grad(f)(np.ones((2, 3))), np.ones((2, 3)))


@pytest.mark.parametrize("size", [3, 100_000])
def test_a_buffer_reused_in_a_loop(size):
    """The gradient is that of the values that were used; large buffers must not be reused."""

    def f(x, buffer):
        total = 0.0
        for k in range(3):
            buffer[:] = k + 1.0
            total = total + np.sum(x * buffer)
        return total

    x, buffer = np.ones(size), np.zeros(size)
    if size == 3:
        np.testing.assert_array_equal(cr.grad(f)(x, buffer), np.full(3, 6.0))
    else:
        with pytest.raises(errors.MutationError):
            cr.grad(f)(x, buffer)
        assert buffer.flags.writeable


def test_writability_comes_back_after_success_and_after_an_error():
    owner = np.ones((300, 400))
    view, frozen = owner[10:], np.ones(100_000)
    frozen.flags.writeable = False

    def f(x, fail):
        y = np.sum(x * owner) + np.sum(x[10:] * view) + np.sum(frozen) + np.sum(x[0] * owner[1])
        assert not owner.flags.writeable
        return y.foo if fail else y

    for fail in (False, True):
        if fail:
            with pytest.raises(AttributeError, match="'foo'"):
                cr.grad(f)(np.ones((300, 400)), fail)
        else:
            cr.grad(f)(np.ones((300, 400)), fail)
        assert owner.flags.writeable
        assert view.flags.writeable
        assert not frozen.flags.writeable
        owner[0, 0] += 1.0
