"""A graph to numbers, with NumPy."""

from chainrule.interpreter.run import run

__all__ = ["run"]
