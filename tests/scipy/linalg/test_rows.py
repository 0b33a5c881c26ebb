"""SciPy's values, and derivatives in every mode, of every function of chainrule.scipy.linalg."""

from typing import Any

import numpy as np
import scipy.linalg

import chainrule as cr
from chainrule.scipy import linalg


def parts(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


def test_values_are_those_of_scipy(row: Any) -> None:
    """On plain arrays and, recorded, on traced ones."""
    expected = parts(row.f(scipy.linalg, *row.args))
    plain = parts(row.f(linalg, *row.args))
    traced = parts(cr.vjp(lambda *xs: row.f(linalg, *xs), *row.args)[0])
    for found in (plain, traced):
        for y, value in zip(found, expected, strict=True):
            assert np.shape(y) == np.shape(value)
            np.testing.assert_allclose(y, value, rtol=1e-9, atol=1e-11)


def test_derivatives_are_measured(row: Any, rng: np.random.Generator) -> None:
    """Both modes against differences, and every mode over every mode."""
    cr.check_grads(lambda *xs: parts(row.f(linalg, *xs)), row.args, order=2, rng=rng)
