"""`matmul` and `einsum` of two factors as products of matrices.

Every axis has a label, and every factor a stride for each label that it has. Labels of the result
that one factor lacks are rows or columns, summed ones that both have are the inner length, and the
rest are a batch. A factor that BLAS cannot read where it lies is copied first, by a loop nest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chainrule.graph import Node
from chainrule.graph.node import Edge
from chainrule.native.copies import copy_loops
from chainrule.native.lowering import Array, Loops, Partial
from chainrule.native.products import Matrix, Product, leading
from chainrule.native.views import ArrayView, contiguous, whole

TYPES = {"float64": "f64", "float32": "f32"}


class Factor(NamedTuple):
    """One factor: where it begins, and its stride, in entries, along each of its labels."""

    base: Array
    offset: int
    steps: dict[str, int]


class Contraction(NamedTuple):
    """Two factors and the labels of the result, in order; `sizes` are the labels' extents."""

    node: Node
    left: Factor
    right: Factor
    out: tuple[str, ...]
    sizes: dict[str, int]


def steps_of_product(
    name: str, node: Node, views: Mapping[Edge, ArrayView]
) -> list[Loops | Product] | None:
    """A product, after copies of factors where it needs them; None where it is none."""
    if not _is_floating(node):
        return None
    found = _contraction(node, views)
    return None if found is None else _steps(name, found)


def _is_floating(node: Node) -> bool:
    """Whether a node is a product of two arrays of one floating type, with something in them."""
    if node.primitive.name not in ("matmul", "einsum") or len(node.inputs) != 2:
        return False
    specs = [source.outputs[k] for source, k in node.inputs]
    same = specs[0].dtype == specs[1].dtype == node.outputs[0].dtype
    small = all(max(spec.shape, default=1) < 2**31 for spec in specs)
    return same and small and specs[0].dtype.name in TYPES and all(0 not in s.shape for s in specs)


def _contraction(node: Node, views: Mapping[Edge, ArrayView]) -> Contraction | None:
    """The labels of a node; None where a label is summed that only one factor has."""
    shapes = [source.outputs[k].shape for source, k in node.inputs]
    if node.primitive.name == "matmul":
        labels, out = _labels_of_matmul(shapes, len(node.outputs[0].shape))
    else:
        before, after = node.params["subscripts"].split("->")
        labels, out = [tuple(text) for text in before.split(",")], tuple(after)
    sizes = {
        label: n
        for names, shape in zip(labels, shapes, strict=True)
        for label, n in zip(names, shape, strict=True)
        if n != 1
    }
    factors = []
    for edge, names, shape in zip(node.inputs, labels, shapes, strict=True):
        view = views.get(edge, whole(edge))
        steps: dict[str, int] = {}
        for label, n, step in zip(names, shape, view.strides, strict=True):
            if n != 1:  # a label that is there twice reads a diagonal
                steps[label] = steps.get(label, 0) + step
        factors.append(Factor(view.base, view.offset, steps))
    left, right = factors
    if any(label not in out for label in left.steps.keys() ^ right.steps.keys()):
        return None
    return Contraction(node, left, right, tuple(c for c in out if c in sizes), sizes)


