"""What SciPy computes and cannot dispatch: the same names, with derivatives."""

import importlib
from types import ModuleType

from chainrule.scipy import special

__all__ = ["optimize", "special"]


def __getattr__(name: str) -> ModuleType:
    """SciPy takes time to import, so each module that needs it comes with its first use."""
    if name not in __all__:
        raise AttributeError(f"module 'chainrule.scipy' has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
