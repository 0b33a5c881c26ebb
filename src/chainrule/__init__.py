"""chainrule: exact derivatives of ordinary NumPy code."""

import importlib
from typing import TYPE_CHECKING

from chainrule import passes, primitives  # noqa: F401  they fill the registry
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

from chainrule import errors, numpy, scipy  # isort: skip

if TYPE_CHECKING:
    from chainrule import classroom, data, nn, optim, train
    from chainrule.checks import check_grads, dot_product_test, numerical_gradient
    from chainrule.checks.complex_step import complex_step
    from chainrule.custom import custom_derivative, primitive
    from chainrule.explanation.explain import explain
    from chainrule.transforms.compile import compile
    from chainrule.transforms.lowered import spec

# What not every program needs comes at its first use, so that the import stays short: rooms, and
# names by the room that has them.
_ROOMS = {"checks", "classroom", "custom", "data", "explanation", "nn", "optim", "train"}
_NAMES = {
    "check_grads": "checks",
    "compile": "transforms.compile",
    "complex_step": "checks",
    "custom_derivative": "custom",
    "dot_product_test": "checks",
    "explain": "explanation",
    "numerical_gradient": "checks",
    "primitive": "custom",
    "spec": "transforms.lowered",
}

__all__ = [
    "Dual",
    "check_grads",
    "checkpoint",
    "classroom",
    "compile",
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
    "spec",
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
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("chainrule")
    if name in _ROOMS:
        return importlib.import_module(f"chainrule.{name}")
    if name not in _NAMES:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"chainrule.{_NAMES[name]}"), name)
    globals()[name] = found  # the next use finds it without coming here
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
