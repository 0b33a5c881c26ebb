"""SciPy with derivatives: the names that SciPy has, for plain and traced arrays alike.

SciPy takes time to import, so each module comes with its first use. Calling SciPy's own ufuncs,
`scipy.special.erf(x)`, on a traced array loads what they mean.
"""

import importlib
from types import ModuleType

from chainrule.graph import registry

_MODULES = (
    *("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "spatial"),
    *("special", "stats"),
)

# Which module declares what the functions of SciPy's module of the same name mean.
for _name in _MODULES:
    registry.expect(f"scipy.{_name}", f"{__name__}.{_name}")

__all__ = list(_MODULES)


def __getattr__(name: str) -> ModuleType:
    if name not in _MODULES:
        raise AttributeError(f"module 'chainrule.scipy' has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
