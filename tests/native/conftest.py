"""Compiled code of the tests is kept apart from the user's, and lives as long as the session."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "compiled"
    folder.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(folder))
