"""Colourings on random patterns: valid, exact, and no more colours than needed where known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from chainrule.transforms.sparse.colouring import (
    column_colours,
    readable,
    star_colours,
    symmetric,
)


def pattern(seed, height, width, share):
    rng = np.random.default_rng(seed)
    return sparse.csr_array(rng.uniform(size=(height, width)) < share)


shares = st.floats(0.0, 0.6)
sizes = st.integers(1, 15)


@given(st.integers(0, 10**6), sizes, sizes, shares)
@settings(max_examples=60)
def test_columns_of_one_colour_share_no_row(seed, height, width, share):
    given = pattern(seed, height, width, share)
    colours = column_colours(given)
    dense = given.toarray()
    for colour in range(colours.max(initial=-1) + 1):
        assert dense[:, colours == colour].sum(axis=1).max(initial=0) == 1
    assert np.all((colours < 0) == ~dense.any(axis=0))


@given(st.integers(0, 10**6), sizes, shares)
@settings(max_examples=60)
def test_a_symmetric_matrix_is_recovered_exactly(seed, size, share):
    given = pattern(seed, size, size, share)
    both = symmetric(sparse.csr_array(given + given.T))
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(size, size))
    matrix = np.where(both.toarray(), values + values.T, 0.0)
    colours = star_colours(both)
    count = colours.max(initial=-1) + 1
    sums = np.stack([matrix @ (colours == c) for c in range(count)] or [np.zeros(size)], axis=1)
    rows, columns, at, within = readable(both, colours)
    found = np.zeros_like(matrix)
    found[rows, columns] = sums[at, within]
    np.testing.assert_array_equal(found, matrix)
    assert count <= max(1, len(np.flatnonzero(both.toarray().any(axis=0))))


@pytest.mark.parametrize("band", [0, 1, 2, 3])
def test_a_band_has_as_many_colours_as_diagonals(band):
    n = 200
    given = sparse.csr_array(np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= band)
    assert column_colours(given).max() + 1 == 2 * band + 1
    assert star_colours(given).max() + 1 <= 2 * band + 1


def test_an_arrow_has_two_star_colours():
    n = 3000
    given = sparse.lil_array((n, n), dtype=bool)
    given[0, :] = True
    given[:, 0] = True
    given.setdiag(True)
    assert star_colours(given.tocsr()).max() + 1 == 2


def test_a_colouring_that_is_no_star_is_not_used():
    path = sparse.csr_array(np.eye(4, dtype=bool) | np.eye(4, k=1, dtype=bool))
    path = symmetric(sparse.csr_array(path + path.T))
    with pytest.raises(AssertionError, match="told apart"):
        readable(path, np.array([0, 1, 0, 1]))
