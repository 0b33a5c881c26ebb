"""chainrule.scipy.optimize: what is found is SciPy's, its derivatives are differences of that."""

import numpy as np
import pytest
from scipy import optimize as theirs

import chainrule as cr
from chainrule import errors
from chainrule.scipy import optimize as ours

CLOSE = {"rtol": 2e-6, "atol": 2e-7}  # central differences of results known to 1e-9 and better


def differences(f, x, h=1e-4):
    x = np.asarray(x, float)
    units = np.eye(x.size).reshape(x.size, *x.shape)
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in units]
    return np.stack(columns, -1).reshape(np.shape(columns[0]) + x.shape)


def check(f, x, **close):
    """Both modes and the second order of x ↦ f(x)."""
    close = close or CLOSE
    np.testing.assert_allclose(cr.jacobian(f, mode="reverse")(x), differences(f, x), **close)
    np.testing.assert_allclose(cr.jacobian(f, mode="forward")(x), differences(f, x), **close)
    weights = np.linspace(0.5, 1.0, np.size(f(x))).reshape(np.shape(f(x)))
    slope = cr.grad(lambda x: np.sum(weights * f(x)))
    np.testing.assert_allclose(cr.jacobian(slope)(x), differences(slope, x), **close)


def kepler(x, p):
    return x - p[0] * np.sin(x) - p[1]


P = np.array([0.5, 1.2])


@pytest.mark.parametrize("name", ["bisect", "brenth", "brentq", "ridder", "toms748"])
def test_bracketing(name):
    found = getattr(ours, name)(kepler, 0.0, 4.0, (P,))
    assert found == getattr(theirs, name)(kepler, 0.0, 4.0, (P,))
    check(lambda p: getattr(ours, name)(kepler, 0.0, 4.0, (p,)), P)
    check(lambda p: getattr(ours, name)(lambda x: kepler(x, 1.0 * p), 0.0, 4.0), P)
    x, details = getattr(ours, name)(kepler, 0.0, 4.0, (P,), full_output=True)
    assert details.converged
    assert x == found


@pytest.mark.parametrize(
    "options",
    [
        {"bracket": (0.0, 4.0)},
        {"x0": 1.0},
        {"x0": 1.0, "x1": 2.0},
        {"x0": 1.0, "method": "halley"},
        {"bracket": [0.0, 4.0], "method": "ridder"},
    ],
)
def test_root_scalar(options):
    result = ours.root_scalar(kepler, (P,), **options)
    assert result.converged
    check(lambda p: ours.root_scalar(kepler, (p,), **options).root, P)


def test_newton_gets_the_exact_slope():
    runs = []

    def f(x, a):
        runs.append(1)
        return x**3 - a

    a = np.array([8.0, 27.0])
    np.testing.assert_allclose(ours.newton(f, np.ones(2), args=(a,)), [2.0, 3.0])
    check(lambda a: ours.newton(lambda x: x**3 - a, np.ones(2)), a)
    check(lambda a: ours.newton(lambda x, a: x**3 - a[0], 1.0, args=(a,)), a)
    check(lambda a: ours.newton(lambda x, a: x**3 - a[0], 1, args=(a,), x1=3.0), a)
    assert ours.newton(lambda x: x**3 - 8.0, 1.0, full_output=True)[1].converged


def test_fixed_point():
    check(lambda p: ours.fixed_point(lambda x: p[1] + p[0] * np.sin(x), 1.0), P)
    check(lambda p: ours.fixed_point(lambda x, p: np.cos(p * x) / 2, np.ones(2), (p,)), P)


@pytest.mark.parametrize("method", ["hybr", "lm", "krylov", "broyden1"])
def test_root(method):
    def f(x, p):
        return [x[0] ** 3 + p[0] * x[1] - 2.0, x[1] - x[0] * p[1]]

    def found(p):
        return ours.root(f, [0.5, 2.0], (p,), method=method, tol=1e-12).x

    np.testing.assert_allclose(f(found(P), P), 0.0, atol=1e-9)
    check(found, P)
    if method in ("hybr", "lm"):
        result = ours.root(f, [0.5, 2.5], (P,), method=method)
        assert result.njev > 0  # it was given a Jacobian, and used it


def test_root_of_a_tree():
    def f(x):
        return {"a": x["u"] ** 2 - 2.0, "b": x["v"] - x["u"]}

    result = ours.root(f, {"u": np.ones(3), "v": np.zeros(3)})
    np.testing.assert_allclose(result.x["v"], np.sqrt(2.0) * np.ones(3))


