"""Cholesky, QR, eigenvalues and singular values: every output, real and complex, and at ties."""

import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChoiceWarning, UnsupportedError

Rng = np.random.Generator
KINDS = {"real": 0, "complex": 1j}


def unitary(rng: Rng, rows: int, columns: int, *batch: int, kind: complex = 0) -> Any:
    shape = (*batch, rows, columns)
    return np.linalg.qr(rng.normal(size=shape) + kind * rng.normal(size=shape))[0]


def adjoint(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def with_values(rng: Rng, values: Any, *batch: int, kind: complex = 0) -> Any:
    """A Hermitian matrix with the given eigenvalues."""
    v = unitary(rng, len(values), len(values), *batch, kind=kind)
    return (v * np.asarray(values)) @ adjoint(v)


def separated(rng: Rng, rows: int, columns: int, *batch: int, kind: complex = 0) -> Any:
    """A matrix with the singular values 1, 2, 3 …"""
    rank = min(rows, columns)
    left, right = (unitary(rng, size, rank, *batch, kind=kind) for size in (rows, columns))
    return (left * np.arange(rank, 0, -1)) @ adjoint(right)


def weight(*shape: int) -> Any:
    """Fixed numbers without symmetry, which make a loss of a matrix."""
    return np.sin(1.0 + np.arange(np.prod(shape))).reshape(shape)


# -- Cholesky --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(upper: bool, kind: str, rng: Rng, differentiates: Callable[..., None]) -> None:
    a = with_values(rng, [1.0, 2.0, 4.0], 2, kind=KINDS[kind])
    differentiates(lambda a: np.linalg.cholesky(a, upper=upper), a)
    gradient = cr.grad(lambda a: np.sum(np.real(np.linalg.cholesky(a, upper=upper))))(a)
    unread = np.tril(gradient, -1) if upper else np.triu(gradient, 1)
    np.testing.assert_array_equal(unread, np.zeros_like(a))


def test_cholesky_is_that_of_jax(rng: Rng, peer: Callable[[str], ModuleType]) -> None:
    jax = peer("jax")
    b = rng.normal(size=(4, 4))

    def loss(np_: Any, b: Any) -> Any:
        return np_.sum(np_.sin(np_.linalg.cholesky(b @ b.T + 4 * np.eye(4))))

    expected = jax.grad(lambda b: loss(jax.numpy, b))(b)
    np.testing.assert_allclose(cr.grad(lambda b: loss(np, b))(b), expected, rtol=1e-10, atol=1e-12)


# -- QR --------------------------------------------------------------------------------------------

QR_OUTPUTS: dict[str, Callable[[Any], Any]] = {
    "Q and R": lambda a: tuple(np.linalg.qr(a)),
    "Q": lambda a: np.linalg.qr(a).Q,
    "R": lambda a: np.linalg.qr(a).R,
    "mode r": lambda a: np.linalg.qr(a, mode="r"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 3), (3, 3), (3, 4), (4, 2, 2)])
@pytest.mark.parametrize("outputs", QR_OUTPUTS)
def test_qr(
    outputs: str, shape: Any, kind: str, rng: Rng, differentiates: Callable[..., None]
) -> None:
    differentiates(QR_OUTPUTS[outputs], separated(rng, *shape, kind=KINDS[kind]))


def test_qr_modes(rng: Rng) -> None:
    tall = rng.normal(size=(4, 2))
    with pytest.raises(UnsupportedError, match=r"mode='reduced'"):
        cr.grad(lambda a: np.sum(np.linalg.qr(a, mode="raw")[0]))(tall)
    with pytest.raises(ValueError, match="mode"):
        cr.grad(lambda a: np.sum(np.linalg.qr(a, mode="x")[0]))(tall)
    wide = cr.grad(lambda a: np.sum(np.linalg.qr(a, mode="complete")[1]))(tall.T)
    np.testing.assert_array_equal(wide, cr.grad(lambda a: np.sum(np.linalg.qr(a)[1]))(tall.T))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 2), (4, 3), (3, 1, 2)])
