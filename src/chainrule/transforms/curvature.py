"""The directions of strongest curvature, from products with the Hessian alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.transforms.arguments import taken_apart
from chainrule.transforms.closures import Closure
from chainrule.transforms.flattening import Layout
from chainrule.transforms.forward_mode import hvp


def hessian_eigenpairs(
    f: Callable[..., Any],
    k: int,
    *,
    which: str = "LM",
    tolerance: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Callable[..., tuple[Any, Any]]:
    """`hessian_eigenpairs(f, k)(x, *args)`: k leading eigenvalues of the Hessian, and vectors.

    H v = λ v for the Hessian of the scalar function f with respect to x, which is never formed:
    Lanczos' method takes Hessian-vector products, each at the cost of a few gradients. Values come
    in decreasing order of what `which` asks for: "LM" by magnitude, "LA" the largest, "SA" the
    smallest first; of n variables at most n − 1. Vectors are columns of shape (n, k), normalised;
    for a tree x a list of k trees. With Λ and V they give the low-rank curvature V Λ Vᵀ ≈ H.

    Raises SettingError for another `which` or k, InputError inside a running derivative. Source:
    R. Lehoucq, D. Sorensen, C. Yang, ARPACK Users' Guide, 1998.

    >>> values, vectors = hessian_eigenpairs(lambda x: np.sum(np.arange(5.0) * x**2), 2)(np.ones(5))
    >>> np.round(values, 6)
    array([8., 6.])
    """
    if which not in ("LM", "LA", "SA"):
        raise errors.SettingError(f'hessian_eigenpairs: which is "LM", "LA" or "SA", not {which!r}')

    def leading(x: Any, *args: Any) -> tuple[Any, Any]:
        from scipy.sparse import linalg  # noqa: PLC0415  SciPy is loaded at its first use

        given = (*taken_apart((x, args))[0], *Closure(f).values)
        if any(isinstance(leaf, Traced) for leaf in given):
            raise errors.InputError(
                f"hessian_eigenpairs at {callers_place()} iterates on plain numbers and has no "
                "derivative; use np.linalg.eigh(hessian(f)(x)) where one is meant, or "
                "stop_gradient(x)"
            )
        layout = Layout("hessian_eigenpairs", x)
        n = layout.size
        if not 0 < k < n:
            raise errors.SettingError(
                f"hessian_eigenpairs at {callers_place()}: k = {k} pairs of {n} variables; k is at "
                "least 1 and at most one less than the number of variables"
            )

        def product(v: Any) -> Any:
            return layout.vector(hvp(f)(x, *args, layout.tree(np.ravel(v))))

        operator = linalg.LinearOperator((n, n), matvec=product, dtype=float)
        # Lanczos' method begins with a random vector, here the same one at each call.
        start = (np.random.default_rng(0) if rng is None else rng).normal(size=n)
        values, vectors = linalg.eigsh(operator, k, which=which, tol=tolerance, v0=start)
        keys = {"LM": -np.abs(values), "LA": -values, "SA": values}
        order = np.argsort(keys[which], kind="stable")
        values, vectors = values[order], vectors[:, order]
        if isinstance(x, np.ndarray) and x.ndim == 1:
            return values, vectors
        return values, [layout.tree(vector) for vector in vectors.T]

    return leading
