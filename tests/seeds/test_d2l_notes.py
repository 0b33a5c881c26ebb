"""The d2l section on backpropagation and the notes on it: one hidden layer with weight decay."""

import itertools
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import chainrule as cr

# Sums of at most twenty products of numbers of size one.
TIGHT = {"rtol": 1e-12, "atol": 1e-13}
DECAY = 0.3  # the notes' λ
D, H, Q = 4, 6, 3


def relu(z):
    return np.maximum(z, 0)


def half_squared_error(o, y):
    return 0.5 * np.sum((o - y) ** 2)


def cross_entropy(o, y):
    """Softmax cross-entropy with y one-hot (or any distribution)."""
    return np.log(np.sum(np.exp(o))) - np.sum(y * o)


ACTIVATIONS = {
    "relu": (relu, lambda z: (z > 0).astype(float)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (2 * np.cosh(z / 2)) ** 2),
}
LOSSES = {
    "half squared error": (half_squared_error, lambda o, y: o - y),
    "cross-entropy": (cross_entropy, lambda o, y: np.exp(o) / np.sum(np.exp(o)) - y),
}


@dataclass
class Network:
    """The text's network with its closed forms; `b1` is zero where the text has no bias."""

    phi: Callable
    slope: Callable
    loss: Callable
    loss_gradient: Callable
    x: np.ndarray
    y: np.ndarray
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray

    def regulariser(self, W1, W2):
        return DECAY / 2 * (np.sum(W1 * W1) + np.sum(W2 * W2))

    def objective(self, W1, W2, b1=0.0):
        h = self.phi(W1 @ self.x + b1)
        return self.loss(W2 @ h, self.y) + self.regulariser(W1, W2)

    def closed_forms(self):
        """The text's equations, in its order, with nothing but NumPy."""
        z = self.W1 @ self.x + self.b1
        h = self.phi(z)
        o = self.W2 @ h
        do = self.loss_gradient(o, self.y)
        dh = self.W2.T @ do
        dz = dh * self.slope(z)
        dW1 = np.outer(dz, self.x) + DECAY * self.W1
        dW2 = np.outer(do, h) + DECAY * self.W2
        return {"z": z, "h": h, "o": o, "do": do, "dh": dh, "dz": dz, "dW1": dW1, "dW2": dW2}


@pytest.fixture(params=itertools.product(ACTIVATIONS, LOSSES), ids=" and ".join)
def network(request, rng):
    activation, loss = request.param
    return Network(
        *ACTIVATIONS[activation],
        *LOSSES[loss],
        x=rng.normal(size=D),
        y=np.array([0.0, 1.0, 0.0]),
        W1=rng.normal(size=(H, D)),
        b1=np.zeros(H),
        W2=rng.normal(size=(Q, H)),
    )


@pytest.fixture
def biased(network, rng):
    network.b1 = rng.normal(size=H)
    return network


# Forward propagation and the chain rule ----------------------------------------------------------


def test_forward_propagation_objective_entry_by_entry(network):
    z = [sum(network.W1[i, j] * network.x[j] for j in range(D)) for i in range(H)]
    h = [float(network.phi(np.float64(entry))) for entry in z]
    o = np.array([sum(network.W2[k, i] * h[i] for i in range(H)) for k in range(Q)])
    s = DECAY / 2 * (sum(network.W1.ravel() ** 2) + sum(network.W2.ravel() ** 2))
    value, _ = cr.value_and_grad(network.objective, argnums=(0, 1))(network.W1, network.W2)
    np.testing.assert_allclose(value, network.loss(o, network.y) + s, **TIGHT)


def test_backpropagation_prod_for_tensors_of_any_shape(rng):
    """∂Z/∂X = prod(∂Z/∂Y, ∂Y/∂X), summed over all axes of Y.

    Correction: the notes print prod(∂Z, ∂X), which leaves Y out.
    """
    X, A, B = rng.normal(size=(2, 3)), rng.normal(size=(4, 2)), rng.normal(size=(3, 5))
    Y = np.sin(A @ X)
    dY_dX = np.einsum("ij,ik,jl->ijkl", np.cos(A @ X), A, np.eye(3))
    dZ_dY = np.einsum("ik,kl,lj->ijkl", np.eye(4), 2 * Y, B)
    np.testing.assert_allclose(cr.jacobian(lambda X: np.sin(A @ X))(X), dY_dX, **TIGHT)
    np.testing.assert_allclose(cr.jacobian(lambda Y: Y * Y @ B)(Y), dZ_dY, **TIGHT)
    dZ_dX = cr.jacobian(lambda X: np.sin(A @ X) ** 2 @ B)(X)
    assert dZ_dX.shape == (4, 5, 2, 3)
    np.testing.assert_allclose(dZ_dX, np.tensordot(dZ_dY, dY_dX, axes=2), **TIGHT)


