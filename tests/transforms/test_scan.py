"""`scan` and `while_loop` against plain Python loops: values, both modes, every order."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


def plain_scan(f, init, xs):
    carry, ys = init, []
    for x in xs:
        carry, y = f(carry, x)
        ys.append(y)
    return carry, np.stack(ys)


def network(scan):
    """A recurrent network whose weights the step closes over."""

    def f(weights, h, xs):
        def step(h, x):
            after = np.tanh(weights @ h + x) * h
            return after, np.sum(after * x)

        h, ys = scan(step, h, xs)
        return np.sum(h**2) + np.sum(np.sin(ys))

    return f


@pytest.fixture
def point(rng):
    return 0.5 * rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(6, 3))


@pytest.mark.parametrize("argnum", [0, 1, 2])
def test_both_modes_and_second_order(argnum, point, rng):
    ours, plain = network(cr.scan), network(plain_scan)
    np.testing.assert_allclose(ours(*point), plain(*point), rtol=1e-14)
    close = {"rtol": 1e-11, "atol": 1e-13}
    np.testing.assert_allclose(
        cr.grad(ours, argnum)(*point), cr.grad(plain, argnum)(*point), **close
    )
    t = rng.normal(size=point[argnum].shape)

    def along(f):
        return lambda x: f(*point[:argnum], x, *point[argnum + 1 :])

    x = point[argnum]
    for of in (
        lambda f: cr.jvp(along(f), (x,), (t,))[1],
        lambda f: cr.hessian(along(f))(x),
        lambda f: cr.hvp(along(f))(x, t),
        lambda f: cr.grad(lambda x: cr.jvp(along(f), (x,), (t,))[1])(x),
        lambda f: cr.jvp(lambda x: cr.jvp(along(f), (x,), (t,))[1], (x,), (t,))[1],
        lambda f: cr.grad(cr.grad(cr.grad(lambda s: along(f)(x * s))))(1.0),
    ):
        np.testing.assert_allclose(of(ours), of(plain), **close)


def test_trees_whole_numbers_and_absent_outputs():
    def step(state, x):
        state = {"k": state["k"] + 1, "s": (state["s"][0] * x["a"] ** state["k"], x["b"])}
        return state, (state["s"][0], None, state["k"])

    def f(s, a):
        init = {"k": 0, "s": (s, 0.0)}
        xs = {"a": a, "b": np.arange(3.0)}
        state, (products, nothing, counts) = cr.scan(step, init, xs)
        assert nothing is None
        np.testing.assert_array_equal(cr.stop_gradient(counts), [1, 2, 3])
        assert int(state["k"]) == 3
        return state["s"][0] + np.sum(products) + state["s"][1]

    a = np.array([2.0, 3.0, 5.0])
    assert float(f(1.0, a)) == 75 + (1 + 3 + 75) + 2
    np.testing.assert_allclose(cr.grad(f)(1.0, a), 75 + 79)
    # products 1, a1, a1 a2², and the last once more
    np.testing.assert_allclose(cr.grad(f, 1)(1.0, a), [0.0, 1 + 2 * 25, 2 * 2 * 15])


def test_steps_may_write_in_place(rng):
    def writing(scan):
        def step(c, x):
            c[0] += x * c[1]
            c *= 1.5
            return c, np.copy(c[0])

        return lambda c, xs: np.sum(np.sin(scan(step, c, xs)[1]))

    c, xs = rng.normal(size=2), rng.normal(size=4)
    before = c.copy()
    found = cr.grad(writing(cr.scan), (0, 1))(c, xs)
    np.testing.assert_array_equal(c, before)
    exact = cr.grad(writing(plain_scan), (0, 1))(c, xs)
    for ours, plain in zip(found, exact, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-12)


def test_a_number_of_steps_and_none_at_all():
    carry, ys = cr.scan(lambda c, x: (2 * c, c), 1.0, length=4)
    assert float(carry) == 16.0
    np.testing.assert_array_equal(ys, [1.0, 2.0, 4.0, 8.0])

    def f(c, xs):
        carry, ys = cr.scan(lambda c, x: (c * x, np.stack([c, x])), c, xs)
        assert ys.shape == (len(xs), 2)
        return carry + np.sum(ys)

    assert float(cr.grad(f)(3.0, np.zeros(0))) == 1.0
    assert cr.grad(f, 1)(3.0, np.zeros(0)).shape == (0,)
    assert float(cr.jvp(f, (3.0, np.zeros(0)), (2.0, np.zeros(0)))[1]) == 2.0


def test_complex_carries(rng):
    def f(scan):
        def run(z, xs):
            z, ys = scan(lambda z, x: (z * np.exp(1j * x) + x, z * z), z, xs)
            return np.abs(z) ** 2 + np.sum(np.real(ys * (2 - 1j)))

        return run

    z, xs = 0.3 + 0.7j, rng.normal(size=4)
    for argnum in (0, 1):
        found, exact = (cr.grad(f(s), argnum)(z, xs) for s in (cr.scan, plain_scan))
        np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_loops_nest():
    def f(scan):
        def outer(c, x):
            inner, ys = scan(lambda u, v: (np.sin(u * v) + c, u), x, np.array([1.0, 2.0]))
            return c * inner, np.sum(ys)

        return lambda c, xs: np.sum(scan(outer, c, xs)[1])

    c, xs = 0.4, np.array([0.3, 0.5, 0.9])
    for argnum in (0, 1):
        found, exact = (cr.grad(f(s), argnum)(c, xs) for s in (cr.scan, plain_scan))
        np.testing.assert_allclose(found, exact, rtol=1e-12)
    along = [lambda t, s=s: f(s)(c * t, xs * t) for s in (cr.scan, plain_scan)]
    np.testing.assert_allclose(*(cr.grad(cr.grad(g))(1.0) for g in along), rtol=1e-12)


def test_while_loop():
    def ours(x, k):
        def body(c):
            return c[0] ** 2 * k, c[1] + 1

        return cr.while_loop(lambda c: c[0] < 50.0 * k, body, (x, 0))[0]

    def plain(x, k):
        while x < 50.0 * k:
            x = x**2 * k
        return x

    assert ours(1.7, 1.1) == plain(1.7, 1.1)
    found, exact = (cr.grad(f, (0, 1))(1.7, 1.1) for f in (ours, plain))
    np.testing.assert_allclose(found, exact, rtol=1e-13)
    p = np.array([1.7, 1.1])
    found, exact = (cr.hessian(lambda p, f=f: f(p[0], p[1]))(p) for f in (ours, plain))
    np.testing.assert_allclose(found, exact, rtol=1e-13)
    found, exact = (cr.jvp(f, (1.7, 1.1), (0.3, 0.4))[1] for f in (ours, plain))
    np.testing.assert_allclose(found, exact, rtol=1e-13)
    assert float(cr.grad(ours)(200.0, 1.0)) == 1.0  # no step at all


def test_it_is_one_operation_of_a_graph(point):
    graph = cr.trace(network(cr.scan))(*point)
    assert [node.primitive.name for node in graph.nodes].count("loop") == 1


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (
            lambda x: cr.scan(lambda c, y: (c * x, y), 0, np.ones(2)),
            "begins as int64.. and is float64",
        ),
        (lambda x: cr.scan(lambda c, y: ((c, c), y), x, np.ones(2)), "has to stay the same"),
        (lambda x: cr.scan(lambda c, y: c * x, x, np.ones(2)), "return the pair"),
        (lambda x: cr.scan(lambda c, y: (c, y), x), "one number of steps"),
        (lambda x: cr.scan(lambda c, y: (c, y), x, np.ones(2), length=3), "lengths"),
        (lambda x: cr.scan(lambda c, y: (c, y), x, (np.ones(2), np.ones(3))), "lengths"),
    ],
)
def test_refusals_are_sentences(f, words):
    with pytest.raises(errors.ChainruleError, match=words) as caught:
        cr.grad(lambda x: f(x)[0])(1.0)
    assert "test_scan.py" in str(caught.value)


class Model:
    pass


MODEL = Model()


def test_a_value_in_an_attribute_is_found_and_one_of_a_global_refused():
    def found(x, model):
        model.x = x
        return cr.scan(lambda c, y: (c * model.x, None), 1.0, np.ones(2))[0]

    def refused(x):
        MODEL.x = x
        return cr.scan(lambda c, y: (c * MODEL.x, None), 1.0, np.ones(2))[0]

    assert float(cr.grad(lambda x: found(x, Model()))(3.0)) == 6.0
    with pytest.raises(errors.InputError, match="part of the carry"):
        cr.grad(refused)(1.0)
