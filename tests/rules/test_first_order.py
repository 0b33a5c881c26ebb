"""Both modes of every rule against differences, complex steps and each other.

Tolerance of the differences: h = ε^(1/5) and an error of order h⁴ leave about 1e-12 of the fifth
derivative, which on the sampled domains is at most some thousand times the first: 1e-8. What the
measurement itself doubts comes on top.
"""

import itertools

import numpy as np

from chainrule import jvp, vjp
from chainrule.checks.space import from_vector, to_vector
from chainrule.graph import is_inexact

DIFFERENCES = 1e-8


def assert_measured(got, expected, doubt):
    """Entry by entry, relative to the entry and to the largest one by rounding."""
    size = np.maximum(np.abs(expected), np.abs(got))
    allowed = DIFFERENCES * (size + 1e-3 * np.max(size, initial=0.0)) + doubt
    worst = np.argmax(np.abs(got - expected) - allowed) if got.size else 0
    assert np.all(np.abs(got - expected) <= allowed), (worst, got, expected)


def check_forward(operation, rng):
    jacobian, doubt = operation.jacobian()
    t = operation.direction(rng)
    _, moved = jvp(operation, (operation.point,), (t,))
    vector = to_vector(t)
    assert_measured(to_vector(moved), jacobian @ vector, doubt @ np.abs(vector))


def check_reverse(operation, rng):
    # The pullback is made first and used last: a rule that remembers by other means than by what it
    # saves is caught, because the primitive runs elsewhere in between.
    g = operation.codirection(rng)
    _, pull = vjp(operation, operation.point)
    jacobian, doubt = operation.jacobian()
    (pulled,) = pull(g)
    vector = to_vector(g)
    assert_measured(to_vector(pulled), vector @ jacobian, np.abs(vector) @ doubt)


def check_adjoint(operation, rng):
    """⟨g, J t⟩ = ⟨Jᵀ g, t⟩ to a few units in the last place of the sum of absolute terms.

    Twenty terms and inverses of matrices with a condition number near 10 leave at most 200 ε.
    """
    t, g = operation.direction(rng), operation.codirection(rng)
    _, moved = jvp(operation, (operation.point,), (t,))
    (pulled,) = vjp(operation, operation.point)[1](g)
    left, right = to_vector(g) * to_vector(moved), to_vector(pulled) * to_vector(t)
    scale = max(np.sum(np.abs(left)), np.sum(np.abs(right)))
    assert abs(np.sum(left) - np.sum(right)) <= 200 * np.finfo(float).eps * scale


def test_forward_mode_is_the_limit_of_differences(operation, rng):
    check_forward(operation, rng)


def test_reverse_mode_is_the_limit_of_differences(operation, rng):
    check_reverse(operation, rng)


def test_the_modes_are_transposes_of_each_other(operation, rng):
    check_adjoint(operation, rng)


def test_forward_mode_of_complex_numbers(complex_operation, rng):
    check_forward(complex_operation, rng)


def test_reverse_mode_of_complex_numbers_in_the_real_inner_product(complex_operation, rng):
    check_reverse(complex_operation, rng)


def test_the_modes_of_complex_numbers_are_adjoint(complex_operation, rng):
    check_adjoint(complex_operation, rng)


def test_forward_mode_is_the_complex_step(analytic_operation, rng):
    """Im f(x + ih t) / h has no cancellation; 1e-10 is left for the rounding of the function."""
    operation = analytic_operation
    t = operation.direction(rng)
    expected = operation.complex_step(t)
    got = to_vector(jvp(operation, (operation.point,), (t,))[1])
    scale = np.max(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12 * scale)


def test_every_subset_of_the_outputs_has_its_pullback(joint_operation, rng):
    """Cotangents of the other outputs are absent, not zero: their rules are not run."""
    operation = joint_operation
    jacobian, doubt = operation.jacobian()
    outputs = operation(operation.point)
    sizes = [to_vector([y]).size for y in outputs]
    ends = np.cumsum([0, *sizes])
    every = range(len(outputs))
    subsets = [s for k in every for s in itertools.combinations(every, k + 1)]
    for subset in subsets:
        some = [outputs[o] for o in subset]
        g = from_vector(rng.normal(size=to_vector(some).size), some)
        _, pull = vjp(lambda leaves, s=subset: [operation(leaves)[o] for o in s], operation.point)
        rows = np.concatenate([np.arange(ends[o], ends[o + 1]) for o in subset])
        vector = to_vector(g)
        assert_measured(
            to_vector(pull(g)[0]), vector @ jacobian[rows], np.abs(vector) @ doubt[rows]
        )


def test_joint_samples_return_floating_numbers(joint_operation):
    assert any(is_inexact(y) for y in joint_operation.outputs())
