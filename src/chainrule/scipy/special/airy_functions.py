"""Airy and Kelvin functions, with the derivatives that SciPy returns beside them.

Derivatives: DLMF 9.2.1 (Ai'' = z Ai), 10.61.3 (Kelvin's equation). A function whose derivative is
another output takes it from there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from chainrule import errors
from chainrule.graph import composition
from chainrule.graph.node import callers_place
from chainrule.primitives.batching import entrywise
from chainrule.primitives.declare import Elementwise, elementwise, primitive
from chainrule.primitives.samples import case, domain, normal, uniform

airy = primitive(
    "airy",
    batch=entrywise,
    numpy=special.airy,
    jvp=(
        lambda t, y2: y2 * t,
        lambda t, x, y1: x * y1 * t,
        lambda t, y4: y4 * t,
        lambda t, x, y3: x * y3 * t,
    ),
    outputs=4,
    samples=[case(normal(3, 4)), case(normal())],
    latex=r"\operatorname{{Ai}}, \operatorname{{Ai}}', \operatorname{{Bi}}, "
    r"\operatorname{{Bi}}'({x})",
    flops=150,
)


def _root(x: Any) -> Any:
    """√x where x > 0: d/dx of the scale ⅔ x^(3/2); negative x are not scaled."""
    return np.sqrt(np.maximum(x, 0))


def _airye(x: Any) -> Any:
    if np.asarray(x).dtype.kind == "c":
        raise TypeError("the scaled Airy functions are differentiated for real numbers only")
    return special.airye(x)


scaled_airy = primitive(
    "scaled_airy",
    batch=entrywise,
    compute=_airye,
    jvp=(
        lambda t, x, y1, y2: (y2 + _root(x) * y1) * t,
        lambda t, x, y1, y2: (x * y1 + _root(x) * y2) * t,
        lambda t, x, y3, y4: (y4 - _root(x) * y3) * t,
        lambda t, x, y3, y4: (x * y3 - _root(x) * y4) * t,
    ),
    outputs=4,
    samples=[case(uniform(0.3, 4.0, 3, 4)), case(uniform(0.3, 4.0))],
    latex=r"\operatorname{{Ai}}, \operatorname{{Ai}}', \operatorname{{Bi}}, "
    r"\operatorname{{Bi}}'({x}) \text{{ scaled}}",
    flops=150,
)


@composition(special.airye)
def airye(z: Any) -> Any:
    """The scaled Airy functions of real z; NaN from SciPy for the first two where z < 0."""
    if np.result_type(z).kind == "c":
        raise errors.UnsupportedError(
            f"airye of a complex number at {callers_place()} has no derivative: its scale "
            "exp(-|Re ζ|) is not analytic; use airy"
        )
    return scaled_airy(z)


def _kelvin(name: str, slope: Any, latex: str) -> Elementwise:
    return elementwise(
        name,
        numpy=getattr(special, name),
        partials=(slope,),
        domain=domain((0.7, 4.0)),
        latex=latex,
        flops=80,
    )


def _over(y: Any, x: Any, limit: float) -> Any:
    """y / x, with its limit at x = 0."""
    return np.where(x == 0, limit, y / np.where(x == 0, 1, x))


ber = _kelvin("ber", lambda x: special.berp(x), r"\operatorname{{ber}} {x}")
bei = _kelvin("bei", lambda x: special.beip(x), r"\operatorname{{bei}} {x}")
ker = _kelvin("ker", lambda x: special.kerp(x), r"\operatorname{{ker}} {x}")
kei = _kelvin("kei", lambda x: special.keip(x), r"\operatorname{{kei}} {x}")
berp = _kelvin(
    "berp", lambda x, y: -special.bei(x) - _over(y, x, 0.0), r"\operatorname{{ber}}' {x}"
)
beip = _kelvin("beip", lambda x, y: special.ber(x) - _over(y, x, 0.5), r"\operatorname{{bei}}' {x}")
kerp = _kelvin("kerp", lambda x, y: -special.kei(x) - y / x, r"\operatorname{{ker}}' {x}")
keip = _kelvin("keip", lambda x, y: special.ker(x) - y / x, r"\operatorname{{kei}}' {x}")
kelvin = primitive(
    "kelvin",
    batch=entrywise,
    numpy=special.kelvin,
    jvp=(
        lambda t, y3: y3 * t,
        lambda t, y4: y4 * t,
        lambda t, x, y1, y3: (1j * y1 - y3 / x) * t,
        lambda t, x, y2, y4: (1j * y2 - y4 / x) * t,
    ),
    outputs=4,
    samples=[case(uniform(0.7, 4.0, 3, 4))],
    latex=r"\operatorname{{Be}}, \operatorname{{Ke}}, \operatorname{{Be}}', "
    r"\operatorname{{Ke}}'({x})",
    flops=300,
)