def test_qr_with_completed_columns(
    shape: Any, kind: str, rng: Rng, differentiates: Callable[..., None]
) -> None:
    a = separated(rng, *shape, kind=KINDS[kind])
    columns = a.shape[-1]

    def f(a: Any) -> Any:
        q, r = np.linalg.qr(a, mode="complete")
        rest = q[..., columns:]
        return q[..., :columns], rest @ adjoint(rest), r

    differentiates(f, a)
    value, _ = cr.vjp(lambda a: tuple(np.linalg.qr(a, mode="complete")), a)
    for found, expected in zip(value, np.linalg.qr(a, mode="complete"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


# -- eigenvalues of Hermitian matrices -------------------------------------------------------------


@pytest.mark.parametrize("triangle", ["L", "U", "l"])
@pytest.mark.parametrize("outputs", [(0,), (1,), (0, 1)])
def test_eigh_reads_one_triangle(
    outputs: tuple[int, ...], triangle: str, rng: Rng, differentiates: Callable[..., None]
) -> None:
    a = with_values(rng, [-2.0, 1.0, 3.0], 2) + np.triu(rng.normal(size=(3, 3)), 1) * (
        triangle != "U"
    )

    def f(a: Any) -> Any:
        found = np.linalg.eigh(a, UPLO=triangle)
        return tuple(found[k] for k in outputs)

    differentiates(f, a)


def test_eigh_of_complex_matrices(rng: Rng, differentiates: Callable[..., None]) -> None:
    """The phases of complex eigenvectors are arbitrary: what does not depend on them."""

    def f(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return w, np.abs(v) ** 2, (v * np.sin(w)[..., None, :]) @ adjoint(v)

    differentiates(f, with_values(rng, [-2.0, 1.0, 3.0], 2, kind=1j))


@pytest.mark.parametrize("outputs", [(0,), (1,), (0, 1)])
def test_eigh_is_that_of_jax(
    outputs: tuple[int, ...], rng: Rng, peer: Callable[[str], ModuleType]
) -> None:
    jax = peer("jax")
    b = with_values(rng, [-3.0, -1.0, 0.5, 2.0]) + 0.01 * rng.normal(size=(4, 4))

    def loss(np_: Any, b: Any) -> Any:
        w, v = np_.linalg.eigh(b + b.T)
        parts = (np_.sum(np_.sin(w) * weight(4)), np_.sum((v * v) * weight(4, 4)))
        return sum(parts[k] for k in outputs)

    expected = jax.grad(lambda b: loss(jax.numpy, b))(b)
    np.testing.assert_allclose(cr.grad(lambda b: loss(np, b))(b), expected, rtol=1e-9, atol=1e-12)
    second = jax.hessian(lambda b: loss(jax.numpy, b))(b)
    found = cr.hessian(lambda b: loss(np, b))(b)
    np.testing.assert_allclose(found, second, rtol=0, atol=1e-10 * np.max(np.abs(second)))


def test_results_have_numpys_fields(rng: Rng) -> None:
    a = with_values(rng, [1.0, 2.0])

    def f(a: Any) -> Any:
        spectrum, svd, qr = np.linalg.eigh(a), np.linalg.svd(a), np.linalg.qr(a)
        assert type(spectrum).__name__ == "EighResult"
        assert type(svd).__name__ == "SVDResult"
        assert type(qr).__name__ == "QRResult"
        return np.sum(spectrum.eigenvalues) + np.sum(svd.S) + np.sum(qr.Q)

    assert cr.grad(f)(a).shape == (2, 2)
    value, _ = cr.vjp(np.linalg.eigh, a)
    assert type(value) is type(np.linalg.eigh(a))


# -- eigenvalues that repeat -----------------------------------------------------------------------

REPEATED = {
    "identity": [1.0, 1.0, 1.0],
    "zero": [0.0, 0.0, 0.0],
    "one pair": [2.0, 2.0, 5.0],
    "two pairs": [-1.0, -1.0, 3.0, 3.0],
}


def read(gradient: Any) -> Any:
    """A gradient for a symmetric matrix as that of the one triangle that NumPy reads."""
    return np.tril(gradient) + np.tril(gradient.T, -1)


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("values", [np.linalg.eigvalsh, lambda a: np.linalg.eigh(a)[0]])
def test_functions_of_repeated_eigenvalues(name: str, values: Any, rng: Rng) -> None:
    """Σ f(w) is tr f(A), whose gradient is f'(A), whatever repeats."""
    a = with_values(rng, REPEATED[name])
    a = np.diag(REPEATED[name]) if name in ("identity", "zero") else a
    w, v = np.linalg.eigh(a)
    gradient = cr.grad(lambda a: np.sum(np.sin(values(a))))(a)
    np.testing.assert_allclose(gradient, read((v * np.cos(w)) @ v.T), rtol=0, atol=1e-14)
    second = cr.hessian(lambda a: np.sum(values(a)))(a)
    np.testing.assert_allclose(second, np.zeros((*a.shape, *a.shape)), rtol=0, atol=1e-13)
    assert np.all(np.isfinite(cr.hessian(lambda a: np.sum(np.sin(values(a))))(a)))


@pytest.mark.parametrize("exact", [True, False])
def test_projection_on_an_eigenspace(exact: bool, rng: Rng) -> None:
    """Vₖ Vₖᵀ does not depend on the basis of the eigenspace; neither does its derivative.

    The differences move the matrix, which splits the pair and leaves the space where it belongs.
    `exact` has eigenvalues that are equal to the last bit, else they differ by rounding.
    """
    a = np.diag([2.0, 2.0, 5.0, 6.0]) if exact else with_values(rng, [2.0, 2.0, 5.0, 6.0])

    def f(a: Any) -> Any:
        v = np.linalg.eigh(a).eigenvectors[:, :2]
        return np.sum(weight(4, 4) * (v @ v.T))

    t = rng.normal(size=(4, 4))
    h = 1e-4
    slope = (8 * (f(a + h * t) - f(a - h * t)) - (f(a + 2 * h * t) - f(a - 2 * h * t))) / (12 * h)
    np.testing.assert_allclose(np.sum(cr.grad(f)(a) * t), slope, rtol=1e-9)
    np.testing.assert_allclose(cr.jvp(f, (a,), (t,))[1], slope, rtol=1e-9)
    assert np.all(np.isfinite(cr.hessian(f)(a)))


@pytest.mark.parametrize("name", REPEATED)
def test_matrix_functions_at_repeated_eigenvalues(name: str, rng: Rng) -> None:
    """V f(w) Vᵀ has the gradient V (D ∘ Vᵀ M V) Vᵀ, D the divided differences, f' where equal."""
    a = with_values(rng, REPEATED[name])
    w, v = np.linalg.eigh(a)

    def f(a: Any, m: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return np.sum(m * ((v * np.exp(w)) @ v.T))

    gap = w[None, :] - w[:, None]
    tie = np.abs(gap) < 1e-9
    quotient = (np.exp(w)[None, :] - np.exp(w)[:, None]) / np.where(tie, 1, gap)
    divided = np.where(tie, np.exp(w)[None, :], quotient)  # Daleckii and Krein
    for m in (np.eye(len(w)), (v * weight(len(w))) @ v.T, weight(len(w), len(w))):
        inner = v.T @ (m + m.T) @ v / 2
        expected = read(v @ (divided * inner) @ v.T)
        gradient = cr.grad(f)(a, m)
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12 * np.exp(max(w)))
        t = rng.normal(size=a.shape)
        slope = cr.jvp(lambda a, m=m: f(a, m), (a,), (t,))[1]
        np.testing.assert_allclose(slope, np.sum(expected * t), rtol=0, atol=1e-11 * np.exp(max(w)))
        assert np.all(np.isfinite(cr.hessian(f)(a, m)))


# -- singular values -------------------------------------------------------------------------------

SUBSETS = [s for n in (1, 2, 3) for s in itertools.combinations(range(3), n)]
SHAPES = [(4, 3), (3, 4), (3, 3), (3, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("outputs", SUBSETS)
def test_svd(
    outputs: tuple[int, ...], shape: Any, rng: Rng, differentiates: Callable[..., None]
) -> None:
    def f(a: Any) -> Any:
        found = np.linalg.svd(a, full_matrices=False)
        return tuple(found[k] for k in outputs)

    differentiates(f, separated(rng, *shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_svd_of_complex_and_of_full_matrices(
    full: bool, shape: Any, rng: Rng, differentiates: Callable[..., None]
) -> None:
    """What depends neither on phases nor on the basis that completes U or V."""
    rank = min(shape[:2])

    def f(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a, full_matrices=full)
        parts = [np.abs(u[..., :rank]) ** 2, s, np.abs(vh[..., :rank, :]) ** 2]
        parts.append((u[..., :rank] * np.sin(s)[..., None, :]) @ vh[..., :rank, :])
        if full:
            rest_u, rest_v = u[..., rank:], vh[..., rank:, :]
            parts += [rest_u @ adjoint(rest_u), adjoint(rest_v) @ rest_v]
        return tuple(parts)

    differentiates(f, separated(rng, *shape, kind=1j))
    differentiates(f, separated(rng, *shape))


@pytest.mark.parametrize("kind", KINDS)
def test_svd_of_one_triangle(kind: str, rng: Rng, differentiates: Callable[..., None]) -> None:
    a = with_values(rng, [-3.0, 1.0, 2.0], kind=KINDS[kind])

    def f(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a, hermitian=True)
        return s, np.abs(u), np.abs(vh), (u * s**2) @ vh

    differentiates(f, a)
    differentiates(lambda a: np.linalg.svd(a, hermitian=True, compute_uv=False), a)


def test_singular_values_alone(rng: Rng, differentiates: Callable[..., None]) -> None:
    differentiates(np.linalg.svdvals, separated(rng, 4, 3))
    differentiates(lambda a: np.linalg.svd(a, compute_uv=False), separated(rng, 3, 4, 2))


def test_functions_of_repeated_singular_values(rng: Rng) -> None:
    """Σ sin(s) has the gradient U cos(s) Vᵀ; a rectangular matrix with a zero is finite too."""
    q = unitary(rng, 4, 3)
    gradient = cr.grad(lambda a: np.sum(np.sin(np.linalg.svdvals(a))))(2 * q)
    np.testing.assert_allclose(gradient, np.cos(2) * q, rtol=0, atol=1e-14)

    def everything(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return np.sum(u * weight(4, 3)) + np.sum(s) + np.sum(vh * weight(3, 3))

    for a in (2 * q, q * [1, 1, 0], np.zeros((4, 3))):
        with pytest.warns(ChoiceWarning, match="arbitrary choice"):
            assert np.all(np.isfinite(cr.grad(everything)(a)))
        assert np.all(np.isfinite(cr.hessian(everything)(a)))


@pytest.mark.parametrize("kind", KINDS)
def test_nearest_orthogonal_matrix_of_equal_singular_values(kind: str, rng: Rng) -> None:
    """U Vᴴ at c · Q moves by Q skew(Qᴴ Ȧ) / c: the equal values cancel, only their sums divide."""
    q, t = (unitary(rng, 3, 3, kind=KINDS[kind]) for _ in "qt")

    def f(a: Any) -> Any:
        u, _, vh = np.linalg.svd(a)
        return u @ vh

    inner = adjoint(q) @ t
    expected = q @ (inner - adjoint(inner)) / (2 * 5.0)
    np.testing.assert_allclose(cr.jvp(f, (5.0 * q,), (t,))[1], expected, rtol=0, atol=1e-14)
    _, pull = cr.vjp(f, 5.0 * q)
    g = unitary(rng, 3, 3, kind=KINDS[kind])
    left = np.sum(np.real(np.conj(pull(g)[0]) * t))
    np.testing.assert_allclose(left, np.sum(np.real(np.conj(g) * expected)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("outputs", SUBSETS)
def test_svd_is_that_of_jax(
    outputs: tuple[int, ...], rng: Rng, peer: Callable[[str], ModuleType]
) -> None:
    jax = peer("jax")
    a = separated(rng, 4, 3)

    def loss(np_: Any, a: Any) -> Any:
        u, s, vh = np_.linalg.svd(a, full_matrices=False)
        parts = (
            np_.sum(u * u * weight(4, 3)),
            np_.sum(np_.sin(s) * weight(3)),
            np_.sum(vh * vh * weight(3, 3)),
        )
        return sum(parts[k] for k in outputs)

    expected = jax.grad(lambda a: loss(jax.numpy, a))(a)
    np.testing.assert_allclose(cr.grad(lambda a: loss(np, a))(a), expected, rtol=0, atol=1e-11)
