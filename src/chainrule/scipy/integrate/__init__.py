"""`scipy.integrate` with derivatives: differential equations, quadrature, sampled integrals.

Every name of `scipy.integrate` is here. On plain values it is SciPy's own; with traced ones the
functions listed in `__all__` have derivatives, and the others refuse.
"""

from chainrule.scipy.forwarding import forwarding
from chainrule.scipy.integrate.initial_values import odeint, solve_ivp
from chainrule.scipy.integrate.quadrature import dblquad, fixed_quad, quad, quad_vec
from chainrule.scipy.integrate.sampled import (
    cumulative_simpson,
    cumulative_trapezoid,
    romb,
    simpson,
    trapezoid,
)

__all__ = [
    "cumulative_simpson",
    "cumulative_trapezoid",
    "dblquad",
    "fixed_quad",
    "odeint",
    "quad",
    "quad_vec",
    "romb",
    "simpson",
    "solve_ivp",
    "trapezoid",
]

__getattr__, __dir__ = forwarding("scipy.integrate", __all__)
