"""NumPy's surface, row by row: each expression on traced arrays is what it is on plain ones.

The rows are ordinary NumPy expressions, in expressions*.txt. Lower-case names are differentiated:

    s   scalar          v, w  vectors of 4       m, n  3 × 4       q, r  3 × 3, q well conditioned
    c   2 × 3 × 4       p     3 × 4, positive    u     3 × 4, within ±0.9
    z   complex 3 × 4

Upper-case names are plain arrays or masks of the closure. Entries lie apart from each other and
from 0, so that no kink is near.
"""

import ast
import importlib
import re
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import numpy.fft
import pytest
from numpy._core.overrides import ARRAY_FUNCTIONS

import chainrule as cr
from chainrule import errors
from chainrule.explanation import table, verdicts
from chainrule.graph import Primitive, registry
from chainrule.transforms.trace import record

_RNG = np.random.default_rng(20261122)


def _apart(*shape):
    size = int(np.prod(shape))
    return _RNG.permutation((np.arange(size) - size // 2 + 0.5) * 0.23).reshape(shape)


POINTS = {
    "s": np.float64(1.3),
    "v": _apart(4),
    "w": _apart(4) + 0.07,
    "m": _apart(3, 4),
    "n": _apart(3, 4) + 0.05,
    "p": np.abs(_apart(3, 4)) + 0.3,
    "u": np.tanh(_apart(3, 4)) * 0.9,
    "q": _apart(3, 3) + 3 * np.eye(3),
    "r": _apart(3, 3),
    "c": _apart(2, 3, 4),
    "z": _apart(3, 4) + 1j * _apart(3, 4),
}
PLAIN = {
    "np": np,
    "A": _apart(3, 4) + 0.11,
    "B": _apart(4, 2),
    "V": _apart(4) - 0.03,
    "I": np.array([2, 0, 2, 1]),
    "J": np.array([[0, 1], [2, 2]]),
    "K": np.array([3, 0, 1]),
    "M": _apart(3, 4) > 0,
    "D": np.eye(3, 4, dtype=bool),
    "ROW": np.array([True, False, True]),
    "L": [0.5, 1.5, -2.0, 3.0],
    "N": np.array([[3, -1, 2, 5], [0, 4, 1, -2], [7, 6, -3, 2]]),
}


def _families():
    """The rows of expressions*.txt by the name of their section."""
    families = {}
    for file in sorted(Path(__file__).parent.glob("expressions*.txt")):
        for line in file.read_text().splitlines():
            if line.startswith("== "):
                rows = families.setdefault(line.removeprefix("== "), [])
            elif line and not line.startswith("#"):
                rows.append(line)
    return families


FAMILIES = _families()
ROWS = [row for rows in FAMILIES.values() for row in rows]
REAL = [row for row in ROWS if row not in FAMILIES["comparisons"] + FAMILIES["complex"]]


def function_of(expression):
    """The expression as a function of the points it names, and those points."""
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    variables = sorted(names & POINTS.keys())
    code = f"lambda {', '.join(variables)}: {expression}"
    return eval(code, dict(PLAIN)), [POINTS[name] for name in variables]


@pytest.mark.parametrize("expression", ROWS)
def test_values_and_derivatives(expression, assert_derivatives):
    f, points = function_of(expression)
    # rounding to single precision is far above any difference quotient: its derivative is 1
    rounded = "float32" in expression or "complex64" in expression
    if rounded:
        _assert_single(f, points)
    else:
        assert_derivatives(f, *points)


def _assert_single(f, points):
    """A cast rounds the value; its derivative is that of the operation without the cast."""
    expected = f(*points)
    value, moved = cr.jvp(f, tuple(points), tuple(np.ones_like(p) for p in points))
    assert value.dtype == expected.dtype
    assert moved.dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)
    ahead, behind = (f(*[p + h for p in points]) for h in (0.5, -0.5))
    np.testing.assert_allclose(moved, ahead - behind, rtol=1e-5)  # all such rows are linear


SMOOTH = [
    row for row in REAL + FAMILIES["complex"] if "float32" not in row and "complex64" not in row
]


@pytest.mark.parametrize("expression", SMOOTH[::3])
def test_second_derivatives(expression, assert_second_derivatives, leaves_of, inexact):
    """One row in three, of every family, by forward and reverse mode over reverse mode."""
    f, points = function_of(expression)
    if all(inexact(y) for y in leaves_of(f(*points))):
        assert_second_derivatives(f, *points)


@pytest.mark.parametrize("expression", REAL)
def test_single_precision_stays_single(expression, leaves_of, inexact):
    """Values have the dtype that NumPy gives them, gradients that of their variables."""
    f, points = function_of(expression)
    singles = [np.float32(p) for p in points]
    value, pull = cr.vjp(f, *singles)
    for found, expected in zip(leaves_of(value), leaves_of(f(*singles)), strict=True):
        assert np.shape(found) == np.shape(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        # a thousand roundings in single precision; the rows have a few dozen
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    outputs = [np.asarray(y) for y in leaves_of(value)]
    gs = [np.ones(y.shape, y.dtype) if inexact(y) else None for y in outputs]
    assert all(g.dtype == np.float32 for g in pull(type(value)(gs) if len(gs) > 1 else gs[0]))


NUMERIC = [row for row in ROWS if not row.endswith(".dtype") and "result_type" not in row]


@pytest.mark.parametrize("expression", NUMERIC)
def test_recorded_values(expression, leaves_of):
    """A recording carries integers and truth values too, and computes the same."""
    f, points = function_of(expression)
    recording = record(f, tuple(points), {})
    found = [recording.values[edge] for edge in recording.graph.outputs]
    expected = leaves_of(f(*points))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13, equal_nan=True)


# -- every function of NumPy has a verdict, and a row or a record's samples that show it


def _dotted(node):
    """`np.linalg.norm` of an attribute chain that begins at np, else None."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [*names[::-1]] if isinstance(node, ast.Name) and node.id == "np" else None


def _named_in(expression):
    """The functions of NumPy that an expression names."""
    found = set()
    for node in ast.walk(ast.parse(expression)):
        value = np
        for name in _dotted(node) or []:
            value = getattr(value, name)
        if callable(value) and isinstance(value, Hashable):
            found.add(value)
    return found


NAMED = {row: _named_in(row) for row in ROWS}
VERDICTS = verdicts()


def _tangents(expression):
    f, points = function_of(expression)
    rng = np.random.default_rng(0)
    ts = tuple(np.asarray(rng.normal(size=np.shape(p)), np.asarray(p).dtype)[()] for p in points)
    if not points:
        return []
    return [t for t in cr.trees.flatten(cr.jvp(f, tuple(points), ts)[1])[0] if t is not None]


def _has_samples(function):
    meaning = registry.meanings.get(function)
    return isinstance(meaning, Primitive) and bool(meaning.samples or meaning.domain)


def test_the_list_is_numpys_own():
    """Every public entry of NumPy's dispatch list, but for those on texts, and every ufunc."""
    listed = {verdict.function for verdict in VERDICTS}
    public = [
        f
        for f in ARRAY_FUNCTIONS
        if f.__module__ in ("numpy", "numpy.linalg", "numpy.fft", "numpy.lib.scimath")
        and getattr(importlib.import_module(f.__module__), f.__name__) is f
    ]
    ufuncs = [u for u in vars(np).values() if isinstance(u, np.ufunc)]
    assert len(public) > 280
    assert len(set(ufuncs)) >= 90
    assert not [f for f in (*public, *ufuncs) if f not in listed]


def test_few_functions_are_not_supported():
    refused = [verdict for verdict in VERDICTS if verdict.kind == "not supported"]
    assert len(refused) <= 0.05 * len(VERDICTS)


@pytest.mark.parametrize(
    "verdict", [v for v in VERDICTS if v.kind == "not supported"], ids=lambda v: v.name
)
def test_a_refusal_says_what_to_do(verdict):
    count = verdict.function.nin if isinstance(verdict.function, np.ufunc) else 2
    with pytest.raises(errors.UnsupportedError, match=re.escape(verdict.reason)):
        cr.grad(lambda x: verdict.function(*[x] * count))(np.ones(2))


@pytest.mark.parametrize(
    "verdict", [v for v in VERDICTS if v.kind == "derivative"], ids=lambda v: v.name
)
def test_what_has_a_derivative_is_shown_to_have_one(verdict):
    rows = [row for row in ROWS if verdict.function in NAMED[row]]
    assert rows or _has_samples(verdict.function)
    if rows:
        assert any(np.any(t) for row in rows for t in _tangents(row))


@pytest.mark.parametrize(
    "verdict", [v for v in VERDICTS if v.kind == "constant"], ids=lambda v: v.name
)
def test_what_is_constant_does_not_move(verdict):
    """The rows of one call alone; the samples of a record are moved in tests/rules."""
    rows = [row for row in ROWS if verdict.function in NAMED[row]]
    assert rows or _has_samples(verdict.function)
    alone = [row for row in rows if len(NAMED[row]) == 1 and "*" not in row and "[" not in row]
    assert not any(np.any(t) for row in alone for t in _tangents(row))


FOLDING = [
    u
    for u in {v.function for v in VERDICTS}
    if isinstance(u, np.ufunc)
    and u.nin == 2
    and u.nout == 1
    and u.signature is None
    and u is not np.isnat
    and "dd->d" in u.types
]
FOLDING.sort(key=lambda u: u.__name__)
POSITIVE_POINT = np.array([[1.3, 2.1, 0.7], [0.9, 1.6, 2.4], [3.2, 0.83, 1.17], [1.9, 2.8, 0.6]])


@pytest.mark.parametrize("ufunc", FOLDING, ids=lambda u: u.__name__)
def test_the_methods_of_ufuncs(ufunc, assert_derivatives):
    """Of all that take floating point numbers; what NumPy refuses is refused."""
    x, v = POSITIVE_POINT, np.array([0.37, 0.53, 0.41])

    def at(x, v):
        y = np.copy(x)
        ufunc.at(y, ([0, 1, 0], [2, 2, 2]), v)
        return y

    assert_derivatives(lambda x: ufunc.accumulate(x, axis=0), x)
    assert_derivatives(lambda x: ufunc.reduceat(x[:2], [0, 1], axis=0), x)
    assert_derivatives(lambda x, v: ufunc.outer(x, v), x, v)
    assert_derivatives(at, x, v)
    # NumPy's own reduction of power and arctan2 over many rows is wrong on some processors: it
    # reads a row that it has written, so two rows are compared with it.
    assert_derivatives(lambda x: ufunc.reduce(x[:2], axis=0), x)
    assert_derivatives(lambda x: ufunc.reduce(x[:, :2], axis=-1, keepdims=True), x)


def test_the_page_of_verdicts_is_up_to_date():
    page = Path(__file__).parents[2] / "docs" / "numpy.md"
    assert page.read_text() == table(), "run: chainrule list --numpy > docs/numpy.md"


@pytest.mark.deep
def test_jax_agrees(peer):
    """Tangents of every row that both libraries understand, to 1e-9 relative in double precision.

    Where JAX refuses the call, computes something of another shape or value, or has no derivative
    at all (sets, for one), there is nothing to compare. More than 250 functions remain.
    """
    jax = peer("jax")
    library = dict(PLAIN, np=jax.numpy)
    agreed = set()
    for row in ROWS:
        f, points = function_of(row)
        if not points or "__import__" in row or ":=" in row or "like=" in row:
            continue  # writes and creations have other spellings there
        names = [x.id for x in ast.walk(ast.parse(row)) if isinstance(x, ast.Name)]
        variables = sorted(set(names) & POINTS.keys())
        theirs = eval(f"lambda {', '.join(variables)}: {row}", library)
        rng = np.random.default_rng(0)
        ts = [np.asarray(rng.normal(size=np.shape(p)), np.asarray(p).dtype)[()] for p in points]
        try:
            value, moved = jax.jvp(theirs, tuple(points), tuple(ts))
        except (AttributeError, TypeError, ValueError, IndexError, NotImplementedError):
            continue
        pairs = zip(*(jax.tree_util.tree_leaves(tree) for tree in (value, moved)), strict=True)
        both = [(np.asarray(y), np.asarray(t)) for y, t in pairs]
        leaves = [(y, t) for y, t in both if y.dtype.kind in "fc"]
        found, tangents = cr.jvp(f, tuple(points), tuple(ts))
        mine = [t for t in cr.trees.flatten(tangents)[0] if t is not None]
        values = [y for y in cr.trees.flatten(found)[0] if np.asarray(y).dtype.kind in "fc"]
        same = len(leaves) == len(values) and all(
            y.shape == np.shape(other) and np.allclose(y, other, equal_nan=True)
            for (y, _), other in zip(leaves, values, strict=True)
        )
        if not same or not any(np.any(t) for _, t in leaves):
            continue
        for (_, expected), t in zip(leaves, mine, strict=True):
            scale = np.max(np.abs(expected), initial=1e-2)
            np.testing.assert_allclose(t, expected, rtol=1e-9, atol=1e-9 * scale, err_msg=row)
        agreed |= NAMED[row]
    assert len(agreed) >= 250, sorted(f.__name__ for f in agreed)