def _labels_of_matmul(
    shapes: Sequence[tuple[int, ...]], ndim: int
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Labels for `np.matmul`, where a factor with one axis is a row or a column."""
    row = ("row",) if len(shapes[0]) > 1 else ()
    column = ("column",) if len(shapes[1]) > 1 else ()
    batch = tuple(f"batch{k}" for k in range(ndim - len(row) - len(column), 0, -1))
    left = (*batch[len(batch) - len(shapes[0][:-2]) :], *row, "summed")
    right = (*batch[len(batch) - len(shapes[1][:-2]) :], "summed", *column)
    return [left, right], (*batch, *row, *column)


def _steps(name: str, given: Contraction) -> list[Loops | Product]:
    """The product; factors are copied one after the other until BLAS can read both."""
    found: list[Loops | Product] = []
    for _ in range(3):
        if given.out and given.out[-1] not in given.right.steps:
            given = given._replace(left=given.right, right=given.left)  # (A B)ᵀ = Bᵀ Aᵀ
        product, wrong = _product(given)
        if product is not None:
            return [*found, product]
        factor = given.left if wrong == "left" else given.right
        loops, copied = _copied(f"{name}_{len(found)}", given, factor)
        found.append(loops)
        given = given._replace(left=copied) if wrong == "left" else given._replace(right=copied)
    raise AssertionError("copied factors can be read")


def _product(given: Contraction) -> tuple[Product | None, str]:
    """The product, or which factor must be copied first."""
    node, left, right, out, sizes = given
    strides = dict(zip(out, contiguous([sizes[c] for c in out]), strict=True))
    rows = [c for c in out if c in left.steps and c not in right.steps]
    columns = [c for c in out if c in right.steps and c not in left.steps]
    summed = [c for c in left.steps if c not in out]
    rows = _suffix(rows, sizes, (left.steps, strides))
    columns = _suffix(columns, sizes, (right.steps, strides))
    if columns and columns[-1] != out[-1]:
        columns = []
    batch = [c for c in out if c not in rows and c not in columns]
    for side, factor in (("left", left), ("right", right)):
        if len(_suffix(summed, sizes, (factor.steps,))) != len(summed):
            return None, side

    def matrix(base: Array, offset: int, steps: Mapping[str, int], two: list[list[str]]) -> Matrix:
        row, column = (steps[labels[-1]] if labels else 1 for labels in two)
        return Matrix(base, offset, tuple(steps.get(c, 0) for c in batch), row, column)

    m, n, k = (_count(labels, sizes) for labels in (rows, columns, summed))
    first = matrix(left.base, left.offset, left.steps, [rows, summed])
    second = matrix(right.base, right.offset, right.steps, [summed, columns])
    target = matrix((node, 0), 0, strides, [rows, columns])
    if not rows:
        target = target._replace(row=n)
    found = Product(node, first, second, target, tuple(sizes[c] for c in batch), m, n, k)
    wrong = _unreadable(found)
    return (None, wrong) if wrong else (found, "")


def _suffix(
    labels: list[str], sizes: Mapping[str, int], strides: Sequence[Mapping[str, int]]
) -> list[str]:
    """The last labels that can be passed as one axis, with one stride in every array."""
    found = labels[-1:]
    for label in reversed(labels[:-1]):
        if any(s[label] != s[found[0]] * sizes[found[0]] for s in strides):
            break
        found = [label, *found]
    return found


def _unreadable(product: Product) -> str:
    """Which factor BLAS cannot read where it lies, if one is so."""
    rows, columns, summed = product.rows, product.columns, product.summed
    left, right = product.left, product.right
    good = left.column > 0 or summed == 1
    if rows > 1:
        good = leading(left, rows, summed) is not None
    if not good:
        return "left"
    good = right.row > 0 or summed == 1
    if columns > 1:
        good = leading(right, summed, columns) is not None
    return "" if good else "right"


def _copied(name: str, given: Contraction, factor: Factor) -> tuple[Loops, Factor]:
    """A nest that copies a factor into the order in which BLAS reads it, and the copy."""
    sizes = given.sizes
    outer = [c for c in given.out if c in factor.steps]
    labels = [*outer, *(c for c in given.left.steps if c not in given.out)]
    extents = [sizes[c] for c in labels]
    type = TYPES[given.node.outputs[0].dtype.name]
    buffer = Partial(name, 1, _count(labels, sizes), type, False)
    steps = [factor.steps[c] for c in labels]
    copied = Factor(buffer, 0, dict(zip(labels, contiguous(extents), strict=True)))
    source = (factor.base, factor.offset)
    return copy_loops(name, type, source, extents, steps, buffer), copied


def _count(labels: Sequence[str], sizes: Mapping[str, int]) -> int:
    found = 1
    for label in labels:
        found *= sizes[label]
    return found
