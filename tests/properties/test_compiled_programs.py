"""Random programs, compiled: values, gradients and Hessian-vector products as interpreted.

The tolerance is 64·ε·κ, κ measured as in test_random_programs.py: by how much a result moves when
every use of a value moves by one unit in the last place.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr

EPS = np.finfo(float).eps
DRAWS = 4


def _flat(tree: Any) -> np.ndarray:
    return np.concatenate([np.ravel(leaf) for leaf in cr.trees.flatten(tree)[0]])


def _quantities(f: Callable[..., Any], count: int) -> dict[str, Callable[..., Any]]:
    positions = tuple(range(count))
    gradient = cr.grad(f, positions)
    product = cr.hvp(f, positions)
    return {
        "value": f,
        "gradient": gradient,
        "hessian-vector product": lambda *xs: product(*xs[:count], tuple(xs[count:])),
    }


def _nudged(program: Any, seed: int) -> Callable[..., Any]:
    def f(*xs: Any) -> Any:
        moves = np.random.default_rng(seed)  # the same function at each call

        def nudge(value: Any) -> Any:
            return value * (1 + EPS * moves.integers(-1, 2, np.shape(value)))

        return program.run(np, xs, nudge)

    return f


def _check(program: Any, counts: Counter[str], backend: str) -> None:
    rng = np.random.default_rng(len(program.steps))
    v = [rng.normal(size=x.shape) for x in program.point]
    count = len(program.point)
    arguments = {"hessian-vector product": (*program.point, *v)}
    counts["programs"] += 1
    counts["steps"] += len(program.steps)
    counts.update(f"step {step.name}" for step in program.steps)
    moved = [_quantities(_nudged(program, seed), count) for seed in range(DRAWS)]
    for name, f in _quantities(lambda *xs: program.run(np, xs), count).items():
        xs = arguments.get(name, tuple(program.point))
        expected = _flat(f(*xs))
        scale = max(1.0, float(np.max(np.abs(expected))))
        kappa = max(float(np.max(np.abs(_flat(m[name](*xs)) - expected))) for m in moved)
        if kappa > 1e-6 * scale:
            counts["left out"] += 1
            continue
        found = _flat(cr.compile(f, backend=backend)(*xs))
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=64 * max(kappa, EPS * scale), err_msg=f"{name}: {program}"
        )
        counts["compared"] += 1


def _run(programs: st.SearchStrategy[Any], count: int, backend: str, capsys: Any) -> None:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def check(program: Any) -> None:
        _check(program, counts, backend)

    check()
    used = {k.removeprefix("step "): n for k, n in counts.items() if k.startswith("step ")}
    with capsys.disabled():
        print(
            f"\n{backend}: {counts['programs']} programs of {counts['steps']} steps, "
            f"{counts['compared']} results compared, {counts['left out']} left out; "
            + ", ".join(f"{name} {n}" for name, n in sorted(used.items(), key=lambda p: -p[1]))
        )
    assert counts["left out"] <= 0.05 * (counts["compared"] + counts["left out"])


# LLVM takes some tenths of a second for each of the three functions of a program.
@pytest.mark.parametrize(("backend", "count"), [("native", 5), ("interpreted", 50)])
def test_a_few_compiled_programs(programs: Any, backend: str, count: int, capsys: Any) -> None:
    _run(programs, count, backend, capsys)


@pytest.mark.soak
def test_1000_compiled_programs(programs: Any, capsys: Any) -> None:
    _run(programs, 1000, "native", capsys)
