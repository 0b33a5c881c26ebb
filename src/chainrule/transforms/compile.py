"""Functions compiled: traced once for each kind of arguments, run as native code after that."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from types import MethodType
from typing import Any

import numpy as np
import optree

from chainrule import errors
from chainrule.graph import Graph, Spec
from chainrule.graph.fingerprint import fingerprint
from chainrule.graph.node import callers_place
from chainrule.native import availability
from chainrule.passes.own_results import own_results
from chainrule.passes.simplify import simplify
from chainrule.tracing.specialising import Foreign
from chainrule.transforms import backends, delivery
from chainrule.transforms.backends import Backend, Form, Runnable, Source
from chainrule.transforms.forms import form_of
from chainrule.transforms.lowered import Bound, Lowered, placeholder
from chainrule.transforms.signature import Call, call_of, differences, only_leading_differs
from chainrule.transforms.specialise import Miss, Specialisation, trace_call
from chainrule.transforms.surroundings import Surroundings

CAP = 64
"""So many specialisations of one function; after that, calls that none fits run interpreted."""


class Compiled:
    """A function that is traced at its first call of each kind and runs natively from then on."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        donate: tuple[int, ...] = (),
        backend: Backend = "native",
        stabilise: bool = False,
    ) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._donate = donate
        self._backend = backend
        self._stabilise = stabilise
        self._lock = threading.RLock()
        self._found: dict[Any, list[Specialisation]] = {}
        self._order: list[Specialisation] = []
        self._runnables: dict[Any, Runnable] = {}
        self._reasons: list[str] = []
        self._is_full = False
        self._fast: tuple[Callable[..., Any], Surroundings] | None = None
        self._fallbacks: dict[int, Callable[..., Any]] = {}
        self._has_out = "out" in _parameters(function)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self._name}: {len(self._order)} specialisations>"

    @property
    def _name(self) -> str:
        return getattr(self._function, "__name__", type(self._function).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result; `out=` takes a tree of arrays to write it into."""
        if self._fast is not None and not kwargs:
            entry, surroundings = self._fast
            if surroundings.is_simple:
                return entry(*args)
            if surroundings.hold():
                return entry(*args, *surroundings.arrays())
        return self._call(args, kwargs)

    def _without_hidden(self, count: int) -> Callable[..., Any]:
        """What the native entry calls where the arguments are others than it was made for.

        The last `count` of them are the hidden inputs.
        """
        if count not in self._fallbacks:
            self._fallbacks[count] = lambda *args: self._call(args[: len(args) - count], {})
        return self._fallbacks[count]

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        out = kwargs.pop("out", None) if not self._has_out else None
        call = call_of(args, kwargs)
        if call is None:  # an argument belongs to a running transform: part of its graph
            return delivery.into(out, self._function(*args, **kwargs))
        result = self._run(call)
        if self._donate:
            result = delivery.donated(self._donate, args, result)
        return result if out is None else delivery.into(out, result)

    def _run(self, call: Call) -> Any:
        miss: Miss | None = None
        for tried in self._found.get(call.key, ()):
            if miss is not None and not tried.fits(miss.observed):
                continue
            if not tried.trace.surroundings.hold():
                continue
            outputs = tried.run(call.arrays)
            if not isinstance(outputs, Miss):
                return tried.result(outputs)
            miss = outputs
        with self._lock:
            try:
                made = self._specialise(call, miss)
            except Foreign:
                made = None
        if made is None:
            args, kwargs = call.with_inputs(call.arrays)
            return self._function(*args, **kwargs)
        outputs = made.run(call.arrays)
        if isinstance(outputs, Miss):
            raise errors.MutationError(
                f"the compiled function {self._name} read another value at {outputs.guard.place} "
                "when it ran than when it was traced with the same arguments; it has to depend on "
                "its arguments alone (draw random numbers outside and pass them in)"
            )
        return made.result(outputs)

    # -- specialisations ------------------------------------------------------------------------

    def _specialise(self, call: Call, miss: Miss | None) -> Specialisation | None:
        """A new specialisation for the call; None where there are too many already."""
        known = self._found.get(call.key, [])
        stale = [s for s in known if not s.trace.surroundings.hold()]
        reason = self._reason(call, miss, stale)
        referenced = bool(stale) and all(
            k in stale[0].trace.surroundings.inputs
            for k, _ in stale[0].trace.surroundings.changes()
        )
        if len(self._order) >= CAP and not referenced and not self._make_room(call):
            self._say_that_it_is_full(reason)
            return None
        free = self._free(stale)
        trace = trace_call(self._function, call, self._leaf_names(call), free)
        same = next((s for s in stale if s.trace.fingerprint == trace.fingerprint), None)
        if same is None and len(self._order) >= CAP and not self._make_room(call):
            self._say_that_it_is_full(reason)
            return None
        if same is not None:  # what changed is read by reference, or did not matter
            trace = self._relaxed(trace, same)
        if reason:
            self._reasons.append(reason)
        form = None
        if self._backend == "native":
            fallback = self._without_hidden(len(trace.surroundings.hidden))
            form = form_of(trace, call, self._donate, fallback, self._name)
        made = Specialisation(trace, call, self._prepare, self._finish, form)
        if made.entry is not None:
            self._fast = made.entry, trace.surroundings
        self._order = [s for s in self._order if s is not same] + [made]
        self._found = {**self._found, call.key: [made, *(s for s in known if s is not same)]}
        return made

    def _free(self, stale: list[Specialisation]) -> frozenset[int]:
        return frozenset().union(*(s.trace.surroundings.free for s in stale))

    def _relaxed(self, trace: Any, same: Specialisation) -> Any:
        """The trace, with the names that changed without changing the graph set free."""
        before = same.trace.surroundings
        changed = {k for k, _ in before.changes()} & before.inputs
        surroundings = trace.surroundings
        if len(before.bindings) != len(surroundings.bindings):
            return trace
        return trace._replace(surroundings=surroundings.freed(surroundings.free | changed))

    def _make_room(self, call: Call) -> bool:
        """Let go of the oldest specialisation that differs in the first axes alone, if one does."""
        for old in self._order:
            if old.call.key != call.key and only_leading_differs(old.call.key, call.key):
                self._order = [s for s in self._order if s is not old]
                rest = [s for s in self._found[old.call.key] if s is not old]
                self._found = {**self._found, old.call.key: rest}
                return True
        return False

    def _say_that_it_is_full(self, reason: str) -> None:
        if not self._is_full:
            self._is_full = True
            warnings.warn(
                f"{self._name} has {CAP} specialisations; at {callers_place()} a call that none "
                f"fits runs with NumPy, operation by operation. The last one: {reason}. "
                "why_retraced() tells of all",
                errors.CompileWarning,
                stacklevel=5,
            )

    def _reason(self, call: Call, miss: Miss | None, stale: list[Specialisation]) -> str:
        """Why the function is traced again, as a sentence; empty for the first time."""
        if miss is not None:
            return (
                f"{miss.guard.kind} at {miss.guard.place} read {miss.observed[-1]!r}, not "
                f"{miss.guard.observed!r} as before"
            )
        if stale:
            return "; ".join(text for _, text in stale[0].trace.surroundings.changes())
        if not self._order:
            return ""
        found = [differences(s.call.key, call.key, self._names_of) for s in reversed(self._order)]
        return "; ".join(sorted(found, key=len)[0])

    def _leaf_names(self, call: Call) -> list[str]:
        return self._names_of((call.treedef, call.leaves))

    def _names_of(self, structure: Any) -> list[str]:
        """Names for the leaves of the arguments: x, params['w'], x[0]."""
        treedef, leaves = structure
        positional = list(_parameters(self._function))

        def argument(k: int) -> str:
            return positional[k] if k < len(positional) else f"argument{k}"

        if treedef is None:
            return [argument(k) for k in range(len(leaves))]
        names = []
        for path in optree.treespec_paths(treedef):
            first = argument(path[1]) if path[0] == 0 else str(path[1])
            names.append(first + "".join(f"[{key!r}]" for key in path[2:]))
        return names

    def _prepare(self, graph: Graph, is_small: bool) -> Runnable:
        """A piece that ends in guards."""
        return self._runnable(graph, "interpreted" if is_small else self._backend, None)

    def _finish(self, graph: Graph, form: Form | None) -> Runnable:
        """The piece that gives the result."""
        return self._runnable(own_results(self._simplified(graph)), self._backend, form)

    def _simplified(self, graph: Graph) -> Graph:
        """NumPy runs the operations as they were written, but for those that change no bit."""
        return simplify(graph, exact=self._backend == "interpreted")

    def _runnable(self, graph: Graph, backend: Backend, form: Form | None) -> Runnable:
        """The graph made ready; a graph that was there before is not compiled again."""
        backend = "interpreted" if self._backend == "interpreted" else backend
        key = (fingerprint(graph), backend, form and repr(form))
        if key not in self._runnables:
            self._runnables[key] = backends.prepare(graph, backend, form)
        return self._runnables[key]

    # -- what it is made of ---------------------------------------------------------------------

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Trace and compile for these arguments without running; a `spec` may stand for an array.

        With a spec no value is known, so a function that reads one cannot be lowered from it.
        """
        tree: Any = (args, kwargs)
        leaves, treedef = optree.tree_flatten(
            tree, none_is_leaf=True, is_leaf=lambda leaf: isinstance(leaf, Spec)
        )
        has_specs = any(isinstance(leaf, Spec) for leaf in leaves)
        filled = [placeholder(leaf) if isinstance(leaf, Spec) else leaf for leaf in leaves]
        tree = optree.tree_unflatten(treedef, filled)
        call = call_of(*tree)
        if call is None:
            raise errors.InputError(
                f"lower at {callers_place()} is given a traced value; pass arrays or specs"
            )
        with np.errstate(all="ignore") if has_specs else nullcontext():
            made = self._ready(call)
        guards = made.trace.graph.guards
        if has_specs and guards:
            raise errors.InputError(
                f"lower at {callers_place()} is given a spec, and {self._name} reads a value at "
                f"{guards[0].place}; pass an array there"
            )
        return Lowered(made)

    def _ready(self, call: Call) -> Specialisation:
        """A specialisation for the call, there already or made now."""
        with self._lock:
            for known in self._found.get(call.key, ()):
                if known.trace.surroundings.hold():
                    return known
            made = self._specialise(call, None)
        if made is None:
            raise errors.SettingError(f"{self._name} has {CAP} specialisations already")
        return made

    def bind(self, *args: Any, **kwargs: Any) -> Bound:
        """The function with its first arguments, and those named, given once for many calls."""
        return Bound(self, args, kwargs)

    def specialisations(self) -> list[Lowered]:
        """What the function was compiled for so far, in the order in which that was done."""
        return [Lowered(s) for s in self._order]

    def why_retraced(self) -> list[str]:
        """For each time but the first that the function was traced, what had changed."""
        return list(self._reasons)

    def constants(self) -> list[str]:
        """What the last specialisation took from outside the arguments, and how it is kept true."""
        return self._last().constants()

    def source(self, what: Source = "graph") -> str:
        """The last specialisation as text: its graph, schedule, LLVM code or machine code."""
        return self._last().source(what)

    def report(self) -> str:
        """What the last specialisation consists of: kernels, products, bytes, NumPy's steps."""
        return self._last().report()

    def _last(self) -> Lowered:
        if not self._order:
            raise errors.SettingError(
                f"{self._name} has not been compiled yet at {callers_place()}; call it, or "
                f"use lower(...), first"
            )
        return Lowered(self._order[-1])


@functools.cache
def _parameters(function: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def compile(
    f: Callable[..., Any],
    *,
    memory_limit: int | None = None,
    stabilise: bool = False,
    donate: int | tuple[int, ...] = (),
    backend: Backend = "native",
) -> Compiled:
    """`f` as native code for the processor at hand: the same arguments, the same results.

    At its first call with arrays of some shapes and dtypes, `f` runs once and is recorded; the
    graph becomes a specialisation, which later calls of that kind run without Python. Arrays and
    floats are inputs. Integers, texts and other leaves that are no arrays are part of the program.
    A value that the code reads (`if`, `while`, `int`, the count of a mask) is a guard, asked before
    anything that comes after it; one that fails has `f` traced again.

    Arrays that `f` takes from outside are read on every call, and names that mean something else
    than before have it traced again (`constants()` lists them). The arguments that `donate` names
    may be overwritten with results of their shape and dtype. `backend="interpreted"` runs the same
    graphs with NumPy.

    Raises InputError for arguments that are neither arrays, numbers nor hashable, and for random
    numbers drawn while tracing.

    >>> import numpy as np
    >>> from chainrule.transforms.reverse_mode import value_and_grad
    >>> step = compile(value_and_grad(lambda x: np.sum(x * x)), backend="interpreted")
    >>> step(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    if not callable(f):
        raise errors.InputError(f"compile at {callers_place()} is given no function: {f!r}")
    if backend not in ("native", "interpreted"):
        raise errors.SettingError(f"backend={backend!r}: choose 'native' or 'interpreted'")
    if memory_limit is not None:
        raise errors.UnsupportedError(
            "compile takes no memory_limit yet; checkpoint(f) recomputes instead of storing"
        )
    if stabilise:
        raise errors.UnsupportedError("compile cannot stabilise yet; leave stabilise=False")
    if backend == "native" and not availability.is_available():
        backend = "interpreted"
    positions = donate if isinstance(donate, tuple) else (donate,)
    return Compiled(f, donate=positions, backend=backend, stabilise=stabilise)
