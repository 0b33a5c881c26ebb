"""Principal components by the gradient of an eigenvalue.

The variance of data along its main axis is the largest eigenvalue of the covariance S. Its gradient
with respect to S is v vᵀ: the eigenvector, without asking for one. And with respect to the data it
says which points stretch the axis: 2/n (x·v) v for a centred point x.
"""

import numpy as np

import chainrule as cr


def observe(count=300, seed=0):
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    return rng.normal(size=(count, 4)) * np.array([3.0, 1.5, 0.5, 0.2]) @ axes.T


def covariance(x):
    centred = x - np.mean(x, axis=0)
    return centred.T @ centred / len(x)


def largest(matrix):
    return np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1]  # it reads one triangle only


def main():
    x = observe()
    matrix = covariance(x)
    projector = cr.grad(largest)(matrix)
    variance = np.sum(projector * matrix)
    print(f"variance along the main axis {variance:.4f}, largest eigenvalue {largest(matrix):.4f}")
    axis = projector[:, 0] / np.sqrt(projector[0, 0])
    print("the axis, from the gradient:", np.round(axis, 4))
    pull = cr.grad(lambda x: largest(covariance(x)))(x)
    strongest = np.argmax(np.linalg.norm(pull, axis=1))
    print(f"point {strongest} stretches it most, by {np.linalg.norm(pull[strongest]):.4f} per unit")
    return x, axis, pull


if __name__ == "__main__":
    main()
