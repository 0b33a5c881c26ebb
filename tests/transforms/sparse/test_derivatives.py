"""Sparse derivatives: the dense values, few passes, and patterns that are never silently stale."""

import numpy as np
import pytest
from scipy import sparse

import chainrule as cr
from chainrule import errors
from chainrule.transforms.sparse import compressed


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def heat(u):
    """One step of diffusion on a grid, with writes."""
    new = np.zeros_like(u)
    new[1:-1, 1:-1] = (
        u[1:-1, 1:-1] ** 2 + u[2:, 1:-1] + u[:-2, 1:-1] - np.sin(u[1:-1, 2:]) * u[1:-1, :-2]
    )
    return new


def block_diagonal(x):
    blocks = np.reshape(x, (-1, 3))
    return np.sum(np.exp(np.sum(blocks, axis=1)) * blocks[:, 0])


def arrow(x):
    return np.sum(x[0] ** 2 * x[1:] ** 2)


def agrees(f, *args, **options):
    found = cr.sparse_jacobian(f, **options)
    dense = cr.jacobian(f, **options)(*args)
    got = found(*args)
    assert isinstance(got, sparse.csr_array)
    np.testing.assert_allclose(got.toarray(), dense, rtol=1e-13, atol=1e-13)
    return found.explain(*args)


def test_a_stencil(rng):
    u = rng.normal(size=(5, 6))
    got = cr.sparse_jacobian(heat)(u).toarray()
    np.testing.assert_allclose(got, cr.jacobian(heat)(u).reshape(30, 30), rtol=1e-13)


def test_the_fewer_of_rows_and_columns(rng):
    x = rng.normal(size=40)
    wide = agrees(lambda x: np.sum(np.reshape(x, (4, 10)) ** 2, axis=1), x)
    assert (wide.coloured, wide.passes) == ("rows", 1)
    tall = agrees(lambda x: np.concatenate([x**2, np.sin(x), 3 * x]), x)
    assert (tall.coloured, tall.passes) == ("columns", 1)


def test_constant_factors_that_are_zero_are_left_out(rng):
    band = np.diag(rng.normal(size=20)) + np.diag(rng.normal(size=19), 1)
    x = rng.normal(size=20)
    assert agrees(lambda x: band @ np.tanh(x), x).nonzeros == 39
    assert agrees(lambda x: np.einsum("ij,j->i", band, x**2), x).nonzeros == 39
    assert agrees(lambda x: np.tanh(x) @ band, x).passes == 2


def test_trees_and_argnums(rng):
    def f(p, scale, n):
        return {"a": p["w"] ** n * scale[0], "b": np.cos(p["b"])}

    p = {"w": rng.normal(size=3), "b": rng.normal(size=2)}
    scale = rng.normal(size=2)
    got = cr.sparse_jacobian(f, argnums=(0, 1))(p, scale, 2).toarray()
    dense = cr.jacobian(f, argnums=(0, 1))(p, scale, 2)
    rows = [np.hstack([dense[k][0]["b"], dense[k][0]["w"], dense[k][1]]) for k in "ab"]
    np.testing.assert_allclose(got, np.vstack(rows))


def test_a_result_that_does_not_depend():
    got = cr.sparse_jacobian(lambda x: np.array([1.0, 2.0]))(np.ones(3))
    assert got.shape == (2, 3)
    assert got.nnz == 0
    assert cr.sparse_jacobian(lambda x: x)(np.ones(0)).shape == (0, 0)


def test_one_number_in_or_out():
    assert cr.sparse_jacobian(lambda x: x**2)(3.0).toarray() == [[6.0]]
    assert cr.sparse_hessian(lambda x: x**3)(3.0).toarray() == [[18.0]]


def test_single_precision():
    got = cr.sparse_jacobian(lambda x: 2 * x)(np.ones(3, np.float32))
    assert got.dtype == np.float32


@pytest.mark.parametrize("f", [rosenbrock, block_diagonal, arrow])
def test_hessians(f, rng):
    x = rng.normal(size=12)
    got = cr.sparse_hessian(f)(x)
    np.testing.assert_allclose(got.toarray(), cr.hessian(f)(x), rtol=1e-12, atol=1e-12)
    assert got.nnz < 144


def test_a_linear_function_has_no_curvature(rng):
    a = rng.normal(size=9)
    found = cr.sparse_hessian(lambda x: a @ x)
    assert found(a).nnz == 0
    assert found.explain(a).passes == 0


