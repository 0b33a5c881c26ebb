"""Bristol SEMT20003, part 5: every equation with content, exercise and answer, by its number."""

import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule.classroom import linear, relu, sqerr

# Sums of at most twenty products of numbers of size one.
TIGHT = {"rtol": 1e-12, "atol": 1e-13}


# Section 1: partial and total derivatives --------------------------------------------------------


def f(x, y):
    return x**2 * y + np.sin(y)


def partials_of_f(x, y):
    return 2 * x * y, x**2 + np.cos(y)


def test_equation_1_partial_derivatives_perturb_one_argument():
    x, y, step = 0.7, -1.2, 1e-5
    actual = cr.grad(f, argnums=(0, 1))(x, y)
    assert actual == pytest.approx(partials_of_f(x, y), rel=1e-14)
    quotients = (f(x + step, y) - f(x, y)) / step, (f(x, y + step) - f(x, y)) / step
    assert actual == pytest.approx(quotients, abs=1e-4)  # one-sided: the error is O(step)


def test_equations_2_to_5_perturbations():
    """dy = y'(x) dx, and df = ∂f/∂x dx + ∂f/∂y dy from the two sources together."""
    x, dx = 0.7, 0.25
    y, dy = cr.jvp(np.exp, (x,), (dx,))
    assert dy == pytest.approx(np.exp(x) * dx, rel=1e-15)
    f_x, f_y = partials_of_f(x, y)
    assert cr.jvp(f, (x, y), (0.0, dy))[1] == pytest.approx(f_y * dy, rel=1e-14)
    assert cr.jvp(f, (x, y), (dx, dy))[1] == pytest.approx(f_x * dx + f_y * dy, rel=1e-14)
    whole = cr.jvp(lambda x: f(x, np.exp(x)), (x,), (dx,))[1]
    assert whole == pytest.approx(f_x * dx + f_y * np.exp(x) * dx, rel=1e-14)


def test_equation_6_total_derivative_by_y_is_the_partial():
    """Correction: equation 6 repeats 7; from equation 2, df/dy = ∂f/∂y."""
    x = 0.7
    y = np.exp(x)
    f_y = partials_of_f(x, y)[1]
    assert cr.grad(lambda y: f(x, y))(y) == pytest.approx(f_y, rel=1e-14)
    assert abs(cr.grad(lambda x: f(x, np.exp(x)))(x) - f_y) > 1


def test_equation_7_total_derivative_by_x():
    """df/dx = ∂f/∂x + ∂f/∂y y'(x), and it is not the partial ∂f/∂x."""
    x = 0.7
    y = np.exp(x)
    f_x, f_y = partials_of_f(x, y)
    total = cr.grad(lambda x: f(x, np.exp(x)))(x)
    assert total == pytest.approx(f_x + f_y * np.exp(x), rel=1e-14)
    assert cr.grad(f, argnums=0)(x, y) == pytest.approx(f_x, rel=1e-14)
    assert abs(total - f_x) > 0.1


def test_equations_8_and_9_there_is_no_partial_by_t():
    """f has two arguments; asking for the derivative by a third is refused, not answered with 0."""
    with pytest.raises(cr.errors.ChainruleError):
        cr.grad(f, argnums=2)(0.7, -1.2)


def test_equations_10_to_13_total_derivative_by_t():
    """With x = cos t, y = t², f_t(t) = f(x(t), y(t)) has the slope ∂f/∂x x'(t) + ∂f/∂y y'(t)."""

    def f_t(t):
        return f(np.cos(t), t**2)

    t = 0.9
    f_x, f_y = partials_of_f(np.cos(t), t**2)
    assert cr.grad(f_t)(t) == pytest.approx(-f_x * np.sin(t) + f_y * 2 * t, rel=1e-14)


# Section 2: the scalar network -------------------------------------------------------------------

# x = 2 → a₁ = h₁ = 5 → a₂ = h₂ = 2 → f = 9, against y = 7: L = 2. Whole numbers, so exact.
SCALARS = {"x": 2.0, "w1": 3.0, "b1": -1.0, "w2": -2.0, "b2": 12.0, "w3": 4.0, "b3": 1.0, "y": 7.0}
SCALAR_GRADIENTS = {
    "x": -48.0, "w1": -32.0, "b1": -16.0, "w2": 40.0, "b2": 8.0, "w3": 4.0, "b3": 2.0, "y": -2.0,
}  # fmt: skip


def scalar_relu(a):
    return np.maximum(a, 0)


def scalar_loss(x, w1, b1, w2, b2, w3, b3, y):
    h1 = scalar_relu(w1 * x + b1)
    h2 = scalar_relu(w2 * h1 + b2)
    return 0.5 * (w3 * h2 + b3 - y) ** 2


