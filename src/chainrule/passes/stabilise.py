"""Rewrite a graph so that it overflows and underflows less: only where the user asks for it.

A value that was not finite may become finite, never the reverse; finite values change by rounding.
Each use is listed with the line of the user's code. Done before differentiation it mends the
derivatives too; the pieces that gradients of log Σ exp and log(1 + exp) leave in a graph are
recognised as well.

M. Blanchard, D. J. Higham & N. J. Higham, Accurately computing the log-sum-exp and softmax
functions, IMA Journal of Numerical Analysis 41 (2021).
"""

from __future__ import annotations

from typing import NamedTuple

from chainrule.graph import Graph, Place
from chainrule.passes.rewrites import stable
from chainrule.passes.rewriting import Row, rewritten

ROWS: tuple[Row, ...] = stable.ROWS
"""Every rewrite of `stabilise`, by name and reason."""


class Use(NamedTuple):
    """One rewrite that was made: which, why, and at which line of the user's code."""

    name: str
    reason: str
    place: Place | None

    def __str__(self) -> str:
        return f"{self.name} at {self.place}: {self.reason}"


def stabilise(graph: Graph) -> tuple[Graph, list[Use]]:
    """The graph in stable forms, and what was rewritten where.

    >>> import numpy as np
    >>> from chainrule.interpreter import run
    >>> from chainrule.transforms.trace import trace
    >>> graph, uses = stabilise(trace(lambda x: np.log(1 + np.exp(x)))(np.ones(2)))
    >>> [use.name for use in uses]
    ['log of one plus an exponential']
    >>> run(graph, np.array([-800.0, 800.0]))[0]
    array([  0., 800.])
    """
    result = rewritten(graph, ROWS)
    reasons = {each.name: each.reason for each in ROWS}
    uses = [Use(name, reasons[name], node.place) for name, node in result.uses]
    return result.graph, uses
