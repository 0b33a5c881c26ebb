"""Values that the code reads: whatever they are, the answer is that of the function itself."""

import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph.invariants import check as check_graph
from chainrule.passes.cut import cut
from chainrule.tracing.outside import Outside
from chainrule.transforms.compile import CAP


@pytest.fixture(params=["native", "interpreted"])
def compiled(request):
    return lambda f, **options: cr.compile(f, backend=request.param, **options)


def branches(x):
    if np.sum(x) > 0.5:
        x = np.exp(-x)
    elif x[0] < -1:
        x = x * x[1]
    if np.max(x) > 1 and np.min(x) < 0:
        return np.sum(x * x)
    return np.sum(np.sqrt(np.abs(x) + 1))


def halvings(x):
    steps = 0
    while np.sum(x * x) > 1:
        x = x / 2 + 0.01 * np.sin(x)
        steps += 1
    return np.sum(x) * steps


def positives(x):
    y = x[x > 0]
    first, *rest = np.nonzero(x > 0.3)
    return np.sum(y**3) + y.size * np.sum(x[first]) + len(rest)


def counted(x):
    n = int(np.sum(x > 0))
    return sum(np.sum(x * k) for k in range(n)) + x[n % x.size] + np.sum(np.zeros(n + 1))


def written(x):
    y = x.copy()
    y[y < 0] *= -0.5
    y[: int(np.argmax(x)) + 1] += 1
    return np.sum(y * x)


FUNCTIONS = [branches, halvings, positives, counted, written]


def check(f, g, seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=4) * rng.choice([0.3, 1, 3])
        np.testing.assert_allclose(g(x), f(x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("transform", [lambda f: f, cr.grad], ids=["value", "grad"])
def test_functions_that_read_values(compiled, f, transform):
    check(transform(f), compiled(transform(f)), range(60))


@pytest.mark.soak
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_thousand_inputs(compiled, f):
    check(cr.grad(f), compiled(cr.grad(f)), range(1000))


def test_a_thousand_inputs_of_one_function_that_reads_everything(compiled):
    def f(x):
        if np.sum(x) > 0:
            x = np.tanh(x)
        steps = 0
        while steps < 6 and np.max(np.abs(x)) > 0.5:
            x = 0.5 * x
            steps += 1
        return np.sum(x[x > 0.1]) * (steps + 1)

    g = compiled(f)
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=int(rng.integers(1, 4))) * 2
        np.testing.assert_allclose(g(x), f(x), rtol=1e-13)


def test_a_reason_is_given_for_each_new_trace(compiled):
    g = compiled(lambda x: x if x[0] > 0 else -x)
    g(np.array([1.0]))
    g(np.array([-1.0]))
    g(np.array([2.0]))
    (reason,) = g.why_retraced()
    assert reason.startswith("bool at test_compile_guards.py:")
    assert reason.endswith("read False, not True as before")
    assert [len(s.guards) for s in g.specialisations()] == [1, 1]


def test_at_the_cap_it_runs_interpreted_and_says_so(compiled):
    def f(x, n):
        return x * n

    g = compiled(f)
    x = np.ones(2)
    for n in range(CAP):
        g(x, n)
    with pytest.warns(errors.CompileWarning, match=rf"{CAP} specialisations; at test_compile_g"):
        np.testing.assert_array_equal(g(x, CAP), x * CAP)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(g(x, CAP + 1), x * (CAP + 1))
    assert len(g.specialisations()) == CAP


def test_sizes_alone_never_reach_the_cap(compiled):
    g = compiled(lambda x: 2 * x)
    for n in range(1, CAP + 10):
        assert g(np.ones(n)).shape == (n,)


def test_nothing_that_can_trap_runs_before_its_guard(compiled):
    def f(x, k):
        if k < 3:
            return x[k]
        return -1.0 * x[0]

    def g(x, k):
        if np.all(k < 3) and np.sum(x[k]) > 0:
            return x[k] * 2
        return x[0] + 0 * k

    x = np.array([1.0, -2.0, 3.0])
    for function, inputs in ((f, [0, 2, 7, 1, 9]), (g, [0, 1, 7, 2, 12])):
        made = compiled(function)
        for k in inputs:
            k = np.asarray(k)
            np.testing.assert_array_equal(made(x, k), function(x, k))


def test_no_donated_array_is_written_before_the_last_guard(compiled):
    seen = []

    def step(w, g):
        w = w - g
        if np.sum(w) < 0:
            seen.append("traced below zero")
            return w * 0.0
        return w

    made = compiled(step, donate=0)
    w = np.array([3.0, 3.0])
    for expected in ([2.0, 2.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]):
        made(w, np.ones(2))
        np.testing.assert_array_equal(w, expected)
    assert seen == ["traced below zero"]


def test_an_index_out_of_bounds_raises(compiled):
    g = compiled(lambda x, k: x[k] * 2)
    x = np.arange(3.0)
    np.testing.assert_array_equal(g(x, np.array([0, -1])), [0, 4])
    for bad in (3, -4):
        with pytest.raises(IndexError):
            g(x, np.array([0, bad]))


def test_pieces_are_graphs_and_together_the_whole():
    made = cr.compile(cr.grad(positives), backend="interpreted")
    made(np.array([1.0, -1.0, 0.5]))
    (specialisation,) = made.specialisations()
    graph = specialisation._specialisation.trace.graph
    pieces, last = cut(graph)
    for piece in [*pieces, last]:
        check_graph(piece.graph)
    assert sum(len(p.guards) for p in pieces) == len(graph.guards)


def test_outside_finds_what_code_names():
    inner = np.ones(2)

    def f(x):
        return x + inner * FUNCTIONS[0](x)

    names = [binding.name for binding in Outside(f).bindings]
    assert "inner" in names
    assert "FUNCTIONS[0]" in names
