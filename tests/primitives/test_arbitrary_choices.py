"""What depends on an arbitrary choice of vectors has a finite derivative, and a warning."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ChoiceWarning


def weight(*shape: int) -> Any:
    return np.sin(1.0 + np.arange(np.prod(shape))).reshape(shape)


def loss_of(y: Any) -> Any:
    return np.sum(weight(*y.shape) * y)


def root(w: Any, v: Any) -> Any:
    return (v * np.sqrt(w)) @ v.T


CHOOSING: dict[str, Callable[[Any], Any]] = {
    "one of two eigenvectors": lambda a: np.linalg.eigh(a)[1][0, 0],
    "different functions of equal eigenvalues": lambda a: loss_of(
        (np.linalg.eigh(a)[1] * np.arange(3.0)) @ np.linalg.eigh(a)[1].T
    ),
    "one of two vectors of a general matrix": lambda a: loss_of(np.linalg.eig(a)[1] ** 3),
    "one of two singular vectors": lambda a: np.linalg.svd(a)[0][0, 1],
    "vectors of the singular value 0": lambda a: loss_of(
        np.linalg.svd(a * np.array([1.0, 0.0, 0.0]))[0]
    ),
}


@pytest.mark.parametrize("name", CHOOSING)
def test_what_depends_on_the_choice_is_finite_and_says_so(name: str) -> None:
    v = np.linalg.qr(weight(3, 3))[0]
    a = (v * np.array([2.0, 2.0, 5.0])) @ v.T
    with pytest.warns(ChoiceWarning, match=r"test_arbitrary_choices\.py:\d+ has equal values"):
        gradient = cr.grad(CHOOSING[name])(a)
    assert np.all(np.isfinite(gradient))
    assert np.isfinite(cr.jvp(CHOOSING[name], (a,), (weight(3, 3),))[1])


def test_second_derivatives_are_finite() -> None:
    def f(a: Any) -> Any:
        return loss_of(root(*np.linalg.eigh((a + a.T) / 2)))

    assert np.all(np.isfinite(cr.hessian(f)(np.eye(3))))
    assert np.all(np.isfinite(cr.hvp(f)(np.eye(3), weight(3, 3))))
