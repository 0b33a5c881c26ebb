"""Whole functions with derivatives of the user's own: every way to state one, in every nesting."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph import registry


def multiply_forward(x, y):
    return x * y, (x, y)


def multiply_backward(saved, grad_z):
    x, y = saved
    return y * grad_z, x * grad_z


def sigmoid_forward(x):
    y = 1 / (1 + np.exp(-x))
    return y, y


def sigmoid_backward(y, g):
    return g * y * (1 - y)


def plain_sigmoid(x):
    return 1 / (1 + np.exp(-x))


multiply = cr.custom_derivative(
    forward=multiply_forward, backward=multiply_backward, samples=[(3.0, -4.0)]
)
sigmoid = cr.custom_derivative(
    forward=sigmoid_forward, backward=sigmoid_backward, samples=[(0.5,), (np.linspace(-1, 1, 3),)]
)


def same_derivatives(f, g, *args):
    """First and second derivatives in all modes agree; one nesting more than anyone should need."""
    positions = tuple(range(len(args)))
    cr.check_grads(f, args, order=2)
    np.testing.assert_allclose(cr.grad(f, positions)(*args), cr.grad(g, positions)(*args))
    ones = tuple(np.ones_like(a) for a in args)

    def third(h):
        def inner(*xs):
            return cr.jvp(h, xs, ones)[1]

        return cr.grad(lambda *xs: cr.jvp(inner, xs, ones)[1], positions)(*args)

    np.testing.assert_allclose(third(f), third(g), rtol=1e-12)
    np.testing.assert_allclose(
        cr.hvp(lambda x: np.sum(f(x, *args[1:])))(args[0], ones[0]),
        cr.hvp(lambda x: np.sum(g(x, *args[1:])))(args[0], ones[0]),
    )


def test_the_notes_multiply():
    """Bristol notes, 1.27: the inputs are stashed, and upstream times local gradient comes back."""
    same_derivatives(multiply, lambda x, y: x * y, 3.0, -4.0)
    assert [float(g) for g in cr.grad(multiply, (0, 1))(3.0, -4.0)] == [-4.0, 3.0]


def test_a_sigmoid_that_saves_its_output():
    same_derivatives(sigmoid, plain_sigmoid, 0.7)
    np.testing.assert_allclose(
        cr.hessian(lambda x: np.sum(sigmoid(x) ** 2))(np.ones(3)),
        cr.hessian(lambda x: np.sum(plain_sigmoid(x) ** 2))(np.ones(3)),
    )


def test_an_array_of_its_own_that_is_saved():
    def forward(x):
        e = np.exp(-x)
        return 1 / (1 + e), e

    f = cr.custom_derivative(
        forward=forward, backward=lambda e, g: g * e / (1 + e) ** 2, samples=[(0.3,)]
    )
    same_derivatives(f, plain_sigmoid, 0.7)


def test_a_jvp_alone():
    f = cr.custom_derivative(
        lambda x, y: x**2 * y,
        jvp=lambda args, ts: 2 * args[0] * args[1] * ts[0] + args[0] ** 2 * ts[1],
        samples=[(2.0, 3.0)],
    )
    same_derivatives(f, lambda x, y: x**2 * y, 2.0, 3.0)


def test_a_vjp_alone_as_a_decorator():
    @cr.custom_derivative(
        vjp=lambda args, y, g, power: (g * power * args[0] ** (power - 1),),
        samples=[(2.0, {"power": 3})],
    )
    def raised(x, *, power):
        """A power."""
        return x**power

    assert raised.__doc__ == "A power."
    assert float(raised(2.0, power=3)) == 8
    assert float(cr.grad(raised)(2.0, power=3)) == 12
    assert float(cr.grad(cr.grad(raised))(2.0, power=3)) == 12


def test_trees_and_arguments_without_numbers():
    @cr.custom_derivative(
        vjp=lambda args, out, g: (
            {"w": g["y"] * args[2] + 2 * g["z"] * args[0]["w"], "n": None},
            None,
            np.sum(g["y"] * args[0]["w"]),
        ),
        samples=[({"w": np.array([1.0, 2.0]), "n": 3}, "name", 2.0)],
    )
    def f(p, name, s):
        return {"y": p["w"] * s, "z": np.sum(p["w"] ** 2), "k": len(name)}

    def loss(p, s):
        out = f(p, "name", s)
        return np.sum(out["y"] ** 2) + out["z"] * out["k"]

    p = {"w": np.array([1.0, 2.0]), "n": 3}
    gp, gs = cr.grad(loss, (0, 1))(p, 2.0)
    np.testing.assert_allclose(gp["w"], 2 * p["w"] * 4 + 8 * p["w"])
    assert gp["n"] is None
    assert float(gs) == 2 * 2 * 5


def test_code_that_no_rule_could_see_through():
    """Plain Python inside; the rule is NumPy, so derivatives of every order follow."""
    f = cr.custom_derivative(
        lambda x: math.erf(float(x)),
        jvp=lambda args, ts: 2 / np.sqrt(np.pi) * np.exp(-(args[0] ** 2)) * ts[0],
        samples=[(0.3,), (-1.0,)],
    )
    assert float(cr.grad(f)(0.0)) == pytest.approx(2 / math.sqrt(math.pi))
    assert float(cr.grad(cr.grad(f))(0.5)) == pytest.approx(
        -2 * 0.5 * 2 / math.sqrt(math.pi) * math.exp(-0.25)
    )


def test_a_rule_that_cannot_be_transposed_says_what_to_state():
    f = cr.custom_derivative(
        lambda x: math.sin(x),
        vjp=lambda args, y, g: (math.cos(args[0]) * float(g),),
        samples=[(0.3,)],
    )
    assert float(cr.grad(f)(0.3)) == math.cos(0.3)
    with pytest.raises(errors.UnsupportedError, match=r"states its vjp alone.*state the jvp too"):
        cr.jvp(f, (0.3,), (1.0,))
    both = cr.custom_derivative(
        lambda x: math.sin(x),
        vjp=lambda args, y, g: (math.cos(args[0]) * float(g),),
        jvp=lambda args, ts: math.cos(args[0]) * float(ts[0]),
        samples=[(0.3,)],
    )
    assert float(cr.jvp(both, (0.3,), (1.0,))[1]) == math.cos(0.3)


@pytest.mark.parametrize("factor", [1.0005, -1.0, 0.0])
def test_a_wrong_rule_is_refused_with_numbers(factor):
    with pytest.raises(errors.ToleranceError, match=r"expected 0\.8775825\d* by differences, got"):
        cr.custom_derivative(
            np.sin, jvp=lambda args, ts: factor * np.cos(args[0]) * ts[0], samples=[(0.5,)]
        )


def test_a_rule_that_is_wrong_at_second_order_only_is_refused():
    """The first derivative is right at the sample; its own derivative is cut off."""
    with pytest.raises(errors.ToleranceError, match="forward over"):
        cr.custom_derivative(
            np.sin,
            jvp=lambda args, ts: np.cos(cr.stop_gradient(args[0])) * ts[0],
            samples=[(0.5,)],
        )


def test_modes_that_disagree_are_refused():
    with pytest.raises(errors.ToleranceError, match="the modes disagree"):
        cr.custom_derivative(
            np.round,
            jvp=lambda args, ts: ts[0],
            vjp=lambda args, y, g: (2 * g,),
            surrogate="straight-through",
            samples=[(0.3,)],
        )


def test_surrogates_and_that_explain_shows_them():
    straight = cr.custom_derivative(
        np.round, jvp=lambda args, ts: ts[0], surrogate="straight-through", samples=[(0.3,)]
    )
    reversed_ = cr.custom_derivative(
        forward=lambda x: (x, ()),
        backward=lambda saved, g: -g,
        surrogate="gradient reversal",
        samples=[(0.3,)],
    )
    assert float(cr.grad(lambda x: straight(x) ** 2)(1.3)) == 2.0
    assert float(cr.grad(lambda x: reversed_(x) ** 2)(1.5)) == -3.0
    table = cr.explain(lambda x: straight(x) ** 2, 1.3).table()
    assert "surrogate: straight-through" in table
    assert "round(x) = round(1.3) = 1" in table


def test_only_what_was_saved_is_kept():
    _, _, xs, ys = cr.vjp(sigmoid, np.ones(1000))[1]._tape.steps[0]
    assert xs == ()
    assert len(ys) == 1


def test_it_is_in_no_registry():
    assert all(record.name not in ("multiply_forward", "sigmoid_forward") for record in registry)


def test_what_is_refused():
    with pytest.raises(errors.RuleError, match="without samples"):
        cr.custom_derivative(np.sin, jvp=lambda args, ts: ts[0], samples=[])
    with pytest.raises(errors.RuleError, match="the tuple of the arguments"):
        cr.custom_derivative(np.sin, jvp=lambda args, ts: ts[0], samples=[0.5])
    with pytest.raises(errors.RuleError, match="states no rule for sin"):
        cr.custom_derivative(np.sin, samples=[(0.5,)])
    with pytest.raises(errors.RuleError, match="belong together"):
        cr.custom_derivative(forward=sigmoid_forward, samples=[(0.5,)])
    with pytest.raises(errors.RuleError, match="trees that are not those of the arguments"):
        cr.custom_derivative(
            lambda x, y: x * y, vjp=lambda args, out, g: g * args[1], samples=[(1.0, 2.0)]
        )
    with pytest.raises(errors.RuleError, match=r"cotangent of shape \(\) for an argument of shape"):
        cr.custom_derivative(np.sum, vjp=lambda args, out, g: (g,), samples=[(np.ones(3),)])


def test_a_value_of_the_running_derivative_has_to_be_an_argument():
    @cr.custom_derivative(
        jvp=lambda args, ts: args[0] * ts[1] + args[1] * ts[0], samples=[(1.0, 2.0)]
    )
    def product(x, y):
        return x * y

    def closing_over(z):
        inner = cr.custom_derivative(
            lambda x: x * z, jvp=lambda args, ts: z * ts[0], samples=[(1.0,)]
        )
        return inner(z)

    assert float(cr.grad(lambda z: product(z, z))(2.0)) == 4
    with pytest.raises(errors.InputError, match="not among its arguments"):
        cr.grad(closing_over)(2.0)


def test_complex_numbers():
    f = cr.custom_derivative(
        lambda z: z * z, jvp=lambda args, ts: 2 * args[0] * ts[0], samples=[(1.0 + 2.0j,)]
    )
    g = cr.custom_derivative(
        lambda z: z * z,
        vjp=lambda args, y, g: (np.conj(2 * args[0]) * g,),
        samples=[(1.0 + 2.0j,)],
    )

    def loss(square):
        return lambda z: np.real(square(z)) * np.imag(square(z))

    expected = cr.grad(loss(np.square))(0.5 - 1.5j)
    for custom in (f, g):
        np.testing.assert_allclose(cr.grad(loss(custom))(0.5 - 1.5j), expected)
