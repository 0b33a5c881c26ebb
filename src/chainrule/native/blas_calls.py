"""The LLVM text of a product: one function, which computes the panel that it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.native.blas import symbol
from chainrule.native.frames import Place
from chainrule.native.instructions import SCALAR
from chainrule.native.llvm_text import literal
from chainrule.native.lowering import Array
from chainrule.native.products import Matrix, Product, leading, panel, units_of

_ROW_MAJOR, _AS_IT_LIES, _TRANSPOSED = 101, 111, 112  # the numbers of CBLAS


def product_task(name: str, product: Product, cut: int, place: Callable[[Array], Place]) -> str:
    """The function `i64 name(ptr frame, i64 part)`, which always returns 0: a share of the calls
    of BLAS, which are divided over `cut` parts.
    """
    return _Writer(product, place).text(f"{name}unit") + _share(name, units_of(product), cut)


def _share(name: str, units: int, cut: int) -> str:
    return f"""define internal i64 @{name}(ptr %frame, i64 %part) #0 {{
entry:
  %first = mul i64 %part, {units}
  %begin = udiv i64 %first, {cut}
  %second = add i64 %first, {units}
  %end = udiv i64 %second, {cut}
  br label %unit
unit:
  %k = phi i64 [ %begin, %entry ], [ %next, %unit ]
  %0 = call i64 @{name}unit(ptr %frame, i64 %k)
  %next = add i64 %k, 1
  %again = icmp slt i64 %next, %end
  br i1 %again, label %unit, label %exit
