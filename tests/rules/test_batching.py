"""vmap of every record is the loop over examples, and so are its derivatives, in both orders.

The two add the same numbers in other orders: 1e-11 of the largest entry leaves room for the
condition numbers near 10 of the sampled matrices, and for products of three of their inverses.
"""

import itertools

import numpy as np

from chainrule import grad, jvp, vmap
from chainrule.graph import is_inexact, registry
from chainrule.primitives.batching import by_example

EXAMPLES = 3


def close(got, expected):
    for y, wanted in zip(listed(got), listed(expected), strict=True):
        wanted = np.asarray(wanted)
        scale = np.max(np.abs(wanted), initial=0.0) if wanted.dtype.kind in "fc" else 0
        assert np.shape(y) == wanted.shape
        assert np.asarray(y).dtype == wanted.dtype
        np.testing.assert_allclose(y, wanted, rtol=0, atol=1e-11 * scale)


def listed(value):
    return list(value) if isinstance(value, tuple | list) else [value]


def drawn(example, rng):
    """Inputs of some examples: drawn anew, or the fixed ones moved or turned round."""
    draws = [example.draw(rng) for _ in range(EXAMPLES)]
    inputs = []
    for number, argument in enumerate(draws[0].arguments):
        parts = [np.asarray(draw.arguments[number]) for draw in draws]
        if not callable(example.case.arguments[number]):
            fixed = np.asarray(argument)
            moved = fixed.dtype.kind in "fc"  # sorted bins stay sorted
            turns = range(EXAMPLES)
            parts = [fixed + 0.01 * k if moved else np.roll(fixed, k) for k in turns]
        inputs.append(np.stack(parts))
    return inputs, draws[0].params


def choices(count):
    """Which inputs are mapped: all, each alone, and all but one."""
    every = [True] * count
    alone = [[k == one for k in range(count)] for one in range(count)]
    others = [[k != one for k in range(count)] for one in range(count)]
    found = [every, *alone, *(o for o in others if any(o))]
    return [c for c, _ in itertools.groupby(sorted(found, reverse=True))]


def at(inputs, mapped, i):
    """The inputs of example i; those that are not mapped are those of the first."""
    return [x[i] if m else x[0] for x, m in zip(inputs, mapped, strict=True)]


def looped(function, inputs, mapped):
    results = [function(*at(inputs, mapped, i)) for i in range(EXAMPLES)]
    if isinstance(results[0], tuple):
        return tuple(np.stack(parts) for parts in zip(*results, strict=True))
    return np.stack(results)


def shared(inputs, mapped):
    return [x if m else x[0] for x, m in zip(inputs, mapped, strict=True)]


def axes(mapped, axis=0):
    return tuple(axis if m else None for m in mapped)


def test_vmap_is_the_loop_over_examples(example, rng):
    inputs, params = drawn(example, rng)

    def function(*xs):
        return example.record(*xs, **params)

    for mapped in choices(len(inputs)):
        expected = looped(function, inputs, mapped)
        close(vmap(function, axes(mapped))(*shared(inputs, mapped)), expected)
        last = [np.moveaxis(x, 0, -1) if m else x[0] for x, m in zip(inputs, mapped, strict=True)]
        got = vmap(function, axes(mapped, -1), out_axes=-1)(*last)
        close([np.moveaxis(y, -1, 0) for y in listed(got)], expected)


def test_vmap_of_vmap_is_two_loops(example, rng):
    inputs, params = drawn(example, rng)

    def function(*xs):
        return example.record(*xs, **params)

    every = [True] * len(inputs)
    expected = looped(function, inputs, every)
    twice = [np.stack([x, x[::-1]]) for x in inputs]
    got = listed(vmap(vmap(function))(*twice))
    for y, wanted in zip(got, listed(expected), strict=True):
        close(y, np.stack([wanted, wanted[::-1]]))


def summed(example, params, weights):
    """A real function of the inputs, for gradients: all floating outputs, weighted."""

    def function(*xs):
        outputs = listed(example.record(*xs, **params))
        floating = [y for y in outputs if is_inexact(y)]
        return sum(np.sum(np.real(y * w)) for y, w in zip(floating, weights, strict=True))

    return function


def test_derivatives_of_vmap_and_vmap_of_derivatives_are_loops(smooth_example, rng):
    example = smooth_example
    inputs, params = drawn(example, rng)
    outputs = listed(example.record(*[x[0] for x in inputs], **params))
    weights = [rng.normal(size=np.shape(y)) for y in outputs if is_inexact(y)]
    function = summed(example, params, weights)
    floating = tuple(k for k, x in enumerate(inputs) if is_inexact(x))
    tangents = [rng.normal(size=x.shape) for x in inputs]

    def slope(*xs_and_ts):
        xs, ts = list(xs_and_ts[: len(inputs)]), xs_and_ts[len(inputs) :]

        def moving(*moved):
            full = list(xs)
            for k, x in zip(floating, moved, strict=True):
                full[k] = x
            return function(*full)

        return jvp(moving, tuple(xs[k] for k in floating), ts)[1]

    for mapped in choices(len(inputs)):
        given = shared(inputs, mapped)
        gradients = looped(grad(function, floating), inputs, mapped)
        close(vmap(grad(function, floating), axes(mapped))(*given), gradients)

        def total(*xs, mapped=mapped):
            return np.sum(vmap(function, axes(mapped))(*xs))

        added = [
            g if mapped[k] else np.sum(g, axis=0) for k, g in zip(floating, gradients, strict=True)
        ]
        close(grad(total, floating)(*given), added)
        ts = [tangents[k] for k in floating]
        all_mapped = [*mapped, *(True for _ in ts)]
        slopes = looped(slope, [*inputs, *ts], all_mapped)
        close(vmap(slope, axes(all_mapped))(*given, *ts), slopes)


def test_second_derivatives_of_vmap_are_loops(smooth_example, rng):
    """vmap(grad(grad)) and grad(vmap(grad)), with everything mapped."""
    example = smooth_example
    inputs, params = drawn(example, rng)
    outputs = listed(example.record(*[x[0] for x in inputs], **params))
    weights = [rng.normal(size=np.shape(y)) for y in outputs if is_inexact(y)]
    function = summed(example, params, weights)
    floating = tuple(k for k, x in enumerate(inputs) if is_inexact(x))
    along = [rng.normal(size=x.shape[1:]) for x in inputs]

    def directional(*xs):
        found = grad(function, floating)(*xs)
        return sum(np.sum(np.real(g * along[k])) for k, g in zip(floating, found, strict=True))

    mapped = [True] * len(inputs)
    second = looped(grad(directional, floating), inputs, mapped)
    close(vmap(grad(directional, floating))(*inputs), second)
    close(grad(lambda *xs: np.sum(vmap(directional)(*xs)), floating)(*inputs), second)


def test_few_records_are_run_example_by_example():
    """Right and slow: results whose shapes depend on values, and what nobody has stated yet.

    At most a tenth of all records; the message names them, and the share may only fall.
    """
    records = [record for record in registry if record.form not in ("leaf", "call")]
    without = sorted(r.name for r in records if r.batch in (None, by_example))
    assert 10 * len(without) <= len(records), without
