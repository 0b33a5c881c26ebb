"""The gradients that the examples ask for, in other libraries too wherever the same code runs.

An example is loaded once for each library, with that library's NumPy in the place of `np`. Where
the code then fails (writes into arrays, solvers of SciPy), the peer is left out by name, with the
first line of its own message.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from timing import Run, installed

import chainrule as cr

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MOST_OPERATIONS = 2_000
REFUSALS = (TypeError, ValueError, NotImplementedError, AttributeError, KeyError, IndexError)


class Point(NamedTuple):
    """A function of an example as a function of one tree, and where its gradient is taken."""

    function: Callable[[Any], Any]
    at: Any


def _squares(function: Callable[..., Any], *data: Any) -> Callable[[Any], Any]:
    """Half the sum of squares, as in least squares."""
    return lambda p: 0.5 * (function(p, *data) ** 2).sum()


def _bundle(m: Any) -> Point:
    plain = load("bundle_adjustment")
    true, points, rng = plain.scene()
    images = plain.project(true, points)
    known = {name: value[:2] for name, value in true.items()}
    start = {name: v[2:] + 0.1 * rng.normal(size=v[2:].shape) for name, v in true.items()}
    start["points"] = points + 0.2 * rng.normal(size=points.shape)
    return Point(_squares(m.misfit, known, images), start)


def _implicit(m: Any) -> Point:
    x, y = load("implicit_layer").two_moons()
    rng = np.random.default_rng(1)
    p = {"W": 0.1 * rng.normal(size=(m.HIDDEN,) * 2), "U": rng.normal(size=(2, m.HIDDEN))}
    p |= {"b": np.zeros(m.HIDDEN), "V": 0.1 * rng.normal(size=m.HIDDEN)}
    return Point(lambda p: m.loss(p, x, y), p)


def _logistic(m: Any) -> Point:
    x, y = load("logistic_regression").observe()
    importance = np.ones(len(y))
    return Point(lambda p: m.loss(p, x, y, importance), {"weights": np.zeros(3), "bias": 0.0})


def _newton(m: Any) -> Point:
    x = np.linspace(-2.0, 2.0, 60)[:, None]
    y = np.sin(3.0 * x[:, 0])
    return Point(lambda p: m.loss(p, x, y), load("newton_cg").start())


def _ode(m: Any) -> Point:
    measured = load("ode_parameter_fit").counts(m.TRUE_RATES)
    return Point(_squares(m.misfit, measured), 0.8 * m.TRUE_RATES)


def _spline(m: Any) -> Point:
    x = np.linspace(0.0, 1.0, 200)
    y = load("spline_fit").truth(x)
    return Point(lambda p: m.misfit(p, x, y), np.linspace(0.0, 1.0, 2 * m.KNOTS - 1))


def _wave(m: Any) -> Point:
    measured = load("wave_simulation").heard(m.TRUE_SPEEDS)
    return Point(lambda p: m.misfit(p, measured), np.array([0.52, 0.76, 0.64]))


def _monte_carlo(m: Any) -> Point:
    inputs, y = load("hamiltonian_monte_carlo").make_data(np.random.default_rng(0))
    return Point(lambda w: m.energy(w, inputs, y), np.ones(3))


def _gaussian(m: Any) -> Point:
    x, y = load("gaussian_process").observe()
    start = {"length": 0.0, "height": 0.0, "noise": -1.0}
    return Point(lambda p: m.negative_evidence(p, x, y), start)


def _kalman(m: Any) -> Point:
    places = load("kalman_filter").simulate(np.random.default_rng(2))
    return Point(lambda p: m.negative_log_likelihood(p, places), np.array([-1.0, 0.2]))


def _axes(m: Any) -> Point:
    return Point(lambda x: m.largest(m.covariance(x)), load("principal_axes").observe())


def _weibull(m: Any) -> Point:
    times, failed = load("weibull").observe()
    return Point(lambda p: m.negative_log_likelihood(p, times, failed), np.array([0.0, 6.0]))


POINTS: dict[str, Callable[[Any], Point]] = {
    "bundle_adjustment": _bundle,
    "gaussian_process": _gaussian,
    "hamiltonian_monte_carlo": _monte_carlo,
    "implicit_layer": _implicit,
    "kalman_filter": _kalman,
    "logistic_regression": _logistic,
    "newton_cg": _newton,
    "ode_parameter_fit": _ode,
    "principal_axes": _axes,
    "spline_fit": _spline,
    "wave_simulation": _wave,
    "weibull": _weibull,
}


def load(name: str, numpy: Any = None) -> Any:
    """The module of an example; with another library's NumPy if one is given."""
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if numpy is not None:
        module.np = numpy
    return module


def leaves(tree: Any) -> list[Any]:
    """The arrays of a gradient: those of a dict by name."""
    if isinstance(tree, dict):
        return [np.asarray(tree[key]) for key in sorted(tree)]
    return [np.asarray(tree)]


def contenders(name: str) -> tuple[dict[str, Run], dict[str, str]]:
    """The contenders for the gradient of one example, and who is left out and why."""
    function, at = POINTS[name](load(name))
    gradient = cr.grad(function)
    runs: dict[str, Run] = {"function alone": lambda: function(at)}
    runs["chainrule"] = lambda: gradient(at)
    refused: dict[str, str] = {}
    for peer, numpy in (("JAX", "jax.numpy"), ("autograd", "autograd.numpy")):
        library = installed(peer.lower())
        if library is None:
            continue
        theirs = POINTS[name](load(name, installed(numpy))).function
        try:
            title, run = (_compiled if peer == "JAX" else _as_it_is)(library, theirs, at)
        except REFUSALS as error:
            refused[peer] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:90]}"
        else:
            runs[title] = lambda run=run: leaves(run(at))
    return runs, refused


def _compiled(jax: Any, function: Callable[[Any], Any], at: Any) -> tuple[str, Any]:
    """JAX's gradient, compiled; where a loop written out would compile for minutes, as it is."""
    gradient = jax.grad(function)
    operations = len(jax.make_jaxpr(gradient)(at).jaxpr.eqns)
    if operations > MOST_OPERATIONS:
        return f"JAX, not compiled ({operations:,} operations)", gradient
    return "JAX", jax.jit(gradient)


def _as_it_is(autograd: Any, function: Callable[[Any], Any], at: Any) -> tuple[str, Any]:
    gradient = autograd.grad(function)
    gradient(at)
    return "autograd", gradient
