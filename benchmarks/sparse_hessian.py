"""The Hessian of the Rosenbrock function: sparse here, dense elsewhere, or compressed by hand.

JAX and autograd form the whole matrix, which stops at 1,000 variables here. With a pattern that one
knows and colours by hand, three Hessian-vector products give a tridiagonal matrix in JAX too: that
peer stands beside, though finding the pattern is half of the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import rosenbrock
from scipy import sparse
from timing import Run, installed

import chainrule as cr

SIZES = (1_000, 10_000, 100_000)
DENSE_LIMIT = 2_000


def by_hand(x: Any) -> Any:
    """The second derivatives on paper: tridiagonal."""
    inner, diagonal = x[:-1], np.zeros(x.size)
    diagonal[:-1] += 1200 * inner**2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    beside = -400 * inner
    return sparse.diags_array([beside, diagonal, beside], offsets=[-1, 0, 1]).tocsr()


def as_array(found: Any) -> Any:
    """What the comparison reads: the diagonals of a sparse matrix or of a dense one."""
    diagonals = [found.diagonal(k) for k in (-1, 0, 1)]
    return np.concatenate([np.asarray(d) for d in diagonals])


def passes(n: int) -> int:
    """Passes along the gradient for one Hessian."""
    return int(cr.sparse_hessian(lambda x: rosenbrock.function(np, x)).explain(np.ones(n)).passes)


def _by_colours(jax: Any, n: int) -> Any:
    """Three products with the columns 0, 3, 6 … 1, 4, 7 … 2, 5, 8 …, compiled."""
    colours = np.arange(n) % 3
    seeds = jax.numpy.asarray((colours == np.arange(3)[:, None]).astype(float))
    gradient = jax.grad(lambda x: rosenbrock.function(jax.numpy, x))
    rows = np.concatenate([np.arange(1, n), np.arange(n), np.arange(n - 1)])
    columns = np.concatenate([np.arange(n - 1), np.arange(n), np.arange(1, n)])

    @jax.jit
    def products(x: Any) -> Any:
        return jax.vmap(lambda t: jax.jvp(gradient, (x,), (t,))[1])(seeds)

    def run(x: Any) -> Any:
        entries = np.asarray(products(x))[colours[columns], rows]
        return sparse.csr_array((entries, (rows, columns)), shape=(n, n))

    return run


def contenders(n: int) -> tuple[dict[str, Run], dict[str, str]]:
    """The contenders for the Hessian in n variables, and who is left out and why."""
    x = np.random.default_rng(0).normal(size=n)
    jax, autograd = installed("jax"), installed("autograd")
    hessian = cr.sparse_hessian(lambda x: rosenbrock.function(np, x))
    gradient = cr.grad(lambda x: rosenbrock.function(np, x))
    runs: dict[str, Run] = {
        "by hand": lambda: by_hand(x),
        "chainrule": lambda: hessian(x),
        "chainrule, the gradient alone": lambda: gradient(x),
    }
    if jax is not None:
        colours = _by_colours(jax, n)
        runs["JAX, pattern and colours by hand"] = lambda: colours(x)
    if n > DENSE_LIMIT:
        dense = f"the matrix takes {8 * n * n / 1e9:.1f} GB"
        return runs, {"JAX, dense": dense, "autograd, dense": dense}
    if jax is not None:
        compiled = jax.jit(jax.hessian(lambda x: rosenbrock.function(jax.numpy, x)))
        runs["JAX, dense"] = lambda: np.asarray(compiled(x))
    if autograd is not None:
        anp = installed("autograd.numpy")
        slow = autograd.hessian(lambda x: rosenbrock.function(anp, x))
        runs["autograd, dense"] = lambda: slow(x)
    return runs, {}
