"""Every operation of the registry can be explained, and its text says what its rule computes."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.explanation import derivative_text, explain
from chainrule.explanation.derivatives import LONG
from chainrule.explanation.notation import CALLED, SIGNS
from chainrule.explanation.steps import GATES
from chainrule.graph import is_inexact, registry
from chainrule.primitives.declare import Elementwise

OPERATIONS = [p for p in registry.complete() if p.form != "leaf"]
ELEMENTWISE = [p for p in OPERATIONS if isinstance(p, Elementwise) and p.domain is not None]
WRITTEN = [p for p in ELEMENTWISE if LONG not in derivative_text(p)]


def cases(primitive):
    return primitive.samples or (primitive.domain.cases() if primitive.domain else [])


def test_notations_and_gates_speak_of_operations_that_exist():
    names = {p.name for p in registry}
    assert set(SIGNS) | set(CALLED) | set(GATES) <= names


@pytest.mark.parametrize("primitive", OPERATIONS, ids=lambda p: p.name)
def test_an_operation_on_its_samples_is_explained(primitive, rng):
    for case in cases(primitive):
        arguments, params = case.draw(rng)
        varied = [k for k, a in enumerate(arguments) if is_inexact(a)]

        def f(*values, arguments=arguments, params=params, varied=varied):
            given = list(arguments)
            for k, value in zip(varied, values, strict=True):
                given[k] = value
            out = primitive(*given, **params)
            return out[0] if isinstance(out, tuple) else out

        values = [arguments[k] for k in varied]
        out, pull = cr.vjp(f, *values)
        if not varied or np.asarray(out).dtype.kind != "f":
            continue
        explanation = explain(f, *values)
        found = {step.target: step.value for step in explanation.steps}
        expected = pull(np.ones_like(out))
        for start, gradient in zip(explanation.steps[: len(values)], expected, strict=True):
            np.testing.assert_array_equal(found[start.target], gradient)
        assert "Traced" not in explanation.table()
        assert "object at" not in explanation.table()


def as_python(text):
    """The formula as a Python expression over the names of NumPy and of the registry."""
    for written, python in (("·", "*"), ("²", "**2"), ("^", "**"), ("≥", ">="), ("≤", "<=")):
        text = text.replace(written, python)
    return text.replace("[", "(").replace("]", ")").replace(" = ", " == ").replace("≠", "!=")


@pytest.mark.parametrize("primitive", WRITTEN, ids=lambda p: p.name)
def test_the_partials_that_are_printed_are_the_derivatives(primitive, rng):
    """Each formula is evaluated by Python and compared with a central difference."""
    xs = [np.float64(rng.uniform(*interval)) for interval in primitive.domain.intervals]
    names = ["x"] if len(xs) == 1 else [f"x{k + 1}" for k in range(len(xs))]
    known = {p.name: p.compute for p in OPERATIONS}
    known |= {name: getattr(np, name) for name in dir(np)} | {"max": np.maximum, "min": np.minimum}
    known |= dict(zip(names, xs, strict=True)) | {"y": primitive.compute(*xs)}
    partials = derivative_text(primitive).split("; ")
    varied = [k for k in range(len(xs)) if k not in primitive.flat_inputs]
    for k, text in zip(varied, partials, strict=True):
        h = 1e-6
        moved = [[x + sign * h * (j == k) for j, x in enumerate(xs)] for sign in (1, -1)]
        slope = (primitive.compute(*moved[0]) - primitive.compute(*moved[1])) / (2 * h)
        # differences are good to 1e-9 here, numbers are printed with six digits
        assert float(eval(as_python(text), known)) == pytest.approx(
            float(slope), rel=1e-5, abs=1e-7
        )


def test_almost_every_partial_of_numpy_is_short_enough_to_be_written():
    """Those of special functions may be longer than a line."""
    numpy = [p for p in ELEMENTWISE if p.numpy is getattr(np, p.name, None)]
    assert len([p for p in numpy if p in WRITTEN]) >= 0.95 * len(numpy) > 30


def test_operations_without_a_derivative_say_why():
    assert derivative_text(registry["floor"]) == "none: piecewise constant"
    assert derivative_text(registry["argmax"]).startswith("none: its values are positions")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("matmul", "g @ x2ᵀ; x1ᵀ @ g"),
        ("transpose", "gᵀ"),
        ("sum", "broadcast(g)"),
        ("exp", "y"),
        ("divide", "1 / x2; -y / x2"),
    ],
)
def test_rules_in_their_own_words(name, text):
    assert derivative_text(registry[name]) == text
