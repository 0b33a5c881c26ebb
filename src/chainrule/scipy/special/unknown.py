"""What a rule says where no derivative is known: a sentence, never a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import errors
from chainrule.graph.node import callers_place


def unknown(parameter: str) -> Callable[[], Any]:
    """A partial derivative that is not known: evaluating it raises, and names the parameter."""

    def partial() -> Any:
        raise errors.UnsupportedError(
            f"the derivative with respect to {parameter} was asked for at {callers_place()}, and "
            "is not known here: leave that parameter out of the variables, or pass "
            "chainrule.stop_gradient of it where no derivative is meant to pass"
        )

    return partial
