"""Products of matrices and tensors: linear in each factor."""

from __future__ import annotations

import builtins
import math
import operator
import string
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.graph import composition
from chainrule.primitives.batching import Call, matrices
from chainrule.primitives.declare import multilinear
from chainrule.primitives.fit import sum_to
from chainrule.primitives.samples import case, normal


def _transposed_left(g: Any, x2: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of A in A @ B: ḡ Bᵀ, with the one-dimensional cases of `np.matmul`."""
    if x2.ndim == 1:
        return sum_to(g[..., None] * x2, shape) if g.ndim else g * x2
    if len(shape) == 1:
        return sum_to(np.matmul(x2, g[..., None])[..., 0], shape)
    return sum_to(np.matmul(g, np.swapaxes(x2, -1, -2)), shape)


def _transposed_right(g: Any, x1: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of B in A @ B: Aᵀ ḡ."""
    if x1.ndim == 1:
        if len(shape) == 1:
            return g * x1
        return sum_to(x1[:, None] * g[..., None, :], shape)
    if len(shape) == 1:
        product = np.matmul(np.swapaxes(x1, -1, -2), g[..., None])[..., 0]
        return sum_to(product, shape)
    return sum_to(np.matmul(np.swapaxes(x1, -1, -2), g), shape)


_stacks_of_matrices = matrices(2, 2)


def _batched_matmul(call: Call) -> Any:
    """As few and as large products as there can be; vectors become matrices otherwise."""
    a, b = call.values
    left, right = call.ndim(0), call.ndim(1)
    if not call.mapped[1] and left <= 2 and right <= 2:
        if left == 1:
            return call.run(a, b)
        y = call.run(np.reshape(a, (-1, a.shape[-1])), b)
        return np.reshape(y, (*a.shape[:2], *y.shape[1:]))
    if not call.mapped[0] and left <= 2 and (right == 1 or b.shape[2:] == (1,)):
        y = call.run(b if right == 1 else b[..., 0], np.transpose(a))
        return y if right == 1 else y[..., None]
    if left == 1:
        a = np.reshape(a, (*a.shape[:-1], 1, a.shape[-1]))
    if right == 1:
        b = np.reshape(b, (*b.shape, 1))
    y = _stacks_of_matrices(call._replace(values=(a, b)))
    if left == 1:
        y = y[..., 0, :]
    return y[..., 0] if right == 1 else y


matmul = multilinear(
    "matmul",
    numpy=np.matmul,
    compute=operator.matmul,
    transposed=(_transposed_left, _transposed_right),
    latex="{x1} {x2}",
    batch=_batched_matmul,
    samples=[
        case(normal(3, 4), normal(4, 2)),
        case(normal(4), normal(4)),
        case(normal(3, 4), normal(4)),
        case(normal(4), normal(4, 2)),
        case(normal(2, 3, 4), normal(4, 2)),
        case(normal(3, 4), normal(2, 4, 2)),
        case(normal(4), normal(2, 4, 3)),
        case(normal(2, 3, 4), normal(4)),
        case(normal(2, 1, 3, 4), normal(5, 4, 2)),
    ],
)


@composition(np.dot)
def dot(a: Any, b: Any) -> Any:
    a, b = (np.asarray(x) if isinstance(x, list | tuple | float | int) else x for x in (a, b))
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) <= 2 and np.ndim(a) <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=((-1,), (-2 if np.ndim(b) > 1 else -1,)))


@composition(np.inner)
def inner(a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=((-1,), (-1,)))


