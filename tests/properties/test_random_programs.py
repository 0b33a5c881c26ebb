"""Random programs agree with JAX and with central differences, at first and second order.

The tolerance is 64·ε·κ: κ says how much the derivative moves, in units of ε, when every input and
intermediate of the program moves by one unit in the last place, at each of its uses apart. Programs
with κ·ε > 1e-6 decide nothing; they are left out, and there may be few of them. There κ counts
relative to 1 if the derivative is smaller: inputs and weights are of that size, and a derivative
that vanishes has no relative accuracy.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr

Function = Callable[..., Any]
EPS = np.finfo(float).eps
DRAWS = 4
STEP = 2e-4


class Tally:
    """How many programs were looked at, and how many were too ill-conditioned to decide."""

    def __init__(self) -> None:
        self.programs = 0
        self.left_out = 0

    def share(self) -> float:
        return self.left_out / max(self.programs, 1)

    def __str__(self) -> str:
        return f"{self.programs} programs, {self.left_out} left out ({self.share():.1%})"


def _flat(tree: Any) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(leaf)) for leaf in tree])


def _derivatives(f: Function, point: list[Any], v: list[Any]) -> dict[str, np.ndarray]:
    """All that is compared: in each mode, at each order, along v."""

    def along(*xs: Any) -> Any:
        return sum(np.sum(g * t) for g, t in zip(gradient(*xs), v, strict=True))

    positions = tuple(range(len(point)))
    gradient = cr.grad(f, positions)
    forward = cr.jacobian(f, positions, mode="forward")
    return {
        "value": np.ravel(f(*point)),
        "reverse": _flat(gradient(*point)),
        "forward": _flat(forward(*point)),
        "along v": np.ravel(cr.jvp(f, tuple(point), tuple(v))[1]),
        "forward over reverse": _flat(cr.hvp(f, positions)(*point, tuple(v))),
        "reverse over reverse": _flat(cr.grad(along, positions)(*point)),
        "forward over forward": np.ravel(
            cr.jvp(lambda *xs: cr.jvp(f, xs, tuple(v))[1], tuple(point), tuple(v))[1]
        ),
    }


def _nudged(program: Any, rng: np.random.Generator) -> Function:
    """The program with every use of a value moved by up to one unit in the last place."""
    seed = int(rng.integers(2**32))

    def f(*xs: Any) -> Any:
        moves = np.random.default_rng(seed)  # the same function at each call
        return program.run(
            np, xs, lambda value: value * (1 + EPS * moves.integers(-1, 2, np.shape(value)))
        )

    return f


class Measured(NamedTuple):
    """A derivative, and how far it moves when the program does by one unit in the last place."""

    value: np.ndarray
    moved: float

    @property
    def scale(self) -> float:
        return max(1.0, float(np.max(np.abs(self.value))))

    @property
    def tolerance(self) -> float:
        return 64 * max(self.moved, EPS * self.scale)

    @property
    def decides(self) -> bool:
        return self.moved <= 1e-6 * self.scale


def _measured(program: Any, v: list[Any], rng: np.random.Generator) -> dict[str, Measured]:
    exact = _derivatives(lambda *xs: program.run(np, xs), program.point, v)
    moved = dict.fromkeys(exact, 0.0)
    for _ in range(DRAWS):
        for name, value in _derivatives(_nudged(program, rng), program.point, v).items():
            moved[name] = max(moved[name], float(np.max(np.abs(value - exact[name]))))
    return {name: Measured(value, moved[name]) for name, value in exact.items()}


def _expected(jax: Any, program: Any, v: list[Any]) -> dict[str, np.ndarray]:
    """The same derivatives by JAX."""
    jnp = jax.numpy

    def f(*xs: Any) -> Any:
        return program.run(jnp, xs)

    gradient = jax.grad(f, tuple(range(len(program.point))))

    def derivatives(point: Any, v: Any) -> Any:
        first, second = jax.jvp(gradient, point, v)
        curvature = sum(jnp.sum(h * t) for h, t in zip(second, v, strict=True))
        return f(*point), first, jax.jvp(f, point, v)[1], second, curvature

    # Compiled at once, which takes a tenth of the time of compiling operation by operation.
    found = jax.jit(derivatives)(tuple(program.point), tuple(v))
    value, first, along, second, curvature = found
    return {
        "value": np.ravel(value),
        "reverse": _flat(first),
        "forward": _flat(first),
        "along v": np.ravel(along),
        "forward over reverse": _flat(second),
        "reverse over reverse": _flat(second),
        "forward over forward": np.ravel(curvature),
    }


def _differences(program: Any, v: list[Any]) -> tuple[float, float]:
    """The slope along v by central differences, extrapolated, and a bound of its truncation."""

    def central(h: float) -> float:
        up, down = ([x + s * h * t for x, t in zip(program.point, v, strict=True)] for s in (1, -1))
        return float(program.run(np, up) - program.run(np, down)) / (2 * h)

    coarse, fine = central(STEP), central(STEP / 2)
    return (4 * fine - coarse) / 3, abs(fine - coarse)


def _check(program: Any, tally: Tally, jax: Any) -> None:
    rng = np.random.default_rng(len(program.steps))
    v = [rng.normal(size=x.shape) for x in program.point]
    tally.programs += 1
    found = _measured(program, v, rng)
    if not all(derivative.decides for derivative in found.values()):
        tally.left_out += 1
        return
    slope, truncation = _differences(program, v)
    rounding = found["value"].tolerance / STEP
    assert abs(float(found["along v"].value[0]) - slope) <= truncation + rounding, program
    for name, expected in _expected(jax, program, v).items():
        # The largest entry sets the scale: what is added up in another order differs by it.
        np.testing.assert_allclose(
            found[name].value,
            expected,
            rtol=0,
            atol=found[name].tolerance,
            err_msg=f"{name}: {program}",
        )


def _run(programs: st.SearchStrategy[Any], count: int, jax: Any) -> Tally:
    tally = Tally()

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def check(program: Any) -> None:
        _check(program, tally, jax)

    check()
    return tally


def test_a_few_random_programs(programs: Any, peer: Any, capsys: Any) -> None:
    tally = _run(programs, 15, peer("jax"))
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.left_out <= 1


@pytest.mark.deep
def test_300_random_programs(programs: Any, peer: Any, capsys: Any) -> None:
    tally = _run(programs, 300, peer("jax"))
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.programs >= 300
    assert tally.share() <= 0.05
