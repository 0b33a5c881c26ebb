"""Training a small network by Newton–CG, and the curvature where it ends.

The second derivative enters by its products with vectors alone, at the cost of a few gradients
each: to the solver of the Newton step, and to Lanczos' method for the leading eigenvalues of the
Hessian. Source: J. Martens, Deep learning via Hessian-free optimization, 2010.
"""

import numpy as np

import chainrule as cr


def network(p, x):
    return np.tanh(np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]) @ p["w3"]


def loss(p, x, y):
    weight = sum(np.sum(leaf**2) for leaf in p.values())
    return np.mean((network(p, x) - y) ** 2) + 1e-5 * weight


def start(seed=0, width=8):
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.normal(size=(1, width)),
        "b1": rng.normal(size=width),
        "W2": rng.normal(size=(width, width)) / np.sqrt(width),
        "b2": np.zeros(width),
        "w3": rng.normal(size=width) / np.sqrt(width),
    }


def main():
    x = np.linspace(-2.0, 2.0, 60)[:, None]
    y = np.sin(3.0 * x[:, 0])
    counts = {}
    for method in ("Newton-CG", "CG"):
        options = {"maxiter": 60}
        result = cr.minimize(loss, start(), (x, y), method=method, options=options)
        counts[method] = result
        print(f"{method:>9}: loss {result.fun:.2e} after {result.nit} steps")
    p = counts["Newton-CG"].x
    values, _ = cr.hessian_eigenpairs(loss, 3)(p, x, y)
    print("leading eigenvalues of the Hessian:", np.round(values, 3))
    return counts, values, p, (x, y)


if __name__ == "__main__":
    main()
