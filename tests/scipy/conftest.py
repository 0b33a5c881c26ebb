"""What every module of chainrule.scipy is asked: SciPy's values, and derivatives that hold."""

import numpy as np
import pytest

from chainrule import check_grads, vjp


def _compare(got, expected):
    if isinstance(expected, tuple):
        for one, other in zip(got, expected, strict=True):
            _compare(one, other)
        return
    assert np.shape(got) == np.shape(expected)
    scale = np.max(np.abs(expected), initial=1e-300)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-11 * scale)


@pytest.fixture
def agrees():
    """`agrees(ours, scipys, *arrays, **options)`: traced values are SciPy's, both modes hold.

    The values may differ by rounding alone: 1e-11 of the largest leaves a few thousand operations.
    """

    def check(ours, scipys, *arrays, **options):
        traced, _ = vjp(lambda *xs: ours(*xs, **options), *arrays)
        _compare(traced, scipys(*arrays, **options))
        _compare(ours(*arrays, **options), scipys(*arrays, **options))
        check_grads(lambda *xs: ours(*xs, **options), arrays)

    return check
