"""The traced array: NumPy's operators, methods and attributes over recorded operations.

What an operation *does* is in its level (`tape.py`, `dual.py`, `recording.py`); how NumPy's calls
become operations is in `dispatch.py`, what a write does in `writes.py`. Here stands only the
surface that users touch.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.graph import Level, Primitive, Traced, registry
from chainrule.graph.node import OWN_FOLDERS, callers_place
from chainrule.primitives import (
    arithmetic,
    comparison,
    indexing,
    products,
    shapes,
    sparse_products,
)
from chainrule.primitives.views import Alias
from chainrule.tracing import conversion, writes

_PYTHON_NUMBERS = (float, int, complex, bool)
_TO_PREPARE = (np.ndarray, list, tuple)
# Of the sum of an object array NumPy's mean makes sum.dtype.type(sum / n), a plain number, if it
# has a dtype, and sum / n if it has none. So a traced scalar has none when these functions ask.
_MEANS = ("_mean", "_var", "_std")
_OPTIMISERS = os.path.join(OWN_FOLDERS[2], "optimize", "")


_Method = Callable[[Any, Any], Any]


def _operator(primitive: Primitive) -> tuple[_Method, _Method]:
    """The two methods of a binary operator, for the traced array on the left and on the right."""

    def left(self: Any, other: Any) -> Any:
        if type(other) in _TO_PREPARE:
            other = conversion.operand(other)
        return self.level.apply(primitive, (self, other), {})

    def right(self: Any, other: Any) -> Any:
        if type(other) in _TO_PREPARE:
            other = conversion.operand(other)
        return self.level.apply(primitive, (other, self), {})

    return left, right


def _comparison(primitive: Primitive) -> _Method:
    """`<` and its kin. An optimiser that finds its way by comparing returns plain numbers."""
    left, _ = _operator(primitive)

    def method(self: Any, other: Any) -> Any:
        if sys._getframe(1).f_code.co_filename.startswith(_OPTIMISERS):
            raise conversion.chosen_inside(self)
        return left(self, other)

    return method


def _matrix_product() -> tuple[_Method, _Method]:
    """The methods of `@`, also with one of SciPy's sparse matrices on the other side."""
    left, right = _operator(products.matmul)

    def product(self: Any, other: Any) -> Any:
        if type(other) is not np.ndarray and sparse_products.is_sparse(other):
            return sparse_products.times_sparse(self, other)
        return left(self, other)

    def reflected(self: Any, other: Any) -> Any:
        if type(other) is not np.ndarray and sparse_products.is_sparse(other):
            return sparse_products.sparse_times(other, self)
        return right(self, other)

    return product, reflected


def _composed(function: Callable[..., Any]) -> tuple[_Method, _Method]:
    """The same for an operator that is made of several operations."""
    return (
        lambda self, other: function(self, conversion.operand(other)),
        lambda self, other: function(conversion.operand(other), self),
    )