def test_blocks_of_several_arguments(rng):
    def f(x, y):
        return np.sum(x**2 * y) + np.sum(y[1:] * y[:-1])

    x, y = rng.normal(size=4), rng.normal(size=4)
    got = cr.sparse_hessian(f, argnums=(0, 1))(x, y).toarray()
    whole = cr.hessian(lambda z: f(z[:4], z[4:]))(np.concatenate([x, y]))
    np.testing.assert_allclose(got, whole, atol=1e-14)


@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_the_number_of_passes_does_not_grow(n):
    x = np.linspace(-1.0, 1.0, n)
    calls = []

    def counted(x):
        calls.append(1)
        return rosenbrock(x)

    found = cr.sparse_hessian(counted)
    got = found(x)
    assert calls == [1]
    assert found.explain(x).passes == 3
    assert got.nnz == 3 * n - 2
    assert cr.sparse_hessian(arrow).explain(x).passes == 2
    assert cr.sparse_jacobian(lambda x: x[1:] * x[:-1]).explain(x).passes == 2


def test_the_pattern_is_kept_while_it_holds(rng, monkeypatch):
    derived = []
    original = compressed.sparsity_of

    def counted(recording, *, hessian):
        derived.append(1)
        return original(recording, hessian=hessian)

    monkeypatch.setattr(compressed, "sparsity_of", counted)

    def f(x, order):
        y = x[order] ** 2
        return y if x[0] > 0 else y * x[::-1]

    x, order = np.abs(rng.normal(size=5)), np.array([0, 1, 2, 3, 4])
    found = cr.sparse_jacobian(f)
    for point, where in ((x, order), (2 * x, order), (-x, order), (x, order[::-1]), (x, order)):
        dense = cr.jacobian(f)(point, where)
        np.testing.assert_allclose(found(point, where).toarray(), dense)
    assert len(derived) == 4


def test_sorting_moves_the_pattern(rng):
    found = cr.sparse_jacobian(lambda x: np.sort(x) ** 2)
    for _ in range(3):
        x = rng.normal(size=6)
        np.testing.assert_allclose(found(x).toarray(), cr.jacobian(lambda x: np.sort(x) ** 2)(x))


def test_positions_that_an_operation_returns_beside_numbers(rng):
    """They are read by value, though they come out of an operation that carries derivatives."""

    @cr.custom_derivative(
        jvp=lambda args, ts: (2 * args[0] * ts[0], None), samples=[(np.array([1.0, 3.0, 2.0]),)]
    )
    def squares_and_order(x):
        return x**2, np.argsort(x)

    def f(x):
        squares, order = squares_and_order(x)
        return (3 * x)[order] * np.ones(3) + 0 * squares[0]

    found = cr.sparse_jacobian(f)
    for x in (np.array([1.0, 3.0, 2.0]), np.array([5.0, 3.0, 2.0]), np.array([1.0, 3.0, 4.0])):
        np.testing.assert_allclose(found(x).toarray(), cr.jacobian(f)(x))


def test_both_branches_of_where_are_in_the_pattern(rng):
    x = rng.normal(size=8)
    sparsity = agrees(lambda x: np.where(x[1:] > 0, x[1:] ** 2, x[:-1]), x)
    assert sparsity.nonzeros == 14


def test_through_a_checkpoint(rng):
    x = rng.normal(size=10)
    inner = cr.checkpoint(lambda x: x[1:] * x[:-1])
    assert agrees(lambda x: np.sin(inner(x)), x).nonzeros == 18
    got = cr.sparse_hessian(lambda x: np.sum(inner(x) ** 2))(x).toarray()
    np.testing.assert_allclose(got, cr.hessian(lambda x: np.sum((x[1:] * x[:-1]) ** 2))(x))


def test_reading_values_is_told(rng):
    x = np.ones(4)
    found = cr.sparse_jacobian(lambda x: x**2 if x[0] > 0 else x)
    assert "the code reads values at test_derivatives.py" in str(found.explain(x))


def test_what_is_refused():
    with pytest.raises(errors.OutputError, match="complex"):
        cr.sparse_jacobian(lambda z: z * 1j)(np.ones(2))
    with pytest.raises(errors.InputError, match="cannot carry a derivative"):
        cr.grad(lambda x: cr.sparse_jacobian(np.sin)(x).sum())(np.ones(2))
    with pytest.raises(errors.OutputError, match=r"test_derivatives.py.*dense"):
        cr.sparse_jacobian(lambda x: np.sum(x) * x)(np.ones(20_000))
    with pytest.raises(errors.OutputError, match="scalar"):
        cr.sparse_hessian(np.sin)(np.ones(2))
