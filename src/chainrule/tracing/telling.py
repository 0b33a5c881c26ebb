"""How the errors that leave a transform are told: in our sentence where NumPy's says less."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import numpy as np

from chainrule import errors
from chainrule.graph import Level, Place, Traced
from chainrule.graph.node import OWN_FOLDERS
from chainrule.tracing.calls import Call, call_at, way_out

# How NumPy's loops say that they have no loop for objects.
_OBJECT_REFUSALS = ("dtype('O')", "not supported for the input types", "which has no callable")
_LIBRARIES = OWN_FOLDERS[1:]  # NumPy and SciPy
_PLAIN_KINDS = (
    *(TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError),
    *(LookupError, ArithmeticError, BufferError),
)
_NUMBERS = (float, int, complex, np.generic)


# The last refusal to give a plain number. C code that called back, as SciPy's solvers do, may go on
# with the error set, and what comes out in the end is some other error, without a chain to ours.
_Refusal = tuple[int, errors.ChainruleError] | None
_refusal: ContextVar[_Refusal] = ContextVar("last refusal", default=None)


def remembered(error: errors.ChainruleError, level: Level) -> errors.ChainruleError:
    """The error, remembered in case that C code loses it on the way up."""
    _refusal.set((level.tag, error))
    return error


def _is_the_users(file: str) -> bool:
    """Whether a frame of this file is of the user's code: not ours, NumPy's, SciPy's or Cython's.

    Cython adds frames to tracebacks, with files relative to where it was compiled.
    """
    return not file.startswith(OWN_FOLDERS) and not file.endswith(
        (".pyx", ".pxd", "<stringsource>")
    )


def users_line(error: BaseException) -> str:
    """The innermost line of the user's code on the way to `error`."""
    found = "an unknown line"
    for frame in traceback.extract_tb(error.__traceback__):
        if _is_the_users(frame.filename):
            found = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those behind it; a chain can close into a ring."""
    seen: set[int] = set()
    hidden: BaseException | None = error
    while hidden is not None and id(hidden) not in seen:
        seen.add(id(hidden))
        yield hidden
        hidden = hidden.__cause__ or hidden.__context__


def _was_caught(hidden: BaseException) -> bool:
    """Whether the user's code caught `hidden`: then its way up went through the user's frame.

    One that NumPy's C code took and replaced ends in our frames.
    """
    trace = hidden.__traceback__
    return trace is None or not trace.tb_frame.f_code.co_filename.startswith(OWN_FOLDERS)


def own_sentence(error: BaseException) -> errors.ChainruleError | None:
    """The error of ours that NumPy or SciPy wrapped into `error`, or which it is."""
    for hidden in _chain(error):
        if isinstance(hidden, errors.ChainruleError):
            return hidden if hidden is error or not _was_caught(hidden) else None
    return None


def tell(error: BaseException, level: Level, captured: list[Place]) -> None:
    """Raise our own sentence where NumPy wrapped it, or where it can say more.

    `level` has just ended; `captured` are the lines at which arrays were recorded that are
    read-only since.
    """
    hidden = own_sentence(error)
    if hidden is not None and hidden is not error:
        raise hidden from None
    if any(isinstance(part, errors.ChainruleError) for part in _chain(error)):
        return
    tag, lost = _refusal.get() or (0, None)
    if lost is not None and tag >= level.tag:
        _refusal.set(None)
        # one that C code dropped never got a traceback
        unseen = lost.__traceback__ is None or not _was_caught(lost)
        if unseen and _went_through_a_library(error):
            raise lost from None
    if _is_about_objects(error):
        raise errors.ConversionError(
            "an object array of traced values, which np.array([x, y]) makes, is used at "
            f"{users_line(error)} by a function that takes plain numbers only; make the array "
            "with chainrule.numpy.array (import chainrule.numpy as np) or np.stack"
        ) from error
    if captured and isinstance(error, ValueError) and "read-only" in str(error):
        lines = ", ".join(dict.fromkeys(str(place) for place in captured))
        raise errors.MutationError(
            f"an array that was recorded at {lines} is written at {users_line(error)} before its "
            "derivative is computed, which would change the gradient; write into a copy instead "
            "(a = a.copy())"
        ) from error
    if isinstance(error, _PLAIN_KINDS) and not isinstance(error, np.linalg.LinAlgError):
        call = _call_of_a_library(error)
        if call is not None:
            raise _refused(call, error) from error


def _went_through_a_library(error: BaseException) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(frame.f_code.co_filename.startswith(_LIBRARIES) for frame in frames)


def _is_about_objects(error: BaseException) -> bool:
    """Whether a loop of NumPy over objects met one that it has no function for."""
    if isinstance(error, TypeError):
        return any(words in str(error) for words in _OBJECT_REFUSALS)
    if isinstance(error, AttributeError) and isinstance(error.obj, _NUMBERS):
        # np.exp(array of objects) asks each for its method exp, which a plain number has not
        return isinstance(getattr(np, error.name or "", None), np.ufunc)
    return False


def _call_of_a_library(error: BaseException) -> Call | None:
    """The call of NumPy or SciPy with traced values, directly in the user's code, that failed."""
    found: TracebackType | None = None
    trace = error.__traceback__
    while trace is not None:
        if _is_the_users(trace.tb_frame.f_code.co_filename):
            found = trace
        trace = trace.tb_next
    if found is None or found.tb_next is None:
        return None
    inner = found.tb_next.tb_frame
    if not inner.f_code.co_filename.startswith(_LIBRARIES):
        return None
    if not any(_holds_traced(value) for value in inner.f_locals.values()):
        return None
    call = call_at(found.tb_frame, found.tb_lasti)
    if call is not None and call.module.split(".")[0] in ("numpy", "scipy"):
        return call
    module = str(inner.f_globals.get("__name__", "numpy"))
    public = ".".join(part for part in module.split(".") if not part.startswith("_"))
    return Call(None, f"{public}.{inner.f_code.co_name}")


def _holds_traced(value: Any, depth: int = 0) -> bool:
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.reshape(-1).tolist()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and depth < 3:
        return any(_holds_traced(part, depth + 1) for part in value)
    return isinstance(value, Traced)


def _refused(call: Call, error: BaseException) -> errors.ConversionError:
    name = call.text if call.function is None else f"{call.module}.{call.name}"
    advice = way_out(call) or (
        "make arrays of traced values with chainrule.numpy.array or np.stack, or write it with "
        "functions that have a derivative (`chainrule list` names them)"
    )
    return errors.ConversionError(
        f"{name} at {users_line(error)} cannot work with traced values ({type(error).__name__}: "
        f"{error}): {advice}; where no derivative is meant to pass, give it "
        "chainrule.stop_gradient(x)"
    )
