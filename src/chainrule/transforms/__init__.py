"""Function to function."""

from chainrule.transforms.batching import vmap
from chainrule.transforms.checkpoint import checkpoint
from chainrule.transforms.curvature import hessian_eigenpairs
from chainrule.transforms.flattening import flatten
from chainrule.transforms.forward_mode import hvp, jvp
from chainrule.transforms.implicit import implicit_minimize, implicit_root
from chainrule.transforms.jacobian import hessian, jacobian
from chainrule.transforms.laplacian import hessian_diagonal, laplacian
from chainrule.transforms.minimize import minimize
from chainrule.transforms.reverse_mode import (
    elementwise_grad,
    grad,
    value_and_grad,
    value_grad_and_aux,
    vjp,
)
from chainrule.transforms.scan import scan, while_loop
from chainrule.transforms.sparse import sparse_hessian, sparse_jacobian
from chainrule.transforms.stop_gradient import stop_gradient
from chainrule.transforms.trace import trace

__all__ = [
    "checkpoint",
    "elementwise_grad",
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
    "scan",
    "sparse_hessian",
    "sparse_jacobian",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "value_grad_and_aux",
    "vjp",
    "vmap",
    "while_loop",
]
