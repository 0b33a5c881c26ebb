"""Explanations of any function: the steps add up to the engine's gradient and speak its names."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.explanation import explain
from chainrule.graph import registry


def gradients(explanation):
    """What every accumulator holds at the end."""
    return {step.target: step.value for step in explanation.steps if step.kind != "value"}


def layer_norm(x, scale):
    centred = x - np.mean(x, axis=1, keepdims=True)
    spread = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-3)
    return np.sum(np.tanh(scale * centred / spread))


def perceptron(params, x):
    hidden = np.maximum(0, x @ params["W"] + params["b"])
    scores = hidden @ params["V"]
    return np.mean(np.log(np.sum(np.exp(scores), axis=1)) - scores[:, 0])


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def branching(x):
    total = 0.0
    for k in range(4):
        total = total + (x**k if x > 1 else -x)
    return total / x


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (layer_norm, [(4, 3), (3,)]),
        (rosenbrock, [(6,)]),
        (branching, [()]),
        (lambda a, b: a @ b @ a, [(3,), (3, 3)]),
        (lambda x: np.max(x) * np.sum(np.sort(x)[1:]), [(5,)]),
        (lambda x: np.linalg.det(x) + np.trace(np.linalg.inv(x)), [(3, 3)]),
    ],
)
def test_the_accumulators_end_at_the_gradient(f, shapes, rng):
    args = [rng.uniform(0.5, 2.0, shape) for shape in shapes]
    expected = cr.grad(f, argnums=tuple(range(len(args))))(*args)
    explanation = explain(f, *args)
    found = gradients(explanation)
    inputs = explanation.steps[: len(args)]
    for start, gradient in zip(inputs, expected, strict=True):
        np.testing.assert_array_equal(found[start.target], gradient)


def test_every_contribution_is_what_it_says(rng):
    """before + contribution = value, and upstream · local = contribution entry by entry."""
    steps = explain(layer_norm, rng.normal(size=(4, 3)), rng.normal(size=3)).steps
    contributions = [step for step in steps if step.kind == "contribution"]
    held = {step.target: step.value for step in steps if step.kind in ("start", "seed")}
    assert len(contributions) > 10
    for step in contributions:
        np.testing.assert_array_equal(step.before, held[step.target])
        np.testing.assert_array_equal(step.before + step.contribution, step.value)
        held[step.target] = step.value
        if step.local is not None and "Σ" not in step.text:
            np.testing.assert_array_equal(step.upstream * step.local, step.contribution)


def test_every_value_is_computed_from_the_operands_before_it(rng):
    for step in explain(rosenbrock, rng.normal(size=4)).steps:
        if step.kind == "value" and registry[step.operation].form == "elementwise":
            again = registry[step.operation].compute(*step.operands)
            np.testing.assert_array_equal(again, step.value)


def test_leaves_of_a_tree_are_named_by_their_path(rng):
    params = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "V": rng.normal(size=(4, 2))}
    x = rng.normal(size=(5, 3))
    found = gradients(explain(perceptron, params, x))
    expected = cr.grad(perceptron)(params, x)
    for name in params:
        np.testing.assert_array_equal(found[f"dy/dparams['{name}']"], expected[name])


def test_the_table_in_full():
    def f(x, w):
        return np.sum(w * x) / 2

    assert explain(f, np.array([1.0, -2.0]), 3.0).table() == (
        "given\n"
        "  x = [1, -2]\n"
        "  w = 3\n"
        "forward\n"
        "  dy/dx ← 0 (2,)\n"
        "  dy/dw ← 0\n"
        "  u1 = w · x = 3 · [1, -2] = [3, -6]\n"
        "  dy/du1 ← 0 (2,)\n"
        "  u2 = sum(u1) = sum([3, -6]) = -3\n"
        "  dy/du2 ← 0\n"
        "  y = u2 / 2 = -3 / 2 = -1.5\n"
        "  dy/dy ← 0\n"
        "backward\n"
        "  dy/dy ← 1\n"
        "  dy/du2 ← dy/du2 + dy/dy · 0.5 = 0 + 1 · 0.5 = 0.5\n"
        "  dy/du1 ← dy/du1 + broadcast(dy/du2) = [0, 0] + [0.5, 0.5] = [0.5, 0.5]\n"
        "  dy/dw ← dy/dw + Σ(dy/du1 · x) = 0 + (-0.5) = -0.5"
        "                       multiply gate: swap multiplier\n"
        "  dy/dx ← dy/dx + dy/du1 · w = [0, 0] + [0.5, 0.5] · 3 = [1.5, 1.5]"
        "       multiply gate: swap multiplier\n"
        "gradients\n"
        "  dy/dx = [1.5, 1.5]\n"
        "  dy/dw = -0.5\n"
        "Σ(…): the sum over the axes along which NumPy repeated the input"
    )


def test_large_arrays_are_abbreviated_with_their_shape(rng):
    x, c = rng.normal(size=(50, 40)), rng.normal(size=(40, 30))
    table = explain(lambda x: np.sum(np.tanh(x @ c)), x).table()
    assert max(map(len, table.splitlines())) < 200
    assert re.search(r"^  u1 = x @ c1 = \[\[.*….*\]\] \(50, 30\)$", table, re.MULTILINE)
    assert re.search(r"^  c1 = \[\[.*….*\]\] \(40, 30\)$", table, re.MULTILINE)
    assert re.search(r"^  dy/dx ← dy/dx \+ dy/du1 @ c1ᵀ = \[\[.*\]\] \(50, 40\)$", table, re.M)


def test_a_tie_is_shared_and_shown():
    step = explain(lambda x: np.maximum(x, 2), 2.0).steps[-1]
    assert step.text == "dy/dx ← dy/dx + dy/dy · ([x > 2] + [x = 2] / 2) = 0 + 1 · 0.5 = 0.5"


def test_a_gradient_that_ends_is_told_with_the_reason():
    steps = explain(lambda x: np.floor(x) * x, 2.5).steps
    assert [step.text for step in steps if step.kind == "stop"] == [
        "dy/du1 ends at floor: piecewise constant"
    ]
    assert steps[-2].value == 2.0


def test_a_value_that_nothing_uses_keeps_its_zero():
    def f(x):
        np.sin(x)
        return 3 * x

    explanation = explain(f, 1.0)
    assert gradients(explanation) == {"dy/dx": 3.0, "dy/du1": 0.0, "dy/dy": 1.0}


@pytest.mark.parametrize(("f", "value"), [(lambda x: x, 1.0), (lambda x: 4.0, 0.0)])
def test_results_that_are_an_argument_or_a_constant(f, value):
    explanation = explain(f, 5.0)
    assert gradients(explanation)[explanation.steps[0].target] == value
    assert f"= {value:g}" in explanation.table().splitlines()[-1]


def test_names_avoid_those_of_the_user():
    def f(y, u1):
        return (y + u1) * y

    targets = [step.target for step in explain(f, 1.0, 2.0).steps if step.kind == "value"]
    assert targets == ["u2", "f"]
    assert explain(np.tanh, 0.5).steps[-1].target == "dy/dx"
    assert explain(lambda *xs: xs[0] * xs[1], 1.0, 2.0).steps[0].target == "dy/dxs1"


def test_a_factor_that_overflows_against_zero_shows_the_strong_zero():
    step = explain(lambda x: 0.0 * np.sqrt(x), 0.0).steps[-1]
    assert (step.upstream, step.local, step.contribution) == (0.0, np.inf, 0.0)


def test_the_operation_with_several_outputs(rng):
    a = rng.normal(size=(3, 3))
    a = a @ a.T + np.eye(3)

    def f(a):
        values, vectors = np.linalg.eigh(a)
        return values[0] * vectors[0, 0] ** 2

    explanation = explain(f, a)
    np.testing.assert_array_equal(gradients(explanation)["dy/da"], cr.grad(f)(a))
    # an eigenvector's square has no sign that could differ
    direction = rng.normal(size=(3, 3))
    direction = direction + direction.T
    h = 1e-5
    slope = (f(a + h * direction) - f(a - h * direction)) / (2 * h)
    assert np.sum(gradients(explanation)["dy/da"] * direction) == pytest.approx(slope, rel=1e-6)


def test_a_checkpointed_function_is_one_step():
    explanation = explain(lambda x: cr.checkpoint(lambda u: np.exp(np.sin(u)))(x), 0.5)
    assert [step.operation for step in explanation.steps if step.kind == "value"] == ["checkpoint"]
    expected = np.exp(np.sin(0.5)) * np.cos(0.5)
    assert gradients(explanation)["dy/dx"] == pytest.approx(expected, rel=1e-15)


def test_long_chains_are_explained_without_recursion():
    def f(x):
        for _ in range(1500):
            x = 0.5 * x + 1
        return x

    steps = explain(f, 1.0).steps
    assert len(steps) == 1 + 2 * 3000 + 1 + 3000
    assert steps[-1].value == 0.5**1500


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: (x, x), r"test_explain.py:\d+: the function returns 2 arrays"),
        (lambda x: x > 0, r"test_explain.py:\d+: the result is bool"),
        (lambda x: x * 1j, r"test_explain.py:\d+: the result is complex128"),
    ],
)
def test_results_that_have_no_gradient_are_refused(f, message):
    with pytest.raises(errors.OutputError, match=message):
        explain(f, 1.0)


def test_arguments_without_a_number_are_refused():
    with pytest.raises(errors.InputError, match="integers"):
        explain(lambda x: x * x, 3)
