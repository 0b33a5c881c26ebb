"""compile: the same arguments in any tree, the same results as the function itself."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors


@pytest.fixture(params=["native", "interpreted"])
def compiled(request):
    """`compiled(f, **options)` with each backend."""
    return lambda f, **options: cr.compile(f, backend=request.param, **options)


def same(found, expected):
    """Whether two trees have one structure, the same types, and nearly the same numbers."""
    leaves, structure = cr.trees.flatten(found)
    others, other = cr.trees.flatten(expected)
    assert structure == other
    for a, b in zip(leaves, others, strict=True):
        assert type(a) is type(b)
        if isinstance(b, np.ndarray | np.generic):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-5 if b.dtype == np.float32 else 1e-12)
        else:
            assert a == b


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def network(p, x):
    return np.sum(np.tanh(x @ p["w"] + p["b"]) ** 2)


WEIGHTS = {"w": np.linspace(-1, 1, 12).reshape(4, 3), "b": np.array([0.1, 0.2, 0.3])}
ROWS = np.linspace(0, 1, 8).reshape(2, 4)


@pytest.mark.parametrize(
    "transform",
    [lambda f: f, cr.grad, cr.value_and_grad],
    ids=["value", "grad", "value_and_grad"],
)
def test_trees_go_in_and_come_out(compiled, transform):
    f = transform(network)
    same(compiled(f)(WEIGHTS, ROWS), f(WEIGHTS, ROWS))


@pytest.mark.parametrize(
    "transform",
    [cr.grad, cr.hessian, cr.jacobian, lambda f: lambda x: cr.hvp(f)(x, x), cr.value_and_grad],
    ids=["grad", "hessian", "jacobian", "hvp", "value_and_grad"],
)
def test_derivatives_are_compiled(compiled, transform):
    x = np.linspace(0.5, 1.5, 7)
    same(compiled(transform(rosenbrock))(x), transform(rosenbrock)(x))


def test_a_derivative_of_a_compiled_function_is_that_of_the_function(compiled):
    x = np.linspace(0.5, 1.5, 5)
    f = compiled(rosenbrock)
    same(cr.grad(f)(x), cr.grad(rosenbrock)(x))
    same(cr.hessian(f)(x), cr.hessian(rosenbrock)(x))
    same(compiled(cr.grad(f))(x), cr.grad(rosenbrock)(x))
    same(compiled(lambda x: 2 * f(x))(x), 2 * rosenbrock(x))
    assert f.specialisations() == []


def test_float32_stays_float32_with_python_numbers(compiled):
    def step(w, g, rate, steps):
        return w - rate * g / (rate + steps) * (rate * 2.0 + 1)

    w = np.linspace(0, 1, 5, dtype=np.float32)
    f = compiled(step)
    same(f(w, w, 0.1, 3), step(w, w, 0.1, 3))
    assert f(w, w, 0.1, 3).dtype == np.float32
    same(f(w, w, 0.25, 3), step(w, w, 0.25, 3))
    assert f.why_retraced() == []  # another float is another input
    same(f(w, w, 0.25, 4), step(w, w, 0.25, 4))
    (reason,) = f.why_retraced()
    assert "steps was 3, now 4" in reason
    assert "np.asarray" in reason


def test_integers_booleans_and_complex_numbers_are_inputs(compiled):
    def f(x, k, mask, z):
        return x[k] + np.sum(np.where(mask, x, 0.0)), z * x[0], k + 1, ~mask

    x = np.array([1.0, 2.0, 4.0])
    g = compiled(f)
    for k in ([0, 2], [1, 1], [-1, 0]):
        args = (x, np.array(k), np.array(k)[[0, 0, 1]] > 0, np.complex128(1 + 2j))
        same(g(*args), f(*args))
    assert len(g.specialisations()) == 1


def test_results_are_the_callers_own(compiled):
    outside = np.ones(3)

    def f(x):
        y = 2 * x
        return x, y, y, y.T, y[1:], x.reshape(3, 1), outside, np.real(x), np.broadcast_to(x, (2, 3))

    x = np.arange(3.0)
    g = compiled(f)
    for _ in range(2):
        found, expected = g(x), f(x)
        same(found, expected)
        for k, a in enumerate(found):
            assert a.flags.writeable
            assert not np.shares_memory(a, x)
            assert not np.shares_memory(a, outside)
            assert not any(np.shares_memory(a, b) for b in found[:k])
            a[...] = -1.0


def test_results_that_are_no_arrays_are_given_as_they_are(compiled):
    def f(x):
        return {"sum": x.sum(), "name": "f", "none": None, "size": x.size, "half": 0.5}

    x = np.arange(4.0)
    same(compiled(f)(x), f(x))


def test_keywords_defaults_and_methods(compiled):
    class Model:
        def __init__(self, scale):
            self.scale = scale

        def value(self, x, *, shift=1.0):
            return self.scale * x + shift

    model = Model(np.array([2.0, 3.0]))
    f = compiled(model.value)
    x = np.array([1.0, 1.0])
    same(f(x, shift=2.0), model.value(x, shift=2.0))
    same(f(x), model.value(x))
    model.scale = np.array([5.0, 7.0])
    same(f(x), model.value(x))
    Model.compiled_value = compiled(Model.value)
    same(model.compiled_value(x), model.value(x))
    same(Model(np.array([1.0, 1.0])).compiled_value(x), x + 1)


def test_out_takes_the_result(compiled):
    f = compiled(lambda x: (x * 2, np.sum(x)))
    x = np.arange(3.0)
    out = (np.empty(3), np.empty(()))
    assert f(x, out=out) is out
    np.testing.assert_array_equal(out[0], 2 * x)
    assert out[1] == 3.0
    with pytest.raises(errors.ShapeError, match=r"float64\[4\] for a result of float64\[3\]"):
        f(x, out=(np.empty(4), np.empty(())))
    with pytest.raises(errors.StructureError, match="structure"):
        f(x, out=np.empty(3))


def test_donated_arguments_take_results_of_their_shape(compiled):
    f = compiled(lambda w, g: {"w": w["w"] - 0.1 * g}, donate=0)
    w, g = {"w": np.ones(3)}, np.arange(3.0)
    new = f(w, g)
    assert new["w"] is w["w"]
    np.testing.assert_allclose(new["w"], [1.0, 0.9, 0.8])
    w["w"].flags.writeable = False
    with pytest.raises(errors.InputError, match="read-only"):
        f(w, g)


def test_bound_arguments_are_given_once(compiled):
    f = compiled(network)
    same(f.bind(WEIGHTS)(ROWS), network(WEIGHTS, ROWS))
    same(f.bind(x=ROWS)(WEIGHTS), network(WEIGHTS, ROWS))


def test_it_tells_what_it_is_made_of():
    f = cr.compile(cr.grad(network))
    with pytest.raises(errors.SettingError, match="has not been compiled yet"):
        f.report()
    f(WEIGHTS, ROWS)
    assert "matmul" in f.source("graph")
    assert "kernel" in f.source("schedule")
    assert "define" in f.source("llvm")
    assert "ret" in f.source("asm")
    assert "products of matrices" in f.report()
    assert f.constants() == []
    with pytest.raises(errors.SettingError, match="choose 'graph'"):
        f.source("python")


def test_lower_takes_specs(compiled):
    f = compiled(network)
    specs = {"w": cr.spec((4, 3)), "b": cr.spec(3)}
    lowered = f.lower(specs, cr.spec((2, 4)))
    assert "matmul" in lowered.source()
    assert len(f.specialisations()) == 1
    same(f(WEIGHTS, ROWS), network(WEIGHTS, ROWS))
    assert len(f.specialisations()) == 1
    with pytest.raises(errors.InputError, match="reads a value at test_compile"):
        compiled(lambda x: x if x[0] > 0 else -x).lower(cr.spec(3))


def test_options_are_checked():
    with pytest.raises(errors.SettingError, match="'native' or 'interpreted'"):
        cr.compile(network, backend="cuda")
    with pytest.raises(errors.InputError, match="no function"):
        cr.compile(3)
    with pytest.raises(errors.UnsupportedError, match="memory_limit"):
        cr.compile(network, memory_limit=1000)


def test_batches_of_any_size(compiled):
    f = compiled(network)
    for n in (1, 2, 63, 64, 65, 89):
        rows = np.linspace(0, 1, 4 * n).reshape(n, 4)
        same(f(WEIGHTS, rows), network(WEIGHTS, rows))
    assert "x was float64[65,4], now float64[89,4]" in f.why_retraced()[-1]


def test_more_arguments_than_before_are_not_lost(compiled):
    w = np.ones(3)

    def f(x, y=None, *rest):
        return x * w if y is None else x * y + len(rest)

    g = compiled(f)
    x = np.arange(3.0)
    for args in ((x,), (x, x), (x,), (x, x, x), (x, None)):
        same(g(*args), f(*args))
