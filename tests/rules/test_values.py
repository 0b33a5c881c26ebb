"""The value: what NumPy computes, whichever transform is running, in NumPy's dtype."""

import numpy as np

from chainrule import jvp, trace, vjp
from chainrule.graph import spec_of
from chainrule.interpreter import run


def assert_same(got, expected):
    for y, right in zip(got, expected, strict=True):
        np.testing.assert_array_equal(y, right, strict=np.ndim(right) > 0)
        assert spec_of(y) == spec_of(right)


def test_the_value_is_that_of_the_numpy_function(operation):
    numpy = operation.record.numpy or operation.record.compute
    expected = numpy(*operation.arguments, **operation.params)
    assert_same(operation.outputs(), expected if isinstance(expected, tuple) else (expected,))


def test_the_value_is_the_same_under_every_transform(operation, rng):
    expected = operation(operation.point)
    assert_same(jvp(operation, (operation.point,), (operation.direction(rng),))[0], expected)
    assert_same(vjp(operation, operation.point)[0], expected)
    assert_same(run(trace(operation)(operation.point), *operation.point), expected)


def test_the_inputs_are_left_as_they_were(operation, rng):
    before = [np.array(argument) for argument in operation.arguments]
    _, pull = vjp(operation, operation.point)
    pull(operation.codirection(rng))
    jvp(operation, (operation.point,), (operation.direction(rng),))
    assert_same(operation.arguments, [b[()] if np.ndim(b) == 0 else b for b in before])
