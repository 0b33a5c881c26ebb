"""What each operation means: one record per primitive, one file per family."""

from chainrule.primitives import (
    arithmetic,
    comparison,
    complexes,
    indexing,
    linear_algebra,
    products,
    reductions,
    shapes,
    transcendental,
)

__all__ = [
    "arithmetic",
    "comparison",
    "complexes",
    "indexing",
    "linear_algebra",
    "products",
    "reductions",
    "shapes",
    "transcendental",
]
