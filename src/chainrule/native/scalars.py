"""What each primitive that acts entry by entry computes on one entry: the table of the backend.

A primitive that is not listed, or a dtype that is not, has no native code and runs as a step of the
interpreter inside the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from chainrule.graph import CONSTANT, Node
from chainrule.native.nest import Value

TYPES = {
    "float64": "f64",
    "float32": "f32",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "bool": "i1",
}
"""NumPy's dtypes that loops can hold, as types of kernels."""


class Builder(Protocol):
    """What a rule builds with: the statements of a stage, each operand with its type."""

    def compute(self, operation: str, *operands: Value, type: str | None = None) -> Value:
        """An operation; its type is that of the first operand where it is not given."""

    def constant(self, number: float | int | bool, type: str) -> Value:
        """A number."""

    def cast(self, value: Value, type: str) -> Value:
        """The value in another type."""

    def type_of(self, value: Value) -> str:
        """The type of a value."""


Scalar = Callable[[Builder, Sequence[Value], Node], Value]


def type_of(dtype: Any) -> str | None:
    """The kernel type of a dtype, if loops can hold it."""
    dtype = np.dtype(dtype)
    return TYPES.get(dtype.name) if dtype.isnative else None


def _result(node: Node) -> str:
    found = type_of(node.outputs[0].dtype)
    assert found is not None
    return found


def common_type(node: Node) -> str:
    """The type in which a comparison of the inputs happens; Python numbers are weak."""
    given: list[Any] = []
    for source, index in node.inputs:
        value = source.params.get("value") if source.primitive is CONSTANT else None
        weak = type(value) in (int, float, bool)
        given.append(value if weak else source.outputs[index].dtype)
    found = type_of(np.result_type(*given))
    return found if found is not None else "f64"


def _plain(operation: str) -> Scalar:
    """An operation on operands of the result's type."""

    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        type = _result(node)
        return build.compute(operation, *(build.cast(x, type) for x in operands))

    return scalar


def _comparison(operation: str) -> Scalar:
    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        type = common_type(node)
        type = "i8" if type == "i1" else type  # one bit is -1 or 0 to a comparison with signs
        return build.compute(operation, *(build.cast(x, type) for x in operands), type="i1")

    return scalar


def _logical(operation: str) -> Scalar:
    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        return build.compute(operation, *(build.cast(x, "i1") for x in operands))

    return scalar


