"""One derivative against differences: first along random directions, then entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.checks.differences import Difference, default_tolerance, directional
from chainrule.checks.space import (
    Leaves,
    Map,
    Vector,
    epsilon,
    from_vector,
    in_double,
    sizes,
    to_vector,
    unit,
)
from chainrule.transforms.forward_mode import jvp
from chainrule.transforms.reverse_mode import vjp

DRAWS = 2
ENTRIES_AT_ONCE = 1000
EXCUSED = 100.0  # tolerances: a measurement that doubts itself more cannot excuse a derivative
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Indices = np.ndarray[Any, np.dtype[np.int_]]


class Settings(NamedTuple):
    """What the caller chose; None is the default, which depends on the dtype."""

    tolerance: float | None
    step: float | None
    rng: np.random.Generator


class Mismatch(NamedTuple):
    """The worst wrong entry ∂(output)/∂(input) of a derivative, and how many are wrong.

    `output` and `input` are coordinates; None where only a random direction shows the error. It is
    `doubtful` where the differences may be as wrong themselves.
    """

    output: int | None
    input: int | None
    expected: float
    got: float
    distance: float
    wrong: int
    entries: int
    kinked: bool
    doubtful: bool
    slopes: tuple[float, float]


def random_direction(leaves: Leaves, rng: np.random.Generator) -> Vector:
    """Normal coordinates; for a single real number the direction is 1, the derivative itself."""
    size = to_vector(leaves).size
    return np.ones(1) if size == 1 else rng.normal(size=size)


def derivative_map(function: Map, mode: str, point: Leaves, rng: np.random.Generator) -> Map:
    """The function x ↦ J(x) t, or x ↦ J(x)ᵀ g, for one random t or g."""
    if mode == "forward":
        t = from_vector(random_direction(point, rng) * sizes(point), point)
        return lambda leaves: list(jvp(function, (leaves,), (t,))[1])
    value = function(list(point))
    g = from_vector(random_direction(value, rng), value)
    return lambda leaves: list(vjp(function, leaves)[1](g)[0])


class Comparison:
    """The derivative of `function` at `point` in one mode, beside differences of the function."""

    def __init__(self, function: Map, point: Leaves, mode: str, settings: Settings) -> None:
        self.function = function
        self.point = point
        self.precise = in_double(point)  # the differences of float32 code are measured in float64
        self.mode = mode
        self.step = settings.step
        self.rng = settings.rng
        self.pull: Callable[[Any], Any] | None = None
        if mode == "reverse":
            self.value, self.pull = vjp(function, point)
        else:
            self.value = function(list(point))
        self.outputs = to_vector(self.value).size
        self.inputs = to_vector(point).size
        eps = epsilon(point, self.value)
        given = settings.tolerance
        self.tolerance = default_tolerance(eps) if given is None else given

    def worst(self) -> Mismatch | None:
        """The worst wrong entry; None where all is right.

        That an error shows along no random direction has probability zero, so the entries, which
        cost one measurement each, are looked at only where a direction fails.
        """
        for _ in range(DRAWS):
            t = random_direction(self.point, self.rng) * sizes(self.point)
            found = self.along(t)
            if found is not None:
                return self.entrywise(t) or found
        return None

    def along(self, t: Vector) -> Mismatch | None:
        """The mismatch along one direction: of J t, or in reverse mode of ⟨g, J t⟩ for random g."""
        measured = self._measured(t)
        if self.mode == "forward":
            return self._worst_of(measured, self._pushed(t), None)
        # the pullback runs after f ran elsewhere: what it did not save for itself is lost by now
        g = random_direction(self.value, self.rng)
        got, expected, allowed = self._paired(g, t, measured)
        if abs(got - expected) <= allowed:
            return None
        kinks = [k for k in range(g.size) if measured.kinked(k)]
        slopes = measured.slopes(kinks[0] if kinks else 0)
        distance = float(_distance(np.array(expected), np.array(got)))
        doubtful = distance <= float(np.linalg.norm(g * measured.doubt(np.inf)))
        return Mismatch(None, None, expected, got, distance, 1, 1, bool(kinks), doubtful, slopes)

    def entrywise(self, t: Vector) -> Mismatch | None:
        """Every entry of the Jacobian against its own difference; of very many, the worse parts."""

        def wrongness(columns: Indices) -> float:
            found = self.along(np.where(_member(columns, t.size), t, 0.0))
            return 0.0 if found is None else found.distance

        columns = _narrowed(self.inputs, wrongness)
        rows, pulled = np.arange(self.outputs), {}
        if self.mode == "reverse":
            rows = self._rows(t)
            pulled = {j: self._pulled(unit(j, self.outputs)) for j in rows.tolist()}
        worst: Mismatch | None = None
        wrong = 0
        for k in columns.tolist():
            direction = unit(k, self.inputs)
            measured = self._measured(direction)
            got = self._pushed(direction) if self.mode == "forward" else measured.value.copy()
            for j, row in pulled.items():
                got[j] = row[k]
            found = self._worst_of(measured, got, k)
            if found is not None:
                wrong += found.wrong
                if worst is None or found.distance > worst.distance:
                    worst = found
        entries = len(rows) * len(columns)
        return None if worst is None else worst._replace(wrong=wrong, entries=entries)

    def _rows(self, t: Vector) -> Indices:
        """The output coordinates to look at."""
        measured, g = self._measured(t), random_direction(self.value, self.rng)

        def wrongness(rows: Indices) -> float:
            got, expected, _ = self._paired(np.where(_member(rows, g.size), g, 0.0), t, measured)
            return float(_distance(np.array(expected), np.array(got)))

        return _narrowed(self.outputs, wrongness)

    def _measured(self, t: Vector) -> Difference:
        return directional(self.function, self.precise, t, step=self.step)

    def _pushed(self, t: Vector) -> Vector:
        """J t by forward mode."""
        tangents = from_vector(t, self.point)
        return to_vector(jvp(self.function, (self.point,), (tangents,))[1])

    def _pulled(self, g: Vector) -> Vector:
        """Jᵀ g by reverse mode."""
        assert self.pull is not None, "only a comparison of reverse mode pulls"
        return to_vector(self.pull(from_vector(g, self.value))[0])

    def _paired(self, g: Vector, t: Vector, measured: Difference) -> tuple[float, float, float]:
        """⟨Jᵀ g, t⟩ by reverse mode, ⟨g, J t⟩ by differences, and how far they may differ."""
        terms = self._pulled(g) * t
        got, expected = float(np.sum(terms)), float(np.sum(g * measured.value))
        scale = max(abs(got), abs(expected), float(np.linalg.norm(terms)))
        doubt = float(np.linalg.norm(g * measured.doubt(EXCUSED * self.tolerance)))
        return got, expected, self.tolerance * scale + doubt

    def _worst_of(self, measured: Difference, got: Vector, column: int | None) -> Mismatch | None:
        """The worst entry of one measured direction, if any is wrong.

        An entry much smaller than the largest one is also allowed the tolerance of that one, times
        the tolerance again: below lies what cancellation leaves.
        """
        size = np.maximum(np.abs(measured.value), np.abs(got))
        floor = self.tolerance * np.max(size, initial=0.0)
        distance = _distance(measured.value, got)
        doubt = measured.doubt(EXCUSED * self.tolerance)
        wrong = ~(distance <= self.tolerance * (size + floor) + doubt)
        if not wrong.any():
            return None
        k = int(np.argmax(np.where(wrong, distance, -1.0)))
        return Mismatch(
            k,
            column,
            float(measured.value[k]),
            float(got[k]),
            float(distance[k]),
            int(wrong.sum()),
            wrong.size,
            measured.kinked(k),
            bool(distance[k] <= measured.doubt(np.inf)[k]),
            measured.slopes(k),
        )


def _distance(expected: Vector, got: Vector) -> Vector:
    """|expected - got|, infinite where one of the two is not a number."""
    with np.errstate(invalid="ignore"):
        distance: Vector = np.nan_to_num(np.abs(expected - got), nan=np.inf, posinf=np.inf)
    return distance


def _member(indices: Indices, size: int) -> Mask:
    mask = np.zeros(size, bool)
    mask[indices] = True
    return mask


def _narrowed(size: int, wrongness: Callable[[Indices], float]) -> Indices:
    """All positions; of too many the half that is more wrong, halved until they are few enough."""
    indices = np.arange(size)
    while indices.size > ENTRIES_AT_ONCE:
        first, second = np.array_split(indices, 2)
        indices = first if wrongness(first) >= wrongness(second) else second
    return indices


def chained(
    function: Map, point: Leaves, modes: tuple[str, ...], settings: Settings
) -> Mismatch | None:
    """Compare the derivative of the derivative … of `function`; `modes` are the innermost first."""
    for mode in modes[:-1]:
        function = derivative_map(function, mode, point, settings.rng)
    return Comparison(function, point, modes[-1], settings).worst()
