"""Strong zeros, or IEEE 754's: how the product of the chain rule is to be understood.

`strict=True` of a transform makes 0 · ∞ NaN in everything that runs inside it, derivatives of
derivatives included. Nothing is asked before a NaN has appeared, so the choice costs nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_plain: ContextVar[bool] = ContextVar("plain products in the chain rule", default=False)


def products_are_plain() -> bool:
    """Whether a NaN in a product of the chain rule is to stay."""
    return _plain.get()


@contextmanager
def plain_products(strict: bool = True) -> Iterator[None]:
    """Inside, the chain rule multiplies as IEEE 754 says, if `strict`."""
    token = _plain.set(strict or _plain.get())
    try:
        yield
    finally:
        _plain.reset(token)


def strictly(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with plain products."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with plain_products():
            return function(*args, **kwargs)

    return run
