"""chainrule: exact derivatives of ordinary NumPy code."""

from chainrule import passes, primitives  # noqa: F401  they fill the registry
from chainrule.tracing.dual import Dual
from chainrule.transforms import (
    checkpoint,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    trace,
    value_and_grad,
    value_grad_and_aux,
    vjp,
)

__all__ = [
    "Dual",
    "checkpoint",
    "elementwise_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "value_grad_and_aux",
    "vjp",
]
