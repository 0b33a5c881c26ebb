"""chainrule: exact derivatives of ordinary NumPy code."""

import importlib

from chainrule import passes, primitives  # noqa: F401  they fill the registry
from chainrule.checks import check_grads, complex_step, dot_product_test, numerical_gradient
from chainrule.custom import custom_derivative, primitive
from chainrule.explanation import explain
from chainrule.tracing.dual import Dual
from chainrule.transforms import (
    checkpoint,
    elementwise_grad,
    flatten,
    grad,
    hessian,
    hessian_diagonal,
    hessian_eigenpairs,
    hvp,
    implicit_minimize,
    implicit_root,
    jacobian,
    jvp,
    laplacian,
    minimize,
    scan,
    sparse_hessian,
    sparse_jacobian,
    stop_gradient,
    trace,
    value_and_grad,
    value_grad_and_aux,
    vjp,
    vmap,
    while_loop,
)

from chainrule import classroom, data, errors, nn, numpy, optim, scipy  # isort: skip

__all__ = [
    "Dual",
    "check_grads",
    "checkpoint",
    "classroom",
    "complex_step",
    "custom_derivative",
    "data",
    "dot_product_test",
    "elementwise_grad",
    "errors",
    "explain",
    "flatten",
    "grad",
    "hessian",
    "hessian_diagonal",
    "hessian_eigenpairs",
    "hvp",
    "implicit_minimize",
    "implicit_root",
    "jacobian",
    "jvp",
    "laplacian",
    "minimize",
    "nn",
    "numerical_gradient",
    "numpy",
    "optim",
    "primitive",
    "scan",
    "scipy",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "trace",
    "train",
    "value_and_grad",
    "value_grad_and_aux",
    "vjp",
    "vmap",
    "while_loop",
]


def __getattr__(name: str) -> object:
    """What takes time to import comes at its first use: the training loop, the version."""
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("chainrule")
    if name != "train":
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    return importlib.import_module("chainrule.train")
