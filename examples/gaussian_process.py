"""Gaussian-process regression: hyperparameters by the gradient of the evidence, through Cholesky.

log p(y) = −½ yᵀ K⁻¹ y − Σ log Lᵢᵢ − (n/2) log 2π with K = L Lᵀ. Source: C. Rasmussen, C. Williams,
Gaussian Processes for Machine Learning, section 5.4.1, whose closed-form gradient the last line
compares with.
"""

import numpy as np

import chainrule as cr


def observe(count=60, seed=0):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0.0, 6.0, count))
    return x, np.sin(2.0 * x) + 0.1 * rng.normal(size=count)


def covariance(log_p, x, z):
    length, height = np.exp(log_p["length"]), np.exp(log_p["height"])
    return height**2 * np.exp(-0.5 * ((x[:, None] - z[None, :]) / length) ** 2)


def with_noise(log_p, x):
    return covariance(log_p, x, x) + np.exp(2 * log_p["noise"]) * np.eye(len(x))


def negative_evidence(log_p, x, y):
    lower = np.linalg.cholesky(with_noise(log_p, x))
    white = np.linalg.solve(lower, y)
    return 0.5 * white @ white + np.sum(np.log(np.diagonal(lower))) + len(x) / 2 * np.log(2 * np.pi)


def predict(log_p, x, y, at):
    return covariance(log_p, at, x) @ np.linalg.solve(with_noise(log_p, x), y)


def textbook_slope(log_p, x, y):
    """Equation 5.9: ½ tr((K⁻¹ − a aᵀ) ∂K/∂p), a = K⁻¹ y, for the noise: ∂K/∂p = 2 σ² I."""
    inverse = np.linalg.inv(with_noise(log_p, x))
    a = inverse @ y
    return np.trace(inverse - np.outer(a, a)) * np.exp(2 * log_p["noise"])


def main():
    x, y = observe()
    start = {"length": 0.0, "height": 0.0, "noise": -1.0}
    slope = cr.grad(negative_evidence)(start, x, y)["noise"]
    result = cr.minimize(negative_evidence, start, (x, y), method="BFGS")
    found = {name: float(np.exp(value)) for name, value in result.x.items()}
    print("found", {name: round(value, 3) for name, value in found.items()}, "noise was 0.1")
    at = np.linspace(0.5, 5.5, 50)
    error = np.max(np.abs(predict(result.x, x, y, at) - np.sin(2.0 * at)))
    print(f"largest error of the prediction: {error:.3f}")
    print(f"slope along log noise: {slope:.9f}, by the textbook {textbook_slope(start, x, y):.9f}")
    return found, error, (slope, textbook_slope(start, x, y))


if __name__ == "__main__":
    main()
