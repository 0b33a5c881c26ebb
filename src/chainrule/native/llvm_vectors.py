"""Lines of LLVM text, and the operations on vectors that they are made of."""

from __future__ import annotations

import struct
from collections.abc import Callable

from chainrule.native.instructions import (
    BITS,
    IDENTITY,
    INSTRUCTIONS,
    INTEGER_INTRINSICS,
    INTRINSICS,
    MATHEMATICS,
    SCALAR,
    vector_symbol,
)

Available = Callable[[str], bool]


def literal(number: float | int | bool, type: str) -> str:
    """A number as LLVM writes it; floating point by its bits, so that nothing is rounded."""
    if type == "i1":
        return "true" if number else "false"
    if type[0] == "f":
        value = struct.unpack("f", struct.pack("f", number))[0] if type == "f32" else float(number)
        return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"
    return str(int(number))


class Vectors:
    """Writes lines; every value is a vector of `lanes` entries.

    `available` tells whether a symbol of the vector library is there.
    """

    def __init__(self, lanes: int, available: Available) -> None:
        self.lanes = lanes
        self.available = available
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        self.count = 0

    # -- lines ----------------------------------------------------------------------------------

    def new(self, text: str) -> str:
        """A line that gives a value a fresh name."""
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def fresh(self, name: str) -> str:
        self.count += 1
        return f"{name}{self.count}"

    def vector(self, type: str) -> str:
        return f"<{self.lanes} x {SCALAR[type]}>" if self.lanes > 1 else SCALAR[type]

    def splat(self, scalar: str, type: str) -> str:
        """A vector with one number in all places; a literal costs nothing."""
        if scalar[0] != "%":
            return f"splat ({SCALAR[type]} {scalar})"
        first = self.new(
            f"insertelement {self.vector(type)} poison, {SCALAR[type]} {scalar}, i64 0"
        )
        return self.new(
            f"shufflevector {self.vector(type)} {first}, {self.vector(type)} poison, "
            f"<{self.lanes} x i32> zeroinitializer"
        )

    def number(self, number: float | int | bool, type: str) -> str:
        return self.splat(literal(number, type), type)

    def declare(self, text: str, *, pure: bool = False) -> None:
        self.declarations.add(f"declare {text}{' #1' if pure else ''}")

    # -- operations -----------------------------------------------------------------------------

    def compute(self, operation: str, operands: list[str], given: str, type: str) -> str:
        """One operation on vectors; `given` is the first operand's type, `type` the result's."""
        vector = self.vector(given)
        if given == "i1":
            operation = {"maximum": "or", "minimum": "and"}.get(operation, operation)
        if operation == "select":
            result = self.vector(type)
            condition, yes, no = operands
            return self.new(
                f"select <{self.lanes} x i1> {condition}, {result} {yes}, {result} {no}"
            )
        if operation == "cast":
            return self.cast(operands[0], given, type)
        if operation in INSTRUCTIONS:
            templates = INSTRUCTIONS[operation]
            template = templates.floating if given[0] == "f" else templates.integer
            return self.new(template.format(*operands, t=vector))
        if operation in INTRINSICS or operation in INTEGER_INTRINSICS:
            table = INTRINSICS if given[0] == "f" else INTEGER_INTRINSICS
            name = f"@{table[operation]}.{f'v{self.lanes}' if self.lanes > 1 else ''}{given}"
            self.declare(f"{vector} {name}({', '.join([vector] * len(operands))})")
            arguments = ", ".join(f"{vector} {o}" for o in operands)
            return self.new(f"call {vector} {name}({arguments})")
        return self._mathematics(operation, operands, given, self.lanes)

    def cast(self, value: str, given: str, type: str) -> str:
        if given == type:
            return value
        source, target = self.vector(given), self.vector(type)
        if type == "i1":
            compare = "fcmp une" if given[0] == "f" else "icmp ne"
            return self.new(f"{compare} {source} {value}, zeroinitializer")
        if given[0] == "f" and type[0] == "f":
            word = "fpext" if BITS[type] > BITS[given] else "fptrunc"
        elif given[0] == "f":
            word = "fptosi"
        elif type[0] == "f":
            word = "uitofp" if given in ("i1", "u8") else "sitofp"
        elif BITS[type] > BITS[given]:
            word = "zext" if given in ("i1", "u8") else "sext"
        else:
            word = "trunc"
        result = self.new(f"{word} {source} {value} to {target}")
        if word == "fptosi":  # of what is out of range: any number, but one and the same
            result = self.new(f"freeze {target} {result}")
        return result

    def _mathematics(self, function: str, operands: list[str], type: str, lanes: int) -> str:
        """A function of the mathematics library at the widest vector that has it."""
        assert function in MATHEMATICS, function
        vector = f"<{lanes} x {SCALAR[type]}>" if lanes > 1 else SCALAR[type]
        symbol = vector_symbol(function, type, lanes)
        if lanes == 1:
            symbol = function + ("f" if type == "f32" else "")
        if lanes == 1 or (symbol is not None and self.available(symbol)):
            self.declare(f"{vector} @{symbol}({', '.join([vector] * len(operands))})", pure=True)
            arguments = ", ".join(f"{vector} {o}" for o in operands)
            return self.new(f"call {vector} @{symbol}({arguments})")
        half = lanes // 2
        parts = [
            self._mathematics(
                function, [self._part(o, type, lanes, h) for o in operands], type, half
            )
            for h in (0, 1)
        ]
        return self._put_together(parts, type, half)

    def _part(self, value: str, type: str, lanes: int, half: int) -> str:
        count = lanes // 2
        if count == 1:
            return self.new(f"extractelement <2 x {SCALAR[type]}> {value}, i64 {half}")
        order = ", ".join(f"i32 {half * count + k}" for k in range(count))
        vector = f"<{lanes} x {SCALAR[type]}>"
        return self.new(
            f"shufflevector {vector} {value}, {vector} poison, <{count} x i32> <{order}>"
        )

    def _put_together(self, parts: list[str], type: str, half: int) -> str:
        if half == 1:
            vector = f"<2 x {SCALAR[type]}>"
            first = self.new(f"insertelement {vector} poison, {SCALAR[type]} {parts[0]}, i64 0")
            return self.new(f"insertelement {vector} {first}, {SCALAR[type]} {parts[1]}, i64 1")
        order = ", ".join(f"i32 {k}" for k in range(2 * half))
        vector = f"<{half} x {SCALAR[type]}>"
        return self.new(
            f"shufflevector {vector} {parts[0]}, {vector} {parts[1]}, <{2 * half} x i32> <{order}>"
        )

    # -- reductions -----------------------------------------------------------------------------

    def identity(self, operation: str, type: str) -> str:
        """What a reduction starts from, in all places."""
        found = IDENTITY[operation]
        if type[0] != "f" and type != "i1" and abs(found) > 1:  # whole numbers have no infinity
            bound = 2 ** (BITS[type] - 1)
            return self.number(-bound if found < 0 else bound - 1, type)
        return self.number(found > 0 if type == "i1" else found, type)

    def joined(self, operation: str, parts: list[str], type: str) -> str:
        """All partial results as one, in a fixed order: pairs of vectors, then halves of lanes.

        The halves become shorter vectors, rather than sums of a vector and the same one turned:
        LLVM 22.1 adds an entry to itself there when the sum is used more than once.
        """
        while len(parts) > 1:
            parts = [
                self.compute(operation, [a, b], type, type)
                for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
        value, lanes = parts[0], self.lanes
        while lanes > 1:
            low, high = (self._part(value, type, lanes, half) for half in (0, 1))
            lanes //= 2
            value = self._narrow(operation, low, high, type, lanes)
        return self.splat(value, type)

    def _narrow(self, operation: str, low: str, high: str, type: str, lanes: int) -> str:
        """An operation on fewer places than a vector has."""
        everywhere, self.lanes = self.lanes, lanes
        value = self.compute(operation, [low, high], type, type)
        self.lanes = everywhere
        return value