@composition(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    return np.matmul(np.ravel(np.conjugate(a)), np.ravel(b))


@composition(np.outer)
def outer(a: Any, b: Any) -> Any:
    return np.ravel(a)[:, None] * np.ravel(b)[None, :]


@composition(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    return np.outer(x1, x2)


@composition(np.linalg.matmul)
def linalg_matmul(x1: Any, x2: Any, /) -> Any:
    return np.matmul(x1, x2)


@composition(np.vecdot, np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return np.sum(np.conjugate(x1) * x2, axis=axis)


@composition(np.matvec)
def matvec(x1: Any, x2: Any, /) -> Any:
    return np.matmul(x1, x2[..., None])[..., 0]


@composition(np.vecmat)
def vecmat(x1: Any, x2: Any, /) -> Any:
    return np.matmul(np.conjugate(x1)[..., None, :], x2)[..., 0, :]


@composition(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum over the given axes of both factors, as one matrix product."""
    left: list[Any]
    right: list[Any]
    if isinstance(axes, int | np.integer):
        left, right = list(range(-int(axes), 0)), list(range(int(axes)))
    else:
        left, right = ([int(k)] if np.ndim(k) == 0 else [int(n) for n in k] for k in axes)
    a = np.asarray(a) if isinstance(a, list) else a
    b = np.asarray(b) if isinstance(b, list) else b
    left = [normalize_axis_index(k, a.ndim) for k in left]
    right = [normalize_axis_index(k, b.ndim) for k in right]
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ValueError("shape-mismatch for sum")
    free_left = [k for k in range(a.ndim) if k not in left]
    free_right = [k for k in range(b.ndim) if k not in right]
    shape = tuple(a.shape[k] for k in free_left) + tuple(b.shape[k] for k in free_right)
    summed = math.prod(a.shape[k] for k in left)
    rows = np.reshape(
        np.transpose(a, free_left + left), (math.prod(a.shape[k] for k in free_left), summed)
    )
    columns = np.reshape(
        np.transpose(b, right + free_right), (summed, math.prod(b.shape[k] for k in free_right))
    )
    return np.reshape(np.matmul(rows, columns), shape)


@composition(np.kron)
def kron(a: Any, b: Any) -> Any:
    a, b = (np.asarray(x) if isinstance(x, list | tuple | float | int) else x for x in (a, b))
    ndim = builtins.max(a.ndim, b.ndim)
    left = (1,) * (ndim - a.ndim) + a.shape
    right = (1,) * (ndim - b.ndim) + b.shape
    spread_left = np.reshape(a, [k for n in left for k in (n, 1)])
    spread_right = np.reshape(b, [k for n in right for k in (1, n)])
    return np.reshape(spread_left * spread_right, [m * n for m, n in zip(left, right, strict=True)])


def _einsum(*operands: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _transposed_einsum(
    g: Any, xs: tuple[Any, ...], shape: tuple[int, ...], i: int, subscripts: str
) -> Any:
    """Swap the output with the i-th operand; put back labels that were summed or repeated."""
    inputs, output = subscripts.split("->")
    labels = inputs.split(",")
    mine = labels[i]
    others = [text for k, text in enumerate(labels) if k != i]
    operands = [g, *(x for k, x in enumerate(xs) if k != i)]
    known = [output, *others]
    free = iter(c for c in string.ascii_letters if c not in subscripts)
    target = ""
    for position, label in enumerate(mine):
        size = shape[position]
        if label in target:
            # a repeated label reads a diagonal: its cotangent lies on that diagonal
            fresh = next(free)
            operands.append(np.eye(size, dtype=g.dtype))
            known.append(label + fresh)
            target += fresh
        else:
            if not builtins.any(label in text for text in known):
                operands.append(np.ones(size, g.dtype))
                known.append(label)
            target += label
    return np.einsum(f"{','.join(known)}->{target}", *operands)


def _batched_einsum(call: Call) -> Any:
    """One more label, in front of the operands that are mapped and of the result."""
    inputs, output = call.params["subscripts"].split("->")
    label = next(c for c in string.ascii_letters if c not in inputs)
    texts = [
        label + text if mapped else text
        for text, mapped in zip(inputs.split(","), call.mapped, strict=True)
    ]
    return call.run(*call.values, subscripts=f"{','.join(texts)}->{label}{output}")


einsum_product = multilinear(
    "einsum",
    compute=_einsum,
    transposed=_transposed_einsum,
    latex=r"\operatorname{{einsum}}({subscripts})",
    batch=_batched_einsum,
    samples=[
        case(normal(3, 4), normal(4, 2), subscripts="ij,jk->ik"),
        case(normal(3, 4), subscripts="ij->i"),
        case(normal(3, 3), subscripts="ii->"),
        case(normal(3, 3), normal(3), subscripts="ii,i->i"),
        case(normal(2, 3), normal(3, 4), normal(4, 2), subscripts="ij,jk,ki->i"),
    ],
)


@composition(np.einsum)
def einsum(
    *operands: Any,
    optimize: Any = False,
    dtype: Any = None,
    casting: Any = "safe",
    order: Any = "K",
) -> Any:
    """`np.einsum` in all its spellings, brought to explicit labels without an ellipsis."""
    if isinstance(operands[0], str):
        text, arrays = operands[0].replace(" ", ""), list(operands[1:])
    else:
        text, arrays = _labels_from_lists(operands)
    arrays = [np.asarray(a) if isinstance(a, list | tuple | float | int) else a for a in arrays]
    if dtype is not None:
        arrays = [_safely(a, dtype, casting) for a in arrays]
    inputs, arrow, output = text.partition("->")
    labels = inputs.split(",")
    if len(labels) != len(arrays):
        raise ValueError(f"einsum got {len(arrays)} arrays for the {len(labels)} of {text!r}")
    explicit, arrays, spare = _without_ellipsis(labels, arrays, text)
    if not arrow:
        counted = "".join(labels).replace("...", "")
        output = "..." * bool(spare) + "".join(
            sorted(c for c in set(counted) if counted.count(c) == 1)
        )
    unknown = [c for c in output.replace("...", "") if c not in inputs]
    if unknown or (spare and "..." not in output):
        what = f"the label {unknown[0]!r} that no input has" if unknown else "no ellipsis"
        raise ValueError(f"the output of einsum {text!r} has {what}")
    output = output.replace("...", "".join(spare))
    missing = [c for c in output if not builtins.any(c in label for label in explicit)]
    y = einsum_product(
        *arrays,
        subscripts=f"{','.join(explicit)}->{''.join(c for c in output if c not in missing)}",
    )
    return np.expand_dims(y, tuple(output.index(c) for c in missing)) if missing else y


def _without_ellipsis(
    labels: list[str], arrays: list[Any], text: str
) -> tuple[list[str], list[Any], list[str]]:
    """Labels for the axes under an ellipsis, and the arrays without those that broadcast.

    An axis of length 1 under the ellipsis drops out of the product.
    """
    dots = builtins.max(
        (
            a.ndim - len(t.replace("...", ""))
            for t, a in zip(labels, arrays, strict=True)
            if "..." in t
        ),
        default=0,
    )
    spare = [c for c in string.ascii_letters if c not in text][:dots]
    explicit = []
    kept_arrays = list(arrays)
    for k, (label, array) in enumerate(zip(labels, arrays, strict=True)):
        if "..." in label:
            mine = array.ndim - len(label.replace("...", ""))
            used = spare[dots - mine :]
            start = label.index("...")
            ones = [start + j for j in range(mine) if array.shape[start + j] == 1]
            kept_arrays[k] = np.squeeze(array, tuple(ones)) if ones else array
            kept = [c for j, c in enumerate(used) if start + j not in ones]
            label = label.replace("...", "".join(kept))
        explicit.append(label)
    return explicit, kept_arrays, spare


def _safely(array: Any, dtype: Any, casting: Any) -> Any:
    if not np.can_cast(array.dtype, dtype, casting):
        raise TypeError(f"einsum cannot cast {array.dtype} to {np.dtype(dtype)} with {casting!r}")
    return array.astype(dtype)


# In the order in which NumPy sorts the labels of an output that is not given.
_LABELS = string.ascii_uppercase + string.ascii_lowercase


def _labels_from_lists(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """The alternating spelling `einsum(a, [0, 1], b, [1, 2], [0, 2])` as text and arrays."""
    arrays, lists = list(operands[0:-1:2]), list(operands[1::2])
    output = operands[-1] if len(operands) % 2 else None

    def text(entries: Any) -> str:
        return "".join("..." if e is Ellipsis else _LABELS[e] for e in entries)

    joined = ",".join(text(entries) for entries in lists)
    return (joined if output is None else f"{joined}->{text(output)}"), arrays
