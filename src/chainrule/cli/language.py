"""The closed list of names and signs of expressions on the command line."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Function(NamedTuple):
    """A function of the language: what computes it, how many arguments, whether it takes axis=."""

    compute: Callable[..., Any]
    fewest: int = 1
    most: int = 1
    axis: bool = False


def _sigmoid(x: Any) -> Any:
    # As the course writes it, so that the steps are those of its sigmoid circuit.
    return 1 / (1 + np.exp(-x))


def _relu(x: Any) -> Any:
    # As nn.relu: the derivative at 0 is 0, where max(0, x) shares the tie.
    return np.where(x <= 0, 0.0, x)


def _larger(*operands: Any, **axis: Any) -> Any:
    return np.maximum(*operands) if len(operands) == 2 else np.max(*operands, **axis)


def _smaller(*operands: Any, **axis: Any) -> Any:
    return np.minimum(*operands) if len(operands) == 2 else np.min(*operands, **axis)


FUNCTIONS: dict[str, Function] = {
    **{f.__name__: Function(f) for f in (np.exp, np.log, np.log1p, np.sqrt, np.square)},
    **{f.__name__: Function(f) for f in (np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh)},
    "abs": Function(np.abs),
    "sigmoid": Function(_sigmoid),
    "relu": Function(_relu),
    "max": Function(_larger, most=2, axis=True),
    "min": Function(_smaller, most=2, axis=True),
    "sum": Function(np.sum, axis=True),
    "mean": Function(np.mean, axis=True),
    "dot": Function(np.dot, fewest=2, most=2),
    "where": Function(np.where, fewest=3, most=3),
}
CONSTANTS: dict[str, Any] = {"pi": np.float64(np.pi)}
SIGNS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ALLOWED = (
    "Allowed are numbers, lists of them, pi, names with a value, + - * / ** @, x[0], x.T, "
    f"the functions {', '.join(sorted(FUNCTIONS))}, and a comparison inside where."
)
