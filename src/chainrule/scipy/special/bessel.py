"""Bessel functions of constant order, in z.

Derivatives: DLMF 10.6.1 (J, Y, H) and 10.29.1 (I, K); the exponentially scaled ones by the product
rule. Functions of negative order are avoided: no division by z, so z = 0 is an ordinary point.
The scales of jve, yve and ive, exp(-|Im z|) and exp(-|Re z|), are not analytic: for complex z these
three are products, which may overflow where SciPy's would not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from chainrule.graph import composition
from chainrule.primitives.declare import Elementwise, elementwise
from chainrule.primitives.samples import case, integers, uniform, with_imaginary
from chainrule.scipy.special.unknown import unknown

_order = unknown("the order of a Bessel function")
_REAL = [
    case(integers(0, 3, 4), uniform(0.7, 4.0, 3, 4)),
    case(integers(0, 3, 3, 1), uniform(0.7, 4.0, 4)),
]
_COMPLEX = [case(integers(0, 3, 4), with_imaginary(uniform(0.7, 4.0, 3, 4)))]


def _neighbours(f: Any, sign: int) -> Callable[..., Any]:
    """(f_{v-1} ± f_{v+1}) / 2."""
    if sign > 0:
        return lambda x1, x2: (f(x1 - 1, x2) + f(x1 + 1, x2)) / 2
    return lambda x1, x2: (f(x1 - 1, x2) - f(x1 + 1, x2)) / 2


def _bessel(name: str, slope: Any, latex: str, samples: Any = None, **record: Any) -> Elementwise:
    ufunc = getattr(special, name)
    samples = _REAL if samples is None else samples
    record = {"numpy": ufunc, **record}
    return elementwise(
        name, partials=(_order, slope), samples=samples, latex=latex, flops=100, **record
    )


jv = _bessel("jv", _neighbours(special.jv, -1), "J_{{{x1}}}({x2})")
yv = _bessel("yv", _neighbours(special.yv, -1), "Y_{{{x1}}}({x2})")
iv = _bessel("iv", _neighbours(special.iv, 1), "I_{{{x1}}}({x2})")
kv = _bessel(
    "kv",
    lambda x1, x2: -(special.kv(x1 - 1, x2) + special.kv(x1 + 1, x2)) / 2,
    "K_{{{x1}}}({x2})",
)
yn = _bessel(
    "yn",
    lambda x1, x2: (special.yv(np.trunc(x1) - 1, x2) - special.yv(np.trunc(x1) + 1, x2)) / 2,
    "Y_{{{x1}}}({x2})",
)
kn = _bessel(
    "kn",
    lambda x1, x2: -(special.kv(np.trunc(x1) - 1, x2) + special.kv(np.trunc(x1) + 1, x2)) / 2,
    "K_{{{x1}}}({x2})",
)
kve = _bessel(
    "kve",
    lambda x1, x2, y: y - (special.kve(x1 - 1, x2) + special.kve(x1 + 1, x2)) / 2,
    "e^{{{x2}}} K_{{{x1}}}({x2})",
)
hankel1 = _bessel("hankel1", _neighbours(special.hankel1, -1), "H^{{(1)}}_{{{x1}}}({x2})", _COMPLEX)
hankel2 = _bessel("hankel2", _neighbours(special.hankel2, -1), "H^{{(2)}}_{{{x1}}}({x2})", _COMPLEX)
hankel1e = _bessel(
    "hankel1e",
    lambda x1, x2, y: (special.hankel1e(x1 - 1, x2) - special.hankel1e(x1 + 1, x2)) / 2 - 1j * y,
    "e^{{-i {x2}}} H^{{(1)}}_{{{x1}}}({x2})",
    _COMPLEX,
)
hankel2e = _bessel(
    "hankel2e",
    lambda x1, x2, y: (special.hankel2e(x1 - 1, x2) - special.hankel2e(x1 + 1, x2)) / 2 + 1j * y,
    "e^{{i {x2}}} H^{{(2)}}_{{{x1}}}({x2})",
    _COMPLEX,
)

_jve = _bessel(
    "jve",
    lambda x1, x2: (special.jve(x1 - 1, x2) - special.jve(x1 + 1, x2)) / 2,
    "J_{{{x1}}}({x2})",
    numpy=None,
    compute=special.jve,
)
_yve = _bessel(
    "yve",
    lambda x1, x2: (special.yve(x1 - 1, x2) - special.yve(x1 + 1, x2)) / 2,
    "Y_{{{x1}}}({x2})",
    numpy=None,
    compute=special.yve,
)
_ive = _bessel(
    "ive",
    lambda x1, x2, y: (special.ive(x1 - 1, x2) + special.ive(x1 + 1, x2)) / 2 - np.sign(x2) * y,
    "e^{{-|{x2}|}} I_{{{x1}}}({x2})",
    numpy=None,
    compute=special.ive,
)


def _is_complex(z: Any) -> bool:
    return bool(np.result_type(z).kind == "c")


@composition(special.jve)
def jve(v: Any, z: Any) -> Any:
    """Jᵥ(z) exp(-|Im z|)."""
    if _is_complex(z):
        return special.jv(v, z) * np.exp(-np.abs(np.imag(z)))
    return _jve(v, z)


@composition(special.yve)
def yve(v: Any, z: Any) -> Any:
    """Yᵥ(z) exp(-|Im z|)."""
    if _is_complex(z):
        return special.yv(v, z) * np.exp(-np.abs(np.imag(z)))
    return _yve(v, z)


@composition(special.ive)
def ive(v: Any, z: Any) -> Any:
    """Iᵥ(z) exp(-|Re z|)."""
    if _is_complex(z):
        return special.iv(v, z) * np.exp(-np.abs(np.real(z)))
    return _ive(v, z)
