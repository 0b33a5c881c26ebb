"""The measurement behind check_grads: its error, its doubt, and what it knows of kinks."""

import numpy as np
import pytest

from chainrule.checks.differences import directional
from chainrule.checks.space import (
    coordinates,
    from_vector,
    in_double,
    label,
    names_of_leaves,
    to_vector,
)

ONE = np.ones(1)


def slope(f, x, **options):
    return directional(lambda leaves: [f(leaves[0])], [x], ONE, **options)


def test_the_error_is_below_the_doubt():
    for f, exact in ((np.sin, np.cos), (np.exp, np.exp), (np.log, np.reciprocal)):
        for x in (0.3, 1.0, 2.5):
            found = slope(f, x)
            assert abs(found.value[0] - exact(x)) <= found.doubt(1.0)[0] < 1e-5
            assert abs(found.value[0] - exact(x)) < 1e-11 * max(1.0, exact(x))


def test_the_doubt_has_a_limit_beside_rounding():
    """A step of 3 across sin has nothing of its slope left, and knows it."""
    found = slope(np.sin, 1.0, step=3.0)
    error = abs(found.value[0] - np.cos(1.0))
    assert found.doubt(1e-3)[0] < error < found.doubt(np.inf)[0]


def test_polynomials_of_degree_four_are_exact_to_rounding():
    """Extrapolation removes h²; the next term is h⁴ times the fifth derivative, here 0."""
    found = slope(lambda x: x**4 - x**3, 1.0, step=0.5)
    assert found.value[0] == pytest.approx(1.0, rel=1e-15)


def test_a_kink_at_the_point_is_seen_and_curvature_is_not_taken_for_one():
    assert slope(np.abs, 0.0).kinked(0)
    assert slope(np.abs, 0.0).slopes(0) == pytest.approx((-1.0, 1.0))
    assert not slope(np.square, 0.0).kinked(0)
    assert not slope(np.exp, 3.0).kinked(0)


def test_a_kink_beside_the_point_makes_the_step_smaller():
    found = slope(np.abs, 1e-4)
    assert found.value[0] == pytest.approx(1.0, rel=1e-9)
    assert not found.kinked(0)


def test_the_step_shrinks_where_the_function_ends():
    found = slope(np.sqrt, 1e-3, step=None)
    assert found.value[0] == pytest.approx(0.5 / np.sqrt(1e-3), rel=1e-8)
    beside = directional(lambda x: [np.sqrt(x[0] - 1.0)], [1.0001], ONE)
    assert beside.finite
    assert beside.value[0] == pytest.approx(50.0, rel=1e-6)


def test_a_singularity_is_not_finite():
    assert not slope(np.sqrt, 0.0).finite


def test_leaves_become_one_real_vector_and_back():
    leaves = [2.0, np.array([1.0 + 2.0j, 3.0]), np.float32(4.0), np.arange(6.0).reshape(2, 3)]
    vector = to_vector(leaves)
    assert vector.dtype == np.float64
    np.testing.assert_array_equal(vector, [2, 1, 2, 3, 0, 4, 0, 1, 2, 3, 4, 5])
    again = from_vector(vector, leaves)
    assert type(again[0]) is float
    assert [np.asarray(x).dtype for x in again] == [np.asarray(x).dtype for x in leaves]
    for x, y in zip(again, leaves, strict=True):
        np.testing.assert_array_equal(x, y)
    assert [coordinates(leaf) for leaf in leaves] == [1, 4, 1, 6]
    assert {np.asarray(x).dtype.char for x in in_double(leaves)} == {"d", "D"}


def test_coordinates_have_the_names_of_the_code():
    def f(layer, scale, *rest):
        return scale

    args = ({"W": np.ones((2, 2)), "n": 3}, 2.0, np.ones(1) * 1j)
    names = names_of_leaves(f, args)
    assert names == ["layer['W']", "scale", "argument 2"]
    leaves = [args[0]["W"], args[1], args[2]]
    assert label(2, leaves, names) == "layer['W'][1, 0]"
    assert label(4, leaves, names) == "scale"
    assert label(6, leaves, names) == "the imaginary part of argument 2[0]"
    with pytest.raises(IndexError):
        label(7, leaves, names)
