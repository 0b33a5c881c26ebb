"""Recursive and finite filters along one axis.

    a[0] y[n] = Σ b[k] x[n - k] - Σ a[k] y[n - k]

A filter is a finite one, linear in b and x, after which comes a recursion through y alone. The
transpose of both runs the same filter over the cotangent, backwards in time.
Source: A. Oppenheim, R. Schafer, Discrete-Time Signal Processing, section 6.4 (transposed forms).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from chainrule.primitives.declare import General, Multilinear, multilinear, primitive
from chainrule.primitives.samples import case, normal, uniform
from chainrule.scipy.forwarding import array, refused, stands_for

Axis = int


def _last_flipped(x: Any) -> Any:
    return np.flip(x, -1)


def _lag_sums(x1: Any, x2: Any, *, lags: int) -> Any:
    """Σ over lines and n of x1[n] x2[n - k], for k = 0 … lags - 1."""
    size = x1.shape[-1]
    lines1, lines2 = x1.reshape(-1, size), x2.reshape(-1, size)
    total = np.zeros(lags, np.result_type(x1, x2))
    for one, two in zip(lines1, lines2, strict=True):
        found = scipy.signal.correlate(one, np.conj(two), "full")[size - 1 : size - 1 + lags]
        total[: found.size] += found
    return total


finite: Multilinear = multilinear(
    "finite_filter",
    compute=lambda x1, x2: scipy.signal.lfilter(x1, np.ones(1, np.result_type(x1, x2)), x2),
    transposed=(
        lambda g, x2, shape: lag_sums(g, x2, lags=shape[0]),
        lambda g, x1: _last_flipped(finite(x1, _last_flipped(g))),
    ),
    latex=r"{x1} * {x2}",
    samples=[case(normal(3), normal(6)), case(normal(4), normal(2, 3)), case(normal(1), normal(4))],
)

lag_sums: Multilinear = multilinear(
    "lag_sums",
    compute=_lag_sums,
    transposed=(
        lambda g, x2: finite(g, x2),
        lambda g, x1: _last_flipped(finite(g, _last_flipped(x1))),
    ),
    latex=r"\operatorname{{correlation}}({x1}, {x2})",
    samples=[case(normal(6), normal(6), lags=3), case(normal(2, 3), normal(2, 3), lags=4)],
)


def _later(y: Any) -> Any:
    """`y` one step later, with a zero first."""
    return np.concatenate([np.zeros_like(y[..., :1]), y[..., :-1]], axis=-1)


def _recursion(x1: Any, x2: Any) -> Any:
    """y[n] = x2[n] - Σ x1[k - 1] y[n - k]."""
    one = np.ones(1, x1.dtype)
    return scipy.signal.lfilter(one, np.concatenate([one, x1]), x2)


recursive: General = primitive(
    "recursive_filter",
    compute=_recursion,
    inputs=2,
    jvp=(
        lambda t, x1, y: -recursive(x1, finite(t, _later(y))),
        lambda t, x1: recursive(x1, t),
    ),
    vjp=(
        lambda g, x1, y, shape: (
            -lag_sums(_last_flipped(recursive(x1, _last_flipped(g))), _later(y), lags=shape[0])
        ),
        lambda g, x1: _last_flipped(recursive(x1, _last_flipped(g))),
    ),
    latex=r"{x2} / (1 + {x1} z^{{-1}} \cdots)",
    samples=[
        case(uniform(-0.3, 0.3, 2), normal(7)),
        case(uniform(-0.3, 0.3, 3), normal(2, 4)),
    ],
    note="both modes: the transposed filter run backwards is a call of SciPy's own loop",
)


def _resized(b: Any, size: int) -> Any:
    return b if b.shape[0] == size else np.concatenate([b, np.zeros(size - b.shape[0], b.dtype)])


def _filtered(b: Any, a: Any, x: Any, zi: Any) -> tuple[Any, Any]:
    """Output and final state along the last axis; the state is what enters the next samples."""
    b, a = b / a[0], a[1:] / a[0]
    order = max(b.shape[0], a.shape[0] + 1) - 1
    size = x.shape[-1]
    room = np.zeros((*x.shape[:-1], order), x.dtype)
    longer = np.concatenate([x, room], axis=-1)
    u = finite(b, longer)
    if zi is not None:
        tail = np.zeros((*x.shape[:-1], size), zi.dtype)
        zi = np.broadcast_to(zi, (*x.shape[:-1], order))
        u = u + np.concatenate([zi, tail], axis=-1)
    y = recursive(a, u[..., :size]) if a.shape[0] else u[..., :size]
    if zi is None:
        return y, None
    after = u[..., size:]
    if a.shape[0] and order:
        past = finite(np.concatenate([np.zeros(1, a.dtype), a]), np.concatenate([y, room], axis=-1))
        after = after - past[..., size:]
    return y, after


def _moved(value: Any, source: int, to: int) -> Any:
    return value if value is None else np.moveaxis(value, source, to)


@stands_for(scipy.signal.lfilter)
def lfilter(b: Any, a: Any, x: Any, axis: Axis = -1, zi: Any = None) -> Any:
    """`scipy.signal.lfilter`: differentiable in b, a, x and zi, in time linear in the samples.

    The cotangent of x is the cotangent of y filtered backwards in time.

    >>> import chainrule as cr
    >>> x = np.array([1.0, 0.0, 0.0])
    >>> cr.grad(lambda a: np.sum(lfilter([1.0], [1.0, a], x)))(-0.5)
    np.float64(-2.0)
    """
    b, a, x = np.atleast_1d(array(b)), np.atleast_1d(array(a)), array(x)
    state = None if zi is None else _moved(array(zi), axis, -1)
    y, after = _filtered(b, a, _moved(x, axis, -1), state)
    y = _moved(y, -1, axis)
    return y if zi is None else (y, _moved(after, -1, axis))


@stands_for(scipy.signal.lfilter_zi)
def lfilter_zi(b: Any, a: Any) -> Any:
    """`scipy.signal.lfilter_zi`: the state of a step response that has settled."""
    b, a = array(b), array(a)
    b, a = b / a[0], a / a[0]
    size = max(b.shape[0], a.shape[0])
    b, a = _resized(b, size), _resized(a, size)
    rows = [-a[1:], np.eye(size - 2, size - 1)] if size > 2 else [-a[1:]]
    companion = np.vstack([np.reshape(row, (-1, size - 1)) for row in rows])
    return np.linalg.solve(np.eye(size - 1) - companion.T, b[1:] - a[1:] * b[0])


@stands_for(scipy.signal.sosfilt)
def sosfilt(sos: Any, x: Any, axis: Axis = -1, zi: Any = None) -> Any:
    """`scipy.signal.sosfilt`: second-order sections, one after the other."""
    sos, y = array(sos), _moved(array(x), axis, -1)
    if not np.all(sos[:, 3] == 1):
        raise ValueError("sos[:, 3] should be all ones")
    states = None if zi is None else _moved(array(zi), axis + 1 if axis >= 0 else axis, -1)
    after = []
    for k in range(sos.shape[0]):
        state = None if states is None else states[k]
        y, final = _filtered(sos[k, :3], sos[k, 3:], y, state)
        after.append(final)
    y = _moved(y, -1, axis)
    if zi is None:
        return y
    return y, _moved(np.stack(after), -1, axis + 1 if axis >= 0 else axis)


def _continued(x: Any, edge: int, padtype: str | None) -> Any:
    """`x` along its last axis with `edge` samples more at either end."""
    if padtype is None or edge == 0:
        return x
    if edge >= x.shape[-1]:
        raise ValueError(f"padlen {edge} must be less than the {x.shape[-1]} samples of x")
    left, right = x[..., edge:0:-1], x[..., -2 : -(edge + 2) : -1]
    first, last = x[..., :1], x[..., -1:]
    if padtype == "odd":
        left, right = 2 * first - left, 2 * last - right
    elif padtype == "constant":
        left, right = first + 0 * left, last + 0 * right
    elif padtype != "even":
        raise ValueError(f"padtype must be 'odd', 'even', 'constant' or None, not {padtype!r}")
    return np.concatenate([left, x, right], axis=-1)


@stands_for(scipy.signal.filtfilt)
def filtfilt(
    b: Any,
    a: Any,
    x: Any,
    axis: Axis = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
    method: str = "pad",
    irlen: int | None = None,
) -> Any:
    """`scipy.signal.filtfilt`: the filter run forwards and then backwards, without a delay."""
    if method != "pad":
        raise refused(scipy.signal.filtfilt, f"with method={method!r}; use method='pad'")
    b, a, x = np.atleast_1d(array(b)), np.atleast_1d(array(a)), _moved(array(x), axis, -1)
    edge = 3 * max(a.shape[0], b.shape[0]) if padlen is None else padlen
    edge = 0 if padtype is None else edge
    longer = _continued(x, edge, padtype)
    state = lfilter_zi(b, a)
    y, _ = _filtered(b, a, longer, state * longer[..., :1])
    y, _ = _filtered(b, a, _last_flipped(y), state * y[..., -1:])
    y = _last_flipped(y)
    return _moved(y[..., edge : y.shape[-1] - edge], -1, axis)


@stands_for(scipy.signal.freqz)
def freqz(
    b: Any,
    a: Any = 1,
    worN: Any = 512,
    whole: bool = False,
    plot: Any = None,
    fs: float = 2 * np.pi,
    include_nyquist: bool = False,
) -> tuple[Any, Any]:
    """`scipy.signal.freqz`: H(ω) = B(e^{iω}) / A(e^{iω}), differentiable in b and a."""
    b, a = np.atleast_1d(array(b)), np.atleast_1d(array(a))
    if b.ndim > 1 or a.ndim > 1 or plot is not None:
        raise refused(scipy.signal.freqz, "with coefficients of several axes, or with plot=")
    w, _ = scipy.signal.freqz([1.0], 1, worN, whole, None, fs, include_nyquist)
    phase = np.exp(-2j * np.pi / fs * np.asarray(w))
    return w, _polynomial(b, phase) / _polynomial(a, phase)


def _polynomial(c: Any, z: Any) -> Any:
    """Σ c[k] zᵏ."""
    return np.power(z[:, None], np.arange(c.shape[0])) @ c
