"""Products of matrices as calls of BLAS: what is multiplied, in which panels.

    out = scale * left @ right + start          for every matrix of a batch

Panels are cut by the shapes alone, never by the number of threads, because the order of a sum
inside BLAS can depend on the size of what it is given. (`native/contractions.py` makes products of
`matmul` and `einsum`.)
"""

from __future__ import annotations

from typing import NamedTuple

from chainrule.graph import Node
from chainrule.graph.node import Edge
from chainrule.native.lowering import Array


class Matrix(NamedTuple):
    """Matrices in a buffer: strides, in entries, along the batch, the rows and the columns."""

    base: Array
    offset: int
    batch: tuple[int, ...]
    row: int
    column: int


class Product(NamedTuple):
    """The result of `node` is scale · left @ right, plus `start` where that is given.

    `start` lies as the result does. Extents: `batch`, then rows, columns and the summed length.
    """

    node: Node
    left: Matrix
    right: Matrix
    out_matrix: Matrix
    batch: tuple[int, ...]
    rows: int
    columns: int
    summed: int
    scale: float = 1.0
    start: Edge | None = None

    @property
    def out(self) -> Edge:
        """The value that it computes."""
        return self.node, 0

    @property
    def type(self) -> str:
        """The entries' type, as in a kernel."""
        return "f32" if self.node.outputs[0].dtype.itemsize == 4 else "f64"

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        count = 2 * self.rows * self.columns * self.summed
        for n in self.batch:
            count *= n
        return count

    def reads(self) -> list[Array]:
        """The buffers that it reads."""
        return [self.left.base, self.right.base, *([self.start] if self.start else [])]


class Panel(NamedTuple):
    """How the result is cut: so many `panels` of `size` rows or columns, for each of a batch."""

    axis: str
    panels: int
    size: int


def leading(matrix: Matrix, rows: int, columns: int) -> tuple[bool, int] | None:
    """Whether the matrix lies by columns, and how far its rows (or columns) are apart; None where
    BLAS cannot read it: spread, backwards or overlapping.
    """
    row = matrix.row if rows > 1 else max(columns, 1)
    column = matrix.column if columns > 1 else 1
    if column == 1 and row >= columns:
        return False, row
    row, column = matrix.row if rows > 1 else 1, matrix.column if columns > 1 else max(rows, 1)
    if row == 1 and column >= rows:
        return True, column
    return None


LARGE = ((3e6, 2), (1.3e8, 4), (1e9, 8), (8e9, 16))
"""From how many operations on float32 a product is cut into how many panels."""
LONG = ((2.5e5, 2), (8e6, 4), (6.4e7, 8))
"""The same for a matrix times a vector, by the bytes of the matrix."""
NARROWEST = 32
"""Rows or columns of a panel at least."""


def panel(product: Product) -> Panel:
    """The cut of a product: along the columns where they are many, since that costs BLAS less."""
    work = product.rows * product.columns * product.summed * (4 if product.type == "f32" else 8)
    if 1 in (product.rows, product.columns):
        wanted = max((count for least, count in LONG if work >= least), default=1)
    else:
        wanted = max((count for least, count in LARGE if work >= 2 * least), default=1)
    while wanted > 1:
        for axis, extent in (("columns", product.columns), ("rows", product.rows)):
            if extent >= wanted * NARROWEST:
                size = -(-extent // (16 * wanted)) * 16
                return Panel(axis, -(-extent // size), size)
        wanted //= 2
    if product.columns == 1:
        return Panel("rows", 1, product.rows)
    return Panel("columns", 1, product.columns)


def units_of(product: Product) -> int:
    """How many calls of BLAS the product is; each can be made by another thread."""
    count = panel(product).panels
    for n in product.batch:
        count *= n
    return count
