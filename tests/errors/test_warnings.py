"""NumPy's warnings inside a differentiated function come from the user's line."""

import inspect
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

ZERO = np.zeros(2)


def logarithm(x):
    return np.sum(np.log(x))  # <-


def quotient(x):
    y = 1.0 + x
    return np.sum(y / x)  # <-


def power(x):
    return np.sum(x**-1.0)  # <-


def composed(x):
    return np.sum(np.nan_to_num(np.log(x)))  # <-


@pytest.mark.parametrize("mode", ["reverse", "forward", "recorded", "nested"])
@pytest.mark.parametrize("program", [logarithm, quotient, power, composed])
def test_the_line_of_a_warning(program, mode, place_of):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if mode == "reverse":
            cr.vjp(program, ZERO)
        elif mode == "forward":
            cr.jvp(program, (ZERO,), (ZERO,))
        elif mode == "recorded":
            cr.trace(program)(ZERO)
        else:
            cr.grad(lambda x: np.sum(cr.grad(program)(x)))(ZERO)
    places = {f"{Path(w.filename).name}:{w.lineno}" for w in caught}
    assert places == {place_of(program)}
    assert all(issubclass(w.category, RuntimeWarning) for w in caught)
    assert "divide by zero encountered in" in str(caught[0].message)


def test_every_line_is_told_once_and_not_one_for_all():
    def two(x):
        y = np.log(x)
        return np.sum(y) + np.sum(np.log(x))

    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        warnings.simplefilter("default")
        for _ in range(3):
            cr.grad(two)(ZERO)
    start = inspect.getsourcelines(two)[1]
    assert sorted(w.lineno - start for w in caught) == [1, 2]


def test_filters_of_the_user_hold():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with np.errstate(divide="ignore"):
            cr.grad(logarithm)(ZERO)
    assert not caught
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="divide by zero"):
            cr.grad(logarithm)(ZERO)


def test_what_shows_warnings_is_as_before():
    before = warnings.showwarning

    def f(x):
        assert warnings.showwarning != before
        with pytest.raises(ZeroDivisionError):
            cr.grad(lambda y: 1 / 0 * y)(1.0)
        return np.sum(x)

    cr.grad(f)(ZERO)
    threads = [threading.Thread(target=cr.grad(f), args=(ZERO,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.showwarning == before
