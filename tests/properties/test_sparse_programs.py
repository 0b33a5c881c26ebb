"""Sparse and dense derivatives of random programs are the same, and so are their patterns."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings

import chainrule as cr


def test_sparse_and_dense_derivatives_of_random_programs(programs: Any) -> None:
    @settings(
        max_examples=25,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def check(program: Any) -> None:
        positions = tuple(range(len(program.point)))

        def parts(*xs: Any) -> Any:
            """Every array that the program sums up at its end, still with its entries."""
            return [w * _value(program, xs, k) for k, w in program.weights.items()]

        _same_jacobian(parts, positions, program.point)

        def f(*xs: Any) -> Any:
            return program.run(np, xs)

        got = cr.sparse_hessian(f, positions)(*program.point).toarray()
        vectors = [np.ravel(x) for x in program.point]
        ends = np.cumsum([x.size for x in program.point])[:-1]

        def flat(z: Any) -> Any:
            pieces = np.split(z, ends)
            return f(*[np.reshape(p, x.shape) for p, x in zip(pieces, program.point, strict=True)])

        expected = cr.hessian(flat)(np.concatenate(vectors))
        scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
        # both walk the same rules; only the order of sums differs
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * scale)

    check()


def _value(program: Any, xs: Any, k: int) -> Any:
    """The k-th value of the program."""
    found: list[Any] = []

    def keep(value: Any) -> Any:
        found.append(value)
        return value

    weights = {k: 1.0}
    program._replace(weights=weights).run(np, xs, keep)
    return found[-1]


def _same_jacobian(parts: Any, positions: Any, point: Any) -> None:
    got = cr.sparse_jacobian(parts, positions)(*point).toarray()
    dense = cr.jacobian(parts, positions)(*point)
    rows = [
        np.hstack(
            [
                np.reshape(block, (-1, x.size)) if np.size(block) else np.zeros((0, x.size))
                for block, x in zip(row, point, strict=True)
            ]
        )
        for row in dense
    ]
    expected = np.vstack(rows)
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * scale)
