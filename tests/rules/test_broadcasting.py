"""Broadcast operands: the cotangent is summed over what broadcasting repeated."""

import numpy as np
import pytest

from chainrule import elementwise_grad, jvp, vjp
from chainrule.primitives.samples import uniform

SHAPES = [
    ((3, 1), (1, 4)),
    ((), (2, 3)),
    ((1,), (5,)),
    ((4,), (2, 3, 4)),
    ((2, 1, 2), (3, 1)),
    ((1, 1), ()),
    ((0,), (1,)),
    ((2, 0), (1, 1)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_cotangents_are_summed_over_repeated_entries(broadcasting_record, shapes, rng):
    """Against the derivative of the operands written out in full, summed by hand."""
    record = broadcasting_record
    intervals = record.domain.intervals
    xs = [uniform(*i, *s)(rng) for i, s in zip(intervals, shapes, strict=True)]
    value, pull = vjp(record, *xs)
    g = rng.normal(size=np.shape(value))
    full = [np.array(np.broadcast_to(x, np.shape(value))) for x in xs]
    for i, pulled in enumerate(pull(g)):
        entrywise = g * elementwise_grad(record, i)(*full)
        expected = np.zeros(shapes[i])
        aligned = (1,) * (np.ndim(value) - len(shapes[i])) + shapes[i]
        for index in np.ndindex(*np.shape(value)):
            mine = tuple(0 if n == 1 else k for k, n in zip(index, aligned, strict=True))
            expected[mine[len(mine) - len(shapes[i]) :]] += entrywise[index]
        assert np.shape(pulled) == shapes[i]
        np.testing.assert_allclose(pulled, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_tangents_are_broadcast(broadcasting_record, shapes, rng):
    record = broadcasting_record
    intervals = record.domain.intervals
    xs = [uniform(*i, *s)(rng) for i, s in zip(intervals, shapes, strict=True)]
    ts = [rng.normal(size=s) for s in shapes]
    value, moved = jvp(record, tuple(xs), tuple(ts))
    full = [np.array(np.broadcast_to(x, np.shape(value))) for x in xs]
    expected = sum(
        np.broadcast_to(t, np.shape(value)) * elementwise_grad(record, i)(*full)
        for i, t in enumerate(ts)
    )
    assert np.shape(moved) == np.shape(value)
    np.testing.assert_allclose(moved, expected, rtol=1e-13, atol=1e-13)
