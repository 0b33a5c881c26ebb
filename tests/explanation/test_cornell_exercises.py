"""The two exercises of the Cornell lecture, every step in order, with its accumulators."""

import numpy as np

from chainrule.explanation import explain, explain_assigned

RELU_LAYER = [
    "dy/dW ← 0",
    "dy/dx ← 0",
    "dy/db ← 0",
    "u1 = W · x = 2 · 3 = 6",
    "dy/du1 ← 0",
    "u2 = u1 + b = 6 + 1 = 7",
    "dy/du2 ← 0",
    "y = max(0, u2) = max(0, 7) = 7",
    "dy/dy ← 0",
    "dy/dy ← 1",
    "dy/du2 ← dy/du2 + dy/dy · [u2 > 0] = 0 + 1 · 1 = 1",
    "dy/du1 ← dy/du1 + dy/du2 · 1 = 0 + 1 · 1 = 1",
    "dy/db ← dy/db + dy/du2 · 1 = 0 + 1 · 1 = 1",
    "dy/dW ← dy/dW + dy/du1 · x = 0 + 1 · 3 = 3",
    "dy/dx ← dy/dx + dy/du1 · W = 0 + 1 · 2 = 2",
]
NON_TREE = [
    "dy/dx ← 0",
    "u = x + 1 = 17 + 1 = 18",
    "dy/du ← 0",
    "y = x · u = 17 · 18 = 306",
    "dy/dy ← 0",
    "dy/dy ← 1",
    "dy/dx ← dy/dx + dy/dy · u = 0 + 1 · 18 = 18",
    "dy/du ← dy/du + dy/dy · x = 0 + 1 · 17 = 17",
    "dy/dx ← dy/dx + dy/du · 1 = 18 + 17 · 1 = 35",
]


def relu_layer(W, x, b):
    return np.maximum(0, W * x + b)


def two_steps(x):
    u = x + 1
    return [u, x * u]


def test_exercise_backprop_every_step_in_order():
    assert [step.text for step in explain(relu_layer, 2.0, 3.0, 1.0).steps] == RELU_LAYER


def test_exercise_backprop_as_data():
    steps = explain(relu_layer, 2.0, 3.0, 1.0).steps
    assert [step.kind for step in steps[3:]] == (
        ["value", "start"] * 3 + ["seed"] + ["contribution"] * 5
    )
    values = [(step.operation, step.operands, step.value) for step in steps if step.kind == "value"]
    assert values == [
        ("multiply", (2.0, 3.0), 6.0),
        ("add", (6.0, 1.0), 7.0),
        ("maximum", (0, 7.0), 7.0),
    ]
    weight = steps[-2]
    assert (weight.target, weight.operation) == ("dy/dW", "multiply")
    assert (weight.upstream, weight.local, weight.contribution) == (1.0, 3.0, 3.0)
    assert (weight.before, weight.value, weight.local_text) == (0.0, 3.0, "x")
    assert [step.gate for step in steps if step.kind == "contribution"] == [
        "max gate: router",
        "add gate: distributor",
        "add gate: distributor",
        "multiply gate: swap multiplier",
        "multiply gate: swap multiplier",
    ]


def test_exercise_2_every_step_in_order():
    explanation = explain_assigned(two_steps, {"x": 17.0}, ["u", "y"])
    assert [step.text for step in explanation.steps] == NON_TREE


def test_exercise_2_the_accumulator_of_x_goes_from_0_to_18_to_35():
    steps = explain_assigned(two_steps, {"x": 17.0}, ["u", "y"]).steps
    assert [step.value for step in steps if step.target == "dy/dx"] == [0.0, 18.0, 35.0]
    last = steps[-1]
    assert (last.before, last.upstream, last.local, last.contribution) == (18.0, 17.0, 1.0, 17.0)
    assert last.gate == "add gate: distributor, copy gate: adder"


def test_general_shapes():
    """H = max(0, Wx + b) on arrays: ∂/∂b = [Wx + b > 0], ∂/∂W = (∂/∂b) xᵀ, ∂/∂x = Wᵀ (∂/∂b)."""
    W, x, b = np.array([[1.0, 2.0], [-3.0, 1.0]]), np.array([1.0, 2.0]), np.array([0.0, 0.5])
    explanation = explain(lambda W, x, b: np.maximum(0, W @ x + b), W, x, b)
    last = {step.target: step.value for step in explanation.steps}
    active = np.array([1.0, 0.0])
    np.testing.assert_array_equal(last["dy/db"], active)
    np.testing.assert_array_equal(last["dy/dW"], np.outer(active, x))
    np.testing.assert_array_equal(last["dy/dx"], W.T @ active)
    assert "y has shape (2,): these are the gradients of the sum of y" in explanation.table()
