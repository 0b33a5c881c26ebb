"""Whether code can be compiled here. This module loads neither LLVM nor BLAS."""

from __future__ import annotations

import functools
import importlib.util
import warnings

from chainrule import errors

_NEEDED = {"llvmlite": "LLVM", "scipy_openblas32": "the matrix products"}


def why_unavailable() -> str | None:
    """A sentence that says why nothing can be compiled here, or None where it can.

    >>> why_unavailable()
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    names = " and ".join(f"{name} ({_NEEDED[name]})" for name in missing)
    packages = " ".join(name.replace("_", "-") for name in missing)
    return (
        f"compiled functions run on the interpreter, because {names} cannot be imported; "
        f"`pip install {packages}` brings native code"
    )


@functools.cache
def _warn(sentence: str) -> None:
    warnings.warn(sentence, errors.CompileWarning, stacklevel=4)


def is_available() -> bool:
    """Whether code can be compiled; where it cannot, one warning says so, once per process."""
    sentence = why_unavailable()
    if sentence is not None:
        _warn(sentence)
    return sentence is None
