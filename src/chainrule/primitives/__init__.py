"""What each operation means: one record per primitive, one file per family."""

from chainrule.primitives import (
    arithmetic,
    comparison,
    complexes,
    decompositions,
    determinants,
    factorizations,
    indexing,
    joins,
    linear_algebra,
    norms,
    products,
    reductions,
    shapes,
    softmax,
    sparse_products,
    transcendental,
)

__all__ = [
    "arithmetic",
    "comparison",
    "complexes",
    "decompositions",
    "determinants",
    "factorizations",
    "indexing",
    "joins",
    "linear_algebra",
    "norms",
    "products",
    "reductions",
    "shapes",
    "softmax",
    "sparse_products",
    "transcendental",
]
