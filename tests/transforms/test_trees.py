"""What goes in and comes out: trees, positions of arguments, keywords, auxiliary results."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as cr


class Layer(NamedTuple):
    weight: Any
    bias: Any


def _network(p: dict[str, Any], x: Any) -> Any:
    hidden = np.tanh(x @ p["first"].weight + p["first"].bias)
    return np.sum(hidden @ p["rest"][0] * p["scale"])


@pytest.fixture
def parameters(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "first": Layer(rng.normal(size=(3, 4)), rng.normal(size=4)),
        "rest": [rng.normal(size=(4, 2)), None],
        "scale": 0.5,
        "count": 7,
        "name": "net",
        "mask": np.array([True, False]),
    }


def test_a_gradient_has_the_structure_of_its_argument(
    rng: np.random.Generator, parameters: dict[str, Any]
) -> None:
    x = rng.normal(size=(5, 3))
    gradient = cr.grad(_network)(parameters, x)
    assert set(gradient) == set(parameters)
    assert isinstance(gradient["first"], Layer)
    assert gradient["rest"][1] is gradient["count"] is gradient["name"] is gradient["mask"] is None
    hidden = np.tanh(x @ parameters["first"].weight + parameters["first"].bias)
    ones = np.ones((5, 2))
    back = 0.5 * (ones @ parameters["rest"][0].T) * (1 - hidden**2)
    np.testing.assert_allclose(gradient["first"].weight, x.T @ back, rtol=1e-12)
    np.testing.assert_allclose(gradient["first"].bias, back.sum(0), rtol=1e-12)
    np.testing.assert_allclose(gradient["rest"][0], 0.5 * hidden.T @ ones, rtol=1e-12)
    np.testing.assert_allclose(gradient["scale"], np.sum(hidden @ parameters["rest"][0]))
    assert np.shape(gradient["scale"]) == ()


def test_whole_numbers_and_truth_values_pass_through() -> None:
    gradient = cr.grad(lambda p: np.sum(p["x"][p["mask"]] * p["n"]))(
        {"x": np.array([1.0, 2.0]), "n": 3, "mask": np.array([True, False])}
    )
    np.testing.assert_array_equal(gradient["x"], [3.0, 0.0])
    assert gradient["n"] is None
    assert gradient["mask"] is None


def test_positions_of_arguments() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return a * b**2 * c**3

    point = (2.0, 3.0, 5.0)
    wanted = (3.0**2 * 125.0, 2 * 2.0 * 3.0 * 125.0, 3 * 2.0 * 9.0 * 25.0)
    for position in (0, 1, 2, -1, -3):
        assert float(cr.grad(f, position)(*point)) == wanted[position]
    assert tuple(map(float, cr.grad(f, (2, 0))(*point))) == (wanted[2], wanted[0])
    assert tuple(map(float, cr.grad(f, (-1,))(*point))) == (wanted[2],)
    value, (first, last) = cr.value_and_grad(f, (0, -1))(*point)
    assert (float(value), float(first), float(last)) == (2250.0, wanted[0], wanted[2])


def test_positions_count_in_every_transform() -> None:
    def f(a: Any, b: Any) -> Any:
        return a * b**2

    np.testing.assert_array_equal(cr.jacobian(f, -1)(np.ones(2), 3.0), [6.0, 6.0])
    left, right = cr.jacobian(f, (0, 1), mode="forward")(np.ones(2), 3.0)
    np.testing.assert_array_equal(left, 9 * np.eye(2))
    np.testing.assert_array_equal(right, [6.0, 6.0])
    assert float(cr.hessian(f, 1)(5.0, 3.0)) == 10.0
    assert float(cr.hvp(f, 1)(5.0, 3.0, 2.0)) == 20.0
    np.testing.assert_array_equal(cr.elementwise_grad(f, 1)(5.0, np.array([1.0, 2.0])), [10, 20])


def test_a_hessian_of_two_arguments_has_four_blocks() -> None:
    blocks = cr.hessian(lambda a, b: a**2 * b**3, (0, 1))(2.0, 3.0)
    assert [[float(h) for h in row] for row in blocks] == [[54.0, 108.0], [108.0, 72.0]]


def test_keyword_arguments_are_handed_on_and_not_differentiated() -> None:
    def f(x: Any, *, power: float, shift: Any = 0.0) -> Any:
        return np.sum(x**power + shift * x)

    x, shift = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    expected = 3 * x**2 + shift
    np.testing.assert_array_equal(cr.grad(f)(x, power=3, shift=shift), expected)
    _, pull = cr.vjp(lambda x, scale=2.0: x * scale, x, scale=5.0)
    np.testing.assert_array_equal(pull(np.ones(2))[0], [5.0, 5.0])
    _, slope = cr.jvp(f, (x,), (np.ones(2),), power=3, shift=shift)
    assert float(slope) == np.sum(expected)
    np.testing.assert_array_equal(cr.hvp(f)(x, np.ones(2), power=3), 6 * x)


def test_an_auxiliary_result_comes_back_plain_and_as_a_tree() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        return np.sum(y), {"sines": y, "count": 3, "pair": [x, "text"]}

    x = np.array([0.1, 0.2, 0.3])
    value, gradient, extra = cr.value_grad_and_aux(f)(x)
    assert float(value) == np.sum(np.sin(x))
    np.testing.assert_array_equal(gradient, np.cos(x))
    assert type(extra["sines"]) is np.ndarray
    np.testing.assert_array_equal(extra["sines"], np.sin(x))
    np.testing.assert_array_equal(extra["pair"][0], x)
    assert (extra["count"], extra["pair"][1]) == (3, "text")


def test_an_auxiliary_result_inside_another_derivative_keeps_its_dependence() -> None:
    def f(x: Any) -> Any:
        _, slope, cube = cr.value_grad_and_aux(lambda u: (u**2, u**3))(x)
        return slope * cube  # 2x · x³, of which the derivative is 8x³

    assert float(cr.grad(f)(2.0)) == 64.0


def test_trees_of_results_in_vjp_jvp_and_jacobian() -> None:
    def f(x: Any) -> dict[str, Any]:
        return {"square": x**2, "rest": [np.sum(x), 4]}

    x = np.array([1.0, 2.0])
    value, pull = cr.vjp(f, x)
    assert value["rest"][1] == 4
    (g,) = pull({"square": np.ones(2), "rest": [10.0, None]})
    np.testing.assert_array_equal(g, 2 * x + 10)
    value, moved = cr.jvp(f, (x,), (np.array([1.0, 0.0]),))
    np.testing.assert_array_equal(moved["square"], [2.0, 0.0])
    assert float(moved["rest"][0]) == 1.0
    assert moved["rest"][1] is None
    for mode in ("forward", "reverse"):
        blocks = cr.jacobian(lambda x: {"a": x**2, "b": np.sum(x)}, mode=mode)(x)
        np.testing.assert_array_equal(blocks["a"], np.diag(2 * x))
        np.testing.assert_array_equal(blocks["b"], [1.0, 1.0])


def test_a_jacobian_of_a_tree_with_respect_to_a_tree() -> None:
    def f(p: dict[str, Any]) -> list[Any]:
        return [p["a"] * p["b"], p["a"] + 1.0]

    p = {"a": np.array([1.0, 2.0]), "b": 3.0}
    for mode in ("forward", "reverse"):
        first, second = cr.jacobian(f, mode=mode)(p)
        np.testing.assert_array_equal(first["a"], 3 * np.eye(2))
        np.testing.assert_array_equal(first["b"], [1.0, 2.0])
        np.testing.assert_array_equal(second["a"], np.eye(2))
        np.testing.assert_array_equal(second["b"], np.zeros(2))


def test_python_control_flow_and_arguments_that_return_unchanged() -> None:
    def f(x: Any) -> Any:
        total, power = 0.0, x
        while power < 100.0:
            total, power = total + power, power * x
        return total

    # 3 + 9 + 27 + 81, of which the derivative is 1 + 2·3 + 3·9 + 4·27.
    assert [float(v) for v in cr.value_and_grad(f)(3.0)] == [120.0, 142.0]
    assert float(cr.grad(lambda x: x)(3.0)) == 1.0
    assert float(cr.grad(lambda x, y: x, 1)(3.0, 4.0)) == 0.0
    np.testing.assert_array_equal(cr.jacobian(lambda x: x)(np.ones(2)), np.eye(2))


def test_constants_among_the_results():
    """Arrays that no variable reached, of several shapes."""

    def f(x):
        return x * 2, np.zeros_like(x), np.zeros((2, 2), like=x)

    value, pull = cr.vjp(f, np.ones(3))
    np.testing.assert_array_equal(pull(tuple(np.ones_like(v) for v in value))[0], np.full(3, 2.0))
