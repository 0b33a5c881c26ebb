"""Losses against PyTorch, closed forms, plain loops and finite differences."""

import numpy as np
import pytest
import scipy.special

import chainrule as cr
from chainrule import nn
from chainrule.errors import LabelError, SettingError

CLASSES = 5


@pytest.fixture
def scores(rng):
    return rng.standard_normal((7, CLASSES))


@pytest.fixture
def labels(rng):
    return rng.integers(0, CLASSES, 7)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_and_its_gradient_agree_with_torch(smoothing, scores, labels, peer):
    torch = peer("torch")
    there = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(
        there, torch.tensor(labels), label_smoothing=smoothing
    )
    expected.backward()
    value, gradient = cr.value_and_grad(
        lambda scores: nn.cross_entropy(scores, labels, smoothing=smoothing)
    )(scores)
    # Sums of a few dozen terms of size 1 in another order.
    np.testing.assert_allclose(value, expected.item(), rtol=1e-14)
    np.testing.assert_allclose(gradient, there.grad.numpy(), rtol=1e-12, atol=1e-16)


def test_cross_entropy_gradient_is_softmax_minus_one_hot_over_n(scores, labels):
    gradient = cr.grad(nn.cross_entropy)(scores, labels)
    one_hot = np.eye(CLASSES)[labels]
    expected = (scipy.special.softmax(scores, axis=-1) - one_hot) / len(labels)
    # The difference of two numbers below 1, each a few roundings off.
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-15)


def test_cross_entropy_stays_finite_for_a_hopeless_score():
    value, gradient = cr.value_and_grad(nn.cross_entropy)(np.array([[0.0, 1e4]]), np.array([0]))
    assert value == 1e4
    np.testing.assert_array_equal(gradient, [[-1, 1]])


def test_hinge_loss_agrees_with_torch(scores, labels, peer):
    torch = peer("torch")
    there = torch.tensor(scores, requires_grad=True)
    # PyTorch divides the sum over the classes by their number.
    expected = CLASSES * torch.nn.functional.multi_margin_loss(there, torch.tensor(labels))
    expected.backward()
    value, gradient = cr.value_and_grad(nn.hinge_loss)(scores, labels)
    # Thirty-five terms of size 1, summed in another order.
    np.testing.assert_allclose(value, expected.item(), rtol=1e-14)
    np.testing.assert_allclose(gradient, there.grad.numpy(), rtol=1e-14, atol=1e-16)


def test_hinge_loss_is_the_sum_over_the_other_classes(scores, labels):
    expected = np.mean(
        [
            sum(max(0, s[j] - s[y] + 1) for j in range(CLASSES) if j != y)
            for s, y in zip(scores, labels, strict=True)
        ]
    )
    # Thirty-five terms of size 1, summed in another order.
    np.testing.assert_allclose(nn.hinge_loss(scores, labels), expected, rtol=1e-14)


def test_hinge_loss_has_derivative_zero_where_the_margin_is_just_met():
    gradient = cr.grad(nn.hinge_loss)(np.array([[2.0, 1.0, 1.5]]), np.array([0]))
    np.testing.assert_array_equal(gradient, [[-1, 0, 1]])


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.hinge_loss])
def test_one_example_with_one_label_needs_no_batch(loss, scores, labels):
    expected = np.mean([loss(row, int(label)) for row, label in zip(scores, labels, strict=True)])
    # A mean of seven numbers, rounded in another order.
    np.testing.assert_allclose(loss(scores, labels), expected, rtol=1e-14)
    assert loss(scores, list(labels)) == loss(scores, labels)


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.hinge_loss])
def test_losses_on_scores_have_right_derivatives(loss, scores, labels):
    cr.check_grads(lambda s: loss(s, labels), (scores,), order=2)


