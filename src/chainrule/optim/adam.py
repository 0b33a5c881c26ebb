"""Adam: steps scaled by running averages of the gradient and of its square."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import trees
from chainrule.optim.optimiser import State, setting, update_leaves


@dataclass(frozen=True)
class Adam:
    """Adam; build it with `adam`."""

    learning_rate: float
    mean_decay: float
    square_decay: float
    epsilon: float

    def init(self, params: Any) -> State:
        """Give averages of zero for every parameter, and the number of steps taken, 0."""
        return {
            "step": 0,
            "mean": trees.map(np.zeros_like, params),
            "square": trees.map(np.zeros_like, params),
        }

    def update(self, gradients: Any, state: State, params: Any) -> tuple[Any, State]:
        """Take one step: give the new parameters and the new averages."""
        # int(): a state read back from a file counts in a NumPy scalar, which would turn the
        # corrections below into float64 and with them float32 parameters.
        step = int(state["step"]) + 1
        mean = update_leaves(self._mean, state["mean"], gradients)
        square = update_leaves(self._square, state["square"], gradients)
        mean_correction = 1 - self.mean_decay**step
        square_correction = 1 - self.square_decay**step

        def moved(parameter: Any, gradient: Any, mean: Any, square: Any) -> Any:
            spread = np.sqrt(square / square_correction) + self.epsilon
            return parameter - self.learning_rate / mean_correction * mean / spread

        return (
            update_leaves(moved, params, gradients, mean, square),
            {"step": step, "mean": mean, "square": square},
        )

    def _mean(self, mean: Any, gradient: Any) -> Any:
        return self.mean_decay * mean + (1 - self.mean_decay) * gradient

    def _square(self, square: Any, gradient: Any) -> Any:
        # |g|², the same as g² for real numbers and right for complex ones.
        return self.square_decay * square + (1 - self.square_decay) * np.square(np.abs(gradient))


def adam(
    learning_rate: float = 1e-3,
    *,
    mean_decay: float = 0.9,
    square_decay: float = 0.999,
    epsilon: float = 1e-8,
) -> Adam:
    """Set up Adam: m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², w ← w - η m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) correct the averages, which start at 0, after t steps.
    η is the learning rate, β₁ the mean_decay, β₂ the square_decay, ε the epsilon. Raises
    SettingError for η < 0, ε < 0 and decays outside [0, 1). Source: Kingma and Ba, "Adam: A Method
    for Stochastic Optimization", ICLR 2015, algorithm 1.

    >>> optimiser = adam(0.1)
    >>> params = {"w": np.array([1.0, 1.0])}
    >>> optimiser.update({"w": np.array([1e-3, -50.0])}, optimiser.init(params), params)[0]
    {'w': array([0.900001, 1.1     ])}
    """
    return Adam(
        setting("learning rate", learning_rate, low=0),
        setting("mean_decay", mean_decay, low=0, high=1),
        setting("square_decay", square_decay, low=0, high=1),
        setting("epsilon", epsilon, low=0),
    )
