"""Every record is complete: samples, a formula, and a reason wherever there is no derivative."""

import string

import numpy as np

from chainrule import jvp, vjp
from chainrule.checks.differences import directional
from chainrule.graph import is_inexact, registry
from chainrule.primitives.declare import Constant


def cases_of(record):
    return [*(record.samples or ()), *(record.domain.cases() if record.domain else ())]


def test_names_are_those_of_the_registry(record):
    assert registry[record.name] is record
    assert record.name == record.name.lower()


def test_it_has_samples(record, rng):
    """A leaf is not computed, a call runs the user's function; all others are tested on samples.

    One kind of flat record may go without: the identity, which is flat because the user says so.
    """
    if record.form in ("leaf", "call"):
        assert not cases_of(record)
    elif record.form == "flat" and not cases_of(record):
        x = rng.normal(size=(3, 4))
        np.testing.assert_array_equal(record(x), x)
    else:
        assert cases_of(record)


def test_samples_fit_the_record(record, rng):
    for case in cases_of(record):
        arguments, params = case.draw(rng)
        assert record.inputs is None or len(arguments) == record.inputs
        out = record(*arguments, **params)
        assert (len(out) if isinstance(out, tuple) else 1) == record.outputs
        if record.form != "flat":
            assert any(is_inexact(x) for x in arguments)


def test_its_formula_can_be_written(record, rng):
    """The fields of the formula are the inputs and the parameters, and its braces balance."""
    fields = {field for _, field, _, _ in string.Formatter().parse(record.latex) if field}
    for case in cases_of(record):
        known = {"x", *(f"x{k + 1}" for k in range(len(case.arguments))), *case.params}
        assert fields <= known
    text = record.latex.format(**dict.fromkeys(fields, "x"))
    assert text
    assert text.count("{") == text.count("}")


def test_reasons_and_costs_are_given(record):
    assert record.flops >= 0
    if record.form == "flat":
        assert record.reason
    for partial in getattr(record, "partials", ()):
        if isinstance(partial, Constant) and partial.value == 0:
            assert partial.reason
    if record.form == "general" and record.jvp is not None and record.vjp is not None:
        assert record.note


def test_a_flat_record_does_not_move(flat_operation, rng):
    """Differences are 0 on the samples, and so are both modes."""
    operation = flat_operation
    point = operation.point
    if not point:
        return  # truth values alone: nothing can move
    before = operation.outputs()
    step = 1e-5
    for sign in (-1, 1):
        moved = operation.at([x + sign * step * rng.uniform(size=np.shape(x)) for x in point])
        for y, again in zip(before, moved.outputs(), strict=True):
            np.testing.assert_array_equal(y, again)
    value, pull = vjp(operation, point)
    if value:
        measured = directional(operation, point, rng.normal(size=sum(np.size(x) for x in point)))
        assert not measured.value.any()
        assert not any(np.any(g) for g in pull(operation.codirection(rng))[0])
        _, tangents = jvp(operation, (point,), (operation.direction(rng),))
        assert not any(np.any(t) for t in tangents)