# Backpropagation, one test a step ----------------------------------------------------------------


def test_backpropagation_first_step_loss_and_regulariser():
    assert cr.grad(lambda L, s: L + s, argnums=(0, 1))(1.7, 0.2) == (1.0, 1.0)


def test_backpropagation_second_step_output(network):
    """∂J/∂o = ∂L/∂o ∈ ℝ^q. Correction: the notes print ∂L/∂o on the left side."""
    forms = network.closed_forms()
    s = network.regulariser(network.W1, network.W2)
    do = cr.grad(lambda o: network.loss(o, network.y) + s)(forms["o"])
    assert do.shape == (Q,)
    np.testing.assert_allclose(do, forms["do"], **TIGHT)


def test_backpropagation_third_step_regulariser(network):
    dW1, dW2 = cr.grad(network.regulariser, argnums=(0, 1))(network.W1, network.W2)
    np.testing.assert_allclose(dW1, DECAY * network.W1, **TIGHT)
    np.testing.assert_allclose(dW2, DECAY * network.W2, **TIGHT)


def test_backpropagation_fourth_step_output_weights(network):
    dW2 = cr.grad(network.objective, argnums=1)(network.W1, network.W2)
    assert dW2.shape == (Q, H)
    np.testing.assert_allclose(dW2, network.closed_forms()["dW2"], **TIGHT)


def test_backpropagation_fifth_step_hidden_output(network):
    forms = network.closed_forms()
    dh = cr.grad(lambda h: network.loss(network.W2 @ h, network.y))(forms["h"])
    assert dh.shape == (H,)
    np.testing.assert_allclose(dh, forms["dh"], **TIGHT)


def test_backpropagation_sixth_step_before_the_activation(network):
    forms = network.closed_forms()
    dz = cr.grad(lambda z: network.loss(network.W2 @ network.phi(z), network.y))(forms["z"])
    np.testing.assert_allclose(dz, forms["dz"], **TIGHT)


def test_backpropagation_last_step_hidden_weights(network):
    dW1 = cr.grad(network.objective)(network.W1, network.W2)
    assert dW1.shape == (H, D)
    np.testing.assert_allclose(dW1, network.closed_forms()["dW1"], **TIGHT)


def test_backpropagation_sixth_step_an_inactive_unit_gets_only_weight_decay(rng):
    """Correction: inactive ReLU units "do not receive updates" - with weight decay they get λW."""
    x = np.abs(rng.normal(size=D))
    W1, W2, y = rng.normal(size=(H, D)), rng.normal(size=(Q, H)), rng.normal(size=Q)
    W1[0], W1[1] = -np.abs(W1[0]), np.abs(W1[1])  # unit 0 is off, unit 1 is on

    def objective(W1):
        s = DECAY / 2 * (np.sum(W1 * W1) + np.sum(W2 * W2))
        return half_squared_error(W2 @ relu(W1 @ x), y) + s

    dW1 = cr.grad(objective)(W1)
    np.testing.assert_allclose(dW1[0], DECAY * W1[0], **TIGHT)
    assert np.all(dW1[0] != 0)
    assert not np.allclose(dW1[1], DECAY * W1[1])


# Training ----------------------------------------------------------------------------------------


def test_training_neural_networks_the_forward_pass_runs_once(network):
    """Backpropagation reuses the stored values: f is run once for the value and all gradients."""
    runs = []

    def counted(W1, W2):
        runs.append(1)
        return network.objective(W1, W2)

    value, (dW1, dW2) = cr.value_and_grad(counted, argnums=(0, 1))(network.W1, network.W2)
    assert len(runs) == 1
    assert np.isfinite(value)
    assert (dW1.shape, dW2.shape) == ((H, D), (Q, H))


def test_training_neural_networks_alternating_passes_lower_the_objective(network):
    W1, W2, values = network.W1, network.W2, []
    for _ in range(20):
        value, (dW1, dW2) = cr.value_and_grad(network.objective, argnums=(0, 1))(W1, W2)
        values.append(value)
        W1, W2 = W1 - 0.005 * dW1, W2 - 0.005 * dW2
    assert all(later < earlier for earlier, later in itertools.pairwise(values))


