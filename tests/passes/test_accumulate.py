"""Products added to what is there: which sums become one operation, and which do not."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import interpreter
from chainrule.graph.invariants import check
from chainrule.passes.accumulate import accumulate

W, A, B = np.ones((2, 3)), np.arange(8.0).reshape(4, 2), np.arange(12.0).reshape(4, 3)


def operations(f, *args):
    graph = cr.trace(f)(*args)
    found = accumulate(graph)
    check(found)
    for got, want in zip(interpreter.run(found, *args), interpreter.run(graph, *args), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)
    return [node.primitive.name for node in found.nodes], found


@pytest.mark.parametrize(
    ("f", "scale"),
    [
        (lambda w, a, b: w - 0.1 * (a.T @ b), -0.1),
        (lambda w, a, b: w + (a.T @ b) * 3.0, 3.0),
        (lambda w, a, b: a.T @ b + w, 1.0),
    ],
)
def test_a_scaled_product_is_added(f, scale):
    names, graph = operations(f, W, A, B)
    assert names == ["transpose", "matmul_add"]
    assert graph.nodes[-1].params == {"scale": scale}


def test_of_two_products_the_second_is_added_to_the_first():
    def f(w, a, b):
        return np.tanh(a @ w + b @ w.T @ w)

    assert operations(f, W, A, B)[0] == ["matmul", "transpose", "matmul", "matmul_add", "tanh"]


@pytest.mark.parametrize(
    "f",
    [
        lambda w, a, b: a.T @ b - w,
        lambda w, a, b: w[0] + a @ w,
        lambda w, a, b: b.T.T - a @ w,
        lambda w, a, b: (lambda p: (b + p) * p)(a @ w),
        lambda w, a, b: b - a[:, :1] * (a @ w),
        lambda w, a, b: b.astype(np.float32) + a @ w,
    ],
    ids=["product less", "row", "view", "read twice", "entry by entry", "dtypes"],
)
def test_other_sums_stay(f):
    assert "matmul_add" not in operations(f, W, A, B)[0]
