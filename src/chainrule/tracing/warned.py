"""Warnings of NumPy inside a differentiated function, told at the line of the user's code.

NumPy warns at the innermost Python frame, which is ours: log of 0 would be reported in tape.py,
and once for the whole process. While a transform runs, such a warning is given anew at the user's
line, where the user's filters see it. Without a warning nothing happens here.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

from chainrule.graph.node import OWN_FOLDERS

_NOT_THE_USERS = (*OWN_FOLDERS, warnings.__file__)


class _Placed:
    """Shows warnings as `before` does, those that were given in our files at the user's line."""

    __slots__ = ("before",)

    def __init__(self, before: Callable[..., None]) -> None:
        self.before = before

    def __call__(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        *rest: Any,
        **options: Any,
    ) -> None:
        if not filename.startswith(OWN_FOLDERS[0]):
            self.before(message, category, filename, lineno, *rest, **options)
            return
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
            if frame.f_code.co_filename == filename:
                # else the next one at this line of ours would count as told already
                frame.f_globals.get("__warningregistry__", {}).clear()
            frame = frame.f_back
        if frame is None:
            return
        warnings.warn_explicit(
            message,
            category,
            frame.f_code.co_filename,
            frame.f_lineno,
            module=str(frame.f_globals.get("__name__", "")),
            registry=frame.f_globals.setdefault("__warningregistry__", {}),
        )


def placed() -> Callable[..., None] | None:
    """Let warnings be placed; what showed them before, or None where they are placed already."""
    before = warnings.showwarning
    if isinstance(before, _Placed):
        return None
    warnings.showwarning = _Placed(before)
    return before
