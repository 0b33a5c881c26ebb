"""The operations that loops compute at the place of the result: the table of the backend."""

from __future__ import annotations

from chainrule.graph import Node
from chainrule.native.moves import JOIN, ROLL, TRIANGLE
from chainrule.native.placing import Placing
from chainrule.native.positions import READ, SCATTER, WRITE
from chainrule.native.regions import REGION_SCATTER, REGION_WRITE
from chainrule.native.scalars import has_scalar, type_of

PLACINGS: dict[str, tuple[Placing, ...]] = {
    "concatenate": (JOIN,),
    "stack": (JOIN,),
    "roll": (ROLL,),
    "tril": (TRIANGLE,),
    "triu": (TRIANGLE,),
    "getitem": (READ,),
    "scatter": (REGION_SCATTER, SCATTER),
    "setitem": (REGION_WRITE, WRITE),
}
"""The forms of each; the first that fits a node is taken, and one that has none is interpreted."""


def placing_of(node: Node) -> Placing | None:
    """How a node is computed, if it is one of these and has a form that is known here."""
    forms = PLACINGS.get(node.primitive.name, ())
    if not forms or len(node.outputs) != 1:
        return None
    specs = [node.outputs[0], *(source.outputs[k] for source, k in node.inputs)]
    if any(type_of(spec.dtype) is None for spec in specs):
        return None
    return next((form for form in forms if form.fits(node)), None)


def looped(node: Node) -> frozenset[int] | None:
    """The inputs that a node in loops reads entry by entry; None for one without loops."""
    if has_scalar(node):
        return frozenset(range(len(node.inputs)))
    placing = placing_of(node)
    return None if placing is None else placing.read
