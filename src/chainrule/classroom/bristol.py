"""The operations of the Bristol notes: each with its forward, its backward and its Jacobian.

`linear(h, W, b)` computes, `linear.backward(g, h, W, b)` turns the gradient g of the loss with
respect to the output into one gradient per input (equation 28), and `linear.jacobian(h, W, b)`
gives all partial derivatives one by one (equation 38), in the shape of the output followed by the
shape of the input. A backward never forms a Jacobian: for `relu` of D numbers it takes D products
where the Jacobian has D². Vectors are rows; several of them on top of each other are a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.classroom.values import floating, shape_of
from chainrule.errors import NodeValueError
from chainrule.graph.node import callers_place


class Linear:
    """a = h W + b (equation 34a); for numbers a = w h + b (equation 16)."""

    def __call__(self, h: Any, W: Any, b: Any) -> Any:
        """The forward step; NodeValueError where the widths of h, W and b do not fit.

        >>> linear(np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([0.5, 0.5]))
        array([1.5, 6.5])
        """
        h, W, b = floating(h), floating(W), floating(b)
        wide, matrix, bias = shape_of(h), shape_of(W), shape_of(b)
        if matrix == bias == ():
            return W * h + b
        if len(matrix) != 2 or wide[-1:] != matrix[:1] or bias != matrix[1:]:
            raise NodeValueError(
                f"{callers_place()}: linear got h, W and b of shapes {wide}, {matrix} and {bias}. "
                "It needs (..., n), (n, m) and (m,), or numbers for W and b."
            )
        return h @ W + b

    def backward(self, upstream: Any, h: Any, W: Any, b: Any) -> tuple[Any, Any, Any]:
        """dL/dh = g Wᵀ, dL/dW = hᵀ g, dL/db = g; the last two are sums over a batch.

        Equations 66, 70 and 74. Raises NodeValueError if g has not the shape of the output.

        >>> W = np.array([[1.0, 0.0], [0.0, 3.0]])
        >>> to_h, to_W, to_b = linear.backward(np.ones(2), np.array([1.0, 2.0]), W, np.zeros(2))
        >>> to_h, to_b
        (array([1., 3.]), array([1., 1.]))
        """
        g = _checked(upstream, self(h, W, b))
        h, W = floating(h), floating(W)
        if shape_of(W) == ():
            return g * W, np.sum(g * h), np.sum(g)
        rows, upstream_rows = h.reshape(-1, W.shape[0]), g.reshape(-1, W.shape[1])
        return g @ W.T, rows.T @ upstream_rows, upstream_rows.sum(axis=0)

    def jacobian(self, h: Any, W: Any, b: Any) -> tuple[Any, Any, Any]:
        """∂aⱼ/∂hₐ = Wₐⱼ, ∂aⱼ/∂Wₐₖ = hₐ δⱼₖ and ∂aⱼ/∂bₐ = δⱼₐ (equations 56, 60 and 63).

        >>> linear.jacobian(np.array([5.0]), np.array([[2.0, 3.0]]), np.zeros(2))[0]
        array([[2.],
               [3.]])
        """
        out = shape_of(self(h, W, b))
        h, W = floating(h), floating(W)
        if shape_of(W) == ():
            return W * _identity(shape_of(h)), h, np.ones(out)[()]
        n, m = W.shape
        rows = h.reshape(-1, n)
        among_rows, among_outputs = np.eye(len(rows)), np.eye(m)
        to_h = np.einsum("rs,aj->rjsa", among_rows, W)
        to_W = np.einsum("ra,jk->rjak", rows, among_outputs)
        to_b = np.einsum("r,jk->rjk", np.ones(len(rows)), among_outputs)
        return to_h.reshape(out + h.shape), to_W.reshape(out + W.shape), to_b.reshape((*out, m))


class Relu:
    """h = a where a > 0, else 0 (equation 41). Its derivative at 0 is 0 (equation 42)."""

    def __call__(self, a: Any) -> Any:
        """The forward step. NaN stays NaN.

        >>> relu(np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 2.])
        """
        a = floating(a)
        return np.where(a <= 0, 0.0, a)[()]

    def backward(self, upstream: Any, a: Any) -> Any:
        """dL/da = Θ(a) g, entry by entry (equation 47).

        >>> relu.backward(np.array([5.0, 6.0, 7.0]), np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 7.])
        """
        return np.where(floating(a) > 0, _checked(upstream, a), 0.0)[()]

    def jacobian(self, a: Any) -> Any:
        """∂hⱼ/∂aₖ = δⱼₖ Θ(aⱼ), a diagonal matrix (equation 44).

        >>> relu.jacobian(np.array([-1.0, 2.0]))
        array([[0., 0.],
               [0., 1.]])
        """
        a = floating(a)
        return np.where(a > 0, _identity(shape_of(a)), 0.0)[()]


class SquaredError:
    """L = ½ Σᵢ (fᵢ - yᵢ)² (equations 15 and 34b)."""

    def __call__(self, f: Any, y: Any) -> Any:
        """The forward step; NodeValueError unless f and y have the same shape.

        >>> float(sqerr(np.array([3.0, 1.0]), np.array([1.0, 0.0])))
        2.5
        """
        f, y = floating(f), floating(y)
        if shape_of(f) != shape_of(y):
            raise NodeValueError(
                f"{callers_place()}: sqerr got f of shape {shape_of(f)} and y of shape "
                f"{shape_of(y)}. Give both the same shape."
            )
        return 0.5 * np.sum((f - y) ** 2)

    def backward(self, upstream: Any, f: Any, y: Any) -> tuple[Any, Any]:
        """dL/df = g (f - y) and dL/dy = -dL/df. When L is the loss itself, g is 1 (equation 31b).

        >>> sqerr.backward(1.0, np.array([3.0, 1.0]), np.array([1.0, 0.0]))
        (array([2., 1.]), array([-2., -1.]))
        """
        to_f = _checked(upstream, self(f, y)) * (floating(f) - floating(y))
        return to_f, -to_f

    def jacobian(self, f: Any, y: Any) -> tuple[Any, Any]:
        """∂L/∂fᵢ = fᵢ - yᵢ and ∂L/∂yᵢ = yᵢ - fᵢ.

        >>> sqerr.jacobian(np.array([3.0, 1.0]), np.array([1.0, 0.0]))
        (array([2., 1.]), array([-2., -1.]))
        """
        self(f, y)
        to_f = floating(f) - floating(y)
        return to_f, -to_f


linear = Linear()
relu = Relu()
sqerr = SquaredError()


def _checked(upstream: Any, output: Any) -> Any:
    """The upstream gradient, if it has the shape of the output."""
    upstream = floating(upstream)
    if shape_of(upstream) != shape_of(output):
        raise NodeValueError(
            f"{callers_place()}: the upstream gradient has shape {shape_of(upstream)} and the "
            f"output {shape_of(output)}. A gradient has the shape of what it belongs to."
        )
    return upstream


def _identity(shape: tuple[int, ...]) -> Any:
    """One where the first half of the indices equals the second half, else zero."""
    size = int(np.prod(shape))
    return np.eye(size).reshape(shape + shape)[()]
