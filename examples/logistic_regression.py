"""Logistic regression by Newton–CG, and how the fit moves when one observation does.

`minimize` hands SciPy the gradient and Hessian-vector products of a loss over a dict of arrays.
The fit is then a differentiable function of its data: the derivative of a prediction with respect
to the weight of each observation (its influence) comes from the equations of the minimum, without
fitting again.
"""

import numpy as np

import chainrule as cr

TRUE_WEIGHTS, TRUE_BIAS, RIDGE = np.array([1.5, -2.0, 0.5]), 0.3, 1e-2


def observe(count=2000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3))
    chance = 1 / (1 + np.exp(-(x @ TRUE_WEIGHTS + TRUE_BIAS)))
    return x, (rng.uniform(size=count) < chance).astype(float)


def loss(p, x, y, importance):
    logits = x @ p["weights"] + p["bias"]
    misfit = np.logaddexp(0.0, logits) - y * logits
    return np.sum(importance * misfit) + RIDGE * np.sum(p["weights"] ** 2)


def fit(x, y, importance):
    start = {"weights": np.zeros(x.shape[1]), "bias": 0.0}
    return cr.minimize(loss, start, (x, y, importance), method="Newton-CG", tol=1e-10)


def prediction(importance, x, y, at):
    p = fit(x, y, importance).x
    return 1 / (1 + np.exp(-(at @ p["weights"] + p["bias"])))


def main():
    x, y = observe()
    everyone = np.ones(len(y))
    result = fit(x, y, everyone)
    print("weights", np.round(result.x["weights"], 3), "bias", np.round(result.x["bias"], 3))
    print(f"{result.nfev} values with gradients, {result.nhev} Hessian-vector products")
    at = np.array([0.5, 0.5, 0.5])
    influence = cr.grad(prediction)(everyone, x, y, at)
    most = np.argmax(np.abs(influence))
    without = everyone.copy()
    without[most] = 0.0
    change = prediction(without, x, y, at) - prediction(everyone, x, y, at)
    print(f"leaving out observation {most}: {-influence[most]:+.5f} foretold, {change:+.5f} found")
    return result, influence[most], change


if __name__ == "__main__":
    main()
