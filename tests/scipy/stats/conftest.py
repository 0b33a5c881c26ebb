"""One member of every family, and points inside its support."""

from typing import NamedTuple

import numpy as np
import pytest

CONTINUOUS = {
    "norm": (),
    "t": (3.3,),
    "gamma": (2.5,),
    "beta": (1.3, 2.7),
    "chi2": (3.0,),
    "expon": (),
    "weibull_min": (1.7,),
    "lognorm": (0.8,),
    "uniform": (),
    "laplace": (),
    "logistic": (),
    "cauchy": (),
    "f": (3.5, 6.0),
    "pareto": (3.1,),
    "gumbel_r": (),
    "truncnorm": (-0.5, 2.0),
    "halfnorm": (),
    "invgamma": (3.2,),
    "rayleigh": (),
    "vonmises": (2.0,),
    "skewnorm": (1.5,),
}
DISCRETE = {
    "poisson": (3.3,),
    "binom": (9.0, 0.3),
    "nbinom": (4.2, 0.4),
    "geom": (0.3,),
    "bernoulli": (0.3,),
}
WITHOUT_CDF = ("vonmises",)
WITHOUT_QUANTILES = ("vonmises", "skewnorm")
INNER = {"beta": (0.2, 0.9), "uniform": (0.2, 0.9), "pareto": (1.3, 4.0), "truncnorm": (0.3, 1.7)}


class Member(NamedTuple):
    """A distribution by name, with its shapes and two points inside, away from kinks."""

    name: str
    shapes: tuple[float, ...]

    @property
    def inner(self) -> np.ndarray:
        return np.array(INNER.get(self.name, (0.4, 1.6)))


CONTINUOUS_MEMBERS = [Member(*pair) for pair in CONTINUOUS.items()]
DISCRETE_MEMBERS = [Member(*pair) for pair in DISCRETE.items()]
KINDS = {
    "continuous": CONTINUOUS_MEMBERS,
    "with_cdf": [m for m in CONTINUOUS_MEMBERS if m.name not in WITHOUT_CDF],
    "with_quantiles": [m for m in CONTINUOUS_MEMBERS if m.name not in WITHOUT_QUANTILES],
    "discrete": DISCRETE_MEMBERS,
    "member": [m for m in (*CONTINUOUS_MEMBERS, *DISCRETE_MEMBERS) if m.name not in WITHOUT_CDF],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for kind, members in KINDS.items():
        if kind in metafunc.fixturenames:
            metafunc.parametrize(kind, members, ids=[m.name for m in members])


@pytest.fixture
def members() -> dict[str, Member]:
    return {m.name: m for m in (*CONTINUOUS_MEMBERS, *DISCRETE_MEMBERS)}
