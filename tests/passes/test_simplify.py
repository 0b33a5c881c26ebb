"""Every row of simplify compared as graphs; values, NaN and infinity kept on random programs."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import interpreter
from chainrule.graph import CONSTANT, Graph, Node, registry, spec_of
from chainrule.graph.invariants import check
from chainrule.passes.rewriting import rewritten
from chainrule.passes.simplify import EXACT_ROWS, ROWS, simplify

A, B, C = np.arange(1.0, 4.0), np.arange(2.0, 5.0), np.ones((2, 3))


def lines(graph):
    """The operations of a graph, one a line: `v2 = sin(v0)`."""
    found = []
    for line in str(graph).splitlines()[1:]:
        target, _, operation = line.partition("   #")[0].partition(" = ")
        found.append(f"{target.partition(':')[0]} = {operation}" if operation else target)
    return found


def simplified(f, *args):
    graph = simplify(cr.trace(f)(*args))
    check(graph)
    return lines(graph)


def strong(g, p):
    return registry["chain_product"](g, p)


def scattered(x):
    """`x` behind a 0, as the gradient of z[1:] puts it."""
    return cr.vjp(lambda z: z[1:], np.ones(4))[1](x)[0]


def spread(x, *shape):
    return np.broadcast_to(x, shape)


CASES = {
    "factor of one": (lambda x: 1.0 * x, (A,), ["outputs: v0"]),
    "factor of minus one": (lambda x: -1.0 * x, (A,), ["v1 = negative(v0)", "outputs: v1"]),
    "negative minus itself": (
        lambda x, y: y + (-x - x),
        (A, B),
        ["v2 = add(v0, v0)", "v3 = subtract(v1, v2)", "outputs: v3"],
    ),
    "choices by one condition": (
        lambda x, y: np.where(x > 1.0, x, 0.0) - np.where(x > 1.0, 0.0, y),
        (A, B),
        [
            "v2 = greater(v0, 1.0)",
            "v3 = subtract(0.0, v1)",
            "v4 = where(v2, v0, v3)",
            "outputs: v4",
        ],
    ),
    "new axes": (
        lambda x: x[None, :, None],
        (A,),
        ["v1 = reshape(v0, to=(1, 3, 1))", "outputs: v1"],
    ),
    "nothing is scattered": (
        lambda x: x + scattered(strong(x, np.zeros(3)))[1:],
        (np.ones(3),),
        None,
    ),
    "no change": (lambda x: +x.astype(np.float64), (A,), ["outputs: v0"]),
    "zero term": (lambda x: x - 0.0, (A,), ["outputs: v0"]),
    "twice negative": (lambda x: np.negative(-x), (A,), ["outputs: v0"]),
    "sum with a negative": (lambda x, y: x - (-y), (A, B), ["v2 = add(v0, v1)", "outputs: v2"]),
    "sign out of a product": (
        lambda x, y: x + (-x) * y,
        (A, B),
        ["v2 = multiply(v0, v1)", "v3 = subtract(v0, v2)", "outputs: v3"],
    ),
    "sign into a factor": (
        lambda x: -(3.0 * x),
        (A,),
        ["v1 = multiply(-3.0, v0)", "outputs: v1"],
    ),
    "sign out of a sum": (
        lambda x: 1.0 - np.sum(-x),
        (A,),
        ["v1 = sum(v0, axis=None, keepdims=False)", "v2 = add(1.0, v1)", "outputs: v2"],
    ),
    "sign out of a reshape": (
        lambda x: 1.0 - np.reshape(-x, (3, 1)),
        (A,),
        ["v1 = reshape(v0, to=(3, 1))", "v2 = add(1.0, v1)", "outputs: v2"],
    ),
    "product with itself": (lambda x: x * x, (A,), ["v1 = square(v0)", "outputs: v1"]),
    "twice": (lambda x: 2.0 * x, (A,), ["v1 = add(v0, v0)", "outputs: v1"]),
    "quotient by a power of two": (
        lambda x: x / 4.0,
        (A,),
        ["v1 = multiply(v0, 0.25)", "outputs: v1"],
    ),
    "power of an array": (lambda x: x**0.5, (A,), ["v1 = sqrt(v0)", "outputs: v1"]),
    "small whole power": (
        lambda x: x**3,
        (A,),
        ["v1 = square(v0)", "v2 = multiply(v0, v1)", "outputs: v2"],
    ),
    "choice without a choice": (
        lambda x, y: np.where(np.logical_not(x > y), x, y),
        (A, B),
        ["v2 = greater(v0, v1)", "v3 = where(v2, v1, v0)", "outputs: v3"],
    ),
    "spread late": (
        lambda x, y: spread(x, 2, 3) * y + np.full((2, 3), 5.0),
        (A, C),
        ["v2 = multiply(v0, v1)", "v3 = add(v2, 5.0)", "outputs: v3"],
    ),
    "same shape": (lambda x: np.reshape(x, (3,)), (A,), ["outputs: v0"]),
    "reshape of a reshape": (
        lambda x: np.reshape(np.reshape(x, (3, 1)), (1, 3)),
        (A,),
        ["v1 = reshape(v0, to=(1, 3))", "outputs: v1"],
    ),
    "reshape of a spread number": (
        lambda x: np.reshape(spread(x, 2, 3), (6,)),
        (np.float32(2),),
        ["v1 = broadcast_to(v0, to=(6,))", "outputs: v1"],
    ),
    "spread of a spread": (
        lambda x: spread(spread(x, 1, 3), 2, 3),
        (A,),
        ["v1 = broadcast_to(v0, to=(2, 3))", "outputs: v1"],
    ),
    "transposition of a transposition": (lambda x: x.T.T, (C,), ["outputs: v0"]),
    "transposition of a long axis": (
        lambda x: np.reshape(x, (1, 3)).T,
        (A,),
        ["v1 = reshape(v0, to=(3, 1))", "outputs: v1"],
    ),
    "transposed product": (
        lambda x, y: (x @ y.T).T,
        (C, C),
        ["v2 = transpose(v0, axes=(1, 0))", "v3 = matmul(v1, v2)", "outputs: v3"],
    ),
    "cast of a cast": (
        lambda x: x.astype(np.float64).astype(np.float32),
        (np.float32([1, 2]),),
        ["outputs: v0"],
    ),
    "spread after a cast": (
        lambda x, y: np.sum(spread(x, 2, 3).astype(np.float32) + y),
        (A, np.ones((2, 3), np.float32)),
        [
            "v2 = astype(v0, dtype=float32)",
            "v3 = add(v2, v1)",
            "v4 = sum(v3, axis=None, keepdims=False)",
            "outputs: v4",
        ],
    ),
    "strong product with zero": (
        lambda x: strong(np.zeros(3), x),
        (A,),
        ["v1 = broadcast_to(0.0, to=(3,))", "outputs: v1"],
    ),
    "plain strong product": (
        lambda x: strong(2.0 * np.tanh(x), 1 - np.tanh(x) ** 2),
        (A,),
        [
            "v1 = tanh(v0)",
            "v2 = add(v1, v1)",
            "v3 = square(v1)",
            "v4 = subtract(1, v3)",
            "v5 = multiply(v2, v4)",
            "outputs: v5",
        ],
    ),
    "shares of a tie": (
        lambda x: (x > 0.0).astype(float) + 0.5 * (x == 0.0).astype(float),
        (A,),
        [
            "v1 = greater(v0, 0.0)",
            "v2 = equal(v0, 0.0)",
            "v3 = where(v2, 0.5, 0.0)",
            "v4 = where(v1, 1.0, v3)",
            "outputs: v4",
        ],
    ),
    "strong product with a mask": (
        lambda x, g: strong(g, (x > 0.0).astype(float)),
        (A, B),
        ["v2 = greater(v0, 0.0)", "v3 = where(v2, v1, 0.0)", "outputs: v3"],
    ),
    "axes in one way": (
        lambda x: np.sum(x, axis=(1, 0)),
        (C,),
        ["v1 = sum(v0, axis=None, keepdims=False)", "outputs: v1"],
    ),
    "nothing to reduce": (
        lambda x: np.max(np.reshape(x, (1, 3)), axis=0),
        (A,),
        ["outputs: v0"],
    ),
    "kept axes": (
        lambda x: np.reshape(np.sum(x, axis=1), (2, 1)),
        (C,),
        ["v1 = sum(v0, axis=(1,), keepdims=True)", "outputs: v1"],
    ),
    "sum of what was spread": (
        lambda x: np.sum(spread(x, 5, 3), axis=0),
        (A,),
        ["v1 = multiply(v0, 5.0)", "outputs: v1"],
    ),
    "extremum or mean of what was spread": (
        lambda x: np.mean(spread(x, 5, 3), axis=0),
        (A,),
        ["outputs: v0"],
    ),
    "sum of a sum": (
        lambda x: np.sum(np.sum(x, axis=0)),
        (C,),
        ["v1 = sum(v0, axis=None, keepdims=False)", "outputs: v1"],
    ),
    "sum of a reshape": (
        lambda x: np.sum(np.reshape(x, (3, 2))),
        (C,),
        ["v1 = sum(v0, axis=None, keepdims=False)", "outputs: v1"],
    ),
    "all entries": (lambda x: x[:, ...], (C,), ["outputs: v0"]),
    "what was scattered": (
        lambda x: scattered(x)[1:],
        (A,),
        ["outputs: v0"],
    ),
    "sum of two scatters": (
        lambda x: scattered(np.sin(x)) + scattered(np.cos(x)),
        (A,),
        [
            "v1 = sin(v0)",
            "v2 = cos(v0)",
            "v3 = add(v1, v2)",
            "v4 = scatter(v3, template=[1:], to=(4,))",
            "outputs: v4",
        ],
    ),
    "scatters of one sum": (
        lambda x, z: (z + scattered(np.sin(x))) + scattered(np.cos(x)),
        (A, np.ones(4)),
        [
            "v2 = sin(v0)",
            "v3 = cos(v0)",
            "v4 = add(v2, v3)",
            "v5 = scatter(v4, template=[1:], to=(4,))",
            "v6 = add(v1, v5)",
            "outputs: v6",
        ],
    ),
    "sum of what was scattered": (
        lambda x: np.sum(np.diag(x)),
        (A,),
        ["v1 = sum(v0, axis=None, keepdims=False)", "outputs: v1"],
    ),
}


def test_every_row_has_a_case_and_a_name_of_its_own():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert set(CASES) == set(names)
    assert all(row.reason for row in ROWS)


@pytest.mark.parametrize("name", CASES)
def test_the_row_rewrites(name):
    f, args, expected = CASES[name]
    graph = cr.trace(f)(*args)
    result = rewritten(graph, ROWS)
    check(result.graph)
    assert result.applied[name], f"{name} was not applied to\n{graph}\nbut {result.applied}"
    if expected is not None:
        assert lines(result.graph) == expected
    for got, want in zip(
        interpreter.run(result.graph, *args), interpreter.run(graph, *args), strict=True
    ):
        assert spec_of(got) == spec_of(want)
        np.testing.assert_allclose(got, want, rtol=1e-15, atol=0)


def test_shared_subexpressions_are_computed_once():
    assert simplified(lambda x, y: np.sin(x + y) * np.sin(y + x), A, B) == [
        "v2 = add(v0, v1)",
        "v3 = sin(v2)",
        "v4 = square(v3)",
        "outputs: v4",
    ]


def test_constants_are_folded_up_to_a_size():
    def f(x):
        return x * (np.sin(cr.numpy.asarray(A)) + 1.0)

    assert len(simplified(f, A)) == 2
    large = np.arange(1e5)
    graph = simplify(cr.trace(lambda x: x + np.reshape(large, (1, -1)))(np.ones((1, 100000))))
    assert max(n.outputs[0].shape[-1] for n in graph.nodes) == 100000


def test_what_raises_is_left_for_the_run():
    graph = Graph()
    constant = Node(CONSTANT, (), {"value": np.zeros((2, 2))}, (spec_of(np.zeros((2, 2))),))
    node = Node(registry["inv"], ((constant, 0),), {}, constant.outputs)
    graph.nodes, graph.outputs = [node], [(node, 0)]
    assert simplify(graph).nodes[0].primitive.name == "inv"


def test_dead_code_is_dropped_and_guards_stay():
    def f(x):
        np.exp(x)
        return x * 3.0 if np.sum(x * 2.0) > 0 else x

    graph = simplify(cr.trace(f)(A))
    check(graph)
    assert [n.primitive.name for n in graph.nodes] == ["add", "sum", "greater", "multiply"]
    assert len(graph.guards) == 1
    assert graph.guards[0].edge[0].primitive.name == "greater"


def test_places_and_names_stay():
    graph = cr.trace(lambda x: np.sin(x) * 1.0 + x * x)(A)
    by_name = {n.primitive.name: n for n in graph.nodes}
    for node in simplify(graph).nodes:
        old = by_name[{"square": "multiply"}.get(node.primitive.name, node.primitive.name)]
        assert node.place is not None
        assert node.place.line == old.place.line


def test_zeros_keep_their_sign():
    """x + 0 is 0 for x = -0, so it stays; x² + 0 goes, because a square is never -0."""
    assert len(simplified(lambda x: x + 0.0, A)) == 2
    assert simplified(lambda x: x * x + 0.0, A) == ["v1 = square(v0)", "outputs: v1"]
    assert simplified(lambda x: x + -0.0, A) == ["outputs: v0"]


def test_what_could_be_zero_times_infinity_stays_strong():
    assert "chain_product" in str(simplified(lambda x: strong(np.log(x), 1 / x), A))
    assert "chain_product" in str(simplified(lambda g, x: strong(g, 1 - np.tanh(x) ** 2), A, B))
    assert "chain_product" not in str(simplified(lambda x: strong(np.float64(0.3), 1 / x), A))


def test_the_half_of_a_tie_stays():
    graph = simplify(cr.trace(cr.grad(lambda x: np.sum(np.maximum(x, 0.0) * A)))(A))
    x = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(interpreter.run(graph, x)[0], [0.0, 1.0, 3.0])


def test_a_number_that_takes_any_dtype_does_not_replace_one_that_has_its_own():
    """A Python float in float32 code stays weak; its broadcast, a float64 array, is not."""
    single = np.ones(3, np.float32)
    graph = cr.trace(lambda x: spread(x, 3) * single)(2.0)
    assert simplify(graph).nodes[-1].outputs[0].dtype == np.float64
    (got,) = interpreter.run(simplify(graph), 2.0)
    assert got.dtype == np.float64


UNARY = ("sin", "cos", "exp", "tanh", "negative", "square", "absolute", "sqrt", "log", "log1p")
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "chain_product")


def random_program(rng):
    """A function of three arrays of shapes (2, 3), (3,) and (): entrywise, sums, views, choices.

    No transpositions: NumPy adds in the order in which entries lie in memory, and a rewritten
    graph may leave another layout.
    """
    recipe = [
        (rng.integers(0, 9), rng.integers(0, 1 << 30, 3), rng.choice([0.0, 1.0, 2.0, -0.5, 3.0]))
        for _ in range(14)
    ]

    def program(x, y, z):
        pool = [x, y, z]
        for kind, picks, number in recipe:
            a, b, c = (pool[k % len(pool)] for k in picks)
            if kind < 2:
                made = registry[UNARY[picks[0] % len(UNARY)]](a)
            elif kind < 5:
                made = registry[BINARY[picks[2] % len(BINARY)]](a, number if kind == 4 else b)
            elif kind == 5:
                made = np.where(a > b, c, number)
            elif kind == 6:
                made = np.sum(a, axis=-1, keepdims=True) if a.ndim else a * 1.0
            elif kind == 7:
                made = np.reshape(np.broadcast_to(a, (2, 3)), (3, 2))[::-1].reshape(2, 3) - number
            else:
                made = a[..., ::-1] if a.ndim else a / 2.0
            if np.broadcast_shapes(made.shape, (2, 3)) == (2, 3):
                pool.append(made)
        return np.sum(pool[-1] * pool[-2]) + np.max(pool[-3])

    return program


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan, 1e-310, 1e300])


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_exact_rows_keep_every_value(seed):
    """Values and gradients of random programs, bit for bit but for the sign of a zero."""
    rng = np.random.default_rng(seed)
    f = random_program(rng)
    args = (rng.normal(size=(2, 3)), rng.normal(size=3), np.array(rng.normal()))
    graph = cr.trace(cr.value_and_grad(f, (0, 1, 2)))(*args)
    exact = rewritten(graph, EXACT_ROWS).graph
    full = simplify(graph)
    check(exact)
    check(full)
    assert str(simplify(full)) == str(full)
    assert str(simplify(exact, exact=True)) == str(exact)
    for special in (False, True):
        if special:
            args = tuple(rng.choice(SPECIAL, np.shape(a)) for a in args)
        want = interpreter.run(graph, *args)
        for got, expected in zip(interpreter.run(exact, *args), want, strict=True):
            np.testing.assert_array_equal(got, expected)
        if not special:
            for got, expected in zip(interpreter.run(full, *args), want, strict=True):
                np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)  # cancellation


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_large_graphs_take_linear_time():
    """The rows are asked twice as often for twice the nodes, and depth is no limit."""

    def asked(steps):
        def chain(x):
            for _ in range(steps):
                x = np.sin(x) * 1.0 - (-x) * 0.5
            return x

        def counted(row):
            def rewrite(node, graph):
                calls.append(row.name)
                return row.rewrite(node, graph)

            return row._replace(rewrite=rewrite)

        calls = []
        graph = cr.trace(chain)(np.ones(2))
        assert len(graph.nodes) == 5 * steps
        assert len(rewritten(graph, [counted(row) for row in ROWS]).graph.nodes) == 3 * steps
        return len(calls)

    assert asked(4000) <= 2 * asked(2000)
