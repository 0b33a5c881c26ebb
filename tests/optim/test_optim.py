"""Update rules against PyTorch over several steps, and their conduct on trees."""

import numpy as np
import pytest

from chainrule import optim, trees
from chainrule.errors import SettingError

STEPS = 12

# Each step rounds a few times, and the steps add up: some tens of ulps after twelve.
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-14}

RULES = {
    "sgd": (optim.sgd(0.1), "SGD", {"lr": 0.1}),
    "momentum": (optim.sgd(0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    "decay": (optim.sgd(0.1, weight_decay=0.01), "SGD", {"lr": 0.1, "weight_decay": 0.01}),
    "momentum and decay": (
        optim.sgd(0.05, momentum=0.8, weight_decay=0.1),
        "SGD",
        {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.1},
    ),
    "adam": (optim.adam(), "Adam", {}),
    "adam, other settings": (
        optim.adam(0.03, mean_decay=0.7, square_decay=0.95, epsilon=1e-3),
        "Adam",
        {"lr": 0.03, "betas": (0.7, 0.95), "eps": 1e-3},
    ),
}
each = pytest.mark.parametrize(("rule", "name", "settings"), RULES.values(), ids=RULES.keys())


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_agree_with_torch(rule, name, settings, dtype, rng, peer):
    torch = peer("torch")
    params = {"w": rng.standard_normal((3, 2)).astype(dtype), "b": np.zeros(2, dtype)}
    there = {key: torch.tensor(array, requires_grad=True) for key, array in params.items()}
    other = getattr(torch.optim, name)(there.values(), **settings)
    state = rule.init(params)
    for _ in range(STEPS):
        gradients = {k: rng.standard_normal(v.shape).astype(dtype) for k, v in params.items()}
        for key, gradient in gradients.items():
            there[key].grad = torch.tensor(gradient)
        other.step()
        params, state = rule.update(gradients, state, params)
    for key, array in params.items():
        assert array.dtype == dtype
        expected = there[key].detach().numpy()
        np.testing.assert_allclose(array, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@each
def test_update_changes_nothing_in_place(rule, name, settings, rng):
    params = [{"w": rng.standard_normal(3)}]
    gradients = [{"w": rng.standard_normal(3)}]
    state = rule.init(params)
    _, state = rule.update(gradients, state, params)
    before = trees.map(np.copy, (params, gradients, state))
    first, _ = rule.update(gradients, state, params)
    second, _ = rule.update(gradients, state, params)
    np.testing.assert_array_equal(first[0]["w"], second[0]["w"])
    after = trees.flatten((params, gradients, state))[0]
    for old, new in zip(trees.flatten(before)[0], after, strict=True):
        np.testing.assert_array_equal(old, new)


@each
def test_leaves_without_a_gradient_are_kept(rule, name, settings):
    params = {"w": np.ones(2), "width": 3, "name": "mlp", "bias": None}
    gradients = {"w": np.ones(2), "width": None, "name": None, "bias": None}
    state = rule.init(params)
    for _ in range(3):
        params, state = rule.update(gradients, state, params)
    assert (params["width"], params["name"], params["bias"]) == (3, "mlp", None)
    assert np.all(params["w"] < 1)


@each
def test_a_complex_bowl_is_descended(rule, name, settings):
    # The gradient of |z - c|² is 2 (z - c): ∂/∂Re + i ∂/∂Im.
    centre = np.array([1 - 2j, 0.5j])
    params, state = np.zeros(2, complex), rule.init(np.zeros(2, complex))
    for _ in range(5):
        params, state = rule.update(2 * (params - centre), state, params)
    assert np.all(np.abs(params - centre) < np.abs(centre))


def test_momentum_by_hand():
    rule = optim.sgd(0.5, momentum=0.5)
    params, state = np.array(0.0), rule.init(np.array(0.0))
    seen = []
    for gradient in (1.0, 1.0, 0.0):
        params, state = rule.update(np.array(gradient), state, params)
        seen.append(float(params))
    assert seen == [-0.5, -1.25, -1.625]  # velocities 1, 1.5, 0.75


def test_first_step_of_adam_has_the_length_of_the_learning_rate():
    rule = optim.adam(0.01, epsilon=0.0)
    params = np.zeros(3)
    moved, _ = rule.update(np.array([1e-6, -1.0, 1e6]), rule.init(params), params)
    # m̂ / √v̂ is ±1 up to the roundings of the corrections.
    np.testing.assert_allclose(moved, [-0.01, 0.01, -0.01], rtol=1e-12)


@pytest.mark.parametrize("build", [optim.sgd, optim.adam])
def test_settings_from_numpy_keep_float32(build):
    rule = build(np.float64(0.1))
    params = np.ones(2, np.float32)
    state = rule.init(params)
    # A state read from a file holds arrays where there were numbers.
    state = trees.map(np.asarray, state)
    moved, _ = rule.update(params, state, params)
    assert moved.dtype == np.float32


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: optim.sgd(-0.1), r"learning rate is -0.1. It must be at least 0 and finite"),
        (lambda: optim.sgd(float("nan")), r"learning rate is nan"),
        (lambda: optim.sgd(0.1, momentum=1.0), r"momentum is 1.0.*below 1"),
        (lambda: optim.sgd(0.1, weight_decay=-1), r"weight decay is -1"),
        (lambda: optim.adam(float("inf")), r"learning rate is inf"),
        (lambda: optim.adam(mean_decay=1.0), r"mean_decay is 1.0"),
        (lambda: optim.adam(square_decay=-0.1), r"square_decay is -0.1"),
        (lambda: optim.adam(epsilon=-1e-8), r"epsilon is -1e-08"),
    ],
)
def test_settings_out_of_range_get_a_sentence(build, sentence):
    with pytest.raises(SettingError, match=sentence):
        build()