def test_minimize_scalar():
    def f(x, p):
        return np.cosh(x - p[0]) + p[1] * x**2

    def found(p, **options):
        result = ours.minimize_scalar(f, args=(p,), **options)
        return np.stack([result.x, result.fun])

    # Brent's method knows a minimum to the square root of the rounding error.
    loose = {"rtol": 5e-4, "atol": 5e-4}
    np.testing.assert_allclose(cr.jacobian(found)(P), differences(found, P), **loose)
    bounded = cr.grad(lambda p: found(p, bounds=(-3.0, 3.0))[0])(P)
    np.testing.assert_allclose(bounded, differences(found, P)[0], **loose)
    with pytest.raises(errors.SolutionError, match="stopped about"):
        cr.grad(lambda p: found(p, bounds=(2.0, 3.0))[0])(P)


@pytest.mark.parametrize(
    "name", ["differential_evolution", "dual_annealing", "shgo", "basinhopping"]
)
def test_global_minima(name):
    def f(x, p):
        return np.sum((x - p) ** 4) + np.sum((x - p) ** 2) + 0.1 * x[0] * x[1]

    second = [(-3.0, 3.0)] * 2 if name != "basinhopping" else np.zeros(2)
    options = {"rng": 0} if name != "shgo" else {}
    if name == "differential_evolution":
        options |= {"tol": 1e-12}
    if name == "basinhopping":
        options |= {"niter": 2}

    def found(p):
        return getattr(ours, name)(f, second, (p,), **options)

    x = found(P).x
    np.testing.assert_allclose(cr.grad(f)(x, P), 0.0, atol=1e-4)
    hessian, mixed = cr.hessian(f)(x, P), cr.jacobian(cr.grad(f), 1)(x, P)
    np.testing.assert_allclose(
        cr.jacobian(lambda p: found(p).x)(P), -np.linalg.solve(hessian, mixed), rtol=1e-12
    )
    # The value moves with the parameters alone: the envelope theorem.
    np.testing.assert_allclose(cr.grad(lambda p: found(p).fun)(P), cr.grad(f, 1)(x, P), atol=1e-4)


def test_linprog():
    matrix = np.array([[1.0, 2.0, 1.0], [3.0, 1.0, 2.0]])
    c = np.array([-1.5, -2.0, -1.9])
    side = np.array([4.0, 6.0])

    def by_side(b):
        result = ours.linprog(c, A_ub=matrix, b_ub=b, bounds=[(0, None), (0, None), (0, 0.5)])
        return np.append(result.x, result.fun)

    def by_matrix(a):
        return ours.linprog(c, A_ub=a, b_ub=side, bounds=[(0, None), (0, None), (0, 0.5)]).x

    check(by_side, side)
    check(by_matrix, matrix)
    total = cr.grad(lambda c: ours.linprog(c, A_ub=matrix, b_ub=side).fun)(
        np.array([-1.0, -1.0, -3.0])
    )
    np.testing.assert_allclose(total, theirs.linprog([-1.0, -1.0, -3.0], matrix, side).x)
    limits = cr.grad(lambda u: ours.linprog([-1.0], bounds=[(0, u)]).x[0])(2.0)
    assert limits == 1.0
    for total in (1.0, 0.0):  # a whole edge of solutions, and three limits in one vertex
        with pytest.raises(errors.SolutionError, match="no single"):
            cr.grad(lambda b: ours.linprog([-1.0, -1.0], [[1.0, 1.0]], np.stack([b])).x[0])(total)


def test_assignment_and_integer_programs():
    cost = np.array([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]])

    def least(cost):
        rows, columns = ours.linear_sum_assignment(cost)
        return np.sum(cost[rows, columns])

    np.testing.assert_allclose(cr.grad(least)(cost), differences(least, cost), atol=1e-9)
    assert ours.milp(np.array([1.0]), integrality=1).x == 0.0
    with pytest.raises(errors.UnsupportedError, match="jumps from solution to solution"):
        cr.grad(lambda c: ours.milp(np.stack([c])).fun)(1.0)


def test_derivatives_from_outside_are_refused():
    with pytest.raises(errors.SettingError, match="leave out fprime"):
        ours.newton(lambda x: x, 1.0, fprime=lambda x: 1.0)
    with pytest.raises(errors.SettingError, match="leave out jac"):
        ours.root(lambda x: x, [1.0], jac=lambda x: 1.0)
