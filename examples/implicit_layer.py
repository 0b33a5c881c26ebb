"""An implicit layer: a network of infinite depth, z = tanh(W z + U x + b), trained by its equation.

The forward pass iterates to the fixed point; the backward pass never sees the iteration, only the
equation that holds at its end, so memory does not grow with the number of steps. Source: S. Bai,
J. Kolter, V. Koltun, Deep Equilibrium Models, 2019.
"""

import numpy as np

import chainrule as cr

HIDDEN = 8


def equation(z, p, x):
    inner = p["W"] / (1 + np.linalg.norm(p["W"]))  # shorter than 1: there is one fixed point
    return np.tanh(z @ inner + x @ p["U"] + p["b"]) - z


def iterate(p, x):
    z = np.zeros((len(x), HIDDEN))
    while np.max(np.abs(equation(z, p, x))) > 1e-10:
        z = z + equation(z, p, x)
    return z


layer = cr.implicit_root(equation, iterate, linear="iterative")


def loss(p, x, y):
    return np.mean((layer(p, x) @ p["V"] - y) ** 2)


def two_moons(count=80, seed=0):
    rng = np.random.default_rng(seed)
    angle, upper = np.pi * rng.uniform(size=count), rng.uniform(size=count) < 0.5
    side = np.where(upper, 1.0, -1.0)
    x = np.stack([side * np.cos(angle) + 0.5 * ~upper, side * np.sin(angle) + 0.3 * ~upper], 1)
    return x + 0.05 * rng.normal(size=x.shape), side


def main(steps=60):
    x, y = two_moons()
    rng = np.random.default_rng(1)
    p = {"W": 0.1 * rng.normal(size=(HIDDEN, HIDDEN)), "U": rng.normal(size=(2, HIDDEN))}
    p |= {"b": np.zeros(HIDDEN), "V": 0.1 * rng.normal(size=HIDDEN)}
    adam = cr.optim.adam(0.05)
    state = adam.init(p)
    for step in range(steps + 1):
        value, slope = cr.value_and_grad(loss)(p, x, y)
        if step % 20 == 0:
            print(f"step {step:3d}  loss {value:.4f}")
        p, state = adam.update(slope, state, p)
    accuracy = np.mean(np.sign(layer(p, x) @ p["V"]) == y)
    print(f"accuracy {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
