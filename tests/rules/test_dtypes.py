"""float32 code stays float32: values, tangents and cotangents, before anything casts them."""

import numpy as np
import pytest

from chainrule import jvp, trace, vjp
from chainrule.checks.space import to_vector
from chainrule.graph import is_inexact, spec_of


@pytest.fixture
def single(operation):
    return operation.at([np.asarray(x, as_single(x)) for x in operation.point])


def as_single(x):
    return np.complex64 if np.iscomplexobj(x) else np.float32


def is_single(value):
    return not is_inexact(value) or value.dtype in (np.float32, np.complex64)


def test_values_keep_single_precision(single):
    asked = [p for p in single.params.values() if isinstance(p, np.dtype | type)]
    if asked:  # the call itself names the dtype of its result
        assert all(y.dtype in asked for y in single.outputs())
    elif not computes_in_double(single.record, *single.arguments):
        assert all(is_single(y) for y in single.outputs())


def computes_in_double(record, *arguments):
    """Whether a ufunc of SciPy's has no loop for these operands but one in double precision."""
    ufunc = record.numpy if record.numpy is not None else record.compute
    if not isinstance(ufunc, np.ufunc) or getattr(np, ufunc.__name__, None) is ufunc:
        return False
    out = ufunc(*arguments)
    return not all(is_single(y) for y in (out if isinstance(out, tuple) else (out,)))


def test_derivatives_have_the_dtype_of_their_variable(single, rng):
    value, pull = vjp(single, single.point)
    (pulled,) = pull(single.codirection(rng))
    assert [spec_of(g) for g in pulled] == [spec_of(x) for x in single.point]
    _, moved = jvp(single, (single.point,), (single.direction(rng),))
    assert [spec_of(t) for t in moved] == [spec_of(y) for y in value]


def assert_no_double(function, point, rng):
    """No operation of either derivative: an upcast inside a rule costs time and memory unseen."""
    value, _ = vjp(function, point)
    g = [np.asarray(rng.normal(size=np.shape(y)), y.dtype) for y in value]
    t = [np.asarray(rng.normal(size=np.shape(x)), x.dtype) for x in point]
    graphs = [
        trace(lambda leaves: vjp(function, leaves)[1](g)[0])(point),
        trace(lambda leaves: jvp(function, (leaves,), (t,))[1])(point),
    ]
    for graph in graphs:
        double = [
            node
            for node in graph.nodes
            if any(spec.dtype in (np.float64, np.complex128) for spec in node.outputs)
        ]
        assert not double, str(graph)


def test_rules_do_not_compute_in_double_precision(single, rng):
    if all(is_single(y) for y in single.outputs()):  # unless the call names another dtype
        assert_no_double(single, single.point, rng)


@pytest.mark.parametrize("position", [0, 1])
def test_a_python_number_beside_single_precision_stays_weak(broadcasting_record, position, rng):
    record, intervals = broadcasting_record, broadcasting_record.domain.intervals
    number = float(rng.uniform(*intervals[position]))
    x = rng.uniform(*intervals[1 - position], size=4).astype(np.float32)

    def function(leaves):
        return [record(number, *leaves) if position == 0 else record(*leaves, number)]

    arguments = (number, x) if position == 0 else (x, number)
    if 1 - position not in record.flat_inputs and not computes_in_double(record, *arguments):
        assert_no_double(function, [x], rng)


def test_single_precision_is_near_double_precision(operation, rng):
    """Within 1e-3 of the largest entry: 1e-7 for rounding, the rest for conditioning."""
    g = operation.codirection(rng)
    (expected,) = vjp(operation, operation.point)[1](g)
    single = operation.at([np.asarray(x, as_single(x)) for x in operation.point])
    (got,) = vjp(single, single.point)[1](g)
    scale = np.max(np.abs(to_vector(expected)), initial=0.0)
    np.testing.assert_allclose(to_vector(got), to_vector(expected), rtol=0, atol=1e-3 * scale)
