"""Which kernels common code becomes, and that they are right: counted, never timed."""

import numpy as np
import pytest

from chainrule import grad, trace, value_and_grad
from chainrule.native.lowering import Partial
from chainrule.native.nest import Load, Store
from chainrule.native.program import Program
from chainrule.native.schedule import schedule


def touches(loops, kind):
    """How many entries by entries a kernel's stages load or store, without partial results."""
    own = {k for k, a in enumerate(loops.arrays) if not isinstance(a, Partial)}
    statements = [s for s in loops.nest.statements() if isinstance(s, kind)]
    return [s for s in statements if s.access.array in own]


def test_a_chain_reads_its_input_once_and_writes_its_gradient_once(compiled, rng):
    def f(x):
        return np.sum(np.tanh(np.sin(x) * np.exp(-(x**2)) + x) ** 2)

    ran = compiled(grad(f), rng.normal(size=10_007))
    ran.assert_close()
    first = ran.loops[0]
    assert len(touches(first, Load)) == 1
    assert len(touches(first, Store)) == 1
    assert all(loops.nest.name.startswith(first.nest.name) for loops in ran.loops)


@pytest.mark.parametrize("n", [2, 3, 9, 100, 5000])
def test_the_gradient_of_rosenbrock(n, compiled, rng):
    """One kernel over the neighbours, the sum of its parts, and one over the gradient."""

    def f(x):
        low, high = x[:-1], x[1:]
        return np.sum(100.0 * (high - low**2) ** 2 + (1 - low) ** 2)

    ran = compiled(value_and_grad(f), rng.normal(size=n))
    ran.assert_close()
    assert not ran.interpreted
    assert len(ran.loops) <= 4


@pytest.mark.parametrize("shape", [(5, 7), (64, 10), (3, 1000), (2, 5000)])
def test_cross_entropy_and_its_gradient(shape, compiled, rng):
    labels = rng.integers(0, shape[1], shape[0])

    def f(x):
        x = x - np.max(x, axis=1, keepdims=True)
        scores = x - np.log(np.sum(np.exp(x), axis=1, keepdims=True))
        return -np.mean(scores[np.arange(len(labels)), labels])

    for dtype in ("float64", "float32"):
        ran = compiled(value_and_grad(f), rng.normal(size=shape).astype(dtype))
        ran.assert_close()
        assert not ran.interpreted


def test_a_variance_and_its_gradient_are_one_kernel(compiled, rng):
    """The numbers of a row are used several times after their sum was joined."""
    x = rng.normal(size=(5, 6, 7))
    ran = compiled(grad(lambda a: np.sum(np.var(a, axis=(1, 2)) ** 2)), x)
    ran.assert_close()
    assert len([s for s in ran.loops if s.nest.rows == (5,)]) == 1


@pytest.mark.parametrize("axis", [0, 1, 2, (0, 1), (1, 2), (0, 2), None])
@pytest.mark.parametrize("reduce", [np.sum, np.mean, np.max, np.min, np.var, np.prod, np.any])
def test_reductions_over_any_axes(reduce, axis, compiled, rng):
    for shape in [(3, 4, 5), (17, 2, 9), (1, 40, 3), (9, 1, 1)]:
        x = rng.normal(size=shape)
        compiled(lambda a: reduce(a, axis=axis), x).assert_close()
        compiled(lambda a: reduce(a.T * 2.0, axis=axis), x).assert_close()


MOVES = {
    "transposed": lambda a: a.T + np.ones(3),
    "backwards": lambda a: a[::-1, ::-2] * 2.0,
    "joined": lambda a: np.concatenate([a, a * 2, a[:, :1]], axis=1),
    "stacked": lambda a: np.stack([a, a + 1, a], axis=1) * 2,
    "rolled": lambda a: np.roll(a, (1, -2), (0, 1)) + a,
    "rolled twice along an axis": lambda a: np.roll(a, (1, 1), 1),
    "padded": lambda a: np.pad(a, ((1, 2), (0, 3))),
    "edges": lambda a: np.pad(a, 2, mode="reflect"),
    "triangles": lambda a: np.tril(a, 1) - np.triu(a, -1),
    "taken": lambda a: np.take(a, np.array([[0, -1], [1, 1]]), axis=1),
    "pairs": lambda a: a[np.arange(3), np.array([4, -5, 0])],
    "between slices": lambda a: a[1:, None, np.array([2, 0])],
    "repeated": lambda a: np.repeat(a, 3, axis=0),
    "tiled": lambda a: np.tile(a, (2, 2)),
    "diagonal": lambda a: np.diagonal(a, 1) * 2,
    "put on a diagonal": lambda a: np.diag(a[0], 1) + np.diag(a[0], -1),
    "every second": lambda a: a[::2, 1::3] ** 2,
    "differences": lambda a: np.diff(a, axis=1) ** 2,
    "by rows": lambda a: (a - a.mean(axis=0)) / a.std(axis=1, keepdims=True),
}


@pytest.mark.parametrize("name", MOVES)
def test_moved_entries_and_their_gradients(name, compiled, rng):
    f = MOVES[name]
    a = rng.normal(size=(3, 5))
    compiled(f, a).assert_close()
    compiled(grad(lambda a: np.sum(f(a) ** 3)), a).assert_close()


def test_an_index_that_is_out_of_bounds_is_noticed(rng):
    x = rng.normal(size=(4, 3))
    where = np.array([0.0, 1.0, 2.0, 1.0])

    def f(x, where):
        return x[np.arange(4), where.astype(int)]

    program = Program(schedule(trace(f)(x, where)))
    np.testing.assert_array_equal(program([x, where])[0], f(x, where))
    for wrong in (3.0, -4.0):
        with pytest.raises(IndexError):
            program([x, np.full(4, wrong)])
