"""Interpolation: SciPy's values, and derivatives in the points, the values and the nodes."""

import numpy as np
import pytest
import scipy.interpolate

from chainrule import check_grads, errors, grad, vjp
from chainrule.scipy import interpolate

NODES = np.array([0.0, 0.7, 1.1, 2.0, 2.6, 3.5])
POINTS = np.array([-0.2, 0.1, 0.95, 1.15, 2.33, 3.1, 3.7])
INSIDE = np.array([[0.1, 0.95, 1.3], [2.33, 3.1, 3.42]])  # no nodes, and not halfway between
VALUES = np.array([0.3, -0.4, 1.2, 0.9, -1.0, 0.5])


def matches(agrees, name, y, *arrays, at=INSIDE, nodes=NODES, **options):
    """Values and derivatives in nodes, values, points, and any arrays between them."""

    def value(module):
        return lambda x, y, *rest: getattr(module, name)(x, y, *rest[:-1], **options)(rest[-1])

    agrees(value(interpolate), value(scipy.interpolate), nodes, y, *arrays, at)


@pytest.mark.parametrize("bc_type", ["not-a-knot", "clamped", "natural"])
@pytest.mark.parametrize("size", [2, 3, 4, 6])
def test_cubic_splines(agrees, bc_type, size):
    at = NODES[size - 1] * np.array([0.1, 0.4, 0.9])
    matches(agrees, "CubicSpline", VALUES[:size], nodes=NODES[:size], at=at, bc_type=bc_type)


@pytest.mark.parametrize("size", [3, 4, 6])
def test_periodic_splines(agrees, size):
    def value(module):
        def f(x, y, at):
            closed = np.concatenate([y, y[:1]])
            return module.CubicSpline(x, closed, bc_type="periodic")(at)

        return f

    nodes, y = NODES[:size], VALUES[: size - 1]
    agrees(value(interpolate), value(scipy.interpolate), nodes, y, np.array([-0.33, 0.2, 5.0]))


def test_conditions_with_values(agrees):
    def value(module):
        def f(y, slope, bend, at):
            return module.CubicSpline(NODES, y, bc_type=((1, slope), (2, bend)))(at)

        return f

    point = (VALUES, np.array(0.3), np.array(-0.7), INSIDE)
    agrees(value(interpolate), value(scipy.interpolate), *point)


@pytest.mark.parametrize("name", ["PchipInterpolator", "Akima1DInterpolator"])
@pytest.mark.parametrize("size", [2, 3, 4, 6])
def test_local_cubics(agrees, name, size):
    at = NODES[size - 1] * np.array([0.1, 0.4, 0.9])
    matches(agrees, name, VALUES[:size], nodes=NODES[:size], at=at)
    matches(agrees, name, np.cumsum(VALUES[:size] ** 2), nodes=NODES[:size], at=at)


def test_akima_with_other_weights_and_given_slopes(agrees, rng):
    matches(agrees, "Akima1DInterpolator", VALUES, method="makima")
    matches(agrees, "CubicHermiteSpline", VALUES, rng.normal(size=6))


@pytest.mark.parametrize("name", ["CubicSpline", "PchipInterpolator", "make_interp_spline"])
def test_several_columns_and_other_axes(agrees, rng, name):
    y = rng.normal(size=(2, 6))
    matches(agrees, name, y, axis=1)
    matches(agrees, name, y.T, at=np.array(1.3))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_b_splines_through_points(agrees, k):
    matches(agrees, "make_interp_spline", VALUES, k=k)


@pytest.mark.parametrize("bc_type", ["natural", "clamped"])
def test_b_splines_with_conditions(agrees, bc_type):
    matches(agrees, "make_interp_spline", VALUES, bc_type=bc_type)

    def value(module):
        def f(y, slope):
            bc = ([(1, slope)], [(2, 0.5)])
            return module.make_interp_spline(NODES, y, bc_type=bc)(INSIDE)

        return f

    agrees(value(interpolate), value(scipy.interpolate), VALUES, np.array(0.3))


