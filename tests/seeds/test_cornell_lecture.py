"""Cornell CS4787, lecture 4, backpropagation: every example, exercise and number, by heading."""

import numpy as np
import pytest

import chainrule as cr

# Few operations on numbers of size one: a handful of roundings, each 2.2e-16.
TIGHT = {"rtol": 1e-13, "atol": 1e-13}


def lecture_f(x):
    return x * x + 1.0


# Forward mode ------------------------------------------------------------------------------------


def test_implementing_forward_mode_a_plain_float_still_works():
    assert lecture_f(3.0) == 10.0


def test_implementing_forward_mode_dual_number():
    result = lecture_f(cr.Dual(3.0, 1.0))
    assert isinstance(result, cr.Dual)
    assert (result.value, result.tangent) == (10.0, 6.0)
    assert tuple(result) == (10.0, 6.0)
    assert repr(result) == "Dual(10.0, 6.0)"


def test_implementing_forward_mode_across_a_whole_program():
    """Compositions, loops and branches: d/dx exp(sin(x)²) and x¹⁰ by repeated products."""

    def program(x):
        inner = np.sin(x)
        return np.exp(inner * inner)

    def power(x):
        result = 1.0
        for _ in range(10):
            result = result * x
        return result if result > 0 else -result

    value, slope = program(cr.Dual(0.7, 1.0))
    assert value == pytest.approx(np.exp(np.sin(0.7) ** 2), rel=1e-14)
    assert slope == pytest.approx(np.exp(np.sin(0.7) ** 2) * np.sin(1.4), rel=1e-14)
    assert tuple(power(cr.Dual(1.5, 1.0))) == pytest.approx((1.5**10, 10 * 1.5**9), rel=1e-14)


def test_forward_mode_takeaways_value_and_derivative_together():
    assert cr.jvp(lecture_f, (3.0,), (1.0,)) == (10.0, 6.0)
    assert cr.jvp(lecture_f, (3.0,), (-0.5,)) == (10.0, -3.0)


def test_forward_mode_takeaways_a_matrix_multiply_gives_two(rng):
    """Correction: "a new matrix multiply" - the product rule has two, Ȧ B + A Ḃ."""
    A, B = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    dA, dB = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    value, tangent = cr.jvp(lambda a, b: a @ b, (A, B), (dA, dB))
    np.testing.assert_allclose(value, A @ B, **TIGHT)
    np.testing.assert_allclose(tangent, dA @ B + A @ dB, **TIGHT)
    assert not np.allclose(tangent, dA @ B)


def test_benefits_of_forward_mode_higher_orders():
    """Forward over forward over forward: x⁴ has the derivatives 4x³, 12x², 24x."""

    def derivative(f):
        return lambda x: cr.jvp(f, (x,), (1.0,))[1]

    first = derivative(lambda x: x**4)
    second = derivative(first)
    third = derivative(second)
    assert (first(1.5), second(1.5), third(1.5)) == pytest.approx((13.5, 27.0, 36.0), rel=1e-14)


def test_benefits_of_forward_mode_the_tangent_is_as_large_as_the_value(rng):
    x = rng.normal(size=(3, 4))
    for f in (lambda x: np.tanh(x), lambda x: x @ x.T, lambda x: np.sum(x), lambda x: x[0]):
        value, tangent = cr.jvp(f, (x,), (np.ones_like(x),))
        assert np.shape(tangent) == np.shape(value)


def test_problems_with_forward_mode_one_pass_for_each_input(rng):
    """One jvp gives one directional derivative; the gradient of ℝᵈ → ℝ takes d of them."""
    d = 6
    x, a = rng.normal(size=d), rng.normal(size=d)

    def f(x):
        return np.sum(np.sin(x) * a) * x[0]

    gradient = np.cos(x) * a * x[0]
    gradient[0] += np.sum(np.sin(x) * a)
    passes = [cr.jvp(f, (x,), (direction,))[1] for direction in np.eye(d)]
    np.testing.assert_allclose(passes, gradient, **TIGHT)
    np.testing.assert_allclose(cr.grad(f)(x), gradient, **TIGHT)


# Reverse mode ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 4)])
def test_backpropagation_the_gradient_has_the_shape_of_y(rng, shape):
    y = rng.normal(size=shape)
    gradient = cr.grad(lambda y: np.sum(y * y * y))(y)
    assert np.shape(gradient) == shape
    np.testing.assert_allclose(gradient, 3 * y * y, **TIGHT)


