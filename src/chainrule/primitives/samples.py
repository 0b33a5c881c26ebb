"""Inputs on which the rules of a primitive are tested: `case(normal(3, 4), axes=(1, 0))`.

A maker draws one array from a generator, so that every check sees fresh and reproducible numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Maker = Callable[["np.random.Generator"], Any]


class Case(NamedTuple):
    """One call of a primitive: makers or ready values for its inputs, and its parameters."""

    arguments: tuple[Any, ...]
    params: dict[str, Any]
    determined: Callable[..., tuple[Any, ...]] | None = None

    def only(self, determined: Callable[..., tuple[Any, ...]]) -> Case:
        """Test only what `determined` makes of the outputs: what no arbitrary choice enters.

        The phase of a complex eigenvector, say, is a choice that the next call makes anew.
        """
        return self._replace(determined=determined)

    def draw(self, rng: np.random.Generator) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tuple(a(rng) if callable(a) else a for a in self.arguments), self.params


def case(*arguments: Any, **params: Any) -> Case:
    return Case(arguments, params)


def normal(*shape: int) -> Maker:
    return lambda rng: rng.normal(size=shape)


def uniform(low: float, high: float, *shape: int) -> Maker:
    return lambda rng: rng.uniform(low, high, size=shape)


def integers(low: int, high: int, *shape: int) -> Maker:
    """Whole numbers from low to high - 1, in the dtype that promotes no other: orders, degrees."""
    return lambda rng: rng.integers(low, high, size=shape, dtype=np.int8)


def apart(*shape: int) -> Maker:
    """Values at least 0.1 from each other and from 0: no ties, no kinks within a small step."""

    def make(rng: np.random.Generator) -> Any:
        size = int(np.prod(shape))
        values = (np.arange(size) - size // 2 + 0.5) * 0.3 + rng.uniform(-0.05, 0.05, size)
        return rng.permutation(values).reshape(shape)

    return make


def mask(*shape: int) -> Maker:
    return lambda rng: rng.uniform(size=shape) < 0.5


def symmetric(size: int, *batch: int) -> Maker:
    def make(rng: np.random.Generator) -> Any:
        a = rng.normal(size=(*batch, size, size))
        return a + np.swapaxes(a, -1, -2)

    return make


def positive_definite(size: int, *batch: int) -> Maker:
    def make(rng: np.random.Generator) -> Any:
        a = rng.normal(size=(*batch, size, size))
        return a @ np.swapaxes(a, -1, -2) + size * np.eye(size)

    return make


def invertible(size: int, *batch: int) -> Maker:
    return lambda rng: rng.normal(size=(*batch, size, size)) + 3 * np.eye(size)


def _orthonormal(rng: np.random.Generator, rows: int, columns: int, batch: tuple[int, ...]) -> Any:
    return np.linalg.qr(rng.normal(size=(*batch, rows, columns)))[0]


def separated(rows: int, columns: int, *batch: int) -> Maker:
    """Matrices with singular values 1, 2, 3 …: decompositions with gaps of 1 between them."""

    def make(rng: np.random.Generator) -> Any:
        rank = min(rows, columns)
        left, right = (_orthonormal(rng, size, rank, batch) for size in (rows, columns))
        return (left * np.arange(rank, 0, -1)) @ np.swapaxes(right, -1, -2)

    return make


def separated_symmetric(size: int, *batch: int) -> Maker:
    """Symmetric matrices with eigenvalues 1, -2, 3, -4 …"""

    def make(rng: np.random.Generator) -> Any:
        vectors = _orthonormal(rng, size, size, batch)
        values = np.arange(1, size + 1) * (-1.0) ** np.arange(size)
        return (vectors * values) @ np.swapaxes(vectors, -1, -2)

    return make


def with_imaginary(maker: Maker) -> Maker:
    """The same matrices with imaginary parts too small to bring their values together."""

    def make(rng: np.random.Generator) -> Any:
        real = maker(rng)
        return real + 0.1j * rng.normal(size=real.shape)

    return make


class Domain(NamedTuple):
    """Intervals from which samples of an elementwise primitive are drawn, one per input."""

    intervals: tuple[tuple[float, float], ...]

    def cases(self) -> list[Case]:
        """A full array, a broadcast one against it, and scalars."""
        first, *others = self.intervals
        full = case(*(uniform(*interval, 3, 4) for interval in self.intervals))
        scalars = case(*(uniform(*interval) for interval in self.intervals))
        if not others:
            return [full, scalars]
        broadcast = case(uniform(*first, 4), *(uniform(*other, 3, 1) for other in others))
        return [full, broadcast, scalars]


def domain(*intervals: tuple[float, float]) -> Domain:
    return Domain(intervals)


REAL = (-2.0, 2.0)
POSITIVE = (0.3, 3.0)
UNIT = (-0.9, 0.9)
real = domain(REAL)
positive = domain(POSITIVE)
