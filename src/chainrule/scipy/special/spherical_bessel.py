"""Spherical Bessel functions and derivatives of Bessel functions, as SciPy's Python functions.

Derivatives: DLMF 10.51.1 and 10.51.2 (spherical), without division by z; 10.6.7 and 10.29.5 (the
k-th derivative of a Bessel function is a sum over its neighbours).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.graph import Traced
from chainrule.primitives.declare import Elementwise, elementwise
from chainrule.primitives.samples import case, integers, uniform
from chainrule.scipy.special.unknown import unknown

_order = unknown("the order of a spherical Bessel function")


def _slope(record: Elementwise, below: int, above: int, n: Any, z: Any) -> Any:
    """f' = (± n fₙ₋₁ ± (n + 1) fₙ₊₁) / (2n + 1)."""
    lower, higher = record(np.maximum(n - 1, 0), z), record(n + 1, z)
    return (below * n * lower + above * (n + 1) * higher) / (2 * n + 1)


def _spherical(name: str, below: int, above: int, latex: str) -> Elementwise:
    function = getattr(special, name)

    def compute(n: Any, z: Any) -> Any:
        return function(np.asarray(n).astype(np.int64), z).astype(np.asarray(z).dtype)[()]

    record = elementwise(
        name,
        compute=compute,
        partials=(_order, lambda x1, x2: _slope(record, below, above, x1, x2)),
        samples=[case(integers(0, 3, 3, 1), uniform(0.7, 4.0, 4))],
        latex=latex,
        flops=100,
    )
    return record


_jn = _spherical("spherical_jn", 1, -1, "j_{{{x1}}}({x2})")
_yn = _spherical("spherical_yn", 1, -1, "y_{{{x1}}}({x2})")
_in = _spherical("spherical_in", 1, 1, "i_{{{x1}}}({x2})")
_kn = _spherical("spherical_kn", -1, -1, "k_{{{x1}}}({x2})")


def _floating(z: Any) -> Any:
    """An array of floating numbers, traced or not."""
    if isinstance(z, Traced):
        return z
    z = np.asarray(z)
    return z.astype(float) if z.dtype.kind in "biu" else z


def spherical_jn(n: Any, z: Any, derivative: bool = False) -> Any:
    """jₙ(z), or jₙ'(z) with `derivative`; DLMF 10.47.3.

    >>> round(float(spherical_jn(0, 1.0)), 6)
    0.841471
    """
    return _either(_jn, 1, -1, n, z, derivative)


def spherical_yn(n: Any, z: Any, derivative: bool = False) -> Any:
    """yₙ(z), or yₙ'(z) with `derivative`; DLMF 10.47.4.

    >>> round(float(spherical_yn(0, 1.0)), 6)
    -0.540302
    """
    return _either(_yn, 1, -1, n, z, derivative)


def spherical_in(n: Any, z: Any, derivative: bool = False) -> Any:
    """iₙ(z), or iₙ'(z) with `derivative`; DLMF 10.47.7.

    >>> round(float(spherical_in(0, 1.0)), 6)
    1.175201
    """
    return _either(_in, 1, 1, n, z, derivative)


def spherical_kn(n: Any, z: Any, derivative: bool = False) -> Any:
    """kₙ(z), or kₙ'(z) with `derivative`; DLMF 10.47.9.

    >>> round(float(spherical_kn(0, 1.0)), 6)
    0.577864
    """
    return _either(_kn, -1, -1, n, z, derivative)


def _either(record: Elementwise, below: int, above: int, n: Any, z: Any, derivative: bool) -> Any:
    n, z = np.asarray(n), _floating(z)
    return _slope(record, below, above, n, z) if derivative else record(n, z)


def _of_order(f: Any, v: Any, z: Any, n: int, sign: int) -> Any:
    """dⁿf/dzⁿ = 2⁻ⁿ Σ (sign)ᵏ C(n, k) f_{v-n+2k}(z)."""
    if n == 0:
        return f(v, z)
    terms = [sign**k * math.comb(n, k) * f(v - n + 2 * k, z) for k in range(n + 1)]
    return sum(terms[1:], terms[0]) / 2**n


def jvp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of Jᵥ at z, DLMF 10.6.7.

    >>> round(float(jvp(0, 1.0)), 6)
    -0.440051
    """
    return _of_order(special.jv, v, z, n, -1)


def yvp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of Yᵥ at z, DLMF 10.6.7.

    >>> round(float(yvp(0, 1.0)), 6)
    0.781213
    """
    return _of_order(special.yv, v, z, n, -1)


def h1vp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of the Hankel function Hᵥ⁽¹⁾ at z, DLMF 10.6.7.

    >>> round(float(abs(h1vp(0, 1.0))), 6)
    0.896626
    """
    return _of_order(special.hankel1, v, z, n, -1)


def h2vp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of the Hankel function Hᵥ⁽²⁾ at z, DLMF 10.6.7.

    >>> round(float(abs(h2vp(0, 1.0))), 6)
    0.896626
    """
    return _of_order(special.hankel2, v, z, n, -1)


def ivp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of Iᵥ at z, DLMF 10.29.5.

    >>> round(float(ivp(0, 1.0)), 6)
    0.565159
    """
    return _of_order(special.iv, v, z, n, 1)


def kvp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of Kᵥ at z, DLMF 10.29.5.

    >>> round(float(kvp(0, 1.0)), 6)
    -0.601907
    """
    return (-1) ** n * _of_order(special.kv, v, z, n, 1)


__all__ = [
    "h1vp",
    "h2vp",
    "ivp",
    "jvp",
    "kvp",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
    "yvp",
]
