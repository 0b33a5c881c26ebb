"""KAUST course notes, sections 1.29 to 1.36: vectors, matrices, higher orders, memory."""

import tracemalloc

import numpy as np

import chainrule as cr

# Sums of at most twenty products of numbers of size one.
TIGHT = {"rtol": 1e-12, "atol": 1e-13}


def relu(x):
    return np.maximum(x, 0)


def test_section_1_29_jacobian_of_three_outputs():
    """Row i holds ∂uᵢ/∂x."""
    actual = cr.jacobian(lambda x: np.array([x[0] * x[1], x[1] * x[2], x[2] ** 2]))(
        np.array([2.0, 3.0, 5.0])
    )
    np.testing.assert_array_equal(actual, [[3, 2, 0], [0, 5, 3], [0, 0, 10]])


def test_sections_1_30_and_1_32_jacobian_shapes(rng):
    """Correction: printed D_x × D_z; in the layout of 1.6 the output comes first, D_z × D_x."""
    x, y, A = rng.normal(size=3), rng.normal(size=4), rng.normal(size=(2, 3))
    J_x, J_y = cr.jacobian(lambda x, y: A @ x * np.sum(y), argnums=(0, 1))(x, y)
    np.testing.assert_allclose(J_x, A * np.sum(y), **TIGHT)
    np.testing.assert_allclose(J_y, np.outer(A @ x, np.ones(4)), **TIGHT)
    assert (J_x.shape, J_y.shape) == ((2, 3), (2, 4))
    X, Y = rng.normal(size=(3, 5)), rng.normal(size=(5, 4))
    shapes = [J.shape for J in cr.jacobian(lambda X, Y: A @ X @ Y, argnums=(0, 1))(X, Y)]
    assert shapes == [(2, 4, 3, 5), (2, 4, 5, 4)]


def test_section_1_31_vector_example():
    """Correction: one row of the Jacobian is printed; it is diag(1, 0, 1, 0)."""
    x, dy = np.array([1.0, -2.0, 3.0, -1.0]), np.array([4.0, -1.0, 5.0, 9.0])
    y, pull = cr.vjp(relu, x)
    np.testing.assert_array_equal(y, [1, 0, 3, 0])
    np.testing.assert_array_equal(pull(dy)[0], [4, 0, 5, 0])
    np.testing.assert_array_equal(cr.jacobian(relu)(x), np.diag([1, 0, 1, 0]))


