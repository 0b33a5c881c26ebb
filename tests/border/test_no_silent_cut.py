"""No function of NumPy or SciPy gives back plain numbers that move with the traced values it took.

Every public function is called with whatever of a few dozen argument lists it takes, and with a
traced array, a list of traced scalars, or an object array of them in the place of each array. What
comes out must be right, or an error. A result that is plain although differences say that it moves
is a gradient that was cut unseen, and a wrong tangent is worse.
"""

import importlib
import inspect
import json
import os
import select
import signal
import time
import types
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.graph import Traced

V = np.array([0.31, 0.72, 1.43, 0.58, 0.94, 0.17])
W = np.array([0.83, 0.27, 0.66, 1.21, 0.45, 1.02])
SORTED = np.array([0.1, 0.25, 0.4, 0.7, 0.85, 0.9])
MATRIX = np.outer(V, W) + 3 * np.eye(6) + 0.2 * np.sin(np.arange(36.0)).reshape(6, 6)
DEFINITE = MATRIX @ MATRIX.T / 6
VALUES = {"v": V, "w": W, "o": SORTED, "m": MATRIX, "p": DEFINITE, "s": 0.63, "r": 1.6, "n": 2}
STEEP = np.cos(np.arange(36.0)).reshape(6, 6)
DIRECTIONS = {
    "v": np.cos(np.arange(6.0)),
    "w": np.sin(1 + np.arange(6.0)),
    "o": np.sin(2 + np.arange(6.0)),
    "m": STEEP,
    "p": STEEP + STEEP.T,
    "s": 1.0,
    "r": 0.8,
}
LISTS = (
    *("s", "v", "m", "p", "vw", "vo", "ov", "mv", "vm", "mp", "sr", "sv", "vs", "ns", "nv", "vn"),
    *("mn", "vsr", "svr", "vws", "vwo", "ovw", "ovs", "mvs", "vwn", "ovn", "nsr", "srv", "vnn"),
    *("vwsr", "vwss", "gs", "gv", "gsr", "gvs", "gov"),
)
# Not numpy and scipy.special, whose functions ask for whole numbers, sorted knots, narrow domains:
# tests/tracing/test_surface.py and tests/rules call each of them with arguments that it takes.
MODULES = (
    *("numpy.linalg", "numpy.fft", "scipy.linalg", "scipy.stats"),
    *("scipy.signal", "scipy.interpolate", "scipy.integrate", "scipy.optimize", "scipy.ndimage"),
    *("scipy.spatial.distance", "scipy.fft"),
)
# why what looks like a cut is none
EXPLAINED = {
    "numpy.frombuffer": "reads the pointers in an object array as numbers, traced or not",
    "numpy.empty": "its entries are arbitrary",
    "numpy.empty_like": "its entries are arbitrary",
    "scipy.integrate.qmc_quad": "random",
    "scipy.stats.fisher_exact": "random for tables larger than 2 x 2",
    "scipy.signal.freqz_zpk": "computes in single precision with a dtype that it does not know",
}
PER_FUNCTION = 60.0


def called(t, *rest):
    return t**2 - 0.5 if np.ndim(t) == 0 else np.sum(np.asarray(t) ** 2)


def numbers(value, depth=0):
    """All numbers in a result, in order, traced or plain."""
    if isinstance(value, Traced):
        return [value]
    if isinstance(value, bool | np.bool_ | str | type(None) | types.ModuleType | type):
        return []
    if isinstance(value, int | float | complex | np.number):
        return [np.asarray(value)]
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return [value] if value.dtype.kind in "iufc" else []
    if isinstance(value, np.ndarray):
        value = value.reshape(-1).tolist()
    if isinstance(value, dict):
        value = [value[k] for k in sorted(value, key=str)]
    if isinstance(value, list | tuple) and depth < 6:
        return [number for part in value for number in numbers(part, depth + 1)]
    if hasattr(value, "__dict__") and not callable(value) and depth < 6:
        return numbers(vars(value), depth + 1)
    return []


def flat(parts):
    return np.concatenate([np.zeros(0), *(np.reshape(part, -1) for part in parts)])


def entries(x):
    return [entries(row) for row in x] if np.ndim(x) else x


FORMS = (lambda x: x, entries, lambda x: np.array(entries(x)))


def arguments(letters):
    found = [called if c == "g" else VALUES[c] for c in letters]
    return [a.copy() if isinstance(a, np.ndarray) else a for a in found]


