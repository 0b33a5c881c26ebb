"""NumPy functions that ask what an array is: its shape, its dtype, its memory, its text.

Their answers are no numbers that a derivative could pass through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import Traced
from chainrule.tracing.conversion import concrete


def _shape_only(operand: Any) -> Any:
    """A plain array of the same shape, for what looks at nothing else."""
    if isinstance(operand, Traced):
        spec: Any = operand
        return np.broadcast_to(np.zeros((), spec.dtype), spec.shape)
    return operand


def _share_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Whether a write into one is seen by the other."""
    owners = [x if getattr(x, "alias", None) is None else x.alias.root for x in (a, b)]
    return owners[0] is owners[1]


def _of_dtypes(function: Any) -> Callable[..., Any]:
    def ask(*args: Any, **options: Any) -> Any:
        return function(
            *(getattr(a, "dtype", a) if isinstance(a, Traced) else a for a in args), **options
        )

    return ask


ABOUT: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.tril_indices_from: lambda arr, k=0: np.tril_indices(arr.shape[-2], k, arr.shape[-1]),
    np.triu_indices_from: lambda arr, k=0: np.triu_indices(arr.shape[-2], k, arr.shape[-1]),
    np.diag_indices_from: lambda arr: np.diag_indices_from(_shape_only(arr)),
    np.einsum_path: lambda *operands, **options: np.einsum_path(
        *map(_shape_only, operands), **options
    ),
    np.result_type: _of_dtypes(np.result_type),
    np.can_cast: _of_dtypes(np.can_cast),
    np.common_type: lambda *arrays: np.common_type(*map(_shape_only, arrays)),
    np.min_scalar_type: lambda a: np.min_scalar_type(concrete(a)),
    np.may_share_memory: _share_memory,
    np.shares_memory: _share_memory,
    np.array_repr: lambda arr, *args, **kwargs: repr(arr),
    np.array_str: lambda a, *args, **kwargs: str(a),
    np.array2string: lambda a, *args, **kwargs: str(a),
}
