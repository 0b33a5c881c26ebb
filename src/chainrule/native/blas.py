"""The matrix products of OpenBLAS, with the kernels that suit this processor, one thread each.

The kernels are chosen here by the instructions that the processor has, so that a processor newer
than OpenBLAS is not taken for an old one. OPENBLAS_CORETYPE is replaced while the library loads: it
is often set for all programs of a cluster, for the sake of its oldest machine, and can cost half of
the speed. Who means this package sets CHAINRULE_BLAS_KERNELS, to one of OpenBLAS's names.

Products are cut into panels by the schedule and run on our own threads: OpenBLAS's own threading
makes results depend on how many there are.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import os
from collections.abc import Iterator, Mapping

import llvmlite.binding as llvm  # loaded with this module, which the first compilation imports

from chainrule.native.machine import machine

KERNEL_SETS = (
    ("SapphireRapids", ("amx-tile", "avx512bf16", "avx512vnni")),
    ("SkylakeX", ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd")),
    ("Haswell", ("avx2", "fma")),
)
"""OpenBLAS's names for its kernels on x86-64, best first, and the instructions that they need."""

ROUTINES = ("gemm", "gemv", "dot")
"""What compiled code calls; each for float32 (s) and float64 (d)."""


def symbol(routine: str, type: str) -> str:
    """The name under which compiled code finds a routine: `chainrule_sgemm` and so on."""
    return f"chainrule_{'s' if type == 'f32' else 'd'}{routine}"


def kernel_set(features: Mapping[str, bool]) -> str | None:
    """The kernels for a processor with the given features; None leaves it to OpenBLAS.

    >>> kernel_set({"avx2": True, "fma": True})
    'Haswell'
    """
    for name, needed in KERNEL_SETS:
        if all(features.get(feature) for feature in needed):
            return name
    return None


class Blas:
    """OpenBLAS, loaded once; its routines are visible to compiled code."""

    def __init__(self) -> None:
        path = _library_path()
        chosen = {"OPENBLAS_NUM_THREADS": "1"}
        kernels = os.environ.get("CHAINRULE_BLAS_KERNELS") or kernel_set(machine().features)
        if kernels is not None:
            chosen["OPENBLAS_CORETYPE"] = kernels
        with _environment(chosen):
            self._library = ctypes.CDLL(path)
        self._library.scipy_openblas_set_num_threads(1)
        for routine in ROUTINES:
            for letter, type in (("s", "f32"), ("d", "f64")):
                address = ctypes.cast(
                    self._library[f"scipy_cblas_{letter}{routine}"], ctypes.c_void_p
                ).value
                llvm.add_symbol(symbol(routine, type), address)

    @property
    def kernels(self) -> str:
        """The kernels in use, by OpenBLAS's name."""
        return self._text("scipy_openblas_get_corename")

    @property
    def version(self) -> str:
        """OpenBLAS's description of itself."""
        return self._text("scipy_openblas_get_config")

    def _text(self, name: str) -> str:
        function = self._library[name]
        function.restype = ctypes.c_char_p
        text: bytes = function()
        return text.decode()


def _library_path() -> str:
    """The library in the package `scipy_openblas32`, which is not imported: that would load it,
    before its kernels are chosen.
    """
    package = importlib.util.find_spec("scipy_openblas32")
    if package is None or not package.submodule_search_locations:
        raise ImportError("scipy_openblas32 is not installed: pip install scipy-openblas32")
    folder = os.path.join(package.submodule_search_locations[0], "lib")
    found = [file for file in sorted(os.listdir(folder)) if "scipy_openblas" in file]
    libraries = [file for file in found if file.endswith((".so", ".dylib", ".dll"))]
    return os.path.join(folder, libraries[0])


@contextlib.contextmanager
def _environment(chosen: Mapping[str, str]) -> Iterator[None]:
    """Variables set for the time of loading, when OpenBLAS reads them, and then as they were."""
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@functools.cache
def blas() -> Blas:
    """OpenBLAS, loaded at the first product."""
    return Blas()
