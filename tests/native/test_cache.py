"""Compiled code on disk: found again, checked, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.native import cache as cache_file
from chainrule.native.cache import Cache, folder, key
from chainrule.native.program import Program
from chainrule.native.schedule import schedule

CODE = b"object code"
NAME = key("text", "machine")


def _program(cache: Cache) -> Program:
    x = np.linspace(0, 1, 33)
    program = Program(schedule(cr.trace(lambda x: np.exp(x) * 2 + x)(x)), cache=cache)
    np.testing.assert_allclose(program([x])[0], np.exp(x) * 2 + x, rtol=1e-15)
    return program


def test_what_is_stored_is_found_again(tmp_path: Path) -> None:
    assert not _program(Cache(tmp_path)).module.from_cache
    assert _program(Cache(tmp_path)).module.from_cache
    assert not list(tmp_path.glob("new-*"))


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "a" / "b")
    cache.store(NAME, CODE)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert next((tmp_path / "a" / "b").iterdir()).stat().st_mode & 0o077 == 0
    assert cache.load(NAME) == CODE


@pytest.mark.parametrize(
    "content", [b"", b"ELF", cache_file.MARK, cache_file.MARK + bytes(32) + CODE], ids=repr
)
def test_a_damaged_file_is_compiled_again_with_one_warning(tmp_path: Path, content: bytes) -> None:
    _program(Cache(tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    with pytest.warns(RuntimeWarning, match="is damaged; compiled code is not loaded") as caught:
        program = _program(Cache(tmp_path))
    assert not program.module.from_cache
    assert len(caught) == 1
    assert _program(Cache(tmp_path)).module.from_cache


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    _program(Cache(tmp_path))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.warns(RuntimeWarning, match="is damaged"):
        _program(Cache(tmp_path))


def test_a_file_of_another_user_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cache(tmp_path).store(NAME, CODE)
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    cache = Cache(tmp_path)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert cache.load(NAME) is None
    assert cache.load(NAME) is None  # and no second warning
    cache.store(NAME, b"new")
    monkeypatch.undo()
    assert Cache(tmp_path).load(NAME) == CODE


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_others_may_write_to_is_not_loaded(tmp_path: Path, what: str) -> None:
    Cache(tmp_path).store(NAME, CODE)
    changed = tmp_path if what == "folder" else next(tmp_path.iterdir())
    changed.chmod(0o722)
    with pytest.warns(RuntimeWarning, match="others may write to it"):
        assert Cache(tmp_path).load(NAME) is None


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    cache = Cache(taken / "below")
    assert not _program(cache).module.from_cache
    assert not _program(cache).module.from_cache


def test_a_folder_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert not _program(Cache(tmp_path)).module.from_cache
    assert not list(tmp_path.iterdir())


def test_the_files_used_longest_ago_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    for k in range(4):
        cache.store(f"{k}", CODE)
        os.utime(tmp_path / f"{k}.o", (k, k))
    size = (tmp_path / "0.o").stat().st_size
    assert cache.load("0") == CODE  # just used
    monkeypatch.setattr(cache_file, "MOST_BYTES", 3 * size)
    cache.store("new", CODE)
    assert {file.name for file in tmp_path.iterdir()} == {"0.o", "3.o", "new.o"}


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", "")
    assert folder() is None
    monkeypatch.delenv("CHAINRULE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "chainrule"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".cache" / "chainrule"


def test_switched_off_nothing_is_stored() -> None:
    assert not _program(Cache(None)).module.from_cache
    assert not _program(Cache(None)).module.from_cache


_PROCESS = """
import sys, numpy as np, chainrule as cr
from chainrule.native.program import Program
from chainrule.native.schedule import schedule
x = np.linspace(0, 1, 33)
for k in range(12):
    program = Program(schedule(cr.trace(lambda x: np.exp(x) * k + x)(x)))
    assert np.allclose(program([x])[0], np.exp(x) * k + x)
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "CHAINRULE_CACHE_DIR": str(tmp_path / "new")}
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _PROCESS],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
    assert not list((tmp_path / "new").glob("new-*"))
