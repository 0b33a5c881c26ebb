"""Learn how noisy a track and its sensor are: maximum likelihood through a Kalman filter.

A car moves with a slowly changing speed; its place is measured. The filter gives the likelihood of
the measurements, one update at a time, and its gradient and Hessian give the two noise levels with
their standard errors.
"""

import numpy as np
from scipy.optimize import minimize

import chainrule as cr

STEP, COUNT = 0.5, 200
MOTION = np.array([[1.0, STEP], [0.0, 1.0]])
SHAKE = np.array([[STEP**3 / 3, STEP**2 / 2], [STEP**2 / 2, STEP]])
TRUE = np.array([0.3, 0.8])  # of the acceleration, of the sensor


def simulate(rng):
    state, root, places = np.zeros(2), np.linalg.cholesky(SHAKE), []
    for _ in range(COUNT):
        state = MOTION @ state + TRUE[0] * (root @ rng.normal(size=2))
        places.append(state[0] + TRUE[1] * rng.normal())
    return np.array(places)


def negative_log_likelihood(log_levels, places):
    """-log p(places): each is predicted from all before it.

    Source: R. Shumway, D. Stoffer, Time Series Analysis and Its Applications, section 6.3.
    """
    shake, noise = np.exp(2 * log_levels[0]), np.exp(2 * log_levels[1])
    mean, covariance, total = np.zeros(2), np.zeros((2, 2)), 0.0
    for place in places:
        mean, covariance = MOTION @ mean, MOTION @ covariance @ MOTION.T + shake * SHAKE
        surprise, variance = place - mean[0], covariance[0, 0] + noise
        total = total + 0.5 * (np.log(2 * np.pi * variance) + surprise**2 / variance)
        gain = covariance[:, 0] / variance
        mean, covariance = mean + gain * surprise, covariance - np.outer(gain, covariance[0])
    return total


def main():
    places = simulate(np.random.default_rng(2))
    slope = cr.value_and_grad(lambda p: negative_log_likelihood(p, places))
    fit = minimize(slope, np.log([1.0, 1.0]), jac=True, method="BFGS")
    curvature = cr.hessian(lambda p: negative_log_likelihood(p, places))(fit.x)
    levels = np.exp(fit.x)
    errors = levels * np.sqrt(np.diag(np.linalg.inv(curvature)))
    for name, level, error, true in zip(("shake", "noise"), levels, errors, TRUE, strict=True):
        print(f"{name}: {level:.3f} ± {error:.3f}   (true {true})")
    return levels, errors, fit.x, places


if __name__ == "__main__":
    main()
