"""The rows that the tests of chainrule.scipy.linalg go through.

A row is code on a module L, which is SciPy's and then ours, and makers of the matrices that it is
given. Where signs or phases of vectors are arbitrary, it computes something that they do not enter.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

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


def band(rows: int, size: int, diagonal: int) -> Maker:
    def make(rng: Rng) -> Any:
        ab = rng.normal(size=(rows, size)) / 2
        ab[diagonal] += 4
        return ab

    return make


def first(size: int) -> Maker:
    return lambda rng: rng.normal(size=size) / 3 + 3 * np.eye(size)[0]


def adjoint(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def spectral(w: Any, v: Any) -> Any:
    """V diag(sin w) Vᴴ."""
    return (v * np.sin(w)[..., None, :]) @ adjoint(v)


R3, R4, P3, P4, S3 = regular(3), regular(4), positive(3), positive(4), small(3)
N3, N32, N4 = normal(3), normal(3, 2), normal(4)
T42, T43, W24 = tall(4, 2), tall(4, 3), lambda rng: tall(4, 2)(rng).T

# code -> makers; "c" says that complex matrices fit too
ROWS: dict[str, tuple[str, tuple[Maker, ...], Callable[..., Any]]] = {
    name: (flags, makers, f)
    for name, flags, f, *makers in [
        ("solve", "c", lambda L, a, b: L.solve(a, b), R3, N3),
        ("solve for columns", "c", lambda L, a, b: L.solve(a, b), R3, N32),
        ("solve pos", "", lambda L, a, b: L.solve(a, b, assume_a="pos"), P3, N32),
        ("solve pos lower", "", lambda L, a, b: L.solve(a, b, lower=True, assume_a="pos"), P3, N3),
        ("solve sym", "", lambda L, a, b: L.solve(a, b, assume_a="sym"), P3, N3),
        ("solve her", "", lambda L, a, b: L.solve(a, b, assume_a="her"), P3, N3),
        ("solve transposed", "", lambda L, a, b: L.solve(a, b, transposed=True), R3, N32),
        ("solve tridiagonal", "", lambda L, a, b: L.solve(a, b, assume_a="tridiagonal"), R4, N4),
        ("solve upper", "", lambda L, a, b: L.solve(a, b, assume_a="upper triangular"), R3, N3),
        ("solve lower", "", lambda L, a, b: L.solve(a, b, assume_a="lower triangular"), R3, N3),
        ("solve diagonal", "", lambda L, a, b: L.solve(a, b, assume_a="diagonal"), R3, N3),
        ("triangular", "c", lambda L, a, b: L.solve_triangular(a, b), R3, N32),
        ("triangular lower", "c", lambda L, a, b: L.solve_triangular(a, b, lower=True), R3, N3),
        ("triangular T", "c", lambda L, a, b: L.solve_triangular(a, b, trans="T"), R3, N32),
        ("triangular 1", "c", lambda L, a, b: L.solve_triangular(a, b, 1, lower=True), R3, N3),
        ("triangular C", "c", lambda L, a, b: L.solve_triangular(a, b, "C", True), R3, N32),
        ("triangular 2", "c", lambda L, a, b: L.solve_triangular(a, b, 2), R3, N3),
        (
            "triangular unit",
            "c",
            lambda L, a, b: L.solve_triangular(a, b, lower=True, unit_diagonal=True),
            R3,
            N32,
        ),
        ("cholesky", "h", lambda L, a: L.cholesky(a), P3),
        ("cholesky lower", "h", lambda L, a: L.cholesky(a, lower=True), P3),
        ("cho_factor", "h", lambda L, a: np.triu(L.cho_factor(a)[0]), P3),
        ("cho_solve", "h", lambda L, a, b: L.cho_solve(L.cho_factor(a), b), P3, N3),
        ("cho_solve lower", "h", lambda L, a, b: L.cho_solve(L.cho_factor(a, True), b), P3, N32),
        ("lu_factor", "c", lambda L, a: L.lu_factor(a)[0], R3),
        ("lu_solve", "c", lambda L, a, b: L.lu_solve(L.lu_factor(a[::-1]), b), R3, N3),
        ("lu_solve T", "c", lambda L, a, b: L.lu_solve(L.lu_factor(a[::-1]), b, 1), R3, N32),
        ("lu_solve C", "c", lambda L, a, b: L.lu_solve(L.lu_factor(a[::-1]), b, 2), R3, N3),
        ("lu", "c", lambda L, a: L.lu(a[::-1]), R3),
        ("lu tall", "c", lambda L, a: L.lu(a[::-1])[1:], T42),
        ("lu wide", "c", lambda L, a: L.lu(a)[1:], W24),
        ("lu permuted", "c", lambda L, a: L.lu(a[::-1], permute_l=True), T43),
        ("lu indices", "c", lambda L, a: L.lu(a[::-1], p_indices=True)[1:], R3),
        ("qr economic", "c", lambda L, a: L.qr(a, mode="economic"), T42),
        ("qr r", "c", lambda L, a: L.qr(a, mode="r"), T42),
        ("qr full", "c", lambda L, a: (L.qr(a)[0][:, :2], L.qr(a)[1]), T42),
        ("qr full space", "c", lambda L, a: L.qr(a)[0][:, 2:] @ adjoint(L.qr(a)[0][:, 2:]), T42),
        ("qr pivoted", "c", lambda L, a: L.qr(a, pivoting=True)[:2], R3),
        ("qr wide", "c", lambda L, a: L.qr(a), W24),
        ("polar", "c", lambda L, a: L.polar(a), R3),
        ("polar tall", "c", lambda L, a: L.polar(a), T42),
        ("polar left", "c", lambda L, a: L.polar(a, "left"), R3),
        ("polar left tall", "c", lambda L, a: L.polar(a, "left"), T42),
        ("polar wide", "c", lambda L, a: L.polar(a), W24),
        ("polar left wide", "c", lambda L, a: L.polar(a, "left"), W24),
        ("inv", "c", lambda L, a: L.inv(a), R3),
        ("inv pos", "", lambda L, a: L.inv(a, assume_a="pos", lower=True), P3),
        ("det", "c", lambda L, a: L.det(a), R3),
        ("pinv", "c", lambda L, a: L.pinv(a), T43),
        ("pinv rank", "c", lambda L, a: L.pinv(a, rtol=1e-9, return_rank=True)[0], W24),
        ("pinvh", "", lambda L, a: L.pinvh(a), P3),
        ("lstsq", "c", lambda L, a, b: L.lstsq(a, b)[0], T42, N4),
        ("lstsq residuals", "", lambda L, a, b: L.lstsq(a, b)[1], T42, normal(4, 2)),
        ("lstsq residual", "", lambda L, a, b: L.lstsq(a, b)[1], T42, N4),
        ("lstsq values", "", lambda L, a, b: L.lstsq(a, b)[3], T42, N4),
        ("norm", "c", lambda L, a: L.norm(a), R3),
        ("norm nuc", "c", lambda L, a: L.norm(a, "nuc"), R3),
        ("norm 2 axis", "c", lambda L, a: L.norm(a, 2, axis=0, keepdims=True), R3),
        ("eigh", "h", lambda L, a: spectral(*L.eigh(a)), P3),
        ("eigh upper", "h", lambda L, a: spectral(*L.eigh(a, lower=False)), P3),
        ("eigh values", "h", lambda L, a: L.eigh(a, eigvals_only=True), P3),
        (
            "eigh subset",
            "h",
            lambda L, a: spectral(*L.eigh(a, subset_by_index=[1, 2])),
            P4,
        ),
        (
            "eigh by value",
            "",
            lambda L, a: L.eigh(a, subset_by_value=[0.0, 3.5], eigvals_only=True),
            P4,
        ),
        ("eigh generalised", "h", lambda L, a, b: spectral(*L.eigh(a, b)), P3, P3),
        ("eigh type 2", "h", lambda L, a, b: spectral(*L.eigh(a, b, type=2)), P3, P3),
        ("eigh type 3", "h", lambda L, a, b: spectral(*L.eigh(a, b, type=3)), P3, P3),
        ("eigvalsh", "h", lambda L, a: L.eigvalsh(a), P3),
        ("eigvalsh generalised", "h", lambda L, a, b: L.eigvalsh(a, b), P3, P3),
        ("eig", "c", lambda L, a: np.sort(np.abs(L.eig(a)[0])), R3),
        ("eig vectors", "c", lambda L, a: np.sum(np.abs(L.eig(a)[1]) ** 4, axis=1), R3),
        (
            "eig left",
            "",
            lambda L, a: np.sum(np.abs(L.eig(a, left=True)[1]) ** 4, axis=1),
            R3,
        ),
        ("eig generalised", "", lambda L, a, b: np.sort(np.abs(L.eig(a, b)[0])), R3, P3),
        ("eigvals", "c", lambda L, a: np.sort(np.abs(L.eigvals(a))), R3),
        (
            "eigh_tridiagonal",
            "",
            lambda L, d, e: spectral(*L.eigh_tridiagonal(d, e)),
            lambda rng: np.arange(4.0) + rng.uniform(-0.1, 0.1, 4),
            N3,
        ),
        (
            "eigvalsh_tridiagonal",
            "",
            lambda L, d, e: L.eigvalsh_tridiagonal(d, e, "i", (1, 2)),
            lambda rng: np.arange(4.0) + rng.uniform(-0.1, 0.1, 4),
            N3,
        ),
        ("eig_banded", "", lambda L, ab: spectral(*L.eig_banded(ab)), band(2, 4, 1)),
        ("eigvals_banded", "", lambda L, ab: L.eigvals_banded(ab, True), band(3, 4, 0)),
        ("svd", "c", lambda L, a: L.svd(a, full_matrices=False)[1], T43),
        (
            "svd product",
            "c",
            lambda L, a: (lambda u, s, vh: (u * s**2) @ vh)(*L.svd(a, full_matrices=False)),
            T43,
        ),
        ("svd values", "c", lambda L, a: L.svd(a, compute_uv=False), W24),
        ("svdvals", "c", lambda L, a: L.svdvals(a), T43),
        ("diagsvd", "", lambda L, s: L.diagsvd(s, 3, 5), N3),
        ("orth", "c", lambda L, a: L.orth(a) @ adjoint(L.orth(a)), T42),
        ("null_space", "c", lambda L, a: L.null_space(a) @ adjoint(L.null_space(a)), W24),
        ("subspace_angles", "", lambda L, a, b: L.subspace_angles(a, b), T42, normal(4, 2)),
        ("procrustes", "c", lambda L, a, b: L.orthogonal_procrustes(a, b)[0], R4, R4),
        ("procrustes scale", "", lambda L, a, b: L.orthogonal_procrustes(a, b)[1], T42, T42),
        ("expm", "c", lambda L, a: L.expm(a), S3),
        ("expm_frechet", "c", lambda L, a, e: L.expm_frechet(a, e), S3, normal(3, 3)),
        (
            "expm_frechet alone",
            "",
            lambda L, a, e: L.expm_frechet(a, e, compute_expm=False),
            S3,
            normal(3, 3),
        ),
        ("logm", "c", lambda L, a: L.logm(a), R3),
        ("sqrtm", "c", lambda L, a: L.sqrtm(a), R3),
        ("power", "c", lambda L, a: L.fractional_matrix_power(a, 0.4), R3),
        ("whole power", "c", lambda L, a: L.fractional_matrix_power(a, -2), R3),
        ("cosm", "c", lambda L, a: L.cosm(a), S3),
        ("sinm", "c", lambda L, a: L.sinm(a), S3),
        ("tanm", "c", lambda L, a: L.tanm(a), S3),
        ("coshm", "c", lambda L, a: L.coshm(a), S3),
        ("sinhm", "c", lambda L, a: L.sinhm(a), S3),
        ("tanhm", "c", lambda L, a: L.tanhm(a), S3),
        ("signm", "", lambda L, a: L.signm(a @ np.diag([1.0, -1.0, 1.0])), R3),
        ("sylvester", "c", lambda L, a, b, q: L.solve_sylvester(a, b, q), R3, R4, normal(3, 4)),
        ("lyapunov", "c", lambda L, a, q: L.solve_continuous_lyapunov(a, q), R3, normal(3, 3)),
        ("old lyapunov", "", lambda L, a, q: L.solve_lyapunov(a, q), R3, normal(3, 3)),
        ("discrete", "c", lambda L, a, q: L.solve_discrete_lyapunov(a, q), S3, normal(3, 3)),
        (
            "care",
            "",
            lambda L, a, b, q, r: L.solve_continuous_are(a, b, (q + q.T) / 2, (r + r.T) / 2),
            S3,
            N32,
            P3,
            positive(2),
        ),
        (
            "dare",
            "",
            lambda L, a, b, q, r: L.solve_discrete_are(a, b, (q + q.T) / 2, (r + r.T) / 2),
            S3,
            N32,
            P3,
            positive(2),
        ),
        ("banded", "c", lambda L, ab, b: L.solve_banded((1, 2), ab, b), band(4, 5, 2), normal(5)),
        (
            "banded columns",
            "",
            lambda L, ab, b: L.solve_banded((1, 1), ab, b),
            band(3, 4, 1),
            normal(4, 2),
        ),
        ("solveh_banded", "", lambda L, ab, b: L.solveh_banded(ab, b), band(3, 5, 2), normal(5)),
        (
            "solveh_banded lower",
            "",
            lambda L, ab, b: L.solveh_banded(ab, b, lower=True),
            band(2, 5, 0),
            normal(5, 2),
        ),
        ("solve_toeplitz", "c", lambda L, c, b: L.solve_toeplitz(c, b), first(4), N4),
        (
            "solve_toeplitz pair",
            "c",
            lambda L, c, r, b: L.solve_toeplitz((c, r), b),
            first(4),
            N4,
            normal(4, 2),
        ),
        ("matmul_toeplitz", "c", lambda L, c, x: L.matmul_toeplitz(c, x), first(4), N4),
        (
            "matmul_toeplitz pair",
            "",
            lambda L, c, r, x: L.matmul_toeplitz((c, r), x),
            N4,
            N3,
            normal(3, 2),
        ),
        ("solve_circulant", "c", lambda L, c, b: L.solve_circulant(c, b), first(4), N4),
        ("solve_circulant columns", "", lambda L, c, b: L.solve_circulant(c, b), first(3), N32),
        ("toeplitz", "c", lambda L, c: L.toeplitz(c), N4),
        ("toeplitz pair", "c", lambda L, c, r: L.toeplitz(c, r), N3, N4),
        ("circulant", "c", lambda L, c: L.circulant(c), N4),
        ("hankel", "c", lambda L, c: L.hankel(c), N4),
        ("hankel pair", "c", lambda L, c, r: L.hankel(c, r), N3, N4),
        ("companion", "c", lambda L, a: L.companion(a), first(4)),
        ("convolution full", "c", lambda L, a: L.convolution_matrix(a, 3), N4),
        ("convolution same", "", lambda L, a: L.convolution_matrix(a, 3, "same"), N4),
        ("convolution valid", "", lambda L, a: L.convolution_matrix(a, 5, "valid"), N4),
        ("convolution long", "", lambda L, a: L.convolution_matrix(a, 5, "same"), N4),
        ("leslie", "", lambda L, f, s: L.leslie(f, s), N4, N3),
        ("fiedler", "", lambda L, a: L.fiedler(a), N4),
        ("block_diag", "c", lambda L, a, b, c: L.block_diag(a, b, c, 2.0), N32, N4, R3),
        ("khatri_rao", "c", lambda L, a, b: L.khatri_rao(a, b), normal(2, 3), normal(4, 3)),
    ]
}


class Row(NamedTuple):
    """One row, drawn: `f` on a module and on these arrays."""

    f: Callable[..., Any]
    args: tuple[Any, ...]


def drawn(name: str, kind: str, rng: Rng) -> list[Any]:
    """The matrices of a row; complex ones stay Hermitian where the row asks for it."""
    flags, makers, _ = ROWS[name]
    args = [make(rng) for make in makers]
    if kind == "real":
        return args
    noise = [0.2j * rng.normal(size=a.shape) for a in args]
    if flags == "h":
        noise = [(n + adjoint(n)) / 2 if n.ndim == 2 and len(n) == n.shape[1] else n for n in noise]
    return [a + n for a, n in zip(args, noise, strict=True)]


def parts(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


CASES = [
    (name, kind)
    for name, (flags, _, _) in ROWS.items()
    for kind in ("real", "complex")[: 1 + bool(flags)]
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" in metafunc.fixturenames:
        names = [f"{name}-{kind}" for name, kind in CASES]
        metafunc.parametrize("row", CASES, ids=names, indirect=True)


@pytest.fixture
def row(request: pytest.FixtureRequest, rng: Rng) -> Row:
    name, kind = request.param
    return Row(ROWS[name][2], tuple(drawn(name, kind, rng)))


@pytest.fixture
def code_of_rows() -> list[Any]:
    return [f for _, _, f in ROWS.values()]
