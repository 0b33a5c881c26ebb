"""The work of gradients of factorizations, counted in floating point operations.

A product of (m, k) and (k, n) counts 2 m k n, a triangular solve of n right-hand sides m² n.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.primitives import triangular


class Tally:
    """Operations by what carries them out."""

    def __init__(self) -> None:
        self.products = 0
        self.substitutions = 0
        self.others: list[str] = []

    @property
    def total(self) -> int:
        return self.products + self.substitutions


class Weighed(np.ndarray):
    """An array whose matrix products are counted, and those of its results."""

    tally: Tally

    def __array_finalize__(self, source: Any) -> None:
        self.tally = getattr(source, "tally", Tally())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [v.view(np.ndarray) if isinstance(v, Weighed) else v for v in inputs]
        if "out" in options:
            options["out"] = tuple(np.asarray(v) for v in options["out"])
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul:
            self.tally.products += 2 * int(np.size(result)) * plain[0].shape[-1]
        return self.weigh(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(function, types, args, kwargs)
        if function.__module__ == "numpy.linalg":
            self.tally.others.append(function.__name__)
        return result

    def weigh(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        weighed = value.view(Weighed)
        weighed.tally = self.tally
        return weighed


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tally]]:
    """`tally(f, a)`: the work of the gradient of Σ f(a), without that of its value."""
    counts = Tally()
    by_blas = triangular._by_blas

    def substituted(trsm: Any, a: Any, b: Any, lower: bool, unit: bool) -> Any:
        counts.substitutions += a.shape[0] ** 2 * b.shape[1]
        solved = by_blas(trsm, np.asarray(a), np.asarray(b), lower, unit)
        weighed = solved.view(Weighed)
        weighed.tally = counts
        return weighed

    monkeypatch.setattr(triangular, "_by_blas", substituted)

    def measure(f: Callable[[Any], Any], a: Any) -> Tally:
        _, pull = cr.vjp(f, a)
        g = np.ones(np.shape(f(a))).view(Weighed)
        g.tally = counts
        counts.products = counts.substitutions = 0
        counts.others.clear()
        pull(g)
        return counts

    return measure


def test_cholesky_is_pulled_back_in_three_times_its_own_work(
    tally: Callable[..., Tally], rng: np.random.Generator
) -> None:
    """The factorization takes n³ / 3 and its adjoint twice that at least; blocks add a little."""
    size = 400
    a = rng.normal(size=(size, size))
    work = tally(np.linalg.cholesky, a @ a.T + size * np.eye(size))
    assert work.products > 0
    assert work.substitutions > 0
    assert work.total <= 4 * size**3 / 3
    assert not work.others


def test_qr_is_pulled_back_without_a_general_solve(
    tally: Callable[..., Tally], rng: np.random.Generator
) -> None:
    """Two products and a substitution: 5 n³ beside the 8/3 n³ of Q and R."""
    size = 200
    work = tally(lambda a: np.linalg.qr(a)[0], rng.normal(size=(size, size)))
    assert work.total <= 5 * size**3
    assert not work.others


def test_a_system_is_solved_once_for_both_cotangents(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    a, b = rng.normal(size=(5, 5)), rng.normal(size=(5, 2))
    _, pull = cr.vjp(np.linalg.solve, a, b)
    calls = []
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda *args: calls.append(1) or solve(*args))
    pull(np.ones((5, 2)))
    assert len(calls) == 1
