"""What every update rule offers, and how it walks the trees it is given."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from chainrule import trees
from chainrule.errors import SettingError

State = dict[str, Any]


class Optimiser(Protocol):
    """An update rule: two pure functions and its settings."""

    def init(self, params: Any) -> State:
        """Give the state before the first step."""

    def update(self, gradients: Any, state: State, params: Any) -> tuple[Any, State]:
        """Take one step: give the new parameters and the new state."""


def update_leaves(function: Callable[..., Any], kept: Any, gradients: Any, *others: Any) -> Any:
    """Apply `function(kept, gradient, *others)` leaf by leaf; a leaf without a gradient is kept.

    Integers, booleans and text in a tree of parameters have the gradient None.

    >>> update_leaves(lambda w, g: w - g, {"w": 1.0, "name": "mlp"}, {"w": 0.25, "name": None})
    {'w': 0.75, 'name': 'mlp'}
    """
    return trees.map(
        lambda leaf, gradient, *rest: leaf if gradient is None else function(leaf, gradient, *rest),
        kept,
        gradients,
        *others,
    )


def setting(name: str, value: float, *, low: float, high: float = math.inf) -> float:
    """Give a setting as a Python float, or raise SettingError outside low ≤ value < high.

    A Python float takes the type of the array it meets; a float64 scalar of NumPy would turn
    float32 parameters into float64 ones.

    >>> setting("momentum", 1.5, low=0, high=1)
    Traceback (most recent call last):
    chainrule.errors.SettingError: The momentum is 1.5. It must be at least 0 and below 1.
    """
    if not low <= value < high:
        above = "finite" if math.isinf(high) else f"below {high}"
        raise SettingError(f"The {name} is {value}. It must be at least {low} and {above}.")
    return float(value)