def test_half_squared_error_and_mean_squared_error(rng):
    f, y = rng.standard_normal((2, 3, 4))
    value, gradient = cr.value_and_grad(nn.half_squared_error)(f, y)
    # Twelve terms in another order, then the difference itself.
    np.testing.assert_allclose(value, sum(d * d for d in (f - y).flat) / 2, rtol=1e-14)
    np.testing.assert_allclose(gradient, f - y, rtol=1e-15)
    value, gradient = cr.value_and_grad(nn.mean_squared_error)(f, y)
    np.testing.assert_allclose(value, sum(d * d for d in (f - y).flat) / 12, rtol=1e-14)
    np.testing.assert_allclose(gradient, (f - y) / 6, rtol=1e-14)


def test_the_derivative_with_respect_to_the_target_is_the_opposite(rng):
    f, y = rng.standard_normal((2, 3))
    to_prediction, to_target = cr.grad(nn.half_squared_error, argnums=(0, 1))(f, y)
    np.testing.assert_array_equal(to_prediction, -to_target)


def test_l2_penalty_counts_matrices_and_leaves_biases_free(rng):
    layers = nn.init_mlp([3, 4, 2], rng=rng)
    first, second = (layer["weight"] for layer in layers)
    value, gradients = cr.value_and_grad(nn.l2_penalty)(layers, 0.1)
    # Twenty terms in another order.
    np.testing.assert_allclose(value, 0.05 * (np.sum(first**2) + np.sum(second**2)), rtol=1e-14)
    for layer, gradient in zip(layers, gradients, strict=True):
        np.testing.assert_allclose(gradient["weight"], 0.1 * layer["weight"], rtol=1e-15)
        np.testing.assert_array_equal(gradient["bias"], np.zeros_like(layer["bias"]))


def test_l2_penalty_can_count_vectors_and_numbers():
    assert nn.l2_penalty({"w": np.array([3.0, 4.0]), "b": 2.0}, 1.0, minimum_axes=1) == 12.5
    assert nn.l2_penalty({"w": np.array([3.0, 4.0]), "b": 2.0}, 1.0, minimum_axes=0) == 14.5


def test_l2_penalty_of_a_tree_without_weights_says_so():
    with pytest.raises(SettingError, match=r"None of the 1 leaves has 2 or more axes.*Pass the"):
        nn.l2_penalty({"w": np.ones(3)}, 0.1)


@pytest.mark.parametrize(
    "loss",
    [
        lambda s: nn.cross_entropy(s, [0, 1]),
        lambda s: nn.cross_entropy(s, [0, 1], smoothing=0.1),
        lambda s: nn.hinge_loss(s, [0, 1]),
        lambda s: nn.half_squared_error(s, np.zeros((2, 3), np.float32)),
        lambda s: nn.mean_squared_error(s, np.zeros((2, 3), np.float32)),
        lambda s: nn.l2_penalty(s, 0.1),
    ],
    ids=["cross-entropy", "smoothed", "hinge", "half squared", "mean squared", "l2"],
)
def test_float32_stays_float32(loss, rng):
    value, gradient = cr.value_and_grad(loss)(rng.standard_normal((2, 3)).astype(np.float32))
    assert value.dtype == np.float32
    assert gradient.dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 5], r"5 classes, so labels run from 0 to 4, but these run from 0 to 5"),
        ([-1, 0], r"run from -1 to 0. Number the classes from 0"),
        ([0.0, 1.0], r"have the type float64. Convert them with labels.astype\(int\)"),
        ([True, False], r"have the type bool"),
        ([0, 1, 2], r"Labels of shape \(3,\) do not fit scores of shape \(2, 5\)"),
        (np.eye(5)[[0, 1]], r"Labels of shape \(2, 5\) do not fit"),
    ],
)
@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.hinge_loss])
def test_labels_that_do_not_fit_get_a_sentence(loss, labels, sentence):
    with pytest.raises(LabelError, match=sentence):
        loss(np.zeros((2, 5)), labels)


def test_bad_settings_get_a_sentence():
    with pytest.raises(SettingError, match=r"smoothing is 1.5.*from 0 to 1"):
        nn.cross_entropy(np.zeros((1, 2)), [0], smoothing=1.5)
    with pytest.raises(SettingError, match=r"shape \(3,\), the target \(3, 1\)"):
        nn.mean_squared_error(np.zeros(3), np.zeros((3, 1)))
