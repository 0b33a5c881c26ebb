"""Linear layers and the multilayer perceptron. A layer's parameters are a dict of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import SettingError
from chainrule.nn.activations import relu
from chainrule.nn.array import Array
from chainrule.nn.initialisers import Initialiser, he_normal, zeros

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


Layer = dict[str, Array]


def linear(h: Array, weight: Array, bias: Array | None = None) -> Array:
    """Map inputs to outputs: y = h @ W + b, or y = h @ W without a bias.

    h has shape (inputs,) or (..., examples, inputs), W (inputs, outputs), b (outputs,).

    >>> linear(np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.5, 0.5]))
    array([1.5, 2.5])
    """
    product = h @ weight
    return product if bias is None else product + bias


def init_linear(
    inputs: int,
    outputs: int,
    *,
    rng: np.random.Generator,
    initialiser: Initialiser = he_normal,
    bias: bool = True,
    dtype: DTypeLike = np.float64,
) -> Layer:
    """Draw a linear layer: a weight (inputs, outputs) and a bias of zeros (outputs,).

    >>> layer = init_linear(3, 2, rng=np.random.default_rng(0))
    >>> {name: array.shape for name, array in layer.items()}
    {'weight': (3, 2), 'bias': (2,)}
    """
    layer = {"weight": initialiser((inputs, outputs), rng=rng, dtype=dtype)}
    if bias:
        layer["bias"] = zeros((outputs,), dtype=dtype)
    return layer


def mlp(
    layers: Sequence[Layer],
    x: Array,
    activation: Callable[[Array], Array] = relu,
) -> Array:
    """Apply a multilayer perceptron: linear layers with an activation after each but the last.

    h₀ = x,  hᵢ = activation(hᵢ₋₁ @ Wᵢ + bᵢ),  result = hₙ₋₁ @ Wₙ + bₙ.
    x has shape (examples, inputs), the result (examples, outputs).

    >>> layers = init_mlp([3, 8, 2], rng=np.random.default_rng(0))
    >>> mlp(layers, np.ones((5, 3))).shape
    (5, 2)
    """
    h = x
    for layer in layers[:-1]:
        h = activation(linear(h, layer["weight"], layer.get("bias")))
    last = layers[-1]
    return linear(h, last["weight"], last.get("bias"))


def init_mlp(
    widths: Sequence[int],
    *,
    rng: np.random.Generator,
    initialiser: Initialiser = he_normal,
    bias: bool = True,
    dtype: DTypeLike = np.float64,
) -> list[Layer]:
    """Draw the layers of a multilayer perceptron; widths run from its input to its output.

    Raises SettingError for fewer than two widths.

    >>> [layer["weight"].shape for layer in init_mlp([64, 256, 10], rng=np.random.default_rng(0))]
    [(64, 256), (256, 10)]
    """
    if len(widths) < 2:
        raise SettingError(
            f"A multilayer perceptron was asked for with the widths {list(widths)}. "
            "Give at least two: that of its input and that of its output."
        )
    return [
        init_linear(inputs, outputs, rng=rng, initialiser=initialiser, bias=bias, dtype=dtype)
        for inputs, outputs in pairwise(widths)
    ]
