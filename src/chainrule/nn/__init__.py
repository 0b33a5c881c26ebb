"""Layers, activations, losses and initialisers: pure functions over trees of arrays.

    activations.py   relu sigmoid tanh softmax log_softmax
    layers.py        linear init_linear mlp init_mlp
    losses.py        cross_entropy hinge_loss half_squared_error mean_squared_error l2_penalty
    initialisers.py  glorot_uniform he_normal zeros
    labels.py        the scores that integer labels point at, after a check of the labels

All of it is NumPy code like a user's own, so every transform of chainrule applies to it.
"""

from chainrule.nn.activations import log_softmax, relu, sigmoid, softmax, tanh
from chainrule.nn.initialisers import glorot_uniform, he_normal, zeros
from chainrule.nn.layers import init_linear, init_mlp, linear, mlp
from chainrule.nn.losses import (
    cross_entropy,
    half_squared_error,
    hinge_loss,
    l2_penalty,
    mean_squared_error,
)

__all__ = [
    "cross_entropy",
    "glorot_uniform",
    "half_squared_error",
    "he_normal",
    "hinge_loss",
    "init_linear",
    "init_mlp",
    "l2_penalty",
    "linear",
    "log_softmax",
    "mean_squared_error",
    "mlp",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
    "zeros",
]
