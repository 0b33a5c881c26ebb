"""The traced array: NumPy's operators, methods and attributes over recorded operations.

What an operation *does* is in its level (`tape.py`, `dual.py`, `recording.py`); how NumPy's calls
become operations is in `dispatch.py`. Here stands only the surface that users touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import Level, Primitive, Traced, registry
from chainrule.primitives import arithmetic, comparison, indexing, products, shapes
from chainrule.tracing import conversion

_PYTHON_NUMBERS = (float, int, complex, bool)
_compare = {name: registry[name] for name in ("less", "less_equal", "greater", "greater_equal")}
_equal, _not_equal = registry["equal"], registry["not_equal"]


class Alias(NamedTuple):
    """That an array is a view: of which, as it was read, and by which operation."""

    base: TracedArray
    seen: Any
    primitive: Primitive
    params: dict[str, Any]


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

    # -- what it is ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.value
        return () if type(value) in _PYTHON_NUMBERS else value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        value = self.value
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
        return self.viewed(shapes.transposed, {"axes": None}) if self.ndim > 1 else self

    @property
    def mT(self) -> Any:  # noqa: N802  NumPy's name
        return shapes.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        return np.real(self)

    @property
    def imag(self) -> Any:
        return np.imag(self)

    @property
    def flat(self) -> Iterator[Any]:
        return iter(shapes.ravel(self))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a traced scalar, which has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a traced scalar, which has no entries")
        return (self[k] for k in range(self.shape[0]))

    def __repr__(self) -> str:
        text = np.array2string(
            np.asarray(conversion.concrete(self)), threshold=20, prefix="traced("
        )
        return f"traced({text}, of {self.level.title})"

    def __format__(self, spec: str) -> str:
        value = conversion.concrete(self)
        return format(value if spec else repr(self), spec)

    def snapshot(self) -> Any:
        """The same array under a handle of its own, which later writes do not reach."""
        self.settle()
        return type(self)(self.level, self.value, self.mark)

    # -- reading values -----------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self.level.read(self, "bool"))

    def __int__(self) -> int:
        return int(self.level.read(self, "int"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError("only a traced integer can be used as an index")
        return int(self.level.read(self, "int"))

    def __float__(self) -> float:
        raise conversion.to_number("float", self)

    def __complex__(self) -> complex:
        raise conversion.to_number("complex", self)

    def item(self, *index: int) -> Any:
        raise conversion.to_number("item", self)

    def tolist(self) -> Any:
        raise conversion.to_number("tolist", self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return conversion.to_array(self, dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return dispatch.ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch.function(self, function, args, kwargs)

    # -- arithmetic ---------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        return arithmetic.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return arithmetic.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return arithmetic.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return arithmetic.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return arithmetic.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return arithmetic.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return arithmetic.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return arithmetic.divide(other, self)

    def __pow__(self, other: Any) -> Any:
        if type(other) is int and other == 2:
            return arithmetic.square(self)
        return arithmetic.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return arithmetic.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        return products.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return products.matmul(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return comparison.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return comparison.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return comparison.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return comparison.remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __neg__(self) -> Any:
        return arithmetic.negative(self)

    def __pos__(self) -> Any:
        return arithmetic.identity(self)

    def __abs__(self) -> Any:
        return comparison.absolute(self)

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    def __invert__(self) -> Any:
        return np.invert(self)

    def __and__(self, other: Any) -> Any:
        return np.bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return np.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Any:
        return np.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lt__(self, other: Any) -> Any:
        return _compare["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return _compare["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return _compare["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return _compare["greater_equal"](self, other)

    def __eq__(self, other: object) -> Any:
        return _equal(self, other)

    def __ne__(self, other: object) -> Any:
        return _not_equal(self, other)

    # Arrays compare entry by entry, so they cannot be keys.
    __hash__ = None  # type: ignore[assignment]

    # -- entries, views and writes ------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        template, arrays = indexing.split_index(index)
        if arrays:
            return indexing.entries(self, *arrays, template=template)
        return self.viewed(indexing.entries, {"template": template})

    def viewed(self, primitive: Primitive, params: dict[str, Any]) -> Any:
        """The result of an operation that gives a view, and the memory of what it views."""
        view = primitive(self, **params)
        if isinstance(view, TracedArray) and view.shape:
            view.alias = Alias(self, self.value, primitive, params)
        return view

    def settle(self) -> None:
        alias = self.alias
        if alias is not None:
            alias.base.settle()
            if alias.base.value is not alias.seen:
                self._become(alias.primitive(alias.base, **alias.params))
                self.alias = alias._replace(seen=alias.base.value)

    def _become(self, other: Any) -> None:
        """Rebind this handle to the array `other`: how a write is made functional."""
        if not isinstance(other, TracedArray):
            other = self.level.constant(other)
        self.__class__ = other.__class__
        self.level, self.value, self.mark = other.level, other.value, other.mark

    def assign(self, new: Any) -> None:
        """Write `new` over all entries; the arrays that this one views see it."""
        if np.shape(new) != self.shape:
            new = np.broadcast_to(new, self.shape)
        if new.dtype != self.dtype:
            new = new.astype(self.dtype)
        self._become(new)
        if self.alias is not None:
            base = self.alias.base
            base.assign(written_back(base, self, self.alias))
            self.alias = self.alias._replace(seen=base.value)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.settle()
        self.assign(indexing.set_entries(self, value, index))

    def _in_place(self, result: Any) -> Any:
        if not self.shape:
            return result  # NumPy's scalars cannot be changed: the name gets a new one
        self.settle()
        if result.shape != self.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {self.shape} does not match the "
                f"broadcast shape {result.shape}"
            )
        self.assign(result)
        return self

    def __iadd__(self, other: Any) -> Any:
        return self._in_place(self + other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(self - other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place(self * other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place(self / other)

    def __ipow__(self, other: Any) -> Any:
        return self._in_place(self**other)

    def __imatmul__(self, other: Any) -> Any:
        return self._in_place(self @ other)

    def fill(self, value: Any) -> None:
        self[...] = value

    # -- methods whose arguments are not those of the function ---------------------------------

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        to = shape[0] if len(shape) == 1 else shape
        if order == "C":
            to = tuple(to) if isinstance(to, tuple | list) else (to,)
            return self.viewed(shapes.reshaped, {"to": to})
        return shapes.reshape(self, to, order)

    def transpose(self, *axes: Any) -> Any:
        if not axes or axes == (None,):
            return self.T
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return self.viewed(
            shapes.transposed, {"axes": tuple(int(axis) % self.ndim for axis in order)}
        )

    def flatten(self, order: str = "C") -> Any:
        return shapes.reshape(self, (-1,), order)

    def astype(self, dtype: Any, **options: Any) -> Any:
        return arithmetic.astype(self, dtype=np.dtype(dtype))

    def copy(self, order: str = "C") -> Any:
        return arithmetic.identity(self)

    def dot(self, other: Any) -> Any:
        return products.dot(self, other)


def written_back(base: TracedArray, view: TracedArray, alias: Alias) -> Any:
    """`base` after its view was written: the inverse of the operation that made the view."""
    if alias.primitive is indexing.entries:
        return indexing.written(base, view, **alias.params)
    if alias.primitive is shapes.reshaped:
        return shapes.reshaped(view, to=base.shape)
    axes = alias.params["axes"]
    return shapes.transposed(view, axes=None if axes is None else tuple(np.argsort(axes).tolist()))


class Recorded(TracedArray):
    """An array in a graph; its mark is its edge (node, output index)."""

    __slots__ = ()


from chainrule.tracing import dispatch  # noqa: E402  dispatch speaks of TracedArray