def slopes(call, x, t):
    """Differences ahead and behind of all numbers in a result; NaN where they are not smooth."""
    at = flat(numbers(call(x)))
    found = []
    for h in (1e-4, 3e-5):
        ahead, behind = flat(numbers(call(x + h * t))), flat(numbers(call(x - h * t)))
        found += [(ahead - at) / h, (at - behind) / h]
    mean = (found[2] + found[3]) / 2
    smooth = [abs(f - mean) < 1e-2 * (1 + abs(mean)) for f in found]
    return np.where(np.all(smooth, axis=0), mean, np.nan)


def outcome(function, letters, k, form):
    """What is wrong with one call; None for what is right. Errors are for the caller."""
    x, t = VALUES[letters[k]], DIRECTIONS[letters[k]]

    def call(x):
        values = arguments(letters)
        values[k] = form(x.copy() if isinstance(x, np.ndarray) else x)
        return function(*values)

    expected = slopes(call, x, t)
    kept = []

    def traced(x):
        for part in numbers(call(x)):
            own = isinstance(part, cr.Dual)
            tangent = np.reshape(part.tangent, -1) if own else np.zeros(np.size(part))
            kept.append((tangent, np.full(tangent.shape, own)))
        return x

    cr.jvp(traced, (x,), (t,))
    found, carried = (flat(parts) for parts in zip(*kept, strict=True)) if kept else ((), ())
    if len(found) != len(expected):
        return None
    with np.errstate(all="ignore"):
        wrong = abs(found - expected) > 2e-2 * (1 + abs(expected))
    if not wrong.any():
        return None
    kind = "wrong" if np.asarray(carried, bool)[wrong].any() else "cut"
    return f"{kind}: tangents {found[wrong][:2]}, differences {expected[wrong][:2]}"


class TooSlow(BaseException):
    """Raised by the alarm; no function under test catches it."""


def _alarm(*_):
    raise TooSlow


def report(function):
    """What is wrong with a function, over all argument lists, places and forms."""
    signal.signal(signal.SIGALRM, _alarm)
    found = []
    for letters in LISTS:
        for k, form in (
            (k, form) for k, c in enumerate(letters) if c in DIRECTIONS for form in FORMS
        ):
            signal.setitimer(signal.ITIMER_REAL, 3.0)
            try:
                function(*arguments(letters))
                wrong = outcome(function, letters, k, form)
            except (Exception, SystemExit, TooSlow):  # noqa: BLE001  whatever a stranger raises
                wrong = None
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if wrong:
                found.append(f"({letters}, {k}, form {FORMS.index(form)}) {wrong}")
    return found


def in_a_process_of_its_own(function):
    """The report, from a child that a crash or an endless loop cannot take with it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        warnings.simplefilter("ignore")
        np.seterr(all="ignore")
        os.write(writing, json.dumps(report(function)[:5]).encode())
        os._exit(0)
    os.close(writing)
    text, end = b"", time.monotonic() + PER_FUNCTION
    while time.monotonic() < end and select.select([reading], [], [], end - time.monotonic())[0]:
        piece = os.read(reading, 65536)
        if not piece:
            break
        text += piece
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    return json.loads(text) if text else []


def functions(module):
    """The public functions of a module that compute."""
    found = importlib.import_module(module)
    names = getattr(found, "__all__", dir(found))
    for name in sorted(set(names)):
        value = getattr(found, name, None)
        usable = callable(value) and not (inspect.isclass(value) and issubclass(value, Exception))
        if usable and not name.startswith(("_", "save", "load", "set", "test", "show", "info")):
            yield name, value


@pytest.mark.soak
@pytest.mark.parametrize("module", MODULES)
def test_no_function_cuts_a_gradient_unseen(module):
    found = {}
    for name, function in functions(module):
        if f"{module}.{name}" not in EXPLAINED:
            wrong = in_a_process_of_its_own(function)
            if wrong:
                found[name] = wrong
    assert not found, json.dumps(found, indent=1)


def test_the_sweep_finds_a_cut_and_a_wrong_tangent():
    def cutting(x):
        return float(np.sum(cr.stop_gradient(x))) if isinstance(x, Traced) else float(np.sum(x))

    def wrong(x):
        return 2 * np.sum(x) - cr.stop_gradient(np.sum(x))

    assert ") cut: " in report(cutting)[0]
    assert ") wrong: " in report(wrong)[0]
    assert not report(np.sum)
