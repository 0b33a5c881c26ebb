"""What becomes of each function of NumPy: a derivative, a constant, or a refusal with a way out.

The functions are those that NumPy itself hands on: its ufuncs and its own dispatch list.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.graph import Flat, Primitive, registry
from chainrule.primitives.positions import POSITIONS_OF_OTHERS
from chainrule.tracing.about import ABOUT
from chainrule.tracing.creation import CREATIONS, MEANINGS, ones_like, zeros_like
from chainrule.tracing.unsupported import UNSUPPORTED
from chainrule.tracing.writes import WRITERS

DERIVATIVE, CONSTANT, UNSUPPORTED_HERE = "derivative", "constant", "not supported"
# Where users find the functions; what NumPy documents elsewhere is text, or old.
_MODULES = ("numpy", "numpy.linalg", "numpy.fft", "numpy.emath", "numpy.lib.stride_tricks")


class Verdict(NamedTuple):
    """What a function of NumPy means on traced arrays, and why or how."""

    name: str
    function: Any
    kind: str
    reason: str


def functions() -> dict[str, Any]:
    """The public functions that NumPy hands on to traced arrays, each once, by name."""
    found: dict[Any, str] = {}
    for name in _MODULES:
        module = _module(name)
        for attribute in dir(module):
            value = None if attribute.startswith("_") else getattr(module, attribute)
            handed_on = isinstance(value, np.ufunc) or hasattr(value, "_implementation")
            if handed_on and value not in found:
                found[value] = f"{name}.{_own_name(module, attribute, value)}"
    # functions written in C bear no mark, but are in the registry by NumPy's name
    for value in _tables():
        name = getattr(value, "__name__", "")
        if value not in found and getattr(np, name, None) is value:
            found[value] = f"numpy.{name}"
    return {name: value for value, name in sorted(found.items(), key=lambda item: item[1])}


def _tables() -> Iterator[Any]:
    for table in (registry.meanings, CREATIONS, MEANINGS, WRITERS, ABOUT, UNSUPPORTED):
        yield from table


def _module(name: str) -> Any:
    return np.emath if name == "numpy.emath" else importlib.import_module(name)


def _own_name(module: Any, attribute: str, value: Any) -> str:
    """`absolute` and not its other name `abs`."""
    own = str(value.__name__)
    return own if getattr(module, own, None) is value else attribute


def verdict_of(function: Any) -> tuple[str, str] | None:
    """(kind, reason or form), or None where nothing is said about the function."""
    if function in UNSUPPORTED:
        return UNSUPPORTED_HERE, UNSUPPORTED[function]
    if function in POSITIONS_OF_OTHERS:
        return CONSTANT, POSITIONS_OF_OTHERS[function]
    meaning = registry.meanings.get(function)
    if isinstance(meaning, Flat):
        return CONSTANT, meaning.reason
    if isinstance(meaning, Primitive):
        return DERIVATIVE, meaning.form
    if meaning is not None:
        return DERIVATIVE, "made of other functions"
    if function in WRITERS:
        return DERIVATIVE, "writes into its first argument"
    if MEANINGS.get(function) in (zeros_like, ones_like):
        return CONSTANT, "a new array, which can be written"
    if function in MEANINGS or function is np.full:
        return DERIVATIVE, "makes an array of its arguments"
    if function in CREATIONS:
        return CONSTANT, "a new array, through `like=`, which can be written"
    if function in ABOUT:
        return CONSTANT, "about the shape, the dtype, the memory or the text of an array"
    return None


def verdicts() -> list[Verdict]:
    """The verdicts on all functions; a function without one is a mistake.

    >>> said = {verdict.name: verdict.kind for verdict in verdicts()}
    >>> said["numpy.linalg.svd"], said["numpy.floor"], said["numpy.savetxt"]
    ('derivative', 'constant', 'not supported')
    """
    found = []
    for name, function in functions().items():
        said = verdict_of(function)
        if said is None:
            raise LookupError(f"nothing says what {name} means on traced arrays")
        found.append(Verdict(name, function, *said))
    return found


_HEAD = """\
# NumPy's functions

Every ufunc of NumPy and every function that NumPy hands on to other kinds of arrays, and what
becomes of it on traced ones. A *derivative* exists in forward and in reverse mode, at every order;
a *constant* has derivative 0 almost everywhere, or is no number; what is *not supported* raises an
error that says what to use instead. Of ufuncs also `reduce`, `accumulate`, `reduceat`, `outer` and
`at` are differentiated.

Printed by `chainrule list --numpy`.

"""


def table() -> str:
    """The verdicts as a page in Markdown."""
    found = verdicts()
    counts = [sum(v.kind == kind for v in found) for kind in _KINDS]
    told = [f"{n} {kind}" for n, kind in zip(counts, _KINDS, strict=True)]
    rows = [f"| `{v.name}` | {v.kind} | {v.reason} |" for v in found]
    head = ["| function | verdict | why, or how |", "|---|---|---|"]
    return (
        _HEAD + "\n".join([f"{len(found)} functions: {', '.join(told)}.", "", *head, *rows]) + "\n"
    )


_KINDS = (DERIVATIVE, CONSTANT, UNSUPPORTED_HERE)
