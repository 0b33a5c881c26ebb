"""Where traced arrays are asked to behave as NumPy's in small things that code relies on."""

import types
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.graph import Traced, registry
from chainrule.tracing.dispatch import _parameters

V = np.array([1.0, -2.0, 3.0])


def both_modes(f, x):
    """The derivative of a function that acts entry by entry, by either mode."""
    reverse = cr.elementwise_grad(f)(x)
    _, forward = cr.jvp(f, (x,), (np.ones_like(x),))
    np.testing.assert_array_equal(reverse, forward)
    return reverse


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.maximum(0.0, x), 0.0, 0.5),
        (lambda x: np.minimum(x, 0), 0.0, 0.5),
        (lambda x: np.maximum(x, x), 2.0, 1.0),
        (lambda x: np.fmax(x, 0.0), 0.0, 0.5),
        (lambda x: np.fmin(np.nan, x), 2.0, 1.0),
        (lambda x: np.clip(x, 0.0, 1.0), 0.0, 1.0),
        (lambda x: np.clip(x, 0.0, 1.0), 1.0, 1.0),
        (lambda x: np.clip(x, 0.0, 1.0), 1.5, 0.0),
        (np.abs, 0.0, 0.0),
        (abs, -0.0, 0.0),
        (np.fabs, 0.0, 0.0),
        (np.sign, 0.0, 0.0),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: np.where(x > 0, np.log(x), 0.0), 0.0, 0.0),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_kinks(f, x, slope):
    for point in (np.float64(x), np.float32(x), np.array([x, x])):
        found = both_modes(f, point)
        np.testing.assert_array_equal(found, np.full_like(point, slope))
        assert found.dtype == point.dtype


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where(x > 0, x, 0.0),
        lambda x: np.where(x > 0, 1.0, x),
        lambda x: np.maximum(x, 0.0) * 2.0 + 1,
        lambda x: np.clip(x, 0.0, 1.0),
        lambda x: x * 2.0 / 3 - 1.5,
        lambda x: 2**x,
        lambda x: x**2.5,
        lambda x: x.mean() * x.var() + x.std(),
        lambda x: np.pad(x, 1, constant_values=0.5),
        lambda x: np.full_like(x, 2.0) * np.zeros_like(x) + np.ones_like(x) * x,
        lambda x: np.linspace(x[0], x[1], 4),
        lambda x: sum(x) * 0.5,
        lambda x: np.nan_to_num(x),
        lambda x: np.linalg.norm(x),
    ],
)
def test_python_numbers_are_weak(f):
    x = np.float32([0.5, 2.0, 3.0])
    assert f(x).dtype == np.float32
    value, pull = cr.vjp(f, x)
    assert value.dtype == np.float32
    (g,) = pull(np.ones_like(value))
    assert g.dtype == np.float32
    _, moved = cr.jvp(f, (x,), (x,))
    assert moved.dtype == np.float32


def test_a_traced_python_number_is_weak_too():
    x = np.float32([1.0, 2.0])
    value, pull = cr.vjp(lambda s: s * x, 3.0)
    assert value.dtype == np.float32
    assert pull(np.ones(2, np.float32))[0] == 3.0


def test_comparisons_are_plain_in_a_gradient():
    def f(x):
        for truth in (x > 0, x == x, np.isnan(x), np.logical_and(x > 0, x < 2), x[0] > 0, ~(x > 0)):
            assert not isinstance(truth, Traced)
            assert np.asarray(truth).dtype == bool
        for whole in (np.argmax(x), x.argsort(), np.nonzero(x)[0], np.searchsorted(x, 0.0)):
            assert not isinstance(whole, Traced)
        return np.sum(x)

    cr.grad(f)(V)


