"""The machine at hand: its vectors, its symbols, and LLVM text turned into functions."""

from __future__ import annotations

import atexit
import functools
import os
import weakref
from typing import Any

import llvmlite
import llvmlite.binding as llvm  # loaded with this module, which the first compilation imports

from chainrule.native.cache import Cache, folder, key

_VECTOR_LIBRARY = "libmvec.so.1"
_LEVELS = (1, 2)
"""How much LLVM's passes and its code generator do; vectors are written out before them."""


class Machine:
    """LLVM's view of the processor that runs this, and the functions compiled for it."""

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.processor: str = llvm.get_host_cpu_name()
        self.features = dict(llvm.get_host_cpu_features())
        self.has_vector_library = _loaded(_VECTOR_LIBRARY)

    def target(self) -> Any:
        """A code generator for this processor; each engine takes one for its own."""
        return llvm.Target.from_default_triple().create_target_machine(
            cpu=self.processor,
            features=llvm.get_host_cpu_features().flatten(),
            opt=_LEVELS[1],
            jit=True,
        )

    @property
    def width(self) -> int:
        """Bits of a vector."""
        if self.features.get("avx512f") and self.features.get("avx512dq"):
            return 512
        return 256 if self.features.get("avx2") else 128

    def available(self, symbol: str) -> bool:
        """Whether a function is there to be called."""
        return self.has_vector_library and bool(llvm.address_of_symbol(symbol))

    @functools.cached_property
    def identity(self) -> str:
        """What compiled code depends on beside its text. (Routines of BLAS are found by name when
        the code is loaded, so it does not depend on their version.)
        """
        libc = os.confstr("CS_GNU_LIBC_VERSION") if self.has_vector_library else ""
        parts = (llvmlite.__version__, llvm.llvm_version_info, self.processor, self.features)
        return repr((*parts, libc, _LEVELS))

    def compile(self, text: str, cache: Cache | None = None) -> Module:
        """Native code for a module's text; from the cache, where it has been compiled before."""
        cache = cache or Cache(folder())
        name = key(text, self.identity)
        code = cache.load(name)
        found = code is not None
        if code is None:
            code = self._object_code(text)
            cache.store(name, code)
        return Module(text, code, found)

    def _object_code(self, text: str) -> bytes:
        target = self.target()
        code: bytes = target.emit_object(self._optimised(text, target))
        return code

    def _optimised(self, text: str, target: Any) -> Any:
        module = llvm.parse_assembly(text)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=_LEVELS[0])
        builder = llvm.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
        return module

    def assembly(self, text: str) -> str:
        """The machine's instructions for a module's text, as text."""
        target = self.target()
        found: str = target.emit_assembly(self._optimised(text, target))
        return found


class Module:
    """Compiled functions; they live as long as this does."""

    def __init__(self, text: str, code: bytes, from_cache: bool) -> None:
        self.text = text
        self.from_cache = from_cache
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine().target())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        _living().add(self)

    def address(self, name: str) -> int:
        """Where a function begins."""
        found: int = self._engine.get_function_address(name)
        return found

    def keep(self) -> None:
        """Never free the code, since threads may run it until the process ends; nothing more can be
        asked of it afterwards.
        """
        _living().discard(self)
        self._engine.detach()

    def assembly(self) -> str:
        """The machine's instructions, as text."""
        return machine().assembly(self.text)


@functools.cache
def _living() -> weakref.WeakSet[Module]:
    """The modules that have code; none of it is freed while the process ends, because threads that
    outlive Python's own end may still be running it.
    """
    modules: weakref.WeakSet[Module] = weakref.WeakSet()

    def keep_all() -> None:
        for module in list(modules):
            module.keep()

    atexit.register(keep_all)
    return modules


def _loaded(library: str) -> bool:
    """Whether a shared library of this system could be made visible to compiled code."""
    try:
        llvm.load_library_permanently(library)
    except RuntimeError:
        return False
    return True


@functools.cache
def machine() -> Machine:
    """The machine, found out once."""
    return Machine()
