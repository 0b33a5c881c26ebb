"""The tests are tested, on the pairs of right and wrong rules that conftest.py declares.

The right one passes `check_grads` and the rule tests; the wrong one must be caught by both, and
`check_grads` must name it and the line that uses it.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph import registry
from chainrule.primitives.declare import elementwise
from chainrule.primitives.samples import case, normal, real

RULES = Path(__file__).parents[1] / "rules"


def rule_tests(name: str) -> ModuleType:
    """A file of tests/rules as a module: test folders are not packages."""
    spec = importlib.util.spec_from_file_location(f"rules_{name}", RULES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIRST, SECOND = rule_tests("test_first_order"), rule_tests("test_second_order")
DTYPES, CONFTEST = rule_tests("test_dtypes"), rule_tests("conftest")
CHECKS = {
    "forward": FIRST.check_forward,
    "reverse": FIRST.check_reverse,
    "adjoint": FIRST.check_adjoint,
    "second order": SECOND.check_second_order,
}


def drawn(chosen: Any, rng: np.random.Generator, *, wrong: bool) -> tuple[Any, Any, Any]:
    record = chosen.declare(wrong)
    arguments, params = chosen.sample.draw(rng)
    return record, arguments, CONFTEST.Operation(record, arguments, params)


def floating(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a for a in arguments if np.asarray(a).dtype.kind in "fc")


def test_check_grads_accepts_the_right_rule(chosen, rng):
    record, arguments, _ = drawn(chosen, rng, wrong=False)
    cr.check_grads(chosen.use(record), floating(arguments))


def test_check_grads_catches_the_wrong_rule_and_names_it(chosen, rng):
    record, arguments, _ = drawn(chosen, rng, wrong=True)
    f = chosen.use(record)
    with pytest.raises(errors.ToleranceError) as caught:
        cr.check_grads(f, floating(arguments))
    message = str(caught.value)
    place = f"{Path(f.__code__.co_filename).name}:{f.__code__.co_firstlineno}"
    assert f"to blame is the rule of {record.name} ({record.form}), used at {place}" in message
    for words in chosen.told:
        assert words in message
    for words in chosen.not_told:
        assert words not in message


@pytest.mark.parametrize("check", CHECKS)
def test_the_rule_tests_accept_the_right_rule(chosen, check, rng):
    *_, operation = drawn(chosen, rng, wrong=False)
    CHECKS[check](operation, rng)


@pytest.mark.parametrize("check", CHECKS)
def test_the_rule_tests_catch_the_wrong_rule(chosen, check, rng):
    *_, operation = drawn(chosen, rng, wrong=True)
    if check in chosen.caught_by:
        with pytest.raises(AssertionError):
            CHECKS[check](operation, rng)
    else:
        CHECKS[check](operation, rng)


def test_a_rule_that_computes_in_double_precision_is_caught(rng):
    """check_grads cannot see it, because the result is cast; the test of dtypes does."""
    record = elementwise(
        "selftest_upcast",
        compute=np.sin,
        partials=(lambda x: np.cos(x.astype(np.float64)),),
        domain=real,
        latex="{x}",
    )
    x = rng.normal(size=3).astype(np.float32)
    cr.check_grads(lambda x: record(x), (x,))
    operation = CONFTEST.Operation(record, (x,), {})
    with pytest.raises(AssertionError):
        DTYPES.test_rules_do_not_compute_in_double_precision(operation, rng)


SHADOWING = {
    "i": lambda a, *, i=1: a,
    "shape": lambda a, *, shape=1: a,
    "shapes": lambda a, *, shapes=1: a,
    "xs": lambda a, *, xs=1: a,
    "indices": lambda a, *, indices=1: a,
    "x": lambda a, *, x=1: a,
    "x2": lambda a, *, x2=1: a,
    "y1": lambda a, *, y1=1: a,
    "g": lambda a, *, g=1: a,
    "t": lambda a, *, t=1: a,
}


@pytest.mark.parametrize("word", SHADOWING)
@pytest.mark.parametrize("where", ["compute", "samples", "a user's function"])
def test_a_parameter_named_like_a_word_of_the_legend_is_refused(word, where):
    """The rule would silently read the shape of its input, say, in the place of the parameter."""

    def declare():
        if where == "a user's function":
            cr.primitive(partials=lambda x: x, samples=[(0.5,)])(SHADOWING[word])
        elif where == "compute":
            shadowing("selftest_shadowed", compute=SHADOWING[word], domain=real)
        else:
            sample = case(normal(2), **{word: 2})
            shadowing("selftest_shadowed", compute=np.reshape, samples=[sample])

    shadowing = functools.partial(elementwise, partials=(lambda x: x,), latex="{x}")
    with pytest.raises(TypeError, match=f"{word!r}, and (a rule|rules) that say"):
        declare()
    assert "selftest_shadowed" not in registry.primitives


def test_a_dot_product_test_sees_modes_that_disagree(pairs, rng):
    record = pairs["wrong_in_reverse_mode_only"].declare(wrong=True)
    assert cr.dot_product_test(record, (rng.normal(size=3),)) > 1e-5


def test_a_declared_rule_is_in_the_registry(chosen, rng):
    record, *_ = drawn(chosen, rng, wrong=True)
    assert registry[record.name] is record
    assert record.name.startswith("selftest_")


def test_nothing_of_it_is_left_there_afterwards():
    assert not [name for name in registry.primitives if name.startswith("selftest_")]
