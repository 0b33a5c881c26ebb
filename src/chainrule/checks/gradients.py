"""Check the derivatives of a function: both modes, to any order, and say which rule is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.checks.localise import blame, over
from chainrule.checks.mismatch import Mismatch, Settings, chained
from chainrule.checks.space import Leaves, Problem, label, name_of, to_vector
from chainrule.graph import spec_of
from chainrule.transforms.forward_mode import jvp
from chainrule.transforms.reverse_mode import vjp

MODES = ("forward", "reverse")


def check_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    modes: Sequence[str] = MODES,
    order: int = 2,
    *,
    tolerance: float | None = None,
    step: float | None = None,
    rng: np.random.Generator | None = None,
) -> None:
    """Compare the derivatives of `f` at `args` with differences; print a report, raise if wrong.

    Order 1 compares J t (forward) and Jᵀ g (reverse) with central differences of f, extrapolated to
    an error of order h⁴; order 2 compares every mode over every mode with differences of the first
    derivative, and so on. The relative `tolerance` is by default ε^(2/5) of the coarsest dtype,
    5e-7 for float64 and 2e-3 for float32; `step` is the h of the differences. Random directions
    come first; where one fails, every entry is measured, and each operation is checked alone.

    Raises ToleranceError that names the worst entry, its expected and actual value, and the rule to
    blame with the line that uses it; InputError and OutputError as `vjp` does. Source: Griewank &
    Walther, Evaluating Derivatives, section 3.

    >>> check_grads(np.sin, (0.5,), order=1)
    check_grads of sin: 1 number in, 1 out
      forward               right
      reverse               right
    """
    chosen = _modes(modes, order)
    settings = Settings(tolerance, step, np.random.default_rng(0) if rng is None else rng)
    with np.errstate(all="ignore"):
        _check(f, args, chosen, order, settings)


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    chosen: tuple[str, ...],
    order: int,
    settings: Settings,
) -> None:
    problem = Problem("check_grads", f, args)
    value, names = problem.result()
    counted = to_vector(problem.point).size
    plural = "s" if counted != 1 else ""
    print(f"check_grads of {name_of(f)}: {counted} number{plural} in, {to_vector(value).size} out")
    sound(problem, name_of(f), value, names)
    _same_kind(problem, f, value, chosen[0])
    for depth in range(1, order + 1):
        wrong = []
        for chain in itertools.product(chosen, repeat=depth):
            found = chained(problem.function, problem.point, chain, settings)
            print(f"  {over(chain):<21} {'right' if found is None else 'WRONG'}")
            if found is not None:
                wrong.append((chain, found))
        if wrong:
            sentences = [told(problem, value, names, *case) for case in wrong]
            chain, found = wrong[0]
            verdict = blame(f, args, chain, found, settings)
            title = f"a derivative of {name_of(f)} is wrong:"
            message = "\n  ".join([title, *sentences, verdict])
            print(message)
            raise errors.ToleranceError(message)


def _modes(modes: Sequence[str], order: int) -> tuple[str, ...]:
    given = (modes,) if isinstance(modes, str) else tuple(modes)
    if not given or any(mode not in MODES for mode in given):
        raise ValueError(f'check_grads: modes are "forward" and "reverse", not {modes!r}')
    if order < 1:
        raise ValueError(f"check_grads: order counts from 1, the first derivative; not {order}")
    return given


def sound(problem: Problem, name: str, value: Leaves, names: list[str]) -> None:
    """That the value is finite, and the same when f runs again."""
    numbers = to_vector(value)
    for position in np.flatnonzero(~np.isfinite(numbers)):
        raise errors.ToleranceError(
            f"{problem.title}: {label(int(position), value, names)} of {name} is "
            f"{numbers[position]} at this point, where no derivative can be measured; check at a "
            "point where the value is finite"
        )
    if not np.array_equal(numbers, to_vector(problem.function(list(problem.point)))):
        raise errors.ToleranceError(
            f"{problem.title}: {name} gives another value when it is called again with the same "
            "arguments, so no derivative can be measured; draw random numbers outside and pass "
            "them in, or make the generator inside from a fixed seed"
        )


def _same_kind(problem: Problem, f: Callable[..., Any], value: Leaves, mode: str) -> None:
    """That the function returns the same shapes and dtypes where it is differentiated."""
    if mode == "forward":
        still = [np.zeros_like(leaf) for leaf in problem.point]
        traced = jvp(problem.function, (problem.point,), (still,))[0]
    else:
        traced = vjp(problem.function, problem.point)[0]
    inside, outside = (", ".join(str(spec_of(v)) for v in leaves) for leaves in (traced, value))
    if inside != outside:
        raise errors.ToleranceError(
            f"check_grads: {name_of(f)} returns {outside} for plain arrays, and {inside} where it "
            "is differentiated, so there is nothing to compare; look for code in it that asks for "
            "types (isinstance, dtype)"
        )


def told(
    problem: Problem, value: Leaves, names: list[str], modes: tuple[str, ...], found: Mismatch
) -> str:
    """Which entry of a derivative is wrong, and by how much."""
    leaves = value
    for mode in modes[:-1]:
        if mode == "forward":
            names = [f"the tangent of {name}" for name in names]
        else:
            leaves, names = problem.point, [f"the cotangent of {name}" for name in problem.names]
    what = label(found.output, leaves, names) if found.output is not None else ", ".join(names)
    if found.input is None:
        by = "along a random direction"
    else:
        by = f"with respect to {label(found.input, problem.point, problem.names)}"
    off = f"off by {found.distance:.3g}"
    if found.expected and np.isfinite(found.distance):
        off += f" ({100 * found.distance / abs(found.expected):.3g} %)"
    counted = f"; {found.wrong} of {found.entries} entries differ" if found.entries > 1 else ""
    return (
        f"{over(modes)}: the derivative of {what} {by}: expected {found.expected:.10g} by "
        f"differences, got {found.got:.10g}, {off}{counted}"
    )
