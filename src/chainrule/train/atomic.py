"""Files that are old or new, never half: write beside, flush to the disk, then rename."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SUFFIX = ".partial"


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by this content, or leave it as it was, whenever the process is stopped.

    A rename within one folder is atomic on every file system that chainrule meets; the flush
    before it keeps the rename from reaching the disk ahead of the content. An exception, Ctrl-C
    among them, takes the unfinished file away; after a kill a hidden `.name.….partial` may stay,
    which `remove_partials` clears. Raises OSError as the system gives it.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{SUFFIX}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_partials(folder: Path) -> None:
    """Clear what killed writers left in a folder that no writer uses now."""
    for partial in folder.glob(f".*{SUFFIX}"):
        partial.unlink(missing_ok=True)
