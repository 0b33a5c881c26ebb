"""The pool of threads: same results on any number of them, across forks, callers and the end."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.native.costs import MOST_PARTS, parts_of
from chainrule.native.driver import NativeStep
from chainrule.native.machine import machine
from chainrule.native.pool import pool, threads
from chainrule.native.program import Program
from chainrule.native.schedule import schedule


def _chain(x: Any) -> Any:
    return np.sum(np.tanh(np.sin(x) * np.exp(-(x**2)) + x) ** 2)


def _mixed(x: Any, w: Any) -> Any:
    h = np.tanh(x @ w)
    return np.sum(h * h, axis=0) + np.sum(np.exp(-h), axis=0)


X = np.random.default_rng(0).normal(size=(900, 64))
W = np.random.default_rng(1).normal(size=(64, 300)) / 8


@pytest.fixture(scope="module")
def mixed() -> Program:
    return Program(schedule(cr.trace(_mixed)(X, W)))


@pytest.fixture(autouse=True)
def _all_threads() -> Iterator[None]:
    count = threads()
    yield
    pool().limit(count)


def test_steps_with_much_work_are_cut() -> None:
    x = np.linspace(-3, 3, 10**6)
    planned = schedule(cr.trace(cr.grad(_chain))(x))
    cuts = [parts_of(step) for step in planned.steps if isinstance(step, NativeStep)]
    assert 8 <= max(cuts) <= MOST_PARTS
    small = schedule(cr.trace(cr.grad(_chain))(x[:100]))
    assert all(parts_of(step) == 1 for step in small.steps if isinstance(step, NativeStep))


def test_parts_that_are_fixed_by_the_shape_do_not_wake_threads_for_little_work() -> None:
    x = X[:16]
    program = Program(schedule(cr.trace(lambda x: np.sum(np.tanh(x), axis=0))(x)))
    assert any(isinstance(s, NativeStep) and parts_of(s) > 1 for s in program.schedule.steps)
    assert "call i64 @chainrule_parallel" not in program.text
    assert "call i64 @one_by_one" in program.text
    large = Program(schedule(cr.trace(_mixed)(X, W)))
    assert "call i64 @chainrule_parallel" in large.text


def test_the_number_of_threads_changes_no_bit(mixed: Program) -> None:
    found = []
    for count in (1, 2, 4):
        pool().limit(count)
        found += [mixed([X, W])[0].tobytes() for _ in range(20)]
    assert len(set(found)) == 1
    assert pool().started() >= 3
    np.testing.assert_allclose(np.frombuffer(found[0]), _mixed(X, W), rtol=1e-12)


def test_idle_threads_are_woken_again(mixed: Program) -> None:
    pool().limit(3)
    want = mixed([X, W])[0].tobytes()
    for pause in (0.0, 0.001, 0.02) * 5:
        threading.Event().wait(pause)  # the pool's threads go to sleep meanwhile
        assert mixed([X, W])[0].tobytes() == want


def test_several_callers_at_once(mixed: Program) -> None:
    pool().limit(2)
    want = mixed([X, W])[0].tobytes()
    wrong: list[int] = []

    def call(number: int) -> None:
        for _ in range(30):
            if mixed([X, W])[0].tobytes() != want:
                wrong.append(number)

    callers = [threading.Thread(target=call, args=(k,)) for k in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not wrong
    assert not any(caller.is_alive() for caller in callers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_after_a_fork_has_a_pool_of_its_own(mixed: Program) -> None:
    pool().limit(3)
    want = mixed([X, W])[0].tobytes()
    receive, send = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        before = pool().started()
        same = mixed([X, W])[0].tobytes() == want
        send.send((before, pool().started(), same))
        os._exit(0)
    assert receive.poll(30), "the child hangs"
    assert receive.recv() == (0, 2, True)
    assert os.waitpid(child, 0)[1] == 0
    assert mixed([X, W])[0].tobytes() == want


_PROGRAM = """
import numpy as np, chainrule as cr
from chainrule.native.machine import machine
from chainrule.native.pool import pool
from chainrule.native.program import Program
from chainrule.native.schedule import schedule
x = np.ones((900, 64)); w = np.ones((64, 300))
f = Program(schedule(cr.trace(lambda x, w: np.sum(np.tanh(x @ w), axis=0))(x, w)))
print(f([x, w])[0].sum(), pool().started())
"""


@pytest.mark.parametrize(("count", "started"), [("1", "0"), ("4", "3")])
def test_the_environment_sets_the_threads_and_the_process_ends(count: str, started: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", _PROGRAM],
        env={**os.environ, "CHAINRULE_NUM_THREADS": count},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[1] == started


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_a_number_of_threads_that_makes_no_sense(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_NUM_THREADS", text)
    with pytest.raises(ValueError, match="CHAINRULE_NUM_THREADS is"):
        threads()


_COUNTING = """
define i64 @count(ptr %frame, i64 %part) {
  %place = getelementptr i64, ptr %frame, i64 %part
  %old = atomicrmw add ptr %place, i64 1 monotonic, align 8
  ret i64 %part
}
"""


def test_every_part_is_done_exactly_once() -> None:
    pool().limit(5)  # more than processors, so that threads are interrupted anywhere
    module = machine().compile(_COUNTING)
    run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(
        pool().address
    )
    task = module.address("count")
    wrong: list[int] = []

    def call(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(3000):
            parts = int(rng.integers(1, 40))
            counts = np.zeros(parts, np.int64)
            total = run(task, counts.ctypes.data, parts)
            if total != parts * (parts - 1) // 2 or (counts != 1).any():
                wrong.append(parts)

    callers = [threading.Thread(target=call, args=(k,)) for k in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(100)
    assert not wrong
    assert not any(caller.is_alive() for caller in callers)


_AT_THE_END = """
import threading, time, numpy as np, chainrule as cr
from chainrule.native.program import Program
from chainrule.native.schedule import schedule
x = np.ones((900, 640)); w = np.ones((640, 640))
f = Program(schedule(cr.trace(lambda x, w: np.tanh(x @ w) @ w.T)(x, w)),
            arguments=(0, 1), result=0).function(print, "f")
def endless():
    while True:
        f(x, w)
for _ in range(3):
    threading.Thread(target=endless, daemon=True).start()
time.sleep(0.2)
"""


def test_a_process_may_end_while_other_threads_compute() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-c", _AT_THE_END],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