def test_section_1_33_matrix_example_in_small(rng):
    """x₁₂ = 1 affects y₁₃ = 2 with w₂₃ = 3, and the whole row y₁; ∂L/∂x = g wᵀ, ∂L/∂w = xᵀ g."""
    x = np.array([[2.0, 1.0, -3.0], [-3.0, 4.0, 2.0]])
    w = np.array([[3.0, 2.0, 1.0, -1.0], [2.0, 1.0, 3.0, 2.0], [3.0, 2.0, 1.0, -2.0]])
    y, pull = cr.vjp(lambda x, w: x @ w, x, w)
    dy_dx, dy_dw = cr.jacobian(lambda x, w: x @ w, argnums=(0, 1))(x, w)
    assert (x[0, 1], y[0, 2], dy_dx[0, 2, 0, 1]) == (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(dy_dx[:, :, 0, 1], [w[1], np.zeros(4)])
    assert (dy_dx.shape, dy_dw.shape) == ((2, 4, 2, 3), (2, 4, 3, 4))
    g = rng.normal(size=(2, 4))
    dx, dw = pull(g)
    np.testing.assert_allclose(dx, g @ w.T, **TIGHT)
    np.testing.assert_allclose(dw, x.T @ g, **TIGHT)


def test_section_1_33_square_matrices_fit_in_more_than_one_way(rng):
    """Correction: "only one way to make shapes match up" fails when N = D = M: wᵀg fits as well."""
    x, w, g = rng.normal(size=(3, 3, 3))
    dx, dw = cr.vjp(lambda x, w: x @ w, x, w)[1](g)
    np.testing.assert_allclose(dx, g @ w.T, **TIGHT)
    np.testing.assert_allclose(dw, x.T @ g, **TIGHT)
    assert not np.allclose(dx, w.T @ g)


def test_section_1_33_matrix_example_in_full(rng):
    """N = 64, D = M = 4096, float32: the two gradients fit in 3 × (x, w, y and their gradients).

    Correction: 256 GB is 256 GiB for ∂y/∂x; ∂y/∂w would take 16 TiB.
    """
    N, D, M = 64, 4096, 4096
    assert (N * D) * (N * M) * 4 == 256 * 2**30
    assert (D * M) * (N * M) * 4 == 16 * 2**40
    g = rng.normal(size=(N, M)).astype(np.float32)
    tracemalloc.start()
    x, w = np.ones((N, D), np.float32), rng.random((D, M), np.float32)
    y, pull = cr.vjp(lambda x, w: x @ w, x, w)
    dx, dw = pull(g)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = sum(array.nbytes for array in (x, w, y, dx, dw, g))
    assert held == 2 * 4 * (N * D + D * M + N * M) == 138_412_032
    assert peak <= 3 * held  # 415,236,096 bytes
    # Sums of 4096 float32 products: rounding grows like the square root, about 64 · 6e-8.
    np.testing.assert_allclose(dx[:2], g[:2].astype(float) @ w.T, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(dw[:2], np.broadcast_to(g.sum(axis=0), (2, M)), rtol=1e-4, atol=1e-4)


def test_section_1_34_squared_norm_of_a_product(rng):
    """∂f/∂W = 2 f₁ xᵀ, ∂f/∂x = 2 Wᵀ f₁. Correction: 1.42 and 1.43 are swapped."""
    W, x = rng.normal(size=(2, 3)), rng.normal(size=3)
    f1 = W @ x
    np.testing.assert_allclose(cr.grad(lambda f1: np.sum(f1 * f1))(f1), 2 * f1, **TIGHT)
    dW, dx = cr.grad(lambda W, x: np.sum((W @ x) ** 2), argnums=(0, 1))(W, x)
    np.testing.assert_allclose(dW, np.outer(2 * f1, x), **TIGHT)
    np.testing.assert_allclose(dx, 2 * W.T @ f1, **TIGHT)


def test_section_1_35_hessian_vector_product(rng):
    """H v = ∇(∇L · v) for L = Σx³ + (a·x)², H = 6 diag(x) + 2aaᵀ; v must not depend on x."""
    x, a, v = rng.normal(size=(3, 4))

    def loss(x):
        return np.sum(x**3) + np.sum(a * x) ** 2

    hessian = 6 * np.diag(x) + 2 * np.outer(a, a)
    np.testing.assert_allclose(cr.hessian(loss)(x), hessian, **TIGHT)
    np.testing.assert_allclose(cr.hvp(loss)(x, v), hessian @ v, **TIGHT)

    def slope_along(x):
        return np.sum(cr.grad(loss)(x) * v)

    np.testing.assert_allclose(cr.grad(slope_along)(x), hessian @ v, **TIGHT)
    v_is_x = cr.grad(lambda x: np.sum(cr.grad(loss)(x) * x))(x)
    np.testing.assert_allclose(v_is_x, hessian @ x + cr.grad(loss)(x), **TIGHT)


def test_section_1_35_gradient_penalty(rng):
    """R(x₀) = ‖∂L/∂x₀‖² has the gradient 2 (∂²L/∂x₀²)(∂L/∂x₀); here L = (w·x)²/2.

    Correction: 1.45 defines R by ∂L/∂W, 1.46 differentiates the one by ∂L/∂x₀.
    """
    w, x = rng.normal(size=(2, 4))
    s = w @ x

    def loss(w, x):
        return np.sum(w * x) ** 2 / 2

    by_x = cr.grad(lambda x: np.sum(cr.grad(loss, argnums=1)(w, x) ** 2))(x)
    np.testing.assert_allclose(by_x, 2 * np.outer(w, w) @ (s * w), **TIGHT)
    by_w = cr.grad(lambda x: np.sum(cr.grad(loss, argnums=0)(w, x) ** 2))(x)
    np.testing.assert_allclose(by_w, 2 * s * (x @ x) * w + 2 * s**2 * x, **TIGHT)
    assert not np.allclose(by_x, by_w)


def test_section_1_35_penalty_of_the_cited_paper(rng):
    """Correction: Gulrajani et al. penalise (‖∇L‖ - 1)²; its gradient is 2 (1 - 1/‖∇L‖) H ∇L."""
    a, x = rng.normal(size=(2, 4))

    def loss(x):
        return np.sum(a * x**3)

    def penalty(x):
        return (np.sqrt(np.sum(cr.grad(loss)(x) ** 2)) - 1) ** 2

    slope = 3 * a * x**2
    expected = 2 * (1 - 1 / np.sqrt(np.sum(slope**2))) * (6 * a * x) * slope
    np.testing.assert_allclose(cr.grad(penalty)(x), expected, **TIGHT)


def test_section_1_36_rematerialisation(rng):
    """Recomputing the parts gives the same gradient, bit for bit, from a smaller peak."""
    x, runs = rng.normal(size=50_000), []

    def part(x):
        runs.append(1)
        for _ in range(8):
            x = np.tanh(x)
        return x

    def peak_of(block):
        def loss(x):
            for _ in range(4):
                x = block(x)
            return np.sum(x)

        runs.clear()
        tracemalloc.start()
        gradient = cr.grad(loss)(x)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return gradient, peak / x.nbytes, len(runs)

    plain, plain_peak, plain_runs = peak_of(part)
    saved, saved_peak, _ = peak_of(cr.checkpoint(part))
    assert plain_runs == 4
    np.testing.assert_array_equal(saved, plain)
    assert plain_peak > 32  # every one of the 32 results is kept
    assert saved_peak < 20  # 4 heads, then 8 recomputed results and a few cotangents at a time