def _absolute(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    x, type = build.cast(operands[0], _result(node)), _result(node)
    if type[0] == "f":
        return build.compute("absolute", x)
    below = build.compute("less", x, build.constant(0, type), type="i1")
    return build.compute("select", below, build.compute("negative", x), x, type=type)


def _square(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    x = build.cast(operands[0], _result(node))
    return build.compute("multiply", x, x)


def _reciprocal(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    type = _result(node)
    return build.compute("divide", build.constant(1, type), build.cast(operands[0], type))


def _scaled(factor: float) -> Scalar:
    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        type = _result(node)
        return build.compute(
            "multiply", build.cast(operands[0], type), build.constant(factor, type)
        )

    return scalar


def _chain_product(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """The product, but 0 where either factor is 0, also against infinity and NaN."""
    type = _result(node)
    g, p = (build.cast(x, type) for x in operands)
    zero = build.constant(0, type)
    nothing = build.compute(
        "or",
        build.compute("equal", g, zero, type="i1"),
        build.compute("equal", p, zero, type="i1"),
    )
    return build.compute("select", nothing, zero, build.compute("multiply", g, p), type=type)


def _where(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    type = _result(node)
    condition, yes, no = operands
    return build.compute(
        "select",
        build.cast(condition, "i1"),
        build.cast(yes, type),
        build.cast(no, type),
        type=type,
    )


def _same(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    return build.cast(operands[0], _result(node))


def _not(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    return build.compute("xor", build.cast(operands[0], "i1"), build.constant(True, "i1"))


def _isnan(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    if build.type_of(operands[0])[0] != "f":
        return build.constant(False, "i1")
    return build.compute("is_nan", operands[0], type="i1")


def _magnitude(comparison: str) -> Scalar:
    """|x| compared with infinity."""

    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        (x,), type = operands, build.type_of(operands[0])
        if type[0] != "f":
            return build.constant(comparison == "less", "i1")
        infinity = build.constant(math.inf, type)
        return build.compute(comparison, build.compute("absolute", x), infinity, type="i1")

    return scalar


def _sign(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """-1, 0, 1, and NaN for NaN."""
    x, type = operands[0], _result(node)
    zero, one = build.constant(0, type), build.constant(1, type)
    minus = build.constant(-1, type)
    above = build.compute("greater", x, zero, type="i1")
    below = build.compute("less", x, zero, type="i1")
    rest = x if type[0] == "f" else zero  # 0 or NaN
    return build.compute(
        "select", above, one, build.compute("select", below, minus, rest, type=type), type=type
    )


def _round(operation: str) -> Scalar:
    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        x = build.cast(operands[0], _result(node))
        return build.compute(operation, x) if _result(node)[0] == "f" else x

    return scalar


def _plain_or(operation: str, truth: str) -> Scalar:
    """An operation that is a logical one between truth values."""

    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        type = _result(node)
        name = truth if type == "i1" else operation
        return build.compute(name, *(build.cast(x, type) for x in operands))

    return scalar


def _first_number(comparison: str) -> Scalar:
    """fmax and fmin: the larger or smaller, and the other one of NaN."""

    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        type = _result(node)
        a, b = (build.cast(x, type) for x in operands)
        if type == "i1":
            return build.compute("or" if comparison == "greater_equal" else "and", a, b)
        first = build.compute(comparison, a, b, type="i1")
        if type[0] == "f":
            first = build.compute("or", first, build.compute("is_nan", b, type="i1"))
        return build.compute("select", first, a, b, type=type)

    return scalar


def _signed_infinity(number: float) -> Scalar:
    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        (x,), type = operands, build.type_of(operands[0])
        if type[0] != "f":
            return build.constant(False, "i1")
        return build.compute("equal", x, build.constant(number, type), type="i1")

    return scalar


def _signbit(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    (x,), type = operands, build.type_of(operands[0])
    if type == "i1":
        return build.constant(False, type)
    if type[0] == "f":  # also of -0 and NaN
        x = build.compute("copysign", build.constant(1, type), x)
    return build.compute("less", x, build.constant(0, type), type="i1")


def _always(answer: bool) -> Scalar:
    return lambda build, operands, node: build.constant(answer, "i1")


def _invert(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    type = _result(node)
    return build.compute("xor", operands[0], build.constant(True if type == "i1" else -1, type))


def _heaviside(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """0 below zero, 1 above, the second input at zero, NaN for NaN."""
    type = _result(node)
    x, h = (build.cast(x, type) for x in operands)
    zero, one = build.constant(0, type), build.constant(1, type)
    at = build.compute("equal", x, zero, type="i1")
    above = build.compute("greater", x, zero, type="i1")
    below = build.compute("less", x, zero, type="i1")
    rest = build.compute("select", below, zero, x, type=type)
    rest = build.compute("select", above, one, rest, type=type)
    return build.compute("select", at, h, rest, type=type)


def _logaddexp(exp: str, scale: float) -> Scalar:
    """m + log(1 + e^(-|a - b|)) with m = max(a, b); a + log 2 where both are equal, as in NumPy."""

    def scalar(build: Builder, operands: Sequence[Value], node: Node) -> Value:
        type = _result(node)
        a, b = (build.cast(x, type) for x in operands)
        apart = build.compute("absolute", build.compute("subtract", a, b))
        tail = build.compute("log1p", build.compute(exp, build.compute("negative", apart)))
        if scale != 1:
            tail = build.compute("multiply", tail, build.constant(scale, type))
        far = build.compute("add", build.compute("maximum", a, b), tail)
        near = build.compute("add", a, build.constant(math.log(2) * scale, type))
        same = build.compute("equal", a, b, type="i1")
        return build.compute("select", same, near, far, type=type)

    return scalar


def _sinc(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """sin(πx)/(πx), and 1 at 0."""
    type = _result(node)
    x = build.cast(operands[0], type)
    a = build.compute("multiply", x, build.constant(math.pi, type))
    at = build.compute("equal", a, build.constant(0, type), type="i1")
    y = build.compute("divide", build.compute("sin", a), a)
    return build.compute("select", at, build.constant(1, type), y, type=type)


def _remainder(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """fmod, moved by the divisor where the signs differ: the sign is that of the divisor."""
    type = _result(node)
    a, b = (build.cast(x, type) for x in operands)
    zero, m = build.constant(0, type), build.compute("fmod", a, b)
    shifted = build.compute("add", m, b)
    moved = build.compute("select", _differ(build, m, b, zero), shifted, m, type=type)
    none = build.compute("equal", m, zero, type="i1")
    return build.compute("select", none, build.compute("copysign", zero, b), moved, type=type)


def _differ(build: Builder, m: Value, b: Value, zero: Value) -> Value:
    """Whether one is below zero and the other is not, m not being zero."""
    one = build.compute("less", m, zero, type="i1")
    other = build.compute("less", b, zero, type="i1")
    some = build.compute("not_equal", m, zero, type="i1")
    return build.compute("and", some, build.compute("xor", one, other))


def _floor_divide(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """The floor of a/b from a - fmod(a, b), which b divides exactly; a/b itself where b is 0."""
    type = _result(node)
    a, b = (build.cast(x, type) for x in operands)
    zero, one, m = build.constant(0, type), build.constant(1, type), build.compute("fmod", a, b)
    plain = build.compute("divide", a, b)
    whole = build.compute("divide", build.compute("subtract", a, m), b)
    less = build.compute("subtract", whole, one)
    whole = build.compute("select", _differ(build, m, b, zero), less, whole, type=type)
    down = build.compute("floor", whole)
    far = build.compute("subtract", whole, down)
    far = build.compute("greater", far, build.constant(0.5, type), type="i1")
    up = build.compute("add", down, one)
    result = build.compute("select", far, up, down, type=type)
    none = build.compute("equal", whole, zero, type="i1")
    signed = build.compute("copysign", zero, plain)
    result = build.compute("select", none, signed, result, type=type)
    by_zero = build.compute("equal", b, zero, type="i1")
    return build.compute("select", by_zero, plain, result, type=type)


def _rounded(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """x to so many decimals: scaled, rounded half to even, and scaled back, as in NumPy."""
    x, type, decimals = operands[0], _result(node), int(node.params.get("decimals", 0))
    if type[0] != "f":
        return x
    scale = build.constant(10.0 ** abs(decimals), type)
    if decimals == 0:
        return build.compute("rint", x)
    there, back = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    return build.compute(back, build.compute("rint", build.compute(there, x, scale)), scale)


LARGEST_EXPONENT = 8
"""Up to this whole power repeated products stay within 4 ulp: n - 1 roundings of half an ulp."""


def _power(build: Builder, operands: Sequence[Value], node: Node) -> Value:
    """Small whole exponents by repeated squares, as exact at 0, infinity and NaN as `pow`."""
    type = _result(node)
    x = build.cast(operands[0], type)
    exponent = _number(node, 1)
    if exponent == 0.5:
        return build.compute("sqrt", x)
    if exponent is None or exponent != int(exponent) or not 0 < abs(exponent) <= LARGEST_EXPONENT:
        return build.compute("pow", x, build.cast(operands[1], type))
    n, square, found = int(abs(exponent)), x, None
    while n:
        if n & 1:
            found = square if found is None else build.compute("multiply", found, square)
        n >>= 1
        if n:
            square = build.compute("multiply", square, square)
    assert found is not None
    if exponent < 0:
        return build.compute("divide", build.constant(1, type), found)
    return found


def _number(node: Node, position: int) -> float | None:
    """An input that is known, as a number; NumPy has the same exceptions for scalars alone."""
    source, _ = node.inputs[position]
    if source.primitive is not CONSTANT or np.shape(source.params["value"]) != ():
        return None
    value = float(source.params["value"])
    return value if math.isfinite(value) else None


_MATHEMATICS = {
    **{f: f for f in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "hypot")},
    **{f: f for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "copysign")},
    **{f"arc{f}": f"a{f}" for f in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    "fabs": "absolute",
    "fmod": "fmod",
}

SCALARS: dict[str, Scalar] = {
    **{f: _plain(f) for f in ("subtract", "divide", "negative")},
    "add": _plain_or("add", "or"),
    "multiply": _plain_or("multiply", "and"),
    "maximum": _plain_or("maximum", "or"),
    "minimum": _plain_or("minimum", "and"),
    "fmax": _first_number("greater_equal"),
    "fmin": _first_number("less_equal"),
    "power": _power,
    "logaddexp": _logaddexp("exp", 1),
    "logaddexp2": _logaddexp("exp2", 1 / math.log(2)),
    "sinc": _sinc,
    "remainder": _remainder,
    "floor_divide": _floor_divide,
    "heaviside": _heaviside,
    "round": _rounded,
    **{name: _plain(function) for name, function in _MATHEMATICS.items()},
    **{
        f: _comparison(f)
        for f in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
    },
    **{f"logical_{f}": _logical(f) for f in ("and", "or", "xor")},
    **{f"bitwise_{f}": _plain(f) for f in ("and", "or", "xor")},
    **{f: _round(f) for f in ("floor", "ceil", "trunc", "rint")},
    "fix": _round("trunc"),
    "absolute": _absolute,
    "square": _square,
    "reciprocal": _reciprocal,
    "radians": _scaled(math.pi / 180),
    "degrees": _scaled(180 / math.pi),
    "chain_product": _chain_product,
    "where": _where,
    "astype": _same,
    "positive": _same,
    "stop_gradient": _same,
    "logical_not": _not,
    "isnan": _isnan,
    "isinf": _magnitude("equal"),
    "isfinite": _magnitude("less"),
    "isposinf": _signed_infinity(math.inf),
    "isneginf": _signed_infinity(-math.inf),
    "signbit": _signbit,
    "isreal": _always(True),
    "iscomplex": _always(False),
    "invert": _invert,
    "real": _same,
    "conjugate": _same,
    "sign": _sign,
}


_TRUTHS = frozenset(
    name
    for name, scalar in SCALARS.items()
    if name.startswith(("is", "logical", "less", "greater", "equal", "not_equal"))
)
"""What gives truth values whatever it is given."""
_ON_TRUTHS = _TRUTHS | {"where", "astype", "positive", "stop_gradient", "signbit", "invert"}
_ON_TRUTHS |= {"add", "multiply", "maximum", "minimum", "fmax", "fmin", "real", "conjugate"}
_ON_TRUTHS |= {"bitwise_and", "bitwise_or", "bitwise_xor", "round", "sign"}
_ON_WHOLE = _ON_TRUTHS | {"subtract", "negative", "absolute", "square", "floor", "ceil", "trunc"}
_ON_WHOLE |= {"rint", "fix", "chain_product"}


def has_scalar(node: Node) -> bool:
    """Whether an operation can stand in a loop: it is listed, and so are the dtypes it meets."""
    name = node.primitive.name
    if name not in SCALARS or len(node.outputs) != 1:
        return False
    specs = [node.outputs[0], *(source.outputs[k] for source, k in node.inputs)]
    if any(type_of(spec.dtype) is None for spec in specs):
        return False
    if name in ("isreal", "signbit", "round") and len(node.inputs) != 1:
        return False
    kind = node.outputs[0].dtype.kind
    if name == "round" and kind != "f":
        return kind == "i" and int(node.params.get("decimals", 0)) >= 0
    if name.startswith("bitwise") or name == "invert":
        return kind == "i" or all(s.dtype == bool for s in specs)
    return kind == "f" or name in (_ON_TRUTHS if kind == "b" else _ON_WHOLE)
