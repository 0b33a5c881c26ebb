"""The gradient of the Rosenbrock function: many small operations, so what is timed is bookkeeping.

Every library is given an ndarray and gives one back; PyTorch also goes from tensor to tensor.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from timing import Run, installed

import chainrule as cr


def function(np: Any, x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def by_hand(x: Any) -> Any:
    """The floor: the NumPy calls that the gradient needs, and nothing else."""
    a = x[:-1]
    u = x[1:] - a * a
    w = 1 - a
    np.add.reduce(100.0 * (u * u) + w * w)
    g = 200.0 * u
    gradient = np.zeros(x.shape)
    gradient[1:] += g
    gradient[:-1] -= 2.0 * a * g + 2.0 * w
    return gradient


def contenders(n: int) -> dict[str, Run]:
    """The contenders for the gradient in n variables."""
    x = np.random.default_rng(0).normal(size=n)
    gradient = cr.grad(lambda x: function(np, x))
    runs: dict[str, Run] = {
        "function alone": lambda: function(np, x),
        "by hand": lambda: by_hand(x),
        "chainrule": lambda: gradient(x),
    }
    autograd, torch = installed("autograd"), installed("torch")
    if autograd is not None:
        anp = installed("autograd.numpy")
        theirs = autograd.grad(lambda x: function(anp, x))
        runs["autograd"] = lambda: theirs(x)
    if torch is not None:
        tensor = torch.tensor(x)

        def from_tensor(t: Any) -> Any:
            t.requires_grad_()
            function(torch, t).backward()
            return t.grad

        runs["torch"] = lambda: from_tensor(torch.tensor(x)).numpy()
        runs["torch, tensor to tensor"] = lambda: from_tensor(tensor.detach())
    expected = by_hand(x)
    for name, run in runs.items():
        if name != "function alone":
            np.testing.assert_allclose(np.asarray(run()), expected, rtol=1e-12, err_msg=name)
    return runs


def bytecodes() -> tuple[int, int]:
    """Bytecode instructions and Python calls of one gradient: what the overhead is made of."""
    gradient, x = cr.grad(lambda x: function(np, x)), np.ones(100)
    gradient(x)
    count = {"opcode": 0, "call": 0}

    def trace(frame: Any, event: str, argument: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count[event] = count.get(event, 0) + 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        gradient(x)
    finally:
        sys.settrace(before)
    return count["opcode"], count["call"]
