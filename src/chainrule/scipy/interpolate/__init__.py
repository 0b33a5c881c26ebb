"""`scipy.interpolate` with derivatives: lines, cubic pieces, B-splines, grids.

Every name of `scipy.interpolate` is here; those listed in `__all__` have derivatives in the points
asked for, in the values and in the nodes, and the others refuse traced values with a sentence.
"""

from chainrule.scipy.forwarding import forwarding
from chainrule.scipy.interpolate.bsplines import BSpline, make_interp_spline
from chainrule.scipy.interpolate.cubic import (
    Akima1DInterpolator,
    CubicHermiteSpline,
    CubicSpline,
    PchipInterpolator,
)
from chainrule.scipy.interpolate.grids import RegularGridInterpolator, interp1d
from chainrule.scipy.interpolate.piecewise import PPoly

__all__ = [
    "Akima1DInterpolator",
    "BSpline",
    "CubicHermiteSpline",
    "CubicSpline",
    "PPoly",
    "PchipInterpolator",
    "RegularGridInterpolator",
    "interp1d",
    "make_interp_spline",
]

__getattr__, __dir__ = forwarding("scipy.interpolate", __all__)
