"""Warnings of NumPy inside a differentiated function, told at the line of the user's code.

NumPy warns at the innermost Python frame, which is ours: log of 0 would be reported in tape.py,
and once for the whole process. While a transform runs, such a warning is given anew at the user's
line, where the user's filters see it. Without a warning nothing happens here.
"""

from __future__ import annotations

import sys
import threading
import warnings
from types import FrameType
from typing import Any

from chainrule.graph.node import OWN_FOLDERS

_NOT_THE_USERS = (*OWN_FOLDERS, warnings.__file__)


class _Showing:
    """How many transforms run, and what showed warnings before the first of them began."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = 0
        self.before: Any = None

    def begin(self) -> None:
        with self.lock:
            if self.running == 0:
                self.before = warnings.showwarning
                warnings.showwarning = self.show
            self.running += 1

    def end(self) -> None:
        with self.lock:
            self.running -= 1
            if self.running == 0:
                if warnings.showwarning == self.show:
                    warnings.showwarning = self.before
                self.before = None

    def show(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        frame: FrameType | None = sys._getframe(1)
        if not filename.startswith(OWN_FOLDERS[0]):
            (self.before or warnings._showwarning_orig)(  # type: ignore[attr-defined]
                message, category, filename, lineno, file, line
            )
            return
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


showing = _Showing()
