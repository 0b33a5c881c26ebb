"""solve_ivp and odeint: SciPy's numbers, derivatives by both ways, closures, stiff problems.

The adjoint is a derivative up to the tolerances of its solver: with rtol = 1e-9 five to seven
digits are asked of it, which is what steps of a lower order leave (RK23 the fewest).
"""

import functools

import numpy as np
import pytest
import scipy.integrate

import chainrule.numpy as cnp
from chainrule import errors, grad, hessian, jacobian, jvp, value_and_grad, vjp, vmap
from chainrule.scipy import integrate
from chainrule.scipy.integrate.problems import Problem
from chainrule.scipy.integrate.runge_kutta import Trajectory

EXPLICIT = ("RK23", "RK45", "DOP853")
STIFF = ("Radau", "BDF", "LSODA")
WAYS = [(m, "discrete") for m in EXPLICIT] + [(m, "adjoint") for m in (*EXPLICIT, *STIFF)]
TIMES = np.array([0.5, 1.1, 2.0])
START = np.array([1.0, 2.0])
FINE = {"rtol": 1e-9, "atol": 1e-11}


def hunt(t, y, a, b):
    """Prey and predators."""
    return np.stack([a * y[0] - b * y[0] * y[1], 0.5 * y[0] * y[1] - y[1]])


def reference(y0, a, b, t0=0.0, t1=2.0):
    options = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-13}
    return scipy.integrate.solve_ivp(hunt, (t0, t1), y0, args=(a, b), **options).y[:, -1]


def central(f, x, h=1e-4):
    """A difference of order h⁴: 1e-9 is left of a solution good to 1e-13."""
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


@pytest.mark.parametrize(("method", "way"), WAYS)
def test_values_are_those_of_scipy(method, way):
    def states(y0, **more):
        options = {"method": method, "args": (1.1, 0.7), **FINE, **more}
        return integrate.solve_ivp(hunt, (0.0, 2.0), y0, **options)

    for asked in ({"t_eval": TIMES}, {}):
        expected = states(START, **asked)
        traced, _ = vjp(lambda y0, a=asked: states(y0, gradient=way, **a).y, START)
        np.testing.assert_allclose(traced, expected.y, rtol=1e-10)  # the order of the sums


@pytest.mark.parametrize(("method", "way"), WAYS)
def test_gradient_to_start_parameters_and_ends(method, way):
    def last(y0, a, b, t0, t1):
        options = {"method": method, "gradient": way, **FINE}
        return integrate.solve_ivp(hunt, (t0, t1), y0, args=(a, b), **options).y[:, -1]

    point = (START, 1.1, 0.7, 0.2, 2.0)
    weights = np.array([0.3, -1.2])
    found = grad(lambda *p: weights @ last(*p), argnums=(0, 1, 2, 3, 4))(*point)
    scale = max(np.max(np.abs(g)) for g in found)
    for k in range(1, 5):
        rest = list(point)

        def f(x, k=k, rest=rest):
            return weights @ reference(*rest[:k], x, *rest[k + 1 :])

        np.testing.assert_allclose(found[k], central(f, point[k]), rtol=0, atol=1e-5 * scale)
    step = np.array([0.4, -0.7])
    along = central(lambda s: weights @ reference(START + s * step, *point[1:]), 0.0)
    np.testing.assert_allclose(found[0] @ step, along, rtol=0, atol=1e-5 * scale)
    tangents = (step, 0.3, -0.2, 0.1, 0.5)
    _, moved = jvp(last, point, tangents)
    pulled = sum(np.sum(g * t) for g, t in zip(found, tangents, strict=True))
    np.testing.assert_allclose(weights @ moved, pulled, rtol=1e-5)


