"""An initial value problem with everything that its right-hand side depends on as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.integrate

from chainrule import errors
from chainrule.graph.node import callers_place
from chainrule.scipy.forwarding import array
from chainrule.tracing.conversion import concrete
from chainrule.transforms.closures import Closure, depends

Function = Callable[..., Any]


def slopes(out: Any, y: Any) -> Any:
    """What a right-hand side returned, as an array like `y`; of one entry it may be a number."""
    out = array(out)
    return out if out.shape == y.shape else np.broadcast_to(out, y.shape)


def _gave_up(t: float, message: str) -> errors.DivergenceError:
    return errors.DivergenceError(
        f"the derivative of the differential equation solved at {callers_place()} could not be "
        f"integrated beyond t = {t:.6g}: {message} Loosen rtol and atol, choose a stiff method, or "
        "use gradient='discrete'"
    )


class Problem:
    """y' = f(t, y, *leaves), the method that solves it, and its tolerances.

    `end` is the time to which SciPy integrates; the last time asked for may lie before it.
    """

    __slots__ = ("end", "function", "hidden", "method", "options", "times_by_odeint")

    def __init__(
        self,
        function: Function,
        method: Any,
        options: dict[str, Any],
        *,
        end: float | None = None,
        hidden: Callable[[], Exception] | None = None,
        times_by_odeint: bool = False,
    ) -> None:
        self.function = function
        self.method = method
        self.options = options
        self.end = end
        self.hidden = hidden
        self.times_by_odeint = times_by_odeint

    def __repr__(self) -> str:
        return self.method if isinstance(self.method, str) else str(self.method.__name__)

    @classmethod
    def of(cls, closure: Closure, method: Any, options: dict[str, Any], **more: Any) -> Problem:
        """The problem of a user's function, whose closed-over values are its leaves."""

        def function(t: Any, y: Any, *leaves: Any) -> Any:
            return slopes(closure.holding(leaves)(t, y), y)

        return cls(function, method, options, hidden=closure.hidden, **more)

    def plain(self, leaves: tuple[Any, ...]) -> Function:
        """f(t, y) on plain numbers; a derivative that would get lost is an error."""

        def f(t: Any, y: Any) -> Any:
            out = self.function(t, y, *leaves)
            if depends(out) and self.hidden is not None:
                raise self.hidden()
            return concrete(out)

        return f

    def solved(
        self, leaves: tuple[Any, ...], start: float, end: float, y0: Any, **asked: Any
    ) -> Any:
        """SciPy's solution from `start` to `end`."""
        f = self.plain(leaves)
        return scipy.integrate.solve_ivp(
            f, (start, end), y0, method=self.method, **self.options, **asked
        )

    def values(self, leaves: tuple[Any, ...], y0: Any, times: Any) -> Any:
        """The solution at `times`, of which the first is the start: one column each."""
        if self.times_by_odeint:
            f = self.plain(leaves)
            return scipy.integrate.odeint(f, y0, times, tfirst=True, **self.options).T
        end = times[-1] if self.end is None else self.end
        if end == times[0]:
            return np.repeat(np.asarray(y0)[:, None], len(times), axis=1)
        found = self.solved(leaves, times[0], end, y0, t_eval=times)
        if found.y.shape[1] < len(times):
            raise _gave_up(found.t[-1] if len(found.t) else times[0], found.message)
        return found.y

    def steps(
        self, leaves: tuple[Any, ...], start: float, end: float, y0: Any
    ) -> Iterator[tuple[float, Any]]:
        """(time, state) after every step of SciPy's solver, of which only the last is held."""
        kind = (
            getattr(scipy.integrate, self.method) if isinstance(self.method, str) else self.method
        )
        solver = kind(self.plain(leaves), start, y0, end, **self.options)
        while solver.status == "running":
            message = solver.step()
            if solver.status == "failed":
                raise _gave_up(solver.t, message)
            yield solver.t, solver.y

    def augmented(self, function: Function, copies: int | None) -> Problem:
        """The same solver for a larger state: `copies` of this one, or any other (None).

        What an option says of single entries is repeated, or the most careful value is taken.
        """
        options = dict(self.options)
        for name in ("jac", "jac_sparsity", "lband", "uband", "first_step"):
            options.pop(name, None)
        method = self.method
        if self.times_by_odeint:
            method = "LSODA"
            kept = {"rtol": 1.49012e-8, "atol": 1.49012e-8}  # the defaults of odeint
            options = {n: kept[n] if options.get(n) is None else options[n] for n in kept}
        for name in ("rtol", "atol"):
            if np.ndim(options.get(name, 0.0)):
                values = np.asarray(options[name])
                options[name] = np.min(values) if copies is None else np.tile(values, copies)
        return Problem(function, method, options, hidden=self.hidden)