exit:
  ret i64 0
}}
"""


def declarations(type: str) -> list[str]:
    """The routines of BLAS for one type of entries."""
    t = SCALAR[type]
    return [
        f"declare void @{symbol('gemm', type)}"
        f"(i32, i32, i32, i32, i32, i32, {t}, ptr, i32, ptr, i32, {t}, ptr, i32)",
        f"declare void @{symbol('gemv', type)}"
        f"(i32, i32, i32, i32, {t}, ptr, i32, ptr, i32, {t}, ptr, i32)",
        f"declare {t} @{symbol('dot', type)}(i32, ptr, i32, ptr, i32)",
    ]


class _Writer:
    def __init__(self, product: Product, place: Callable[[Array], Place]) -> None:
        self.product, self.place = product, place
        self.cut = panel(product)
        self.lines: list[str] = []
        self.count = 0
        self.size = 4 if product.type == "f32" else 8
        self.t = SCALAR[product.type]

    def new(self, text: str) -> str:
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def text(self, name: str) -> str:
        p, cut = self.product, self.cut
        number = self.new(f"urem i64 %part, {cut.panels}")
        self.member = self.new(f"udiv i64 %part, {cut.panels}")
        self.begin = self.new(f"mul i64 {number}, {cut.size}")
        extent = p.columns if cut.axis == "columns" else p.rows
        rest = self.new(f"sub i64 {extent}, {self.begin}")
        last = self.new(f"icmp slt i64 {rest}, {cut.size}")
        self.length = self.new(
            f"trunc i64 {self.new(f'select i1 {last}, i64 {rest}, i64 {cut.size}')} to i32"
        )
        left = self._address(p.left, p.left.row if cut.axis == "rows" else 0)
        right = self._address(p.right, p.right.column if cut.axis == "columns" else 0)
        out = self._address(p.out_matrix, p.out_matrix.row if cut.axis == "rows" else 1)
        if p.rows == 1 and p.columns == 1:
            self._dot(left, right, out)
        else:
            self._begin_from_start(out)
            if p.columns == 1:
                self._gemv(p.left, p.rows, p.summed, left, right, p.right.row, out)
            elif p.rows == 1:
                turned = p.right._replace(row=p.right.column, column=p.right.row)
                self._gemv(turned, p.columns, p.summed, right, left, p.left.column, out)
            else:
                self._gemm(left, right, out)
        head = f"define internal i64 @{name}(ptr %frame, i64 %part) #0 {{"
        return "\n".join([head, *self.lines, "  ret i64 0", "}", ""])

    def _address(self, matrix: Matrix, step: int) -> str:
        """Where this panel of a matrix begins; `step` entries lie between the panel's lines."""
        p, place = self.product, self.place(matrix.base)
        base = self.new(
            f"load ptr, ptr {self.new(f'getelementptr ptr, ptr %frame, i64 {place.slot}')}"
        )
        offset = self.new(f"mul i64 {self.begin}, {step}")
        rest = self.member
        for extent, stride in zip(reversed(p.batch), reversed(matrix.batch), strict=True):
            position = self.new(f"urem i64 {rest}, {extent}")
            rest = self.new(f"udiv i64 {rest}, {extent}")
            offset = self.new(f"add i64 {offset}, {self.new(f'mul i64 {position}, {stride}')}")
        first = place.offset + matrix.offset * self.size
        moved = self.new(f"add i64 {self.new(f'mul i64 {offset}, {self.size}')}, {first}")
        return self.new(f"getelementptr i8, ptr {base}, i64 {moved}")

    def _number(self, number: float) -> str:
        return f"{self.t} {literal(number, self.product.type)}"

    def _begin_from_start(self, out: str) -> None:
        """Copy this panel of what the product is added to, unless it lies there already."""
        p, start = self.product, self.product.start
        if start is None or self.place(start) == self.place(p.out):
            return
        source = self._address(
            p.out_matrix._replace(base=start), p.out_matrix.row if self.cut.axis == "rows" else 1
        )
        width = self.new(f"zext i32 {self.length} to i64")
        if self.cut.axis == "rows" or p.rows == 1 or self.cut.panels == 1:
            lines = p.columns if self.cut.axis == "rows" else p.rows
            size = self.new(f"mul i64 {width}, {lines * self.size}")
            self._copy(out, source, size)
            return
        size = self.new(f"mul i64 {width}, {self.size}")
        self.lines += ["  br label %before", "before:", "  br label %line", "line:"]
        self.lines.append("  %k = phi i64 [ 0, %before ], [ %next, %line ]")
        moved = self.new(f"mul i64 %k, {p.columns * self.size}")
        self._copy(
            self.new(f"getelementptr i8, ptr {out}, i64 {moved}"),
            self.new(f"getelementptr i8, ptr {source}, i64 {moved}"),
            size,
        )
        self.lines.append("  %next = add i64 %k, 1")
        again = self.new(f"icmp slt i64 %next, {p.rows}")
        self.lines += [f"  br i1 {again}, label %line, label %after", "after:"]

    def _copy(self, out: str, source: str, size: str) -> None:
        self.lines.append(
            f"  call void @llvm.memcpy.p0.p0.i64(ptr {out}, ptr {source}, i64 {size}, i1 false)"
        )

    def _gemm(self, left: str, right: str, out: str) -> None:
        p = self.product
        a, b = leading(p.left, p.rows, p.summed), leading(p.right, p.summed, p.columns)
        assert a is not None
        assert b is not None
        rows = self.length if self.cut.axis == "rows" else str(p.rows)
        columns = self.length if self.cut.axis == "columns" else str(p.columns)
        flags = [_TRANSPOSED if by_columns else _AS_IT_LIES for by_columns, _ in (a, b)]
        self.lines.append(
            f"  call void @{symbol('gemm', p.type)}(i32 {_ROW_MAJOR}, i32 {flags[0]}, "
            f"i32 {flags[1]}, i32 {rows}, i32 {columns}, i32 {p.summed}, {self._number(p.scale)}, "
            f"ptr {left}, i32 {a[1]}, ptr {right}, i32 {b[1]}, "
            f"{self._number(0.0 if p.start is None else 1.0)}, ptr {out}, i32 {p.out_matrix.row})"
        )

    def _gemv(
        self, matrix: Matrix, rows: int, columns: int, a: str, x: str, step: int, out: str
    ) -> None:
        p, found = self.product, leading(matrix, rows, columns)
        assert found is not None
        by_columns, apart = found
        first, second = self.length, str(columns)
        if by_columns:
            first, second = second, first
        flag = _TRANSPOSED if by_columns else _AS_IT_LIES
        self.lines.append(
            f"  call void @{symbol('gemv', p.type)}(i32 {_ROW_MAJOR}, i32 {flag}, i32 {first}, "
            f"i32 {second}, {self._number(p.scale)}, ptr {a}, i32 {apart}, ptr {x}, i32 {step}, "
            f"{self._number(0.0 if p.start is None else 1.0)}, ptr {out}, "
            f"i32 {p.out_matrix.row if p.columns == 1 else 1})"
        )

    def _dot(self, left: str, right: str, out: str) -> None:
        p = self.product
        value = self.new(
            f"call {self.t} @{symbol('dot', p.type)}(i32 {p.summed}, ptr {left}, "
            f"i32 {p.left.column}, ptr {right}, i32 {p.right.row})"
        )
        if p.scale != 1:
            value = self.new(f"fmul {self.t} {value}, {literal(p.scale, p.type)}")
        if p.start is not None:
            start = self._address(p.out_matrix._replace(base=p.start), 0)
            value = self.new(f"fadd {self.t} {value}, {self.new(f'load {self.t}, ptr {start}')}")
        self.lines.append(f"  store {self.t} {value}, ptr {out}")
