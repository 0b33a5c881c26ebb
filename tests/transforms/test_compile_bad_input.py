"""What may be handed to a compiled function: the right answer, or a sentence; never a crash."""

import importlib.util
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule import errors
from chainrule.native import availability


@pytest.fixture(params=["native", "interpreted"])
def compiled(request):
    return lambda f, **options: cr.compile(f, backend=request.param, **options)


def f(x):
    return np.sum(np.tanh(x) * x, axis=-1), x[..., ::-1] + 1


def agree(g, x):
    for a, b in zip(g(x), f(x), strict=True):
        assert a.dtype == b.dtype.newbyteorder("=")
        np.testing.assert_allclose(a, b, rtol=1e-5 if b.dtype == np.float32 else 1e-12)


GRID = np.linspace(-2, 2, 24).reshape(4, 6)


@pytest.mark.parametrize(
    "x",
    [
        GRID[:, ::2],
        GRID[::-1, ::-1],
        GRID.T,
        np.asfortranarray(GRID),
        np.broadcast_to(GRID[0], (3, 6)),
        GRID.astype(">f8"),
        GRID.astype(">f4"),
        GRID.astype(np.float16),
        GRID.astype(np.longdouble),
        GRID.astype(np.int32),
        GRID[:, :0],
        GRID[:0],
        np.ones((2, 0, 3)),
        GRID.astype(complex) * (1 + 0.1j),
    ],
    ids=str,
)
def test_arrays_of_all_kinds(compiled, x):
    if x.dtype.kind == "i":
        x = x + 1
    g = compiled(f)
    if x.dtype == np.float16:
        np.testing.assert_allclose(g(x)[0], f(x)[0], rtol=1e-2)
        return
    agree(g, x)
    agree(g, x)
    assert len(g.specialisations()) == 1


def test_wrong_dtypes_and_shapes_specialise_anew(compiled):
    g = compiled(f)
    for x in (GRID, GRID.astype(np.float32), GRID[0], GRID[None], GRID.astype(int)):
        agree(g, x)
    assert len(g.specialisations()) == 5
    with pytest.raises(errors.ShapeError, match="does not fit"):
        compiled(lambda x, y: x + y)(np.ones(2), np.ones(3))


def test_read_only_and_zero_dimensional_arrays(compiled):
    x = GRID.copy()
    x.flags.writeable = False
    agree(compiled(f), x)
    g = compiled(lambda x: (x * 2, np.sin(x)))
    for scalar in (np.array(0.5), np.float64(0.5), 0.5):
        for a, b in zip(g(scalar), (scalar * 2, np.sin(scalar)), strict=True):
            np.testing.assert_allclose(a, b, rtol=4e-16)
            assert type(a) is type(b)


def test_subclasses(compiled, tmp_path):
    mapped = np.memmap(tmp_path / "x", dtype=float, mode="w+", shape=(4, 6))
    mapped[...] = GRID
    agree(compiled(f), mapped)
    with pytest.raises(errors.InputError, match="MaskedArray, whose operators"):
        compiled(f)(np.ma.masked_array(GRID))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix(GRID)
    with pytest.raises(errors.InputError, match=r"np.asarray\(it\)"):
        compiled(f)(matrix)


@pytest.mark.parametrize(
    "bad", [np.array(["a", "b"]), np.array([None]), np.array(["2020"], "M8[D]")], ids=str
)
def test_arrays_without_numbers_raise(compiled, bad):
    with pytest.raises(errors.InputError, match=r"test_compile_bad_input.py:\d+ is given an array"):
        compiled(f)(bad)


def test_numbers_in_objects_are_numbers(compiled):
    np.testing.assert_allclose(compiled(np.sum)(np.array([1.0, 2.0], object)), 3.0)


def test_arguments_that_cannot_be_compared_raise(compiled):
    with pytest.raises(errors.InputError, match="a set, which is neither an array"):
        compiled(lambda x, s: x)(np.ones(2), {1, 2})


def test_texts_none_and_functions_are_part_of_the_program(compiled):
    def g(x, mode, weight, function):
        y = function(x) if mode == "on" else x
        return y if weight is None else y * weight

    made = compiled(g)
    x = np.ones(3)
    for args in [("on", None, np.sin), ("off", None, np.sin), ("on", x, np.sin), ("on", x, np.cos)]:
        np.testing.assert_allclose(made(x, *args), g(x, *args))
    assert len(made.specialisations()) == 4


def test_calls_from_several_threads(compiled):
    g = compiled(cr.grad(lambda x: np.sum(np.tanh(x) ** 2) if np.sum(x) > 0 else np.sum(x * x)))
    expected = cr.grad(lambda x: np.sum(np.tanh(x) ** 2) if np.sum(x) > 0 else np.sum(x * x))
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            x = rng.normal(size=int(rng.integers(1, 4)) * 100)
            if not np.allclose(g(x), expected(x), rtol=1e-12):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_after_compiling(compiled):
    # In a process of its own: forking this one, with its threads, would test other things.
    backend = compiled(f)._backend
    code = f"""
import os
import numpy as np
import chainrule as cr
g = cr.compile(cr.grad(lambda x: np.sum(np.tanh(x @ x.T))), backend={backend!r})
x = np.linspace(0, 1, 2500).reshape(50, 50)
before = g(x)
child = os.fork()
if not child:
    same = np.array_equal(g(x), before) and g(x[:10]).shape == (10, 50)
    os._exit(0 if same else 1)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
raise SystemExit(code or not np.array_equal(g(x), before))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


def test_a_function_that_calls_its_own_compilation(compiled):
    def power(x, n):
        return np.ones_like(x) if n == 0 else x * made(x, n - 1)

    made = compiled(power)
    x = np.linspace(0, 1, 4)
    np.testing.assert_allclose(made(x, 3), x**3)
    np.testing.assert_allclose(cr.grad(lambda x: np.sum(made(x, 3)))(x), 3 * x**2)


def test_an_error_of_the_function_comes_through(compiled):
    def g(x):
        if x[0] > 0:
            raise KeyError("positive")
        return float(x[0])

    made = compiled(g)
    with pytest.raises(KeyError, match="positive"):
        made(np.ones(1))
    with pytest.raises(errors.ConversionError, match="plain number at test_compile_bad_input"):
        made(-np.ones(1))


def test_without_llvmlite_it_runs_interpreted_and_warns_once(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "llvmlite" else find(name)
    )
    availability._warn.cache_clear()
    with pytest.warns(errors.CompileWarning, match="pip install llvmlite") as caught:
        g = cr.compile(f)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cr.compile(f)
    agree(g, GRID)
    availability._warn.cache_clear()


def test_a_singular_matrix_raises_as_in_numpy(compiled):
    g = compiled(lambda a: np.linalg.inv(a))
    g(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        g(np.zeros((2, 2)))
