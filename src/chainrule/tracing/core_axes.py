"""The options `axis=`, `axes=` and `keepdims=` of ufuncs that work on vectors or matrices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.primitives.shapes import as_tuple


def with_core_axes(
    ufunc: Any, meaning: Callable[..., Any], options: dict[str, Any]
) -> Callable[..., Any]:
    """`meaning`, with the axes that the call names brought to the end first, and back after.

    The options are taken out of `options`.
    """
    axis, axes = options.pop("axis", None), options.pop("axes", None)
    keepdims = options.pop("keepdims", False)
    if axis is None and axes is None and not keepdims:
        return meaning
    # "(n?,k),(k,m?)->(n?,m?)" has two axes in each input and in the output
    parts = re.findall(r"\(([^)]*)\)", ufunc.signature)
    counts = [len(part.split(",")) if part else 0 for part in parts]
    if axes is None:
        axes = [(-1 if axis is None else axis,)] * ufunc.nin + [()]
    chosen = [as_tuple(entry) for entry in axes]
    if len(chosen) == ufunc.nin:  # what is left out has no axes of its own
        chosen.append(())

    def call(*inputs: Any) -> Any:
        moved = [
            np.moveaxis(x, named, range(-count, 0)) if count else x
            for x, named, count in zip(inputs, chosen, counts, strict=False)
        ]
        y = meaning(*moved)
        if keepdims:  # only where one vector of each input is reduced to a number
            return np.expand_dims(y, chosen[0])
        return np.moveaxis(y, range(-counts[-1], 0), chosen[-1]) if counts[-1] else y

    return call
