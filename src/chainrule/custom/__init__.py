"""The user's own operations and derivative rules, through the same records as chainrule's own."""

from chainrule.custom.derivative import custom_derivative
from chainrule.custom.records import primitive

__all__ = ["custom_derivative", "primitive"]
