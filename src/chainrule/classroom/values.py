"""What the nodes ask of a value, for Python numbers, NumPy arrays and tensors alike.

A tensor is whatever brings `new_zeros` of its own; no tensor library is ever imported.
"""

import math
from typing import Any

import numpy as np

from chainrule.errors import NodeTypeError, NodeValueError
from chainrule.graph.node import callers_place

Shape = tuple[int, ...]


def shape_of(value: Any) -> Shape:
    """The shape of an array or a tensor; `()` for a Python number."""
    return tuple(getattr(value, "shape", ()))


def is_tensor(value: Any) -> bool:
    """Whether the value belongs to a tensor library, and must be filled by its own methods."""
    return callable(getattr(value, "new_zeros", None))


def floating(value: Any) -> Any:
    """The value itself, or, for an array of integers or booleans, the same numbers as floats.

    Integers in arrays wrap around (`-np.uint8(1)` is 255) and have no negative powers; Python's
    own integers do neither and stay as they are.

    >>> floating(np.array([1, 2]))
    array([1., 2.])
    """
    if value is None or isinstance(value, (str, bytes, list, tuple, dict, set)):
        raise NodeTypeError(
            f"{callers_place()}: a node got {value!r}, a {type(value).__name__}, where a number or "
            "an array belongs. Wrap a list in np.array(...) or torch.tensor(...)."
        )
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype):
        whole = dtype.kind in "biu"
    else:
        whole = is_tensor(value) and not (value.is_floating_point() or value.is_complex())
    return value * 1.0 if whole else value


def exponential(value: Any) -> Any:
    """eˣ, entry by entry."""
    if type(value) in (int, float):
        return math.exp(value)
    return value.exp() if is_tensor(value) else np.exp(value)


def transposed(value: Any) -> Any:
    """The transpose of a matrix; a number or a vector is its own.

    Raises NodeValueError for three axes or more, where NumPy and PyTorch mean different things.
    """
    axes = len(shape_of(value))
    if axes > 2:
        raise NodeValueError(
            f"only matrices are transposed here, and this value has shape {shape_of(value)}."
        )
    return value.T if axes == 2 else value


def expanded(value: Any, shape: Shape) -> Any:
    """The value repeated along new axes and along axes of length one, up to `shape`.

    >>> expanded(2.0, (3,))
    array([2., 2., 2.])
    """
    if shape_of(value) == shape:
        return value
    return value.expand(shape) if is_tensor(value) else np.broadcast_to(value, shape).copy()


def summed_to(value: Any, shape: Shape) -> Any:
    """The value summed over the axes along which `shape` would be repeated: undoes `expanded`.

    >>> summed_to(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    own = shape_of(value)
    if own == shape:
        return value
    if not repeats_to(shape, own):
        raise NodeValueError(f"a value of shape {own} cannot be summed to the shape {shape}.")
    if shape == ():
        return value.sum()
    new = len(own) - len(shape)
    stretched = (new + axis for axis, size in enumerate(shape) if size != own[new + axis])
    return value.sum(axis=(*range(new), *stretched)).reshape(shape)


def repeats_to(small: Shape, large: Shape) -> bool:
    """Whether a value of the shape `small` can be repeated to fill the shape `large`."""
    if len(small) > len(large):
        return False
    pairs = zip(reversed(small), reversed(large), strict=False)
    return all(size in (1, wanted) for size, wanted in pairs)


def zeros_of(value: Any) -> Any:
    """Zeros of the value's kind, shape and precision."""
    if is_tensor(value):
        return value.new_zeros(shape_of(value))
    if shape_of(value) == () and not hasattr(value, "dtype"):
        return 0.0
    return np.zeros(shape_of(value), dtype=np.result_type(value, 0.0))[()]


def filled(like: Any, number: Any) -> Any:
    """`number` at every entry of a value of the kind and shape of `like`."""
    return zeros_of(like) + number if hasattr(like, "dtype") else number


def entries_of(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The entries as a fresh float64 array, whatever holds them."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    return np.array(plain, dtype=np.float64).reshape(shape_of(value))


def holding(like: Any, entries: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    """These entries, in double precision, held the way `like` holds its own.

    >>> holding(1.0, np.array(3.0))
    3.0
    """
    if is_tensor(like):
        return like.detach().double().new_tensor(entries.tolist()).reshape(entries.shape)
    return entries.copy() if hasattr(like, "dtype") else float(entries)
