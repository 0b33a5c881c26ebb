"""Every function that NumPy and jax.numpy share, and arguments that both of them take.

Nothing here names a function: the functions are those in both libraries that NumPy's protocols hand
over (ufuncs, and functions that dispatch), and the arguments are a ladder of usual ones, of which
each function gets the rungs that NumPy and JAX accept and agree on.
"""

import functools
import importlib
import itertools
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

MODULES = ("", "linalg", "fft")
RELATIVE = 1e-9
NUMBERS = (np.ndarray, np.generic, float, int, bool)


class Shared(NamedTuple):
    """A function of both libraries, under its name in NumPy."""

    name: str
    numpy: Any
    jax: Any


class Rung(NamedTuple):
    """Arguments: a tuple of positional ones and keywords."""

    arguments: tuple[Any, ...]
    options: dict[str, Any]


def dispatches(function: Any) -> bool:
    """Whether calls on traced arrays reach chainrule."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


def shared_functions(jax_numpy: types.ModuleType) -> list[Shared]:
    """By NumPy's objects: a function under two names is one function."""
    found: dict[int, Shared] = {}
    for module in MODULES:
        ours = getattr(np, module) if module else np
        theirs = getattr(jax_numpy, module) if module else jax_numpy
        for name in sorted(set(dir(ours)) & set(dir(theirs))):
            function = getattr(ours, name)
            if name.startswith("_") or not callable(function) or not dispatches(function):
                continue
            full = f"{module}.{name}" if module else name
            found.setdefault(id(function), Shared(full, function, getattr(theirs, name)))
    return sorted(found.values())


def apart(rng: np.random.Generator, *shape: int, low: float = 0.15, high: float = 0.85) -> Any:
    """Numbers between the ends, no two closer than half of an even spacing: no ties, no kinks."""
    size = int(np.prod(shape))
    spacing = (high - low) / max(size, 1)
    values = low + spacing * (np.arange(size) + rng.uniform(0.25, 0.75, size))
    return rng.permutation(values).reshape(shape)


def ladder() -> list[Rung]:
    """Usual arguments, the commonest first."""
    rng = np.random.default_rng(20)
    x, y, z = (apart(rng, 3, 4) for _ in range(3))
    signed = apart(rng, 3, 4, low=-1.7, high=1.7)
    large = apart(rng, 3, 4, low=1.2, high=2.8)
    v, w = apart(rng, 4), apart(rng, 4, low=-1.0, high=1.0)
    cube = apart(rng, 2, 3, 4)
    square = apart(rng, 3, 3) + 2 * np.eye(3)
    definite = square @ square.T
    stack = apart(rng, 2, 3, 3) + 2 * np.eye(3)
    tall, three, other = apart(rng, 4, 3), apart(rng, 3), apart(rng, 3, low=-1.0, high=1.0)
    scalar = 0.37
    mask = rng.uniform(size=(3, 4)) < 0.5
    indices = np.array([2, 0, 1])
    along = rng.integers(0, 3, size=(3, 4))
    one: list[tuple[Any, ...]] = [
        (x,),
        (signed,),
        (v,),
        (cube,),
        (definite,),
        (stack,),
        (large,),
        (scalar,),
        (tall,),
    ]
    two: list[tuple[Any, ...]] = [
        (x, y),
        (signed, w),
        (large, x),
        (v, w),
        (definite, three),
        (x, tall),
        (three, other),
        (cube, v),
        (x, scalar),
        (stack, definite),
    ]
    lists: list[tuple[Any, ...]] = [
        ([x, y, z],),
        ((v, w),),
        ([definite, stack[0]],),
        ([x, y], 1),
        ([mask, ~mask], [x, y]),
    ]
    special: list[tuple[Any, ...]] = [
        (mask, x, y), (mask, x), (x, 1), (x, 2), (cube, 1, 2), (cube, 0, -1), (cube, (1, 2)),
        (x, (4, 3)), (v, (3, 4)), (x, indices), (x, indices, 0), (x, along, 0), (x, 0.3),
        (x, 0.2, 0.6), (x, 0.4, 1), (v, 3), (x, [1, 2], 0), (x, 1, 0), (x, ((1, 1), (0, 2))),
        ("ij,jk->ik", x, tall), ("ij,ij", x, y), (indices, [three, other, three]), (three, 1.0, 5),
        (scalar, 1.5, 4), (x, 2.5, 4), (three, np.sort(three), other), (lambda a: a * a, 0, x),
        (x, [0], [1]), (v, w, "full"), (x, y, 1), (definite, -2), (three, other, 0),
        (np.sort(three), x), (x, v, w), (v, 2), (x, 3, 1), (three, 3),
    ]  # fmt: skip
    whole = rng.integers(1, 12, size=(3, 4))
    whole_numbers: list[tuple[Any, ...]] = [(whole, whole.T[0, 0]), (whole, whole + 1), (whole,)]
    keywords: list[Rung] = [
        Rung((x,), {"axis": 0}),
        Rung((cube,), {"axis": (0, 2)}),
        Rung((cube,), {"axis": -1, "keepdims": True}),
        Rung((x,), {"where": mask, "axis": 0, "initial": 0.5}),
        Rung((x, y), {"axis": 1}),
        Rung((x, 0.3), {"axis": 0}),
        Rung((x,), {"ord": 1}),
        Rung((x,), {"ord": "nuc"}),
        Rung((cube,), {"axes": (2, 0, 1)}),
        Rung((x,), {"offset": 1}),
    ]
    in_turn = [one[:3], two[:3], lists, special, one[3:], two[3:]]  # several shapes of each kind
    for rung in itertools.chain(*in_turn, whole_numbers):
        for argument in rung:
            if isinstance(argument, np.ndarray):
                argument.flags.writeable = False  # a second array is `out=` to many a function
    plain = [Rung(arguments, {}) for arguments in itertools.chain(*in_turn, whole_numbers)]
    return plain[:6] + keywords + plain[6:]


