"""What a computation is: nodes, graphs and the record of an operation. Knows no mathematics."""

from chainrule.graph.node import Graph, Guard, Node, Place, Spec, spec_of
from chainrule.graph.primitive import (
    CONSTANT,
    VARIABLE,
    Flat,
    Primitive,
    Rule,
    Saved,
    Step,
    composition,
    constant_node,
    is_inexact,
    registry,
)
from chainrule.graph.traced import Level, Traced

__all__ = [
    "CONSTANT",
    "VARIABLE",
    "Flat",
    "Graph",
    "Guard",
    "Level",
    "Node",
    "Place",
    "Primitive",
    "Rule",
    "Saved",
    "Spec",
    "Step",
    "Traced",
    "composition",
    "constant_node",
    "is_inexact",
    "registry",
    "spec_of",
]
