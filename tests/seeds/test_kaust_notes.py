"""KAUST course notes, "Deep Learning for Visual Computing", sections 1.1 to 1.28."""

import numpy as np
import pytest

import chainrule as cr

# Sums of at most twenty products of numbers of size one.
TIGHT = {"rtol": 1e-12, "atol": 1e-13}
SIX_PLACES = {"rtol": 0, "atol": 5e-7}  # numbers written with six places


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# 1.1 to 1.7: derivatives and layouts -------------------------------------------------------------


@pytest.mark.parametrize("x", [-2.0, 0.0, 0.3, 5.0])
def test_section_1_1_twice_x_squared(x):
    assert cr.grad(lambda x: 2 * x**2)(x) == pytest.approx(4 * x, rel=1e-15)


def test_section_1_1_derivative_at_a_point():
    """Correction: d/dx f(a), read as printed, differentiates a constant; (df/dx)(a) is meant."""

    def f(x):
        return 2 * x**2

    a = 3.0
    assert cr.grad(f)(a) == 12.0
    assert cr.grad(lambda x: f(a) + 0 * x)(1.0) == 0.0


def test_section_1_2_chain_rule():
    """(g ∘ f)'(x) = g'(f(x)) f'(x) with g = exp, f = sin. Correction: printed h(x) = g ∘ f."""
    composed = cr.grad(lambda x: np.exp(np.sin(x)))(0.6)
    assert composed == pytest.approx(np.exp(np.sin(0.6)) * np.cos(0.6), rel=1e-14)
    assert composed == pytest.approx(cr.grad(np.exp)(np.sin(0.6)) * cr.grad(np.sin)(0.6), rel=1e-14)


def test_section_1_3_partial_derivatives_of_a_product():
    assert cr.grad(lambda x, y: x * y, argnums=(0, 1))(3.0, -7.0) == (-7.0, 3.0)


def test_section_1_6_numerator_layout(rng):
    """Entry (output, input). Shapes follow the arrays: an (n, k) input keeps its order here.

    Correction: the table's last row prints ∂Y/∂X with (m, l, n) where ∂Y/∂x, x a vector, is meant.
    """
    x, X = rng.normal(size=3), rng.normal(size=(3, 4))
    A, B = rng.normal(size=(2, 3)), rng.normal(size=(2, 5))
    np.testing.assert_allclose(cr.jacobian(lambda t: B * t)(0.5), B, **TIGHT)
    assert cr.jacobian(lambda x: A @ x)(x).shape == (2, 3)
    assert cr.jacobian(lambda X: np.sum(A @ X))(X).shape == (3, 4)
    assert cr.jacobian(lambda X: (A @ X)[:, 0])(X).shape == (2, 3, 4)
    assert cr.jacobian(lambda x: np.outer(A @ x, B[0]))(x).shape == (2, 5, 3)
    assert cr.jacobian(lambda X: A @ X)(X).shape == (2, 4, 3, 4)


# 1.8 to 1.10: examples ---------------------------------------------------------------------------


def test_section_1_8_linear_layer(rng):
    A, x = rng.normal(size=(2, 3)), rng.normal(size=3)
    np.testing.assert_allclose(cr.jacobian(lambda x: A @ x)(x), A, **TIGHT)


def test_section_1_8_squared_norm(rng):
    x = rng.normal(size=5)
    np.testing.assert_allclose(cr.jacobian(lambda x: np.sum(x * x))(x), 2 * x, **TIGHT)


def test_section_1_8_relu():
    """Correction (1.4): xᵢ ≥ 0 makes ReLU'(0) = 1; the Bristol notes say 0, and so does cr.nn."""
    x = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(cr.jacobian(cr.nn.relu)(x), np.diag([0.0, 0.0, 1.0]))


def test_section_1_8_mean(rng):
    np.testing.assert_allclose(cr.jacobian(np.mean)(rng.normal(size=8)), np.full(8, 1 / 8), **TIGHT)


@pytest.mark.parametrize("written", ["np.var", "x.var()", "by hand", "μ held fixed"])
def test_section_1_8_variance(rng, written):
    """2 (x - μ) / N. The term through μ (1.8) sums to zero, so holding μ fixed changes nothing."""
    forms = {
        "np.var": lambda x: np.var(x),
        "x.var()": lambda x: x.var(),
        "by hand": lambda x: np.mean((x - np.mean(x)) ** 2),
        "μ held fixed": lambda x: np.mean((x - cr.stop_gradient(np.mean(x))) ** 2),
    }
    x = rng.normal(size=6)
    np.testing.assert_allclose(cr.grad(forms[written])(x), 2 * (x - x.mean()) / 6, **TIGHT)


