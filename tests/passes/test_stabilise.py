"""Stable forms: what becomes finite, what stays, and that each use is listed with its line."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import interpreter
from chainrule.graph.invariants import check
from chainrule.passes.simplify import simplify
from chainrule.passes.stabilise import ROWS, stabilise
from chainrule.scipy.special import softmax

HARD = np.array([[800.0, -800.0, 799.0], [-900.0, -901.0, -900.5]])
MILD = np.array([[0.5, -1.0, 2.0], [0.1, 0.2, -3.0]])


def log_sum_exp(x):
    return np.log(np.sum(np.exp(x), axis=1))


def plain_softmax(x):
    e = np.exp(x)
    return e / np.sum(e, axis=1, keepdims=True)


def softplus(x):
    return np.log(1 + np.exp(x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


CASES = {
    "log of a sum of exponentials": (log_sum_exp, HARD, np.logaddexp.reduce(HARD, axis=1)),
    "softmax": (plain_softmax, HARD, None),
    "softmax in a gradient": (cr.grad(lambda x: np.sum(log_sum_exp(x))), HARD, None),
    "log of one plus an exponential": (softplus, HARD, np.logaddexp(0, HARD)),
    "log of a quotient": (
        lambda x: np.log(plain_softmax(x)),
        HARD,
        HARD - np.logaddexp.reduce(HARD, axis=1, keepdims=True),
    ),
    "log of a softmax": (
        lambda x: np.log(softmax(x, axis=1)),
        HARD,
        HARD - np.logaddexp.reduce(HARD, axis=1, keepdims=True),
    ),
    "log of an exponential": (lambda x: np.log(np.exp(x)), HARD, HARD),
    "square of a root": (lambda x: np.linalg.norm(x) ** 2, 1e-3 * HARD, np.sum((1e-3 * HARD) ** 2)),
    "root of a square": (lambda x: np.sqrt(x**2), 1e200 * HARD, 1e200 * np.abs(HARD)),
}


@pytest.fixture(autouse=True)
def _quiet():
    """What overflows on purpose here gives no warnings."""
    with np.errstate(all="ignore"):
        yield


def test_every_row_has_a_case():
    assert set(CASES) == {row.name for row in ROWS}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("first", [False, True], ids=["raw", "simplified"])
def test_the_row_makes_values_finite_and_changes_no_others(name, first):
    f, hard, expected = CASES[name]
    graph = cr.trace(f)(MILD)
    given = simplify(graph) if first else graph
    stable, uses = stabilise(given)
    check(stable)
    assert name in {use.name for use in uses}
    assert all(use.place is not None and "test_stabilise" in str(use) for use in uses)
    (mild,), (plain,) = interpreter.run(stable, MILD), interpreter.run(graph, MILD)
    np.testing.assert_allclose(mild, plain, rtol=1e-13)
    (got,) = interpreter.run(stable, hard)
    assert np.all(np.isfinite(got))
    if expected is not None:
        np.testing.assert_allclose(got, expected, rtol=1e-13)
    again, more = stabilise(stable)
    assert not more
    assert str(again) == str(stable)


FUNCTIONS = {
    "logsumexp": log_sum_exp,
    "softplus": softplus,
    "log of sigmoid": lambda x: np.log(sigmoid(x)),
    "log of softmax": lambda x: np.log(plain_softmax(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_stable_forms_are_stable(name):
    """Stabilised first and differentiated then, as `grad(f, stabilise=True)` does."""
    f = FUNCTIONS[name]
    graph, _ = stabilise(cr.trace(f)(MILD))
    gradient = cr.grad(lambda x: np.sum(interpreter.run(graph, x)[0]))
    assert np.all(np.isfinite(gradient(HARD)))
    plain = cr.grad(lambda x: np.sum(f(x)))(MILD)
    np.testing.assert_allclose(gradient(MILD), plain, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("f", "expected"),
    [(log_sum_exp, plain_softmax(HARD - HARD.max(1, keepdims=True))), (softplus, HARD > 0)],
    ids=["logsumexp", "softplus"],
)
def test_written_out_gradients_are_stable(f, expected):
    graph = cr.trace(cr.grad(lambda x: np.sum(f(x))))(MILD)
    stable, _ = stabilise(simplify(graph))
    np.testing.assert_allclose(interpreter.run(stable, HARD)[0], expected, rtol=1e-12, atol=1e-300)


def test_the_derivative_of_the_square_of_a_root_is_one_at_zero():
    graph, _ = stabilise(cr.trace(lambda x: np.sqrt(x) ** 2)(1.0))
    assert float(cr.grad(lambda x: interpreter.run(graph, x)[0])(0.0)) == 1.0


def test_what_is_stable_already_stays():
    def f(x):
        d = x - np.max(x, axis=1, keepdims=True)
        return d - np.log(np.sum(np.exp(d), axis=1, keepdims=True))

    graph = cr.trace(f)(MILD)
    stable, uses = stabilise(graph)
    assert not uses
    assert str(stable) == str(graph)


SPECIAL = np.array([[np.inf, 1.0], [-np.inf, -np.inf], [np.nan, 1.0], [-np.inf, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("name", CASES)
def test_nothing_finite_becomes_infinite_or_nan(name):
    f, _, _ = CASES[name]
    graph = cr.trace(f)(SPECIAL[-2:])
    stable, _ = stabilise(graph)
    for rows in (SPECIAL[:2], SPECIAL[1:3], SPECIAL[2:4], SPECIAL[3:5]):
        (plain,), (got,) = interpreter.run(graph, rows), interpreter.run(stable, rows)
        assert np.all(np.isfinite(got) | ~np.isfinite(plain))
