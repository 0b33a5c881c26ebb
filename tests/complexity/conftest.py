"""What counts operations and bytes, so that nothing here depends on a clock."""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest


class Count:
    """Operations that NumPy carried out, and the entries of the largest array in each."""

    def __init__(self) -> None:
        self.operations = 0
        self.entries = 0
        self.names: dict[str, int] = {}

    def add(self, name: str, arrays: list[Any]) -> None:
        self.operations += 1
        self.entries += max((np.size(a) for a in arrays), default=0)
        self.names[name] = self.names.get(name, 0) + 1


class Counted(np.ndarray):
    """An array that counts the NumPy operations which it takes part in, and so do their results.

    It sees the user's operations and those of the derivative rules alike; views cost nothing.
    """

    count: Count

    def __array_finalize__(self, source: Any) -> None:
        self.count = getattr(source, "count", Count())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [_plain(value) for value in inputs]
        if "out" in options:
            options["out"] = tuple(_plain(value) for value in options["out"])
        result = getattr(ufunc, method)(*plain, **options)
        self.count.add(ufunc.__name__, [*plain, result])
        return counted(result, self.count)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(function, types, args, kwargs)
        if function not in _WITHOUT_WORK:
            self.count.add(function.__name__, [result])
        return result


_WITHOUT_WORK = {np.broadcast_to, np.reshape, np.ndim, np.shape, np.transpose, np.swapaxes}


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Counted) else value


def counted(value: Any, count: Count) -> Any:
    """`value` as an array that reports to `count`."""
    if isinstance(value, tuple):
        return tuple(counted(v, count) for v in value)
    array = np.asarray(value).view(Counted)
    array.count = count
    return array


@pytest.fixture
def cost() -> Callable[..., Count]:
    """`cost(f, x, …)`: what NumPy does while `f(x, …)` runs, for arrays x."""

    def measure(f: Callable[..., Any], *arrays: Any) -> Count:
        count = Count()
        f(*(counted(np.array(a), count) for a in arrays))
        return count

    return measure


@pytest.fixture(autouse=True, scope="module")
def _what_was_there_before() -> Iterator[None]:
    """The objects of other tests are taken from the collector, which runs at every measurement."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def peak() -> Callable[[Callable[[], Any]], int]:
    """`peak(run)`: the largest number of bytes that `run()` holds at a time, by tracemalloc."""

    def measure(run: Callable[[], Any]) -> int:
        run()  # caches fill here
        gc.collect()
        tracemalloc.start()
        try:
            run()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure


@pytest.fixture
def held() -> Callable[[Callable[[], Any]], int]:
    """`held(run)`: the bytes that the result of `run()` keeps alive, by tracemalloc."""

    def measure(run: Callable[[], Any]) -> int:
        run()
        gc.collect()
        tracemalloc.start()
        try:
            result = run()
            gc.collect()
            size = tracemalloc.get_traced_memory()[0]
            assert sys.getrefcount(result) >= 1  # it lives until here
            return size
        finally:
            tracemalloc.stop()

    return measure