OPERATIONS = {
    "value": lambda s, at: s(at),
    "beyond": lambda s, at: s(POINTS + 0 * at[0, 0]),
    "second derivative": lambda s, at: s(at, 2),
    "derivative": lambda s, at: s.derivative()(at),
    "vanishing derivative": lambda s, at: s.derivative(2)(at) + s(at, 5),
    "antiderivative": lambda s, at: s.antiderivative(2)(at),
    "integral": lambda s, at: s.integrate(at[0, 0], at[1, 1]) - s.integrate(at[1, 2], at[0, 1]),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", ["piecewise", "b-spline"])
def test_everything_a_spline_can_do(agrees, rng, operation, kind):
    act = OPERATIONS[operation]
    shape = (4, 3, 2) if kind == "piecewise" else (5, 2)
    c = rng.normal(size=shape)
    x = np.array([0.0, 0.8, 2.2, 3.5])
    knots = np.array([0.0, 0.1, 0.3, 1.1, 2.0, 3.4, 3.5, 3.6])

    def value(module):
        if kind == "piecewise":
            return lambda c, x, at: act(module.PPoly(c, x), at)
        return lambda c, t, at: act(module.BSpline(t, c, 2), at)

    second = x if kind == "piecewise" else knots
    agrees(value(interpolate), value(scipy.interpolate), c, second, INSIDE * 0.9 + 0.4)
    plain = value(scipy.interpolate)(c, second, INSIDE)
    by_points, _ = vjp(lambda at: value(interpolate)(c, second, at), INSIDE)
    np.testing.assert_allclose(by_points, plain, atol=1e-10)  # rounding of cubes of 3.5


def test_integrals_over_several_periods(agrees):
    def value(module):
        def f(y, a, b):
            closed = np.concatenate([y, y[:1]])
            spline = module.CubicSpline(NODES, closed, bc_type="periodic")
            return spline.integrate(a, b) + spline.antiderivative()(1.2)

        return f

    ends = (np.array(-1.0), np.array(9.0))
    agrees(value(interpolate), value(scipy.interpolate), VALUES[:5], *ends)


def test_no_extrapolation_gives_nan():
    spline = interpolate.CubicSpline(NODES, VALUES, extrapolate=False)
    traced, pull = vjp(spline, POINTS)
    np.testing.assert_allclose(
        traced, scipy.interpolate.CubicSpline(NODES, VALUES, extrapolate=False)(POINTS)
    )
    (g,) = pull(np.ones(7))
    np.testing.assert_array_equal(g[[0, -1]], 0.0)
    assert np.all(np.isfinite(g))


@pytest.mark.parametrize("kind", ["linear", "slinear", "quadratic", "cubic", 2])
def test_lines(agrees, rng, kind):
    y = rng.normal(size=(2, 6))
    matches(agrees, "interp1d", y, kind=kind, at=INSIDE)
    matches(agrees, "interp1d", y.T, kind=kind, axis=0, at=np.array(1.3))


@pytest.mark.parametrize("kind", ["nearest", "nearest-up", "previous", "next", "zero"])
def test_steps(agrees, rng, kind):
    y = rng.normal(size=6)

    def value(module):
        return lambda y: module.interp1d(NODES, y, kind)(INSIDE)

    agrees(value(interpolate), value(scipy.interpolate), y)


def test_beyond_the_line(agrees):
    matches(agrees, "interp1d", VALUES, at=POINTS, fill_value="extrapolate")
    matches(agrees, "interp1d", VALUES, at=POINTS, bounds_error=False, fill_value=(1.0, 2.0))
    order = np.array([3, 0, 5, 1, 4, 2])
    matches(agrees, "interp1d", VALUES[order], at=INSIDE, nodes=NODES[order])
    with pytest.raises(ValueError, match="below the interpolation range"):
        grad(lambda y: np.sum(interpolate.interp1d(NODES, y)(POINTS)))(VALUES)


def test_grids(agrees, rng):
    first, second = np.array([0.0, 0.5, 2.0]), np.array([1.0, 2.0, 2.5, 4.0])
    values = rng.normal(size=(3, 4, 2))
    at = np.array([[0.3, 1.7], [1.2, 3.3], [0.2, 2.1]])

    def value(module, **options):
        def f(a, b, values, at):
            return module.RegularGridInterpolator((a, b), values, **options)(at)

        return f

    agrees(value(interpolate), value(scipy.interpolate), first, second, values, at)
    beyond = at + np.array([2.0, 0.0])
    for more in ({"bounds_error": False}, {"bounds_error": False, "fill_value": None}):
        ours, theirs = value(interpolate, **more), value(scipy.interpolate, **more)
        traced, pull = vjp(ours, first, second, values, beyond)
        np.testing.assert_allclose(traced, theirs(first, second, values, beyond))
        assert all(np.all(np.isfinite(g)) for g in pull(np.ones_like(traced)))

    def nearest(module):
        return lambda v: module.RegularGridInterpolator((first, second), v, "nearest")(at)

    agrees(nearest(interpolate), nearest(scipy.interpolate), values)


def test_many_nodes_cost_linear_memory(rng):
    """A dense matrix of 50,000 × 50,000 would not fit."""
    x = np.arange(50_000.0)
    y = rng.normal(size=50_000)
    g = grad(lambda y: np.sum(interpolate.CubicSpline(x, y)(x[:-1] + 0.5)))(y)
    np.testing.assert_allclose(np.sum(g), 49_999, rtol=1e-12)  # a constant is reproduced


def test_plain_values_are_scipys_own():
    spline = interpolate.CubicSpline(NODES, VALUES)
    np.testing.assert_array_equal(
        spline.roots(), scipy.interpolate.CubicSpline(NODES, VALUES).roots()
    )
    assert interpolate.BSpline.__name__ == "BSpline"
    b = interpolate.make_interp_spline(NODES, VALUES)
    np.testing.assert_array_equal(b.tck[1], scipy.interpolate.make_interp_spline(NODES, VALUES).c)
    check_grads(lambda x: spline(x) + b(x) + b.derivative()(x), (INSIDE,))


def test_what_is_refused():
    with pytest.raises(errors.UnsupportedError, match="roots at"):
        grad(lambda y: interpolate.CubicSpline(NODES, y).roots()[0])(VALUES)
    with pytest.raises(errors.UnsupportedError, match="use CubicSpline"):
        grad(lambda y: interpolate.make_interp_spline(NODES, y, bc_type="periodic")(1.0))(VALUES)
    with pytest.raises(errors.UnsupportedError, match="UnivariateSpline at"):
        grad(lambda y: interpolate.UnivariateSpline(NODES, y)(1.0))(VALUES)
    with pytest.raises(errors.UnsupportedError, match="use 'linear' or 'nearest'"):
        grad(
            lambda v: interpolate.RegularGridInterpolator((NODES,), v, "cubic")(np.array([[1.0]]))[
                0
            ]
        )(VALUES)
    with pytest.raises(ValueError, match="of a degree"):
        grad(lambda y: interpolate.make_interp_spline(NODES, y).derivative(4)(1.0))(VALUES)
    with pytest.raises(ValueError, match="strictly increasing"):
        grad(lambda y: interpolate.CubicSpline(NODES[::-1], y)(1.0))(VALUES)
