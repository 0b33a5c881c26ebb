"""What the user's code was calling when an error arose, read from its source: only to tell of it.

A C function leaves no frame, so `math.exp(x)` and `np.fromiter(x, float)` look alike from inside;
the text of the instruction tells them apart. Where there is no source, sentences say less.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import math
import re
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

MISSING = object()


class Call(NamedTuple):
    """A call, or an operator, in the user's code: the object called, and the text of the call."""

    function: Any
    text: str

    @property
    def module(self) -> str:
        """The public module of the function, such as scipy.linalg; '' where it has none."""
        owner = getattr(self.function, "__self__", None)
        found = getattr(self.function, "__module__", None) or getattr(type(owner), "__module__", "")
        return ".".join(part for part in str(found).split(".") if not part.startswith("_"))

    @property
    def name(self) -> str:
        return str(getattr(self.function, "__name__", self.text.rpartition(".")[2]))


def _segment(code: CodeType, instruction: int) -> str:
    """The source of one instruction; '' where it cannot be had."""
    positions = list(code.co_positions())
    if instruction // 2 >= len(positions):
        return ""
    first, last, start, stop = positions[instruction // 2]
    if first is None or last is None or start is None or stop is None:
        return ""
    lines = [line.encode() for line in linecache.getlines(code.co_filename)[first - 1 : last]]
    if len(lines) != last - first + 1:
        return ""
    lines[-1] = lines[-1][:stop]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return None


def _resolved(node: ast.expr, frame: FrameType) -> Any:
    """The object that a dotted name stands for; MISSING for any other expression."""
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals, vars(builtins)):
            if node.id in names:
                return names[node.id]
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, frame)
        return MISSING if owner is MISSING else getattr(owner, node.attr, MISSING)
    return MISSING


def call_at(frame: FrameType, instruction: int) -> Call | None:
    """The call, or `%`, that stands at an instruction of a frame."""
    node = _parsed(_segment(frame.f_code, instruction))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return Call(str.__mod__, "%")
    if not isinstance(node, ast.Call):
        return None
    return Call(_resolved(node.func, frame), ast.unparse(node.func))


def counterpart(call: Call) -> str | None:
    """The function of chainrule.scipy that has the name of a SciPy function, if there is one."""
    if not call.module.startswith("scipy."):
        return None
    name = f"chainrule.{call.module}"
    try:
        ours = importlib.import_module(name)  # to see whether it has the name
    except ImportError:
        return None
    return f"{name}.{call.name}" if call.name in getattr(ours, "__all__", ()) else None


_SUPPLIED = ("arange", "broadcast", "fromiter", "full", "require", "vectorize")
_OF_MATH = {
    "fabs": "np.abs",
    "pow": "np.power",
    "atan2": "np.arctan2",
    "dist": "np.linalg.norm",
    "fsum": "np.sum",
    **dict.fromkeys(("gamma", "erf", "erfc"), "scipy.special.{}"),
    "lgamma": "scipy.special.gammaln",
}


_DRAWS = re.compile(r"random|rng|generator", re.IGNORECASE)


def _drawn(text: str, name: str) -> str:
    ours = importlib.import_module("chainrule.numpy.random")  # to see whether it has the name
    if hasattr(getattr(ours, name, None), "__wrapped__"):
        return (
            f"{text} draws with plain parameters only; chainrule.numpy.random.{name}(key, …) draws "
            "with a derivative with respect to its parameters"
        )
    return f"{text} draws with plain parameters only, and chainrule.numpy.random has no {name} yet"


def way_out(call: Call | None) -> str | None:
    """What to write instead of a call that takes plain numbers only; None where nothing is known.

    What to do where the plain number is meant, the caller adds.
    """
    if call is None:
        return None
    if call.function is MISSING:  # np.random.default_rng(0).normal, rngs[0].normal
        return _drawn(call.text, call.name) if _DRAWS.search(call.text) else None
    if call.text == "%":
        return "the % sign formats plain numbers only; write f'{x:.3f}', which reads a traced one"
    module, name = call.module, call.name
    if call.function is getattr(math, name, MISSING):
        instead = _OF_MATH.get(name, f"np.{name}").format(name)
        if instead.startswith("scipy") or hasattr(np, name) or name in _OF_MATH:
            return f"math cannot carry a derivative; use {instead} for math.{name}"
    if module.startswith("numpy.random") or isinstance(
        getattr(call.function, "__self__", None), np.random.Generator | np.random.RandomState
    ):
        return _drawn(call.text, name)
    if module == "numpy" and name in _SUPPLIED:
        return f"use chainrule.numpy.{name} for np.{name}"
    if module.split(".")[0] == "scipy":
        ours = counterpart(call)
        if ours is not None:
            return f"{module}.{name} takes plain numbers only; use {ours}, which has a derivative"
        return (
            f"{module}.{name} takes plain numbers only and has no counterpart in chainrule.scipy "
            "yet; write it with NumPy functions"
        )
    return None
