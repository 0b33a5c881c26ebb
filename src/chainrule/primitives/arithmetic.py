"""Arithmetic and powers, entry by entry. Conventions at special points: docs/conventions.md."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import composition
from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import MINUS_ONE, ONE, chain_product, elementwise, linear
from chainrule.primitives.samples import POSITIVE, REAL, case, domain, normal, positive, real

_PYTHON_NUMBERS = (float, int, complex, bool)


def _as_python_does(python: Callable[..., Any], ufunc: Any) -> Callable[..., Any]:
    """The operator, which keeps Python numbers weak and is faster; NumPy's answer where it raises.

    A traced Python float stays a Python float, so that float32 code stays float32 (NEP 50); but
    a division by zero has to give infinity, as it does in arrays.
    """

    def compute(*arguments: Any) -> Any:
        try:
            return python(*arguments)
        except (ZeroDivisionError, OverflowError):
            return ufunc(*arguments)

    return compute


def _power(x1: Any, x2: Any) -> Any:
    if type(x1) in _PYTHON_NUMBERS and type(x2) in _PYTHON_NUMBERS:
        y = np.power(float(x1) if type(x1) is int else x1, x2)
        return y.item()
    return x1**x2


add = elementwise(
    "add",
    numpy=np.add,
    compute=operator.add,
    partials=(ONE, ONE),
    domain=domain(REAL, REAL),
    latex="{x1} + {x2}",
)
subtract = elementwise(
    "subtract",
    numpy=np.subtract,
    compute=operator.sub,
    partials=(ONE, MINUS_ONE),
    domain=domain(REAL, REAL),
    latex="{x1} - {x2}",
)
multiply = elementwise(
    "multiply",
    numpy=np.multiply,
    compute=operator.mul,
    partials=(lambda x2: x2, lambda x1: x1),
    domain=domain(REAL, REAL),
    latex=r"{x1} \cdot {x2}",
)
divide = elementwise(
    "divide",
    numpy=np.divide,
    compute=_as_python_does(operator.truediv, np.divide),
    partials=(lambda x2: 1 / x2, lambda x2, y: -y / x2),
    domain=domain(REAL, POSITIVE),
    latex=r"\frac{{{x1}}}{{{x2}}}",
)
negative = elementwise(
    "negative",
    numpy=np.negative,
    compute=operator.neg,
    partials=(MINUS_ONE,),
    domain=real,
    latex="-{x}",
)
identity = elementwise(
    "positive",
    numpy=np.positive,
    compute=operator.pos,
    partials=(ONE,),
    domain=real,
    latex="{x}",
)
square = elementwise(
    "square",
    numpy=np.square,
    compute=lambda x: x * x,
    partials=(lambda x: x + x,),
    domain=real,
    latex="{x}^2",
)
# ∂(x1^x2)/∂x1 through the strong product: x⁰ differentiates to 0 at 0 too, at every order.
power = elementwise(
    "power",
    numpy=np.power,
    compute=_power,
    partials=(
        lambda x1, x2: chain_product(x2, x1 ** (x2 - 1)),
        lambda x1, y: chain_product(y, np.log(x1)),
    ),
    domain=domain(POSITIVE, REAL),
    latex="{x1}^{{{x2}}}",
    flops=20,
)
reciprocal = elementwise(
    "reciprocal",
    numpy=np.reciprocal,
    partials=(lambda y: -y * y,),
    domain=positive,
    latex=r"\frac{{1}}{{{x}}}",
)
sqrt = elementwise(
    "sqrt",
    numpy=np.sqrt,
    partials=(lambda y: 0.5 / y,),
    domain=positive,
    latex=r"\sqrt{{{x}}}",
    flops=4,
)
cbrt = elementwise(
    "cbrt",
    numpy=np.cbrt,
    partials=(lambda y: 1 / (3 * y * y),),
    domain=positive,
    latex=r"\sqrt[3]{{{x}}}",
    flops=20,
)
hypot = elementwise(
    "hypot",
    numpy=np.hypot,
    partials=(lambda x1, y: _over_length(x1, y), lambda x2, y: _over_length(x2, y)),
    domain=domain(REAL, POSITIVE),
    latex=r"\sqrt{{{x1}^2 + {x2}^2}}",
    flops=6,
)


def _over_length(x: Any, y: Any) -> Any:
    """x / y with 0 at the origin, the subgradient of least norm."""
    return chain_product(x, 1 / y)


@composition(np.float_power)
def float_power(x1: Any, x2: Any) -> Any:
    """`np.float_power`: a power in double precision at least."""
    dtype = np.result_type(*(getattr(x, "dtype", x) for x in (x1, x2)), np.float64)
    return power(np.astype(x1, dtype) if hasattr(x1, "dtype") else dtype.type(x1), x2)


def _astype(x: Any, *, dtype: Any) -> Any:
    return np.asarray(x).astype(dtype)[()]


astype = linear(
    "astype",
    compute=_astype,
    transposed=lambda g: g,
    latex="{x}",
    samples=[case(normal(3, 4), dtype=np.float64)],
    batch=entrywise,
    note="a cast; what cannot be represented is rounded, which has no derivative of its own",
)


@composition(np.astype)
def cast(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """`np.astype`."""
    return x if not copy and x.dtype == dtype else astype(x, dtype=np.dtype(dtype))


def as_operands(*values: Any) -> list[Any]:
    """Integer arrays among floating point ones as floating point, in the dtype of NumPy's result.

    An integer input of a linear operation is data (an index, a mask), so what is joined with or
    written into floating point arrays has to be floating point itself.
    """
    values = tuple(np.asarray(v) if isinstance(v, list | tuple) else v for v in values)
    arrays = [(k, v) for k, v in enumerate(values) if hasattr(v, "dtype")]
    dtype = np.result_type(*(v.dtype for _, v in arrays)) if arrays else None
    operands = [float(v) if isinstance(v, bool) else v for v in values]
    if dtype is not None and dtype.kind in "fc":
        for k, value in arrays:
            if value.dtype.kind in "biu":
                operands[k] = value.astype(dtype)
    return operands