@pytest.mark.parametrize("method", EXPLICIT)
def test_the_discrete_derivative_is_that_of_the_numbers_computed(method):
    """With the steps held as they were, differences of the same arithmetic agree to 1e-9."""
    span, times = (0.0, 2.0), np.array([0.3, 0.9, 2.0])
    steps = scipy.integrate.solve_ivp(hunt, span, START, method, args=(1.1, 0.7), rtol=1e-3).t

    def frozen(a):
        path = Trajectory(method, lambda t, y: hunt(t, y, a, 0.7), list(steps), START)
        return np.sum(path.at(times) ** 2)

    def adaptive(a):
        options = {"method": method, "t_eval": times, "args": (a, 0.7), "rtol": 1e-3}
        return np.sum(integrate.solve_ivp(hunt, span, START, **options).y ** 2)

    value, slope = value_and_grad(adaptive)(1.1)
    np.testing.assert_allclose(value, frozen(1.1), rtol=1e-13)
    np.testing.assert_allclose(slope, central(frozen, 1.1, 1e-3), rtol=1e-9)


@pytest.mark.parametrize("way", ["discrete", "adjoint"])
def test_second_derivatives(way):
    def f(p):
        options = {"t_eval": TIMES[:2], "gradient": way, "rtol": 1e-7, "atol": 1e-9}
        return np.sum(integrate.solve_ivp(hunt, (0.0, 1.1), START, args=(p[0], p[1]), **options).y)

    p = np.array([1.1, 0.7])
    forward_over_reverse, reverse_over_reverse = hessian(f)(p), jacobian(grad(f))(p)
    np.testing.assert_allclose(forward_over_reverse, reverse_over_reverse, rtol=1e-5)
    h = 1e-5
    columns = [(grad(f)(p + h * e) - grad(f)(p - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(forward_over_reverse, np.stack(columns, axis=1), rtol=1e-4)


class Decay:
    """A right-hand side with its parameter in an object."""

    def __init__(self, rate):
        self.rate = rate

    def slope(self, t, y):
        return -self.rate * y


def scaled(t, y, rate):
    return -rate * y


def _closures(k):
    parameters = {"rates": [k, 2.0]}

    def inner(y):
        return -parameters["rates"][0] * y

    return [
        lambda t, y: -k * y,
        lambda t, y: inner(y),
        lambda t, y: [-parameters["rates"][0] * y[0]],
        lambda t, y, rate=k: -rate * y,
        functools.partial(scaled, rate=k),
        Decay(k).slope,
        Decay(np.array([k, 1.0])[:1]).slope,
    ]


@pytest.mark.parametrize("way", ["discrete", "adjoint"])
@pytest.mark.parametrize("which", range(7))
def test_values_from_closures(which, way):
    def end(k):
        options = {"gradient": way, **FINE}
        return integrate.solve_ivp(_closures(k)[which], (0.0, 1.0), [1.0], **options).y[0, -1]

    np.testing.assert_allclose(grad(end)(0.5), -np.exp(-0.5), rtol=1e-7)


HELD = {}


def from_a_global(t, y):
    return -HELD["rate"] * y


def test_a_value_from_a_global_is_traced_or_refused():
    def end(k, way):
        HELD["rate"] = k
        options = {"gradient": way, **FINE}
        return integrate.solve_ivp(from_a_global, (0.0, 1.0), [1.0], **options).y[0, -1]

    np.testing.assert_allclose(grad(end)(0.5, "discrete"), -np.exp(-0.5), rtol=1e-7)
    with pytest.raises(errors.InputError, match=r"'from_a_global' given at .* as an argument"):
        grad(end)(0.5, "adjoint")


def test_a_stiff_problem_of_chemistry():
    """Robertson's reaction: forty units of time by a handful of steps, rates 0.04 to 3e7."""

    def slope(t, y, k):
        return np.stack(
            [
                -k[0] * y[0] + k[1] * y[1] * y[2],
                k[0] * y[0] - k[1] * y[1] * y[2] - k[2] * y[1] ** 2,
                k[2] * y[1] ** 2,
            ]
        )

    k = np.array([0.04, 1e4, 3e7])

    def end(k, method, **more):
        options = {"method": method, "rtol": 1e-6, "atol": 1e-9, **more}
        start = [1.0, 0.0, 0.0]
        return integrate.solve_ivp(slope, (0.0, 40.0), start, args=(k,), **options).y[2, -1]

    exact = {"method": "Radau", "rtol": 1e-8, "atol": 1e-12}  # 1e-5 of a difference
    expected = []
    for e in np.eye(3) * k * 1e-3:
        expected.append((end(k + e, **exact) - end(k - e, **exact)) / (2 * np.sum(e)))
    for method in STIFF:
        found = grad(lambda k, m=method: end(k, m))(k)
        np.testing.assert_allclose(found, expected, rtol=1e-3)  # h² of the differences, and rtol


def test_pieces_of_a_long_way(monkeypatch):
    """The walk backwards solves the way again in pieces: their number changes nothing."""

    def end(k):
        options = {"gradient": "adjoint", **FINE}
        return integrate.solve_ivp(lambda t, y: -k * y, (0.0, 2.0), [1.0], **options).y[0, -1]

    whole = grad(end)(0.5)
    monkeypatch.setattr("chainrule.scipy.integrate.adjoint.STEPS_PER_PIECE", 3)
    np.testing.assert_allclose(grad(end)(0.5), whole, rtol=1e-7)


def test_a_problem_that_cannot_be_solved_is_an_error():
    """y' = y² from 1 has a pole at t = 1: what a derivative needs beyond it does not exist."""
    problem = Problem(lambda t, y: y**2, "RK45", {})
    with pytest.raises(errors.DivergenceError, match=r"test_initial_values.py:\d+ could not be"):
        problem.values((), np.ones(1), np.array([0.0, 2.0]))
    with pytest.raises(errors.DivergenceError, match=r"integrated beyond t = 0\.999"):
        list(problem.steps((), 0.0, 2.0, np.ones(1)))


@pytest.mark.parametrize("way", ["discrete", "adjoint"])
def test_complex_states_and_backward_time(way):
    def misfit(w):
        options = {"gradient": way, "t_eval": [0.4, 0.0], **FINE}
        y = integrate.solve_ivp(lambda t, y: (1j * w - 0.1) * y, (1.0, 0.0), [1.0 + 0j], **options)
        return np.sum(np.abs(y.y - 1.0) ** 2)

    def exact(w):
        y = np.exp((1j * w - 0.1) * (np.array([0.4, 0.0]) - 1.0))
        return np.sum(np.abs(y - 1.0) ** 2)

    np.testing.assert_allclose(grad(misfit)(1.3), central(exact, 1.3), rtol=1e-7)


def test_dense_output_and_times_that_are_variables():
    def between(k, t):
        path = integrate.solve_ivp(
            lambda t, y: -k * y, (0.0, 1.0), [1.0], dense_output=True, **FINE
        ).sol
        return path(t)[0] + path(np.stack([t, 0.2]))[0, 1]

    found = grad(between, argnums=(0, 1))(0.5, 0.3)
    expected = (-0.3 * np.exp(-0.15) - 0.2 * np.exp(-0.1), -0.5 * np.exp(-0.15))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_vectorized_right_hand_sides():
    def end(k):
        def slope(t, y):
            assert y.ndim == 2
            return -k * y

        return integrate.solve_ivp(slope, (0.0, 1.0), [1.0], vectorized=True, **FINE).y[0, -1]

    np.testing.assert_allclose(grad(end)(0.5), -np.exp(-0.5), rtol=1e-7)


def test_odeint():
    times = np.concatenate([[0.0], TIMES])

    def states(y0, a, b, t):
        return integrate.odeint(lambda y, t: hunt(t, y, a, b), y0, t)

    np.testing.assert_allclose(
        vjp(states, START, 1.1, 0.7, times)[0],
        scipy.integrate.odeint(hunt, START, times, (1.1, 0.7), tfirst=True),
    )
    found = grad(lambda *p: np.sum(states(*p)[-1]), argnums=(0, 1, 2, 3))(START, 1.1, 0.7, times)
    slope = central(lambda a: np.sum(reference(START, a, 0.7)), 1.1)
    np.testing.assert_allclose(found[1], slope, rtol=1e-5)
    np.testing.assert_allclose(
        found[3][-1], np.sum(hunt(2.0, reference(START, 1.1, 0.7), 1.1, 0.7)), rtol=1e-6
    )
    by_args = grad(lambda a: integrate.odeint(hunt, START, times, (a, 0.7), tfirst=True)[-1, 0])
    by_closure = grad(lambda a: states(START, a, 0.7, times)[-1, 0])
    np.testing.assert_allclose(by_args(1.1), by_closure(1.1), rtol=1e-6)


def test_constants_made_inside_a_derivative_are_numbers_to_scipy():
    """`zeros` of chainrule.numpy gives traced constants there, which SciPy could not take."""

    def rotate(t, y):
        out = cnp.zeros(2)
        out[0], out[1] = y[1], -y[0]
        return out

    def f(x):
        turned = integrate.solve_ivp(rotate, (0.0, 1.0), [1.0, 0.0], **FINE).y[0, -1]
        swept = integrate.odeint(rotate, [1.0, 0.0], [0.0, 1.0], tfirst=True)[-1, 0]
        area = integrate.quad(lambda t: cnp.zeros(1)[0] + t, 0.0, 1.0)[0]
        return x * turned, x * swept, x * area

    for k, slope in enumerate((np.cos(1.0), np.cos(1.0), 0.5)):
        np.testing.assert_allclose(grad(lambda x, k=k: f(x)[k])(2.0), slope, rtol=1e-6)


def test_nothing_traced_is_scipys_own():
    found = integrate.solve_ivp(hunt, (0.0, 1.0), START, args=(1.0, 1.0), dense_output=True)
    assert isinstance(found.sol, scipy.integrate.OdeSolution)
    solver = integrate.RK45(lambda t, y: -y, 0.0, START, 1.0)
    assert isinstance(solver, scipy.integrate.RK45)


def test_what_is_refused():
    def end(k, **options):
        return integrate.solve_ivp(lambda t, y: -k * y, (0.0, 1.0), [1.0], **options).y[0, -1]

    with pytest.raises(errors.UnsupportedError, match="events=; integrate to a time"):
        grad(end)(0.5, events=lambda t, y: y[0])
    with pytest.raises(errors.UnsupportedError, match="use gradient='adjoint'"):
        grad(end)(0.5, method="BDF", gradient="discrete")
    with pytest.raises(errors.UnsupportedError, match="give the times as t_eval"):
        grad(end)(0.5, method="BDF", dense_output=True)
    with pytest.raises(errors.SettingError, match="gradient='exact' means nothing"):
        grad(end)(0.5, gradient="exact")
    with pytest.raises(errors.UnsupportedError, match="full_output"):
        grad(lambda k: integrate.odeint(lambda y, t: -k * y, 1.0, TIMES, full_output=True)[0])(0.5)


def test_many_examples_at_once():
    def end(k, solve):
        return solve(lambda t, y: -k * y)

    def by_odeint(f):
        return integrate.odeint(f, 1.0, np.array([0.0, 1.0]), tfirst=True)[-1, 0]

    k = np.array([0.5, 2.0])
    np.testing.assert_allclose(vmap(lambda k: end(k, by_odeint))(k), np.exp(-k), rtol=1e-6)
    with pytest.raises(errors.BatchError, match="differ between the examples"):
        vmap(lambda k: end(k, lambda f: integrate.solve_ivp(f, (0.0, 1.0), [1.0])).y)(k)
