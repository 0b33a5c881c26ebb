"""Steps and places: products that are added, results in the place of what ends, and the report."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import interpreter
from chainrule.native.in_place import same_places
from chainrule.native.lowering import Loops
from chainrule.native.nest import Compute
from chainrule.native.products import Product
from chainrule.native.program import Program
from chainrule.native.report import report
from chainrule.native.schedule import schedule, size_of, touched
from chainrule.passes.simplify import simplify
from chainrule.planning import Lifetime, lifetimes, place


def run(f, *args):
    """The schedule of a simplified function, checked against the interpreter."""
    graph = cr.trace(f)(*args)
    found = schedule(simplify(graph))
    given = [np.array(a) for a in args]
    for got, want in zip(Program(found)(given), interpreter.run(graph, *args), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    for before, after in zip(args, given, strict=True):
        np.testing.assert_array_equal(before, after)
    return found


def products(found):
    return [step for step in found.steps if isinstance(step, Product)]


def test_an_update_is_one_product(rng):
    w, h, g = rng.normal(size=(30, 20)), rng.normal(size=(8, 30)), rng.normal(size=(8, 20))
    found = run(lambda w, h, g: w - 0.1 * (h.T @ g), w, h, g)
    (step,) = found.steps
    assert isinstance(step, Product)
    assert step.scale == -0.1
    assert step.start == (found.graph.inputs[0], 0)


def test_two_products_share_their_memory(rng):
    x, w, u = (rng.normal(size=(16, 16)) for _ in range(3))
    found = run(lambda x, w, u: np.sum(np.tanh(x @ w + w @ u)), x, w, u)
    first, second = products(found)
    assert second.start == first.out
    assert found.arena.offsets[first.out] == found.arena.offsets[second.out]


def test_an_activation_takes_the_place_of_its_product(rng):
    x, w, u, b = rng.normal(size=(16, 8)), rng.normal(size=(8, 32)), rng.normal(size=(32, 8)), 0.5
    found = run(lambda x, w, u: np.maximum(x @ w + b, 0.0) @ u, x, w, u)
    first, second = products(found)
    assert found.arena.offsets[first.out] == found.arena.offsets[second.left.base]
    assert found.arena.size == size_of(first.out)


def test_what_is_read_again_keeps_its_place(rng):
    x, w = rng.normal(size=(16, 16)), rng.normal(size=(16, 16))

    def f(x, w):
        z = x @ w
        h = np.tanh(z)
        return h @ z, z[::-1] @ h

    found = run(f, x, w)
    first = products(found)[0]
    others = [s for s in found.steps if isinstance(s, Loops)]
    for step in others:
        for array in touched(step, found.views)[1]:
            assert found.arena.offsets.get(array) != found.arena.offsets[first.out]


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.exp(z - np.max(z, axis=1, keepdims=True)) @ z,
        lambda z: (z @ z)[::-1] * 2.0 @ z,
        lambda z: (lambda p: (p + p.T) @ z)(z @ z),
        lambda z: (lambda p: (p - p[:, :1]) @ z)(z @ z),
        lambda z: (lambda p: np.cumsum(p, axis=0) @ z)(z @ z),
        lambda z: (lambda p: np.roll(p, 1, axis=0) @ z)(z @ z),
        lambda z: (lambda p: p / np.sum(p * p, axis=1, keepdims=True) @ z)(z @ z),
        lambda z: (lambda p: p[np.arange(11) ** 2 % 11] @ z)(z @ z),
        lambda z: (lambda p, q: (np.sin(p) @ z) @ ((np.sin(p) * q) @ z))(z @ z, z @ z.T),
    ],
    ids=[
        *("shifted", "reversed", "with its transpose", "column", "cumsum", "roll", "rows"),
        *("gather", "read after the first result is written"),
    ],
)
def test_values_read_elsewhere_are_not_overwritten(f, rng):
    run(f, rng.normal(size=(11, 11)))


def test_chains_of_buffers_share_a_place():
    steps = [(["x"], ["a"]), (["a"], ["b"]), (["b", "x"], ["c"]), (["c"], ["d"])]
    lives = lifetimes(steps, kept=["d"])
    sizes = dict.fromkeys("abcd", 640)
    assert place(sizes, lives).size == 1280
    arena = place(sizes, lives, {"b": "a", "c": "b", "d": "c"})
    assert arena.size == 640
    assert set(arena.offsets.values()) == {0}


def test_no_two_results_take_one_place(rng):
    """Of two results of a kernel, one may take the place of the input that ends there."""
    found = run(
        lambda x: (lambda z: (np.sin(z) @ x) @ (np.cos(z) @ x))(x @ x), rng.normal(size=(9, 9))
    )
    met = [touched(step, found.views) for step in found.steps]
    lives = lifetimes(met)
    sizes = {array: size_of(array) for array in found.arena.offsets}
    hints = same_places(found.steps, met, lives, sizes)
    assert len(set(hints.values())) == len(hints)
    for array, offset in found.arena.offsets.items():
        for other, there in found.arena.offsets.items():
            apart = offset + sizes[array] <= there or there + sizes[other] <= offset
            chained = hints.get(array) == other or hints.get(other) == array
            meet = Lifetime(*lives[array]).meets(lives[other])
            assert array == other or apart or chained or not meet


def test_the_report_counts_the_elementwise_gradient():
    """The gradient of a chain reads its input once and writes its result once."""

    def f(x):
        return np.sum(np.tanh(np.sin(x) * np.exp(-(x**2)) + x) ** 2)

    found = run(cr.grad(f), np.linspace(-1, 1, 1000))
    counted = report(found)
    assert (counted.count("kernel"), counted.count("product")) == (1, 0)
    assert (counted.read, counted.written) == (8000, 8000)
    assert list(counted.steps[0].passes.values()).count(1) == 1
    computed = sum(isinstance(s, Compute) for s in found.steps[0].nest.statements())
    assert 1000 * (computed - 2) < counted.operations() <= 1000 * computed
    assert counted.interpreted() == []


def test_the_report_tells_forward_from_backward(rng):
    x, w, u = rng.normal(size=(16, 24)), rng.normal(size=(24, 40)), rng.normal(size=(40, 8))

    def loss(w, u):
        return np.sum(np.tanh(x @ w) @ u)

    counted = report(run(cr.value_and_grad(loss, (0, 1)), w, u), values=[0])
    forward, backward = counted.operations(forward=True), counted.operations(forward=False)
    assert forward + backward == counted.operations()
    assert forward > 2 * 16 * 40 * (24 + 8)
    assert backward < 2 * forward
    assert next(s.name for s in counted.steps if s.kind == "product") == "16×24×40"


def test_the_report_names_what_numpy_carries_out(rng):
    a = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    counted = report(run(lambda a: np.linalg.inv(a) + 1.0, a))
    (sentence,) = counted.interpreted()
    assert sentence.startswith("inv at test_schedule.py:")
    assert "carried out by NumPy" in str(sentence)
    assert str(counted).startswith("1 kernel, 0 product, 1 interpreted; ")


def test_a_cell_of_a_recurrent_network(rng):
    """Gates that are slices of one product: many results of one kernel, some in others' places."""

    def loss(w, u, x):
        h, c = np.zeros((4, 8)), np.zeros((4, 8))
        for step in x:
            z = step @ w + h @ u
            i, f, o, g = (z[:, 8 * k : 8 * k + 8] for k in range(4))
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
        return np.sum(h**2)

    shapes = (6, 32), (8, 32), (3, 4, 6)
    run(cr.value_and_grad(loss, (0, 1)), *(rng.normal(size=shape) for shape in shapes))
