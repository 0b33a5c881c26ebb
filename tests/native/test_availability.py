"""Without LLVM or BLAS nothing is compiled, and one warning says so."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import pytest

from chainrule import errors
from chainrule.native import availability


@pytest.mark.parametrize(
    ("missing", "packages"),
    [
        (("llvmlite",), "pip install llvmlite`"),
        (("scipy_openblas32",), "pip install scipy-openblas32`"),
        (("llvmlite", "scipy_openblas32"), "pip install llvmlite scipy-openblas32`"),
    ],
)
def test_one_warning_says_what_is_missing(
    missing: tuple[str, ...], packages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name in missing else find(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    availability._warn.cache_clear()
    with pytest.warns(RuntimeWarning, match="run on the interpreter, because") as caught:
        assert not availability.is_available()
    assert packages in str(caught[0].message)
    assert caught[0].category is errors.CompileWarning
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not availability.is_available()
    availability._warn.cache_clear()


def test_here_everything_is_there() -> None:
    assert availability.is_available()