def two_outputs(x):
    return np.array([x[0] - x[1] ** 2, x[0] * x[2]])


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_section_1_8_two_outputs(mode):
    actual = cr.jacobian(two_outputs, mode=mode)(np.array([2.0, 3.0, 5.0]))
    np.testing.assert_array_equal(actual, [[1, -6, 0], [5, 0, 2]])


def test_section_1_9_jacobian_of_a_composition(rng):
    """J_{g∘f}(a) = J_g(f(a)) J_f(a) for f : ℝ³ → ℝ², g : ℝ² → ℝ⁴."""
    B, a = rng.normal(size=(4, 2)), np.array([2.0, 3.0, 5.0])

    def g(u):
        return np.sin(B @ u)

    outer = np.cos(B @ two_outputs(a))[:, None] * B
    inner = np.array([[1.0, -6.0, 0.0], [5.0, 0.0, 2.0]])
    np.testing.assert_allclose(cr.jacobian(lambda x: g(two_outputs(x)))(a), outer @ inner, **TIGHT)


def test_section_1_10_the_gradient_is_the_steepest_ascent(rng):
    """∇(xy) = (y, x); no unit direction rises faster than ∇f/‖∇f‖, and a step along -∇f falls."""
    point = np.array([3.0, -7.0])

    def f(p):
        return p[0] * p[1]

    gradient = cr.grad(f)(point)
    np.testing.assert_array_equal(gradient, [-7.0, 3.0])
    steepest = cr.jvp(f, (point,), (gradient / np.linalg.norm(gradient),))[1]
    assert steepest == pytest.approx(np.linalg.norm(gradient), rel=1e-14)
    for angle in np.linspace(0, 2 * np.pi, 17):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert cr.jvp(f, (point,), (direction,))[1] <= steepest + 1e-12
    assert f(point - 0.01 * gradient) < f(point)


# 1.12 to 1.18: automatic differentiation, networks -----------------------------------------------


def test_section_1_12_numerical_differentiation_agrees(rng):
    x = rng.normal(size=4)

    def f(x):
        return np.sum(np.exp(x) * x[::-1])

    # Central differences: truncation and rounding meet at about (machine epsilon)^(2/3).
    np.testing.assert_allclose(cr.numerical_gradient(f)(x), cr.grad(f)(x), rtol=1e-7, atol=1e-8)


def test_section_1_13_forward_and_backward_accumulation(rng):
    """The product of three Jacobians is the same from either end, and is the whole Jacobian."""
    H, G, F = rng.normal(size=(4, 3)), rng.normal(size=(5, 4)), rng.normal(size=(2, 5))
    w1 = rng.normal(size=3)
    w2 = np.sin(H @ w1)
    w3 = np.exp(G @ w2 / 4)
    layers = [np.cos(H @ w1)[:, None] * H, w3[:, None] * G / 4, F]

    def f(x):
        return F @ np.exp(G @ np.sin(H @ x) / 4)

    for mode in ("forward", "reverse"):
        whole = cr.jacobian(f, mode=mode)(w1)
        np.testing.assert_allclose(whole, layers[2] @ (layers[1] @ layers[0]), **TIGHT)
        np.testing.assert_allclose(whole, (layers[2] @ layers[1]) @ layers[0], **TIGHT)


def test_section_1_13_derivative_of_a_convolution_layer(rng):
    """k×k×3 → k×k×64 has k⁴·3·64 derivatives: 1024⁴·3·64 in the text, k = 2 here."""
    k, kernel = 2, rng.normal(size=(3, 64))
    derivative = cr.jacobian(lambda w1: w1 @ kernel)(rng.normal(size=(k, k, 3)))
    assert derivative.size == k**4 * 3 * 64
    assert 1024**4 * 3 * 64 * 4 / 2**40 == 768  # TiB of float32


