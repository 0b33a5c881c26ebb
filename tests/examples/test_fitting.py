"""The examples of fitting and training run, and their numbers are the true ones."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = (
    "bundle_adjustment",
    "gaussian_process",
    "implicit_layer",
    "logistic_regression",
    "newton_cg",
    "principal_axes",
    "weibull",
)


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_it_is_short_and_says_what_it_shows(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert load(name).__doc__
    assert load(name).main


def test_weibull():
    example = load("weibull")
    found = example.main()
    truth = {
        "shape": example.TRUE_SHAPE,
        "scale": example.TRUE_SCALE,
        "median": example.TRUE_SCALE * np.log(2.0) ** (1 / example.TRUE_SHAPE),
    }
    for name, (value, error) in found.items():
        assert abs(value - truth[name]) < 3 * error
    # The errors that they state are those that fresh samples scatter by, to the 10 % that forty
    # samples tell, which is 1 / sqrt(2 * 40), twice over.
    fits = [np.exp(example.fit(*example.observe(seed=k))[0][0]) for k in range(40)]
    np.testing.assert_allclose(np.std(fits), found["shape"][1], rtol=0.25)


def test_logistic_regression(capsys):
    example = load("logistic_regression")
    result, influence, change = example.main()
    assert result.success
    np.testing.assert_allclose(result.x["weights"], example.TRUE_WEIGHTS, atol=0.3)
    # One of 2000 observations is a small change: first order foretells it to a few percent.
    np.testing.assert_allclose(-influence, change, rtol=0.05)


def test_gaussian_process():
    found, error, slopes = load("gaussian_process").main()
    assert 0.07 < found["noise"] < 0.13
    assert error < 0.1
    np.testing.assert_allclose(*slopes, rtol=1e-9)


def test_implicit_layer():
    example = load("implicit_layer")
    assert example.main() > 0.95
    x, y = example.two_moons(10)
    rng = np.random.default_rng(2)
    shapes = {"W": (8, 8), "U": (2, 8), "b": (8,), "V": (8,)}
    p = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def unrolled(p):
        z = np.zeros((len(x), example.HIDDEN))
        for _ in range(60):
            z = z + example.equation(z, p, x)
        return np.mean((z @ p["V"] - y) ** 2)

    found, exact = cr.grad(example.loss)(p, x, y), cr.grad(unrolled)(p)
    for name in shapes:
        np.testing.assert_allclose(found[name], exact[name], rtol=1e-7, atol=1e-9)


def test_newton_cg():
    example = load("newton_cg")
    results, values, p, data = example.main()
    assert results["Newton-CG"].fun < results["CG"].fun / 2
    assert results["Newton-CG"].fun < 1e-3
    names = sorted(p)
    blocks = cr.hessian(example.loss)(p, *data)
    whole = np.block(
        [[np.reshape(blocks[a][b], (p[a].size, p[b].size)) for b in names] for a in names]
    )
    exact = np.linalg.eigvalsh(whole)
    np.testing.assert_allclose(np.sort(np.abs(exact))[-3:][::-1], np.abs(values), rtol=1e-8)


def test_principal_axes():
    example = load("principal_axes")
    x, axis, pull = example.main()
    _, vectors = np.linalg.eigh(example.covariance(x))
    np.testing.assert_allclose(np.abs(axis @ vectors[:, -1]), 1.0, rtol=1e-12)
    centred = x - np.mean(x, axis=0)
    exact = 2 / len(x) * np.outer(centred @ axis, axis)
    np.testing.assert_allclose(pull, exact, atol=1e-12)


def test_bundle_adjustment():
    before, after, error = load("bundle_adjustment").main()
    assert before > 50
    # Of 120 equations 63 are left over: sqrt(63 / 120) = 0.72, give or take a tenth.
    assert 0.5 < after < 0.9
    assert error < 0.1
