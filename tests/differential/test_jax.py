"""Values and gradients of everything that NumPy and jax.numpy share, in float64.

They agree to 1e-9 of the largest entry on samples without ties, where conventions differ. Of a
symmetric matrix NumPy reads one triangle and JAX the mean of both: there the two gradients have to
agree on symmetric perturbations.
"""

import collections
import warnings
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

pytestmark = pytest.mark.deep

RELATIVE = 1e-9
PARTS = 4
AGREEING = 75  # functions in each part, 300 in all, with up to MOST rungs of the ladder each
DIFFERENTIATED = 55  # those among them whose gradient was compared: 220 in all
MOST = 3  # rungs for one function


def outputs_of(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def taken_out(arguments: tuple[Any, ...]) -> list[Any]:
    """The floating arrays among the arguments and in lists of them."""
    found = []
    for argument in arguments:
        if isinstance(argument, list | tuple):
            found += [a for a in argument if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        elif isinstance(argument, np.ndarray | float) and np.asarray(argument).dtype.kind == "f":
            found.append(argument)
    return found


def put_back(arguments: tuple[Any, ...], leaves: Any) -> list[Any]:
    remaining = iter(leaves)
    built: list[Any] = []
    for argument in arguments:
        if isinstance(argument, list | tuple):
            entries = [
                next(remaining) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
                for a in argument
            ]
            built.append(type(argument)(entries))
        elif isinstance(argument, np.ndarray | float) and np.asarray(argument).dtype.kind == "f":
            built.append(next(remaining))
        else:
            built.append(argument)
    return built


def symmetric(leaf: Any) -> bool:
    shape = np.shape(leaf)
    square = len(shape) > 1 and shape[-1] == shape[-2]
    return square and np.allclose(leaf, np.swapaxes(leaf, -1, -2))


def weights(shape: tuple[int, ...]) -> Any:
    return np.cos(np.arange(1.0, 1 + np.prod(shape, dtype=int))).reshape(shape)


def difference(got: Any, expected: Any) -> str | None:
    """What is wrong with an array, if anything."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return f"shape {got.shape}, not {expected.shape}"
    if expected.dtype.kind not in "fc":
        return None if np.array_equal(got, expected) else "other whole numbers"
    scale = np.max(np.abs(expected), initial=0.0)
    worst = np.max(np.abs(got - expected), initial=0.0)
    return None if worst <= RELATIVE * scale + 1e-15 else f"{worst:.2e} off, of {scale:.2e}"


def compare(function: Any, rung: Any, jax: Any, verdicts: collections.Counter) -> str | None:
    """Values and gradients at one rung; what is wrong, if anything."""
    leaves = taken_out(rung.arguments)

    def traced(*leaves: Any) -> list[Any]:
        return outputs_of(function.numpy(*put_back(rung.arguments, leaves), **rung.options))

    plain = traced(*leaves)
    if not leaves:
        return numbers_alone(function, rung, verdicts)
    values, pull = cr.vjp(traced, *leaves)
    for value, expected in zip(values, plain, strict=True):
        wrong = difference(value, expected)
        if wrong:
            return f"value {wrong}"
    verdicts["values"] += 1
    floating = [np.asarray(y).dtype.kind in "fc" for y in plain]
    if not any(floating):
        return None

    def loss(*leaves: Any) -> Any:
        total = 0.0
        built = put_back(rung.arguments, leaves)
        outputs = outputs_of(function.jax(*built, **rung.options))
        for y, counts in zip(outputs, floating, strict=True):
            if counts:
                w = weights(y.shape)
                total += jax.numpy.sum(w * y.real) + jax.numpy.sum(
                    w[::-1] * y.imag if w.ndim else 0
                )
        return total

    gs = []
    for y, counts in zip(plain, floating, strict=True):
        w = weights(np.shape(y))
        if np.iscomplexobj(y):
            w = w + (1j * w[::-1] if w.ndim else 0)
        gs.append(w if counts else None)
    try:
        expected = jax.grad(loss, argnums=tuple(range(len(leaves))))(*leaves)
    except (TypeError, NotImplementedError, ValueError):
        verdicts["JAX has no gradient"] += 1
        return None
    got = pull.from_leaves(gs)
    for mine, theirs, leaf in zip(got, expected, leaves, strict=True):
        wrong = difference(mine, theirs)
        if wrong and symmetric(leaf):
            mine, theirs = (a + np.swapaxes(a, -1, -2) for a in (mine, np.asarray(theirs)))
            wrong = difference(mine, theirs)
        if wrong and cut_by_jax(function, rung, got, expected, gs):
            verdicts["JAX cuts"] += 1
            return None
        if wrong:
            return f"gradient {wrong}"
    verdicts["gradients"] += 1
    return None


def numbers_alone(function: Any, rung: Any, verdicts: collections.Counter) -> str | None:
    """Without a floating argument nothing is differentiated: the values, for two equal examples."""
    leaves = [a for a in rung.arguments if isinstance(a, np.ndarray)]
    if not leaves or any(a.dtype.kind not in "biu" for a in leaves):
        return None

    def traced(*leaves: Any) -> list[Any]:
        remaining = iter(leaves)
        built = [next(remaining) if isinstance(a, np.ndarray) else a for a in rung.arguments]
        return outputs_of(function.numpy(*built, **rung.options))

    twice = cr.vmap(traced)(*(np.stack([a, a]) for a in leaves))
    for value, expected in zip(twice, traced(*leaves), strict=True):
        wrong = difference(value, np.stack([expected, expected]))
        if wrong:
            return f"value {wrong}"
    verdicts["values"] += 1
    return None


def cut_by_jax(function: Any, rung: Any, mine: list[Any], theirs: list[Any], gs: list[Any]) -> bool:
    """Whether JAX gives exactly 0 where differences of NumPy itself give what chainrule does."""
    leaves = taken_out(rung.arguments)
    if any(np.any(g) for g in theirs):
        return False
    rng = np.random.default_rng(3)
    ts = [rng.normal(size=np.shape(x)) for x in leaves]

    def total(h: float) -> Any:
        moved = put_back(rung.arguments, [x + h * t for x, t in zip(leaves, ts, strict=True)])
        ys = outputs_of(function.numpy(*moved, **rung.options))
        return sum(
            np.sum(np.real(np.conj(g) * y)) for g, y in zip(gs, ys, strict=True) if g is not None
        )

    slope = (total(1e-4) - total(-1e-4)) / 2e-4
    expected = sum(np.sum(g * t) for g, t in zip(mine, ts, strict=True))
    return bool(abs(slope - expected) <= 1e-6 * (1 + abs(expected)))  # an error of order h²


@pytest.mark.parametrize("part", range(PARTS))
def test_every_shared_function_agrees_with_jax(functions, jax, part):
    """In parts that run side by side; the bounds hold for each."""
    wrong: list[str] = []
    verdicts: dict[str, collections.Counter] = {}
    for function, find in functions[part::PARTS]:
        counted: collections.Counter = collections.Counter()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for rung in find():
                try:
                    found = compare(function, rung, jax, counted)
                except (errors.UnsupportedError, errors.ShapeError, TypeError, AttributeError):
                    counted["refused"] += 1  # loudly: never a wrong number
                    continue
                except errors.ChainruleError as error:
                    found = f"{type(error).__name__}: {error}"
                if found:
                    shapes = [
                        np.shape(a) if isinstance(a, np.ndarray) else a for a in rung.arguments
                    ]
                    wrong.append(f"{function.name}{shapes} {rung.options}: {found}")
                if found or counted["values"] == MOST:
                    break
        verdicts[function.name] = counted
    agreeing = [name for name, counted in verdicts.items() if counted["values"]]
    differentiated = [name for name, counted in verdicts.items() if counted["gradients"]]
    assert not wrong, "\n".join(wrong)
    assert len(agreeing) >= AGREEING, (len(agreeing), sorted(verdicts.keys() - set(agreeing)))
    assert len(differentiated) >= DIFFERENTIATED, len(differentiated)
