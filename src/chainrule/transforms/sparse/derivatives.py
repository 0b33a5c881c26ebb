"""`sparse_jacobian` and `sparse_hessian`: derivatives as SciPy's sparse arrays, from few passes."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from chainrule import errors
from chainrule.graph import Traced, is_inexact, spec_of
from chainrule.graph.node import callers_place
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import Running
from chainrule.tracing.recording import Recording
from chainrule.transforms.arguments import Argnums, Arguments, taken_apart
from chainrule.transforms.reverse_mode import grad

Function = Callable[..., Any]


class SparseDerivative:
    """What `sparse_jacobian` and `sparse_hessian` return: a function with `.explain`."""

    def __init__(self, title: str, f: Function, argnums: Argnums, *, hessian: bool) -> None:
        functools.update_wrapper(self, f)
        self._title = title
        self._function = grad(f, argnums) if hessian else f
        self._argnums = argnums
        self._hessian = hessian
        self._known: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recording = self._recorded(args, kwargs)
        found, self._known = _compressed().derivative(recording, self._known, hessian=self._hessian)
        return found

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """The `Sparsity` at these arguments: pattern, number of entries, colours and passes."""
        recording = self._recorded(args, kwargs)
        return _compressed().sparsity_of(recording, hessian=self._hessian)

    def _recorded(self, args: tuple[Any, ...], kwargs: Any) -> Recording:
        """One run of the function (for a Hessian, of its gradient) as a graph with its values."""
        arguments = Arguments(self._title, args, self._argnums)
        if any(isinstance(leaf, Traced) for leaf in arguments.leaves):
            raise errors.InputError(
                f"{self._title} at {callers_place()} is differentiated itself, and the entries of "
                "a sparse array cannot carry a derivative; use jacobian, hessian or hvp there"
            )
        level = Recording(self._title)
        with Running(level, keeps=True):
            variables = [level.variable(leaf) for leaf in arguments.leaves]
            replaced = arguments.replaced([v.snapshot() for v in variables])
            outs, _ = taken_apart(self._function(*replaced, **kwargs))
            for out in outs:
                if isinstance(out, Recorded) and out.level is level:
                    level.graph.outputs.append(out.mark)
                elif is_inexact(out):
                    level.graph.outputs.append(level.constant(out).mark)
        for spec in (*map(spec_of, arguments.leaves), *_results(level)):
            if spec.dtype.kind == "c":
                raise errors.OutputError(
                    f"{self._title} at {callers_place()}: complex numbers have no single Jacobian "
                    "here; use vjp or jvp, or split real and imaginary parts"
                )
        return level


def _results(recording: Recording) -> list[Any]:
    return [spec_of(recording.values[edge]) for edge in recording.graph.outputs]


def _compressed() -> Any:
    """SciPy's sparse arrays take a while to load: at the first call."""
    return importlib.import_module("chainrule.transforms.sparse.compressed")


def sparse_jacobian(f: Function, argnums: Argnums = 0) -> SparseDerivative:
    """The Jacobian as a `scipy.sparse.csr_array`: J[i, j] = ∂fᵢ/∂xⱼ where it can be other than 0.

    Rows are all entries of the result of `f` in order, columns those of the arguments; trees are
    laid out leaf by leaf. The function runs once. Its graph says exactly which entries depend on
    which; columns (or rows, whichever need fewer colours) that share no row are computed in one
    forward (or backward) pass: a band of k diagonals takes k passes, however long it is.

    The pattern is that of the operations carried out at these arguments. Pattern and colouring are
    kept for the next call and used again if its operations, index arrays, masks and zeros of
    constant factors are the same, which every call compares; otherwise they are found anew. Entries
    are stored where the pattern has them, also when they happen to be 0 here.

    `sparse_jacobian(f).explain(x)` tells pattern, colours and passes. Raises InputError,
    ArgnumsError, and OutputError for complex numbers and for patterns too full to hold. Source:
    Griewank & Walther, Evaluating Derivatives, chapters 7 and 8.

    >>> import numpy as np
    >>> differences = sparse_jacobian(lambda x: x[1:] ** 2 - x[:-1])
    >>> differences(np.arange(4.0)).toarray()
    array([[-1.,  2.,  0.,  0.],
           [ 0., -1.,  4.,  0.],
           [ 0.,  0., -1.,  6.]])
    >>> print(differences.explain(np.arange(1000.0)))
    Jacobian: 999 × 1,000, 1,998 entries (0.2 %)
    colours: 2 (of columns)
    passes: 1 run of the function, then 2 forward instead of 999
    """
    return SparseDerivative("sparse_jacobian", f, argnums, hessian=False)


def sparse_hessian(f: Function, argnums: Argnums = 0) -> SparseDerivative:
    """The Hessian of a scalar function as a `scipy.sparse.csr_array`: H[i, j] = ∂²f/∂xᵢ∂xⱼ.

    The gradient is recorded once; its graph gives the pattern, and one backward pass along it per
    colour of a star colouring gives every entry exactly, from its own place or its mirror image.
    With an `argnums` of several arguments the matrix has all their blocks. What is kept between
    calls, and when it is found anew, is as for `sparse_jacobian`.

    Raises what `grad` raises, and OutputError for patterns too full to hold. Source: Gebremedhin,
    Manne & Pothen, What color is your Jacobian?, 2005.

    >>> import numpy as np
    >>> curvature = sparse_hessian(lambda x: np.sum((x[1:] - x[:-1] ** 2) ** 2))
    >>> curvature(np.ones(3)).toarray()
    array([[ 8., -4.,  0.],
           [-4., 10., -4.],
           [ 0., -4.,  2.]])
    >>> curvature.explain(np.ones(10_000)).passes
    3
    """
    return SparseDerivative("sparse_hessian", f, argnums, hessian=True)
