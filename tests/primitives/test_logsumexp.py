"""log Σ exp as NumPy's logaddexp.reduce and under SciPy's names; softmax beside it."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.special

import chainrule as cr
from chainrule.graph import registry
from chainrule.scipy.special import log_softmax, logsumexp, softmax

Rng = np.random.Generator
AXES = [None, 0, -1, (0, 2)]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_values_are_scipys(axis: Any, keepdims: bool, rng: Rng) -> None:
    a, b = 20 * rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    options = {"axis": axis, "keepdims": keepdims}
    for kwargs in ({}, {"return_sign": True}, {"b": b, "return_sign": True}, {"b": np.abs(b)}):
        found = logsumexp(a, **kwargs, **options)
        expected = scipy.special.logsumexp(a, **kwargs, **options)
        pairs = (
            zip(found, expected, strict=True) if "return_sign" in kwargs else [(found, expected)]
        )
        for y, value in pairs:
            # the weighted sums cancel, which costs digits in both libraries
            np.testing.assert_allclose(y, value, rtol=1e-11)
            assert np.shape(y) == np.shape(value)
    np.testing.assert_allclose(softmax(a, axis), scipy.special.softmax(a, axis), rtol=1e-14)
    expected = scipy.special.log_softmax(a, axis)
    np.testing.assert_allclose(log_softmax(a, axis), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("axis", AXES)
def test_derivatives(axis: Any, rng: Rng, differentiates: Callable[..., None]) -> None:
    a, b = rng.normal(size=(2, 3, 4)), rng.uniform(0.5, 2, size=(3, 1))
    differentiates(lambda a: np.logaddexp.reduce(a, axis=axis), a)
    differentiates(lambda a: logsumexp(a, axis=axis, keepdims=True), a)
    differentiates(lambda a, b: logsumexp(a, axis=axis, b=b), a, b)
    differentiates(lambda a: softmax(a, axis=axis), a)
    differentiates(lambda a: log_softmax(a, axis=axis), a)


@pytest.mark.parametrize("name", ["logsumexp", "softmax"])
def test_every_sample_differentiates(
    name: str, rng: Rng, differentiates: Callable[..., None]
) -> None:
    record = registry[name]
    for sample in record.samples:
        args, params = sample.draw(rng)
        differentiates(lambda *xs, params=params: record(*xs, **params), *args)


@pytest.mark.parametrize("name", ["logsumexp", "softmax"])
def test_both_stated_modes_are_each_others_transpose(
    name: str, rng: Rng, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = registry[name]
    for sample in record.samples:
        (a,), params = sample.draw(rng)
        y, pull = cr.vjp(lambda a, params=params: record(a, **params), a)
        g = rng.normal(size=np.shape(y))
        (stated,) = pull(g)
        with monkeypatch.context() as patched:
            patched.setattr(record, "vjp", None)
            patched.setattr(record, "saves_for", {})
            _, pull = cr.vjp(lambda a, params=params: record(a, **params), a)
            (transposed,) = pull(g)
        np.testing.assert_allclose(stated, transposed, rtol=1e-13, atol=1e-15)


def test_signed_and_complex_sums(rng: Rng, differentiates: Callable[..., None]) -> None:
    a, b = rng.normal(size=(3, 4)), np.array([1.0, -2.0, 0.5, -0.3])
    differentiates(lambda a, b: logsumexp(a, axis=1, b=b, return_sign=True), a, b)
    z = a + 0.5j * rng.normal(size=(3, 4))
    differentiates(lambda z: logsumexp(z, axis=0), z)
    differentiates(lambda z: logsumexp(z, axis=0, return_sign=True), z)
    np.testing.assert_allclose(logsumexp(z), scipy.special.logsumexp(z), rtol=1e-13)
    assert np.isnan(logsumexp([0.0, 1.0], b=[1.0, -1.0]))


def test_weight_zero(rng: Rng) -> None:
    """∂/∂bᵢ = exp(aᵢ) / Σ where bᵢ = 0 too, and such an entry may be as large as it likes."""
    a, b = np.array([0.0, 2.0, 1.0]), np.array([1.0, 0.0, 2.0])
    gradient = cr.grad(lambda b: logsumexp(a, b=b))(b)
    np.testing.assert_allclose(gradient, np.exp(a) / np.sum(b * np.exp(a)), rtol=1e-14)
    assert logsumexp([0.0, 5000.0, np.inf], b=[1.0, 0.0, 0.0]) == 0.0
    gradient = cr.grad(lambda a: logsumexp(a, b=[1.0, 0.0, 0.0]))(np.array([0.0, 5000.0, np.inf]))
    np.testing.assert_array_equal(gradient, [1.0, 0.0, 0.0])


def test_reduce_takes_the_options_of_numpy(rng: Rng, differentiates: Callable[..., None]) -> None:
    a, where = rng.normal(size=(3, 4)), rng.uniform(size=(3, 4)) < 0.6
    differentiates(lambda a: np.logaddexp.reduce(a), a)
    differentiates(lambda a: np.logaddexp.reduce(a, axis=None, keepdims=True), a)
    differentiates(lambda a: np.logaddexp.reduce(a, axis=1, initial=0.5), a)
    where[:, 0] = True
    differentiates(lambda a: np.logaddexp.reduce(a, axis=1, where=where, initial=-np.inf), a)
    differentiates(lambda a: np.logaddexp.reduce(a, 1, dtype=np.float64), a)
    np.testing.assert_array_equal(
        cr.grad(lambda a: np.logaddexp.reduce(a[:0]) + a[0])(a[0]), [1, 0, 0, 0]
    )


EXTREMES = {
    "large": ([1000.0, 999.0, -1000.0], None),
    "far apart": ([0.0, -800.0], [1.0, 0.0]),
    "one -inf": ([0.0, -np.inf, 0.0], [0.5, 0.0, 0.5]),
    "all -inf": ([-np.inf, -np.inf], [0.5, 0.5]),
    "a single -inf": ([-np.inf], [1.0]),
    "one inf": ([np.inf, 5.0, 1000.0], [1.0, 0.0, 0.0]),
    "two inf": ([np.inf, np.inf, -np.inf], [0.5, 0.5, 0.0]),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name: str) -> None:
    """Finite derivatives that sum to one, as everywhere; infinite entries share like ties."""
    entries, shares = EXTREMES[name]
    a = np.array(entries)
    shares = scipy.special.softmax(a) if shares is None else np.array(shares)
    for f in (np.logaddexp.reduce, logsumexp):
        value, gradient = cr.value_and_grad(f)(a)
        assert value == scipy.special.logsumexp(a)
        np.testing.assert_allclose(gradient, shares, rtol=1e-14)
        _, moved = cr.jvp(f, (a,), (np.arange(1.0, 1 + a.size),))
        np.testing.assert_allclose(moved, shares @ np.arange(1.0, 1 + a.size), rtol=1e-14)
        assert np.all(np.isfinite(cr.hessian(f)(a)))
    assert logsumexp(a, return_sign=True)[1] == (0.0 if np.all(a == -np.inf) else 1.0)


def test_small_results_keep_their_digits() -> None:
    """log(1 + e⁻⁵⁰) = e⁻⁵⁰ to 22 digits, where the sum of exponentials would round to 1."""
    a = np.array([0.0, -50.0])
    value, _ = cr.value_and_grad(np.logaddexp.reduce)(a)
    np.testing.assert_allclose(value, np.exp(-50), rtol=1e-13)


def test_nan_stays_nan() -> None:
    value, gradient = cr.value_and_grad(logsumexp)(np.array([np.nan, 1.0]))
    assert np.isnan(value)
    assert np.all(np.isnan(gradient))


def test_lists_numbers_and_integers() -> None:
    assert logsumexp([1, 1]) == pytest.approx(1 + np.log(2), rel=1e-15)
    assert logsumexp(3.0) == 3.0
    gradient = cr.grad(lambda x: logsumexp([x, 2 * x, 0.0]))(0.0)
    assert gradient == pytest.approx(1.0, rel=1e-15)
    gradient = cr.grad(lambda x: np.sum(softmax([x, 0.0]) * np.array([1.0, 0.0])))(0.0)
    assert gradient == pytest.approx(0.25, rel=1e-15)


def test_float32_stays_float32(rng: Rng) -> None:
    a = rng.normal(size=(3, 4)).astype(np.float32)
    for f in (
        lambda a: np.logaddexp.reduce(a, axis=1),
        lambda a: logsumexp(a, axis=0),
        lambda a: logsumexp(a, axis=0, b=np.float32(2.0)),
        lambda a: logsumexp(a, return_sign=True),
        lambda a: softmax(a, axis=1),
        lambda a: log_softmax(a, axis=1),
    ):
        value, moved = cr.jvp(f, (a,), (a,))
        for part in (value, moved):
            for y in part if isinstance(part, tuple) else (part,):
                assert np.asarray(y).dtype == np.float32
        first = cr.grad(lambda a, f=f: np.sum(f(a)[0] if isinstance(f(a), tuple) else f(a)))(a)
        assert first.dtype == np.float32


def test_gradients_are_those_of_jax(rng: Rng, peer: Callable[[str], ModuleType]) -> None:
    jax = peer("jax")
    a = 3 * rng.normal(size=(3, 4))
    pairs = [
        (logsumexp, jax.scipy.special.logsumexp),
        (
            lambda a: np.sum(softmax(a, axis=1) ** 2),
            lambda a: jax.numpy.sum(jax.nn.softmax(a) ** 2),
        ),
        (lambda a: np.sum(log_softmax(a, 1)[:, 0]), lambda a: jax.nn.log_softmax(a)[:, 0].sum()),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(cr.grad(ours)(a), jax.grad(theirs)(a), rtol=1e-12, atol=1e-14)
