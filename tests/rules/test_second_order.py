"""Reverse and forward mode over each other: one Hessian, four ways, and differences beside."""

import numpy as np

from chainrule import jvp, vjp
from chainrule.checks.differences import directional
from chainrule.checks.space import to_vector


def check_second_order(operation, rng):
    """H v of x ↦ ⟨g, f(x)⟩ by each mode over each mode.

    The four are the same sum in different orders: 1e-11 of its largest entry leaves room for
    condition numbers up to 1e4. The differences are those of the gradient, with the tolerance of
    the first order: 1e-8, and what the measurement itself doubts.
    """
    point = operation.point
    g, v, w = operation.codirection(rng), operation.direction(rng), operation.direction(rng)

    def gradient(leaves):
        return vjp(operation, leaves)[1](g)[0]

    def slope(leaves):
        return jvp(operation, (leaves,), (v,))[1]

    reverse_reverse = to_vector(vjp(gradient, point)[1](v)[0])
    forward_reverse = to_vector(jvp(gradient, (point,), (v,))[1])
    reverse_forward = to_vector(vjp(slope, point)[1](g)[0])
    forward_forward = float(to_vector(g) @ to_vector(jvp(slope, (point,), (w,))[1]))

    measured = directional(gradient, point, to_vector(v))
    size = np.max(np.abs(measured.value), initial=0.0)
    assert np.all(np.abs(forward_reverse - measured.value) <= 1e-8 * size + measured.doubt(1e-6)), (
        forward_reverse,
        measured.value,
    )
    rounding = 1e-11 * max(size, np.max(np.abs(to_vector(gradient(point))), initial=0.0))
    np.testing.assert_allclose(reverse_reverse, forward_reverse, rtol=0, atol=rounding)
    np.testing.assert_allclose(reverse_forward, forward_reverse, rtol=0, atol=rounding)
    terms = np.abs(to_vector(w)) * rounding
    assert abs(forward_forward - forward_reverse @ to_vector(w)) <= np.sum(terms) + rounding


def test_every_mode_over_every_mode(operation, rng):
    check_second_order(operation, rng)


def test_every_mode_over_every_mode_for_complex_numbers(complex_operation, rng):
    check_second_order(complex_operation, rng)
