"""How many operations derivatives cost, by arrays that count.

Source: Griewank & Walther, Evaluating Derivatives, chapters 3 and 4: a forward derivative costs
at most 2.5 times the function, a gradient at most 5 times, for any number of variables.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

Function = Callable[..., Any]
Cost = Callable[..., Any]
SIZES = (3, 30, 300)


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rational(x: Any) -> Any:
    y = np.exp(-x) * np.sin(x) / (1.0 + x**2)
    return np.mean(y * np.sqrt(1.0 + y**2))


def network(x: Any) -> Any:
    h = np.tanh(np.multiply.outer(x, WEIGHTS[0]))
    return np.sum(np.tanh(h @ WEIGHTS[1]) ** 2)


WEIGHTS = (np.linspace(-1, 1, 4), np.linspace(-1, 1, 16).reshape(4, 4))
FUNCTIONS = {"rosenbrock": rosenbrock, "rational": rational, "network": network}


def gradient(f: Function) -> Function:
    """The gradient with its seed, which has to count too."""
    return lambda x, seed: cr.vjp(f, x)[1](seed)


def point(size: int) -> np.ndarray:
    return np.linspace(0.1, 0.9, size)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_reverse_gradient_costs_a_constant_independent_of_the_dimension(
    name: str, cost: Cost
) -> None:
    f = FUNCTIONS[name]
    gradients = [cost(gradient(f), point(d), 1.0).operations for d in SIZES]
    functions = [cost(f, point(d)).operations for d in SIZES]
    assert gradients[0] == gradients[1] == gradients[2]
    assert gradients[0] <= 5 * functions[0]
    for d in SIZES:
        # Counted in entries, a little room for what does not grow with d.
        entries = cost(gradient(f), point(d), 1.0).entries
        assert entries <= 5 * cost(f, point(d)).entries + 50


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_forward_jacobian_runs_the_function_once_for_all_variables(name: str, cost: Cost) -> None:
    """The directions go together: as many operations for 8 variables as for 4, of larger arrays."""
    f = FUNCTIONS[name]
    operations = []
    for d in (4, 8):
        runs = []

        def watched(x: Any, runs: list[int] = runs) -> Any:
            runs.append(1)
            return f(x)

        x = point(d)
        one = cost(lambda x, t: cr.jvp(f, (x,), (t,)), x, np.ones(d))
        assert one.operations <= 3 * cost(f, x).operations  # with the check of products for NaN
        found = cost(cr.jacobian(watched, mode="forward"), x)
        assert len(runs) == 1
        operations.append(found.operations)
        assert found.entries <= d * one.entries + 2 * d * d  # and the result itself
    assert operations[0] == operations[1]


def test_reverse_mode_runs_the_function_once() -> None:
    runs = []

    def watched(x: Any) -> Any:
        runs.append(1)
        return rosenbrock(x)

    cr.grad(watched)(point(50))
    assert len(runs) == 1
    runs.clear()
    cr.hvp(watched)(point(50), np.ones(50))
    assert len(runs) == 1


def test_auto_takes_the_cheaper_mode() -> None:
    runs = []

    def watched(x: Any, rows: int) -> Any:
        runs.append(1)
        return np.ones((rows, x.size)) @ x

    cr.jacobian(lambda x: watched(x, 2))(np.ones(9))
    assert len(runs) == 1  # two rows walked back
    runs.clear()
    cr.jacobian(lambda x: watched(x, 9))(np.ones(2))
    assert len(runs) <= 3  # two columns, after one look at the size of the result


def test_a_hessian_product_costs_a_constant(cost: Cost) -> None:
    costs = [
        cost(lambda x: cr.hvp(rosenbrock)(x, np.ones(len(x))), point(d)).operations for d in SIZES
    ]
    assert costs[0] == costs[1] == costs[2]
    assert costs[0] <= 3 * 5 * cost(rosenbrock, point(3)).operations


def test_a_graph_with_2_to_the_1000_paths(cost: Cost) -> None:
    def doubled(x: Any) -> Any:
        for _ in range(1000):
            x = x + x
        return x

    assert float(cr.grad(doubled)(1.0)) == 2.0**1000
    assert float(cr.jvp(doubled, (1.0,), (1.0,))[1]) == 2.0**1000
    count = cost(gradient(doubled), 1.0, 1.0)
    assert count.names["add"] == 2000  # once each on the way there, once on the way back
    assert count.operations <= 2010


def test_a_diamond_is_walked_once(cost: Cost) -> None:
    def fan(uses: int) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            shared = np.exp(np.sin(x))
            return sum((k + 1.0) * shared for k in range(uses))

        return f

    x = np.array([0.3, 0.4])
    for uses in (1, 2, 8):
        total = uses * (uses + 1) / 2
        slope = cr.elementwise_grad(fan(uses))(x)
        np.testing.assert_allclose(slope, total * np.exp(np.sin(x)) * np.cos(x), rtol=1e-14)
        names = cost(gradient(fan(uses)), x, np.ones(2)).names
        assert (names["exp"], names["sin"], names["cos"]) == (1, 1, 1)
    more = cost(gradient(fan(8)), x, np.ones(2)).operations
    fewer = cost(gradient(fan(7)), x, np.ones(2)).operations
    assert more - fewer <= 5  # one multiplication and one sum, there and back


def test_what_does_not_depend_on_the_variable_costs_nothing_on_the_way_back(cost: Cost) -> None:
    def f(x: Any, a: Any) -> Any:
        for _ in range(50):
            a = np.sin(a)
        return np.sum(a * x)

    x, a = np.ones(3), np.ones(3)
    assert "cos" not in cost(cr.grad(f), x, a).names
    assert cost(cr.grad(f), x, a).operations <= cost(f, x, a).operations + 5


def test_only_the_wanted_derivative_is_computed(cost: Cost) -> None:
    def f(a: Any, b: Any) -> Any:
        return np.sum(a @ b)

    a, b = np.ones((3, 4)), np.ones((4, 5))
    assert cost(cr.grad(f, 0), a, b).names["matmul"] == 2
    assert cost(cr.grad(f, (0, 1)), a, b).names["matmul"] == 3
