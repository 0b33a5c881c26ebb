"""What does not depend contributes exactly nothing, in both modes and at both orders."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Function = Callable[..., Any]
NESTINGS = list(itertools.product(["forward", "reverse"], repeat=2))


def first(f: Function, mode: Any) -> Function:
    return cr.jacobian(f, mode=mode)


def second(f: Function, outer: Any, inner: Any) -> Function:
    return cr.jacobian(cr.jacobian(f, mode=inner), mode=outer)


@pytest.mark.parametrize(("outer", "inner"), NESTINGS)
def test_hessian_of_half_log_squared_at_its_minimum(outer: str, inner: str) -> None:
    # f' = log(x)/x, f'' = (1 - log x)/x²: 1 at 1, where one factor of the chain rule is exactly 0.
    f = second(lambda x: 0.5 * np.log(x) ** 2, outer, inner)
    assert float(f(1.0)) == 1.0


# The function, the first and the second derivative at 0.
AT_THE_ORIGIN: dict[str, tuple[Function, Any, Any, Any]] = {
    "sqrt of a square": (lambda x: np.sqrt(x**2), 0.0, 0.0, np.inf),
    "x sqrt x": (lambda x: x * np.sqrt(x), 0.0, 0.0, np.inf),
    "x squared": (lambda x: x**2, 0.0, 0.0, 2.0),
    "x to the power 1": (lambda x: x**1, 0.0, 1.0, 0.0),
    "x to the power 0": (lambda x: x**0, 0.0, 0.0, 0.0),
    "sine of a square": (lambda x: np.sin(x * x), 0.0, 0.0, 2.0),
}


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("name", AT_THE_ORIGIN)
def test_both_modes_agree_at_both_orders_at_the_origin(name: str) -> None:
    f, x, slope, curvature = AT_THE_ORIGIN[name]
    assert [float(first(f, mode)(x)) for mode in ("forward", "reverse")] == [slope, slope]
    found = [float(second(f, outer, inner)(x)) for outer, inner in NESTINGS]
    assert found == [curvature] * 4


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_both_modes_agree_for_the_length_of_the_zero_vector() -> None:
    def length(x: Any) -> Any:
        return np.sqrt(np.sum(x**2))

    x = np.zeros(2)
    for mode in ("forward", "reverse"):
        np.testing.assert_array_equal(first(length, mode)(x), np.zeros(2))
    hessians = [second(length, outer, inner)(x) for outer, inner in NESTINGS]
    for hessian in hessians:
        np.testing.assert_array_equal(hessian, hessians[0])
    np.testing.assert_array_equal(np.diag(hessians[0]), [np.inf, np.inf])


# A function of x > 0 that is infinite or NaN at 0 or below, with its derivatives.
PARTIAL: dict[str, tuple[Function, Function, Function]] = {
    "log": (np.log, lambda x: 1 / x, lambda x: -1 / x**2),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), lambda x: -0.25 / x**1.5),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3),
    "real power": (lambda x: x**1.5, lambda x: 1.5 * x**0.5, lambda x: 0.75 / x**0.5),
    "x log x": (lambda x: x * np.log(x), lambda x: np.log(x) + 1, lambda x: 1 / x),
    "log of log": (
        lambda x: np.log(np.log(1 + x)),
        lambda x: 1 / ((1 + x) * np.log(1 + x)),
        lambda x: -(np.log(1 + x) + 1) / ((1 + x) * np.log(1 + x)) ** 2,
    ),
    "overflow": (
        lambda x: np.exp(-1000 / x),
        lambda x: 1000 / x**2 * np.exp(-1000 / x),
        lambda x: (1e6 / x**4 - 2000 / x**3) * np.exp(-1000 / x),
    ),
}
POINTS = np.array([2.0, 0.0, -1.0, 0.5])  # good, infinite, NaN, good


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the function itself leaves its domain
@pytest.mark.parametrize("name", PARTIAL)
def test_the_branch_that_is_not_taken_gives_nothing(name: str) -> None:
    f, slope, curvature = PARTIAL[name]

    def total(x: Any) -> Any:
        return np.sum(np.where(x > 0, f(x), 3 * x))

    good = POINTS > 0
    expected = np.where(good, 0.0, 3.0)
    expected[good] = slope(POINTS[good])
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(first(total, mode)(POINTS), expected, rtol=1e-13)
    expected = np.zeros(4)
    expected[good] = curvature(POINTS[good])
    for outer, inner in NESTINGS:
        hessian = second(total, outer, inner)(POINTS)
        np.testing.assert_allclose(hessian, np.diag(expected), rtol=1e-12, err_msg=f"{outer}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("outer", "inner"), NESTINGS)
def test_an_infinite_value_that_is_indexed_away(outer: str, inner: str) -> None:
    f = second(lambda x: np.sum(np.log(x)[1:]), outer, inner)
    np.testing.assert_array_equal(f(np.array([0.0, 2.0])), [[0.0, 0.0], [0.0, -0.25]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_factor_of_exactly_zero_stops_an_infinite_derivative() -> None:
    # d/dx [0 · log x] = 0 · 1/x: structurally 0, also at x = 0.
    for mode in ("forward", "reverse"):
        assert float(first(lambda x: np.log(x) * np.zeros(()), mode)(0.0)) == 0.0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_real_singularity_stays_one() -> None:
    for mode in ("forward", "reverse"):
        assert float(first(np.sqrt, mode)(0.0)) == np.inf
        assert float(first(np.log, mode)(0.0)) == np.inf
        assert np.isnan(first(np.log, mode)(np.nan))


def test_a_missing_dependence_is_a_zero_of_the_right_shape_and_dtype() -> None:
    def f(p: dict[str, Any]) -> Any:
        return np.sum(p["used"] ** 2)

    p = {"used": np.ones(2, np.float32), "unused": np.ones((2, 3), np.float32)}
    gradient = cr.grad(f)(p)
    np.testing.assert_array_equal(gradient["unused"], np.zeros((2, 3)))
    assert gradient["unused"].dtype == np.float32
