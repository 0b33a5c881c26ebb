"""What each scalar operation of a kernel is in LLVM: one table, which can be printed.

Vector mathematics comes from glibc's libmvec where it has the function for that many lanes (at most
4 ulp; https://sourceware.org/glibc/wiki/libmvec), else lane by lane from the mathematics library.
"""

from __future__ import annotations

from typing import NamedTuple

BITS = {"f64": 64, "f32": 32, "i64": 64, "i32": 32, "i16": 16, "i8": 8, "u8": 8, "i1": 1}
SCALAR = {"f64": "double", "f32": "float", "i64": "i64", "i32": "i32", "i16": "i16"}
SCALAR |= {"i8": "i8", "u8": "i8", "i1": "i1"}


class Templates(NamedTuple):
    """LLVM instructions for floating point and for integers; {t} is the type, {0} {1} operands."""

    floating: str = ""
    integer: str = ""


def _compare(ordered: str, integer: str) -> Templates:
    return Templates(f"fcmp {ordered} {{t}} {{0}}, {{1}}", f"icmp {integer} {{t}} {{0}}, {{1}}")


INSTRUCTIONS: dict[str, Templates] = {
    "add": Templates("fadd {t} {0}, {1}", "add {t} {0}, {1}"),
    "subtract": Templates("fsub {t} {0}, {1}", "sub {t} {0}, {1}"),
    "multiply": Templates("fmul {t} {0}, {1}", "mul {t} {0}, {1}"),
    "divide": Templates("fdiv {t} {0}, {1}"),
    "negative": Templates("fneg {t} {0}", "sub {t} zeroinitializer, {0}"),
    "less": _compare("olt", "slt"),
    "less_equal": _compare("ole", "sle"),
    "greater": _compare("ogt", "sgt"),
    "greater_equal": _compare("oge", "sge"),
    "equal": _compare("oeq", "eq"),
    "not_equal": _compare("une", "ne"),
    "is_nan": Templates("fcmp uno {t} {0}, {0}"),
    "quotient": Templates(integer="sdiv {t} {0}, {1}"),
    "and": Templates(integer="and {t} {0}, {1}"),
    "or": Templates(integer="or {t} {0}, {1}"),
    "xor": Templates(integer="xor {t} {0}, {1}"),
}

INTRINSICS = {
    "sqrt": "llvm.sqrt",
    "absolute": "llvm.fabs",
    "floor": "llvm.floor",
    "ceil": "llvm.ceil",
    "trunc": "llvm.trunc",
    "rint": "llvm.rint",
    "maximum": "llvm.maximum",  # NaN wins, as in NumPy
    "minimum": "llvm.minimum",
    "copysign": "llvm.copysign",
    "fma": "llvm.fma",
}
"""Operations that are one machine instruction, or a few, at every width."""

INTEGER_INTRINSICS = {"maximum": "llvm.smax", "minimum": "llvm.smin"}

MATHEMATICS = (
    *("exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "hypot"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
    *("asinh", "acosh", "atanh", "erf", "erfc", "fmod"),
)
"""Functions of the mathematics library, by their names in C."""
BINARY = frozenset({"pow", "hypot", "atan2", "fmod"})

IDENTITY = {"add": 0.0, "multiply": 1.0, "maximum": float("-inf"), "minimum": float("inf")}
IDENTITY |= {"and": 1.0, "or": 0.0}
"""What a reduction starts from."""

_WIDTHS = (("e", 512), ("d", 256), ("b", 128))


def vector_symbol(function: str, type: str, lanes: int) -> str | None:
    """The name that libmvec would give a function of that many lanes, or None.

    The letter is the instruction set: e AVX-512, d AVX2, b SSE.
    """
    for letter, width in _WIDTHS:
        if lanes * BITS[type] == width:
            arguments = "vv" if function in BINARY else "v"
            return f"_ZGV{letter}N{lanes}{arguments}_{function}{'f' if type == 'f32' else ''}"
    return None
