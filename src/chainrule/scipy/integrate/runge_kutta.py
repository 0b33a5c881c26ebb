"""The steps of SciPy's explicit Runge-Kutta methods, taken once more with traced values.

    kₛ = f(t + cₛ h, y + h Σⱼ aₛⱼ kⱼ),      y⁺ = y + h Σₛ bₛ kₛ

SciPy chooses the steps on plain numbers; they are constants here, as fractions of the whole span.
What comes out is the exact derivative of the numbers that were computed, in either mode and at
every order. Source: E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I,
sections II.4 to II.6; the coefficients are SciPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from chainrule.tracing.conversion import concrete

Function = Callable[[Any, Any], Any]
METHODS = ("RK23", "RK45", "DOP853")


def _combined(weights: Any, stages: list[Any]) -> Any:
    """Σ wⱼ kⱼ."""
    return weights[: len(stages)] @ np.stack(stages[: len(weights)])


class Step:
    """One accepted step, and its polynomial between its ends."""

    __slots__ = ("_coefficients", "_f", "_h", "_method", "_stages", "_t", "_y", "after")

    def __init__(self, method: Any, f: Function, t: Any, h: Any, y: Any, first: Any) -> None:
        self._method, self._f, self._t, self._h, self._y = method, f, t, h, y
        stages = [first]
        for a, c in zip(method.A[1:], method.C[1:], strict=True):
            stages.append(f(t + c * h, y + h * _combined(a, stages)))
        after = y + h * _combined(method.B, stages)
        stages.append(f(t + h, after))
        self._stages = stages
        self.after = after
        self._coefficients: Any = None

    @property
    def last(self) -> Any:
        """f at the end of the step, the first stage of the next one."""
        return self._stages[-1]

    def __call__(self, times: Any) -> Any:
        """The values at `times`, one column each."""
        x = (times - self._t) / self._h
        if self._method is not scipy.integrate.DOP853:
            return self._y[:, None] + self._h * (self._polynomial() @ _powers(x, self._order()))
        values: Any = 0.0
        for k, part in enumerate(reversed(self._eighth_order())):
            values = (values + part[:, None]) * (x if k % 2 == 0 else 1 - x)
        return self._y[:, None] + values

    def _order(self) -> int:
        return int(self._method.P.shape[1])

    def _polynomial(self) -> Any:
        if self._coefficients is None:
            self._coefficients = np.stack(self._stages, axis=1) @ self._method.P
        return self._coefficients

    def _eighth_order(self) -> list[Any]:
        """The seven coefficients of DOP853 between its ends; they take three stages more."""
        if self._coefficients is None:
            stages, h = list(self._stages), self._h
            for a, c in zip(self._method.A_EXTRA, self._method.C_EXTRA, strict=True):
                moved = self._y + h * _combined(a[: len(stages)], stages)
                stages.append(self._f(self._t + c * h, moved))
            change = self.after - self._y
            parts = [change, h * stages[0] - change, 2 * change - h * (self.last + stages[0])]
            parts += [h * _combined(d, stages) for d in self._method.D]
            self._coefficients = parts
        return self._coefficients  # type: ignore[no-any-return]


def _powers(x: Any, order: int) -> Any:
    """x, x², …, one row each."""
    rows = [x]
    for _ in range(order - 1):
        rows.append(rows[-1] * x)
    return np.stack(rows)


class Trajectory:
    """The solution between the ends of its span: `trajectory(t)`, as SciPy's dense output."""

    __slots__ = ("_ends", "steps", "t_max", "t_min", "ts", "values")

    def __init__(self, method: str, f: Function, ts: list[Any], y0: Any) -> None:
        tableau = getattr(scipy.integrate, method)
        self.ts = ts
        self._ends = np.array([float(concrete(t)) for t in ts])
        self.t_min, self.t_max = self._ends.min(), self._ends.max()
        self.values = [y0]
        self.steps: list[Step] = []
        first = f(ts[0], y0)
        for k in range(len(ts) - 1):
            step = Step(tableau, f, ts[k], ts[k + 1] - ts[k], self.values[-1], first)
            self.steps.append(step)
            self.values.append(step.after)
            first = step.last

    def __call__(self, t: Any) -> Any:
        """The values at `t`: of shape (n,) for one time, (n, number of times) for several."""
        if np.ndim(t) == 0:
            return self.at(np.reshape(t, (1,)))[:, 0]
        return self.at(t)

    def at(self, times: Any) -> Any:
        """The values at several times, one column each, in their order."""
        direction = 1 if self._ends[-1] >= self._ends[0] else -1
        found = np.searchsorted(direction * self._ends, direction * concrete(times), "left") - 1
        found = np.clip(found, 0, len(self.steps) - 1)
        columns, order = [], []
        for k in np.unique(found):
            here = np.flatnonzero(found == k)
            order.append(here)
            columns.append(self.steps[k](times[here]))
        return np.concatenate(columns, axis=1)[:, np.argsort(np.concatenate(order))]
