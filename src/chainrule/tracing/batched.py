"""Many examples at once: a level whose arrays hold all examples and look like one.

A `Batched` array keeps its examples in `value` with their axis first, or, where `mark` is CONSTANT,
one value that all examples share. Shape and dtype are those of one example. Each operation runs
once for all, as its record's batching statement says (`primitives/batching.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Level, Primitive, Traced, spec_of
from chainrule.graph.node import callers_place
from chainrule.graph.traced import owner
from chainrule.primitives import indexing
from chainrule.primitives.batching import Call, by_example
from chainrule.tracing import conversion
from chainrule.tracing.array import TracedArray
from chainrule.tracing.levels import next_tag
from chainrule.tracing.tape import PASSED_ON, evaluate, leak, objects, refusal

CONSTANT, MAPPED, SCALAR = 0, 1, 2
"""What `mark` says: one value for all examples; an array each; a scalar of NumPy's each.

Of an array of its own a write makes a new one, and views of it see that; a scalar cannot be written
nor viewed, and `y += 1` gives its name to another.
"""

_WAYS_OUT = {
    "bool": "choose between values with np.where(condition, a, b)",
    "int": "every example needs the same number there",
    "index": "make the array that is indexed an argument of the function, with None in in_axes; "
    "loops and shapes need a number that is the same for all examples",
    "float": "keep the array; NumPy's functions take it",
}


class BatchLevel(Level):
    """A running vmap over `size` examples."""

    __slots__ = ("size",)
    maps = True

    def __init__(self, title: str, size: int) -> None:
        super().__init__(next_tag(), title)
        self.size = size

    def varies(self, array: Traced) -> bool:
        assert isinstance(array, Batched)
        return array.mark in (MAPPED, SCALAR)

    def constant(self, value: Any) -> Batched:
        return Batched(self, value, CONSTANT)

    def mapped(self, value: Any) -> Batched:
        """The array of which `value` holds all examples, their axis first."""
        return Batched(self, value, MAPPED if value.ndim > 1 else SCALAR)

    def memory(self, array: Traced) -> Any:
        assert isinstance(array, Batched)
        value = array.value
        while isinstance(value, Traced):
            if value.level.maps:
                value = value.level.memory(value)
                break
            value = value.value
        if array.mark == CONSTANT:
            return value
        if not len(value):
            return np.empty(value.shape[1:], value.dtype)
        return value[0] if array.mark == SCALAR else value[0, ...]

    def read(self, array: Traced, kind: str) -> Any:
        """The value on which all examples agree; an error where they do not."""
        assert isinstance(array, Batched)
        value = array.value
        if array.mark == CONSTANT:
            return value
        if not self.size:
            raise errors.BatchError(
                f"a value is read at {callers_place()} inside a vmap over no examples"
            )
        if kind == "bool":
            value = value != 0
        elif kind == "int" and spec_of(value).dtype.kind == "f":
            value = np.trunc(value)
        first = value[0]
        if np.any(value != first):
            raise errors.BatchError(
                f"the code at {callers_place()} depends on a value ({kind}) that differs between "
                f"the examples of a vmap: {_WAYS_OUT[kind]}; or loop over the examples"
            )
        return first

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        level = owner(arguments)
        if level is not self:
            return level.apply(primitive, arguments, params)
        if not self.open:
            raise leak(self)
        values, mapped = [], []
        for argument in arguments:
            mine = isinstance(argument, Batched) and argument.level is self
            values.append(argument.value if mine else argument)
            mapped.append(mine and argument.mark != CONSTANT)
        if not any(mapped):
            return self._wrapped(primitive, evaluate(primitive, values, params), CONSTANT)
        call = Call(primitive, tuple(values), tuple(mapped), self.size, params)
        try:
            result = (primitive.batch or by_example)(call)
        except PASSED_ON:
            raise
        except (ValueError, IndexError) as error:
            raise refusal(primitive, list(arguments), error) from error
        scalar = primitive is indexing.entries and Ellipsis not in params["template"]
        return self._wrapped(primitive, result, SCALAR if scalar else MAPPED)

    def _wrapped(self, primitive: Primitive, result: Any, mark: int) -> Any:
        if isinstance(result, tuple):
            return tuple([self._wrapped(primitive, y, mark) for y in result])
        if spec_of(result).dtype.kind == "O":
            raise objects(primitive)
        if mark == SCALAR and result.ndim > 1:
            mark = MAPPED
        return Batched(self, result, mark)


class Batched(TracedArray):
    """One array for each example of a vmap; its mark is CONSTANT, MAPPED or SCALAR."""

    __slots__ = ()
    level: BatchLevel

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = np.shape(self.value)
        return shape[1:] if self.mark else shape

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            return super().__index__()
        return int(self._read("index"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.settle()
        if self.mark == CONSTANT and not self._carries():
            return np.array(conversion.concrete(self), dtype)
        if dtype is not None and np.dtype(dtype).kind in "iu" and self.dtype.kind in "biu":
            # NumPy asks so for an index, which carries no derivative.
            return np.asarray(conversion.concrete(self._read("index")), dtype)
        return super().__array__(dtype, copy)

    def __float__(self) -> float:
        self.settle()
        return super().__float__() if self._carries() else float(self._read("float"))

    def item(self, *index: int) -> Any:
        self.settle()
        if self._carries():
            return super().item(*index)
        entry = self[np.unravel_index(index[0], self.shape)] if len(index) == 1 else self[index]
        return entry._read("float").item() if self.shape else self._read("float").item()

    def _carries(self) -> bool:
        """Whether a derivative runs through it, at a level below."""
        value = self.value
        while isinstance(value, Batched):
            value = value.value
        return isinstance(value, Traced)
