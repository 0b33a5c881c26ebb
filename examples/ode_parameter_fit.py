"""Fit the four rates of a predator-prey model to noisy counts, with their standard errors.

The model is solved by SciPy's adaptive DOP853; the derivative of the solution that it computed, by
every rate, is exact, so least squares converges in a few steps and the errors can be trusted.
"""

import numpy as np
from scipy.optimize import least_squares

import chainrule as cr
from chainrule.scipy.integrate import solve_ivp

TRUE_RATES = np.array([1.0, 0.1, 1.5, 0.075])
TIMES = np.linspace(0.5, 12.0, 24)
NOISE = 0.02


def counts(rates):
    """Prey and predators at TIMES; the model is written for logarithms, which stay positive."""
    birth, hunted, death, fed = rates

    def growth(t, log_y):
        prey, predators = np.exp(log_y[0]), np.exp(log_y[1])
        return np.stack([birth - hunted * predators, fed * prey - death])

    start = np.log([10.0, 5.0])
    return solve_ivp(growth, (0.0, 12.0), start, method="DOP853", t_eval=TIMES, rtol=1e-8).y


def misfit(rates, measured):
    return np.ravel(counts(rates) - measured) / NOISE


def main():
    rng = np.random.default_rng(4)
    measured = counts(TRUE_RATES) + NOISE * rng.normal(size=(2, TIMES.size))
    fit = least_squares(misfit, x0=0.8 * TRUE_RATES, jac=cr.jacobian(misfit), args=(measured,))
    errors = np.sqrt(np.diag(np.linalg.inv(fit.jac.T @ fit.jac)))
    for name, true, found, error in zip(
        ("birth", "hunted", "death", "fed"), TRUE_RATES, fit.x, errors, strict=True
    ):
        print(f"{name:>7}: {found:.4f} ± {error:.4f}   (true {true})")
    print(f"misfit per measurement {2 * fit.cost / measured.size:.2f}, {fit.njev} Jacobians")
    return fit.x, errors, 2 * fit.cost / measured.size


if __name__ == "__main__":
    main()
