"""scipy.optimize with exact derivatives: those that solvers use, and those of what they find.

SciPy's signatures and results. Functions are given to the solver with exact gradients, Jacobians
and Hessians, so `jac`, `hess` and `fprime` are left out. Where `args`, bounds, data, or what the
functions close over is being differentiated, the solution is too, by the implicit function theorem
and not through the solver's steps; the rest of a result (counts, messages, `jac`) is plain.

>>> import numpy as np
>>> import chainrule as cr
>>> from chainrule.scipy import optimize
>>> kepler = lambda x, e, m: x - e * np.sin(x) - m
>>> slope = cr.grad(lambda e: optimize.brentq(kepler, 0.0, 4.0, (e, 1.0)))(0.5)
>>> x = optimize.brentq(kepler, 0.0, 4.0, (0.5, 1.0))
>>> bool(np.isclose(slope, np.sin(x) / (1 - 0.5 * np.cos(x)), rtol=1e-9))
True
"""

from chainrule.scipy.optimize.fits import curve_fit, least_squares, lsq_linear, nnls
from chainrule.scipy.optimize.minima import (
    basinhopping,
    differential_evolution,
    direct,
    dual_annealing,
    minimize_scalar,
    shgo,
)
from chainrule.scipy.optimize.programs import linear_sum_assignment, linprog, milp
from chainrule.scipy.optimize.roots import (
    bisect,
    brenth,
    brentq,
    fixed_point,
    newton,
    ridder,
    root,
    root_scalar,
    toms748,
)
from chainrule.transforms.minimize import minimize

__all__ = [
    "basinhopping",
    "bisect",
    "brenth",
    "brentq",
    "curve_fit",
    "differential_evolution",
    "direct",
    "dual_annealing",
    "fixed_point",
    "least_squares",
    "linear_sum_assignment",
    "linprog",
    "lsq_linear",
    "milp",
    "minimize",
    "minimize_scalar",
    "newton",
    "nnls",
    "ridder",
    "root",
    "root_scalar",
    "shgo",
    "toms748",
]