def test_section_1_15_gradient_by_weights_samples_or_both(rng):
    """Correction: derivatives of a scalar loss with respect to X, not of X, are as large as X."""
    W, b, x = rng.normal(size=(3, 4)), rng.normal(size=3), rng.normal(size=4)

    def loss(x, W, b):
        return np.sum((W @ x + b) ** 2)

    r = 2 * (W @ x + b)
    closed = (W.T @ r, np.outer(r, x), r)
    for argnum, expected in enumerate(closed):
        np.testing.assert_allclose(cr.grad(loss, argnums=argnum)(x, W, b), expected, **TIGHT)
    both = cr.grad(loss, argnums=(0, 1, 2))(x, W, b)
    assert [part.size for part in both] == [x.size, W.size, b.size]
    for actual, expected in zip(both, closed, strict=True):
        np.testing.assert_allclose(actual, expected, **TIGHT)


def test_section_1_16_svm_network_with_weight_decay(rng):
    """L = (1/N) Σᵢ Σ_{j≠yᵢ} max(0, sⱼ - s_{yᵢ} + 1) + λ Σ W², s = W₂ max(0, W₁x), against loops."""
    N, D, H, C, decay = 5, 4, 6, 3, 0.1
    X, labels = rng.normal(size=(N, D)), np.array([0, 2, 1, 1, 0])
    W1, W2 = rng.normal(size=(H, D)), rng.normal(size=(C, H))

    def by_rows(W1, W2):
        total = 0.0
        for x, label in zip(X, labels, strict=True):
            s = W2 @ np.maximum(0, W1 @ x)
            margins = np.maximum(0, s - s[label] + 1)
            total = total + np.sum(margins) - margins[label]
        return total / N + decay * (np.sum(W1 * W1) + np.sum(W2 * W2))

    def with_layers(W1, W2):
        scores = cr.nn.relu(X @ W1.T) @ W2.T
        return cr.nn.hinge_loss(scores, labels) + cr.nn.l2_penalty((W1, W2), 2 * decay)

    expected, dW1, dW2 = decay * (np.sum(W1**2) + np.sum(W2**2)), 2 * decay * W1, 2 * decay * W2
    for x, label in zip(X, labels, strict=True):
        a = W1 @ x
        h = a * (a > 0)
        s, ds = W2 @ h, np.zeros(C)
        for j in range(C):
            if j != label and s[j] - s[label] + 1 > 0:
                expected += (s[j] - s[label] + 1) / N
                ds[j], ds[label] = ds[j] + 1 / N, ds[label] - 1 / N
        dW2 += np.outer(ds, h)
        dW1 += np.outer((W2.T @ ds) * (a > 0), x)
    for loss in (by_rows, with_layers):
        value, gradients = cr.value_and_grad(loss, argnums=(0, 1))(W1, W2)
        np.testing.assert_allclose(value, expected, **TIGHT)
        np.testing.assert_allclose(gradients[0], dW1, **TIGHT)
        np.testing.assert_allclose(gradients[1], dW2, **TIGHT)


# 1.19 to 1.28: scalar circuits -------------------------------------------------------------------


def test_sections_1_19_to_1_21_sum_times_z():
    """(x + y) z at (-2, 5, -4). Correction (1.21): printed ∂f/∂x = -1 × 1 = -4; it is -4 × 1."""
    q, pull_q = cr.vjp(lambda x, y: x + y, -2.0, 5.0)
    f, pull_f = cr.vjp(lambda q, z: q * z, q, -4.0)
    assert (q, f) == (3.0, -12.0)
    dq, dz = pull_f(1.0)
    assert (dq, dz) == (-4.0, 3.0)
    assert pull_q(dq) == (-4.0, -4.0)
    assert cr.grad(lambda x, y, z: (x + y) * z, argnums=(0, 1, 2))(-2.0, 5.0, -4.0) == (-4, -4, 3)


CIRCUIT = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
CIRCUIT_GRADIENT = [-0.196612, 0.393224, -0.393224, -0.589836, 0.196612]


def circuit(w0, x0, w1, x1, w2):
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def test_sections_1_22_and_1_23_sigmoid_circuit():
    """Correction: 0.2 × 2 = 0.39 and its like - the factor is 0.196612, rounded only in print."""
    value, gradient = cr.value_and_grad(circuit, argnums=tuple(range(5)))(*CIRCUIT.values())
    assert value == pytest.approx(1 / (1 + np.exp(-1)), rel=1e-15)
    np.testing.assert_allclose(gradient, CIRCUIT_GRADIENT, **SIX_PLACES)
    exact = np.exp(-1) / (1 + np.exp(-1)) ** 2
    np.testing.assert_allclose(gradient, exact * np.array([-1, 2, -2, -3, 1]), **TIGHT)


