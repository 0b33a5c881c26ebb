"""Stacks of matrices: each is what SciPy makes of it alone, and so is its gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import chainrule as cr
from chainrule.scipy import linalg

Rng = np.random.Generator
Maker = Callable[[Rng], Any]


def normal(*shape: int) -> Maker:
    return lambda rng: rng.normal(size=shape)


def regular(size: int) -> Maker:
    """Eigenvalues near 3, and different singular values."""
    return lambda rng: rng.normal(size=(size, size)) / 3 + np.diag(np.linspace(2.5, 4.0, size))


def positive(size: int) -> Maker:
    def make(rng: Rng) -> Any:
        a = rng.normal(size=(size, size)) / 2
        return a @ a.T + np.diag(np.arange(1.0, size + 1))

    return make


def small(size: int) -> Maker:
    return lambda rng: rng.uniform(-0.4, 0.4, size=(size, size))


def tall(rows: int, columns: int) -> Maker:
    return lambda rng: (
        rng.normal(size=(rows, columns)) / 4
        + np.eye(rows, columns) * np.linspace(1.0, 3.0, columns)
    )


def first(size: int) -> Maker:
    return lambda rng: rng.normal(size=size) / 3 + 3 * np.eye(size)[0]


def adjoint(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def spectral(w: Any, v: Any) -> Any:
    """V diag(sin w) Vᴴ."""
    return (v * np.sin(w)[..., None, :]) @ adjoint(v)


R3, R4, P3, S3 = regular(3), regular(4), positive(3), small(3)
N32, N4, T42 = normal(3, 2), normal(4), tall(4, 2)


def parts(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


STACKS: dict[str, tuple[Callable[..., Any], tuple[Maker, ...]]] = {
    "solve": (lambda L, a, b: L.solve(a, b), (R3, N32)),
    "solve_triangular": (lambda L, a, b: L.solve_triangular(a, b, lower=True), (R4, normal(4, 2))),
    "solve_triangular of many": (
        lambda L, a, b: L.solve_triangular(a, b),
        (regular(12), normal(12, 2)),
    ),
    "cho_solve": (lambda L, a, b: L.cho_solve(L.cho_factor(a), b), (P3, N32)),
    "lu_solve": (lambda L, a, b: L.lu_solve(L.lu_factor(a[..., ::-1, :]), b), (R3, N32)),
    "lu": (lambda L, a: L.lu(a[..., ::-1, :]), (T42,)),
    "qr": (lambda L, a: tuple(L.qr(a, mode="economic")), (T42,)),
    "polar": (lambda L, a: L.polar(a), (T42,)),
    "inv": (lambda L, a: L.inv(a), (R3,)),
    "det": (lambda L, a: L.det(a), (R3,)),
    "pinv": (lambda L, a: L.pinv(a), (T42,)),
    "cholesky": (lambda L, a: L.cholesky(a, lower=True), (P3,)),
    "eigh": (lambda L, a: spectral(*L.eigh(a)), (P3,)),
    "expm": (lambda L, a: L.expm(a), (S3,)),
    "logm": (lambda L, a: L.logm(a), (R3,)),
    "sqrtm": (lambda L, a: L.sqrtm(a), (R3,)),
    "cosm": (lambda L, a: L.cosm(a), (S3,)),
    "sylvester": (lambda L, a, b, q: L.solve_sylvester(a, b, q), (R3, R3, normal(3, 3))),
    "discrete": (lambda L, a, q: L.solve_discrete_lyapunov(a, q), (S3, normal(3, 3))),
    "toeplitz": (lambda L, c: L.toeplitz(c), (N4,)),
    "circulant": (lambda L, c: L.circulant(c), (N4,)),
    "companion": (lambda L, a: L.companion(a), (first(4),)),
    "block_diag": (lambda L, a, b: L.block_diag(a, b), (N32, R3)),
}


@pytest.mark.parametrize("name", STACKS)
def test_stacks_are_matrix_by_matrix(name: str, rng: Rng) -> None:
    f, makers = STACKS[name]
    stacks = tuple(np.stack([make(rng) for _ in range(2)]) for make in makers)
    value, pull = cr.vjp(lambda *xs: parts(f(linalg, *xs)), *stacks)
    gs = [rng.normal(size=np.shape(y)) * (np.asarray(y).dtype.kind == "f") for y in value]
    pulled = pull(gs)
    for k in range(2):
        single = tuple(stack[k] for stack in stacks)
        for y, expected in zip(value, parts(f(scipy.linalg, *single)), strict=True):
            np.testing.assert_allclose(y[k], expected, rtol=1e-9, atol=1e-11)
        _, pull_one = cr.vjp(lambda *xs: parts(f(linalg, *xs)), *single)
        for g, expected in zip(pulled, pull_one([g[k] for g in gs]), strict=True):
            np.testing.assert_allclose(g[k], expected, rtol=1e-9, atol=1e-11)
