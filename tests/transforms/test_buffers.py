"""Plain arrays that the function reuses do not change its gradient behind its back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

SIZES = {"copied": 4, "above the limit of copies": 10_000}


def _reuses(size: int) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        buffer = np.empty(size)
        total = 0.0
        for k in range(1, 4):
            buffer[:] = k
            total = total + k * np.sum(buffer * x**2)
        return total  # (1 + 4 + 9) Σx²

    return f


def test_a_buffer_used_three_times_in_reverse_mode() -> None:
    x = np.arange(4.0)
    np.testing.assert_array_equal(cr.grad(_reuses(4))(x), 28 * x)
    np.testing.assert_array_equal(cr.hessian(_reuses(4))(x), 28 * np.eye(4))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_buffer_used_three_times_in_forward_mode(size: int) -> None:
    x = np.linspace(-1, 1, size)
    _, slope = cr.jvp(_reuses(size), (x,), (np.ones(size),))
    np.testing.assert_allclose(slope, 28 * np.sum(x), atol=1e-9)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_buffer_used_three_times_in_a_pullback_that_is_kept(size: int) -> None:
    x = np.linspace(-1, 1, size)
    _, pull = cr.vjp(_reuses(size), x)
    for _ in range(2):
        np.testing.assert_allclose(pull(1.0)[0], 28 * x, rtol=1e-13)


def test_a_large_buffer_that_is_written_again_is_an_error_that_names_both_lines() -> None:
    f = _reuses(10_000)
    with pytest.raises(cr.errors.MutationError, match="copy") as caught:
        cr.grad(f)(np.ones(10_000))
    loop = f.__code__.co_firstlineno + 3
    assert f"test_buffers.py:{loop + 1} before" in str(caught.value)  # buffer[:] = k
    assert f"test_buffers.py:{loop + 2} is written" in str(caught.value)  # buffer * x**2


def test_large_arrays_can_be_written_again_afterwards() -> None:
    a, x = np.ones(10_000), np.ones(10_000)
    view = a[::2]
    cr.grad(lambda x: np.sum(a * x) + np.sum(view * x[::2]))(x)
    a[:] = 2.0
    view[:] = 3.0
    assert (a[0], a[1]) == (3.0, 2.0)
    with pytest.raises(ZeroDivisionError):
        cr.grad(lambda x: np.sum(a * x) / (1 // 0))(x)
    a[:] = 4.0


def test_the_variable_itself_may_be_changed_after_the_call() -> None:
    x = np.ones(3)
    _, pull = cr.vjp(lambda x: x**2, x)
    x[:] = 100.0
    np.testing.assert_array_equal(pull(np.ones(3))[0], [2.0, 2.0, 2.0])


def test_a_gradient_does_not_share_memory_with_what_went_in() -> None:
    x, a = np.ones(3), np.arange(3.0)
    gradient = cr.grad(lambda x: np.sum(x * a))(x)
    gradient[:] = -1.0
    np.testing.assert_array_equal(a, np.arange(3.0))
    np.testing.assert_array_equal(cr.grad(lambda x: np.sum(x))(x) * 2, [2.0, 2.0, 2.0])
