"""A schedule made ready to run: code compiled, buffers placed, and two ways to call it.

`Program.__call__` is called from Python with a list of arrays and returns a list of arrays: it
brings anything that fits into the form that the code needs, and does the steps that only Python
can. `Program.function` is the native entry: it takes the user's own arguments, and calls a fallback
where they are not what was compiled for.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.graph import CONSTANT, Spec
from chainrule.graph.node import Edge
from chainrule.native.blas import blas
from chainrule.native.cache import Cache
from chainrule.native.calls import Call, Table, Tree
from chainrule.native.costs import nanoseconds
from chainrule.native.driver import NativeStep, driver_text, segments
from chainrule.native.entry import is_possible, native_function
from chainrule.native.entry_text import DECLARATIONS, ON_THE_STACK, entry_text
from chainrule.native.frames import Frame
from chainrule.native.lowering import Loops
from chainrule.native.machine import machine
from chainrule.native.pool import pool
from chainrule.native.products import Product
from chainrule.native.schedule import Interpreted, Schedule
from chainrule.planning.arena import ALIGNMENT

_SEGMENT = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)


class Program:
    """Runs a schedule on arrays; every call writes results of its own.

    `donated` gives, for positions of outputs, the position of an input of the same shape and dtype
    whose memory the result may take: the caller hands that array over. With `arguments` and
    `result`, the trees of the user's function, there is a native entry (`function`), which takes
    Python floats for the inputs `weak`, or, where that is None, for any that has no axes.
    """

    def __init__(
        self,
        schedule: Schedule,
        donated: Mapping[int, int] | None = None,
        *,
        arguments: tuple[Tree, ...] | None = None,
        result: Tree | None = None,
        scalars: bool = False,
        weak: frozenset[int] | None = None,
        cache: Cache | None = None,
    ) -> None:
        self.schedule = schedule
        self._weak = weak
        self.donated = dict(donated or {})
        self.inputs = [_native(node.outputs[0]) for node in schedule.graph.inputs]
        self.outputs = [_native(node.outputs[k]) for node, k in schedule.graph.outputs]
        for position, given in self.donated.items():
            if self.outputs[position] != self.inputs[given]:
                raise ValueError(
                    f"input {given}, {self.inputs[given]}, cannot be donated to output {position}, "
                    f"{self.outputs[position]}: shape and dtype must be the same"
                )
        if len(set(self.donated.values())) != len(self.donated):
            raise ValueError(f"an input can be donated to one output only: {self.donated}")
        self.frame = Frame(schedule, self.donated)
        self.donated = self.frame.donated
        self._segments = segments(schedule.steps)
        self._table = Table()
        text = self._text(arguments, result, scalars)
        pool()
        if any(isinstance(step, Product) for step in schedule.steps):
            blas()
        self.module = machine().compile(text, cache)
        self.text = text
        self._run = [_SEGMENT(self.module.address(s.name)) for s in self._segments]
        self.constants = {
            edge: _fitting(edge)
            for edge in dict.fromkeys(
                (*schedule.graph.outputs, *(e for n in schedule.graph.nodes for e in n.inputs))
            )
            if edge[0].primitive is CONSTANT
        }

    def _text(self, arguments: tuple[Tree, ...] | None, result: Tree | None, scalars: bool) -> str:
        steps, host = self.schedule.steps, machine()
        self.has_entry = (
            arguments is not None
            and result is not None
            and is_possible()
            and len(self._segments) == 1
        )
        if not self.has_entry or arguments is None or result is None:
            return driver_text(steps, self.frame, host)
        time = sum(nanoseconds(step) for step in steps if isinstance(step, NativeStep))
        specs = tuple(self.inputs), tuple(self.outputs)
        call = Call(arguments, result, *specs, scalars, time, self._weak)
        entry = entry_text(call, self.frame, self._table, self._segments[0].name)
        return driver_text(steps, self.frame, host, ["\n".join(DECLARATIONS), entry])

    def function(self, fallback: Callable[..., Any], name: str) -> Callable[..., Any] | None:
        """The native entry, or None where there is none: with steps of the interpreter, without
        trees, or where this Python has no place for it.
        """
        if not self.has_entry:
            return None
        arena = None
        if self.frame.arena_bytes > ON_THE_STACK:
            arena = _aligned(self.frame.arena_bytes)
        return native_function(self.module, self._table, self.constants, arena, fallback, name)

    # -- from Python ----------------------------------------------------------------------------

    def __call__(self, inputs: Sequence[Any], out: Sequence[Any] | None = None) -> list[Any]:
        """The outputs for arrays, in the order of the graph's inputs.

        With `out`, the results are written into the given arrays, one for each output, which may
        overlap with inputs. A ValueError tells where an array does not have the shape and dtype
        that the program was compiled for; an IndexError, where an index was out of bounds.
        """
        given, results = self._prepared(inputs, out)
        call = _CallFrame(self, given, results)
        self._execute(call)
        if out is None:
            return results
        for target, array in zip(out, results, strict=True):
            if target is not array:
                target[...] = array
        return list(out)

    def bind(self, inputs: Sequence[Any], out: Sequence[Any] | None = None) -> Bound:
        """A call on these very arrays, prepared once: it reads what they hold when it is called,
        and writes into the same results every time.

        The inputs must be aligned and in C order, so that nothing need be copied.
        """
        given, results = self._prepared(inputs, out)
        for k, (array, checked) in enumerate(zip(inputs, given, strict=True)):
            if array is not checked:
                raise ValueError(f"input {k} cannot be bound: it must be an aligned C-order array")
        for target, array in zip(out or (), results, strict=out is not None):
            if target is not array:
                raise ValueError("out must be aligned, in C order and apart from the inputs")
        return Bound(self, _CallFrame(self, given, results))

    def _prepared(
        self, inputs: Sequence[Any], out: Sequence[Any] | None
    ) -> tuple[list[Any], list[Any]]:
        """Inputs that the code can read, and arrays for its results."""
        if len(inputs) != len(self.inputs):
            raise ValueError(f"the program has {len(self.inputs)} inputs, not {len(inputs)}")
        if out is not None and len(out) != len(self.outputs):
            raise ValueError(f"the program has {len(self.outputs)} outputs, not {len(out)}")
        given = [self._checked(k, array) for k, array in enumerate(inputs)]
        results = [
            self._result(k, given, None if out is None else out[k])
            for k in range(len(self.outputs))
        ]
        return given, results

    def _checked(self, position: int, array: Any) -> Any:
        """An input as the code reads it; copied where it lies in another way."""
        spec = self.inputs[position]
        found = np.asarray(array)
        if found.shape != spec.shape or found.dtype.newbyteorder("=") != spec.dtype:
            kind = f"{found.dtype.name}[{','.join(map(str, found.shape))}]"
            raise ValueError(f"input {position} is {kind}; the program was compiled for {spec}")
        flags = found.flags
        if flags.c_contiguous and flags.aligned and found.dtype.isnative:
            return found
        return np.array(found, dtype=spec.dtype, order="C", subok=False)

    def _result(self, position: int, given: Sequence[Any], target: Any) -> Any:
        """Where an output is written."""
        spec = self.outputs[position]
        if target is not None:
            fits = target.shape == spec.shape and target.dtype == spec.dtype
            if not fits or not target.flags.writeable:
                raise ValueError(f"out must be a writeable array, {spec}, for output {position}")
            alone = not any(np.may_share_memory(target, array) for array in given)
            if target.flags.carray and type(target) is np.ndarray and alone:
                return target
        elif position in self.donated:
            donor = given[self.donated[position]]
            others = [a for k, a in enumerate(given) if k != self.donated[position]]
            if donor.flags.writeable and not any(np.may_share_memory(donor, a) for a in others):
                return donor
        return np.empty(spec.shape, spec.dtype)

    def _execute(self, call: _CallFrame) -> None:
        """Run the segments, with Python's steps between them."""
        for run, segment in zip(self._run, self._segments, strict=True):
            failed = run(call.addresses)
            if failed:
                raise IndexError(self._sentence(failed - 1))
            if segment.then is not None:
                step = self.schedule.steps[segment.then]
                assert isinstance(step, Interpreted)
                self._interpret(step, call)

    def _interpret(self, step: Interpreted, call: _CallFrame) -> None:
        """One operation with NumPy, on views of the buffers."""
        node, outputs = step.node, self.schedule.graph.outputs
        given = [self._read(edge, call) for edge in node.inputs]
        made = node.primitive.compute(*given, **node.params)
        for k, y in enumerate(made if isinstance(made, tuple) else (made,)):
            spec = _native(node.outputs[k])
            array = np.array(y, dtype=spec.dtype, order="C", copy=None).reshape(spec.shape)
            edge = (node, k)
            if edge in outputs and edge not in self.frame.others:
                place = self.frame.place(edge)
                if place.slot == self.frame.arena:
                    _at(call.arena, place.offset, spec)[...] = array
                else:
                    call.results[place.slot - self.frame.first_output][...] = array
            else:
                call.values[edge] = array  # kept until the call ends
                call.addresses[self.frame.others[edge]] = _address(array)

    def _read(self, edge: Edge, call: _CallFrame) -> Any:
        """A value that an interpreted step reads, wherever it lies."""
        view = self.schedule.views.get(edge)
        source = edge if view is None else view.base
        if source in call.values:
            base = call.values[source]
        else:
            spec = source[0].outputs[source[1]]
            place = self.frame.place(source)
            if place.slot == self.frame.arena:
                base = _at(call.arena, place.offset, spec)
            else:
                base = call.results[place.slot - self.frame.first_output]
        if view is None:
            return edge[0].params["value"] if edge[0].primitive is CONSTANT else base
        shape = edge[0].outputs[edge[1]].shape
        strides = tuple(base.itemsize * step for step in view.strides)
        flat = base.reshape(-1)[view.offset :]
        return np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)

    def _sentence(self, number: int) -> str:
        """Which step of the user's code had an index out of bounds."""
        step = self.schedule.steps[number]
        assert isinstance(step, Loops)
        nodes = [array[0] for array in step.arrays if isinstance(array, tuple) and len(array) == 2]
        places = [str(node.place) for node in nodes if getattr(node, "place", None) is not None]
        where = f" at {places[-1]}, or near it" if places else ""
        return f"an index is out of bounds{where}"


