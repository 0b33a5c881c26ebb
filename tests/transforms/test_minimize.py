"""SciPy's minimisers with exact derivatives, and the derivative of what they find."""

from collections import namedtuple

import numpy as np
import pytest
from scipy import optimize

import chainrule as cr
from chainrule import errors

WITH_GRADIENTS = (None, "CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")
WITH_PRODUCTS = ("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr")
WITH_HESSIANS = ("trust-exact",)
WITHOUT = ("Nelder-Mead", "Powell", "COBYQA")
# With SciPy's defaults an interior method stops about 1e-4 away from active limits.
CLOSE = {"gtol": 1e-10, "xtol": 1e-12, "barrier_tol": 1e-10}


def rosenbrock(x, a=100.0):
    return np.sum(a * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def differences(f, x, h=1e-5):
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)], -1)


@pytest.mark.parametrize("method", [*WITH_GRADIENTS, *WITH_PRODUCTS, *WITH_HESSIANS, *WITHOUT])
def test_every_method_finds_the_minimum(method):
    result = cr.minimize(rosenbrock, np.zeros(2), method=method)
    # TNC and SLSQP stop where the value no longer falls, about 1e-3 away with SciPy's defaults.
    np.testing.assert_allclose(result.x, 1.0, atol=2e-3)


@pytest.mark.parametrize("method", [*WITH_GRADIENTS, *WITH_PRODUCTS[:3], *WITH_HESSIANS])
def test_value_and_gradient_come_from_one_run(method):
    runs = []

    def counted(x):
        runs.append(1)
        return rosenbrock(x)

    result = cr.minimize(counted, np.full(3, 0.5), method=method)
    # A Hessian-vector product costs one run, and so does a whole Hessian.
    assert len(runs) <= result.nfev + (result.get("nhev") or 0)


def test_the_unknown_may_be_a_tree():
    Point = namedtuple("Point", "w b")

    def loss(p):
        return np.sum((p.w - 2.0) ** 2) + (p.b - 1.0) ** 2

    result = cr.minimize(loss, Point(np.zeros((2, 3)), 0.0), method="Newton-CG")
    assert isinstance(result.x, Point)
    np.testing.assert_allclose(result.x.w, np.full((2, 3), 2.0))
    np.testing.assert_allclose(result.x.b, 1.0)
    lone = cr.minimize(lambda x: (x[0] - 3.0) ** 2, 0)  # as in SciPy
    np.testing.assert_allclose(lone.x, [3.0])


def coupled(x, a):
    return np.sum((x - a) ** 2 * np.array([1.0, 2.0, 3.0])) + np.sum(x**4) + x[0] * x[1]


@pytest.mark.parametrize("where", ["args", "closure"])
def test_the_minimum_moves_with_what_the_function_reads(where):
    def f(a):
        if where == "args":
            result = cr.minimize(coupled, np.zeros(3), (a,), method="Newton-CG", tol=1e-12)
        else:
            result = cr.minimize(
                lambda x: coupled(x, a), np.zeros(3), method="Newton-CG", tol=1e-12
            )
        return np.sum(np.sin(result.x)) + result.fun

    a = np.array([1.0, 2.0, 0.3])
    # The differences of a minimum that is known to about 1e-11.
    np.testing.assert_allclose(cr.grad(f)(a), differences(f, a, 1e-4), rtol=1e-6)
    np.testing.assert_allclose(cr.hessian(f)(a), differences(cr.grad(f), a, 1e-4), atol=1e-5)
    t = np.array([0.3, -1.0, 0.5])
    np.testing.assert_allclose(cr.jvp(f, (a,), (t,))[1], cr.grad(f)(a) @ t, rtol=1e-10)


def test_variables_on_a_bound_stay_there():
    def f(a, low, method):
        options = CLOSE if method == "trust-constr" else None
        bounds = [(low, None), (None, 1.0), (None, None)]
        start = np.array([5.0, 0.0, 0.0])
        return cr.minimize(
            lambda x: np.sum((x - a) ** 2) + 0.5 * x[0] * x[2],
            start,
            bounds=bounds,
            method=method,
            options=options,
        ).x

    a = np.array([1.0, 3.0, 0.3])
    for method in ("L-BFGS-B", "TNC", "SLSQP", "trust-constr"):
        moved = cr.jacobian(f, (0, 1))(a, 2.0, method)
        np.testing.assert_allclose(moved[0], np.diag([0.0, 0.0, 1.0]), atol=1e-12)
        np.testing.assert_allclose(moved[1], [1.0, 0.0, -0.25], atol=1e-12)


def test_a_small_free_variable_is_not_taken_for_one_on_its_bound():
    def f(a):
        return cr.minimize(
            lambda x: np.sum((1e7 * x - a) ** 2), np.ones(1), bounds=[(0, None)], method="TNC"
        ).x[0]

    np.testing.assert_allclose(cr.grad(f)(3.0), 1e-7)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_that_hold_keep_holding(method):
    def f(a):
        constraints = [
            {"type": "eq", "fun": lambda x: x[0] + x[1] * a[2] - 1.0},
            {"type": "ineq", "fun": lambda x: 10.0 - x[0]},
            optimize.NonlinearConstraint(lambda x: x[2] ** 2, a[0], np.inf),
            optimize.LinearConstraint(np.array([[1.0, 1.0, 1.0]]), -9.0, 9.0),
        ]
        return cr.minimize(
            lambda x: np.sum((x - a) ** 2) + x[0] * x[1] ** 2,
            np.ones(3),
            method=method,
            constraints=constraints,
            tol=1e-12 if method == "SLSQP" else None,
            options=CLOSE if method == "trust-constr" else None,
        ).x

    a = np.array([1.0, 0.7, 0.5])
    # SLSQP knows the minimum to about 1e-8, which differences divide by 1e-4; trust-constr to about
    # its barrier parameter.
    np.testing.assert_allclose(cr.jacobian(f)(a), differences(f, a, 1e-4), atol=5e-4)


def test_the_price_of_a_constraint_is_its_multiplier():
    # Nocedal & Wright, section 12.1: d f*/d b = λ. Minimise |x|² where x0 + 2 x1 = b: f* = b² / 5.
    def best(b):
        row = {"type": "eq", "fun": lambda x: x[0] + 2 * x[1] - b}
        return cr.minimize(lambda x: x @ x, np.zeros(2), constraints=row).fun

    np.testing.assert_allclose(cr.grad(best)(3.0), 6 / 5, rtol=1e-7)
    np.testing.assert_allclose(cr.grad(cr.grad(best))(3.0), 2 / 5, rtol=1e-7)


def test_the_start_has_no_influence():
    slope = cr.grad(lambda x0: np.sum(cr.minimize(lambda x: np.sum((x - 1) ** 2), x0).x))
    np.testing.assert_array_equal(slope(np.zeros(2)), [0.0, 0.0])


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a: cr.minimize(lambda x: x @ x * a, np.ones(2), jac=rosenbrock), "leave out jac"),
        (lambda a: cr.minimize(lambda x: (x[0] + x[1] - a) ** 2, np.ones(2)).x[0], "is singular"),
        (
            lambda a: cr.minimize(
                lambda x: rosenbrock(x, a), np.zeros(2), method="CG", options={"maxiter": 2}
            ).x[0],
            "stopped about",
        ),
        (lambda a: cr.minimize(lambda x: x @ x, ["a"]).fun, "was given str"),
    ],
)
def test_refusals_are_sentences(f, words):
    with pytest.raises(errors.ChainruleError, match=words) as caught:
        cr.grad(f)(1.0)
    assert "test_minimize.py" in str(caught.value)