def test_equations_14_to_18_and_22_gradients_of_the_scalar_network():
    value, gradients = cr.value_and_grad(scalar_loss, argnums=tuple(range(8)))(*SCALARS.values())
    assert value == 2.0
    assert dict(zip(SCALARS, gradients, strict=True)) == SCALAR_GRADIENTS


def test_equation_19_derivative_of_linear_by_its_weight():
    assert cr.grad(lambda h, w, b: w * h + b, argnums=(0, 1, 2))(2.0, 4.0, 1.0) == (4.0, 2.0, 1.0)


def test_equations_20_and_21_step_function():
    """Θ(a) is 1 for a > 0 and 0 otherwise, at 0 too."""
    a = np.array([-2.0, -0.0, 0.0, 1e-300, 3.0])
    np.testing.assert_array_equal(cr.elementwise_grad(cr.nn.relu)(a), [0, 0, 0, 1, 1])


def test_equations_23_to_25_gradients_of_the_activations():
    """dL/df = 2, dL/dh₂ = 8, dL/da₂ = 8, dL/dh₁ = -16, dL/da₁ = -16, each from the next."""
    stages = [
        lambda a1: scalar_relu(a1),
        lambda h1: -2.0 * h1 + 12.0,
        lambda a2: scalar_relu(a2),
        lambda h2: 4.0 * h2 + 1.0,
        lambda f: 0.5 * (f - 7.0) ** 2,
    ]
    value, pulls = 5.0, []
    for stage in stages:
        value, pull = cr.vjp(stage, value)
        pulls.append(pull)
    gradients = [1.0]
    for pull in reversed(pulls):
        gradients.append(pull(gradients[-1])[0])
    assert gradients == [1.0, 2.0, 8.0, 8.0, -16.0, -16.0]


# Section 3: func.backward ------------------------------------------------------------------------


def forward_pass(x, W1, b1, W2, b2, W3, b3, y):
    """Equations 14 and 33 with the classroom's functions; every intermediate value by name."""
    a1 = linear(x, W1, b1)
    h1 = relu(a1)
    a2 = linear(h1, W2, b2)
    h2 = relu(a2)
    out = linear(h2, W3, b3)
    return {"a1": a1, "h1": h1, "a2": a2, "h2": h2, "f": out, "loss": sqerr(out, y)}


def backward_pass(inputs, values):
    """Equations 32 and 37, line by line, with line e as corrected."""
    x, W1, b1, W2, b2, W3, b3, y = inputs
    df, dy = sqerr.backward(1.0, values["f"], y)
    dh2, dW3, db3 = linear.backward(df, values["h2"], W3, b3)
    da2 = relu.backward(dh2, values["a2"])
    dh1, dW2, db2 = linear.backward(da2, values["h1"], W2, b2)
    da1 = relu.backward(dh1, values["a1"])
    dx, dW1, db1 = linear.backward(da1, x, W1, b1)
    activations = {"f": df, "h2": dh2, "a2": da2, "h1": dh1, "a1": da1}
    return (dx, dW1, db1, dW2, db2, dW3, db3, dy), activations


def test_equation_29_relu_backward(rng):
    a, dh = rng.normal(size=7), rng.normal(size=7)
    np.testing.assert_array_equal(relu(a), np.where(a > 0, a, 0))
    np.testing.assert_array_equal(relu.backward(dh, a), np.where(a > 0, dh, 0))


def test_equation_31_sqerr_backward(rng):
    """dL/df = f - y and dL/dy = y - f, times dL/dL = 1."""
    out, y = rng.normal(size=(2, 5))
    assert sqerr(out, y) == pytest.approx(0.5 * np.sum((out - y) ** 2), rel=1e-14)
    for upstream in (1.0, -2.5):
        df, dy = sqerr.backward(upstream, out, y)
        np.testing.assert_allclose(df, upstream * (out - y), **TIGHT)
        np.testing.assert_allclose(dy, upstream * (y - out), **TIGHT)


def test_equations_26_and_32_backward_pass_of_the_scalar_network():
    """Correction (32e): relu.backward(dL/dh₂; a₂), as printed, gives 8; (dL/dh₁; a₁) gives -16."""
    inputs = tuple(SCALARS.values())
    values = forward_pass(*inputs)
    assert values == {"a1": 5.0, "h1": 5.0, "a2": 2.0, "h2": 2.0, "f": 9.0, "loss": 2.0}
    gradients, activations = backward_pass(inputs, values)
    assert dict(zip(SCALARS, gradients, strict=True)) == SCALAR_GRADIENTS
    assert activations == {"f": 2.0, "h2": 8.0, "a2": 8.0, "h1": -16.0, "a1": -16.0}
    assert relu.backward(activations["h2"], values["a2"]) == 8.0


# Section 4: the full network ---------------------------------------------------------------------

SIZES = {"x": 4, "h1": 6, "h2": 5, "f": 3}


