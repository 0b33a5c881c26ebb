"""Trees of arrays in a file: an .npz without pickle, with a checksum over all of it.

Every array is an entry named by its path in the tree, such as `0/weight`, so `numpy.load` reads the
file too. The entry `chainrule-tree` holds the containers as JSON: an object {"dict": …},
{"list": …} or {"tuple": …}, the name of an array, or null for None. The comment of the archive ends
with the SHA-256 of all bytes before it, so damage anywhere is noticed before anything is parsed.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import WeightsError
from chainrule.train.atomic import write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray


STRUCTURE = "chainrule-tree"
COMMENT = b"chainrule weights, sha256 "
DIGEST_LENGTH = 64


def save_weights(path: str | Path, tree: Any) -> None:
    """Write a tree of arrays to a file, atomically: it is the old or the new one, never half.

    Containers are dicts with text as keys, lists and tuples; leaves are numbers, arrays of numbers
    and None. Equal trees give equal bytes. Raises WeightsError for another kind of container or
    leaf and for a file that cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_weights(f"{folder}/weights.npz", [{"weight": np.eye(2), "bias": None}])
    ...     load_weights(f"{folder}/weights.npz")
    [{'weight': array([[1., 0.],
           [0., 1.]]), 'bias': None}]
    """
    arrays: dict[str, NDArray[Any]] = {}
    structure = json.dumps(_describe(tree, (), arrays))
    if STRUCTURE in arrays:
        raise WeightsError(f"The name {STRUCTURE!r} is taken by the file. Rename that entry.")
    content = _archive({STRUCTURE: np.array(structure), **arrays})
    try:
        write_atomically(Path(path), content)
    except OSError as error:
        raise WeightsError(
            f"The weights file {path} cannot be written: {error.strerror}. "
            "Choose a place that exists and that you may write to."
        ) from error


def load_weights(path: str | Path) -> Any:
    """Read back the tree that `save_weights` wrote, with equal containers, arrays and types.

    Raises WeightsError for a file that is missing, damaged, or no weights file.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise WeightsError(
            f"There is no weights file {path}. Check the path, or train first: "
            "`chainrule train digits` writes one."
        ) from error
    except OSError as error:
        raise WeightsError(
            f"The weights file {path} cannot be read: {error.strerror}. "
            "Give the path of a file written by save_weights."
        ) from error
    body, digest = content[:-DIGEST_LENGTH], content[-DIGEST_LENGTH:]
    if not body.endswith(COMMENT) or digest != _digest(body):
        raise WeightsError(
            f"The weights file {path} ({len(content):,} bytes) is damaged, or was not written by "
            "save_weights: its checksum does not fit. Restore it from a copy, or train again."
        )
    archive: Any
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return _rebuild(json.loads(str(archive[STRUCTURE])), archive)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Give the bytes of an .npz file whose comment ends with their checksum."""
    buffer = io.BytesIO()
    # Not numpy.savez: it takes the names as keywords and so refuses an array called `file`.
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            # A ZipInfo of its own has a fixed date, so that equal trees give equal bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.comment = COMMENT + b"0" * DIGEST_LENGTH
    body = buffer.getvalue()[:-DIGEST_LENGTH]
    return body + _digest(body)


def _describe(tree: Any, path: tuple[str, ...], arrays: dict[str, NDArray[Any]]) -> Any:
    """Describe the containers of a tree and collect its arrays under their paths."""
    if tree is None:
        return None
    if type(tree) is dict:
        if not all(isinstance(key, str) for key in tree):
            raise WeightsError(
                f"The dict at {_place(path)} has the keys {list(tree)}. "
                "A weights file names arrays by text: use text as keys."
            )
        return {"dict": {key: _describe(tree[key], (*path, key), arrays) for key in tree}}
    if type(tree) in (list, tuple):
        entries = [_describe(leaf, (*path, str(i)), arrays) for i, leaf in enumerate(tree)]
        return {type(tree).__name__: entries}
    array = np.asarray(tree)
    if array.dtype.kind not in "biufc":
        raise WeightsError(
            f"The entry at {_place(path)} is a {type(tree).__name__}. A weights file holds dicts, "
            "lists, tuples, numbers, arrays of numbers and None: take this entry out first."
        )
    name = "/".join(path) or "value"
    if name in arrays:
        raise WeightsError(f"Two entries would both be called {name!r}. Rename one of the keys.")
    arrays[name] = array
    return name


def _place(path: tuple[str, ...]) -> str:
    return "/".join(path) or "the top"


def _rebuild(structure: Any, archive: Mapping[str, NDArray[Any]]) -> Any:
    """Build the tree that `_describe` described."""
    if structure is None:
        return None
    if isinstance(structure, str):
        return archive[structure]
    ((kind, entries),) = structure.items()
    if kind == "dict":
        return {key: _rebuild(entry, archive) for key, entry in entries.items()}
    items = [_rebuild(entry, archive) for entry in entries]
    return tuple(items) if kind == "tuple" else items
