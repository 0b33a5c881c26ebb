"""NumPy's surface, row by row: each expression on traced arrays is what it is on plain ones.

The rows are ordinary NumPy expressions, in expressions*.txt. Lower-case names are differentiated:

    s   scalar          v, w  vectors of 4       m, n  3 × 4       q, r  3 × 3, q well conditioned
    c   2 × 3 × 4       p     3 × 4, positive    u     3 × 4, within ±0.9
    z   complex 3 × 4

Upper-case names are plain arrays or masks of the closure. Entries lie apart from each other and
from 0, so that no kink is near.
"""

import ast
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
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
