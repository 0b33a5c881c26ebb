"""The Hessian of the Rosenbrock function, sparse here and dense elsewhere, in one run.

    python benchmarks/sparse_hessian.py

Times are the median of five calls after the first; the first, which finds the pattern or compiles,
stands beside it. Peers that form the whole matrix stop where it would not fit into 1 GB.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import installed, machine

import chainrule as cr

SIZES = (1_000, 10_000, 100_000)
DENSE_LIMIT = 2_000


def function(np: Any, x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def measured(run: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of the first call, and the median of five later ones."""
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds[0], statistics.median(seconds[1:])


def contenders(n: int) -> dict[str, Callable[[], Any]]:
    x = np.random.default_rng(0).normal(size=n)
    hessian, gradient = (
        cr.sparse_hessian(lambda x: function(np, x)),
        cr.grad(lambda x: function(np, x)),
    )
    runs: dict[str, Callable[[], Any]] = {
        "chainrule gradient": lambda: gradient(x),
        "chainrule sparse_hessian": lambda: hessian(x),
    }
    if n > DENSE_LIMIT:
        return runs
    dense = cr.hessian(lambda x: function(np, x))
    runs["chainrule hessian, dense"] = lambda: dense(x)
    jax, autograd = installed("jax"), installed("autograd")
    if jax is not None:
        jax.config.update("jax_enable_x64", True)
        compiled = jax.jit(jax.hessian(lambda x: function(jax.numpy, x)))
        runs["JAX jit(hessian), dense"] = lambda: np.asarray(compiled(x))
    if autograd is not None:
        import autograd.numpy as anp  # noqa: PLC0415  a peer that may be absent

        slow = autograd.hessian(lambda x: function(anp, x))
        runs["autograd hessian, dense"] = lambda: slow(x)
    return runs


def main() -> None:
    print(machine())
    for n in SIZES:
        for name, run in contenders(n).items():
            first, later = measured(run)
            print(f"n = {n:7,}  {name:27} first {first * 1e3:9.1f} ms   then {later * 1e3:9.2f} ms")
    print(cr.sparse_hessian(lambda x: function(np, x)).explain(np.ones(SIZES[-1])))


if __name__ == "__main__":
    main()
