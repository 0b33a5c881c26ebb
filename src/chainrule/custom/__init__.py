"""The user's own operations and derivative rules, through the same records as chainrule's own."""

from chainrule.custom.derivative import custom_derivative
from chainrule.custom.records import primitive
from chainrule.primitives.declare import MINUS_ONE, ONE, ZERO

__all__ = ["MINUS_ONE", "ONE", "ZERO", "custom_derivative", "primitive"]
