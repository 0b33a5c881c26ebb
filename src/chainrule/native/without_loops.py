"""Why an operation is carried out by NumPy inside a compiled plan."""

from __future__ import annotations

from chainrule.graph import Node
from chainrule.native.placings import PLACINGS
from chainrule.native.scalars import SCALARS, type_of
from chainrule.passes.fuse import REDUCTIONS

_GROUPS = {
    "decompositions and solutions of systems are LAPACK's": (
        "solve inv pinv matrix_rank eig eigh svd nearly_singular cofactors det slogdet cholesky "
        "qr completion triangular_solve"
    ),
    "its results are positions, or as many as the numbers decide": (
        "argmax argmin nanargmax nanargmin argsort argpartition lexsort nonzero flatnonzero "
        "argwhere count_nonzero searchsorted digitize bincount isin unique unique_values"
    ),
    "one entry needs the one before": "cumsum",
    "NumPy compares by rules of its own": "isclose allclose array_equal array_equiv",
    "sums of products over several axes are planned elsewhere": (
        "einsum convolve sparse_product matmul_add"
    ),
    "it makes complex numbers, which have no loops": "imag fft ifft rfft irfft",
    "it works on the bits of numbers": (
        "left_shift right_shift bitwise_count packbits unpackbits ldexp exponent nextafter "
        "spacing random_bits gcd lcm"
    ),
    "its series is NumPy's or SciPy's": "i0 modified_bessel",
    "its windows overlap": "sliding_windows",
}
WITHOUT_LOOPS = {name: why for why, names in _GROUPS.items() for name in names.split()}
"""The operations that have no loops at all, each with the reason."""


def reason(node: Node) -> str:
    """Why this node has no loops."""
    name = node.primitive.name
    if name in WITHOUT_LOOPS:
        return WITHOUT_LOOPS[name]
    specs = [*node.outputs, *(source.outputs[k] for source, k in node.inputs)]
    for spec in specs:
        if type_of(spec.dtype) is None:
            return f"numbers of the dtype {spec.dtype} have no loops"
        if 0 in spec.shape:
            return "it has no entries"
    if name in SCALARS or name in PLACINGS or name in REDUCTIONS:
        return "it has no loops for these dtypes, axes or positions"
    return "it has no native code"
