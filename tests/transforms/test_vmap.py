"""vmap: axes, trees, writes, index arrays, values read, and its nesting with every transform."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors, vmap

CLOSE = {"rtol": 1e-12, "atol": 1e-13}  # sums of a dozen products of numbers of size one


def loop(f, *args):
    """f for each example of arguments that all have their examples first."""
    results = [f(*example) for example in zip(*args, strict=True)]
    return np.stack(results)


def check(f, *args):
    np.testing.assert_allclose(vmap(f)(*args), loop(f, *args), **CLOSE)


# Axes and trees ----------------------------------------------------------------------------------


def test_axes_of_arguments_and_results(rng):
    A, x = rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 5))
    expected = np.stack([A[:, k] @ x[:, k] for k in range(5)])
    for first, second in ((1, 1), (-2, -1)):
        np.testing.assert_allclose(vmap(np.matmul, (first, second))(A, x), expected, **CLOSE)
        got = vmap(np.matmul, (first, second), out_axes=1)(A, x)
        np.testing.assert_allclose(got, expected.T, **CLOSE)


def test_none_is_the_same_for_all_examples(rng):
    W, X = rng.normal(size=(2, 3)), rng.normal(size=(4, 3))
    np.testing.assert_allclose(vmap(np.matmul, (None, 0))(W, X), X @ W.T, **CLOSE)


def test_trees_of_arguments_axes_and_results(rng):
    parameters = {"w": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "name": "layer"}
    X = rng.normal(size=(4, 5))

    def layer(p, x):
        assert p["name"] == "layer"
        return {"y": np.tanh(p["w"] * x[0] + p["b"]), "sum": [np.sum(x)]}

    got = vmap(layer, ({"w": 1, "b": 0, "name": None}, 0), out_axes={"sum": [0], "y": -1})(
        parameters, X
    )
    expected = [
        layer({"w": parameters["w"][:, k], "b": parameters["b"][k], "name": "layer"}, X[k])
        for k in range(4)
    ]
    np.testing.assert_allclose(got["y"], np.stack([e["y"] for e in expected], axis=-1), **CLOSE)
    np.testing.assert_allclose(got["sum"][0], [e["sum"][0] for e in expected], **CLOSE)


def test_results_that_do_not_depend_on_the_example_are_repeated():
    X = np.zeros((3, 2))
    y, constant, number = vmap(lambda x: (x, np.arange(2.0), 7))(X)
    np.testing.assert_array_equal(constant, [[0.0, 1.0]] * 3)
    np.testing.assert_array_equal(number, [7, 7, 7])
    y[0, 0] = constant[0, 0] = 5.0
    assert X[0, 0] == 0.0
    assert constant[1, 0] == 0.0
    assert vmap(lambda x: (x, 7), out_axes=(0, None))(X)[1] == 7


def test_integers_and_truth_values_are_mapped_too():
    n = np.array([1, 2, 3])
    got = vmap(lambda n: (n + 1, n > 1))(n)
    np.testing.assert_array_equal(got[0], n + 1)
    np.testing.assert_array_equal(got[1], n > 1)
    assert got[0].dtype == n.dtype


def test_float32_stays():
    assert vmap(lambda x: 2.0 * np.sin(x) + 1)(np.zeros((2, 3), np.float32)).dtype == np.float32


def test_no_examples():
    assert vmap(lambda x: np.sum(x**2))(np.zeros((0, 3))).shape == (0,)


def test_keyword_arguments_are_handed_on(rng):
    X = rng.normal(size=(3, 2))
    assert vmap(lambda x, scale: scale @ x)(X, scale=np.ones(2)).shape == (3,)


# Writes, views and new arrays --------------------------------------------------------------------


def filled(x):
    y = np.zeros_like(x)
    y[0] = x[1]
    y[1:] += 2 * x[:-1]
    y *= x[0]
    return y


def through_views(x):
    y = np.reshape(x, (2, 2)) * 1.0
    row, column = y[0], y.T[0]
    row += x[3]
    column[1] = 7.0
    flat = np.ravel(y)
    flat[2:] -= x[:2]
    return y


def scalars(x):
    first, other = x[0], x[0, ...] if x.ndim > 1 else x[:1]
    first += 1.0
    other *= 2.0
    return first * x


def masked(x):
    y = x.copy()
    y[y > 0] = 0.5
    y[x < -0.5] = x[0] ** 2
    return y


def running(x):
    total = np.zeros(3, like=x)
    for k in range(len(x)):
        total[k % 3] += x[k]
    np.add.at(total, np.array([0, 0, 2]), x[:3])
    return total


WRITERS = [filled, through_views, scalars, masked, running]


@pytest.mark.parametrize("f", WRITERS, ids=lambda f: f.__name__)
def test_writes_inside_vmap(f, rng):
    X = rng.normal(size=(5, 4))
    expected = loop(lambda x: f(x.copy()), X)
    before = X.copy()
    np.testing.assert_allclose(vmap(f)(X), expected, **CLOSE)
    np.testing.assert_array_equal(X, before)

    def loss(x):
        return np.sum(f(x * 1.0) ** 2)

    gradients = loop(cr.grad(loss), X)
    np.testing.assert_allclose(vmap(cr.grad(loss))(X), gradients, **CLOSE)
    np.testing.assert_allclose(cr.grad(lambda X: np.sum(vmap(loss)(X)))(X), gradients, **CLOSE)


def test_what_one_example_shares_gets_written_per_example(rng):
    X, shared = rng.normal(size=(3, 2)), rng.normal(size=2)

    def f(x):
        y = cr.numpy.array(shared)
        y = np.full_like(x, 2.0) * y
        y[0] = x[1]
        return y

    check(f, X)


# Indices -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [
        lambda k, m: k,
        lambda k, m: (k, 0),
        lambda k, m: (0, k),
        lambda k, m: (slice(None), k),
        lambda k, m: (Ellipsis, k),
        lambda k, m: (slice(None), k, None),
        lambda k, m: (k, slice(1, None), k),
        lambda k, m: (k, None, k),
        lambda k, m: (slice(None), k, k),
        lambda k, m: (slice(None), k[0], slice(None)),
        lambda k, m: (k[0], slice(None), k[1]),
        lambda k, m: (k[:, None], k),
        lambda k, m: m,
        lambda k, m: (slice(None), m[0]),
        lambda k, m: (m, 0),
    ],
)
@pytest.mark.parametrize("mapped", [(0, 0), (0, None), (None, 0)])
def test_reading_and_writing_by_index_arrays(index, mapped, rng):
    """Entries, their gradient, and writes, with the array, the indices or both mapped."""
    X = rng.normal(size=(4, 3, 3, 3))
    K = rng.integers(0, 3, size=(4, 2))
    M = np.stack([rng.permutation(np.arange(9) < 4).reshape(3, 3) for _ in range(4)])
    M[:, 0] = np.stack([rng.permutation([True, True, False]) for _ in range(4)])
    M[:, 1:] = np.stack([rng.permutation(np.arange(6) < 2).reshape(2, 3) for _ in range(4)])
    inputs = [X if mapped[0] == 0 else X[0], *((K, M) if mapped[1] == 0 else (K[0], M[0]))]
    axes = (mapped[0], mapped[1], mapped[1])

    def read(x, k, m):
        x = x if mapped[0] == 0 else np.zeros(x.shape, like=k) + x
        return x[index(k, m)]

    def written(x, k, m):
        y = x * 1.0 if mapped[0] == 0 else np.zeros(x.shape, like=k) + x
        y[index(k, m)] = np.sin(y[index(k, m)])
        y[index(k, m)] *= 3.0
        return y

    def slope(x, k, m):
        return cr.grad(lambda x: np.sum(read(x, k, m) ** 3))(x)

    def slope_of_written(x, k, m):
        return cr.grad(lambda x: np.sum(written(x, k, m) ** 3))(x)

    for f in (read, written, slope, slope_of_written):
        examples = [
            [x[i] if a == 0 else x for x, a in zip(inputs, axes, strict=True)] for i in range(4)
        ]
        expected = np.stack([f(*example) for example in examples])
        np.testing.assert_allclose(vmap(f, axes)(*inputs), expected, **CLOSE)


def test_masks_that_take_different_numbers_of_entries():
    X = np.array([[1.0, -1.0], [1.0, 2.0]])
    with pytest.raises(errors.BatchError, match=r"test_vmap\.py:\d+ takes different .*np\.where"):
        vmap(lambda x: np.sum(x[x > 0]))(X)


def test_entries_of_a_table_that_all_examples_share(rng):
    table, k = rng.normal(size=(5, 2)), np.array([4, 0, 4])
    for f in (lambda t, k: t[k], lambda t, k: np.take(t, k, axis=0), lambda t, k: t[k, 0:2]):
        np.testing.assert_array_equal(vmap(f, (None, 0))(table, k), table[k])
    np.testing.assert_array_equal(vmap(lambda t, k: np.asarray(t) * k, (None, 0))(table, k)[1], 0)
    for j in (k, np.stack([k, k + 0, k])):
        with pytest.raises(errors.BatchError, match=r"test_vmap\.py.*None in in_axes"):
            vmap(lambda k: table[k])(j)


# Values that the code reads ----------------------------------------------------------------------


def test_a_value_on_which_all_examples_agree_can_be_read():
    X = np.array([[1.0, 2.0], [3.0, 4.0]])
    n = np.array([2, 2])

    def f(x, n):
        if x[0] > 0:
            for _ in range(n):
                x = x * int(n)
        return x[: int(n)]

    np.testing.assert_array_equal(vmap(f)(X, n), 4 * X)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x if x > 0 else -x, r"\(bool\).*np\.where"),
        (lambda x: np.ones(int(x)), r"\(int\)"),
        (lambda x: np.flatnonzero(np.stack([x, 1.0]) > 0), "different shapes"),
    ],
)
def test_examples_that_disagree(f, words):
    with pytest.raises(errors.BatchError, match=words) as caught:
        vmap(f)(np.array([-1.0, 3.0]))
    assert "test_vmap.py" in str(caught.value)


def test_a_float_is_given_where_no_derivative_is_lost():
    assert vmap(lambda x: x * float(x[0] - x[0] + 2))(np.ones((2, 3))).shape == (2, 3)
    with pytest.raises(errors.ConversionError):
        cr.grad(lambda X: np.sum(vmap(lambda x: x * float(x))(X)))(np.ones(3))


# Mistakes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda X: vmap(np.add)(X, X[:2]), errors.BatchError, "3 along axis 0 of .* 2 along"),
        (lambda X: vmap(np.sin, (0, 0))(X), errors.ArgnumsError, "1 positional argument;"),
        (lambda X: vmap(np.sin, None)(X), errors.ArgnumsError, "no axis to map over"),
        (lambda X: vmap(np.sin, 5)(X), errors.ArgnumsError, "axis 5 of an array of shape"),
        (lambda X: vmap(np.add)(X, 2.0), errors.ArgnumsError, "the number 2.0"),
        (lambda X: vmap(np.sin, ([0],))(X), errors.StructureError, r"in_axes=\[0\]"),
        (lambda X: vmap(np.sin, out_axes=None)(X), errors.BatchError, "out_axes is None"),
        (lambda X: vmap(np.sin, out_axes=7)(X), errors.ArgnumsError, "out_axes=7"),
        (lambda X: vmap(lambda x: "text")(X), errors.OutputError, "returns a str"),
        (lambda X: vmap(lambda x: x + np.ones(5))(X), errors.ShapeError, r"float64\[4\]"),
    ],
)
def test_every_mistake_is_a_sentence(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call(np.zeros((3, 4)))
    assert "test_vmap.py" in str(caught.value)


def test_a_leaked_example_raises():
    kept = []
    vmap(lambda x: kept.append(x) or x)(np.zeros(2))
    with pytest.raises(errors.LeakError):
        kept[0] + 1.0


# Nesting -----------------------------------------------------------------------------------------


def energy(x):
    return np.sum(np.tanh(x) ** 2 * x[::-1]) + np.prod(x[:2])


def test_every_transform_inside_and_outside(rng):
    X, V = rng.normal(size=(2, 4, 3))
    check(cr.grad(energy), X)
    check(cr.hessian(energy), X)
    check(lambda x: cr.jacobian(np.sin)(x), X)
    check(lambda x, v: cr.hvp(energy)(x, v), X, V)
    check(lambda x, v: cr.jvp(energy, (x,), (v,))[1], X, V)
    check(lambda x: cr.vjp(energy, x)[1](2.0)[0], X)
    check(lambda x: cr.elementwise_grad(np.exp)(x), X)
    check(cr.checkpoint(energy), X)
    check(cr.grad(cr.checkpoint(energy)), X)
    check(lambda x: cr.stop_gradient(x) * x, X)
    whole = lambda X: np.sum(vmap(energy)(X))  # noqa: E731
    np.testing.assert_allclose(cr.grad(whole)(X), loop(cr.grad(energy), X), **CLOSE)
    blocks = cr.hessian(whole)(X)
    np.testing.assert_allclose(blocks[1, :, 1], cr.hessian(energy)(X[1]), **CLOSE)
    assert not blocks[1, :, 2].any()
    np.testing.assert_allclose(
        cr.jvp(vmap(energy), (X,), (V,))[1],
        loop(lambda x, v: cr.jvp(energy, (x,), (v,))[1], X, V),
        **CLOSE,
    )
    np.testing.assert_allclose(
        cr.grad(lambda X: np.sum(vmap(cr.checkpoint(energy))(X)))(X),
        loop(cr.grad(energy), X),
        **CLOSE,
    )
    np.testing.assert_allclose(
        cr.grad(lambda X: np.sum(cr.checkpoint(vmap(energy))(X)))(X),
        loop(cr.grad(energy), X),
        **CLOSE,
    )


def test_a_checkpointed_function_runs_once_for_all_examples(rng):
    X, runs = rng.normal(size=(4, 3)), []

    @cr.checkpoint
    def counted(x):
        runs.append(1)
        return energy(x)

    cr.grad(lambda X: np.sum(vmap(counted)(X)))(X)
    assert len(runs) == 2  # forward, and again on the way back


def test_solutions_of_equations_and_loops(rng):
    A = rng.uniform(1.0, 2.0, size=(4, 3))

    def solve(a):
        y = np.ones(3)
        for _ in range(60):
            y = y - (y**3 + y - a) / (3 * y**2 + 1)
        return y

    def solved(a):
        return np.sum(cr.implicit_root(lambda y, a: y**3 + y - a, solve)(a) ** 2)

    def scanned(x, s):
        return cr.scan(lambda carry, u: (np.tanh(carry * s + u), carry), x[0], x)[0]

    check(solved, A)
    check(cr.grad(solved), A)
    check(scanned, A, A[:, 0])
    check(cr.grad(scanned), A, A[:, 0])


def test_a_dual_number_through_vmap():
    value, slope = vmap(lambda x: x**3)(cr.Dual(np.array([1.0, 2.0]), np.ones(2)))
    del slope
    X = np.array([1.0, 2.0])
    tangent = vmap(lambda x: cr.Dual(x, 1.0).tangent * (cr.Dual(x, 1.0) ** 3).tangent)(X)
    np.testing.assert_allclose(tangent, 3 * X**2)
    assert value is not None


def test_closing_over_outer_variables(rng):
    X, w = rng.normal(size=(4, 3)), rng.normal(size=3)
    got = cr.grad(lambda w: np.sum(vmap(lambda x: np.tanh(w @ x))(X)))(w)
    expected = cr.grad(lambda w: sum(np.tanh(w @ x) for x in X))(w)
    np.testing.assert_allclose(got, expected, **CLOSE)


def test_vmap_in_a_graph():
    graph = cr.trace(lambda X: vmap(lambda x: np.sum(np.sin(x)))(X))(np.ones((3, 2)))
    assert "sin" in [node.primitive.name for node in graph.nodes]
