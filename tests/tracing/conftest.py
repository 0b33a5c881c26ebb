"""The two checks of this folder: against the same code on plain arrays, and against differences."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import Traced
from chainrule.transforms.trace import record

# The step balances the error of a central difference, h², against rounding, ε/h: both near 1e-10.
STEP = 1e-5


def leaves_of(result):
    if isinstance(result, list | tuple):
        return [leaf for part in result for leaf in leaves_of(part)]
    return [result]


def inexact(value):
    return not isinstance(value, np.dtype) and np.asarray(value).dtype.kind in "fc"


@pytest.fixture(name="leaves_of")
def give_leaves_of():
    return leaves_of


@pytest.fixture(name="inexact")
def give_inexact():
    return inexact


def assert_same(found, expected):
    """Type, shape, dtype and values as on plain arrays; values within rounding."""
    founds, expecteds = leaves_of(found), leaves_of(expected)
    assert len(founds) == len(expecteds)
    for a, b in zip(founds, expecteds, strict=True):
        assert not isinstance(a, Traced)
        if not isinstance(b, np.ndarray | np.generic | float | int | complex):
            assert a == b
            continue
        assert np.shape(a) == np.shape(b)
        if isinstance(b, np.ndarray | np.generic):
            assert a.dtype == b.dtype
        scale = 1e-5 if np.asarray(b).dtype in (np.float32, np.complex64) else 1e-13
        np.testing.assert_allclose(a, b, rtol=scale, atol=scale)


def direction(rng, point):
    t = rng.normal(size=np.shape(point))
    if np.iscomplexobj(point):
        t = t + 1j * rng.normal(size=np.shape(point))
    return np.asarray(t, np.asarray(point).dtype)[()]


def inner(gs, ts):
    """Σ Re(ḡ t) over all leaves."""
    return sum(
        np.sum(np.real(np.conj(np.asarray(g)) * t))
        for g, t in zip(gs, ts, strict=True)
        if g is not None and t is not None
    )


@pytest.fixture
def assert_derivatives(rng):
    """`check(f, *points)`: values as NumPy's, forward = central difference, reverse = its adjoint.

    The points are real or complex double precision; integer and boolean results carry nothing.
    """

    def check(f, *points, tolerance=1e-7):
        expected = f(*[np.copy(p)[()] for p in points])
        value, pull = cr.vjp(f, *points)
        assert_same(value, expected)
        ts = tuple(direction(rng, p) for p in points)
        again, moved = cr.jvp(f, points, ts)
        assert_same(again, expected)

        ahead, behind = (
            leaves_of(f(*[p + sign * STEP * t for p, t in zip(points, ts, strict=True)]))
            for sign in (1, -1)
        )
        gs = []
        for t, a, b, y in zip(leaves_of(moved), ahead, behind, leaves_of(expected), strict=True):
            if not inexact(y):
                assert t is None
                gs.append(None)
                continue
            assert np.shape(t) == np.shape(y)
            difference = (np.asarray(a) - np.asarray(b)) / (2 * STEP)
            scale = 1 + np.max(np.abs(difference), initial=0)
            np.testing.assert_allclose(t, difference, rtol=0, atol=tolerance * scale)
            gs.append(direction(rng, y))
        several = isinstance(value, tuple | list)
        pulled = pull(type(value)(gs) if several else gs[0])
        for g, p in zip(pulled, points, strict=True):
            assert np.shape(g) == np.shape(p)
            assert g.dtype == np.asarray(p).dtype
        left, right = inner(gs, leaves_of(moved)), inner(pulled, ts)
        # rounding of two sums of a few dozen terms of size 1 to 100
        np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-10)

    return check


@pytest.fixture
def assert_second_derivatives(assert_derivatives, rng):
    """`check(f, *points)`: the derivatives of x ↦ Jᵀ(x) g, by every mode over reverse mode."""

    def check(f, *points):
        outputs = leaves_of(f(*points))
        gs = [direction(rng, y) if inexact(y) else None for y in outputs]
        kind = type(f(*points))

        def pulled(*at):
            _, pull = cr.vjp(f, *at)
            return pull(kind(gs) if kind in (tuple, list) else gs[0])

        # a gradient's own size sets the error of its difference
        assert_derivatives(pulled, *points, tolerance=1e-6)

    return check


X = np.array([[0.4, -1.2, 2.0, 0.7], [1.5, 0.3, -0.6, 1.1], [-0.9, 0.8, 0.2, -1.4]])
W = np.array([1.3, -0.4, 0.9, 0.6])


@pytest.fixture
def assert_program(assert_derivatives, assert_second_derivatives):
    """`check(program)`: a program that writes computes as on NumPy, in every transform.

    First and second derivatives in both modes; the recording of its graph; and the arrays that the
    caller passed in are as they were.
    """

    def check(program):
        assert_derivatives(program, X, W)
        assert_second_derivatives(program, X, W)
        recording = record(program, (X, W), {})
        found = [recording.values[edge] for edge in recording.graph.outputs]
        for a, b in zip(found, leaves_of(program(X.copy(), W.copy())), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)

        x, w = X.copy(), W.copy()
        cr.grad(
            lambda x, w: sum(np.sum(np.abs(leaf)) for leaf in leaves_of(program(x, w))),
            argnums=(0, 1),
        )(x, w)
        cr.jvp(program, (x, w), (x, w))
        np.testing.assert_array_equal(x, X)
        np.testing.assert_array_equal(w, W)

    return check
