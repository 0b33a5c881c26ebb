"""Numbers and arrays as short text, for people: `17`, `[1, 2]`, `[[0.3, …], …] (64, 10)`."""

from __future__ import annotations

from typing import Any

import numpy as np

DIGITS = 6
SMALL = 9
"""An array with at most so many entries is written out in full."""


def number(value: Any) -> str:
    """One number with six significant digits, and no sign on a zero.

    >>> [number(v) for v in (17.0, -0.0, 1 / 3, 2 - 1j, True)]
    ['17', '0', '0.333333', '(2-1j)', 'True']
    """
    if isinstance(value, float | np.floating):
        return f"{float(value) + 0.0:.{DIGITS}g}"
    if isinstance(value, complex | np.complexfloating):
        return f"({value.real + 0.0:.{DIGITS}g}{value.imag + 0.0:+.{DIGITS}g}j)"
    return str(value)


def is_small(value: Any) -> bool:
    """Whether the text of `value` shows all of it."""
    return int(np.size(value)) <= SMALL


def brief(value: Any) -> str:
    """A number or an array as one line; a larger array shows its corners and its shape.

    >>> brief(np.array([[1.0, 2.0], [3.0, 4.0]])), brief(np.arange(12.0))
    ('[[1, 2], [3, 4]]', '[0, …, 11] (12,)')
    """
    if np.ndim(value) == 0:
        return number(np.asarray(value)[()])
    text = np.array2string(
        np.asarray(value),
        separator=", ",
        threshold=SMALL,
        edgeitems=1,
        max_line_width=10**9,
        formatter={"all": number},
    )
    text = " ".join(text.replace("...", "…").split())
    return text if is_small(value) else f"{text} {np.shape(value)}"
