"""Jacobians: the modes agree, the layouts are those of the table, all directions go together."""

import importlib

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph import registry
from chainrule.primitives.declare import primitive

CLOSE = {"rtol": 1e-12, "atol": 1e-13}  # sums of a dozen products of numbers of size one

MODES = ["auto", "forward", "reverse"]
N, K, M, L = 3, 2, 4, 5
A = np.linspace(-1.0, 1.0, M * L * N * K).reshape(M, L, N, K)
ARGUMENTS = {"scalar": (), "vector": (N,), "matrix": (N, K)}
RESULTS = {"scalar": (), "vector": (M,), "matrix": (M, L)}
# Section 1.6 of the KAUST notes, "Numerator Layout": rows are results, columns are arguments. A
# vector is one axis here, a scalar none.
TABLE = {
    "scalar": {"scalar": (), "vector": (N,), "matrix": (K, N)},
    "vector": {"scalar": (M,), "vector": (M, N), "matrix": (M, K, N)},
    "matrix": {"scalar": (M, L), "vector": (M, L, N), "matrix": (M, L, K, N)},
}


def function_between(argument, result):
    """A function from one kind of array to another, and its derivative, result axes first."""
    x_axes, y_axes = len(ARGUMENTS[argument]), len(RESULTS[result])
    slope = A[(slice(None),) * y_axes + (0,) * (2 - y_axes)]
    slope = slope[(Ellipsis, *(slice(None),) * x_axes, *(0,) * (2 - x_axes))]

    def f(x):
        return np.sum(slope * x, axis=tuple(range(slope.ndim - x_axes, slope.ndim)))

    return f, slope


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_the_nine_shapes_of_the_table(argument, result, mode, rng):
    f, slope = function_between(argument, result)
    x = rng.normal(size=ARGUMENTS[argument]) if argument != "scalar" else 0.5
    np.testing.assert_allclose(cr.jacobian(f, mode=mode)(x), slope, **CLOSE)
    numerator = cr.jacobian(f, mode=mode, layout="numerator")(x)
    denominator = cr.jacobian(f, mode=mode, layout="denominator")(x)
    assert np.shape(numerator) == TABLE[result][argument]
    np.testing.assert_array_equal(denominator, np.transpose(numerator))
    rows = np.ndim(slope) - len(ARGUMENTS[argument])
    for index in np.ndindex(*slope.shape):
        i, j = index[:rows], index[rows:]
        assert numerator[i + j[::-1]] == pytest.approx(slope[index], rel=1e-12)
        assert denominator[j + i[::-1]] == pytest.approx(slope[index], rel=1e-12)


def test_layouts_of_trees():
    def f(p):
        return {"y": p["w"] @ p["x"], "z": np.sum(p["w"])}

    point = {"w": np.ones((4, 3)), "x": np.ones(3)}
    J = cr.jacobian(f, layout="numerator")(point)
    assert J["y"]["w"].shape == (4, 3, 4)
    assert J["z"]["w"].shape == (3, 4)
    assert cr.jacobian(f, layout="denominator")(point)["y"]["w"].shape == (4, 3, 4)
    assert cr.jacobian(f, layout="denominator")(point)["y"]["x"].shape == (3, 4)


@pytest.mark.parametrize("mode", MODES)
def test_directions_in_several_passes(mode, rng, monkeypatch):
    W, x = rng.normal(size=(7, 5)), rng.normal(size=5)

    def f(x):
        return np.tanh(W @ x) * x[0]

    expected = cr.jacobian(f, mode=mode)(x)
    module = importlib.import_module("chainrule.transforms.jacobian")
    monkeypatch.setattr(module, "SEED_ENTRIES", 16)
    np.testing.assert_allclose(cr.jacobian(f, mode=mode)(x), expected, **CLOSE)
    np.testing.assert_allclose(expected[:, 0], cr.jvp(f, (x,), (np.eye(5)[0],))[1], **CLOSE)


@pytest.mark.parametrize("mode", MODES)
def test_a_function_that_reads_values(mode):
    """The directions are batched and the point is not, so the code may read what it likes."""

    def f(x):
        y = x if x[0] > 0 else -x
        for k in range(int(x[1])):
            y = y * x[k]
        y[0] += x[x > 2].sum()
        return y

    x = np.array([0.5, 2.0, 3.0])
    expected = np.stack([cr.jvp(f, (x,), (t,))[1] for t in np.eye(3)], axis=1)
    np.testing.assert_allclose(cr.jacobian(f, mode=mode)(x), expected, **CLOSE)


def test_a_rule_that_asks_for_plain_numbers_is_run_row_by_row(monkeypatch, rng):
    """As a rule does that hands its cotangent to other code: it cannot take all rows at once."""
    monkeypatch.setattr(registry, "primitives", dict(registry.primitives))
    sine = primitive(
        "sine_by_other_code",
        compute=np.sin,
        vjp=(lambda g, x: np.asarray(g, dtype=float) * np.cos(x),),
        latex=r"\sin {x}",
    )
    x, W = rng.normal(size=3), rng.normal(size=(2, 3))
    expected = W @ np.diag(np.cos(x))
    np.testing.assert_allclose(cr.jacobian(lambda x: W @ sine(x))(x), expected, **CLOSE)


def test_no_entries():
    assert cr.jacobian(lambda x: x * 2.0)(np.zeros(0)).shape == (0, 0)
    assert cr.jacobian(lambda x: x[:0])(np.ones(2)).shape == (0, 2)
    assert cr.jacobian(lambda x: np.sum(x) * np.ones(3), mode="forward")(np.zeros(0)).shape == (
        3,
        0,
    )


def test_jacobians_nest(rng):
    x = rng.normal(size=3)

    def f(x):
        return np.sin(x) * x[::-1]

    for outer in MODES:
        for inner in MODES:
            second = cr.jacobian(cr.jacobian(f, mode=inner), mode=outer)(x)
            np.testing.assert_allclose(
                second[0], cr.hessian(lambda x: f(x)[0])(x), rtol=1e-12, atol=1e-13
            )


def test_a_wrong_layout_is_a_sentence():
    with pytest.raises(ValueError, match='layout is None, "numerator" or "denominator"'):
        cr.jacobian(np.sin, layout="mixed")


def test_complex_numbers_are_refused_in_every_mode():
    for mode in MODES:
        with pytest.raises(errors.OutputError, match="no single Jacobian"):
            cr.jacobian(lambda x: x * 1j, mode=mode)(np.ones(2))
