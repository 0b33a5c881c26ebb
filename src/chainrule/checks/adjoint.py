"""The dot-product test: forward and reverse mode are transposes of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.checks.space import Problem, from_vector, to_vector
from chainrule.transforms.forward_mode import jvp
from chainrule.transforms.reverse_mode import vjp


def dot_product_test(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    *,
    rng: np.random.Generator | None = None,
) -> float:
    """How far ⟨g, J t⟩ = ⟨Jᵀ g, t⟩ fails for random g and t: a few 1e-16 where both modes agree.

    The difference is relative to the sum of the absolute terms of the larger side, so it does not
    grow where positive and negative terms cancel. The test takes no derivative apart: it shows that
    the two modes agree, at the price of three runs of f, not that they are right (`check_grads`).
    Complex numbers pair by Re(conj(a) b).

    Raises InputError, OutputError. Source: Claerbout, Earth Soundings Analysis, chapter 5.

    >>> mismatch = dot_product_test(lambda x, W: np.tanh(W @ x), (np.ones(3), np.eye(2, 3)))
    >>> mismatch < 1e-14
    True
    """
    rng = np.random.default_rng(0) if rng is None else rng
    problem = Problem("dot_product_test", f, args)
    point = problem.point
    value, _ = problem.result()
    t = from_vector(rng.normal(size=to_vector(point).size), point)
    g = from_vector(rng.normal(size=to_vector(value).size), value)
    _, moved = jvp(problem.function, (point,), (t,))
    _, pull = vjp(problem.function, point)
    pulled = pull(g)[0]
    left = to_vector(g) * to_vector(moved)
    right = to_vector(pulled) * to_vector(t)
    scale = max(float(np.sum(np.abs(left))), float(np.sum(np.abs(right))))
    return abs(float(np.sum(left)) - float(np.sum(right))) / scale if scale else 0.0
