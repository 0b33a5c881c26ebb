"""How an operation acts on many examples at once: the words for `batch=` in a record.

A batching statement takes a `Call` and returns the results with the axis of the examples first.

    entrywise           entry by entry, all inputs broadcast together
    over_axes           reduces, or works along, the parameter `axis` (all axes where it is None)
    along_axis          the same for one axis; None means the entries in a row
    matrices(2, 2)      works on that many last axes of each input; the axes before them broadcast
    by_example          none of these: one example after the other, right and slow

A record without a statement is run by example. Statements are ordinary NumPy on the values, which
may be traced themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.graph.primitive import Primitive


class Call(NamedTuple):
    """One operation on `size` examples: those values that are `mapped` have their axis first."""

    primitive: Primitive
    values: tuple[Any, ...]
    mapped: tuple[bool, ...]
    size: int
    params: dict[str, Any]

    def shape(self, k: int) -> tuple[int, ...]:
        """The shape of one example of input `k`."""
        shape: tuple[int, ...] = np.shape(self.values[k])
        return shape[1:] if self.mapped[k] else shape

    def ndim(self, k: int) -> int:
        return len(self.shape(k))

    def everywhere(self, k: int) -> Any:
        """Input `k` with the axis of the examples, also where it is the same for all."""
        value = self.values[k]
        if self.mapped[k]:
            return value
        return np.broadcast_to(value, (self.size, *np.shape(value)))

    def run(self, *values: Any, **params: Any) -> Any:
        """The operation on other values, with some parameters replaced."""
        return self.primitive(*values, **{**self.params, **params})


Batch = Callable[[Call], Any]


def padded(value: Any, ndim: int) -> Any:
    """Mapped `value` whose examples get axes of length 1 in front, to have `ndim` of them."""
    shape = value.shape
    missing = ndim + 1 - len(shape)
    return value if missing <= 0 else np.reshape(value, (shape[0], *(1,) * missing, *shape[1:]))


def entrywise(call: Call) -> Any:
    """Entry by entry: examples are brought to one number of axes, the rest is broadcasting."""
    ndim = max(call.ndim(k) for k in range(len(call.values)))
    values = [
        padded(value, ndim) if mapped else value
        for value, mapped in zip(call.values, call.mapped, strict=True)
    ]
    return call.run(*values)


def matrices(*axes: int) -> Batch:
    """On the last `axes[k]` axes of input k; those before them are broadcast together."""

    def batch(call: Call) -> Any:
        ndims = [call.ndim(k) for k in range(len(call.values))]
        if any(ndim < last for ndim, last in zip(ndims, axes, strict=True)):
            return by_example(call)
        before = max(ndim - last for ndim, last in zip(ndims, axes, strict=True))
        values = [
            padded(value, before + last) if mapped else value
            for value, mapped, last in zip(call.values, call.mapped, axes, strict=True)
        ]
        return call.run(*values)

    return batch


def over_axes(call: Call) -> Any:
    """Over the parameter `axis` of the first input: a number, several, or None for all."""
    axis, ndim = call.params.get("axis"), call.ndim(0)
    if not all(call.mapped):
        return by_example(call)
    if axis is None or ndim == 0:
        return call.run(*call.values, axis=tuple(range(1, ndim + 1)))
    if isinstance(axis, tuple | list):
        return call.run(*call.values, axis=tuple(k % ndim + 1 for k in axis))
    return call.run(*call.values, axis=axis % ndim + 1)


def along(default: int | None) -> Batch:
    """Along one axis of the first input, the parameter `axis`; None is all entries in a row."""

    def batch(call: Call) -> Any:
        axis, ndim = call.params.get("axis", default), call.ndim(0)
        if not all(call.mapped):
            return by_example(call)
        (value,) = call.values
        if axis is not None and ndim:
            return call.run(value, axis=axis % ndim + 1)
        y = call.run(np.reshape(value, (call.size, -1)), axis=1)
        return np.reshape(y, (call.size, *(1,) * ndim)) if call.params.get("keepdims") else y

    return batch


def only(position: int) -> Batch:
    """Entry by entry in one input, where the others are the same for all examples."""

    def batch(call: Call) -> Any:
        alone = all(mapped == (k == position) for k, mapped in enumerate(call.mapped))
        return call.run(*call.values) if alone else by_example(call)

    return batch


def by_example(call: Call) -> Any:
    """One example after the other, and the results stacked."""
    if not call.size:
        raise errors.BatchError(
            f"{call.primitive.name} at {callers_place()} is mapped over no examples at all, and "
            "only running it on one tells the shape of its result"
        )
    results = [
        call.run(*[v[i] if m else v for v, m in zip(call.values, call.mapped, strict=True)])
        for i in range(call.size)
    ]
    if isinstance(results[0], tuple):
        return tuple(_stacked(call, list(parts)) for parts in zip(*results, strict=True))
    return _stacked(call, results)


def _stacked(call: Call, parts: list[Any]) -> Any:
    shapes = {np.shape(part) for part in parts}
    if len(shapes) > 1:
        raise errors.BatchError(
            f"{call.primitive.name} at {callers_place()} gives results of different shapes for the "
            f"examples of a vmap ({', '.join(map(str, sorted(shapes)))}); use np.where, which "
            "keeps every entry and chooses between values, or loop over the examples"
        )
    return np.stack(parts)
