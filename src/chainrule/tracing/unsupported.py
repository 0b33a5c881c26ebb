"""The NumPy functions that refuse traced arrays, each with what to use instead."""

from __future__ import annotations

from typing import Any

import numpy as np

_TO_A_FILE = (
    "a file holds plain numbers: return the array from the differentiated function and save it "
    "there, or save chainrule.stop_gradient(x)"
)
_DATES = "dates and business days have no derivative: work with them before differentiating"

UNSUPPORTED: dict[Any, str] = {
    np.save: _TO_A_FILE,
    np.savez: _TO_A_FILE,
    np.savez_compressed: _TO_A_FILE,
    np.savetxt: _TO_A_FILE,
    np.busday_count: _DATES,
    np.busday_offset: _DATES,
    np.is_busday: _DATES,
    np.datetime_as_string: _DATES,
    np.isnat: _DATES,
}
