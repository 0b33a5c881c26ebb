"""The native entry: what it takes, what it hands to the fallback, and whose memory is whose."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.native.calls import Same
from chainrule.native.entry import is_possible
from chainrule.native.entry_text import ON_THE_STACK
from chainrule.native.program import Program
from chainrule.native.schedule import schedule

pytestmark = pytest.mark.skipif(not is_possible(), reason="this Python has no native entry")


def _fallback(*args: Any) -> Any:
    return "fallback", args


def _compiled(
    function: Callable[..., Any],
    *leaves: Any,
    arguments: tuple[Any, ...] | None = None,
    result: Any = 0,
    donated: dict[int, int] | None = None,
    scalars: bool = False,
    fallback: Callable[..., Any] = _fallback,
) -> Callable[..., Any]:
    graph = cr.trace(function)(*leaves)
    program = Program(
        schedule(graph),
        donated,
        arguments=arguments or tuple(range(len(leaves))),
        result=result,
        scalars=scalars,
    )
    found = program.function(fallback, "function")
    assert found is not None
    return found


A, B = np.linspace(0, 1, 12).reshape(3, 4), np.linspace(1, 2, 4)


def _product(a: Any, b: Any) -> Any:
    return a * b + 1


def test_the_result_is_a_fresh_array() -> None:
    f = _compiled(_product, A, B)
    first, second = f(A, B), f(A, B)
    assert type(first) is np.ndarray
    assert first.flags.owndata
    assert first.flags.writeable
    assert (first == A * B + 1).all()
    assert not np.may_share_memory(first, second)


class _Subclass(np.ndarray):
    pass


WRONG = {
    "too few": (A,),
    "too many": (A, B, B),
    "a list": (A.tolist(), B),
    "another shape": (A[:2], B),
    "another number of axes": (A, B[None]),
    "float32": (A.astype("f4"), B),
    "integers": (A.astype(int), B),
    "swapped bytes": (A.astype(">f8"), B),
    "not in C order": (np.asfortranarray(A), B),
    "with steps": (A, np.linspace(0, 1, 8)[::2]),
    "backwards": (A, B[::-1]),
    "not aligned": (A, np.frombuffer(b"\0" + B.tobytes(), np.uint8)[1:].view("f8")),
    "a subclass": (A.view(_Subclass), B),
    "objects": (A.astype(object), B),
    "None": (None, B),
    "a NumPy scalar": (A, np.float64(1)),
    "empty": (A[:0], B),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_goes_to_the_fallback(name: str) -> None:
    kind, given = _compiled(_product, A, B)(*WRONG[name])
    assert kind == "fallback"
    assert len(given) == len(WRONG[name])
    assert all(x is y for x, y in zip(given, WRONG[name], strict=True))


def test_read_only_arrays_are_read() -> None:
    a = A.copy()
    a.flags.writeable = False
    assert (_compiled(_product, A, B)(a, B) == A * B + 1).all()


def test_an_error_of_the_fallback_is_the_callers() -> None:
    def refuse(*_: Any) -> None:
        raise KeyError("refused")

    f = _compiled(_product, A, B, fallback=refuse)
    with pytest.raises(KeyError, match="refused"):
        f(A)


def test_keywords_are_refused_by_python() -> None:
    with pytest.raises(TypeError, match="takes no keyword arguments"):
        _compiled(_product, A, B)(A, b=B)


def test_trees_are_taken_apart_and_built() -> None:
    def both(p: Any, q: Any, x: Any) -> Any:
        return x * p + q, x - q, np.sum(x * p)

    f = _compiled(
        both,
        *(B, B, B),
        arguments=({"p": 0, "more": [1, Same(None)]}, (2,)),
        result=(2, {"a": 0, "b": [1, Same("text")]}),
    )
    p, q, x = B, B + 1, B + 2
    total, rest = f({"more": [q, None], "p": p}, (x,))
    assert total.shape == ()
    np.testing.assert_allclose(total, np.sum(x * p))
    np.testing.assert_allclose(rest["a"], x * p + q)
    np.testing.assert_allclose(rest["b"][0], x - q)
    assert rest["b"][1] == "text"
    for wrong in (
        ({"p": p}, (x,)),
        ({"p": p, "other": [q, None]}, (x,)),
        ({"p": p, "more": (q, None)}, (x,)),
        ({"p": p, "more": [q]}, (x,)),
        ({"p": p, "more": [q, 0]}, (x,)),
        ({"p": p, "more": [q, None]}, [x]),
        ({"p": p, "more": [q, None]}, x),
        ([p, [q, None]], (x,)),
    ):
        assert f(*wrong)[0] == "fallback"


def test_numbers_without_axes() -> None:
    def scaled(x: Any, t: Any) -> Any:
        return np.sum(x) * t

    f = _compiled(scaled, B, np.array(2.0), scalars=True)
    assert type(f(B, np.array(2.0))) is np.float64
    assert f(B, 2.0) == f(B, np.array(2.0)) == np.sum(B) * 2
    assert f(B, 2)[0] == "fallback"  # an integer is another type to NumPy
    assert type(_compiled(scaled, B, np.array(2.0))(B, 2.0)) is np.ndarray
    single = B.astype("f4")
    g = _compiled(scaled, single, np.array(0.1, "f4"), scalars=True)
    assert g(single, 0.1) == g(single, np.array(0.1, "f4"))
    assert type(g(single, 0.1)) is np.float32


def test_results_that_are_inputs_or_repeated_are_the_callers_own() -> None:
    def same(a: Any, b: Any) -> Any:
        y = a * b
        return y, a, y, b

    found = _compiled(same, A, B, result=(0, 1, 2, 3))(A, B)
    for array, want in zip(found, (A * B, A, A * B, B), strict=True):
        assert (array == want).all()
        assert array.flags.owndata
    assert not np.may_share_memory(found[0], found[2])
    assert not np.may_share_memory(found[1], A)


# -- donated inputs -------------------------------------------------------------------------------


def test_a_donated_input_is_written_in_place() -> None:
    f = _compiled(lambda w, g: w - 0.1 * g, A, A, donated={0: 0})
    w, g = A.copy(), A + 1
    assert f(w, g) is w
    np.testing.assert_allclose(w, A - 0.1 * g)


def test_a_donated_input_that_is_still_read_is_written_last() -> None:
    def step(w: Any, x: Any) -> Any:
        turned = w[::-1] * 2 + x  # reads other entries than it writes
        return turned, np.sum(w * w, axis=0)

    f = _compiled(step, A, A, result=(0, 1), donated={0: 0})
    w = A.copy()
    new, sums = f(w, A)
    assert new is w
    np.testing.assert_allclose(new, A[::-1] * 2 + A)
    np.testing.assert_allclose(sums, np.sum(A * A, axis=0))


def test_a_donated_input_that_is_a_result_too_keeps_its_numbers_there() -> None:
    f = _compiled(lambda w, g: (w - g, w, g), A, A, result=(0, 1, 2), donated={0: 0})
    w, g = A.copy(), A + 1
    new, old, other = f(w, g)
    assert new is w
    assert (new == A - g).all()
    assert (old == A).all()
    assert (other == g).all()


def test_inputs_that_change_places() -> None:
    f = _compiled(lambda a, b: (b, a), A, A, result=(0, 1), donated={0: 0, 1: 1})
    a, b = A.copy(), A + 1
    first, second = f(a, b)
    assert (first == A + 1).all()
    assert (second == A).all()


def test_a_result_that_is_there_twice_may_be_donated_to() -> None:
    def twice(a: Any, b: Any) -> Any:
        y = a * b
        return y, y

    for donated in ({0: 0}, {1: 1}, {0: 1, 1: 0}):
        f = _compiled(twice, A, A, result=(0, 1), donated=donated)
        first, second = f(A.copy(), A + 1)
        assert (first == A * (A + 1)).all()
        assert (second == A * (A + 1)).all()
        assert not np.may_share_memory(first, second)


def test_an_input_is_donated_once() -> None:
    with pytest.raises(ValueError, match="an input can be donated to one output only"):
        _compiled(lambda a, b: (a - b, a + b), A, A, result=(0, 1), donated={0: 0, 1: 0})


def test_an_index_out_of_bounds_leaves_a_donated_input_as_it_was() -> None:
    rows = np.array([0.0, 2.0, 1.0])

    def update(w: Any, rows: Any) -> Any:
        moved = w * 2
        return moved, moved[rows.astype(np.int64)]

    def refused(*_: Any) -> Any:
        raise IndexError("refused")

    program = Program(schedule(cr.trace(update)(A, rows)), {0: 0}, arguments=(0, 1), result=(0, 1))
    f = program.function(refused, "update")
    assert f is not None
    w = A.copy()
    with pytest.raises(IndexError):
        f(w, np.array([0.0, 3.0, 1.0]))
    assert (w == A).all()
    with pytest.raises(IndexError, match=r"an index is out of bounds at test_entry\.py"):
        program([w, np.array([0.0, -4.0, 1.0])])
    assert (w == A).all()
    assert f(w, rows)[0] is w
    assert (w == A * 2).all()


@pytest.mark.parametrize("overlap", ["the same", "a view"])
def test_a_donated_input_that_overlaps_goes_to_the_fallback(overlap: str) -> None:
    f = _compiled(lambda w, g: w - 0.1 * g, B[:2], B[:2], donated={0: 0})
    block = np.arange(3.0)
    w, g = (block[:2], block[:2]) if overlap == "the same" else (block[:2], block[1:])
    assert f(w, g)[0] == "fallback"
    assert (block == np.arange(3.0)).all()


def test_a_donated_input_that_is_read_only_goes_to_the_fallback() -> None:
    f = _compiled(lambda w, g: w - 0.1 * g, A, A, donated={0: 0})
    w = A.copy()
    w.flags.writeable = False
    assert f(w, A)[0] == "fallback"


def test_what_is_donated_must_have_the_results_shape() -> None:
    with pytest.raises(ValueError, match="cannot be donated to output 0"):
        _compiled(_product, A, B, donated={0: 1})


# -- memory ---------------------------------------------------------------------------------------


def test_nothing_leaks_and_nothing_is_freed_too_early() -> None:
    f = _compiled(
        lambda a, b: (a * b, np.sum(a)), A, B, arguments=([0], {"b": 1}), result=({"y": 0}, [1])
    )
    a, b = A.copy(), B.copy()
    counted = (a, b, a.dtype, np.ndarray, None, "b", "y")
    gc.collect()
    before = [sys.getrefcount(each) for each in counted]
    blocks = []
    for _ in range(3):
        for _ in range(1000):
            f([a], {"b": b})
            f([a], {"b": a})
        gc.collect()
        blocks.append(sys.getallocatedblocks())
    after = [sys.getrefcount(each) for each in counted]
    # a leak would be of thousands; what other tests left behind may go meanwhile
    assert all(abs(x - y) < 900 for x, y in zip(before, after, strict=True)), (before, after)
    assert abs(blocks[2] - blocks[1]) < 900


def test_the_function_holds_what_it_needs_and_is_freed_with_it() -> None:
    def build() -> tuple[Callable[..., Any], weakref.ref[Program]]:
        program = Program(schedule(cr.trace(_product)(A, B)), arguments=(0, 1), result=0)
        found = program.function(_fallback, "function")
        assert found is not None
        return found, weakref.ref(program)

    f, program = build()
    gc.collect()
    assert program() is None
    assert (f(A, B) == A * B + 1).all()


def _rows(x: Any, w: Any) -> Any:
    h = np.tanh(x @ w)
    return np.sum((h @ w.T) ** 2, axis=0)


def test_calls_at_once_have_arenas_of_their_own() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(200, 60)), rng.normal(size=(60, 60))
    graph = cr.trace(_rows)(x, w)
    program = Program(schedule(graph), arguments=(0, 1), result=0)
    assert program.frame.arena_bytes > ON_THE_STACK
    f = program.function(_fallback, "rows")
    assert f is not None
    inputs = [x * k for k in range(1, 5)]
    wants = [f(each, w).tobytes() for each in inputs]
    wrong: list[int] = []

    def call(k: int) -> None:
        for _ in range(100):
            if f(inputs[k], w).tobytes() != wants[k]:
                wrong.append(k)

    callers = [threading.Thread(target=call, args=(k,)) for k in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not wrong
    np.testing.assert_allclose(np.frombuffer(wants[0]), _rows(x, w), rtol=1e-12)


# -- from Python ----------------------------------------------------------------------------------


def test_out_receives_the_results_and_may_overlap_with_inputs() -> None:
    program = Program(schedule(cr.trace(lambda a, b: a[::-1] * b)(A, B)))
    target = np.empty((3, 4))
    assert program([A, B], [target])[0] is target
    assert (target == A[::-1] * B).all()
    a = A.copy()
    program([a, B], [a])
    assert (a == A[::-1] * B).all()
    turned = np.empty((4, 3)).T
    program([A, B], [turned])
    assert (turned == A[::-1] * B).all()
    for wrong in (np.empty(3), np.empty((3, 4), "f4")):
        with pytest.raises(ValueError, match="out must be a writeable array"):
            program([A, B], [wrong])


@pytest.mark.parametrize("name", ["swapped bytes", "not in C order", "with steps", "not aligned"])
def test_arrays_that_lie_otherwise_are_copied(name: str) -> None:
    program = Program(schedule(cr.trace(_product)(A, B)))
    a, b = WRONG[name]
    np.testing.assert_array_equal(program([a, b])[0], a * b + 1)


@pytest.mark.parametrize("name", ["another shape", "float32", "integers", "a NumPy scalar"])
def test_arrays_of_another_kind_are_an_error_of_the_program(name: str) -> None:
    program = Program(schedule(cr.trace(_product)(A, B)))
    with pytest.raises(ValueError, match=r"input \d is .*; the program was compiled for float64"):
        program(WRONG[name])


def test_steps_of_the_interpreter_run_between_native_ones() -> None:
    def mixed(x: Any) -> Any:
        return np.sum(np.linalg.inv(np.exp(x) + 2 * np.eye(3)) @ x, axis=0), np.linalg.inv(x)

    x = np.random.default_rng(0).normal(size=(3, 3))
    program = Program(schedule(cr.trace(mixed)(x)), arguments=(0,), result=(0, 1))
    assert program.function(_fallback, "mixed") is None
    for found, want in zip(program([x]), mixed(x), strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-12)


def test_a_bound_program_reads_and_writes_the_same_arrays() -> None:
    program = Program(schedule(cr.trace(_product)(A, B)))
    a, b, target = A.copy(), B.copy(), np.empty((3, 4))
    bound = program.bind([a, b], [target])
    assert bound()[0] is target
    assert (target == A * B + 1).all()
    a += 1
    bound()
    assert (target == (A + 1) * B + 1).all()
    own = program.bind([a, b])
    assert own()[0] is own()[0]
    with pytest.raises(ValueError, match="input 0 cannot be bound"):
        program.bind([np.asfortranarray(A), B])
    with pytest.raises(ValueError, match="apart from the inputs"):
        program.bind([a, b], [a])
    with pytest.raises(ValueError, match="has 2 inputs, not 1"):
        program.bind([a])
    with pytest.raises(ValueError, match="has 1 outputs, not 2"):
        program.bind([a, b], [target, target])


def test_swapped_bytes_while_tracing_are_no_matter_of_the_program() -> None:
    def scaled(a: Any) -> Any:
        return a * np.arange(4.0).astype(">f8") + 1

    swapped = B.astype(">f8")
    program = Program(schedule(cr.trace(scaled)(swapped)))
    for given in (swapped, B):
        result = program([given])[0]
        assert (result == B * np.arange(4) + 1).all()
        assert result.dtype.isnative
