"""Random programs: data that one interpreter runs with NumPy, chainrule or JAX."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

Function = Callable[..., Any]
LARGEST = 50.0
GAP = 0.05  # how far from a tie, a kink or the edge of a domain an operand has to be


class Operation(NamedTuple):
    """`compute(np, *inputs, **params)`, for operands that are `safe` at the point in question.

    `params` draws the parameters from the values of the operands; None says that they do not fit.
    """

    compute: Function
    inputs: int = 1
    safe: Function = lambda *values: True
    params: Function = lambda draw, *values: {}


class Step(NamedTuple):
    name: str
    inputs: tuple[int, ...]
    params: dict[str, Any]


class Program(NamedTuple):
    """Steps over the arrays `point`; its result is the weighted sum of what no step uses."""

    point: list[Any]
    steps: list[Step]
    weights: dict[int, Any]

    def run(self, np: Any, xs: Any, nudge: Function = lambda value: value) -> Any:
        """The result with the module `np`; each use of a value takes it through `nudge`."""
        values = list(xs)
        for step in self.steps:
            operands = [nudge(values[k]) for k in step.inputs]
            values.append(OPERATIONS[step.name].compute(np, *operands, **step.params))
        return sum(np.sum(w * nudge(values[k])) for k, w in self.weights.items())


def _above(low: float) -> Function:
    return lambda x: bool(np.min(x) > low)


def _within(bound: float) -> Function:
    return lambda x: bool(np.max(np.abs(x)) < bound)


def _away_from_zero(x: Any) -> bool:
    return bool(np.min(np.abs(x)) > 0.3)


def _broadcast(a: Any, b: Any) -> bool:
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return True


def _no_tie(a: Any, b: Any) -> bool:
    return _broadcast(a, b) and bool(np.min(np.abs(a - b)) > GAP)


def _fit(condition: Function) -> Function:
    return lambda a, b: _broadcast(a, b) and bool(condition(a, b))


def _distinct(x: Any) -> bool:
    entries = np.sort(x, axis=None)
    return x.size > 1 and bool(np.min(np.diff(entries)) > GAP)


def _unary(name: str, safe: Function = lambda x: True) -> Operation:
    return Operation(lambda np, x: getattr(np, name)(x), safe=safe)


def _binary(name: str, safe: Function = _broadcast) -> Operation:
    return Operation(lambda np, a, b: getattr(np, name)(a, b), 2, safe)


def _axis(draw: Function, x: Any) -> dict[str, Any] | None:
    if not x.ndim:
        return None
    return {"axis": draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))}


def _reduction(name: str, safe: Function = lambda x: True) -> Operation:
    def params(draw: Function, x: Any) -> dict[str, Any] | None:
        found = _axis(draw, x)
        return None if found is None else {**found, "keepdims": draw(st.booleans())}

    return Operation(lambda np, x, **params: getattr(np, name)(x, **params), 1, safe, params)


def _spread(draw: Function, x: Any) -> dict[str, Any] | None:
    params = _axis(draw, x)
    return params if params is not None and np.min(np.std(x, **params)) > GAP else None


def _one_axis(draw: Function, x: Any) -> dict[str, Any] | None:
    return {"axis": draw(st.integers(-x.ndim, x.ndim - 1))} if x.ndim else None


def _shapes_of(draw: Function, x: Any) -> dict[str, Any]:
    shapes = [(-1,), (1, -1), (x.size, 1)]
    shapes += [(n, x.size // n) for n in (2, 3) if x.size % n == 0]
    return {"shape": draw(st.sampled_from(shapes))}


def _slices(draw: Function, x: Any) -> dict[str, Any] | None:
    if not x.ndim:
        return None
    parts = [slice(None), slice(1, None), slice(None, -1), slice(None, None, -1), 0, -1, None, ...]
    index = draw(st.lists(st.sampled_from(parts), min_size=1, max_size=2).map(tuple))
    taken = sum(part is not None and part is not ... for part in index)
    return {"index": index} if taken <= x.ndim and index.count(...) < 2 else None


def _gather(draw: Function, x: Any) -> dict[str, Any] | None:
    if not x.ndim:
        return None
    positions = st.lists(st.integers(-x.shape[0], x.shape[0] - 1), min_size=1, max_size=4)
    return {"index": np.array(draw(positions))}


def _masked(draw: Function, x: Any) -> dict[str, Any]:
    mask = draw(st.lists(st.booleans(), min_size=x.size, max_size=x.size))
    return {"mask": np.array(mask, bool).reshape(x.shape)}


def _same_but_axis(a: Any, b: Any) -> bool:
    return a.ndim == b.ndim > 0 and a.shape[1:] == b.shape[1:]


def _inner_sizes_agree(a: Any, b: Any) -> bool:
    return 0 < a.ndim < 3 and 0 < b.ndim < 3 and a.shape[-1] == b.shape[0]


OPERATIONS: dict[str, Operation] = {
    **{name: _unary(name) for name in ("negative", "sin", "cos", "tanh", "arctan", "arcsinh")},
    **{name: _unary(name) for name in ("square", "transpose", "ravel", "flip")},
    **{name: _unary(name, _within(3.0)) for name in ("exp", "expm1", "sinh", "cosh", "exp2")},
    **{name: _unary(name, _above(0.3)) for name in ("log", "sqrt", "log2", "log10", "cbrt")},
    **{name: _unary(name, _within(0.9)) for name in ("arcsin", "arccos", "arctanh", "tan")},
    "log1p": _unary("log1p", _above(-0.7)),
    "absolute": _unary("absolute", lambda x: np.min(np.abs(x)) > GAP),
    "reciprocal": Operation(lambda np, x: 1.0 / x, safe=_away_from_zero),
    "affine": Operation(lambda np, x: 2 * x - 1),
    "cube": Operation(lambda np, x: x**3),
    "root of a power": Operation(lambda np, x: x**1.5, safe=_above(0.3)),
    "sign times": Operation(lambda np, x: x * np.sign(x), safe=lambda x: np.min(np.abs(x)) > GAP),
    **{name: _binary(name) for name in ("add", "subtract", "multiply", "logaddexp")},
    "divide": _binary("divide", _fit(lambda a, b: np.min(np.abs(b)) > 0.3)),
    "power": _binary("power", _fit(lambda a, b: np.min(a) > 0.3 and np.max(np.abs(b)) < 3)),
    "maximum": _binary("maximum", _no_tie),
    "minimum": _binary("minimum", _no_tie),
    "hypot": _binary("hypot", _fit(lambda a, b: np.min(np.abs(a)) > 0.3)),
    "arctan2": _binary("arctan2", _fit(lambda a, b: np.min(np.abs(b)) > 0.3)),
    "where greater": Operation(lambda np, a, b: np.where(a > b, a * b, a - b), 2, _no_tie),
    "clip": Operation(
        lambda np, x: np.clip(x, -0.5, 1.0),
        safe=lambda x: np.min(np.abs(np.abs(x - 0.25) - 0.75)) > GAP,
    ),
    **{name: _reduction(name) for name in ("sum", "mean", "var", "prod")},
    "std": Operation(lambda np, x, axis: np.std(x, axis), params=_spread),
    "max": _reduction("max", _distinct),
    "min": _reduction("min", _distinct),
    "cumsum": Operation(lambda np, x, **p: np.cumsum(x, **p), params=_one_axis),
    "sort": Operation(lambda np, x, **p: np.sort(x, **p), safe=_distinct, params=_one_axis),
    "roll": Operation(lambda np, x, **p: np.roll(x, 1, **p), params=_one_axis),
    "repeat": Operation(lambda np, x, **p: np.repeat(x, 2, **p), params=_one_axis),
    "expand": Operation(lambda np, x, **p: np.expand_dims(x, **p), params=_one_axis),
    "stack": Operation(lambda np, x, **p: np.stack([x, 2 * x], **p), params=_one_axis),
    "tile": Operation(lambda np, x: np.tile(x, 2), safe=lambda x: x.ndim > 0),
    "pad": Operation(lambda np, x: np.pad(x, 1), safe=lambda x: x.ndim > 0),
    "reshape": Operation(lambda np, x, shape: np.reshape(x, shape), params=_shapes_of),
    "slice": Operation(lambda np, x, index: x[index], params=_slices),
    "gather": Operation(lambda np, x, index: x[index], params=_gather),
    "masked": Operation(lambda np, x, mask: np.where(mask, x, 0.5 * x * x), params=_masked),
    "tril": Operation(lambda np, x: np.tril(x), safe=lambda x: x.ndim == 2),
    "diagonal": Operation(lambda np, x: np.diagonal(x), safe=lambda x: x.ndim == 2),
    "concatenate": Operation(lambda np, a, b: np.concatenate([a, b, a]), 2, _same_but_axis),
    "matmul": Operation(lambda np, a, b: a @ b, 2, _inner_sizes_agree),
    "dot": Operation(lambda np, a, b: np.dot(a, b), 2, _inner_sizes_agree),
    "outer": Operation(lambda np, a, b: np.outer(a, b), 2),
    "einsum": Operation(
        lambda np, a, b: np.einsum("ij,kj->ik", a, b),
        2,
        lambda a, b: a.ndim == b.ndim == 2 and a.shape[1] == b.shape[1],
    ),
    "tensordot": Operation(lambda np, a, b: np.tensordot(a, b, axes=1), 2, _inner_sizes_agree),
}
SHAPES = [(), (2,), (3,), (2, 3), (3, 2), (3, 3)]


def _grown(draw: Function, values: list[Any]) -> tuple[Step, Any] | None:
    """One more step that is defined, smooth and of moderate size at the point, and its value."""
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    operation = OPERATIONS[name]
    places = [(i,) for i in range(len(values))]
    if operation.inputs == 2:
        places = [(i, j) for i in range(len(values)) for j in range(len(values))]
    places = [p for p in places if operation.safe(*(values[k] for k in p))]
    if not places:
        return None
    place = draw(st.sampled_from(places[::-1]))
    operands = [values[k] for k in place]
    params = operation.params(draw, *operands)
    if params is None:
        return None
    value = np.asarray(operation.compute(np, *operands, **params))
    if not 0 < value.size <= 36 or not np.max(np.abs(value)) < LARGEST:
        return None
    return Step(name, place, params), value


@st.composite
def random_programs(draw: Function) -> Program:
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    point = [np.asarray(rng.uniform(-1.5, 1.5, shape)) for shape in shapes]
    values, steps = list(point), []
    length = rng.integers(4, 15)
    for _ in range(5 * length):  # what does not fit is drawn again
        grown = _grown(draw, values)
        if grown is not None:
            steps.append(grown[0])
            values.append(grown[1])
        if len(steps) == length:
            break
    used = {k for step in steps for k in step.inputs}
    weights = {k: rng.normal(size=v.shape) for k, v in enumerate(values) if k not in used}
    return Program(point, steps, weights)


@pytest.fixture
def programs() -> st.SearchStrategy[Program]:
    """The strategy; tests draw from it inside, because they also count what they leave out."""
    return random_programs()
