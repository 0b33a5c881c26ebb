"""The derivatives of the logarithm of the gamma function: ψ, ψ', ψ'' … of real and complex z.

Derivatives: ψ⁽ⁿ⁾' = ψ⁽ⁿ⁺¹⁾. SciPy computes ψ⁽ⁿ⁾ for n ≥ 1 on the real line alone; in the plane it
is computed here, by the recurrence DLMF 5.15.5 up to Re z > 16 and the expansion 5.15.9 from there.
The Hurwitz zeta function: 25.11.17.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from chainrule.graph import composition
from chainrule.primitives.declare import Elementwise, elementwise
from chainrule.primitives.samples import POSITIVE, case, integers, positive, uniform
from chainrule.scipy.special.unknown import unknown

_BERNOULLI = special.bernoulli(28)[2::2]


def _in_the_plane(n: int, z: Any) -> Any:
    """(-1)ⁿ⁺¹ n! Σ 1 / (z + k)ⁿ⁺¹; the tail from the expansion at infinity."""
    z = np.asarray(z, np.complex128)
    steps = np.maximum(np.ceil(16 - z.real), 0).astype(int)
    total = np.zeros_like(z)
    for k in range(int(np.max(steps, initial=0))):
        total += np.where(k < steps, (z + k) ** -(n + 1.0), 0)
    z = z + steps
    tail = 1 / (n * z**n) + 1 / (2 * z ** (n + 1))
    for k, b in enumerate(_BERNOULLI, start=1):
        rising = math.factorial(2 * k + n - 1) / (math.factorial(n) * math.factorial(2 * k))
        tail = tail + b * rising / z ** (2 * k + n)
    return (-1) ** (n + 1) * math.factorial(n) * (total + tail)


def _polygamma(n: Any, x: Any) -> Any:
    """ψ⁽ⁿ⁾(x) in the precision of x."""
    n, x = np.asarray(n), np.asarray(x)
    if x.dtype.kind in "biu":
        x = x.astype(np.float64)
    if x.dtype.kind != "c":
        y = special.polygamma(n.astype(np.float64), x.astype(np.float64))
        return np.asarray(y, x.dtype)[()]
    y = np.empty(np.broadcast_shapes(n.shape, x.shape), np.complex128)
    n, x = np.broadcast_arrays(n, x)
    for order in np.unique(n):
        here = n == order
        y[here] = special.psi(x[here]) if order == 0 else _in_the_plane(int(order), x[here])
    return y.astype(x.dtype)[()]


polygamma_record: Elementwise = elementwise(
    "polygamma",
    compute=_polygamma,
    partials=(
        unknown("the order of polygamma"),
        lambda x1, x2: polygamma_record(x1 + 1, x2),
    ),
    samples=[case(integers(1, 4, 4), uniform(0.5, 4.0, 3, 4)), case(2, uniform(-0.8, -0.2, 4))],
    latex=r"\psi^{{({x1})}}({x2})",
    flops=100,
)
digamma = elementwise(
    "digamma",
    numpy=special.digamma,
    partials=(lambda x: polygamma_record(1, x),),
    domain=positive,
    latex=r"\psi({x})",
    flops=50,
)
if special.psi is not special.digamma:
    composition(special.psi)(digamma)


def _hurwitz(s: Any, q: Any) -> Any:
    """ζ(s, q) in the precision of q."""
    dtype = np.result_type(np.float32, np.asarray(q).dtype)
    if dtype != np.float32:
        dtype = np.dtype(np.float64)
    return np.asarray(special.zeta(np.asarray(s, np.float64), np.asarray(q, np.float64)), dtype)[()]


_zeta_in_s = unknown("the exponent of the zeta function")
hurwitz_zeta: Elementwise = elementwise(
    "hurwitz_zeta",
    compute=_hurwitz,
    partials=(_zeta_in_s, lambda x1, x2: -x1 * hurwitz_zeta(x1 + 1, x2)),
    samples=[case(integers(2, 5, 4), uniform(*POSITIVE, 3, 4))],
    latex=r"\zeta({x1}, {x2})",
    flops=100,
)
