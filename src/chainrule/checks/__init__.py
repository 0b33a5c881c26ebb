"""Numerical truth: derivatives against differences, complex steps and their own transposes."""

from chainrule.checks.adjoint import dot_product_test
from chainrule.checks.complex_step import complex_step
from chainrule.checks.gradients import check_grads
from chainrule.checks.numerical import numerical_gradient

__all__ = ["check_grads", "complex_step", "dot_product_test", "numerical_gradient"]