def _equality(primitive: Primitive, plain: _Method) -> Callable[[Any, object], Any]:
    """`==` or `!=`, which can be asked of anything: what is no number is no operand either."""
    left, _ = _operator(primitive)

    def method(self: Any, other: object) -> Any:
        if sys._getframe(1).f_code.co_filename.startswith(_OPTIMISERS):
            raise conversion.chosen_inside(self)
        if other is None or isinstance(other, str):
            return plain(conversion.concrete(self), other)
        return left(self, other)

    return method


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method of an augmented assignment, such as `y += v`."""

    def method(self: Any, other: Any) -> Any:
        return writes.in_place(self, function(self, conversion.operand(other)))

    return method


_raised, _exponent_of = _operator(arithmetic.power)


def _power(base: Any, exponent: Any) -> Any:
    if type(exponent) is int and exponent == 2:
        return base.level.apply(arithmetic.square, (base,), {})
    return _raised(base, exponent)


class TracedArray(Traced):
    """An array of a running transform; abstract, `Recorded` and `Dual` are the two kinds.

    `mark` is what the kind keeps beside the value: its edge in a graph, or its tangent.
    """

    __slots__ = ("mark",)
    mark: Any
    __array_priority__ = 1000.0

    def __init__(self, level: Level, value: Any, mark: Any) -> None:
        self.level = level
        self.value = value
        self.mark = mark
        self.alias: Alias | None = None

    def settle(self) -> None:
        writes.settle(self)

    def snapshot(self) -> Any:
        """The same array under a handle of its own, which later writes do not reach."""
        self.settle()
        return type(self)(self.level, self.value, self.mark)

    # -- what it is ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.value
        return () if type(value) in _PYTHON_NUMBERS else value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        value = self.value
        if self.shape == ():
            asking = sys._getframe(1).f_code
            if asking.co_name in _MEANS and asking.co_filename.endswith("_methods.py"):
                raise AttributeError("dtype")
        return np.dtype(type(value)) if type(value) in _PYTHON_NUMBERS else value.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int))

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def T(self) -> Any:  # noqa: N802  NumPy's name
        return shapes.transposed(self, axes=None) if self.ndim > 1 else self

    @property
    def mT(self) -> Any:  # noqa: N802  NumPy's name
        return np.matrix_transpose(self)

    @property
    def real(self) -> Any:
        return np.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        np.real(self)[...] = value

    @property
    def imag(self) -> Any:
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise TypeError("a real array has no imaginary part to write")
        np.imag(self)[...] = value

    @property
    def flat(self) -> Any:
        """All entries in a row, as a view."""
        return shapes.flattened(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        shapes.flattened(self)[...] = value

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name) and not name.startswith("_"):
            raise AttributeError(
                f"the method {name} of NumPy's arrays, used at {callers_place()}, has no "
                "derivative here yet; write it with functions that have one (`chainrule list` "
                "names them)"
            )
        raise AttributeError(f"a traced array has no attribute {name!r}")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a traced scalar, which has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a traced scalar, which has no entries")
        return (self[k] for k in range(self.shape[0]))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __repr__(self) -> str:
        text = np.array2string(
            np.asarray(conversion.concrete(self)), threshold=20, prefix="traced("
        )
        return f"traced({text}, of {self.level.title})"

    def __format__(self, spec: str) -> str:
        value = conversion.concrete(self)
        return format(value if spec else repr(self), spec)

    # -- reading values -----------------------------------------------------------------------

    def _read(self, kind: str) -> Any:
        self.settle()
        return self.level.read(self, kind)

    def __bool__(self) -> bool:
        return bool(self._read("bool"))

    def __int__(self) -> int:
        return int(self._read("int"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise conversion.no_index(self)
        return int(self._read("int"))

    def __trunc__(self) -> int:
        return int(self)

    def __floor__(self) -> int:
        return int(np.floor(self))

    def __ceil__(self) -> int:
        return int(np.ceil(self))

    def __round__(self, digits: int | None = None) -> Any:
        return int(np.round(self)) if digits is None else np.round(self, digits)

    def __float__(self) -> float:
        return conversion.to_float(self)

    def __complex__(self) -> complex:
        raise conversion.to_number("complex", self)

    def item(self, *index: int) -> Any:
        raise conversion.to_number("item", self)

    def tolist(self) -> Any:
        raise conversion.to_number("tolist", self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise conversion.to_number("pickle", self)

    def __hash__(self) -> int:
        raise conversion.no_key()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return conversion.to_array(self, dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return dispatch.ufunc(ufunc, method, inputs, options)

    # -- operators ----------------------------------------------------------------------------

    __add__, __radd__ = _operator(arithmetic.add)
    __sub__, __rsub__ = _operator(arithmetic.subtract)
    __mul__, __rmul__ = _operator(arithmetic.multiply)
    __truediv__, __rtruediv__ = _operator(arithmetic.divide)
    __pow__, __rpow__ = _power, _exponent_of
    __matmul__, __rmatmul__ = _matrix_product()
    __floordiv__, __rfloordiv__ = _operator(comparison.floor_divide)
    __mod__, __rmod__ = _operator(comparison.remainder)
    __divmod__, __rdivmod__ = _composed(comparison.divmod)
    __and__, __rand__ = _operator(registry["bitwise_and"])
    __or__, __ror__ = _operator(registry["bitwise_or"])
    __xor__, __rxor__ = _operator(registry["bitwise_xor"])
    __lt__, __gt__ = _comparison(registry["less"]), _comparison(registry["greater"])
    __le__, __ge__ = _comparison(registry["less_equal"]), _comparison(registry["greater_equal"])
    __eq__ = _equality(registry["equal"], operator.eq)
    __ne__ = _equality(registry["not_equal"], operator.ne)

    __iadd__ = _in_place(arithmetic.add)
    __isub__ = _in_place(arithmetic.subtract)
    __imul__ = _in_place(arithmetic.multiply)
    __itruediv__ = _in_place(arithmetic.divide)
    __ipow__ = _in_place(_power)
    __imatmul__ = _in_place(products.matmul)
    __ifloordiv__ = _in_place(comparison.floor_divide)
    __imod__ = _in_place(comparison.remainder)
    __iand__ = _in_place(registry["bitwise_and"])
    __ior__ = _in_place(registry["bitwise_or"])
    __ixor__ = _in_place(registry["bitwise_xor"])

    def __neg__(self) -> Any:
        return arithmetic.negative(self)

    def __pos__(self) -> Any:
        return arithmetic.identity(self)

    def __abs__(self) -> Any:
        return comparison.absolute(self)

    def __invert__(self) -> Any:
        return registry["invert"](self)

    # -- entries, copies and shapes -------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        template, arrays = indexing.split_index(index)
        return indexing.entries.read(self, (self, *arrays), {"template": template})

    def __setitem__(self, index: Any, value: Any) -> None:
        writes.set_entries(self, index, conversion.operand(value))

    def fill(self, value: Any) -> None:
        self[...] = value

    def sort(self, axis: int = -1, **options: Any) -> None:
        self[...] = np.sort(self, axis, **options)

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def reshape(self, *shape: Any, order: Any = "C", copy: bool | None = None) -> Any:
        to = shape[0] if len(shape) == 1 else shape
        return shapes.reshape(self, to, order, copy=copy)

    def transpose(self, *axes: Any) -> Any:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return shapes.transpose(self, order or None)

    def flatten(self, order: Any = "C") -> Any:
        return np.copy(shapes.ravel(self, order))

    def astype(
        self,
        dtype: Any,
        order: Any = "K",
        casting: Any = "unsafe",
        subok: bool = True,
        copy: bool = True,
    ) -> Any:
        if not copy and self.dtype == dtype:
            return self
        if not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(f"{self.dtype} cannot be cast to {np.dtype(dtype)}: casting={casting}")
        return arithmetic.astype(self, dtype=np.dtype(dtype))


class Recorded(TracedArray):
    """An array in a graph; its mark is its edge (node, output index)."""

    __slots__ = ()


from chainrule.tracing import dispatch  # noqa: E402  dispatch speaks of TracedArray
