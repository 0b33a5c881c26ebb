"""Pairs of rules, right and wrong: one primitive declared twice.

Nothing declared here stays in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import Primitive, registry
from chainrule.primitives.declare import elementwise, linear, multilinear, primitive
from chainrule.primitives.samples import Case, case, domain, normal, real

A_LITTLE = 1.0005  # five hundredths of a percent


class Pair(NamedTuple):
    """`declare(wrong)` makes the record, `use` a function of it; the rest is what must happen."""

    declare: Callable[[bool], Primitive]
    use: Callable[[Primitive], Callable[..., Any]]
    sample: Case
    caught_by: frozenset[str]
    told: tuple[str, ...]
    not_told: tuple[str, ...] = ()


PAIRS: dict[str, Pair] = {}


def pair(*caught_by: str, use: Any, sample: Case, told: Any, not_told: Any = ()) -> Any:
    def note(declare: Callable[[bool], Primitive]) -> None:
        PAIRS[declare.__name__] = Pair(
            declare, use, sample, frozenset(caught_by), tuple(told), tuple(not_told)
        )

    return note


def of_one(record: Primitive) -> Callable[..., Any]:
    return lambda x: np.sum(np.tanh(record(x)) * 3.0)


def of_two(record: Primitive) -> Callable[..., Any]:
    return lambda x, w: np.sum(np.tanh(record(x, w)) * 3.0)


@pair("forward", "reverse", use=of_one, sample=case(normal(3, 4)), told=("respect to x[",))
def a_little_off(wrong: bool) -> Primitive:
    factor = A_LITTLE if wrong else 1.0
    return elementwise(
        "selftest_sine",
        compute=np.sin,
        partials=(lambda x: factor * np.cos(x),),
        domain=real,
        latex="{x}",
    )


@pair("forward", "reverse", use=of_one, sample=case(normal(3, 4)), told=("respect to x[",))
def of_the_wrong_sign(wrong: bool) -> Primitive:
    sign = 1.0 if wrong else -1.0
    return elementwise(
        "selftest_cosine",
        compute=np.cos,
        partials=(lambda x: sign * np.sin(x),),
        domain=real,
        latex="{x}",
    )


@pair(
    "forward",
    "reverse",
    "second order",
    use=of_two,
    sample=case(normal(3, 4), normal(4)),
    told=("with respect to w[", "with respect to its input 2["),
)
def wrong_for_one_input(wrong: bool) -> Primitive:
    shift = A_LITTLE if wrong else 1.0
    return elementwise(
        "selftest_product",
        compute=np.multiply,
        partials=(lambda x2: x2, lambda x1: shift * x1),
        domain=domain((-2.0, 2.0), (-2.0, 2.0)),
        latex="{x}",
    )


def _two_modes(name: str, forward: float, reverse: float) -> Primitive:
    return primitive(
        name,
        compute=np.exp,
        jvp=(lambda t, y: forward * t * y,),
        vjp=(lambda g, y: reverse * g * y,),
        latex="{x}",
        samples=[case(normal(3))],
        note="both modes, to be wrong in one",
    )


@pair(
    "forward",
    "adjoint",
    "second order",
    use=of_one,
    sample=case(normal(3)),
    told=("\n  forward: ", "its forward derivative"),
    not_told=("\n  reverse: ",),
)
def wrong_in_forward_mode_only(wrong: bool) -> Primitive:
    return _two_modes("selftest_forward_exp", A_LITTLE if wrong else 1.0, 1.0)


@pair(
    "reverse",
    "adjoint",
    "second order",
    use=of_one,
    sample=case(normal(3)),
    told=("\n  reverse: ", "its reverse derivative"),
    not_told=("\n  forward: ",),
)
def wrong_in_reverse_mode_only(wrong: bool) -> Primitive:
    return _two_modes("selftest_reverse_exp", 1.0, A_LITTLE if wrong else 1.0)


@pair(
    "second order",
    use=of_one,
    sample=case(normal(3)),
    told=("reverse over reverse", "forward over forward", "the cotangent of x"),
    not_told=("\n  forward: ", "\n  reverse: "),
)
def right_at_first_order_only(wrong: bool) -> Primitive:
    held = cr.stop_gradient if wrong else lambda x: x
    return elementwise(
        "selftest_held_sine",
        compute=np.sin,
        partials=(lambda x: np.cos(held(x)),),
        domain=real,
        latex="{x}",
    )


@pair(
    "second order",
    use=of_one,
    sample=case(normal(3)),
    told=("forward over reverse",),
    not_told=("\n  forward: ", "\n  reverse: "),
)
def a_little_off_at_second_order_only(wrong: bool) -> Primitive:
    factor = -A_LITTLE if wrong else -1.0
    slope = elementwise(
        "selftest_slope",
        compute=np.cos,
        partials=(lambda x: factor * np.sin(x),),
        domain=real,
        latex="{x}",
    )
    return elementwise(
        "selftest_curved",
        compute=np.sin,
        partials=(lambda x: slope(x),),
        domain=real,
        latex="{x}",
    )


@pair(
    "reverse",
    "adjoint",
    "second order",
    use=of_two,
    sample=case(normal(3), normal(3)),
    told=(
        "with respect to x[",
        "its reverse derivative with respect to its input 1",
    ),
)
def without_undoing_its_broadcast(wrong: bool) -> Primitive:
    """x1[i] x2[j]: the sum must run over j; where the lengths agree, over i fits as well."""
    return multilinear(
        "selftest_outer",
        compute=lambda x1, x2: x1[:, None] * x2,
        transposed=(
            lambda g, x2: g * x2 if wrong else np.sum(g * x2, axis=1),
            lambda g, x1: np.sum(g * x1[:, None], axis=0),
        ),
        latex="{x}",
        samples=[case(normal(3), normal(3))],
    )


@pair(
    "reverse",
    "adjoint",
    use=lambda record: lambda x: np.sum(np.arange(3.0) * record(x, np.array([4, 0, 2]))),
    sample=case(normal(5), np.array([4, 0, 2])),
    told=("its reverse derivative",),
)
def that_saves_too_little(wrong: bool) -> Primitive:
    """The transpose of a gather has to know the index; this one puts everything in front."""

    def in_front(g: Any, shape: Any) -> Any:
        return np.concatenate([g, np.zeros(shape[0] - g.shape[0])])

    def scattered(g: Any, indices: Any, shape: Any) -> Any:
        return (np.arange(shape[0])[:, None] == indices[0]).astype(float) @ g

    return linear(
        "selftest_gather",
        compute=lambda x, index: x[index],
        inputs=2,
        transposed=in_front if wrong else scattered,
        latex="{x}",
        samples=[case(normal(5), np.array([4, 0, 2]))],
    )


@pair(
    "reverse",
    "second order",
    use=of_one,
    sample=case(normal(3)),
    told=("its reverse derivative",),
)
def that_remembers_beside_the_tape(wrong: bool) -> Primitive:
    """The last value computed is not always the value that was recorded."""
    last: list[Any] = []

    def compute(x: Any) -> Any:
        last.append(np.exp(x))
        return last[-1]

    return primitive(
        "selftest_forgetful",
        compute=compute,
        jvp=(lambda t, y: t * y,),
        vjp=(lambda g, y: g * (last[-1] if wrong else y),),
        latex="{x}",
        samples=[case(normal(3))],
        note="both modes, because one of them remembers",
    )


@pair(
    "forward",
    "reverse",
    use=lambda record: lambda x: record(x)[0] * 2.0 + np.sum(record(x)[1]),
    sample=case(normal(4)),
    told=("its forward derivative",),
)
def wrong_for_one_output(wrong: bool) -> Primitive:
    factor = A_LITTLE if wrong else 1.0
    return primitive(
        "selftest_sum_and_squares",
        compute=lambda x: (np.add.reduce(x), x * x),
        outputs=2,
        jvp=(lambda t: np.sum(t), lambda t, x: factor * 2.0 * x * t),
        latex="{x}",
        samples=[case(normal(4))],
    )


@pair(
    "reverse",
    "adjoint",
    use=lambda record: lambda x: np.sum(np.real(record(x) * np.array([1.0, 2.0j]))),
    sample=case(lambda rng: rng.normal(size=2) + 1j * rng.normal(size=2)),
    told=("the imaginary part of x[1]", "expected 2 by differences, got -2"),
    not_told=("\n  forward: ",),
)
def that_forgets_to_conjugate(wrong: bool) -> Primitive:
    return linear(
        "selftest_conjugate",
        compute=np.conjugate,
        transposed=lambda g: g if wrong else np.conjugate(g),
        latex="{x}",
        samples=[case(normal(2))],
    )


@pytest.fixture(autouse=True)
def registry_as_before() -> Iterator[None]:
    primitives, meanings = dict(registry.complete().primitives), dict(registry.meanings)
    yield
    for now, before in ((registry.primitives, primitives), (registry.meanings, meanings)):
        now.clear()
        now.update(before)


@pytest.fixture(params=PAIRS.values(), ids=PAIRS.keys())
def chosen(request: pytest.FixtureRequest) -> Pair:
    return request.param


@pytest.fixture
def pairs() -> dict[str, Pair]:
    return PAIRS
