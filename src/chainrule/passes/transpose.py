"""The transpose of a linear function: from the tangent rule to the cotangent rule and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.graph import Spec
from chainrule.passes.reverse import walk
from chainrule.primitives.declare import General
from chainrule.primitives.fit import fit_cotangent
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import Running
from chainrule.tracing.tape import Tape


def transpose(function: Callable[[Any], Any], spec: Spec, g: Any) -> Any:
    """Aᵀ g for the linear `function` t ↦ A t of an array with the given spec; None where it is 0.

    The function is recorded once, at t = 0, and walked backwards.
    """
    tape = Tape("transposition")
    with np.errstate(all="ignore"), Running(tape):
        variable = tape.variable(np.zeros(spec.shape, spec.dtype))
        out = function(variable)
    if not (isinstance(out, Recorded) and out.level is tape):
        return None
    seed = fit_cotangent(g, out.mark[0].outputs[out.mark[1]])
    return walk(tape.backwards_once(), {out.mark: seed}).get(variable.mark)


General.transpose = staticmethod(transpose)
