"""What chainrule.numpy supplies: r_, c_, vectorize, fromiter, require, broadcast, creation."""

import numpy as np
import pytest

import chainrule as cr
import chainrule.numpy as cnp
from chainrule import errors
from chainrule.graph import Traced

V = np.array([0.3, 1.9, 0.7])
W = np.array([2.0, -1.0, 0.5])


def vectorized_of_two(x, np):
    @np.vectorize
    def larger(a, b=0.1):
        return a * b if a > b else b - a**2

    return larger(x, W) + larger(x) + larger(x[:, None], b=W).sum(0)


def vectorized_with_signature(x, np):
    rows = np.vectorize(lambda a, b: np.dot(a, b), signature="(n),(n)->()")
    scaled = np.vectorize(lambda a: a / np.sum(a), signature="(n)->(n)")
    both = np.stack([x, x * W])
    return np.append(rows(both, x), scaled(both))


def vectorized_with_several_results(x, np):
    parts = np.vectorize(lambda a: (np.sin(a), 2.0, a * a))(x)
    return np.stack([parts[0], parts[1], parts[2]])


def vectorized_with_excluded(x, np):
    polynomial = np.vectorize(lambda t, p: p[0] * t + p[1], excluded=["p"])
    return polynomial(W, p=x)


def rows_in_brackets(x, np):
    first = np.r_[x, 1.0, x[0], [0.5, x[1]], 0:3, 0.0:1.0:5j, x[0] : x[1] : 3j]
    return np.concatenate([first, np.r_["0,2", x, W].ravel(), np.r_["1,2,0", x, W].ravel()])


def columns_in_brackets(x, np):
    return np.c_[x, W, np.ones((3, 2)), x * 2]


def iterated(x, np):
    a = np.fromiter((t**2 for t in x), float)
    b = np.fromiter((t for t in x), np.float64, count=2)
    pairs = np.broadcast(x[:, None], W)
    assert (pairs.shape, pairs.size, pairs.numiter) == ((3, 3), 9, 2)
    return np.concatenate([a, b, [s * t for s, t in pairs], np.require(x, float, ["C", "W"])])


def filled(x, np):
    parts = [np.logspace(0.0, 1.0, 3), np.geomspace(1.0, 4.0, 3), np.tri(3)[1], np.zeros(3)]
    for k, part in enumerate(parts):
        part[k % 3] = x[k % 3] ** 2
        part *= x
    return np.concatenate(parts)


PROGRAMS = [f for f in tuple(globals().values()) if getattr(f, "__module__", None) == __name__]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_programs(program):
    """Values as NumPy's own; both modes as differences of NumPy's own."""
    expected = program(V, np)
    value, pull = cr.vjp(lambda x: program(x, cnp), V)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    assert value.dtype == expected.dtype
    np.testing.assert_allclose(program(V, cnp), expected, rtol=1e-14)
    t, h = np.array([0.4, -1.1, 0.8]), 1e-6
    _, moved = cr.jvp(lambda x: program(x, cnp), (V,), (t,))
    difference = (program(V + h * t, np) - program(V - h * t, np)) / (2 * h)
    np.testing.assert_allclose(moved, difference, rtol=1e-8, atol=1e-8)
    g = np.sin(np.arange(value.size)).reshape(value.shape)
    np.testing.assert_allclose(np.sum(pull(g)[0] * t), np.sum(g * moved), rtol=1e-12)


def test_outside_of_transforms_they_are_numpys_own():
    np.testing.assert_array_equal(cnp.r_[1:3, 0.5, W], np.r_[1:3, 0.5, W])
    np.testing.assert_array_equal(cnp.c_[W, W], np.c_[W, W])
    np.testing.assert_array_equal(cnp.vectorize(abs)(W), np.vectorize(abs)(W))
    made = cnp.fromiter(range(4), int, count=3)
    assert made.dtype == np.dtype(int)
    assert made.tolist() == [0, 1, 2]
    assert [tuple(row) for row in cnp.broadcast(1, [2, 3])] == [(1, 2), (1, 3)]
    assert cnp.require([1, 2], float).dtype == float
    for name in cnp.__all__:
        assert hasattr(np, name), name


def test_a_matrix_in_brackets_is_refused():
    with pytest.raises(errors.UnsupportedError, match="asks for a matrix"):
        cr.grad(lambda x: np.sum(cnp.r_["r", x, x]))(V)


def test_an_ordinary_program_runs_with_the_import_changed():
    def program(np):
        rng = np.random.default_rng(0)
        a = rng.normal(size=(4, 4)) + 4 * np.eye(4)
        spectrum = np.abs(np.fft.fft(np.linalg.solve(a, np.ones(4))))
        mask = np.isfinite(spectrum) & (np.arange(4) < 3)
        table = np.array([(1, 2.0)], dtype=[("k", np.int32), ("v", np.float64)])
        np.testing.assert_allclose(np.linspace(0, 1, 3)[1], 0.5)
        polynomial = np.polynomial.Polynomial([1, 2])
        with np.errstate(divide="ignore"):
            infinite = np.log(np.zeros(1))
        return [spectrum[mask], np.float32(np.pi), table["v"], polynomial(2.0), infinite, np.inf]

    for found, expected in zip(program(cnp), program(np), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert type(found) is type(expected)


def test_every_public_name_is_there():
    assert set(dir(np)) <= set(dir(cnp))
    assert {name for name in dir(np) if not hasattr(cnp, name)} == set()
    supplied = set(cnp.__all__) | {"random"}
    names = [n for n in np.__all__ if n not in supplied]
    assert all(getattr(cnp, name) is getattr(np, name) for name in names)


@pytest.mark.parametrize(
    "make",
    [cnp.zeros, cnp.ones, cnp.empty, cnp.eye, cnp.identity, cnp.tri, lambda n: cnp.full(n, 0.5)],
)
def test_created_arrays_are_writable_inside_alone(make):
    kinds = []
    cr.grad(lambda x: kinds.append(make(3)) or np.sum(x))(V)
    assert isinstance(kinds[0], Traced)
    assert type(make(3)) is np.ndarray