def test_deriving_backprop_scalar_chain_rule():
    """ℓ = f(u), u = g(y): ∂ℓ/∂y = g'(y) ∂ℓ/∂u, with f = log and g = 1 + y²."""
    y = 1.3
    u = 1 + y * y
    dl_du = cr.grad(np.log)(u)
    assert dl_du == pytest.approx(1 / u, rel=1e-15)
    dl_dy = cr.grad(lambda y: np.log(1 + y * y))(y)
    assert dl_dy == pytest.approx(2 * y * dl_du, rel=1e-14)


def test_deriving_backprop_several_consumers(rng):
    """∇_y ℓ = Σᵢ Dgᵢ(y)ᵀ ∇_{uᵢ} ℓ with three consumers of different shapes."""
    y, A, c = rng.normal(size=4), rng.normal(size=(3, 4)), rng.normal(size=4)

    def g1(y):
        return A @ y

    def g2(y):
        return np.sin(y)

    def g3(y):
        return np.outer(y, c)

    def rest(u1, u2, u3):
        return np.sum(u1 * u1) + np.sum(u2) * np.sum(u1) + np.sum(u3 * u3 * u3)

    u1, u2, u3 = A @ y, np.sin(y), np.outer(y, c)
    parts = cr.grad(rest, argnums=(0, 1, 2))(u1, u2, u3)
    np.testing.assert_allclose(parts[0], 2 * u1 + np.sum(u2), **TIGHT)
    np.testing.assert_allclose(parts[1], np.full(4, np.sum(u1)), **TIGHT)
    np.testing.assert_allclose(parts[2], 3 * u3 * u3, **TIGHT)

    jacobians = (A, np.diag(np.cos(y)), np.einsum("ik,j->ijk", np.eye(4), c))
    for g, J in zip((g1, g2, g3), jacobians, strict=True):
        np.testing.assert_allclose(cr.jacobian(g)(y), J, **TIGHT)
    expected = sum(
        np.tensordot(part, J, axes=part.ndim) for part, J in zip(parts, jacobians, strict=True)
    )
    actual = cr.grad(lambda y: rest(g1(y), g2(y), g3(y)))(y)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_high_level_algorithm_shape_of_d_y_u(rng):
    """u ∈ ℝⁿ, y ∈ ℝᵐ: D_y u ∈ ℝⁿˣᵐ, and its transpose takes ∇_u ℓ ∈ ℝⁿ to ∇_y ℓ ∈ ℝᵐ."""
    n, m = 3, 5
    A, y, g = rng.normal(size=(n, m)), rng.normal(size=m), rng.normal(size=n)
    D = cr.jacobian(lambda y: np.tanh(A @ y))(y)
    assert D.shape == (n, m)
    _, pull = cr.vjp(lambda y: np.tanh(A @ y), y)
    (gradient,) = pull(g)
    assert gradient.shape == (m,)
    np.testing.assert_allclose(gradient, D.T @ g, **TIGHT)


def test_high_level_algorithm_with_accumulators_by_hand():
    """The lecture's algorithm on ℓ = (x y) + sin(x), each local step from one vjp."""
    x, y = 0.4, -1.7
    product, pull_product = cr.vjp(lambda x, y: x * y, x, y)
    sine, pull_sine = cr.vjp(np.sin, x)
    _, pull_sum = cr.vjp(lambda p, s: p + s, product, sine)
    accumulator = {"x": 0.0, "y": 0.0, "product": 0.0, "sine": 0.0, "l": 1.0}
    for name, gradient in zip(("product", "sine"), pull_sum(accumulator["l"]), strict=True):
        accumulator[name] += gradient
    accumulator["x"] += pull_sine(accumulator["sine"])[0]
    for name, gradient in zip(("x", "y"), pull_product(accumulator["product"]), strict=True):
        accumulator[name] += gradient
    assert accumulator == pytest.approx(
        {"x": y + np.cos(x), "y": x, "product": 1.0, "sine": 1.0, "l": 1.0}, rel=1e-15
    )


# Exercises ---------------------------------------------------------------------------------------


def relu_layer(W, x, b):
    return np.maximum(0, W @ x + b)


def scalar_relu_layer(W, x, b):
    return np.maximum(0, W * x + b)


