"""Every record of the registry, compiled: the value as interpreted, and its derivative too."""

import numpy as np
import pytest

import chainrule as cr


def agree(found, expected):
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        # A few operations in another order, or a sum in another: some units in the last place of
        # the largest number.
        eps = np.finfo(b.dtype).eps if b.dtype.kind in "fc" else 0
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=1.0) if b.dtype.kind in "fc" else 1.0
        np.testing.assert_allclose(a, b, rtol=64 * eps, atol=64 * eps * scale)


def check(operation, backend):
    def values(*leaves):
        out = operation.at(list(leaves)).outputs()
        return tuple(out)

    point = operation.point
    with np.errstate(all="ignore"):
        agree(cr.compile(values, backend=backend)(*point), values(*point))


# Native code for each record takes LLVM minutes altogether.
backends = pytest.mark.parametrize(
    "backend", ["interpreted", pytest.param("native", marks=pytest.mark.soak)]
)


@backends
def test_values(operation, backend):
    check(operation, backend)


@backends
def test_complex_values(complex_operation, backend):
    check(complex_operation, backend)


@backends
def test_flat_values(flat_operation, backend):
    check(flat_operation, backend)


@pytest.mark.soak
def test_pullbacks(operation, rng):
    g = operation.codirection(rng)

    def pulled(*leaves):
        _, pull = cr.vjp(lambda *xs: operation(list(xs)), *leaves)
        return pull(list(g))

    with np.errstate(all="ignore"):
        agree(cr.compile(pulled)(*operation.point), pulled(*operation.point))
