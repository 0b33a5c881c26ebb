"""Sample the posterior of a regression by Hamiltonian Monte Carlo, gradients from the model alone.

The model is linear with known noise, so the posterior is a normal distribution in closed form: what
the chain finds can be compared with it, mean and covariance.
"""

import numpy as np

import chainrule as cr

NOISE, PRIOR = 0.5, 10.0


def make_data(rng):
    x = rng.uniform(-1.0, 1.0, size=40)
    inputs = np.stack([np.ones_like(x), x, x**2], axis=1)
    return inputs, inputs @ np.array([0.5, -1.0, 2.0]) + NOISE * rng.normal(size=x.size)


def energy(w, inputs, y):
    return 0.5 * np.sum((inputs @ w - y) ** 2) / NOISE**2 + 0.5 * np.sum(w**2) / PRIOR**2


def sample(energy, start, rng, count, step=0.08):
    """Leapfrog trajectories of random length, accepted by Metropolis (R. Neal, 2011)."""
    slope = cr.value_and_grad(energy)
    q, (height, gradient) = start, slope(start)
    chain, accepted = [], 0
    for _ in range(count):
        p = rng.normal(size=q.size)
        total = height + 0.5 * p @ p
        new, g = q, gradient
        for _ in range(rng.integers(3, 15)):
            p = p - 0.5 * step * g
            new = new + step * p
            new_height, g = slope(new)
            p = p - 0.5 * step * g
        if np.log(rng.uniform()) < total - new_height - 0.5 * p @ p:
            q, height, gradient = new, new_height, g
            accepted += 1
        chain.append(q)
    return np.array(chain), accepted / count


def main():
    rng = np.random.default_rng(0)
    inputs, y = make_data(rng)
    chain, accepted = sample(lambda w: energy(w, inputs, y), np.zeros(3), rng, count=3000)
    mean, covariance = chain[200:].mean(axis=0), np.cov(chain[200:].T)
    exact = np.linalg.inv(inputs.T @ inputs / NOISE**2 + np.eye(3) / PRIOR**2)
    middle = exact @ inputs.T @ y / NOISE**2
    print("sampled mean", mean.round(3), " exact", middle.round(3))
    print("sampled std ", np.sqrt(np.diag(covariance)).round(3), " exact", end=" ")
    print(np.sqrt(np.diag(exact)).round(3), f" accepted {accepted:.0%}")
    return mean, covariance, middle, exact


if __name__ == "__main__":
    main()
