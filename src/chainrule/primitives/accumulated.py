"""A product of matrices added to what is there: the one call that BLAS has for both.

No NumPy function stands for it: the pass `accumulate` puts it in the place of a sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.primitives.declare import primitive
from chainrule.primitives.samples import case, normal


def _matmul_add(x1: Any, x2: Any, x3: Any, *, scale: float) -> Any:
    return x3 + scale * np.matmul(x1, x2)


matmul_add = primitive(
    "matmul_add",
    compute=_matmul_add,
    inputs=3,
    jvp=(
        lambda t, x2, scale: scale * np.matmul(t, x2),
        lambda t, x1, scale: scale * np.matmul(x1, t),
        lambda t: t,
    ),
    latex="{x3} + {scale} {x1} {x2}",
    samples=[case(normal(3, 4), normal(4, 2), normal(3, 2), scale=-0.5)],
)
