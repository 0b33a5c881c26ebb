"""Every link says at least what the Jacobian of the operation shows, on every sample."""

import numpy as np

from chainrule import jvp
from chainrule.checks.space import from_vector, to_vector, unit
from chainrule.graph import is_inexact
from chainrule.tracing.levels import Running
from chainrule.tracing.recording import Recording
from chainrule.transforms.sparse.pattern import pattern_of


def recorded(operation):
    """The operation as a graph of its floating inputs, and which of its outputs are floating."""
    level = Recording("test")
    with Running(level, keeps=True):
        variables = [level.variable(x) for x in operation.point]
        outs = operation.at(variables).outputs()
    for out in outs:
        if is_inexact(out):
            level.graph.outputs.append(out.mark)
    return level


def in_entries(matrix, leaves, axis):
    """A matrix over real coordinates as one over entries: real and imaginary part together."""
    parts, start = [], 0
    for leaf in leaves:
        step = 2 if np.iscomplexobj(leaf) else 1
        for _ in range(np.size(leaf)):
            parts.append(np.take(matrix, range(start, start + step), axis).any(axis))
            start += step
    shape = list(matrix.shape)
    shape[axis] = 0
    return np.stack(parts, axis) if parts else np.zeros(shape, bool)


def check(operation):
    point = operation.point
    floating = [y for y in operation.outputs() if is_inexact(y)]
    unrestricted = operation.at(point)
    unrestricted.determined = None
    size = to_vector(point).size
    columns = [
        to_vector(jvp(unrestricted, (point,), (from_vector(unit(k, size), point),))[1])
        for k in range(size)
    ]
    jacobian = np.stack(columns, axis=1) if columns else np.zeros((to_vector(floating).size, 0))
    rounding = 1e-14 * np.abs(jacobian).max(initial=0.0)  # of a transform there and back
    moved = in_entries(in_entries(np.abs(jacobian) > rounding, point, 1), floating, 0)
    pattern = pattern_of(recorded(unrestricted)).toarray()
    assert pattern.shape == moved.shape
    assert not np.any(moved & ~pattern)
    return pattern, moved


def test_a_link_leaves_nothing_out(operation):
    check(operation)


def test_a_link_leaves_nothing_out_for_complex_numbers(complex_operation):
    check(complex_operation)


def test_operations_that_are_linear_have_exact_links(operation):
    """For these the operation itself says what depends on what; a choice keeps both branches.

    A Fourier transform there and back leaves rounding where there is nothing.
    """
    if operation.params.get("method") == "fft":
        return
    chooses = any(np.asarray(x).dtype.kind == "b" for x in operation.arguments)
    if operation.record.form in ("linear", "multilinear") and not chooses:
        pattern, moved = check(operation)
        np.testing.assert_array_equal(pattern, moved)
