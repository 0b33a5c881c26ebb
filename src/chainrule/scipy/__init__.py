"""What SciPy computes and cannot dispatch: the same names, with derivatives."""

from chainrule.scipy import special

__all__ = ["special"]