def outputs_of(result: Any) -> list[Any]:
    """The arrays in a result: of tuples and lists each, one deep."""
    return list(result) if isinstance(result, tuple | list) else [result]


def close(got: Any, expected: Any) -> bool:
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape or got.dtype == object:
        return False
    if expected.dtype.kind not in "fc":
        return bool(np.array_equal(got, expected))
    scale = np.max(np.abs(expected), initial=0.0)
    return bool(np.all(np.abs(got - expected) <= RELATIVE * scale))


def agreed(function: Shared, rung: Rung) -> list[Any] | None:
    """The outputs on which NumPy and JAX agree; None if one refuses, or they differ."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            ours = outputs_of(function.numpy(*rung.arguments, **rung.options))
            if not all(isinstance(y, NUMBERS) for y in ours):
                return None
            theirs = outputs_of(function.jax(*rung.arguments, **rung.options))
        except REFUSALS:
            return None
    same = len(ours) == len(theirs) and all(map(close, theirs, ours))
    finite = all(np.all(np.isfinite(y)) for y in ours if np.asarray(y).dtype.kind in "fc")
    return ours if same and finite else None


REFUSALS = (
    TypeError, ValueError, IndexError, AttributeError, NotImplementedError, AssertionError,
    KeyError, ZeroDivisionError, OverflowError,
)  # fmt: skip
"""How NumPy and JAX refuse arguments that a function does not take."""


@functools.cache
def rungs() -> list[Rung]:
    """The ladder, drawn once: the same arrays for every function."""
    return ladder()


def rungs_of(function: Shared) -> Iterator[Rung]:
    """The rungs that a function takes, one after the other: finding them takes a while."""
    return (rung for rung in rungs() if agreed(function, rung) is not None)


@pytest.fixture(scope="session")
def jax() -> types.ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("jax")
        module.config.update("jax_enable_x64", True)
        importlib.import_module("jax.numpy.linalg")
        importlib.import_module("jax.numpy.fft")
    return module


@pytest.fixture(scope="session")
def functions(jax: types.ModuleType) -> list[tuple[Shared, Callable[[], Iterator[Rung]]]]:
    """Each shared function with what finds its rungs."""
    return [(f, functools.partial(rungs_of, f)) for f in shared_functions(jax.numpy)]


@pytest.fixture(autouse=True)
def _writes_go_elsewhere(tmp_path, monkeypatch):
    """Among the shared functions are `save` and `savez`, to which a subscript is a file's name."""
    monkeypatch.chdir(tmp_path)