@pytest.fixture(params=[None, 1, 8], ids=["one row vector", "batch of 1", "batch of 8"])
def inputs(request, rng):
    """x, W₁, b₁, W₂, b₂, W₃, b₃, y with x and y as row vectors or as a batch of them."""
    d, h1, h2, q = SIZES.values()
    rows = () if request.param is None else (request.param,)
    shapes = [(*rows, d), (d, h1), h1, (h1, h2), h2, (h2, q), q, (*rows, q)]
    return tuple(rng.normal(size=shape) for shape in shapes)


def closed_forms(x, W1, b1, W2, b2, W3, b3, y):
    """The answers of section 6, layer by layer, in NumPy and with batches summed over rows."""
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    a1 = x @ W1 + b1
    h1 = a1 * (a1 > 0)
    a2 = h1 @ W2 + b2
    h2 = a2 * (a2 > 0)
    df = h2 @ W3 + b3 - y
    dh2 = df @ W3.T
    da2 = dh2 * (a2 > 0)
    dh1 = da2 @ W2.T
    da1 = dh1 * (a1 > 0)
    by_input = (
        da1 @ W1.T, x.T @ da1, da1.sum(axis=0), h1.T @ da2, da2.sum(axis=0),
        h2.T @ df, df.sum(axis=0), -df,
    )  # fmt: skip
    return by_input, {"f": df, "h2": dh2, "a2": da2, "h1": dh1, "a1": da1}


def loss_in_numpy(x, W1, b1, W2, b2, W3, b3, y):
    h1 = np.maximum(x @ W1 + b1, 0)
    h2 = np.maximum(h1 @ W2 + b2, 0)
    return 0.5 * np.sum((h2 @ W3 + b3 - y) ** 2)


def test_equations_33_to_35_gradients_of_the_full_network(inputs):
    """By cr.grad; with a batch, dL/db is a sum over its rows."""
    expected, _ = closed_forms(*inputs)
    gradients = cr.grad(loss_in_numpy, argnums=tuple(range(8)))(*inputs)
    for actual, closed, argument in zip(gradients, expected, inputs, strict=True):
        assert actual.shape == argument.shape
        np.testing.assert_allclose(actual, closed.reshape(argument.shape), **TIGHT)


def test_equation_37_backward_pass_of_the_full_network(inputs):
    """Correction (37e): relu.backward takes dL/dh₁ and a₁; dL/dh₂ and a₂ have another size."""
    values = forward_pass(*inputs)
    assert values["loss"] == pytest.approx(loss_in_numpy(*inputs), rel=1e-13)
    gradients, activations = backward_pass(inputs, values)
    expected, expected_activations = closed_forms(*inputs)
    for actual, closed, argument in zip(gradients, expected, inputs, strict=True):
        assert actual.shape == argument.shape
        np.testing.assert_allclose(actual, closed.reshape(argument.shape), **TIGHT)
    for name, closed in expected_activations.items():
        assert activations[name].shape == values[name].shape
        np.testing.assert_allclose(activations[name], closed.reshape(values[name].shape), **TIGHT)
    printed = relu.backward(activations["h2"], values["a2"])
    assert printed.shape != values["a1"].shape


def test_equation_36_sums_over_jacobians(rng):
    """dL/dh₂ᵢ = Σₖ ∂fₖ/∂h₂ᵢ dL/dfₖ. Correction: printed ∂fₖ/∂h₃ᵢ; the network has no h₃.

    The Jacobians are what the sums run over; equation 37 never forms them (the text says it does).
    """
    h2, W3, b3, y = (rng.normal(size=shape) for shape in (5, (5, 3), 3, 3))
    df = linear(h2, W3, b3) - y
    by_h2, by_W3, by_b3 = linear.jacobian(h2, W3, b3)
    sums = [
        np.einsum("ki,k->i", by_h2, df),
        np.einsum("kij,k->ij", by_W3, df),
        np.einsum("ki,k->i", by_b3, df),
    ]
    for actual, expected in zip(linear.backward(df, h2, W3, b3), sums, strict=True):
        np.testing.assert_allclose(actual, expected, **TIGHT)
    a2, dh2 = rng.normal(size=(2, 5))
    np.testing.assert_allclose(
        relu.backward(dh2, a2), np.einsum("ki,k->i", relu.jacobian(a2), dh2), **TIGHT
    )


# Section 4.1: explicit Jacobians -----------------------------------------------------------------


