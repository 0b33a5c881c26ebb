"""One oracle for rules of whole functions: differences along random directions, at two orders."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr

STEP = 2.5e-4
# The stencil below errs by STEP⁴ / 7.5 = 5e-16 fifth derivatives (which grow with the fifth power
# of a condition number: up to 1e7 here) and by 1e-15 / STEP = 4e-12 times the values, of rounding.
TOLERANCE = 1e-8


def _listed(out: Any) -> list[Any]:
    return list(out) if isinstance(out, tuple | list) else [out]


def _inner(left: list[Any], right: list[Any]) -> float:
    """⟨a, b⟩ = Re Σ conj(a) b, the real inner product."""
    return float(sum(np.sum(np.real(np.conj(a) * b)) for a, b in zip(left, right, strict=True)))


def _drawn(rng: np.random.Generator, like: Any) -> Any:
    drawn = rng.normal(size=np.shape(like))
    return drawn + 1j * rng.normal(size=np.shape(like)) if np.iscomplexobj(like) else drawn


def _slope(f: Callable[..., Any], args: tuple[Any, ...], ts: list[Any]) -> list[Any]:
    """The derivative along `ts` by the central difference of fourth order."""

    def at(step: float) -> list[Any]:
        moved = f(*(x + step * t for x, t in zip(args, ts, strict=True)))
        return [np.asarray(y) for y in _listed(moved)]

    near, far = (at(STEP), at(-STEP)), (at(2 * STEP), at(-2 * STEP))
    return [(8 * (a - b) - (c - d)) / (12 * STEP) for a, b, c, d in zip(*near, *far, strict=True)]


@pytest.fixture
def differentiates(rng: np.random.Generator) -> Callable[..., None]:
    """Assert that values and derivatives of `f` at `args`, in both modes, are what NumPy's are.

    First order: jvp against differences, vjp against both through ⟨g, J t⟩ = ⟨Jᴴ g, t⟩. Second
    order: the gradient of ⟨g, f⟩ against its own differences, forward and reverse over reverse.
    """

    def check(
        f: Callable[..., Any], *args: Any, order: int = 2, tolerance: float = TOLERANCE
    ) -> None:
        everything = tuple(range(len(args)))
        for _ in range(2):
            ts = [_drawn(rng, x) for x in args]
            slope = _slope(f, args, ts)
            out, moved = cr.jvp(f, args, tuple(ts))
            for y, expected in zip(_listed(out), _listed(f(*args)), strict=True):
                np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)
            for t, expected in zip(_listed(moved), slope, strict=True):
                np.testing.assert_allclose(t, expected, rtol=tolerance, atol=tolerance)
            gs = [_drawn(rng, y) for y in _listed(out)]
            _, pull = cr.vjp(f, *args)
            pulled = list(pull(type(out)(*gs) if hasattr(out, "_fields") else _as(out, gs)))
            size = 1 + sum(float(np.sum(np.abs(g))) for g in pulled)
            assert abs(_inner(pulled, ts) - _inner(gs, slope)) <= tolerance * size
            if order == 1:
                continue

            def scalar(*xs: Any, gs: list[Any] = gs) -> Any:
                products = zip(gs, _listed(f(*xs)), strict=True)
                return sum(np.sum(np.real(np.conj(g) * y)) for g, y in products)

            gradient = cr.grad(scalar, everything)
            bend = _slope(gradient, args, ts)
            _, forward = cr.jvp(gradient, args, tuple(ts))

            def projected(*xs: Any, ts: list[Any] = ts, gradient: Any = gradient) -> Any:
                products = zip(gradient(*xs), ts, strict=True)
                return sum(np.sum(np.real(np.conj(t) * g)) for g, t in products)

            backward = cr.grad(projected, everything)(*args)
            for found in (forward, backward):
                for h, expected in zip(found, bend, strict=True):
                    scale = 1 + np.max(np.abs(expected), initial=0)
                    np.testing.assert_allclose(h, expected, rtol=0, atol=tolerance * scale)

    return check


def _as(out: Any, gs: list[Any]) -> Any:
    return type(out)(gs) if isinstance(out, tuple | list) else gs[0]
