"""How long steps take, roughly, and into how many parts loops are cut for the threads.

The figures are those of one core of a present machine; they only have to tell work that pays for
waking a thread (some microseconds) from work that does not.
"""

from __future__ import annotations

from chainrule.native.instructions import BITS, INSTRUCTIONS, INTRINSICS
from chainrule.native.lowering import Loops
from chainrule.native.nest import Compute, Gather, Load, Reduce, Store
from chainrule.native.products import Product, units_of

NANOSECONDS_PER_BYTE = 0.05
NANOSECONDS_PER_OPERATION = 0.04
NANOSECONDS_PER_FUNCTION = 1.0
NANOSECONDS_PER_GATHER = 0.5
OPERATIONS_PER_NANOSECOND = {"f32": 150.0, "f64": 75.0}
BYTES_PER_NANOSECOND = 20.0

PART = 10_000.0
"""Nanoseconds of a part at least: less does not pay for another thread."""
MOST_PARTS = 64


def nanoseconds(step: Loops | Product) -> float:
    """About how long a step takes on one thread."""
    if isinstance(step, Product):
        calculated = step.operations / OPERATIONS_PER_NANOSECOND[step.type]
        bytes_ = step.operations / 2 / max(1, min(step.rows, step.columns))
        return max(calculated, bytes_ * (BITS[step.type] / 8) / BYTES_PER_NANOSECOND)
    return _nanoseconds_of_loops(step)


def _nanoseconds_of_loops(step: Loops) -> float:
    total = 0.0
    types = [*step.nest.arrays, *(type for type, _ in step.nest.scratch)]
    for stage in step.nest.stages:
        entry = 0.0
        for statement in stage.statements:
            match statement:
                case Load(access, type) if access.strides[-1]:
                    entry += BITS[type] / 8 * NANOSECONDS_PER_BYTE
                case Store(_, access, _):
                    entry += BITS[types[access.array]] / 8 * NANOSECONDS_PER_BYTE
                case Gather():
                    entry += NANOSECONDS_PER_GATHER
                case Compute(operation, _, type):
                    light = operation in INSTRUCTIONS or operation in INTRINSICS
                    light = light or operation in ("select", "cast")
                    cost = NANOSECONDS_PER_OPERATION if light else NANOSECONDS_PER_FUNCTION
                    entry += cost * max(BITS[type], 8) / 64
                case Reduce():
                    entry += NANOSECONDS_PER_OPERATION
                case _:
                    pass
        total += entry * stage.columns
    return total * step.rows * step.nest.together


def parts_of(step: Loops | Product) -> int:
    """Into how many parts a step is cut; a result does not depend on it, because the panels of a
    product, and the partial results of a reduction, are fixed by the shape.
    """
    if isinstance(step, Loops) and step.parts is not None:
        return step.parts
    units = step.rows if isinstance(step, Loops) else units_of(step)
    wanted = int(nanoseconds(step) / PART)
    return max(1, min(units, wanted, MOST_PARTS))
