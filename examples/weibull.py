"""Maximum likelihood with standard errors: how long do parts last, and how sure are we?

Lifetimes follow a Weibull law, f(t) = (k/s) (t/s)^(k−1) exp(−(t/s)^k); a part that still runs when
the test ends contributes its chance to survive so long. The likelihood is plain NumPy. Its Hessian
at the maximum is the information matrix, whose inverse holds the squared standard errors; those
of the median follow from its gradient (the delta method).
"""

import numpy as np

import chainrule as cr

TRUE_SHAPE, TRUE_SCALE, END_OF_TEST = 1.8, 1000.0, 1500.0


def observe(count=2000, seed=0):
    lifetimes = TRUE_SCALE * np.random.default_rng(seed).weibull(TRUE_SHAPE, count)
    return np.minimum(lifetimes, END_OF_TEST), lifetimes < END_OF_TEST


def negative_log_likelihood(p, times, failed):
    log_shape, log_scale = p  # logarithms, so that every p is a possible law
    shape = np.exp(log_shape)
    z = (np.log(times) - log_scale) * shape
    log_density = log_shape - np.log(times) + z
    return np.sum(np.exp(z)) - np.sum(np.where(failed, log_density, 0.0))


def median(p):
    return np.exp(p[1]) * np.log(2.0) ** np.exp(-p[0])


def fit(times, failed):
    """Logarithms of shape and scale, and their covariance."""
    result = cr.minimize(
        negative_log_likelihood, np.array([0.0, 6.0]), (times, failed), method="trust-exact"
    )
    information = cr.hessian(negative_log_likelihood)(result.x, times, failed)
    return result.x, np.linalg.inv(information)


def main():
    times, failed = observe()
    p, covariance = fit(times, failed)
    slope = cr.grad(median)(p)
    found = {
        "shape": (np.exp(p[0]), np.exp(p[0]) * np.sqrt(covariance[0, 0])),
        "scale": (np.exp(p[1]), np.exp(p[1]) * np.sqrt(covariance[1, 1])),
        "median": (median(p), np.sqrt(slope @ covariance @ slope)),
    }
    print(f"{len(times)} parts, {np.sum(~failed)} of them still running at the end")
    for name, (value, error) in found.items():
        print(f"{name:>7} {value:9.3f} ± {error:.3f}")
    return found


if __name__ == "__main__":
    main()
