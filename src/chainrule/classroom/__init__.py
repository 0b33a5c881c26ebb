"""The hand-driven computation graph of the homework, and the operations of the Bristol notes.

Build a graph with ordinary operators, run `forward_algorithm` and `backward_algorithm` over it,
and print it: every node shows its result and its gradient.

>>> import math
>>> x = Leaf(math.log(2), "x")
>>> cosh_x = Mean(Exp(x), Exp(-x))
>>> backward_algorithm(forward_algorithm(cosh_x))
Mean result=1.25 gradient=1.0
  Exp result=2.0 gradient=0.5
    Leaf x result=0.6931471805599453 gradient=0.75
  Exp result=0.5 gradient=0.5
    Negate result=-0.6931471805599453 gradient=0.25
      Leaf x @[3]
"""

from chainrule.classroom.algorithms import backward_algorithm, forward_algorithm
from chainrule.classroom.bristol import linear, relu, sqerr
from chainrule.classroom.check import NodeReport, check_node
from chainrule.classroom.engine import to_graph
from chainrule.classroom.nodes import (
    Add,
    ComputationNode,
    Exp,
    IntPow,
    Leaf,
    Matexpand,
    Matmul,
    Matsum,
    Mean,
    Mul,
    Negate,
    Transpose,
)
from chainrule.classroom.printing import build_graph, printing_graph

__all__ = [
    "Add",
    "ComputationNode",
    "Exp",
    "IntPow",
    "Leaf",
    "Matexpand",
    "Matmul",
    "Matsum",
    "Mean",
    "Mul",
    "Negate",
    "NodeReport",
    "Transpose",
    "backward_algorithm",
    "build_graph",
    "check_node",
    "forward_algorithm",
    "linear",
    "printing_graph",
    "relu",
    "sqerr",
    "to_graph",
]
