"""Value and gradient of a 784-512-512-10 network, float32, batch 128: few large operations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from timing import Run, installed

import chainrule as cr

SIZES = (784, 512, 512, 10)
BATCH = 128


def function(np: Any, parameters: Any, x: Any, labels: Any) -> Any:
    """Softmax cross-entropy of a network with two hidden layers of rectifiers."""
    h = x
    for w, b in parameters[:-1]:
        h = np.maximum(h @ w + b, 0)
    w, b = parameters[-1]
    z = h @ w + b
    z = z - np.max(z, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - np.sum(z * labels, axis=1))


def by_hand(parameters: Any, x: Any, labels: Any) -> tuple[Any, list[Any]]:
    """The floor: value and gradient with the NumPy calls that they need."""
    hidden, gradients = [x], []
    for w, b in parameters[:-1]:
        hidden.append(np.maximum(hidden[-1] @ w + b, 0))
    w, b = parameters[-1]
    z = hidden[-1] @ w + b
    z -= np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    total = np.sum(e, axis=1)
    value = np.mean(np.log(total) - np.sum(z * labels, axis=1))
    g = (e / total[:, None] - labels) / np.float32(BATCH)
    for k in range(len(parameters) - 1, -1, -1):
        gradients.append((hidden[k].T @ g, np.sum(g, axis=0)))
        if k:
            g = (g @ parameters[k][0].T) * (hidden[k] > 0)
    return value, gradients[::-1]


def products() -> Run:
    """The matrix products of value and gradient alone, into arrays that are there already."""
    rng = np.random.default_rng(0)
    calls = []
    for k, (m, n) in enumerate(itertools.pairwise(SIZES)):
        shapes = [((BATCH, m), (m, n)), ((m, BATCH), (BATCH, n))] + [((BATCH, n), (n, m))] * (k > 0)
        for left, right in shapes:
            a, b = (rng.normal(size=s).astype(np.float32) for s in (left, right))
            calls.append((a, b, np.empty((left[0], right[1]), np.float32)))
    return lambda: [np.matmul(a, b, out=c) for a, b, c in calls]


def flops() -> float:
    """Multiplications and additions in `products`."""
    layers = [2.0 * BATCH * m * n for m, n in itertools.pairwise(SIZES)]
    return 3 * sum(layers) - layers[0]  # no gradient with respect to the data


def contenders() -> dict[str, Run]:
    """The contenders for value and gradient of the network."""
    rng = np.random.default_rng(0)
    parameters = [
        ((rng.normal(size=(m, n)) / np.sqrt(m)).astype(np.float32), np.zeros(n, np.float32))
        for m, n in itertools.pairwise(SIZES)
    ]
    x = rng.normal(size=(BATCH, SIZES[0])).astype(np.float32)
    labels = np.eye(SIZES[-1], dtype=np.float32)[rng.integers(0, SIZES[-1], BATCH)]
    both = cr.value_and_grad(lambda p: function(np, p, x, labels))
    value, gradients = by_hand(parameters, x, labels)
    found, theirs = both(parameters)
    np.testing.assert_allclose(found, value, rtol=1e-5)
    for (gw, gb), (tw, tb) in zip(gradients, theirs, strict=True):
        np.testing.assert_allclose(tw, gw, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(tb, gb, rtol=1e-3, atol=1e-6)
        assert tw.dtype == np.float32
    runs: dict[str, Run] = {
        "function alone": lambda: function(np, parameters, x, labels),
        "matrix products alone": products(),
        "by hand": lambda: by_hand(parameters, x, labels),
        "chainrule": lambda: both(parameters),
    }
    torch = installed("torch")
    if torch is not None:
        runs["torch, tensor to tensor"] = _torch_network(torch, parameters, x, labels)
    return runs


def _torch_network(torch: Any, parameters: Any, x: Any, labels: Any) -> Run:
    leaves = [[torch.tensor(leaf, requires_grad=True) for leaf in layer] for layer in parameters]
    flat = [leaf for layer in leaves for leaf in layer]
    x, target = torch.tensor(x), torch.tensor(labels).argmax(1)

    def run() -> Any:
        h = x
        for w, b in leaves[:-1]:
            h = torch.relu(h @ w + b)
        w, b = leaves[-1]
        value = torch.nn.functional.cross_entropy(h @ w + b, target)
        return value, torch.autograd.grad(value, flat)

    return run
