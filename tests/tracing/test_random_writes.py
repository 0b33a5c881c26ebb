"""Random programs of reads, writes and views, played on traced arrays and on NumPy's own.

A program is text, one statement a line over the arrays a0, a1, …; a0 is the variable. Hypothesis
draws each line while it plays the program on plain arrays, so that every line fits, and on failure
prints the shortest program it found.
"""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.graph import Traced

X = np.array([[0.31, -1.27, 0.83, 0.55], [1.09, 0.47, -0.71, -0.13], [-0.93, 0.67, 0.19, 1.41]])
STEP = 1e-6


def play(program, x):
    """All arrays that the program leaves."""
    names = {"np": np, "a0": x}
    for line in program:
        exec(line, names)
    return [names[f"a{k}"] for k in range(len(names)) if f"a{k}" in names]


def slices(draw, size):
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    step = draw(st.sampled_from([1, 1, 2, -1]))
    if step == 1:
        return f"{start}:{stop}"
    return "::-1" if step == -1 else f"{start}:{stop}:2"


def index(draw, shape):
    """Slices and integers for the first axes."""
    parts = []
    for size in shape[: draw(st.integers(1, len(shape)))]:
        whole = draw(st.booleans())
        parts.append(slices(draw, size) if whole else str(draw(st.integers(-size, size - 1))))
    if draw(st.integers(0, 5)) == 0:
        parts.insert(draw(st.integers(0, len(parts))), "None")
    return ", ".join(parts)


def view(draw, name, array):
    kinds = [f"{name}.T", f"{name}.reshape(-1)", f"{name}.ravel()", f"np.flip({name})"]
    kinds += [f"{name}[None]", f"{name}.squeeze()", f"np.swapaxes({name}, 0, -1)", f"{name}.flat"]
    kinds += [f"np.diagonal({name})"] if array.ndim == 2 else []
    kinds += [f"np.broadcast_to({name}, (2, *{name}.shape))"] if array.size < 30 else []
    kinds += [f"{name}.reshape(2, -1)"] if array.size % 2 == 0 else []
    kinds += [f"np.moveaxis({name}, 0, -1)", f"{name}[...]", f"np.split({name}, 1)[0]"]
    kinds += [f"{name}[{index(draw, array.shape)}]"] * len(kinds)
    return draw(st.sampled_from(kinds)).replace(".flat", ".reshape(-1)")


def number_from(draw, arrays):
    """A number, or one computed from an entry of any array."""
    other = draw(st.sampled_from(sorted(arrays)))
    entry = f"{other}.reshape(-1)[{draw(st.integers(0, arrays[other].size - 1))}]"
    return draw(st.sampled_from(["0.3", "-1.7", f"0.5 * {entry}", f"np.sin({entry})"]))


def fitting(arrays, shape):
    """The names of the arrays that broadcast to `shape`."""
    return [name for name, a in sorted(arrays.items()) if _fits(a.shape, shape)]


def _fits(shape, target):
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def write(draw, name, arrays):
    array = arrays[name]
    number = number_from(draw, arrays)
    other = draw(st.sampled_from(fitting(arrays, array.shape)))
    operator = draw(st.sampled_from(["=", "+=", "-=", "*="]))
    places = draw(st.lists(st.integers(0, len(array) - 1), min_size=1, max_size=3))
    kinds = [
        f"{name}[{index(draw, array.shape)}] {operator} {number}",
        f"{name}[{index(draw, array.shape)}] {operator} {number}",
        f"{name}[{places}] {operator} {number}",
        f"{name}[np.array({places})] = {name}[np.array({places[::-1]})]",
        f"{name}[{name} > 0.11] {operator} {number}",
        f"{name} += {number}",
        f"np.add({other}, {number}, out={name})",
        f"{name} *= 0.5",
        f"np.multiply({name}, {number}, out={name})",
        f"np.tanh({name}, out={name})",
        f"np.add.at({name}, {places}, {number})",
        f"{name}.fill({number})",
        f"{name}[:] = {other}",
        f"{name}[...] {operator} np.cos({other})",
        f"{name}[...] = np.where({name} > 0.23, {other}, {number})",
        f"{name}[:] = {name}[::-1]",
        f"{name}[1:] += {name}[:-1]",
        f"{name}.T[...] = {name}.T * 0.5",
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def programs(draw):
    program, arrays = [], {"a0": X.copy()}
    names = {"np": np, **arrays}
    for _ in range(draw(st.integers(2, 12))):
        name = draw(st.sampled_from(sorted(arrays)))
        kind = draw(st.sampled_from(["view", "view", "write", "write", "write", "copy"]))
        if kind == "view":
            line = f"a{len(arrays)} = {view(draw, name, arrays[name])}"
        elif kind == "copy":
            line = f"a{len(arrays)} = np.cos({name}) + 0.1"
        elif arrays[name].flags.writeable:
            line = write(draw, name, arrays)
        else:
            continue
        exec(line, names)
        program.append(line)
        arrays = {k: v for k, v in names.items() if k[0] == "a" and np.ndim(v) > 0}
        names = {"np": np, **arrays}
    return program


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(programs())
def test_random_writes_are_those_of_numpy(program):
    expected = play(program, X.copy())
    value, pull = cr.vjp(lambda x: play(program, x), X)
    assert len(value) == len(expected)
    for found, plain in zip(value, expected, strict=True):
        assert not isinstance(found, Traced)
        np.testing.assert_allclose(found, plain, rtol=1e-12, atol=1e-12)

    t = np.cos(np.arange(12.0)).reshape(3, 4)
    _, moved = cr.jvp(lambda x: play(program, x), (X,), (t,))
    ahead, behind = play(program, X + STEP * t), play(program, X - STEP * t)
    gs = []
    for tangent, a, b in zip(moved, ahead, behind, strict=True):
        difference = (a - b) / (2 * STEP)
        scale = 1 + np.max(np.abs(difference)) + np.max(np.abs(a))
        # rounding ε / h = 2e-10 in each of a dozen statements
        np.testing.assert_allclose(tangent, difference, rtol=0, atol=1e-7 * scale)
        gs.append(np.sin(1 + np.arange(a.size)).reshape(a.shape))
    (pulled,) = pull(gs)
    left = sum(np.sum(g * tangent) for g, tangent in zip(gs, moved, strict=True))
    np.testing.assert_allclose(np.sum(pulled * t), left, rtol=1e-9, atol=1e-9)
