"""Equal eigenvalues and singular values: right wherever the result does not depend on a choice.

The oracle is the central difference of fourth order of the same function: it is smooth there, and
moving the matrix splits what is equal.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import chainrule as cr
from chainrule.errors import ChoiceWarning, UnsupportedError
from chainrule.graph import registry

Rng = np.random.Generator
KINDS = {"real": 0, "complex": 1j}
STEP = 1e-3
# STEP⁴ / 7.5 fifth derivatives, 1e-13 of them, and 1e-15 / STEP of rounding; the functions below
# have fifth derivatives up to a few hundred (of a square root at 1, or of a polar factor).
TOLERANCE = 2e-9


def adjoint(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def unitary(rng: Rng, size: int, kind: complex) -> Any:
    return np.linalg.qr(rng.normal(size=(size, size)) + kind * rng.normal(size=(size, size)))[0]


def weight(*shape: int) -> Any:
    return np.sin(1.0 + np.arange(np.prod(shape))).reshape(shape)


def loss_of(y: Any) -> Any:
    """Re⟨W, Y⟩ with weights that have no symmetry."""
    w = weight(*y.shape)
    return np.sum(w * np.real(y)) + (
        np.sum(w.T[:, ::-1].T * np.imag(y)) if y.dtype == complex else 0
    )


def drawn(rng: Rng, like: Any) -> Any:
    t = rng.normal(size=like.shape)
    return t + 1j * rng.normal(size=like.shape) if np.iscomplexobj(like) else t


def difference(f: Callable[[Any], Any], a: Any, t: Any) -> Any:
    near = f(a + STEP * t) - f(a - STEP * t)
    far = f(a + 2 * STEP * t) - f(a - 2 * STEP * t)
    return (8 * near - far) / (12 * STEP)


def assert_differentiates(f: Callable[[Any], Any], a: Any, rng: Rng) -> None:
    """Both modes against differences in three directions."""
    gradient = cr.grad(f)(a)
    assert type(gradient) is np.ndarray
    assert gradient.dtype == a.dtype
    value, again = cr.value_and_grad(f)(a)
    assert not hasattr(value, "level")
    np.testing.assert_array_equal(gradient, again)
    for _ in range(3):
        t = drawn(rng, a)
        expected = difference(f, a, t)
        scale = 1 + np.sum(np.abs(gradient * t))
        reverse = np.sum(np.real(np.conj(gradient) * t))
        _, forward = cr.jvp(f, (a,), (t,))
        assert abs(reverse - expected) <= TOLERANCE * scale, ("reverse", reverse, expected)
        assert abs(forward - expected) <= TOLERANCE * scale, ("forward", forward, expected)


def root(w: Any, v: Any) -> Any:
    return (v * np.sqrt(w)[..., None, :]) @ adjoint(v)


def inverse_by_diagonal(w: Any, v: Any) -> Any:
    return v @ np.diag(1 / w) @ adjoint(v)


def by_einsum(w: Any, v: Any) -> Any:
    return np.einsum("ij,j,kj->ik", v, np.exp(-w), np.conj(v))


def term_by_term(w: Any, v: Any) -> Any:
    return sum(np.log(w[k]) * np.outer(v[:, k], np.conj(v[:, k])) for k in range(len(w)))


def two_functions(w: Any, v: Any) -> Any:
    half = v * (w**0.25)[..., None, :]
    return half @ adjoint(half) @ (v * np.sin(w)[..., None, :]) @ adjoint(v)


def written(w: Any, v: Any) -> Any:
    y = np.zeros_like(v)
    y[:] = (v * w**3) @ adjoint(v)
    y[0] += (v @ (np.cos(w)[:, None] * adjoint(v)))[1]
    return y


def log_determinant(w: Any, v: Any) -> Any:
    return np.sum(np.log(w))[None] * (1 + np.abs(np.sum((v * w) @ adjoint(v))))


FUNCTIONS = [
    root,
    inverse_by_diagonal,
    by_einsum,
    term_by_term,
    two_functions,
    written,
    log_determinant,
]
SPECTRA = {
    "identity": [1.0, 1.0, 1.0],
    "one pair": [2.0, 2.0, 5.0, 3.0],
    "two pairs": [1.5, 1.5, 3.0, 3.0],
    "rounding": [2.0, 2.0 + 1e-15, 2.0 - 1e-15, 4.0],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_of_hermitian_matrices(
    function: Any, name: str, exact: bool, kind: str, rng: Rng
) -> None:
    v = np.eye(len(SPECTRA[name])) * (1 + 0 * KINDS[kind])
    if not exact:
        v = unitary(rng, len(v), KINDS[kind])
    a = (v * np.array(SPECTRA[name])) @ adjoint(v)

    def f(a: Any) -> Any:
        return loss_of(function(*np.linalg.eigh((a + adjoint(a)) / 2)))

    assert_differentiates(f, a, rng)


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-13, 1e-11, 1e-9, 1e-7, 1e-5])
def test_digits_do_not_depend_on_the_gap(gap: float, rng: Rng) -> None:
    """Against the Fréchet derivative of SciPy; a quotient by the gap would keep ε / gap."""
    v = unitary(rng, 4, 0)
    a = (v * np.array([1.0, 1.0 + gap, 2.0, 2.0 + 3 * gap])) @ v.T
    t = rng.normal(size=(4, 4))
    t = t + t.T

    def f(a: Any) -> Any:
        w, v = np.linalg.eigh((a + a.T) / 2)
        return loss_of((v * np.exp(w)) @ v.T)

    expected = loss_of(scipy.linalg.expm_frechet(a, t, compute_expm=False))
    scale = np.sum(np.abs(t)) * np.exp(2)
    # √ε at worst, where gap and ε / gap meet
    assert abs(np.sum(cr.grad(f)(a) * t) - expected) <= 2e-8 * scale
    assert abs(cr.jvp(f, (a,), (t,))[1] - expected) <= (1e-12 + 1e-15 / max(gap, 1e-15)) * scale


def odd(u: Any, s: Any, vh: Any) -> Any:
    return (u * np.sin(s)[..., None, :]) @ vh


def gram(u: Any, s: Any, vh: Any) -> Any:
    return (u * (s**2)[..., None, :]) @ adjoint(u)


def other_gram(u: Any, s: Any, vh: Any) -> Any:
    return adjoint(vh) @ (np.expm1(-(s**2))[..., None] * vh)


def product_again(u: Any, s: Any, vh: Any) -> Any:
    return u @ np.diag(s) @ vh + (u * s**3) @ vh


def polar_factor(u: Any, s: Any, vh: Any) -> Any:
    return u @ vh


def square_root_of_gram(u: Any, s: Any, vh: Any) -> Any:
    return (adjoint(vh) * s[..., None, :]) @ vh


SMOOTH = [odd, gram, other_gram, product_again]
OF_FULL_RANK = [polar_factor, square_root_of_gram]
SINGULAR = {"equal": [2.0, 2.0, 1.0], "all equal": [1.0, 1.0, 1.0]}
DEFICIENT = {"one zero": [2.0, 1.0, 0.0], "two zeros": [2.0, 0.0, 0.0], "pair": [1.0, 1.0, 0.0]}


def matrix(rng: Rng, values: Any, rows: int, columns: int, kind: complex) -> Any:
    rank = len(values)
    u, v = unitary(rng, rows, kind)[:, :rank], unitary(rng, columns, kind)[:, :rank]
    return (u * np.array(values)) @ adjoint(v)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 4)])
@pytest.mark.parametrize("name", SINGULAR | DEFICIENT)
@pytest.mark.parametrize("function", SMOOTH + OF_FULL_RANK, ids=lambda f: f.__name__)
def test_functions_of_singular_values(
    function: Any, name: str, shape: Any, kind: str, rng: Rng
) -> None:
    if function in OF_FULL_RANK and name in DEFICIENT:
        return  # not differentiable there
    if function is square_root_of_gram and shape == (3, 4):
        return  # the root of a singular matrix
    a = matrix(rng, (SINGULAR | DEFICIENT)[name], *shape, KINDS[kind])

    def f(a: Any) -> Any:
        return loss_of(function(*np.linalg.svd(a, full_matrices=False)))

    assert_differentiates(f, a, rng)


def test_zero_matrix(rng: Rng) -> None:
    """sin of the singular values at 0 is the identity to first order."""
    for shape in [(3, 3), (4, 2), (2, 4)]:
        zero = np.zeros(shape)
        gradient = cr.grad(lambda a: loss_of(odd(*np.linalg.svd(a, full_matrices=False))))(zero)
        np.testing.assert_allclose(gradient, weight(*shape), rtol=0, atol=1e-14)


def test_the_space_that_completes(rng: Rng) -> None:
    """The projector beside the range, at equal singular values."""
    a = matrix(rng, [2.0, 2.0], 4, 2, 0)

    def f(a: Any) -> Any:
        rest = np.linalg.svd(a)[0][:, 2:]
        return loss_of(rest @ adjoint(rest))

    assert_differentiates(f, a, rng)


def test_a_stack_in_which_one_matrix_is_degenerate(rng: Rng) -> None:
    v = unitary(rng, 3, 0)
    stack = np.stack([np.eye(3), (v * np.array([1.0, 2.0, 4.0])) @ v.T])

    def f(a: Any) -> Any:
        return loss_of(root(*np.linalg.eigh((a + adjoint(a)) / 2))[:, 0])

    gradient = cr.grad(f)(stack)
    h = 1e-4
    for _ in range(3):
        t = rng.normal(size=stack.shape)
        slope = (f(stack + h * t) - f(stack - h * t)) / (2 * h)  # errs by h² third derivatives
        np.testing.assert_allclose(np.sum(gradient * t), slope, rtol=0, atol=1e-6)
        np.testing.assert_allclose(cr.jvp(f, (stack,), (t,))[1], slope, rtol=0, atol=1e-6)


def test_other_variables_get_plain_gradients(rng: Rng) -> None:
    m = rng.normal(size=(3, 3))

    def f(a: Any, m: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return np.sum(m * ((v * np.exp(w)) @ v.T))

    of_a, of_m = cr.grad(f, (0, 1))(np.eye(3), m)
    assert type(of_m) is np.ndarray
    np.testing.assert_allclose(of_m, np.e * np.eye(3), rtol=0, atol=1e-14)
    _, pull = cr.vjp(f, np.eye(3), m)
    for factor in (1.0, 3.0):  # a pullback can be called again
        np.testing.assert_allclose(pull(factor)[0], factor * of_a, rtol=1e-13)
        np.testing.assert_allclose(pull(factor)[1], factor * of_m, rtol=1e-13)


def test_jacobians_of_both_modes_agree(rng: Rng) -> None:
    def f(a: Any) -> Any:
        return root(*np.linalg.eigh((a + a.T) / 2))

    a = np.diag([1.0, 1.0, 4.0])
    forward, reverse = (cr.jacobian(f, mode=mode)(a) for mode in ("forward", "reverse"))
    np.testing.assert_allclose(forward, reverse, rtol=0, atol=1e-14)


def test_through_a_checkpoint(rng: Rng) -> None:
    def f(a: Any, run: Any) -> Any:
        w, v = np.linalg.eigh((a + a.T) / 2)
        return loss_of(run(lambda w, v: (v * np.exp(w)) @ v.T)(w, v))

    a = np.eye(3)
    plain = cr.grad(lambda a: f(a, lambda g: g))(a)
    np.testing.assert_allclose(cr.grad(lambda a: f(a, cr.checkpoint))(a), plain, rtol=1e-13)
    whole = cr.checkpoint(lambda a: f(a, lambda g: g))
    np.testing.assert_allclose(cr.grad(whole)(a), plain, rtol=1e-13)


def projected(w: Any, v: Any) -> Any:
    return (v * np.maximum(w - 2.0, 0.0)) @ adjoint(v)


def sorted_down(w: Any, v: Any) -> Any:
    order = np.argsort(w)[::-1]
    return v[:, order] @ np.diag(np.sqrt(w[order])) @ adjoint(v[:, order])


def branched(w: Any, v: Any) -> Any:
    parts = []
    for k in range(len(w)):
        value = np.exp(w[k]) if w[k] > 2.0 else w[k] ** 2
        parts.append(value * np.outer(v[:, k], np.conj(v[:, k])))
    return sum(parts)


def decomposed_again(w: Any, v: Any) -> Any:
    again, vectors = np.linalg.eigh((v * np.sqrt(w)) @ adjoint(v))
    return (vectors * np.exp(again)) @ adjoint(vectors)


def decomposed_beside_a_constant(w: Any, v: Any) -> Any:
    """In the second matrix only one of two equal pairs moves with the first."""
    half = (v * np.sqrt(w)) @ adjoint(v)
    fixed = np.eye(2) * 7.0
    zeros = np.zeros((len(w), 2))
    whole = np.concatenate(
        [np.concatenate([half, zeros], axis=1), np.concatenate([zeros.T, fixed], axis=1)]
    )
    again, vectors = np.linalg.eigh(whole)
    return ((vectors * np.log(again)) @ adjoint(vectors))[: len(w), : len(w)]


def singular_again(w: Any, v: Any) -> Any:
    u, s, vh = np.linalg.svd((v * w**2) @ adjoint(v))
    return (u * np.sin(s)) @ vh


PROGRAMS = [projected, sorted_down, branched, decomposed_again, singular_again]
PROGRAMS += [decomposed_beside_a_constant]


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("exact", [True, False])
def test_programs_around_a_decomposition(function: Any, exact: bool, rng: Rng) -> None:
    v = np.eye(4) if exact else unitary(rng, 4, 0)
    a = (v * np.array([1.5, 1.5, 3.0, 3.0])) @ v.T

    def f(a: Any) -> Any:
        return loss_of(function(*np.linalg.eigh((a + a.T) / 2)))

    assert_differentiates(f, a, rng)


def test_a_rule_for_reverse_mode_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def push(*args: Any) -> Any:
        raise UnsupportedError("no rule")

    monkeypatch.setattr(type(registry["exp"]), "push", push)
    with pytest.warns(ChoiceWarning, match="negative, which follows, has no rule for forward mode"):
        cr.grad(lambda a: loss_of(by_einsum(*np.linalg.eigh(a))))(np.eye(3))


def test_single_precision(rng: Rng) -> None:
    a = np.eye(3, dtype=np.float32)
    gradient = cr.grad(lambda a: np.sum(weight(3, 3).astype(np.float32) * root(*np.linalg.eigh(a))))
    assert gradient(a).dtype == np.float32
    w = weight(3, 3)
    expected = np.tril(w + w.T) / 2 - np.diag(np.diag(w)) / 2
    np.testing.assert_allclose(gradient(a), expected, rtol=0, atol=1e-6)


GENERAL = {
    "identity": [1.0, 1.0, 1.0],
    "one pair": [2.0, 5.0, 2.0],
    "all different": [1.0, 2.0, 4.0],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GENERAL)
def test_functions_of_general_matrices(name: str, kind: str, rng: Rng) -> None:
    """V f(w) V⁻¹ where a general matrix has equal eigenvalues and can be diagonalized."""
    basis = (
        np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3)) + KINDS[kind] * rng.uniform(-1, 1, (3, 3)) / 4
    )
    a = (basis * np.array(GENERAL[name])) @ np.linalg.inv(basis)

    def f(a: Any) -> Any:
        w, v = np.linalg.eig(a)
        y = (v * np.exp(-w)) @ np.linalg.inv(v)
        return np.sum(weight(3, 3) * np.real(y)) + np.sum(weight(3, 3).T * np.imag(y))

    assert_differentiates(f, a, rng)


def test_nuclear_norm_and_principal_components(rng: Rng) -> None:
    """Losses of values alone, and of a whole span of equal values."""
    q = unitary(rng, 4, 0)[:, :3]
    gradient = cr.grad(lambda a: np.linalg.norm(a, "nuc"))(3 * q)
    np.testing.assert_allclose(gradient, q, rtol=0, atol=1e-14)
    v = unitary(rng, 4, 0)
    a = (v * np.array([1.0, 1.0, 3.0, 3.0])) @ v.T

    def kept(a: Any) -> Any:
        vectors = np.linalg.eigh((a + a.T) / 2)[1][:, 2:]
        return loss_of(vectors @ vectors.T @ weight(4, 2))

    assert_differentiates(kept, a, rng)
