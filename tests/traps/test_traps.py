"""Known traps, in first and second order and in both modes; and what IEEE 754 would give.

Roundings of at most ten operations on numbers below a thousand: 1e-12. NaN and infinities have to
stand where the row says.
"""

import importlib.util
import pathlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as cr


class Trap(NamedTuple):
    """One row. The function takes one real array, or number, and returns one number.

    source      where the NaN was reported: repository#number on GitHub
    gradient    ∇f at the point, and `strict` by IEEE 754's products, where that is another one
    second      the Hessian times a vector of ones; None: docs/conventions.md promises it finite
    """

    name: str
    source: str
    function: Callable[[Any], Any]
    point: Any
    gradient: Any
    second: Any
    strict: Any = None


def rows(name: str) -> list[Trap]:
    path = pathlib.Path(__file__).with_name(f"{name}.py")
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return [Trap(*row) for row in module.ROWS]


SUBJECTS = ("branches", "norms", "powers", "exponentials", "matrices")
TRAPS = [trap for subject in SUBJECTS for trap in rows(subject)]

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # 1/0 in the user's own code


def same(got, expected):
    expected = np.broadcast_to(np.asarray(expected, float), np.shape(got))
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def by_columns(function, x):
    """The gradient by forward mode, one direction at a time."""
    units = np.eye(np.size(x)).reshape(-1, *np.shape(x))
    slopes = [cr.jvp(function, (x,), (unit[()],))[1] for unit in units]
    return np.reshape(slopes, np.shape(x))


@pytest.fixture(params=TRAPS, ids=lambda trap: trap.name.replace(" ", "_"))
def trap(request):
    return request.param


@pytest.fixture
def point(trap):
    return np.asarray(trap.point, float)[()]


def test_first_order_in_reverse_mode(trap, point):
    same(cr.grad(trap.function)(point), trap.gradient)


def test_first_order_in_forward_mode(trap, point):
    same(by_columns(trap.function, point), trap.gradient)
    same(cr.jacobian(trap.function, mode="forward")(point), trap.gradient)


def test_second_order_in_every_mode_over_every_mode(trap, point):
    """The Hessian times a vector of ones; without an expectation it has to be finite."""
    ones = np.ones_like(point)
    gradient = cr.grad(trap.function)

    def slope(x):
        return cr.jvp(trap.function, (x,), (ones,))[1]

    products = [
        cr.grad(lambda x: np.sum(gradient(x)))(point),
        cr.jvp(gradient, (point,), (ones,))[1],
        cr.grad(slope)(point),
    ]
    for product in products:
        if trap.second is None:
            assert np.all(np.isfinite(product))
        else:
            same(product, trap.second)


def test_strict_gives_what_ieee_754_gives(trap, point):
    expected = trap.gradient if trap.strict is None else trap.strict
    same(cr.grad(trap.function, strict=True)(point), expected)
    same(cr.grad(trap.function)(point), trap.gradient)  # and it is over then


def test_the_trap_survives_vmap(trap, point):
    """Beside a harmless example, each keeps its own derivative."""
    points = np.stack([point, np.where(np.isfinite(point), point + 0.5, 1.0)])
    got = cr.vmap(cr.grad(trap.function))(points)
    same(got[0], trap.gradient)


def test_there_are_sixty_each_with_its_source():
    assert len(TRAPS) >= 60
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)
    for trap in TRAPS:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", trap.source)


def test_strict_reaches_every_transform():
    def f(x):
        return np.sum(0.0 * np.sqrt(x))

    x = np.zeros(1)
    assert np.isnan(cr.value_and_grad(f, strict=True)(x)[1]).all()
    aux = cr.value_grad_and_aux(lambda x: (f(x), None), strict=True)(x)
    assert np.isnan(aux[1]).all()
    assert np.isnan(cr.jvp(f, (x,), (np.ones(1),), strict=True)[1])
    _, pull = cr.vjp(f, x, strict=True)
    assert np.isnan(pull(1.0)[0]).all()
    assert np.isnan(cr.elementwise_grad(lambda x: 0.0 * np.sqrt(x), strict=True)(x))
    for mode in ("forward", "reverse"):
        assert np.isnan(cr.jacobian(f, mode=mode, strict=True)(x)).all()
    assert np.isnan(cr.hessian(f, strict=True)(x)).all()
    assert np.isnan(cr.hvp(f, strict=True)(x, np.ones(1))).all()
    assert not cr.vjp(f, x)[1](1.0)[0].any()
