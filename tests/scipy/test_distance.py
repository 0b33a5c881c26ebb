"""Distances: SciPy's values for every metric and weight, and their derivatives."""

import numpy as np
import pytest
import scipy.spatial.distance

from chainrule import errors, grad
from chainrule.scipy.spatial import distance

METRICS = {
    "braycurtis": {},
    "canberra": {},
    "chebyshev": {},
    "cityblock": {},
    "correlation": {},
    "cosine": {},
    "euclidean": {},
    "minkowski": {"p": 3},
    "sqeuclidean": {},
}
WEIGHTS = np.array([0.5, 1.0, 2.0])


@pytest.mark.parametrize("metric", METRICS)
def test_vectors(agrees, rng, metric):
    u, v = rng.normal(size=(2, 3))
    ours, theirs = getattr(distance, metric), getattr(scipy.spatial.distance, metric)
    for options in (METRICS[metric], {**METRICS[metric], "w": WEIGHTS}):
        agrees(ours, theirs, u, v, **options)


@pytest.mark.parametrize("metric", METRICS)
def test_pairs_of_rows(agrees, rng, metric):
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(2, 3))
    options = {"metric": metric, **METRICS[metric]}
    agrees(distance.cdist, scipy.spatial.distance.cdist, a, b, **options)
    agrees(distance.pdist, scipy.spatial.distance.pdist, a, **options)


def test_mahalanobis(agrees, rng):
    root = rng.normal(size=(3, 3))
    inverse = root @ root.T + np.eye(3)
    u, v = rng.normal(size=(2, 3))
    agrees(distance.mahalanobis, scipy.spatial.distance.mahalanobis, u, v, inverse)
    options = {"metric": "mahalanobis", "VI": inverse}
    agrees(distance.pdist, scipy.spatial.distance.pdist, rng.normal(size=(4, 3)), **options)


def test_matrices_of_distances(agrees, rng):
    vector = rng.uniform(size=6)
    theirs = scipy.spatial.distance.squareform
    agrees(distance.squareform, theirs, vector)

    def there_and_back(square):
        return lambda v: square(2 * square(v), checks=False)

    agrees(there_and_back(distance.squareform), there_and_back(theirs), vector)


def test_points_that_fall_together_have_derivative_zero():
    points = np.array([[0.0, 1.0], [0.0, 1.0], [3.0, 5.0]])
    g = grad(lambda x: np.sum(distance.pdist(x)))(points)
    np.testing.assert_allclose(g, [[-0.6, -0.8], [-0.6, -0.8], [1.2, 1.6]])


def test_what_is_refused(rng):
    x = rng.normal(size=(3, 2))
    with pytest.raises(errors.UnsupportedError, match="with metric='jaccard'; use one of"):
        grad(lambda x: np.sum(distance.pdist(x, "jaccard")))(x)
    with pytest.raises(errors.UnsupportedError, match="a metric that is a function"):
        grad(lambda x: np.sum(distance.cdist(x, x, lambda u, v: u @ v)))(x)
    with pytest.raises(errors.UnsupportedError, match=r"distance\.jensenshannon at"):
        grad(lambda x: distance.jensenshannon(x[0], x[1]))(np.abs(x))
    with pytest.raises(errors.ShapeError, match="columns"):
        grad(lambda x: np.sum(distance.cdist(x, np.ones((2, 5)))))(x)
