"""Which entries of an input the entries of a result depend on, operation by operation.

A link is a sequence of sparse truth matrices: the pattern of the result is that of the input
multiplied by them in turn, where a sum is an "or". It may say too much (then zeros are computed),
never too little. What a link says follows from the form of the primitive:

    elementwise      an entry depends on the entries that broadcasting lays beside it
    linear           the operation itself is run on positions; one that only moves entries says
                     where each came from, its transpose where each goes to
    sparse products  the entries of the matrix
    multilinear      the pairs that the sum of products visits; a constant factor 0 is left out
    reductions       `keepdims` among the parameters: the entries along the reduced axes
    along one axis   an integer `axis` and a result of the same shape: the entries along that axis
    all others       every entry depends on every entry
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from chainrule.graph import Node, Spec, is_inexact, registry, spec_of
from chainrule.primitives.fit import fit_cotangent
from chainrule.transforms.sparse.products import product_pairs

Matrix = Any
Link = tuple[Matrix, ...]
SAME: Link = ()
"""The link of entries that depend on those in the same position."""

_CHECKS = 3
_EXACT_BITS = 23  # whole numbers of this length are exact in float32
_MATERIALISED = 2**16  # entries of a linear map that is written out as a matrix, column by column
_MATERIALISED_INPUTS = 256


class Operands(NamedTuple):
    """One recorded operation: its node, input values, and which inputs depend on the variables."""

    node: Node
    values: tuple[Any, ...]
    varies: tuple[bool, ...]

    def input(self, i: int) -> Spec:
        return spec_of(self.values[i])

    @property
    def ours(self) -> bool:
        """Whether the registry knows the record, so that its parameters mean what they say."""
        return self.node.primitive in registry


def link(operands: Operands, i: int, o: int) -> Link:
    """How output `o` depends on input `i`."""
    node = operands.node
    form, result = node.primitive.form, node.outputs[o]
    spec = operands.input(i)
    entrywise = operands.ours and node.primitive.name in ("chain_product", "where")
    if form == "elementwise" or entrywise:
        return _broadcast(spec.shape, result.shape)
    if form == "multilinear" and operands.ours:
        pairs = product_pairs(node, operands.values, operands.varies, i)
        if pairs is not None:
            return (matrix(*pairs, _size(result), _size(spec)),)
    if operands.ours and node.primitive.name == "sparse_product":
        return (_sparse_product(node.params["matrix"], spec),)
    if form in ("linear", "multilinear"):
        found = _linear(operands, i, o)
        if found is not None:
            return found
    if operands.ours:
        return _along_axes(node, i, spec, result) or everything(spec, result)
    return everything(spec, result)


def _size(spec: Spec) -> int:
    return int(np.prod(spec.shape, dtype=int))


def matrix(rows: Any, columns: Any, height: int, width: int) -> Matrix:
    """The truth matrix with these entries."""
    return sparse.csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(height, width))


def everything(spec: Spec, result: Spec) -> Link:
    """Every entry of the result depends on every entry of the input, through one union."""
    n, m = _size(spec), _size(result)
    union = matrix(np.zeros(n, int), np.arange(n), 1, n)
    return union, matrix(np.arange(m), np.zeros(m, int), m, 1)


def _broadcast(shape: tuple[int, ...], to: tuple[int, ...]) -> Link:
    if shape == to:
        return SAME
    size = int(np.prod(shape, dtype=int))
    columns = np.broadcast_to(np.arange(size).reshape(shape), to).reshape(-1)
    return (matrix(np.arange(columns.size), columns, columns.size, size),)


def _sparse_product(factor: Any, spec: Spec) -> Matrix:
    """The link of A @ x: the entries of A that are not 0, once for each column of x."""
    entries = sparse.csr_array(factor) != 0
    columns = spec.shape[1] if len(spec.shape) > 1 else 1
    return entries if columns == 1 else sparse.kron(entries, np.eye(columns, dtype=bool), "csr")


def _along_axes(node: Node, i: int, spec: Spec, result: Spec) -> Link | None:
    """Reductions, and what acts along one axis, as the parameters of NumPy's functions say it."""
    axis = node.params.get("axis")
    reduces = "keepdims" in node.params
    if i or not (reduces or (type(axis) is int and spec.shape == result.shape and spec.ndim)):
        return None
    axes = range(spec.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = {a % spec.ndim for a in axes} if spec.ndim else set()
    groups = [1 if a in gone else n for a, n in enumerate(spec.shape)]
    count = int(np.prod(groups, dtype=int))
    if reduces and count != _size(result):
        return None
    rows = np.broadcast_to(np.arange(count).reshape(groups), spec.shape).reshape(-1)
    union = matrix(rows, np.arange(rows.size), count, rows.size)
    return (union,) if reduces else (union, union.T.tocsr())


def _linear(operands: Operands, i: int, o: int) -> Link | None:
    """The link of an operation that is linear in input `i`, found by running it."""
    node, spec, result = operands.node, operands.input(i), operands.node.outputs[o]
    n, m = _size(spec), _size(result)
    if not n or not m:
        return (matrix([], [], m, n),)

    def forward(v: Any) -> Any:
        out = node.primitive.compute(*_with(operands, i, v), **node.params)
        return out[o] if isinstance(out, tuple) else out

    if node.primitive.form == "linear":
        sources = _moved(forward, spec)
        if sources is not None:
            return _union([matrix(np.flatnonzero(s), s[s > 0] - 1, m, n) for s in sources])
        if len(node.outputs) == 1:
            targets = _moved(_transposed(operands, i), result)
            if targets is not None:
                return _union([matrix(t[t > 0] - 1, np.flatnonzero(t), m, n) for t in targets])
    if n <= _MATERIALISED_INPUTS and n * m <= _MATERIALISED:
        return (_written_out(forward, spec, m),)
    return None


def _with(operands: Operands, i: int, v: Any) -> list[Any]:
    """The inputs with `v` in place `i`; of the other floating ones, what hides no dependence.

    In a sum they are 0, in a product random: only what is 0 for every value counts as absent.
    """
    inputs: list[Any] = []
    linear = operands.node.primitive.form == "linear"
    for k, value in enumerate(operands.values):
        if k == i:
            inputs.append(v)
        elif not is_inexact(value) or not (linear or operands.varies[k]):
            inputs.append(value)
        else:
            spec = spec_of(value)
            shape, dtype = spec.shape, spec.dtype
            random = np.random.default_rng(k).uniform(1.0, 2.0, shape)
            inputs.append(np.zeros(shape, dtype) if linear else np.asarray(random, dtype))
    return inputs


def _transposed(operands: Operands, i: int) -> Callable[[Any], Any]:
    node = operands.node
    xs = tuple(None if is_inexact(x) else x for x in operands.values)

    def run(g: Any) -> Any:
        (pulled,) = node.primitive.pulls(node, [i], xs, (None,) * len(node.outputs), [g])
        return fit_cotangent(pulled, operands.input(i))

    return run


def _moved(run: Callable[[Any], Any], spec: Spec) -> list[Any] | None:
    """For each entry of the result of `run` the position, from 1, of the entry that it shows.

    0 where it shows none; None where it does more than move entries (a change of sign, or of a
    phase by a quarter turn, is no more). One list for the real parts and one for the imaginary
    ones. Positions alone could be sums of others, so three runs on random numbers confirm them;
    a sum of entries equals one of them by chance with a probability below 2^-66.
    """
    count = _size(spec)
    if np.finfo(spec.dtype).nmant < _EXACT_BITS or count >= 2**_EXACT_BITS:
        return None
    rng = np.random.default_rng(0)
    found = []
    for unit in (1, 1j) if spec.dtype.kind == "c" else (1,):

        def shown(numbers: Any, unit: complex = unit) -> Any:
            v = (numbers * unit).astype(spec.dtype).reshape(spec.shape)
            return np.abs(np.asarray(run(v))).reshape(-1)

        positions = shown(np.arange(1, count + 1))
        sources = np.zeros(positions.size, np.int64)
        whole = np.isfinite(positions) & (positions == np.rint(positions)) & (positions <= count)
        if not whole.all():
            return None
        sources[:] = positions
        for _ in range(_CHECKS):
            numbers = rng.integers(2 ** (_EXACT_BITS - 1), 2**_EXACT_BITS, count)
            expected = np.concatenate([[0], numbers])[sources]
            if not np.array_equal(shown(numbers), expected):
                return None
        found.append(sources)
    return found


def _union(matrices: list[Matrix]) -> Link:
    return (matrices[0],) if len(matrices) == 1 else (matrices[0] + matrices[1],)


def _written_out(run: Callable[[Any], Any], spec: Spec, height: int) -> Matrix:
    """The link of a small linear map, from its columns."""
    count = _size(spec)
    columns = np.zeros((height, count), bool)
    for k in range(count):
        for unit in (1, 1j) if spec.dtype.kind == "c" else (1,):
            v = np.zeros(count, spec.dtype)
            v[k] = unit
            columns[:, k] |= np.asarray(run(v.reshape(spec.shape))).reshape(-1) != 0
    return sparse.csr_array(columns)
