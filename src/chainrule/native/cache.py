"""Compiled code kept on disk, so that the next process need not compile it again.

A file is named by the hash of all that decides its content: the text that was compiled, and the
identity of the machine and of LLVM. It holds a mark, the hash of the rest, and the object code.
Loading code from a file is running it, so the folder must belong to the user and let no one else
write; a file that is another's, or that is damaged, is left alone and the code compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import warnings
from pathlib import Path

MARK = b"chainrule object code 1\n"
_DIGEST = hashlib.sha256().digest_size
MOST_BYTES = 512 * 2**20
"""How large the folder may grow; the files that were used longest ago are deleted first."""


def folder() -> Path | None:
    """Where compiled code is kept: CHAINRULE_CACHE_DIR, or `chainrule` in the user's cache folder.

    Empty, the variable switches the cache off.
    """
    given = os.environ.get("CHAINRULE_CACHE_DIR")
    if given is not None:
        return Path(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "chainrule"
    except RuntimeError:  # there is no home
        return None


def key(*parts: str) -> str:
    """The name of what is made from these texts.

    >>> key("a", "bc") == key("ab", "c")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        text = part.encode()
        digest.update(len(text).to_bytes(8, "little"))
        digest.update(text)
    return digest.hexdigest()


class Cache:
    """Files of compiled code in a folder of the user's own."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._warned = False

    def load(self, name: str) -> bytes | None:
        """The code stored under a name, or None."""
        if self.path is None:
            return None
        file = self.path / f"{name}.o"
        try:
            if not _is_own(os.stat(self.path)):
                self._warn(f"{self.path} belongs to another user, or others may write to it")
                return None
            with open(file, "rb") as opened:
                if not _is_own(os.fstat(opened.fileno())):
                    self._warn(f"{file} belongs to another user, or others may write to it")
                    return None
                content = opened.read()
        except OSError:
            return None
        code = _checked(content)
        if code is None:
            self._warn(f"{file} is damaged")
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return code

    def store(self, name: str, code: bytes) -> None:
        """Keep code under a name; a folder that is full or cannot be written to is no error."""
        if self.path is None:
            return
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_own(os.stat(self.path)):
                return
            with tempfile.NamedTemporaryFile(dir=self.path, prefix="new-", delete=False) as file:
                try:
                    file.write(MARK + hashlib.sha256(code).digest() + code)
                    file.flush()
                    os.replace(file.name, self.path / f"{name}.o")
                except OSError:
                    os.unlink(file.name)
                    raise
            self._trim()
        except OSError:
            return

    def _trim(self) -> None:
        """Delete the files that were used longest ago where the folder has grown too large."""
        assert self.path is not None
        with os.scandir(self.path) as entries:
            found = [(e.stat().st_mtime, e.stat().st_size, e.path) for e in entries]
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= MOST_BYTES:
                break
            with contextlib.suppress(FileNotFoundError):  # another process was first
                os.unlink(path)
            total -= size

    def _warn(self, what: str) -> None:
        """Say once that a stored file is not used."""
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{what}; compiled code is not loaded from there, and is compiled again. "
                "Delete it, or set CHAINRULE_CACHE_DIR to a folder of your own.",
                RuntimeWarning,
                stacklevel=3,
            )


def _is_own(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user, and nobody else may write to it."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _checked(content: bytes) -> bytes | None:
    """The code in a file, if the file is whole."""
    start = len(MARK) + _DIGEST
    if not content.startswith(MARK) or len(content) < start:
        return None
    code = content[start:]
    return code if hashlib.sha256(code).digest() == content[len(MARK) : start] else None
