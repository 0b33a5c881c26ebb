"""What a compiled function takes from outside its arguments is never stale."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors

SCALE = np.array([1.0, 2.0, 3.0])
TABLE = {"rate": 0.5, "offset": np.zeros(3)}
X = np.array([0.5, -1.0, 2.0])


@pytest.fixture(params=["native", "interpreted"])
def compiled(request):
    return lambda f, **options: cr.compile(f, backend=request.param, **options)


def agree(g, f, *args):
    np.testing.assert_allclose(g(*args), f(*args), rtol=1e-13)


@pytest.mark.parametrize(
    "transform", [lambda f: f, cr.grad, cr.hessian], ids=["value", "grad", "hessian"]
)
def test_a_closed_over_array_is_read_on_every_call(compiled, transform):
    w, b = np.ones((3, 3)), np.zeros(3)
    f = transform(lambda x: np.sum(np.tanh(x @ w + b) ** 2 / w[0]))
    g = compiled(f)
    agree(g, f, X)
    w[0, 1] = 4.0
    b += 0.3
    agree(g, f, X)
    for _ in range(4):
        w = w * 0.9
        b = b + 0.1
        agree(g, f, X)
    assert len(g.specialisations()) == 1
    assert len(g.why_retraced()) <= 2


def test_an_array_of_another_shape_has_it_traced_again(compiled):
    w = np.ones(3)

    def f(x):
        return np.sum(x[: w.size] * w)

    g = compiled(f)
    agree(g, f, X)
    w = np.ones(2)
    agree(g, f, X)
    assert g.why_retraced() == ["w was an array of float64[3], now an array of float64[2]"]


def test_what_was_computed_from_an_outside_array_is_not_stale(compiled):
    w, table, flags = np.ones(3), np.arange(4.0), np.array([1.0, 0.0])

    def f(x):
        y = x * (w * 2) + np.sum(w) * x + w  # w itself, and numbers made of it
        if flags[0] > 0:
            y = y * float(table[2])
        return np.sum(y) + len(table)

    g = compiled(cr.grad(f))
    agree(g, cr.grad(f), X)
    for k in range(3):
        w[k] = 5.0 + k
        agree(g, cr.grad(f), X)
    table[2] = -1.0
    agree(g, cr.grad(f), X)
    flags[0] = -1.0
    agree(g, cr.grad(f), X)
    w *= 2
    agree(g, cr.grad(f), X)
    assert any("entries of table changed" in reason for reason in g.why_retraced())
    assert any("are compared on every call" in line for line in g.constants())


def test_a_view_of_an_outside_array_is_read_on_every_call(compiled):
    w = np.arange(6.0)

    def f(x):
        return x * w[1:4] + w.reshape(2, 3)[1]

    g = compiled(f)
    agree(g, f, X)
    w[2] = 10.0
    agree(g, f, X)
    assert g.why_retraced() == []
    w = w + 1
    agree(g, f, X)


def test_numbers_globals_and_items_are_asked_again(compiled, monkeypatch):
    def f(x):
        return np.sum(x * SCALE * TABLE["rate"] + TABLE["offset"])

    g = compiled(f)
    agree(g, f, X)
    monkeypatch.setitem(TABLE, "rate", 0.25)
    agree(g, f, X)
    monkeypatch.setitem(TABLE, "offset", np.ones(3))
    agree(g, f, X)
    monkeypatch.setitem(globals(), "SCALE", np.array([3.0, 2.0, 1.0]))
    agree(g, f, X)
    assert "TABLE['rate'] was 0.5, now 0.25" in g.why_retraced()[0]


def test_functions_that_it_calls_are_asked_again(compiled):
    rate = 2.0

    def scaled(x):
        return x * rate

    inner = scaled

    def f(x):
        return inner(x) + 1

    g = compiled(f)
    agree(g, f, X)
    rate = 3.0
    agree(g, f, X)

    inner = np.negative
    agree(g, f, X)


def test_attributes_are_asked_again(compiled):
    class Layer:
        def __init__(self):
            self.w = np.ones(3)
            self.power = 2

        def __call__(self, x):
            return np.sum((x * self.w) ** self.power)

    layer = Layer()

    def f(x):
        return layer(x)

    for g in (compiled(f), compiled(layer), compiled(lambda x: Layer.__call__(layer, x))):
        agree(g, f, X)
        layer.w[0] += 7.0
        agree(g, f, X)
        layer.w = layer.w * 2
        agree(g, f, X)
        layer.power += 1
        agree(g, f, X)


def test_a_value_that_comes_back_finds_its_specialisation(compiled):
    rate = 1.0

    def f(x):
        return x * rate

    g = compiled(f)
    for rate in (1.0, 2.0, 1.0, 2.0):  # noqa: B007  f closes over it
        agree(g, f, X)
    assert len(g.specialisations()) == 2


def test_random_numbers_drawn_while_tracing_raise(compiled, place_of_mark):
    rng = np.random.default_rng(0)

    def own(x):
        return x + rng.normal(size=3)  # <-

    def everyones(x):
        return x + np.random.rand(3)  # <-

    for f in (own, everyones):
        with pytest.raises(errors.InputError, match="every later call") as caught:
            compiled(f)(X)
        assert place_of_mark(f) in str(caught.value)
        assert "chainrule.numpy.random" in str(caught.value)


@pytest.fixture
def place_of_mark():
    def find(function):
        code = function.__code__
        return f"{code.co_filename.rpartition('/')[2]}:{code.co_firstlineno + 1}"

    return find


def test_a_seeded_generator_of_its_own_is_a_constant(compiled):
    def f(x):
        return x + np.random.default_rng(0).normal(size=3)

    agree(compiled(f), f, X)


def test_writing_into_an_outside_array_that_is_used_raises(compiled):
    total = np.zeros(3)

    def f(x):
        y = x * total
        total[0] += 1
        return y

    with pytest.raises(errors.MutationError, match="total at test_compile_outside"):
        compiled(f)(X)


def test_a_traced_array_from_outside_is_part_of_the_outer_derivative(compiled):
    def outer(w):
        inner = compiled(lambda x: np.sum(x * w * w))
        return inner(X)

    np.testing.assert_allclose(cr.grad(outer)(np.ones(3)), 2 * X)

    def hidden(w):
        box = [w]
        return compiled(lambda x: np.sum(x * (lambda: box[0])() ** 2))(X)

    np.testing.assert_allclose(cr.grad(hidden)(np.ones(3)), 2 * X)


def test_read_only_arrays_are_not_compared(compiled):
    table = np.arange(4.0)
    table.flags.writeable = False
    g = compiled(lambda x: x * table[2])
    g(X)
    assert not any("compared" in line for line in g.constants())