def test_section_1_23_node_by_node():
    """df/df₁ = -0.53, df/df₂ = -0.53, df/df₃ = -0.20, df/df₄ = 0.20 at f₁ = 1.37, f₄ = 1."""
    stages = [lambda f4: -f4, lambda f3: np.exp(f3), lambda f2: f2 + 1, lambda f1: 1 / f1]
    value, pulls, values = 1.0, [], []
    for stage in stages:
        value, pull = cr.vjp(stage, value)
        values.append(float(value))
        pulls.append(pull)
    np.testing.assert_allclose(values, [-1, 0.37, 1.37, 0.73], rtol=0, atol=5e-3)
    upstream, gradients = 1.0, []
    for pull in reversed(pulls):
        (upstream,) = pull(upstream)
        gradients.append(float(upstream))
    np.testing.assert_allclose(gradients, [-0.53, -0.53, -0.2, 0.2], rtol=0, atol=5e-3)
    np.testing.assert_allclose(gradients, [-0.534447, -0.534447, -0.196612, 0.196612], **SIX_PLACES)


def test_section_1_24_sigmoid_derivative():
    """σ' = (1 - σ) σ. Correction: at 1 it is (1 - 0.7311) 0.7311, not (1 - 0.2837) 0.2837."""
    x = np.linspace(-6, 6, 25)
    slopes = cr.elementwise_grad(sigmoid)(x)
    np.testing.assert_allclose(slopes, (1 - sigmoid(x)) * sigmoid(x), **TIGHT)
    at_one = cr.grad(sigmoid)(1.0)
    np.testing.assert_allclose(at_one, 0.731059 * 0.268941, **SIX_PLACES)
    assert abs((1 - 0.2837) * 0.2837 - at_one) > 6e-3


def test_section_1_25_gates():
    g = 2.5
    assert cr.vjp(lambda x, y: x + y, 3.0, 4.0)[1](g) == (g, g)  # add distributes
    assert cr.vjp(lambda x, y: x * y, 3.0, 4.0)[1](g) == (4 * g, 3 * g)  # multiply swaps
    assert cr.vjp(lambda x: (x, x, x), 3.0)[1]((1.0, 2.0, g)) == (3.0 + g,)  # copy adds
    assert cr.vjp(np.maximum, 4.0, 5.0)[1](g) == (0.0, g)  # max routes
    assert cr.vjp(np.maximum, 5.0, 4.0)[1](g) == (g, 0.0)


def test_section_1_25_a_tie_of_max_shares_the_gradient():
    """Correction: [x₁ ≥ x₂] and [x₂ ≥ x₁] are both 1 at a tie: max(x, x) = x would have slope 2."""
    assert cr.grad(np.maximum, argnums=(0, 1))(2.0, 2.0) == (0.5, 0.5)
    assert cr.grad(lambda x: np.maximum(x, x))(2.0) == 1.0


def test_section_1_26_code_example():
    """Correction: line 12 prints grad_L * (1-L) - L, which gives -0.46 for 0.196612."""
    w0, x0, w1, x1, w2 = CIRCUIT.values()
    L = sigmoid(w0 * x0 + w1 * x1 + w2)
    grad_s3 = 1.0 * (1 - L) * L
    by_hand = [grad_s3 * x0, grad_s3 * w0, grad_s3 * x1, grad_s3 * w1, grad_s3]
    gradient = cr.grad(circuit, argnums=tuple(range(5)))(*CIRCUIT.values())
    np.testing.assert_allclose(gradient, by_hand, **TIGHT)
    assert abs((1.0 * (1 - L) - L) - gradient[4]) > 0.6


def test_section_1_27_multiply():
    z, pull = cr.vjp(lambda x, y: x * y, -1.5, 4.0)
    assert z == -6.0
    assert pull(0.5) == (4.0 * 0.5, -1.5 * 0.5)


def test_section_1_28_sigmoid_update_grad_input(rng):
    """gradInput = gradOutput (1 - z) z, elementwise, with z the output."""
    x, grad_output = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    z, pull = cr.vjp(sigmoid, x)
    np.testing.assert_allclose(pull(grad_output)[0], grad_output * (1 - z) * z, **TIGHT)