# Exercises ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (5, 3), (1, 7)])
def test_exercise_1_the_gradient_is_n_by_m(rng, shape):
    X = rng.normal(size=shape)
    gradient = cr.grad(lambda X: np.sum(np.exp(X)))(X)
    assert gradient.shape == shape
    np.testing.assert_allclose(gradient, np.exp(X), **TIGHT)


def test_exercise_2_bias_backward_equations(biased):
    """∂J/∂b₁ = ∂J/∂z ∈ ℝʰ, with no λb₁. Correction: the seventh step prints ∂J/∂W₁ for it."""
    forms = biased.closed_forms()
    dW1, dW2, db1 = cr.grad(biased.objective, argnums=(0, 1, 2))(biased.W1, biased.W2, biased.b1)
    assert (dW1.shape, dW2.shape, db1.shape) == ((H, D), (Q, H), (H,))
    np.testing.assert_allclose(dW1, forms["dW1"], **TIGHT)
    np.testing.assert_allclose(dW2, forms["dW2"], **TIGHT)
    np.testing.assert_allclose(db1, forms["dz"], **TIGHT)


def test_exercise_2_the_bias_changes_the_weight_gradient(biased):
    """Correction: "the derivative of the weights doesn't change" - its formula, not its value."""
    gradient = cr.grad(biased.objective, argnums=(0, 1))
    with_bias = gradient(biased.W1, biased.W2, biased.b1)
    without = gradient(biased.W1, biased.W2, np.zeros(H))
    for one, other in zip(with_bias, without, strict=True):
        assert np.max(np.abs(one - other)) > 1e-3


def test_exercise_3_footprint():
    """784-256-10 with bias: 204,826 numbers forward, 203,520 more for the gradients.

    Correction: the notes leave out h and so count 204,570.
    """
    d, h, q = 784, 256, 10
    x, W1, b1, W2 = np.ones(d), np.full((h, d), 1e-3), np.zeros(h), np.full((q, h), 1e-3)
    sizes = {"x": x.size, "W1": W1.size, "b1": b1.size, "W2": W2.size}

    def objective(W1, b1, W2):
        z = W1 @ x + b1
        hidden = relu(z)
        o = W2 @ hidden
        sizes.update(z=z.size, h=hidden.size, o=o.size)
        return half_squared_error(o, 1.0)

    gradients = cr.grad(objective, argnums=(0, 1, 2))(W1, b1, W2)
    assert sum(sizes.values()) == 204_826
    assert sum(sizes.values()) - sizes["h"] == 204_570
    assert sum(gradient.size for gradient in gradients) == d * h + h + h * q == 203_520


def chain_peak(layers, batch, width, *, train):
    """The traced peak, in bytes, of a tanh chain, trained or only run."""
    weights = [np.eye(width) * 0.5 for _ in range(layers)]
    x = np.full((batch, width), 0.1)

    def loss(weights):
        h = x
        for W in weights:
            h = np.tanh(h @ W)
        return np.sum(h)

    run = cr.grad(loss) if train else loss
    run(weights)  # first call: caches that stay
    tracemalloc.start()
    run(weights)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_exercise_3_training_needs_more_memory_than_prediction():
    """Prediction holds two layers at a time; training holds all of them."""
    activation = 400 * 20 * 8
    assert chain_peak(12, 400, 20, train=False) < 4 * activation
    assert chain_peak(12, 400, 20, train=True) > 11 * activation


def test_exercise_3_intermediate_values_grow_with_layers_and_batch():
    """Equal steps in depth or batch cost equal steps in memory, at least one value a layer."""
    for configurations in [(8, 500), (16, 500), (24, 500)], [(8, 500), (8, 1000), (8, 1500)]:
        peaks = [chain_peak(layers, batch, 20, train=True) for layers, batch in configurations]
        assert peaks[2] - peaks[1] == pytest.approx(peaks[1] - peaks[0], rel=0.05)
        assert peaks[1] - peaks[0] > 8 * 500 * 20 * 8


def test_exercise_3_parameters_do_not_grow_with_the_batch():
    """Correction: batch · depth · (neurons + parameters); the batch multiplies the neurons only."""
    few, many = (chain_peak(8, batch, 160, train=True) for batch in (4, 8))
    assert many / few < 1.2


def flat_network(rng):
    """A smooth network of n = 21 parameters as a function of one vector."""
    d, h, q = 2, 3, 4
    x, y = rng.normal(size=d), rng.normal(size=q)

    def objective(theta):
        W1, b1 = theta[: h * d].reshape(h, d), theta[h * d : h * d + h]
        W2 = theta[h * d + h :].reshape(q, h)
        return half_squared_error(W2 @ np.tanh(W1 @ x + b1), y)

    return objective, rng.normal(size=h * d + h + q * h), (h * d, h, q * h)


