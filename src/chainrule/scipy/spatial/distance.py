"""`scipy.spatial.distance` with derivatives: distances of vectors, and of all pairs of rows.

Every name of `scipy.spatial.distance` is here; those listed in `__all__` have derivatives. A
distance of 0 has derivative 0, as the norm has.

>>> import numpy as np
>>> import chainrule as cr
>>> cr.grad(lambda u: euclidean(u, np.zeros(2)))(np.array([3.0, 4.0]))
array([0.6, 0.8])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.spatial.distance as original

from chainrule.scipy.forwarding import array, double, forwarding, refused, stands_for

Metric = Callable[..., Any]


def _sqeuclidean(u: Any, v: Any, w: Any = None) -> Any:
    d = (u - v) ** 2
    return np.sum(d if w is None else w * d, axis=-1)


def _euclidean(u: Any, v: Any, w: Any = None) -> Any:
    d = u - v
    return np.linalg.norm(d if w is None else np.sqrt(w) * d, axis=-1)


def _cityblock(u: Any, v: Any, w: Any = None) -> Any:
    d = np.abs(u - v)
    return np.sum(d if w is None else w * d, axis=-1)


def _chebyshev(u: Any, v: Any, w: Any = None) -> Any:
    d = np.abs(u - v)
    return np.max(d if w is None else np.where(np.asarray(w) > 0, d, 0.0), axis=-1)


def _minkowski(u: Any, v: Any, p: Any = 2, w: Any = None) -> Any:
    d = u - v
    if w is not None:
        d = w ** (1 / p) * d
    return np.linalg.norm(d, ord=p, axis=-1)


def _correlated(u: Any, v: Any, w: Any, centred: bool) -> Any:
    weights = 1.0 / u.shape[-1] if w is None else w / np.sum(w)
    if centred:
        u = u - np.sum(weights * u, axis=-1, keepdims=True)
        v = v - np.sum(weights * v, axis=-1, keepdims=True)
    uv, uu, vv = (np.sum(weights * a * b, axis=-1) for a, b in ((u, v), (u, u), (v, v)))
    return 1.0 - uv / np.sqrt(uu * vv)


def _cosine(u: Any, v: Any, w: Any = None) -> Any:
    return _correlated(u, v, w, centred=False)


def _correlation(u: Any, v: Any, w: Any = None, centered: bool = True) -> Any:
    return _correlated(u, v, w, centred=centered)


def _canberra(u: Any, v: Any, w: Any = None) -> Any:
    total = np.abs(u) + np.abs(v)
    share = np.abs(u - v) / np.where(total == 0, 1.0, total)
    return np.sum(share if w is None else w * share, axis=-1)


def _braycurtis(u: Any, v: Any, w: Any = None) -> Any:
    weights = 1.0 if w is None else w
    up, down = np.sum(weights * np.abs(u - v), axis=-1), np.sum(weights * np.abs(u + v), axis=-1)
    return up / down


def _mahalanobis(u: Any, v: Any, VI: Any) -> Any:
    d = u - v
    return np.sqrt(np.sum(d * (d @ np.swapaxes(VI, -1, -2)), axis=-1))


_METRICS: dict[str, Metric] = {
    "braycurtis": _braycurtis,
    "canberra": _canberra,
    "chebyshev": _chebyshev,
    "cityblock": _cityblock,
    "correlation": _correlation,
    "cosine": _cosine,
    "euclidean": _euclidean,
    "mahalanobis": _mahalanobis,
    "minkowski": _minkowski,
    "sqeuclidean": _sqeuclidean,
}


def _of_vectors(name: str) -> Metric:
    """The distance of two vectors, under SciPy's name."""
    metric = _METRICS[name]

    def distance(u: Any, v: Any, *args: Any, **options: Any) -> Any:
        args = tuple(map(_option, args))
        return metric(double(u), double(v), *args, **{k: _option(o) for k, o in options.items()})

    distance.__name__ = distance.__qualname__ = name
    distance.__doc__ = f"`scipy.spatial.distance.{name}` of two vectors."
    return stands_for(getattr(original, name))(distance)


def _option(value: Any) -> Any:
    return value if value is None or np.ndim(value) == 0 else double(value)


braycurtis = _of_vectors("braycurtis")
canberra = _of_vectors("canberra")
chebyshev = _of_vectors("chebyshev")
cityblock = _of_vectors("cityblock")
correlation = _of_vectors("correlation")
cosine = _of_vectors("cosine")
euclidean = _of_vectors("euclidean")
mahalanobis = _of_vectors("mahalanobis")
minkowski = _of_vectors("minkowski")
sqeuclidean = _of_vectors("sqeuclidean")


def _metric(function: Any, metric: Any, options: dict[str, Any]) -> Metric:
    """The distance, by rows, that a name or a function asks for."""
    if callable(metric):
        raise refused(function, "with a metric that is a function; call it on the pairs of rows")
    given = {"w": options.pop("w")} if "w" in options else {}
    given |= {key: options.pop(key) for key in ("p", "VI") if key in options}
    if metric not in _METRICS or options or (metric == "mahalanobis" and "VI" not in given):
        more = f" and {', '.join(options)}" if options else ""
        raise refused(
            function, f"with metric={metric!r}{more}; use one of {', '.join(sorted(_METRICS))}"
        )
    given = {key: _option(value) for key, value in given.items()}
    return lambda u, v: _METRICS[metric](u, v, **given)


@stands_for(original.cdist)
def cdist(XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **options: Any) -> Any:
    """`scipy.spatial.distance.cdist`: the distances of all rows of XA from all rows of XB.

    >>> import chainrule as cr
    >>> points = np.array([[0.0, 0.0], [3.0, 4.0]])
    >>> cr.grad(lambda a: np.sum(cdist(a, points)))(np.array([[3.0, 0.0]]))
    array([[ 1., -1.]])
    """
    a, b = double(XA), double(XB)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError("XA and XB must have two axes, and the same number of columns")
    return _metric(original.cdist, metric, options)(a[:, None, :], b[None, :, :])


@stands_for(original.pdist)
def pdist(X: Any, metric: Any = "euclidean", *, out: Any = None, **options: Any) -> Any:
    """`scipy.spatial.distance.pdist`: the distances of all pairs of rows, in a vector."""
    x = double(X)
    first, second = np.triu_indices(x.shape[0], 1)
    return _metric(original.pdist, metric, options)(x[first], x[second])


@stands_for(original.squareform)
def squareform(X: Any, force: str = "no", checks: bool = True) -> Any:
    """`scipy.spatial.distance.squareform`: a vector of distances as a matrix, and back."""
    x = array(X)
    if x.ndim == 1 and force != "tovector":
        size = int(np.ceil(np.sqrt(2 * x.shape[0])))
        rows, columns = np.triu_indices(size, 1)
        numbers = np.zeros((size, size), int)
        numbers[rows, columns] = numbers[columns, rows] = np.arange(x.shape[0])
        return np.where(np.eye(size, dtype=bool), 0.0, x[numbers])
    if x.ndim == 2 and force != "tomatrix":
        return x[np.triu_indices(x.shape[0], 1)]
    raise ValueError("squareform takes a vector or a square matrix")


__all__ = [
    "braycurtis",
    "canberra",
    "cdist",
    "chebyshev",
    "cityblock",
    "correlation",
    "cosine",
    "euclidean",
    "mahalanobis",
    "minkowski",
    "pdist",
    "sqeuclidean",
    "squareform",
]

__getattr__, __dir__ = forwarding("scipy.spatial.distance", __all__)
