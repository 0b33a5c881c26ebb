"""Layers and initialisers against their formulas and against PyTorch."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.errors import SettingError


def test_linear_is_h_w_plus_b(rng):
    h, w, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
    product = np.array(
        [[sum(h[n, i] * w[i, j] for i in range(3)) for j in range(2)] for n in range(4)]
    )
    # Sums of three products, rounded in another order.
    np.testing.assert_allclose(nn.linear(h, w), product, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(nn.linear(h, w, b), product + b, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(nn.linear(h[0], w, b), product[0] + b, rtol=1e-14, atol=1e-15)


def test_linear_gradients_have_their_closed_forms(rng):
    h, w, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
    g = rng.standard_normal((4, 2))
    gradients = cr.grad(lambda *args: np.sum(g * nn.linear(*args)), argnums=(0, 1, 2))(h, w, b)
    for gradient, expected in zip(gradients, (g @ w.T, h.T @ g, g.sum(axis=0)), strict=True):
        # The same sums of at most four terms, perhaps in another order.
        np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("bias", [True, False])
def test_perceptron_and_its_gradient_agree_with_torch(bias, rng, peer):
    torch = peer("torch")
    layers = nn.init_mlp([4, 6, 5, 3], rng=rng, bias=bias)
    x, y = rng.standard_normal((8, 4)), rng.integers(0, 3, 8)
    there = [{k: torch.tensor(v, requires_grad=True) for k, v in layer.items()} for layer in layers]
    h = torch.tensor(x)
    for i, layer in enumerate(there):
        h = h @ layer["weight"] + layer.get("bias", 0)
        h = torch.relu(h) if i < 2 else h
    torch.nn.functional.cross_entropy(h, torch.tensor(y)).backward()

    gradients = cr.grad(lambda layers: nn.cross_entropy(nn.mlp(layers, x), y))(layers)
    assert [set(layer) for layer in gradients] == [{"weight", "bias"} if bias else {"weight"}] * 3
    for gradient, layer in zip(gradients, there, strict=True):
        for name, array in gradient.items():
            # Three matrix products of up to eight terms, summed in another order.
            np.testing.assert_allclose(array, layer[name].grad.numpy(), rtol=1e-11, atol=1e-15)


def test_activation_of_a_perceptron_can_be_chosen(rng):
    layers = nn.init_mlp([2, 3, 1], rng=rng, initialiser=nn.glorot_uniform)
    x = rng.standard_normal((5, 2))
    expected = np.tanh(x @ layers[0]["weight"]) @ layers[1]["weight"]
    np.testing.assert_array_equal(nn.mlp(layers, x, nn.tanh), expected)
    cr.check_grads(lambda layers: nn.mlp(layers, x, nn.tanh), (layers,), order=2)


def test_float32_layers_stay_float32(rng):
    layers = nn.init_mlp([2, 3, 1], rng=rng, dtype=np.float32)
    x = rng.standard_normal((5, 2)).astype(np.float32)
    gradients = cr.grad(lambda layers: np.sum(nn.mlp(layers, x)))(layers)
    for layer, gradient in zip(layers, gradients, strict=True):
        assert {array.dtype for array in (*layer.values(), *gradient.values())} == {np.dtype("f4")}


def test_initialisers_have_the_spread_of_their_formulas(rng):
    inputs, outputs = 400, 600
    uniform = nn.glorot_uniform((inputs, outputs), rng=rng)
    bound = np.sqrt(6 / (inputs + outputs))
    assert np.abs(uniform).max() <= bound
    normal = nn.he_normal((inputs, outputs), rng=rng)
    # From 240,000 draws a deviation is known to 1/√(2·240000) = 0.15 %, a mean to 0.2 % of it:
    # five times that.
    for weight, deviation in ((uniform, bound / np.sqrt(3)), (normal, np.sqrt(2 / inputs))):
        np.testing.assert_allclose(weight.std(), deviation, rtol=0.0075)
        assert abs(weight.mean()) < 0.01 * deviation
    # A bell has 31.7 % outside one deviation, a box 42.3 %: 240,000 draws tell them apart.
    assert abs(np.mean(np.abs(normal) > normal.std()) - 0.317) < 0.01


@pytest.mark.parametrize("initialiser", [nn.glorot_uniform, nn.he_normal, nn.zeros])
def test_initialisers_are_exchangeable_and_repeatable(initialiser):
    first, second = (
        initialiser((3, 2), rng=np.random.default_rng(1), dtype=np.float32) for _ in range(2)
    )
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


def test_layers_of_a_perceptron_differ_and_start_with_biases_of_zero(rng):
    first, second = nn.init_mlp([3, 3, 3], rng=rng)
    assert not np.array_equal(first["weight"], second["weight"])
    np.testing.assert_array_equal(first["bias"], np.zeros(3))


def test_a_perceptron_of_one_width_gets_a_sentence(rng):
    with pytest.raises(SettingError, match=r"widths \[3\]. Give at least two"):
        nn.init_mlp([3], rng=rng)