def test_exercise_computational_graphs_general_shapes(rng):
    """H = max(0, Wx + b): ∂L/∂b = g⊙[Wx + b > 0], ∂L/∂W = (∂L/∂b) xᵀ, ∂L/∂x = Wᵀ ∂L/∂b."""
    c, d = 4, 3
    W, x, b, g = (rng.normal(size=shape) for shape in ((c, d), d, c, c))
    H, pull = cr.vjp(relu_layer, W, x, b)
    active = W @ x + b > 0
    assert 0 < np.sum(active) < c
    np.testing.assert_allclose(H, np.where(active, W @ x + b, 0), **TIGHT)
    dW, dx, db = pull(g)
    np.testing.assert_allclose(db, g * active, **TIGHT)
    np.testing.assert_allclose(dW, np.outer(g * active, x), **TIGHT)
    np.testing.assert_allclose(dx, W.T @ (g * active), **TIGHT)


def test_exercise_backprop_result():
    H, pull = cr.vjp(scalar_relu_layer, 2.0, 3.0, 1.0)
    assert H == 7.0
    assert pull(1.0) == (3.0, 2.0, 1.0)


def test_exercise_backprop_in_order():
    """U₁ = 6, U₂ = 7, H = 7; then ∂H/∂U₂ = 1, ∂H/∂b = ∂H/∂U₁ = 1, ∂H/∂W = 3, ∂H/∂x = 2."""
    U1, pull_U1 = cr.vjp(lambda W, x: W * x, 2.0, 3.0)
    U2, pull_U2 = cr.vjp(lambda U1, b: U1 + b, U1, 1.0)
    H, pull_H = cr.vjp(lambda U2: np.maximum(0, U2), U2)
    assert (U1, U2, H) == (6.0, 7.0, 7.0)
    (dU2,) = pull_H(1.0)
    dU1, db = pull_U2(dU2)
    dW, dx = pull_U1(dU1)
    assert (dU2, db, dU1, dW, dx) == (1.0, 1.0, 1.0, 3.0, 2.0)


def test_exercise_backprop_h_is_relu_of_u2_and_not_a_function_of_relu():
    """Correction: ∂H(ReLU(U₂))/∂U₂ - H is ReLU(U₂) itself, so ∂H/∂U₂ = ReLU'(U₂) = [U₂ > 0]."""
    U2 = np.array([7.0, 0.5, -0.5, -7.0])
    slopes = cr.elementwise_grad(lambda U2: np.maximum(0, U2))(U2)
    np.testing.assert_array_equal(slopes, [1.0, 1.0, 0.0, 0.0])


def test_exercise_backprop_an_inactive_unit_passes_nothing():
    assert cr.grad(scalar_relu_layer, argnums=(0, 1, 2))(2.0, 3.0, -10.0) == (0.0, 0.0, 0.0)


def test_exercise_2_non_tree_dag_result():
    def y(x):
        u = x + 1
        return x * u

    assert cr.value_and_grad(y)(17.0) == (306.0, 35.0)


def test_exercise_2_non_tree_dag_accumulators():
    """∂y/∂u = 17; the accumulator of x goes 0 → 18 → 35."""
    x = 17.0
    u, pull_u = cr.vjp(lambda x: x + 1, x)
    y, pull_y = cr.vjp(lambda x, u: x * u, x, u)
    assert (u, y) == (18.0, 306.0)
    steps = [0.0]
    direct, dy_du = pull_y(1.0)
    steps.append(steps[-1] + direct)
    (through_u,) = pull_u(dy_du)
    steps.append(steps[-1] + through_u)
    assert dy_du == 17.0
    assert steps == [0.0, 18.0, 35.0]


@pytest.mark.parametrize("x", [-2.0, 0.0, 0.5, 17.0])
def test_exercise_2_one_function_used_with_both_inputs_the_same(x):
    """F(u, v) = u v, ℓ = F(x, x): ∂F/∂u + ∂F/∂v = v + u = 2x.

    Correction: printed dF/du and dF/dv. The factors are partial derivatives, x each; the total
    derivative of ℓ is 2x.
    """

    def product(u, v):
        return u * v

    partial_u, partial_v = cr.grad(product, argnums=(0, 1))(x, x)
    total = cr.grad(lambda x: product(x, x))(x)
    assert (partial_u, partial_v, total) == (x, x, 2 * x)


def test_advantages_one_forward_run_for_all_gradients(rng):
    """However many inputs there are, the program is run once."""
    runs = []

    def f(x):
        runs.append(1)
        return np.sum(np.tanh(x) * x)

    for d in (1, 10, 1000):
        x = rng.normal(size=d)
        runs.clear()
        gradient = cr.grad(f)(x)
        assert len(runs) == 1
        np.testing.assert_allclose(
            gradient, np.tanh(x) + x * (1 - np.tanh(x) ** 2), rtol=1e-12, atol=1e-14
        )
