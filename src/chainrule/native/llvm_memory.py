"""Reading and writing arrays in vectors: in a row, in strides, by index, and under masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chainrule.native.instructions import BITS, SCALAR
from chainrule.native.llvm_vectors import Vectors
from chainrule.native.nest import Access, Gather, Load, Nest, Value

FILLING = 0.5
"""What places beyond the end of a row hold: harmless to every function of the mathematics library,
some of whose vector functions treat the edges of their domains slowly."""


class Memory:
    """The arrays of a nest; `mask` names the places of a vector that exist, None being all."""

    def __init__(self, vectors: Vectors, nest: Nest) -> None:
        self.vectors = vectors
        self.nest = nest
        self.types = [*nest.arrays, *(type for type, _ in nest.scratch)]
        self.arrays: list[str] = []
        self.bases: dict[Access, str] = {}
        self.mask: str | None = None
        self.bad = ""

    def begin(self) -> None:
        """Where every array lies, and room for the buffers of a row."""
        write = self.vectors
        self.arrays = [
            write.new(f"load ptr, ptr {write.new(f'getelementptr ptr, ptr %arrays, i64 {k}')}")
            for k in range(len(self.nest.arrays))
        ]
        for type, entries in self.nest.scratch:
            element = SCALAR["i8" if type == "i1" else type]
            self.arrays.append(write.new(f"alloca {element}, i64 {entries}, align 64"))
        self.bad = write.new("alloca i64")
        write.line(f"store i64 0, ptr {self.bad}")

    def find_bases(self, positions: Sequence[str]) -> None:
        """Where each access begins in this row."""
        write = self.vectors
        for statement in self.nest.statements():
            access = getattr(statement, "access", None)
            if access is None or access in self.bases:
                continue
            offset = str(access.offset)
            for position, stride in zip(positions, access.strides[:-1], strict=True):
                if stride:
                    step = write.new(f"mul nsw i64 {position}, {stride}")
                    offset = write.new(f"add nsw i64 {offset}, {step}")
            element, array = SCALAR[self.type_of(access)], self.arrays[access.array]
            self.bases[access] = write.new(f"getelementptr {element}, ptr {array}, i64 {offset}")

    def type_of(self, access: Access) -> str:
        """The type in memory, where a truth value is a byte."""
        type = self.types[access.array]
        return "i8" if type == "i1" else type

    def _address(self, access: Access, column: str) -> str:
        write, stride = self.vectors, access.strides[-1]
        if stride == 0 or column == "0":
            return self.bases[access]
        offset = column if stride == 1 else write.new(f"mul nsw i64 {column}, {stride}")
        element = SCALAR[self.type_of(access)]
        return write.new(f"getelementptr {element}, ptr {self.bases[access]}, i64 {offset}")

    # -- reading --------------------------------------------------------------------------------

    def load(self, load: Load, names: Mapping[Value, str], column: str) -> str:
        access, write = load.access, self.vectors
        memory, address = self.type_of(access), self._address(access, column)
        stride = access.strides[-1]
        if load.where is not None:
            mask = self._both(names[load.where])
            zero = "zeroinitializer"
            if stride == 1:
                value = self.read(address, memory, mask, zero)
            else:
                value = self._picked(address, self._steps(stride), memory, mask, zero)
        elif stride == 0:
            value = write.splat(write.new(f"load {SCALAR[memory]}, ptr {address}"), memory)
        elif stride == 1:
            value = self.read(address, memory, self.mask, self._filling(memory))
        else:
            value = self._picked(
                address, self._steps(stride), memory, self.mask, self._filling(memory)
            )
        return self._truth(value) if load.type == "i1" else value

    def _both(self, condition: str) -> str:
        """A condition, where the vector has places at all."""
        if self.mask is None:
            return condition
        return self.vectors.new(f"and <{self.vectors.lanes} x i1> {condition}, {self.mask}")

    def _filling(self, type: str) -> str:
        return self.vectors.number(FILLING, type) if type[0] == "f" else "zeroinitializer"

    def _truth(self, value: str) -> str:
        return self.vectors.new(f"icmp ne {self.vectors.vector('i8')} {value}, zeroinitializer")

    def _steps(self, stride: int) -> str:
        return f"<{', '.join(f'i64 {k * stride}' for k in range(self.vectors.lanes))}>"

    def read(self, address: str, type: str, mask: str | None, rest: str = "zeroinitializer") -> str:
        """Neighbouring entries; `rest` where the mask does not hold."""
        write = self.vectors
        vector, size = write.vector(type), BITS[type] // 8
        if mask is None:
            return write.new(f"load {vector}, ptr {address}, align {size}")
        name = f"@llvm.masked.load.v{write.lanes}{type.replace('u', 'i')}.p0"
        places = f"<{write.lanes} x i1>"
        write.declare(f"{vector} {name}(ptr, i32, {places}, {vector})")
        return write.new(
            f"call {vector} {name}(ptr {address}, i32 {size}, {places} {mask}, {vector} {rest})"
        )

    def _picked(self, address: str, offsets: str, type: str, mask: str | None, rest: str) -> str:
        """Entries at `offsets` (a vector of i64) from an address."""
        write = self.vectors
        vector, size = write.vector(type), BITS[type] // 8
        pointers = write.new(
            f"getelementptr {SCALAR[type]}, ptr {address}, {write.vector('i64')} {offsets}"
        )
        name = f"@llvm.masked.gather.v{write.lanes}{type.replace('u', 'i')}.v{write.lanes}p0"
        places = f"<{write.lanes} x i1>"
        write.declare(f"{vector} {name}(<{write.lanes} x ptr>, i32, {places}, {vector})")
        return write.new(
            f"call {vector} {name}(<{write.lanes} x ptr> {pointers}, i32 {size}, "
            f"{places} {mask or 'splat (i1 true)'}, {vector} {rest})"
        )

    def gather(
        self, gather: Gather, names: Mapping[Value, str], types: Sequence[str], column: str
    ) -> str:
        """An entry by index; one out of bounds is counted, and reads the first instead."""
        write, vector = self.vectors, self.vectors.vector("i64")
        offsets = self._steps(gather.access.strides[-1])
        for term in gather.terms:
            index = write.cast(names[term.position], types[term.position], "i64")
            size = write.number(term.size, "i64")
            below = write.new(f"icmp slt {vector} {index}, zeroinitializer")
            wrapped = write.new(f"add {vector} {index}, {size}")
            index = write.compute("select", [below, wrapped, index], "i1", "i64")
            wrong = write.new(f"icmp uge {vector} {index}, {size}")
            self.count_bad(wrong)
            index = write.compute("select", [wrong, "zeroinitializer", index], "i1", "i64")
            step = write.new(f"mul {vector} {index}, {write.number(term.stride, 'i64')}")
            offsets = write.new(f"add {vector} {offsets}, {step}")
        memory, address = self.type_of(gather.access), self._address(gather.access, column)
        value = self._picked(address, offsets, memory, self.mask, "zeroinitializer")
        return self._truth(value) if gather.type == "i1" else value

    def count_bad(self, wrong: str) -> None:
        """Note that some places of a vector ask for what is not there."""
        write = self.vectors
        name = f"@llvm.vector.reduce.or.v{write.lanes}i1"
        write.declare(f"i1 {name}(<{write.lanes} x i1>)")
        any_wrong = write.new(f"call i1 {name}(<{write.lanes} x i1> {self._both(wrong)})")
        known = write.new(f"load i64, ptr {self.bad}")
        more = write.new(f"zext i1 {any_wrong} to i64")
        write.line(f"store i64 {write.new(f'add i64 {known}, {more}')}, ptr {self.bad}")

    # -- writing --------------------------------------------------------------------------------

    def store(
        self,
        value: str,
        type: str,
        access: Access,
        column: str,
        accumulate: tuple[str, str] | None = None,
    ) -> None:
        """Write a vector; `accumulate` is an operation, and the condition of the first row."""
        write, address = self.vectors, self._address(access, column)
        memory, stride = self.type_of(access), access.strides[-1]
        if accumulate is not None:
            operation, first = accumulate
            known = self.read(address, memory, self.mask)
            known = self._truth(known) if type == "i1" else known
            joined = write.compute(operation, [known, value], type, type)
            vector = write.vector(type)
            value = write.new(f"select i1 {first}, {vector} {value}, {vector} {joined}")
        if type == "i1":
            value = write.new(f"zext {write.vector('i1')} {value} to {write.vector('i8')}")
        vector, size = write.vector(memory), BITS[memory] // 8
        places = f"<{write.lanes} x i1>"
        if stride != 1:
            self._scatter(value, address, stride, memory)
        elif self.mask is None:
            write.line(f"store {vector} {value}, ptr {address}, align {size}")
        else:
            name = f"@llvm.masked.store.v{write.lanes}{memory.replace('u', 'i')}.p0"
            write.declare(f"void {name}({vector}, ptr, i32, {places})")
            write.line(
                f"call void {name}({vector} {value}, ptr {address}, i32 {size}, "
                f"{places} {self.mask})"
            )

    def _scatter(self, value: str, address: str, stride: int, type: str) -> None:
        write = self.vectors
        vector, size, places = write.vector(type), BITS[type] // 8, f"<{write.lanes} x i1>"
        pointers = write.new(
            f"getelementptr {SCALAR[type]}, ptr {address}, {write.vector('i64')} "
            f"{self._steps(stride)}"
        )
        name = f"@llvm.masked.scatter.v{write.lanes}{type.replace('u', 'i')}.v{write.lanes}p0"
        write.declare(f"void {name}({vector}, <{write.lanes} x ptr>, i32, {places})")
        write.line(
            f"call void {name}({vector} {value}, <{write.lanes} x ptr> {pointers}, i32 {size}, "
            f"{places} {self.mask or 'splat (i1 true)'})"
        )

    def keep(self, value: str, type: str, access: Access) -> None:
        """Write the number of a row once."""
        write = self.vectors
        entry = write.new(f"extractelement {write.vector(type)} {value}, i64 0")
        if type == "i1":
            entry, type = write.new(f"zext i1 {entry} to i8"), "i8"
        write.line(f"store {SCALAR[type]} {entry}, ptr {self.bases[access]}")