def test_exercise_4_the_hessian_couples_all_parameters(rng):
    """n parameters give n² second derivatives.

    Correction: "the square of each weight and bias" would hold the diagonal blocks only.
    """
    objective, theta, sizes = flat_network(rng)
    hessian = cr.hessian(objective)(theta)
    assert hessian.shape == (21, 21)
    assert hessian.size > sum(size**2 for size in sizes)
    np.testing.assert_allclose(hessian, hessian.T, **TIGHT)
    assert np.max(np.abs(hessian[: sizes[0], -sizes[2] :])) > 1e-3
    differences = cr.numerical_gradient(lambda t: np.sum(cr.grad(objective)(t)))(theta)
    # Central differences of a first derivative: about (machine epsilon)^(2/3).
    np.testing.assert_allclose(hessian.sum(axis=0), differences, rtol=1e-6, atol=1e-6)


def test_exercise_4_each_component_is_differentiated_by_all_parameters(rng):
    """Correction: row i is the gradient of fᵢ by every parameter, not "with respect to that fᵢ".

    One backward pass a row: n extra passes for the whole Hessian.
    """
    objective, theta, _ = flat_network(rng)
    hessian = cr.hessian(objective)(theta)
    gradient = cr.grad(objective)
    for i in (0, 7, 20):
        row = cr.grad(lambda t, i=i: gradient(t)[i])(theta)
        np.testing.assert_allclose(row, hessian[i], **TIGHT)
        np.testing.assert_allclose(cr.hvp(objective)(theta, np.eye(21)[i]), row, **TIGHT)


def test_exercise_5_pipeline_over_two_devices(biased):
    """x, z, h on one device and o on the other: only h and ∂J/∂h pass between them."""

    def first(W1, b1):
        return biased.phi(W1 @ biased.x + b1)

    def second(h, W2):
        return biased.loss(W2 @ h, biased.y)

    h, pull_first = cr.vjp(first, biased.W1, biased.b1)
    _, pull_second = cr.vjp(second, h, biased.W2)
    dh, dW2 = pull_second(1.0)
    dW1, db1 = pull_first(dh)
    forms = biased.closed_forms()
    np.testing.assert_allclose(dW2 + DECAY * biased.W2, forms["dW2"], **TIGHT)
    np.testing.assert_allclose(dW1 + DECAY * biased.W1, forms["dW1"], **TIGHT)
    np.testing.assert_allclose(db1, forms["dz"], **TIGHT)


def test_exercise_5_splitting_a_product_gives_partial_vectors(network):
    """Correction: not "a scalar": with W₁ and x cut along d, each device returns a vector of ℝʰ."""

    def part(W1, x):
        return W1 @ x

    left, pull_left = cr.vjp(part, network.W1[:, :2], network.x[:2])
    right, pull_right = cr.vjp(part, network.W1[:, 2:], network.x[2:])
    forms = network.closed_forms()
    assert left.shape == right.shape == (H,)
    np.testing.assert_allclose(left + right, forms["z"], **TIGHT)
    dW1 = np.hstack([pull_left(forms["dz"])[0], pull_right(forms["dz"])[0]])
    np.testing.assert_allclose(dW1 + DECAY * network.W1, forms["dW1"], **TIGHT)


def test_exercise_5_smaller_minibatches_have_higher_variance(rng):
    """All minibatches of size k of six examples: the mean is the full gradient, the variance falls.

    Drawn without replacement from N, the mean of k has variance σ² (N - k) / (k (N - 1)).
    """
    X, Y, w = rng.normal(size=(6, D)), rng.normal(size=6), rng.normal(size=D)
    gradient = cr.grad(lambda w, X, Y: np.mean((X @ w - Y) ** 2))
    each = np.array([2 * (row @ w - y) * row for row, y in zip(X, Y, strict=True)])
    for k in (1, 2, 3, 6):
        batches = [list(batch) for batch in itertools.combinations(range(6), k)]
        gradients = np.array([gradient(w, X[batch], Y[batch]) for batch in batches])
        np.testing.assert_allclose(gradients.mean(axis=0), each.mean(axis=0), **TIGHT)
        np.testing.assert_allclose(
            gradients.var(axis=0), each.var(axis=0) * (6 - k) / (5 * k), **TIGHT
        )
