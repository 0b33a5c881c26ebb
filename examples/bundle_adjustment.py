"""Bundle adjustment: where did the cameras stand, and where are the points that they saw?

Each camera has a rotation vector (Rodrigues' formula), a position and a focal length; what it saw
are image coordinates with noise. `least_squares` gets the exact Jacobian of all reprojections with
respect to a dict of unknowns. Two cameras are known, which fixes the frame and the scale.
"""

import numpy as np

from chainrule.scipy import optimize

NOISE = 1e-3


def rotated(vectors, points):
    """Rodrigues' formula, for each camera and point; smooth at no rotation too."""
    angle = np.sqrt(np.sum(vectors**2, axis=1) + 1e-30)[:, None, None]
    axis = vectors[:, None, :] / angle
    along = np.sum(axis * points, axis=-1, keepdims=True)
    cross = np.roll(axis, -1, -1) * np.roll(points, -2, -1)
    cross = cross - np.roll(axis, -2, -1) * np.roll(points, -1, -1)
    return points * np.cos(angle) + cross * np.sin(angle) + axis * along * (1 - np.cos(angle))


def project(cameras, points):
    seen = rotated(cameras["turn"], points[None] - cameras["place"][:, None])
    return cameras["focal"][:, None, None] * seen[..., :2] / seen[..., 2:]


def scene(cameras=5, points=12, seed=0):
    rng = np.random.default_rng(seed)
    place = np.stack([np.linspace(-2, 2, cameras), np.zeros(cameras), -np.ones(cameras)], 1)
    turn = 0.1 * rng.normal(size=(cameras, 3))
    true = {"turn": turn, "place": place, "focal": 1.0 + 0.1 * rng.uniform(size=cameras)}
    return true, rng.uniform(-1, 1, (points, 3)) + np.array([0.0, 0.0, 5.0]), rng


def misfit(p, known, images):
    cameras = {name: np.concatenate([known[name], p[name]]) for name in known}
    return (project(cameras, p["points"]) - images) / NOISE


def main():
    true, points, rng = scene()
    images = project(true, points)
    images = images + NOISE * rng.normal(size=images.shape)
    known = {name: value[:2] for name, value in true.items()}
    start = {name: v[2:] + 0.1 * rng.normal(size=v[2:].shape) for name, v in true.items()}
    start["points"] = points + 0.2 * rng.normal(size=points.shape)
    before = np.sqrt(np.mean(misfit(start, known, images) ** 2))
    result = optimize.least_squares(misfit, start, x_scale="jac", args=(known, images))
    after = np.sqrt(2 * result.cost / images.size)
    error = np.max(np.abs(result.x["points"] - points))
    print(f"{result.fun.size} equations, {sum(leaf.size for leaf in start.values())} unknowns")
    print(f"misfit {before:.1f} -> {after:.2f} times the noise; points within {error:.3f}")
    return before, after, error


if __name__ == "__main__":
    main()
