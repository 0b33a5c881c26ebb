"""Products of matrices through BLAS: every orientation, in panels, on any number of threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.native.blas import kernel_set
from chainrule.native.costs import parts_of
from chainrule.native.pool import pool, threads
from chainrule.native.products import Product, panel
from chainrule.native.program import Program
from chainrule.native.schedule import Interpreted, Schedule, schedule

CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "matrices": (lambda a, b: a @ b, ((5, 7), (7, 3))),
    "left transposed": (lambda a, b: a.T @ b, ((7, 5), (7, 3))),
    "right transposed": (lambda a, b: a @ b.T, ((5, 7), (3, 7))),
    "both transposed": (lambda a, b: a.T @ b.T, ((7, 5), (3, 7))),
    "rows of a larger matrix": (lambda a, b: a[1:4] @ b, ((5, 7), (7, 3))),
    "columns of a larger matrix": (lambda a, b: a[:, 2:5] @ b[2:5], ((5, 7), (7, 3))),
    "columns, transposed": (lambda a, b: a[:, 2:5].T @ b[:, 1:], ((5, 7), (5, 3))),
    "every second row": (lambda a, b: a[::2] @ b, ((5, 7), (7, 3))),
    "every second column": (lambda a, b: a[:, ::2] @ b, ((5, 7), (4, 3))),
    "backwards": (lambda a, b: a[::-1] @ b, ((5, 7), (7, 3))),
    "one row": (lambda a, b: a @ b, ((1, 7), (7, 3))),
    "one column": (lambda a, b: a @ b, ((5, 7), (7, 1))),
    "one number": (lambda a, b: a @ b, ((1, 7), (7, 1))),
    "an outer product": (lambda a, b: a @ b, ((5, 1), (1, 3))),
    "vectors": (lambda a, b: a @ b, ((7,), (7,))),
    "vectors with steps": (lambda a, b: a[::2] @ b[1::2], ((7,), (8,))),
    "matrix and vector": (lambda a, b: a @ b, ((5, 7), (7,))),
    "transposed matrix and vector": (lambda a, b: a.T @ b, ((7, 5), (7,))),
    "vector and matrix": (lambda a, b: a @ b, ((7,), (7, 3))),
    "vector and transposed matrix": (lambda a, b: a @ b.T, ((7,), (3, 7))),
    "matrix and column of a matrix": (lambda a, b: a @ b[:, 1], ((5, 7), (7, 3))),
    "a spread row": (lambda a, b: np.broadcast_to(a, (4, 7)) @ b, ((7,), (7, 3))),
    "batches": (lambda a, b: a @ b, ((4, 5, 7), (4, 7, 3))),
    "batches of both": (lambda a, b: a @ b, ((2, 1, 5, 7), (3, 7, 4))),
    "one right factor": (lambda a, b: a @ b, ((2, 4, 5, 7), (7, 3))),
    "one left factor": (lambda a, b: a @ b, ((5, 7), (2, 4, 7, 3))),
    "batches, transposed": (lambda a, b: a @ b.transpose(0, 2, 1), ((4, 5, 7), (4, 3, 7))),
    "batches times a vector": (lambda a, b: a @ b, ((4, 5, 7), (7,))),
    "a vector times batches": (lambda a, b: a @ b, ((7,), (4, 7, 3))),
    "batch axis last": (lambda a, b: np.moveaxis(a, 2, 0) @ b, ((5, 7, 4), (7, 3))),
    "the same matrix": (lambda a, b: (a @ a.T) @ b, ((5, 7), (5, 3))),
    "tensordot": (lambda a, b: np.tensordot(a, b, ((1, 2), (0, 2))), ((3, 4, 5), (4, 6, 5))),
    "einsum, matrices": (lambda a, b: np.einsum("ij,jk->ik", a, b), ((5, 7), (7, 3))),
    "einsum, transposed": (lambda a, b: np.einsum("ij,jk->ki", a, b), ((5, 7), (7, 3))),
    "einsum, batches": (lambda a, b: np.einsum("bij,bkj->bik", a, b), ((4, 5, 7), (4, 3, 7))),
    "einsum, batch last": (lambda a, b: np.einsum("ijb,jkb->ikb", a, b), ((5, 7, 4), (7, 3, 4))),
    "einsum, batch between": (
        lambda a, b: np.einsum("ijb,jkb->ibk", a, b),
        ((5, 7, 4), (7, 3, 4)),
    ),
    "einsum, several of each": (
        lambda a, b: np.einsum("aibj,jbk->kai", a, b),
        ((2, 3, 4, 5), (5, 4, 6)),
    ),
    "einsum, diagonal": (lambda a, b: np.einsum("ii,ij->ij", a, b), ((5, 5), (5, 3))),
    "einsum, diagonal summed": (lambda a, b: np.einsum("ii,ij->j", a, b), ((5, 5), (5, 3))),
    "einsum, entry by entry": (lambda a, b: np.einsum("ij,ij->ij", a, b), ((5, 3), (5, 3))),
    "einsum, a number": (lambda a, b: np.einsum("ij,ij->", a, b), ((5, 3), (5, 3))),
    "einsum, outer": (lambda a, b: np.einsum("i,j->ji", a, b), ((5,), (3,))),
    "einsum, axes of one": (lambda a, b: np.einsum("ij,jk->ik", a, b), ((1, 1), (1, 3))),
    "einsum, vectors and batch": (lambda a, b: np.einsum("bi,bi->b", a, b), ((4, 7), (4, 7))),
}


def _arrays(shapes: tuple[tuple[int, ...], ...], dtype: str, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def _scheduled(function: Callable[..., Any], arrays: list[Any]) -> Schedule:
    return schedule(cr.trace(function)(*arrays))


def _filled_with_nan(result: Any) -> Any:
    return np.full(result.shape, np.nan, result.dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", CASES)
def test_products_are_numpys(name: str, dtype: str) -> None:
    function, shapes = CASES[name]
    arrays = _arrays(shapes, dtype)
    program = Program(_scheduled(function, arrays))
    want = np.asarray(function(*arrays))
    out = [_filled_with_nan(want)]  # what was in memory before must not matter
    program(arrays, out)
    # two sums of at most 7 products, each rounded once
    tolerance = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(out[0], want, rtol=tolerance, atol=tolerance * 10)


COPIED = {
    *("every second column", "backwards", "a spread row", "batch axis last", "tensordot"),
    *("einsum, several of each", "einsum, batch last", "einsum, batch between"),
}


@pytest.mark.parametrize("name", CASES)
def test_products_are_calls_of_blas(name: str) -> None:
    function, shapes = CASES[name]
    steps = _scheduled(function, _arrays(shapes, "f8")).steps
    assert not any(isinstance(step, Interpreted) for step in steps)
    assert isinstance(steps[-1], Product)
    assert all(isinstance(step, Product) for step in steps) == (name not in COPIED)


@pytest.fixture
def all_threads() -> Iterator[None]:
    yield
    pool().limit(threads())


SIZES = [(128, 512, 784), (1000, 1000, 1000), (512, 512, 5000)]


@pytest.mark.usefixtures("all_threads")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("way", ["plain", "left transposed", "right transposed"])
def test_the_number_of_threads_changes_no_bit(
    size: tuple[int, int, int], dtype: str, way: str
) -> None:
    m, n, k = size
    functions: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
        "plain": (lambda a, b: a @ b, ((m, k), (k, n))),
        "left transposed": (lambda a, b: a.T @ b, ((k, m), (k, n))),
        "right transposed": (lambda a, b: a @ b.T, ((m, k), (n, k))),
    }
    function, shapes = functions[way]
    arrays = _arrays(shapes, dtype)
    planned = _scheduled(function, arrays)
    assert parts_of(planned.steps[0]) > 1  # type: ignore[arg-type]
    program = Program(planned)
    results = []
    for count in (1, 2, 3):
        pool().limit(count)
        results.append(program(arrays)[0])
    assert results[0].tobytes() == results[1].tobytes() == results[2].tobytes()
    want = function(*arrays)
    # the usual bound of a sum of k products is k·ε; rounding errors add up as their square root
    tolerance = 8 * np.sqrt(k) * np.finfo(dtype).eps
    np.testing.assert_allclose(results[0], want, rtol=tolerance, atol=tolerance * np.sqrt(k))


def _accumulating(start_shape: tuple[int, ...], a: Any, b: Any, scale: float) -> Schedule:
    """start + scale · a @ b as one product, as a pass makes it of w - lr · (hᵀ g)."""
    w = np.zeros(start_shape, a.dtype)
    planned = _scheduled(lambda a, b, w: (a @ b) + w, [a, b, w])
    product = next(step for step in planned.steps if isinstance(step, Product))
    if product.start is not None:
        return planned._replace(steps=(product._replace(scale=scale),))
    final = planned.graph.outputs[0]
    start = next(e for e in final[0].inputs if e[0] is not product.node)
    joined = product._replace(
        node=final[0],
        out_matrix=product.out_matrix._replace(base=final),
        scale=scale,
        start=start,
    )
    return planned._replace(steps=(joined,))


@pytest.mark.parametrize(
    "shapes",
    [((6, 4), (4, 5)), ((300, 40), (40, 600)), ((600, 40), (40, 20)), ((9, 4), (4,)), ((4,), (4,))],
    ids=str,
)
@pytest.mark.parametrize("donate", [False, True])
def test_a_product_is_added_to_a_start(shapes: tuple[tuple[int, ...], ...], donate: bool) -> None:
    a, b = _arrays(shapes, "f8")
    w = _arrays((np.shape(a @ b),), "f8", seed=1)[0]
    planned = _accumulating(w.shape, a, b, -0.5)
    program = Program(planned, {0: 2} if donate else {})
    before = w.copy()
    result = program([a, b, w])[0]
    np.testing.assert_allclose(result, before - 0.5 * (a @ b), rtol=1e-13, atol=1e-13)
    assert (result is w) == donate
    assert donate or (w == before).all()


def test_panels_are_of_a_size_that_only_the_shape_decides() -> None:
    a, b = _arrays(((128, 784), (784, 512)), "f4")
    step = _scheduled(lambda a, b: a @ b, [a, b]).steps[0]
    assert isinstance(step, Product)
    assert panel(step) == ("columns", 2, 256)


def test_an_empty_sum_is_zero() -> None:
    a, b = np.ones((3, 0)), np.ones((0, 2))
    assert (Program(_scheduled(lambda a, b: a @ b, [a, b]))([a, b])[0] == 0).all()


def test_the_kernels_are_chosen_by_what_the_processor_can_do() -> None:
    assert kernel_set({}) is None
    names = ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd", "avx2", "fma")
    assert kernel_set(dict.fromkeys(names, True)) == "SkylakeX"
    environment = {k: v for k, v in os.environ.items() if k != "CHAINRULE_BLAS_KERNELS"}
    program = (
        "import os; from chainrule.native.blas import blas, kernel_set;"
        "from chainrule.native.machine import machine; before = dict(os.environ);"
        "chosen = kernel_set(machine().features);"
        "assert chosen in (None, blas().kernels), (chosen, blas().kernels);"
        "assert before == dict(os.environ) and blas().kernels in blas().version"
    )
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the name is of a kernel for x86-64")
def test_the_users_choice_of_kernels_is_kept() -> None:
    program = "from chainrule.native.blas import blas; print(blas().kernels)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CHAINRULE_BLAS_KERNELS": "Haswell"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "Haswell\n"
