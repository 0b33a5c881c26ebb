"""A rule of a user's own is measured when it is declared, and refused where it is wrong."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.checks.adjoint import dot_product_test
from chainrule.checks.gradients import MODES, sound, told
from chainrule.checks.mismatch import Settings, chained
from chainrule.checks.space import Problem, epsilon
from chainrule.graph import Traced, is_inexact
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import taken_apart

Sample = Sequence[Any]
AGREE = 1e4
"""How far the modes may disagree, in units of the precision: what rounding leaves in long sums."""


def verify(name: str, run: Callable[..., Any], samples: Sequence[Sample], surrogate: str) -> None:
    """Raise ToleranceError, with numbers, where a rule is not the derivative of its function.

    Each mode is compared with differences of the function, then the modes with each other, then
    the derivatives of the rule itself with differences of the rule. A surrogate is compared with
    no differences: only its modes with each other. What a mode refuses to compute is not compared;
    it will raise the same sentence when it is used.
    """
    if not isinstance(samples, list | tuple) or not samples:
        raise errors.RuleError(
            f"the rule of {name} at {callers_place()} comes without samples; give arguments at "
            "which it can be checked now, such as samples=[(0.5,), (np.ones(3),)]: one tuple of "
            "arguments each, with a dict at its end for keyword-only ones"
        )
    for sample in samples:
        problem = Problem(f"the check of {name}", *_call(run, name, sample))
        with np.errstate(all="ignore"):
            _check(name, problem, surrogate)


def _call(run: Callable[..., Any], name: str, sample: Sample) -> tuple[Any, tuple[Any, ...]]:
    """A sample as a function of its positional arguments, and those."""
    if not isinstance(sample, tuple):
        raise errors.RuleError(
            f"a sample of {name} at {callers_place()} is a {type(sample).__name__}; a sample is "
            "the tuple of the arguments of one call, such as (x,) for a single one"
        )
    parameters = inspect.signature(run).parameters.values()
    options = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    last = sample[-1] if sample else None
    given: dict[str, Any] = {}
    if options and isinstance(last, dict) and set(last) <= options:
        sample, given = sample[:-1], last
    moving = [k for k, arg in enumerate(sample) if any(map(is_inexact, taken_apart(arg)[0]))]

    def function(*args: Any) -> Any:
        filled = list(sample)
        for k, arg in zip(moving, args, strict=True):
            filled[k] = arg
        return run(*filled, **given)

    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(positional) >= len(sample):  # so that sentences name the arguments as their author does
        kept = [positional[k].replace(default=inspect.Parameter.empty) for k in moving]
        function.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return function, tuple(sample[k] for k in moving)


def _check(name: str, problem: Problem, surrogate: str) -> None:
    settings = Settings(None, None, np.random.default_rng(0))
    value, names = problem.result()
    if any(isinstance(leaf, Traced) for leaf in value):
        raise errors.InputError(
            f"{name}, declared at {callers_place()}, uses a value of the running derivative that "
            "is not among its arguments; pass it as an argument"
        )
    sound(problem, name, value, names)
    available = []
    for mode in MODES:
        try:
            found = chained(problem.function, problem.point, (mode,), settings)
        except errors.UnsupportedError:
            continue
        available.append(mode)
        if found is not None and not surrogate:
            raise _wrong(name, told(problem, value, names, (mode,), found))
    if not available:
        raise errors.RuleError(
            f"the rule of {name} at {callers_place()} gives neither mode at its samples"
        )
    if len(available) == len(MODES):
        mismatch = dot_product_test(
            lambda *leaves: problem.function(list(leaves)), tuple(problem.point)
        )
        if mismatch > AGREE * epsilon(problem.point, value):
            raise _wrong(
                name,
                f"the modes disagree: ⟨g, J t⟩ and ⟨Jᵀ g, t⟩ differ by {mismatch:.3g} relative to "
                "their terms, for random g and t",
            )
    if surrogate:
        return
    for chain in itertools.product(available, repeat=2):
        try:
            found = chained(problem.function, problem.point, chain, settings)
        except (errors.UnsupportedError, errors.ConversionError, errors.InputError):
            continue
        if found is not None:
            raise _wrong(name, told(problem, value, names, chain, found))


def _wrong(name: str, sentence: str) -> errors.ToleranceError:
    return errors.ToleranceError(
        f"the rule of {name} at {callers_place()} is not its derivative: {sentence}. Mend the "
        "rule; where it is meant to differ (straight-through, gradient reversal), say so: "
        'surrogate="the reason"'
    )
