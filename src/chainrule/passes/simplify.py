"""Simplify a graph: the same values, NaN and infinity included, from fewer operations.

Shared subexpressions, folded constants and dead code come with every sweep (`passes/rewriting.py`);
the rest is a table of named rows, one file per family in `passes/rewrites/`. To be run when all
derivatives are taken: a row may replace an operation by one with the same value and another
derivative. What may change between two calls has to be an input, because constants are folded.

The rows that are not `exact` round differently, in the last places, and each says why.
"""

from __future__ import annotations

from chainrule.graph import Graph
from chainrule.passes.rewrites import arithmetic, entries, reductions, shapes, strong_zeros
from chainrule.passes.rewriting import Row, rewritten

ROWS: tuple[Row, ...] = (
    *shapes.ROWS,
    *arithmetic.ROWS,
    *strong_zeros.ROWS,
    *reductions.ROWS,
    *entries.ROWS,
)
"""Every rewrite of `simplify`. The first row that applies to a node wins."""

EXACT_ROWS: tuple[Row, ...] = tuple(each for each in ROWS if each.exact)


def simplify(graph: Graph, *, exact: bool = False) -> Graph:
    """The graph with every row applied until none does; with `exact`, only rows that keep each bit.

    >>> from chainrule.transforms.trace import trace
    >>> graph = simplify(trace(lambda x: (-x) * 3.0 - x * x * 1.0)(2.0))
    >>> [node.primitive.name for node in graph.nodes]
    ['multiply', 'square', 'subtract']
    """
    return rewritten(graph, EXACT_ROWS if exact else ROWS).graph