def test_equations_39_and_41_to_44_jacobian_of_relu(rng):
    """∂hⱼ/∂aᵢ = δⱼᵢ Θ(aⱼ)."""
    a = np.array([1.5, -0.5, 0.0, 2.0])
    expected = np.diag([1.0, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(relu.jacobian(a), expected)
    np.testing.assert_array_equal(cr.jacobian(cr.nn.relu)(a), expected)


def test_equations_45_to_47_the_sum_collapses():
    """Correction: the flat part is a ≤ 0 by equation 42, not a < 0: nothing passes at 0 either."""
    a, dh = np.array([1.5, -0.5, 0.0, 2.0]), np.array([3.0, 5.0, 7.0, -11.0])
    np.testing.assert_array_equal(relu.jacobian(a).T @ dh, [3, 0, 0, -11])
    np.testing.assert_array_equal(relu.backward(dh, a), [3, 0, 0, -11])
    np.testing.assert_array_equal(cr.vjp(cr.nn.relu, a)[1](dh)[0], [3, 0, 0, -11])


def traced_peak(run):
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_section_4_1_backward_is_linear_in_the_width():
    """O(D) numbers for equation 47, D² for the Jacobian of 44 and 45.

    Correction: "the final expression (Eq. 45)" that takes O(D) is 47.
    """
    for width in (500, 1000):
        a, dh = np.linspace(-1, 1, width), np.ones(width)
        assert traced_peak(lambda a=a, dh=dh: relu.backward(dh, a)) < 40 * a.nbytes
        assert traced_peak(lambda a=a: relu.jacobian(a)) >= width * a.nbytes


def test_section_4_2_inference_can_reuse_memory(rng):
    """Training keeps the values of every layer; the forward pass alone holds a few at a time."""
    x, weights = rng.normal(size=(500, 20)), np.eye(20) / 2

    def loss(W):
        h = x
        for _ in range(12):
            h = np.maximum(h @ W + 0.1, 0)
        return np.sum(h)

    assert traced_peak(lambda: loss(weights)) < 5 * x.nbytes
    assert traced_peak(lambda: cr.grad(loss)(weights)) > 12 * x.nbytes


# Sections 5 and 6: the linear function -----------------------------------------------------------


@pytest.fixture
def layer(rng):
    return rng.normal(size=4), rng.normal(size=(4, 3)), rng.normal(size=3)


def linear_by_index(h, W, b):
    return np.array([sum(h[i] * W[i, j] for i in range(4)) + b[j] for j in range(3)])


def test_equation_49_index_notation(layer):
    np.testing.assert_allclose(linear(*layer), linear_by_index(*layer), **TIGHT)


@pytest.mark.parametrize("function", [linear_by_index, linear])
@pytest.mark.parametrize("exercise", [1, 2, 3])
def test_exercises_1_to_3_jacobians(layer, function, exercise):
    """∂aⱼ/∂hₐ = Wₐⱼ, ∂aⱼ/∂Wₐᵦ = hₐ δⱼᵦ, ∂aⱼ/∂bₐ = δⱼₐ.

    Correction: answer 2 drops ∂hⱼ/∂W and ∂bᵢ/∂W; in the sum they are hᵢ and bⱼ.
    """
    h, W, _ = layer
    expected = {1: W.T, 2: np.einsum("a,jb->jab", h, np.eye(3)), 3: np.eye(3)}[exercise]
    np.testing.assert_allclose(
        cr.jacobian(function, argnums=exercise - 1)(*layer), expected, **TIGHT
    )
    np.testing.assert_allclose(linear.jacobian(*layer)[exercise - 1], expected, **TIGHT)


@pytest.mark.parametrize("function", [linear_by_index, linear])
@pytest.mark.parametrize("exercise", [4, 5, 6])
def test_exercises_4_to_6_backward(layer, rng, function, exercise):
    """dL/dh = dL/da Wᵀ, dL/dW = hᵀ dL/da, dL/db = dL/da, from the Jacobians of answers 1 to 3.

    Correction: each says "the Jacobian from the previous question"; it is three questions back.
    """
    h, W, _ = layer
    da = rng.normal(size=3)
    expected = {4: da @ W.T, 5: h[:, None] @ da[None, :], 6: da}[exercise]
    jacobian = cr.jacobian(function, argnums=exercise - 4)(*layer)
    np.testing.assert_allclose(np.tensordot(da, jacobian, axes=1), expected, **TIGHT)
    np.testing.assert_allclose(cr.vjp(function, *layer)[1](da)[exercise - 4], expected, **TIGHT)
    np.testing.assert_allclose(linear.backward(da, *layer)[exercise - 4], expected, **TIGHT)


def test_exercise_6_over_a_batch(layer, rng):
    """With rows stacked to a batch, dL/db is the sum of dL/da over the rows."""
    _, W, b = layer
    h, da = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    dh, dW, db = linear.backward(da, h, W, b)
    np.testing.assert_allclose(db, da.sum(axis=0), **TIGHT)
    np.testing.assert_allclose(
        dW, sum(np.outer(*rows) for rows in zip(h, da, strict=True)), **TIGHT
    )
    np.testing.assert_allclose(dh, da @ W.T, **TIGHT)
