"""The Jacobian of a network with 50 inputs and 50 outputs, in either mode and one row at a time."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from timing import Run, installed

import chainrule as cr

SIZES = (50, 100, 100, 50)


def weights() -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(m, n)) / np.sqrt(m) for m, n in itertools.pairwise(SIZES)]


def function(np: Any, layers: list[Any], x: Any) -> Any:
    for layer in layers:
        x = np.tanh(x @ layer)
    return x


def by_hand(layers: list[Any], x: Any) -> Any:
    """The product of the layers' Jacobians, from the input on."""
    product = np.eye(x.size)
    for layer in layers:
        x = np.tanh(x @ layer)
        product = (product @ layer) * (1 - x * x)
    return product.T


def contenders() -> tuple[dict[str, Run], dict[str, str]]:
    layers, x = weights(), np.random.default_rng(1).normal(size=SIZES[0])

    def ours(x: Any) -> Any:
        return function(np, layers, x)

    def loop() -> Any:
        y, pull = cr.vjp(ours, x)
        return np.stack([pull(row)[0] for row in np.eye(y.size)])

    forward, reverse = (cr.jacobian(ours, mode=mode) for mode in ("forward", "reverse"))
    runs: dict[str, Run] = {
        "by hand": lambda: by_hand(layers, x),
        "chainrule, forward": lambda: forward(x),
        "chainrule, reverse": lambda: reverse(x),
        "chainrule, a loop of pullbacks": loop,
    }
    jax, autograd = installed("jax"), installed("autograd")
    if jax is not None:
        for name, mode in (("forward", jax.jacfwd), ("reverse", jax.jacrev)):
            compiled = jax.jit(mode(lambda x: function(jax.numpy, layers, x)))
            runs[f"JAX, {name}"] = lambda compiled=compiled: np.asarray(compiled(x))
    if autograd is not None:
        anp = installed("autograd.numpy")
        slow = autograd.jacobian(lambda x: function(anp, layers, x))
        runs["autograd, reverse"] = lambda: slow(x)
    return runs, {}
