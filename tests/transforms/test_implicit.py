"""Implicit differentiation against differences, closed forms, and the solver's own steps."""

import numpy as np
import pytest
from scipy import optimize

import chainrule as cr
from chainrule import errors

A = np.array([0.7, 0.3])


def residual(x, a):
    return np.stack([x[0] ** 3 + x[1] * a[0] - 2.0, x[1] ** 3 - x[0] * a[1] + 1.0])


def solve(a):
    assert type(a) is np.ndarray  # the solver never meets a traced value
    return optimize.root(lambda x: residual(x, a), np.ones(2), tol=1e-14).x


def differences(f, x, h=1e-5):
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)], -1)


@pytest.mark.parametrize("linear", ["dense", "iterative"])
def test_all_modes_and_orders(linear):
    root = cr.implicit_root(residual, solve, linear=linear)

    def f(a):
        return np.sum(np.sin(root(a)) * a)

    measured = differences(root, A)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(cr.jacobian(root, mode=mode)(A), measured, rtol=1e-8)
    # Differences of a gradient that was just compared; 1e-8 is their own error.
    second = differences(cr.grad(f), A)
    np.testing.assert_allclose(cr.hessian(f)(A), second, rtol=1e-8)
    t = np.array([0.6, -1.1])
    np.testing.assert_allclose(cr.hvp(f)(A, t), second @ t, rtol=1e-8)
    slope = cr.grad(lambda a: cr.jvp(f, (a,), (t,))[1])
    np.testing.assert_allclose(slope(A), second @ t, rtol=1e-8)
    twice = cr.jvp(lambda a: cr.jvp(f, (a,), (t,))[1], (A,), (t,))[1]
    np.testing.assert_allclose(twice, t @ second @ t, rtol=1e-8)

    def along(s):
        return f(A * s)

    third = cr.grad(cr.grad(cr.grad(along)))(1.0)
    h = 1e-4
    curvature = cr.grad(cr.grad(along))
    np.testing.assert_allclose(third, (curvature(1 + h) - curvature(1 - h)) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("linear", ["dense", "iterative"])
def test_closed_over_values_count_as_arguments(linear):
    def explicit(a):
        return np.sum(np.sin(cr.implicit_root(residual, solve, linear=linear)(a)) * a)

    def closed(a):
        root = cr.implicit_root(lambda x: residual(x, 1.0 * a), lambda: solve(a), linear=linear)
        return np.sum(np.sin(root()) * a)

    np.testing.assert_allclose(cr.grad(closed)(A), cr.grad(explicit)(A), rtol=1e-12)
    np.testing.assert_allclose(cr.hessian(closed)(A), cr.hessian(explicit)(A), rtol=1e-11)


def test_closed_over_object_arrays_of_traced_scalars():
    def f(a):
        sides = np.array([a[0], 2.0 * a[1]])  # NumPy makes objects of traced scalars
        root = cr.implicit_root(lambda x: x**3 - sides, lambda: np.cbrt(sides.astype(float)))
        return np.sum(root())

    def g(a):
        return np.cbrt(a[0]) + np.cbrt(2.0 * a[1])

    with pytest.raises(errors.ConversionError):  # astype would cut the gradient
        cr.grad(lambda a: np.sum(np.array([a[0], a[1]]).astype(float)))(A)
    np.testing.assert_allclose(cr.grad(f)(A), cr.grad(g)(A), rtol=1e-12)


def test_trees_in_and_out():
    def equations(x, p):
        return {"sum": x["u"] + x["v"] - p["s"], "gap": x["u"] - x["v"] ** 3 - p["d"]}

    def solver(p):
        def flat(z):
            left = equations({"u": z[:2], "v": z[2:]}, p)
            return np.concatenate([left["sum"], left["gap"]])

        z = optimize.root(flat, np.ones(4), tol=1e-14).x
        return {"u": z[:2], "v": z[2:]}

    root = cr.implicit_root(equations, solver)
    p = {"s": np.array([2.0, 3.0]), "d": np.array([0.5, 0.2]), "label": "static", "count": 3}
    v = root(p)["v"]
    slope = cr.grad(lambda p: np.sum(root(p)["v"]))(p)
    np.testing.assert_allclose(slope["s"], 1 / (1 + 3 * v**2), rtol=1e-10)
    np.testing.assert_allclose(slope["d"], -1 / (1 + 3 * v**2), rtol=1e-10)
    assert slope["label"] is None
    assert slope["count"] is None


def test_a_minimum_of_least_squares_is_the_normal_equations(rng):
    design, y = rng.normal(size=(9, 3)), rng.normal(size=9)

    def objective(x, design, y):
        return np.sum((design @ x - y) ** 2)

    def solver(design, y):
        return np.linalg.lstsq(design, y, rcond=None)[0]

    for linear in ("dense", "iterative"):
        fit = cr.implicit_minimize(objective, solver, linear=linear)
        for argnum in (0, 1):
            found = cr.jacobian(fit, argnum)(design, y)
            exact = cr.jacobian(lambda d, y: np.linalg.solve(d.T @ d, d.T @ y), argnum)(design, y)
            np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-9)


