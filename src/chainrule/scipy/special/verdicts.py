"""What has no derivative here, and the sentence that says what to do instead."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy import special

from chainrule import errors
from chainrule.graph import Traced, composition
from chainrule.graph.node import callers_place

_SPHEROIDAL = "use its values as constants, or solve its differential equation with solve_ivp"
_NONCENTRAL = "write the distribution as a Poisson mixture of the central one"
UNSUPPORTED = {
    "itairy": "SciPy's values have six digits; integrate airy with chainrule.scipy.integrate",
    "kolmogorov": "write the alternating series 2 Σ (-1)ᵏ⁻¹ exp(-2 k² x²), which is NumPy code",
    "kolmogi": "solve for it with implicit_root on the series of kolmogorov",
    "smirnov": "write its finite sum over binomial coefficients, which is NumPy code",
    "smirnovi": "solve for it with implicit_root on the sum of smirnov",
    "zetac": "the zeta function has a derivative in q alone, zeta(x, q)",
    **dict.fromkeys(
        [n for n in special.__all__ if n.startswith(("mathieu_", "obl_", "pro_"))], _SPHEROIDAL
    ),
    **dict.fromkeys(
        [n for n in special.__all__ if n.startswith(("chndtr", "ncfdtr", "nctdtr"))], _NONCENTRAL
    ),
}
"""Why, by the name of the function."""


class Refusal:
    """The meaning of a function that has no derivative here: calling it raises."""

    def __init__(self, name: str, instead: str) -> None:
        self.name = name
        self.instead = instead

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise errors.UnsupportedError(
            f"scipy.special.{self.name} at {callers_place()} has no derivative here: "
            f"{self.instead}; or apply it to chainrule.stop_gradient(x) where no derivative is "
            "meant to pass"
        )


for _name, _instead in UNSUPPORTED.items():
    if isinstance(getattr(special, _name), np.ufunc):
        composition(getattr(special, _name))(Refusal(_name, _instead))


def of_plain_arrays(name: str) -> Any:
    """A function of SciPy's; one that cannot dispatch refuses traced arrays, with a sentence."""
    function = getattr(special, name)
    if isinstance(function, np.ufunc | type) or not callable(function):
        return function

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(value, Traced) for value in (*args, *kwargs.values())):
            instead = "write it with the functions of chainrule.scipy.special that have one"
            Refusal(name, instead)()
        return function(*args, **kwargs)

    return plain
