"""Results that may take the memory of what they are computed from, because it is not read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chainrule.native.lowering import Array, Loops, Partial
from chainrule.native.nest import Gather, Keep, Require, Store
from chainrule.native.products import Product
from chainrule.planning import Lifetime

if TYPE_CHECKING:
    from chainrule.native.schedule import Step

Touched = tuple[Sequence[Array], Sequence[Array]]


def same_places(
    steps: Sequence[Step],
    touched: Sequence[Touched],
    lives: Mapping[Array, Lifetime],
    sizes: Mapping[Array, int],
) -> dict[Array, Array]:
    """For results of steps, the buffer that ends with the step and whose place they may take."""
    found: dict[Array, Array] = {}
    for position, (step, (reads, writes)) in enumerate(zip(steps, touched, strict=True)):
        taken: set[Array] = set()
        for result in writes:
            if result not in sizes or lives[result].first != position:
                continue
            for donor in reads:
                ends = donor in sizes and lives[donor].last == position
                fits = ends and sizes[donor] == sizes[result] and donor not in taken
                if fits and may_overwrite(step, result, donor):
                    found[result] = donor
                    taken.add(donor)
                    break
    return found


def may_overwrite(step: Step, result: Array, donor: Array) -> bool:
    """Whether a step can write a result over one of the arrays that it reads."""
    if isinstance(step, Product):
        return donor == step.start and donor not in (step.left.base, step.right.base)
    if not isinstance(step, Loops) or isinstance(result, Partial) or isinstance(donor, Partial):
        return False
    alike = result[0].outputs[result[1]].dtype == donor[0].outputs[donor[1]].dtype
    return alike and not can_fail(step) and reads_where_it_writes(step, result, donor)


def reads_where_it_writes(step: Loops, result: Array, given: Array) -> bool:
    """Whether a nest of one stage reads of `given` only the entry that it writes of `result`, reads
    it before it writes, and writes each entry once.
    """
    if given not in step.arrays:
        return True
    nest = step.nest
    if len(nest.stages) != 1:
        return False
    source, target = step.arrays.index(given), step.arrays.index(result)
    accesses: dict[int, set[tuple[tuple[int, ...], int]]] = {source: set(), target: set()}
    for statement in nest.statements():
        access = getattr(statement, "access", None)
        if access is not None and access.array in accesses:
            if isinstance(statement, Keep | Gather):
                return False
            if isinstance(statement, Store) and statement.accumulate is not None:
                return False
            if access.array == source and accesses[target]:
                return False
            accesses[access.array].add((access.strides, access.offset))
    if accesses[source] != accesses[target] or len(accesses[source]) != 1:
        return False
    strides, _ = next(iter(accesses[target]))
    extents = (*nest.rows, nest.stages[0].columns)
    return all(step != 0 for step, n in zip(strides, extents, strict=True) if n > 1)


def can_fail(step: object) -> bool:
    """Whether a step reads entries by index, so that an index can be out of bounds."""
    return isinstance(step, Loops) and any(
        isinstance(statement, Gather | Require) for statement in step.nest.statements()
    )