def test_many_unknowns_never_form_a_matrix():
    n = 20_000  # as a matrix 3.2 GB

    def equations(x, a):
        return 3.0 * x + np.tanh(np.roll(x, 1)) - a

    def solver(a):
        x = np.zeros(n)
        for _ in range(60):
            x = (a - np.tanh(np.roll(x, 1))) / 3.0
        return x

    root = cr.implicit_root(equations, solver, linear="iterative")
    a = np.linspace(-1, 1, n)
    slope = cr.grad(lambda a: np.sum(root(a) ** 2))(a)
    x = root(a)
    u = np.zeros(n)  # the adjoint equation, by its own fixed point
    for _ in range(60):
        pulled = np.roll(u * (1 - np.tanh(np.roll(x, 1)) ** 2), -1)
        u = (2 * x - pulled) / 3.0
    np.testing.assert_allclose(slope, u, rtol=1e-8, atol=1e-10)


def test_complex_arguments_of_real_equations():
    root = cr.implicit_root(
        lambda x, z: x**3 - np.real(z * np.conj(z)), lambda z: np.cbrt(abs(z) ** 2)
    )
    z = 1.0 + 2.0j
    slope = cr.grad(root)(z)  # |z|^(2/3): (2/3) |z|^(-4/3) z
    np.testing.assert_allclose(slope, 2 / 3 * abs(z) ** (-4 / 3) * z, rtol=1e-12)


def test_it_is_one_operation_of_a_graph():
    graph = cr.trace(cr.implicit_root(residual, solve))(A)
    assert [node.primitive.name for node in graph.nodes].count("implicit") == 1


def test_the_matrix_is_formed_once_for_all_rows():
    runs = []

    def counted(x, a):
        runs.append(1)
        return residual(x, a)

    cr.jacobian(cr.implicit_root(counted, solve), mode="reverse")(A)
    # The check of the solution, the matrix, and one run for all rows of the result together.
    assert len(runs) == 3


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (cr.implicit_root(lambda x, a: x**3 - a, lambda a: 2.0), "largest residual is 7"),
        (cr.implicit_root(lambda x, a: (x - a) ** 2, lambda a: a), "is singular"),
        (cr.implicit_root(lambda x, a: np.stack([x, x]), lambda a: 0.0), "2 equations for 1 unk"),
        (cr.implicit_root(lambda x, a: x - a, lambda a: 1j), "was given complex"),
    ],
)
def test_refusals_are_sentences(f, words):
    with pytest.raises(errors.ChainruleError, match=words) as caught:
        cr.grad(f)(1.0)
    assert "test_implicit.py" in str(caught.value)


class Model:
    pass


MODEL = Model()


def test_a_value_in_an_attribute_is_found_and_one_of_a_global_refused():
    def root(a, model):
        model.a = a
        return cr.implicit_root(lambda x, b: x - b * model.a, lambda b: b * model.a)(a)

    def refused(a):
        MODEL.a = a
        return cr.implicit_root(lambda x, b: x - b * MODEL.a, lambda b: 2.0)(a)

    assert float(cr.grad(lambda a: root(a, Model()))(3.0)) == 6.0
    with pytest.raises(errors.InputError, match="a global, say"):
        cr.grad(refused)(1.0)


def test_an_iteration_that_does_not_converge_is_refused():
    def equations(x, a):
        return np.stack([x[0] + x[1] - a, x[0] + x[1] - a + 0.0 * x[0]])

    root = cr.implicit_root(equations, lambda a: np.stack([a, 0.0]), linear="iterative")
    with pytest.raises(errors.SolutionError, match="does not converge"):
        cr.grad(lambda a: root(a)[0])(1.0)
