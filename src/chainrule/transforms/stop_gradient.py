"""A value through which no derivative passes, because the user says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import flat
from chainrule.transforms.arguments import put_together, taken_apart

_stopped = flat(
    "stop_gradient",
    compute=lambda x: np.array(x)[()] if isinstance(x, np.ndarray) else x,
    reason="the user's code asked for it",
    latex=r"\operatorname{{stop}}({x})",
    batch=entrywise,
)


def stop_gradient(x: Any) -> Any:
    """`x` as a constant: its derivative is zero in every mode and at every order.

    Takes a tree of arrays. Outside a recorded graph the result is a plain array, so
    `float(stop_gradient(x))` is the way to a plain number.

    >>> from chainrule.transforms.reverse_mode import grad
    >>> float(grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    leaves, treedef = taken_apart(x)
    return put_together(treedef, [_stopped(leaf) for leaf in leaves])
