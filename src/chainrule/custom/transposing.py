"""What is said where a rule of one mode cannot be transposed into the other."""

from __future__ import annotations

from typing import Any

from chainrule import errors


class transposing:  # noqa: N801  used as `with transposing(...):`
    """A rule is recorded to be transposed; where it cannot be, the error says what to state."""

    def __init__(self, name: str, stated: str, missing: str, mode: str) -> None:
        self.sentence = (
            f"{name} states its {stated} alone, and {mode} mode needs its transpose, which is "
            f"found by recording the rule; that failed (%s). Write the rule with NumPy functions, "
            f"or state the {missing} too"
        )

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # NumPy's and Python's own refusals of a traced array, beside chainrule's
        if isinstance(error, errors.ConversionError | errors.WriteError | TypeError):
            raise errors.UnsupportedError(self.sentence % error) from error
