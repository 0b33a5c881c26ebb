"""Systems, inverses, powers and chains of products: values and derivatives, real and complex."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import registry

Rng = np.random.Generator


def regular(rng: Rng, *shape: int) -> Any:
    """Square matrices well away from singular."""
    return rng.normal(size=shape) + 3 * np.eye(shape[-1])


def normal(rng: Rng, *shape: int) -> Any:
    return rng.normal(size=shape)


def graded(rng: Rng, *shape: int) -> Any:
    """Matrices of full rank: orthonormal columns (or rows) plus a little noise."""
    tall = shape if shape[-2] >= shape[-1] else (*shape[:-2], shape[-1], shape[-2])
    q = np.linalg.qr(rng.normal(size=tall))[0]
    q = q if shape == tall else np.swapaxes(q, -1, -2)
    return q + 0.1 * rng.normal(size=shape)


MAPS: dict[str, tuple[Callable[..., Any], list[tuple[Any, tuple[int, ...]]]]] = {
    "solve": (np.linalg.solve, [(regular, (3, 3)), (normal, (3, 2))]),
    "solve for a vector": (np.linalg.solve, [(regular, (3, 3)), (normal, (3,))]),
    "solve a stack for a vector": (np.linalg.solve, [(regular, (2, 3, 3)), (normal, (3,))]),
    "solve for a stack": (np.linalg.solve, [(regular, (3, 3)), (normal, (2, 3, 2))]),
    "inv": (np.linalg.inv, [(regular, (3, 3))]),
    "inv of a stack": (np.linalg.inv, [(regular, (2, 3, 3))]),
    "pinv of a tall one": (np.linalg.pinv, [(graded, (4, 2))]),
    "pinv of a wide one": (np.linalg.pinv, [(graded, (2, 4))]),
    "pinv of a stack": (np.linalg.pinv, [(graded, (2, 3, 3))]),
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b)[:2], [(graded, (4, 2)), (normal, (4, 3))]),
    "lstsq, a vector": (lambda a, b: np.linalg.lstsq(a, b)[0], [(graded, (4, 2)), (normal, (4,))]),
    "lstsq, too few rows": (
        lambda a, b: np.linalg.lstsq(a, b)[0],
        [(graded, (2, 3)), (normal, (2,))],
    ),
    "cube": (lambda a: np.linalg.matrix_power(a, 3), [(regular, (3, 3))]),
    "sixth power of a stack": (lambda a: np.linalg.matrix_power(a / 3, 6), [(regular, (2, 2, 2))]),
    "power -2": (lambda a: np.linalg.matrix_power(a, -2), [(regular, (3, 3))]),
    "chain of four": (
        lambda *ms: np.linalg.multi_dot(ms),
        [(normal, (2, 5)), (normal, (5, 1)), (normal, (1, 4)), (normal, (4, 3))],
    ),
    "chain between vectors": (
        lambda *ms: np.linalg.multi_dot(ms),
        [(normal, (3,)), (normal, (3, 2)), (normal, (2,))],
    ),
    "trace": (lambda a: np.linalg.trace(a, offset=1), [(normal, (2, 3, 4))]),
    "diagonal": (lambda a: np.linalg.diagonal(a, offset=-1), [(normal, (2, 3, 4))]),
}


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", MAPS)
def test_differentiates_as_numpy_computes(
    name: str, kind: str, rng: Rng, differentiates: Callable[..., None]
) -> None:
    f, makers = MAPS[name]
    args = [make(rng, *shape) for make, shape in makers]
    if kind == "complex":
        args = [a + 0.3j * rng.normal(size=a.shape) for a in args]
    differentiates(f, *args)


CUT = {
    "pinv": lambda a, b: np.linalg.pinv(a, rcond=0.3),
    "pinv by rtol": lambda a, b: np.linalg.pinv(a, rtol=np.float64(0.3)),
    "lstsq": lambda a, b: np.linalg.lstsq(a, b, rcond=0.3)[0],
}


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("shape", [(4, 4), (5, 4), (4, 5)])
@pytest.mark.parametrize("name", CUT)
def test_singular_values_that_are_left_out(
    name: str,
    shape: tuple[int, int],
    kind: str,
    rng: Rng,
    differentiates: Callable[..., None],
) -> None:
    """They move the space that is kept; two that are equal there must not matter."""

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape) + (1j * rng.normal(size=shape) if kind == "complex" else 0)

    u, _, v = np.linalg.svd(draw(*shape), full_matrices=False)
    a = (u * np.array([1.0, 0.8, 0.1, 0.05])) @ v
    differentiates(CUT[name], a, draw(shape[0], 2))
    equal = (u * np.array([0.9, 0.9, 0.1, 0.1])) @ v
    # at second order a quotient by a gap of 0 counts as 0 (docs/conventions.md)
    differentiates(CUT[name], equal, draw(shape[0], 2), order=1)


RECORDS = ("solve", "inv", "pinv", "cofactors", "det", "slogdet", "cholesky", "eigh", "svd", "qr")


@pytest.mark.parametrize("name", RECORDS)
def test_every_sample_differentiates(
    name: str, rng: Rng, differentiates: Callable[..., None]
) -> None:
    record = registry[name]
    for sample in record.samples:
        args, params = sample.draw(rng)

        def f(*xs: Any, params: Any = params, determined: Any = sample.determined) -> Any:
            y = record(*xs, **params)
            return y if determined is None else determined(*y)

        differentiates(f, *args)


# Not "solve": there the transposed jvp would ask for the vjp again. Differences check it above.
@pytest.mark.parametrize("name", ["inv", "cholesky", "eigh", "det", "slogdet"])
@pytest.mark.parametrize("kind", [0, 1j])
def test_both_stated_modes_are_each_others_transpose(
    name: str, kind: complex, rng: Rng, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that state a vjp beside the jvp: the vjp against the jvp transposed."""
    record = registry[name]
    a = regular(rng, 3, 3) + kind * rng.normal(size=(3, 3))
    if name in ("cholesky", "eigh"):
        a = a @ a.conj().T
    params = {"triangle": "L"} if name == "eigh" else {}

    def pulled() -> Any:
        return cr.vjp(lambda a: record(a, **params), a)[1](gs)[0]

    out = record(a, **params)
    several = isinstance(out, tuple)
    drawn = [rng.normal(size=np.shape(y)) * (1 + 0 * y) for y in (out if several else (out,))]
    drawn = [g * (1 - 0.5j) if np.iscomplexobj(g) else g for g in drawn]
    gs = tuple(drawn) if several else drawn[0]
    stated = pulled()
    monkeypatch.setattr(record, "vjp", None)
    monkeypatch.setattr(record, "saves_for", {})
    np.testing.assert_allclose(stated, pulled(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["solve", "inv", "pinv", "matrix_power"])
def test_gradient_is_that_of_jax(name: str, rng: Rng, peer: Callable[[str], ModuleType]) -> None:
    jax = peer("jax")
    b = rng.normal(size=(4, 2))
    losses = {
        "solve": lambda np_, a: np_.sum(np_.sin(np_.linalg.solve(a, b))),
        "inv": lambda np_, a: np_.sum(np_.sin(np_.linalg.inv(a))),
        "pinv": lambda np_, a: np_.sum(np_.sin(np_.linalg.pinv(a[:, :3]))),
        "matrix_power": lambda np_, a: np_.sum(np_.sin(np_.linalg.matrix_power(a, 5))),
    }
    loss, a = losses[name], regular(rng, 4, 4)
    expected = jax.grad(lambda a: loss(jax.numpy, a))(a)
    # the same formulas in another order of operations: some ulps times the condition number
    np.testing.assert_allclose(cr.grad(lambda a: loss(np, a))(a), expected, rtol=1e-9, atol=1e-11)


def test_third_derivative_of_the_inverse() -> None:
    """d³(1/x)/dx³ = -6/x⁴ on a 1 × 1 matrix."""

    def f(x: Any) -> Any:
        return np.linalg.inv(np.reshape(x, (1, 1)))[0, 0]

    third = cr.grad(cr.grad(cr.grad(f)))(2.0)
    np.testing.assert_allclose(third, -6 / 2.0**4, rtol=1e-13)


def test_float32_stays_float32(rng: Rng) -> None:
    a = regular(rng, 3, 3).astype(np.float32)
    s = (a @ a.T).astype(np.float32)
    for f, x in [
        (lambda a: np.linalg.inv(a), a),
        (lambda a: np.linalg.solve(a, a[0]), a),
        (lambda a: np.linalg.pinv(a), a),
        (lambda a: np.linalg.matrix_power(a, -3), a),
        (lambda a: np.linalg.det(a), a),
        (lambda a: np.linalg.det(a), np.ones_like(a)),
        (lambda a: np.linalg.slogdet(a)[1], a),
        (lambda a: np.linalg.cholesky(a), s),
        (lambda a: np.linalg.eigh(a), s),
        (lambda a: np.linalg.svd(a[:, :2]), a),
        (lambda a: np.linalg.qr(a), a),
    ]:
        value, moved = cr.jvp(f, (x,), (x,))
        values = value if isinstance(value, tuple) else (value,)
        tangents = moved if isinstance(moved, tuple) else (moved,)
        assert {np.dtype(v.dtype) for v in (*values, *tangents)} == {np.dtype(np.float32)}

        def loss(x: Any, f: Any = f) -> Any:
            y = f(x)
            return sum(np.sum(part) for part in y) if isinstance(y, tuple) else np.sum(y)

        gradient = cr.grad(loss)(x)
        assert gradient.dtype == np.float32
        assert cr.hvp(loss)(x, x).dtype == np.float32


def test_power_zero_is_the_identity(rng: Rng) -> None:
    a = rng.normal(size=(2, 3, 3))
    value, moved = cr.jvp(lambda a: np.linalg.matrix_power(a, 0), (a,), (a,))
    np.testing.assert_array_equal(value, np.linalg.matrix_power(a, 0))
    np.testing.assert_array_equal(moved, np.zeros_like(a))


def test_lstsq_returns_what_numpy_returns(rng: Rng) -> None:
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    for matrix, right in [(a, b), (a, b[:, 0]), (a.T, b[:3]), (a * [1, 1, 0], b)]:
        expected = np.linalg.lstsq(matrix, right)
        found: list[Any] = []

        def loss(matrix: Any, right: Any = right, found: list[Any] = found) -> Any:
            out = np.linalg.lstsq(matrix, right)
            found.extend(cr.stop_gradient(part) for part in out)
            return np.sum(out[0])

        cr.grad(loss)(matrix)
        for y, value in zip(found, expected, strict=True):
            np.testing.assert_allclose(y, value, rtol=1e-10, atol=1e-12)


def test_pinv_of_one_triangle(rng: Rng, differentiates: Callable[..., None]) -> None:
    a = regular(rng, 3, 3)
    differentiates(lambda a: np.linalg.pinv(a, hermitian=True), a)
    np.testing.assert_array_equal(
        np.triu(cr.grad(lambda a: np.sum(np.linalg.pinv(a, hermitian=True)))(a), 1),
        np.zeros((3, 3)),
    )


def test_a_constant_matrix_of_integers(rng: Rng) -> None:
    a, b = np.array([[2, 1], [1, 3]]), rng.normal(size=2)
    gradient = cr.grad(lambda b: np.sum(np.linalg.solve(a, b)))(b)
    np.testing.assert_allclose(gradient, np.linalg.solve(a.T, np.ones(2)), rtol=1e-14)


def test_rank_counts_and_has_no_derivative(rng: Rng) -> None:
    a = rng.normal(size=(3, 2))
    gradient = cr.grad(lambda a: np.linalg.matrix_rank(a) * np.sum(a))(a)
    np.testing.assert_array_equal(gradient, np.full((3, 2), 2.0))
