"""Gradient descent with momentum and weight decay."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import trees
from chainrule.optim.optimiser import State, setting, update_leaves


@dataclass(frozen=True)
class Sgd:
    """Gradient descent; build it with `sgd`."""

    learning_rate: float
    momentum: float
    weight_decay: float

    def init(self, params: Any) -> State:
        """Give a velocity of zero for every parameter."""
        return {"velocity": trees.map(np.zeros_like, params)}

    def update(self, gradients: Any, state: State, params: Any) -> tuple[Any, State]:
        """Take one step: give the new parameters and the new velocities."""
        velocity = update_leaves(self._velocity, state["velocity"], gradients, params)
        moved = update_leaves(self._moved, params, gradients, velocity)
        return moved, {"velocity": velocity}

    def _velocity(self, velocity: Any, gradient: Any, parameter: Any) -> Any:
        # A setting of 0 costs no pass over the arrays.
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        return self.momentum * velocity + gradient if self.momentum else gradient

    def _moved(self, parameter: Any, gradient: Any, velocity: Any) -> Any:
        return parameter - self.learning_rate * velocity


def sgd(learning_rate: float, *, momentum: float = 0.0, weight_decay: float = 0.0) -> Sgd:
    """Set up gradient descent: v ← μ v + (g + λ w), w ← w - η v.

    η is the learning rate, μ the momentum, λ the weight decay; v starts at 0. Weight decay acts on
    every parameter, biases too, as if λ/2 ‖w‖² stood in the loss: to leave biases free, add
    `nn.l2_penalty` to the loss instead. Raises SettingError for η < 0, λ < 0 and μ outside [0, 1).
    Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum
    in deep learning", ICML 2013, with η outside the velocity, so that a change of η acts at once.

    >>> optimiser = sgd(0.1, momentum=0.9)
    >>> params, state = {"w": np.array([1.0])}, optimiser.init({"w": np.array([1.0])})
    >>> for _ in range(2):
    ...     params, state = optimiser.update({"w": np.array([1.0])}, state, params)
    >>> params  # 1 - 0.1 · 1 - 0.1 · (0.9 · 1 + 1)
    {'w': array([0.71])}
    """
    return Sgd(
        setting("learning rate", learning_rate, low=0),
        setting("momentum", momentum, low=0, high=1),
        setting("weight decay", weight_decay, low=0),
    )