def test_membership():
    def f(x):
        assert 3.0 in x
        assert 4.0 not in x
        assert x[0] in [0.0, 1.0]
        assert x[0] not in (5.0, 6.0)
        assert 1.0 in x.reshape(3, 1)
        return np.sum(x)

    np.testing.assert_array_equal(cr.grad(f)(V), np.ones(3))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: np.add(x, 1.0, dtype=np.float32), np.float32),
        (lambda x: np.multiply(2, x, dtype=np.float64), np.float64),
        (lambda x: np.exp(x, dtype=np.complex128), np.complex128),
        (lambda x: np.sum(x, dtype=np.float32), np.float32),
        (lambda x: np.add(x, x, casting="no"), np.float64),
        (lambda x: np.add(x, [1, 2, 3], order="C", subok=False), np.float64),
        (lambda x: np.add.reduce(x, dtype=np.float32), np.float32),
    ],
)
def test_options_of_ufuncs(call, expected):
    value, pull = cr.vjp(call, V)
    assert value.dtype == call(V).dtype == expected
    np.testing.assert_allclose(value, call(V), rtol=1e-6)  # single precision
    assert pull(np.ones_like(value))[0].dtype == np.float64


def test_a_cast_that_the_ufunc_refuses():
    for call in (
        lambda x: np.add(x, 1.0, dtype=int),
        lambda x: np.add(x, x, dtype=np.float32, casting="safe"),
    ):
        with pytest.raises(TypeError):
            call(V)
        with pytest.raises(errors.ConversionError, match=r"numpy\.add .*casting"):
            cr.grad(lambda x, call=call: np.sum(call(x)))(V)


def test_where_of_a_ufunc_computes_nothing_elsewhere():
    """No warning for the logarithm of what is left out, no NaN in its gradient."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        def f(x):
            y = np.zeros_like(x)
            np.log(x, out=y, where=x > 0)
            return np.sum(y)

        np.testing.assert_allclose(cr.grad(f)(V), [1.0, 0.0, 1 / 3])


def test_the_users_own_warnings_stay_numpys():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        cr.grad(lambda x: np.sum(1.0 / x))(np.array([0.0, 1.0]))


def test_what_numpys_arrays_offer_and_these_do_not_says_so():
    """Every public name of an ndarray is there, or its absence is a sentence."""

    def f(x):
        for name in dir(np.ndarray):
            if name.startswith("_") or hasattr(x, name):
                continue
            with pytest.raises(
                AttributeError, match=rf"method {name} of NumPy.* has no derivative"
            ):
                getattr(x, name)
        with pytest.raises(AttributeError, match="'foo'"):
            _ = x.foo
        return np.sum(x)

    cr.grad(f)(np.eye(2))


LISTED = (
    "sum mean var std prod max min argmax argmin cumsum cumprod any all reshape transpose T mT "
    "swapaxes squeeze ravel flatten flat repeat take diagonal trace clip round astype copy dot "
    "conj conjugate real imag item tolist fill nonzero argsort searchsorted sort shape dtype ndim "
    "size nbytes itemsize"
)


def test_the_listed_methods_and_attributes_are_there():
    def f(x):
        missing = [name for name in LISTED.split() if not hasattr(x, name)]
        assert not missing
        return np.sum(x)

    cr.grad(f)(np.eye(2))


# -- the options of NumPy's functions, from their own signatures


UNUSED = {"order", "subok", "like", "device", "casting", "axes", "signature", "out"}


def _functions_with_meanings():
    methods = (np.ufunc, types.BuiltinMethodType)
    return [f for f in registry.meanings if not isinstance(f, methods) and _parameters(f)]


@pytest.mark.parametrize("function", _functions_with_meanings(), ids=lambda f: f.__qualname__)
def test_every_option_is_taken_or_refused_by_name(function):
    """No option of a NumPy function ends in a bare TypeError about our own function."""
    meaning = registry.meanings[function]
    if meaning in tuple(registry):
        return  # a record hands its options to NumPy's own function
    taken = _parameters(meaning)
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return
    positional = [p for p in _parameters(function).values() if p.kind is not p.KEYWORD_ONLY]
    required = [p for p in positional if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    assert len([p for p in taken.values() if p.kind is not p.KEYWORD_ONLY]) >= len(required)
    unknown = set(_parameters(function)) - set(taken) - UNUSED
    by_keyword = [
        name
        for name in unknown
        if _parameters(function)[name].kind is not _parameters(function)[name].POSITIONAL_ONLY
    ]
    for name in sorted(by_keyword):
        with pytest.raises(errors.UnsupportedError, match=rf"with {name}="):
            cr.grad(lambda x, name=name: function(*[x] * max(1, len(required)), **{name: True}))(
                np.eye(3)
            )
