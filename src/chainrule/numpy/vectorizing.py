"""`vectorize`: a function of numbers, or of small arrays, called entry by entry."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import Traced
from chainrule.tracing import creation
from chainrule.tracing.conversion import gathered


class vectorize:  # noqa: N801  NumPy's name
    """`numpy.vectorize`, which also calls its function on traced values.

    A signature such as "(n),(n)->()" says which axes belong to one call.

    >>> import numpy as np
    >>> from chainrule import grad
    >>> hinge = vectorize(lambda x: x if x > 0 else 0.1 * x)
    >>> grad(lambda x: np.sum(hinge(x)))(np.array([2.0, -2.0]))
    array([1. , 0.1])
    """

    def __init__(
        self,
        pyfunc: Callable[..., Any] | None = None,
        *settings: Any,
        signature: str | None = None,
        **rest: Any,
    ) -> None:
        self._settings: tuple[Any, ...] = (settings, {"signature": signature, **rest})
        if pyfunc is None:  # a decorator, to which the function comes later
            return
        self.pyfunc = pyfunc
        self.signature = signature
        self.excluded = set(rest.get("excluded") or ())
        self._plain = np.vectorize(pyfunc, *self._settings[0], **self._settings[1])
        self.__doc__ = self._plain.__doc__
        self.__name__ = getattr(pyfunc, "__name__", "vectorized")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "pyfunc"):
            return type(self)(args[0], *self._settings[0], **self._settings[1])
        names = [*range(len(args)), *kwargs]
        values = dict(zip(names, [*args, *kwargs.values()], strict=True))
        varied = {k: gathered(v) for k, v in values.items() if k not in self.excluded}
        if not any(isinstance(value, Traced) for value in varied.values()):
            return self._plain(*args, **kwargs)
        ranks = self._ranks(varied)
        arrays = {k: creation.asarray(v) for k, v in varied.items()}
        loops = {k: array.shape[: array.ndim - ranks[k]] for k, array in arrays.items()}
        shape = np.broadcast_shapes(*loops.values())
        whole = {
            k: np.broadcast_to(array, shape + array.shape[array.ndim - ranks[k] :])
            for k, array in arrays.items()
        }
        results = []
        for index in np.ndindex(*shape):
            now = {**values, **{k: array[index] for k, array in whole.items()}}
            results.append(
                self.pyfunc(*(now[k] for k in range(len(args))), **{k: now[k] for k in kwargs})
            )
        if results and isinstance(results[0], tuple):
            return tuple(_put_together(part, shape) for part in zip(*results, strict=True))
        return _put_together(results, shape)

    def _ranks(self, varied: dict[Any, Any]) -> dict[Any, int]:
        """How many of its last axes each argument gives to one call."""
        if self.signature is None:
            return dict.fromkeys(varied, 0)
        groups = re.findall(r"\(([^)]*)\)", self.signature.partition("->")[0])
        counts = [len([name for name in group.split(",") if name.strip()]) for group in groups]
        return {k: counts[place] for place, k in enumerate(varied)}


def _put_together(results: Any, shape: tuple[int, ...]) -> Any:
    """The results of all calls, in the order of the loop, as one array."""
    array = creation.asarray(list(results))
    return np.reshape(array, shape + array.shape[1:])
