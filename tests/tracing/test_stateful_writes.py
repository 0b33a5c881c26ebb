"""Reads, writes and views in any order, on traced arrays and on NumPy's own side by side.

Every statement runs in four worlds: on plain arrays, on plain arrays a small step ahead and behind,
and on dual numbers. After each, all arrays of the dual world hold NumPy's values, and tangents that
are the difference of the worlds ahead and behind. In the end the whole program is played again in
reverse mode, whose gradient has to be the adjoint of those tangents.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

import chainrule as cr
from chainrule import errors

X = np.array([[0.31, -1.27, 0.83, 0.55], [1.09, 0.47, -0.71, -0.13], [-0.93, 0.67, 0.19, 1.41]])
T = np.cos(np.arange(12.0)).reshape(3, 4)
STEP = 1e-6
MOST_ENTRIES = 60
REFUSED = (ValueError, IndexError, TypeError, np.exceptions.ComplexWarning)

OPERATORS = st.sampled_from(["=", "+=", "-=", "*="])
NUMBERS = st.sampled_from(["0.3", "-1.7", "np.sin({0}.flat[0])", "0.5 * {0}.ravel()[-1]", "2"])


def slices(draw, size):
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    return draw(st.sampled_from([f"{start}:{stop}", f"{start}:", f":{stop}:2", "::-1", ":"]))


def index(draw, shape):
    """Slices, whole numbers, None and an ellipsis for the first axes."""
    parts = []
    for size in shape[: draw(st.integers(1, len(shape)))]:
        whole = draw(st.booleans())
        parts.append(slices(draw, size) if whole else str(draw(st.integers(-size, size - 1))))
    extra = draw(st.sampled_from(["", "", "", "None", "..."]))
    return ", ".join([*parts, extra] if extra else parts)


def places(draw, size):
    found = draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=3))
    return draw(st.sampled_from([f"{found}", f"np.array({found})"]))


VIEWS = (
    *("{0}.T", "{0}.reshape(-1)", "{0}.ravel()", "np.flip({0})", "{0}[None]", "{0}[...]"),
    *("{0}.squeeze()", "np.swapaxes({0}, 0, -1)", "np.moveaxis({0}, 0, -1)", "{0}.real"),
    *("np.atleast_2d({0})", "np.expand_dims({0}, -1)", "np.split({0}, 1)[0]", "{0}.imag"),
    *("{0}.diagonal()", "np.diagonal({0})", "{0}.reshape(2, -1)", "np.rot90({0})"),
    *("np.broadcast_to({0}, (2, *{0}.shape))", "{0}.transpose()"),
)
COPIES = (
    *("{0}.copy()", "np.cos({0}) + 0.1", "{0}[{0}.real > 0.11]", "np.sort({0}, axis=-1)"),
    *(
        "{0} * (1 + 2j)",
        "np.zeros_like({0})",
        "np.stack([{0}, {0}])",
        "np.where({0} > 0.2, {0}, 1)",
    ),
    *("{0}[[0, -1]]", "np.concatenate([{0}, {0}])", "np.repeat({0}, 2)", "{0}.flatten()"),
    *("{0}.astype({0}.dtype)", "np.exp(0.1 * {0})", "+{0}"),
)
WHOLE = (
    *("{0} += {n}", "{0} *= 0.5", "{0} -= np.tanh({0})", "{0}[...] = np.cos({0})", "{0}.fill({n})"),
    *("np.add({0}, {n}, out={0})", "np.tanh({0}, out={0})", "np.multiply({0}, {0}, out={0})"),
    *("{0}[:] = {0}[::-1]", "{0}[1:] += {0}[:-1]", "{0}.T[...] = {0}.T * 0.5", "{0}.flat[1] = {n}"),
    *(
        "{0}.sort()",
        "np.copyto({0}, {n})",
        "np.copyto({0}, {n}, where={0} > 0.1)",
        "{0}.real = {n}",
    ),
    *("np.put({0}, [0, 1], {n})", "np.putmask({0}, {0} > 0.3, {n})", "np.fill_diagonal({0}, {n})"),
    *("np.subtract(1, {0}, out={0}, where={0} > 0)", "np.clip({0}, -0.9, 0.9, out={0})"),
    *("np.sin({0}[:1], out={0}[:1])", "{0}[{0} > 0.11] *= {n}", "{0}.real *= 1.1"),
)


class Writes(RuleBasedStateMachine):
    """The four worlds; `program` is every statement that NumPy took."""

    names = Bundle("names")

    @initialize(target=names)
    def begin(self):
        self.program = []
        starts = (X.copy(), X + STEP * T, X - STEP * T, cr.Dual(X.copy(), T))
        self.worlds = [{"np": np, "a0": start} for start in starts]
        return "a0"

    @property
    def plain(self):
        return self.worlds[0]

    def run(self, line):
        """Play a statement in every world; whether it was taken. What NumPy refuses, we refuse."""
        try:
            exec(line, self.worlds[3])
        except errors.UnsupportedError:
            return False
        except REFUSED:
            with pytest.raises(REFUSED):
                exec(line, self.plain)
            return False
        for world in self.worlds[:3]:
            exec(line, world)
        self.program.append(line)
        return True

    def named(self, expression):
        """A new name for what an expression gives; the old name where it gives nothing usable."""
        name = f"a{sum(key[0] == 'a' for key in self.plain)}"
        if not self.run(f"{name} = {expression}"):
            return None
        made = self.plain[name]
        if np.ndim(made) == 0 or made.size == 0 or made.size > MOST_ENTRIES:
            for world in self.worlds:
                del world[name]
            self.program.pop()
            return None
        return name

    @rule(target=names, name=names, data=st.data())
    def sliced(self, name, data):
        return self.named(f"{name}[{index(data.draw, self.plain[name].shape)}]") or name

    @rule(target=names, name=names, view=st.sampled_from(VIEWS))
    def viewed(self, name, view):
        if ".imag" in view and self.plain[name].dtype.kind != "c":
            return name  # of a real array it is no view, but zeros
        return self.named(view.format(name)) or name

    @rule(target=names, name=names, copy=st.sampled_from(COPIES))
    def copied(self, name, copy):
        return self.named(copy.format(name)) or name

    @rule(name=names, other=names, statement=st.sampled_from(WHOLE), number=NUMBERS)
    def written(self, name, other, statement, number):
        self.run(statement.format(name, n=number.format(other)))

    @rule(name=names, other=names, operator=OPERATORS, number=NUMBERS, data=st.data())
    def written_at(self, name, other, operator, number, data):
        shape = self.plain[name].shape
        kinds = [index(data.draw, shape), places(data.draw, shape[0]), f"{name} > 0.11"]
        at = data.draw(st.sampled_from(kinds))
        self.run(f"{name}[{at}] {operator} {number.format(other)}")

    @rule(name=names, other=names, operator=OPERATORS)
    def written_over(self, name, other, operator):
        self.run(f"{name}[...] {operator} {other}")

    @rule(name=names, other=names, number=NUMBERS, data=st.data())
    def added_at(self, name, other, number, data):
        at = places(data.draw, len(self.plain[name]))
        if not self.plain[name].flags.writeable:
            return  # NumPy's ufunc.at writes into what is read-only
        ufunc = data.draw(st.sampled_from(["np.add", "np.subtract"]))
        self.run(f"{ufunc}.at({name}, {at}, {number.format(other)})")

    @rule(name=names, number=NUMBERS)
    def refused_by_a_plain_array(self, name, number):
        """What cannot hold a traced value raises, and says how to make what can."""
        for statement in ("p[0] = {0}.ravel()[0]", "p += {0}.ravel()[0]", "np.sin({0}, out=q)"):
            world = {**self.worlds[3], "p": np.zeros(3), "q": np.zeros(self.plain[name].shape)}
            with pytest.raises((errors.WriteError, ValueError)) as caught:
                exec(statement.format(name), world)
            error = caught.value
            ours = error if isinstance(error, errors.WriteError) else error.__cause__
            assert "np.zeros_like(x)" in str(ours)
            assert np.all(world["p"] == 0)

    @invariant()
    def all_arrays_agree(self):
        plain, ahead, behind, dual = self.worlds
        for name, array in plain.items():
            if name[0] != "a":
                continue
            found = dual[name]
            if not isinstance(found, cr.Dual):  # not reached by the variable
                found = cr.Dual(np.asarray(found) * 1.0, 0.0)
            np.testing.assert_allclose(found.snapshot().value, array, rtol=1e-12, atol=1e-12)
            assert (found.shape, found.dtype) == (array.shape, array.dtype)
            difference = (ahead[name] - behind[name]) / (2 * STEP)
            scale = 1 + np.max(np.abs(difference)) + np.max(np.abs(array))
            # rounding ε / h = 2e-10 in each of some dozens of statements
            np.testing.assert_allclose(found.tangent, difference, rtol=0, atol=1e-6 * scale)

    def teardown(self):
        if not getattr(self, "program", None):
            return
        kept = [n for n, a in self.plain.items() if n[0] == "a" and a.dtype.kind in "fc"]

        def play(x):
            world = {"np": np, "a0": x}
            for line in self.program:
                exec(line, world)
            return [world[name] for name in kept]

        _, pull = cr.vjp(play, X)
        gs = [np.sin(1 + np.arange(self.plain[n].size)).reshape(self.plain[n].shape) for n in kept]
        tangents = [getattr(self.worlds[3][n], "tangent", 0.0) for n in kept]
        left = sum(np.sum(np.real(g * t)) for g, t in zip(gs, tangents, strict=True))
        typed = [g.astype(self.plain[n].dtype) for g, n in zip(gs, kept, strict=True)]
        right = np.sum(pull(typed)[0] * T)
        size = 1 + sum(np.sum(np.abs(t)) for t in tangents)
        np.testing.assert_allclose(right, left, rtol=1e-9, atol=1e-11 * size)


TestWrites = Writes.TestCase
TestWrites.settings = settings(
    stateful_step_count=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