class _CallFrame:
    """The addresses of one call, and the arrays behind them."""

    def __init__(self, program: Program, given: Sequence[Any], results: Sequence[Any]) -> None:
        frame = program.frame
        self.given, self.results = given, results
        self.addresses = (ctypes.c_void_p * frame.size)()
        for k, array in enumerate((*given, *results)):
            self.addresses[k] = _address(array)
        for edge, slot in frame.constants.items():
            self.addresses[slot] = _address(program.constants[edge])
        self.arena = _aligned(frame.arena_bytes)
        self.addresses[frame.arena] = _address(self.arena)
        self.values: dict[Edge, Any] = dict(program.constants)
        nodes = program.schedule.graph.inputs
        self.values.update(((n, 0), array) for n, array in zip(nodes, given, strict=True))


class Bound:
    """A program bound to arrays; one call at a time."""

    def __init__(self, program: Program, call: _CallFrame) -> None:
        self._program, self._call = program, call
        self.inputs, self.results = list(call.given), list(call.results)

    def __call__(self) -> list[Any]:
        """Run on what the inputs hold now; the results are the same arrays every time."""
        self._program._execute(self._call)
        return self.results


def _address(array: Any) -> int:
    """Where an array's data begins; `array.ctypes.data` costs twice as much."""
    found: int = array.__array_interface__["data"][0]
    return found


def _native(spec: Spec) -> Spec:
    """The spec in this machine's order of bytes, with NumPy's own object for the dtype."""
    return Spec(spec.shape, np.dtype(spec.dtype.char) if spec.dtype.kind in "biufc" else spec.dtype)


def _fitting(edge: Edge) -> Any:
    """A constant as an array in C order, of the dtype that the graph says."""
    spec = _native(edge[0].outputs[edge[1]])
    return np.array(edge[0].params["value"], dtype=spec.dtype, order="C")


def _aligned(size: int) -> Any:
    """A block of memory that begins at a multiple of the alignment."""
    block = np.empty(size + ALIGNMENT, np.uint8)
    start = -_address(block) % ALIGNMENT
    return block[start : start + size]


def _at(arena: Any, offset: int, spec: Any) -> Any:
    """A buffer of the arena as an array."""
    return np.ndarray(spec.shape, spec.dtype, arena, offset)
