"""The LLVM text of a program's entry from Python: a function that checks, runs and hands back.

    PyObject *entry(PyObject *self, PyObject *const *args, Py_ssize_t nargs)      (METH_FASTCALL)

It takes the arguments' trees apart, compares each array's type, dtype, shape and flags with what
the program was compiled for, allocates the results through NumPy's C interface, fills the frame and
runs. Where anything is not as expected it calls the fallback with the same arguments. Addresses of
objects and functions differ from process to process: they stand in one table, which Python fills,
so that the text, and with it the cache, depends on the program alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.graph import Spec
from chainrule.native.calls import Call, Same, Table, Tree
from chainrule.native.frames import Frame

HEAD = object.__basicsize__
"""Bytes of an object before its own fields."""
_TYPE = HEAD - 8
_DATA, _NDIM, _DIMS, _DESCR, _FLAGS = (HEAD + k for k in (0, 8, 16, 40, 48))
_SIZE, _FIRST_ITEM, _ITEMS = HEAD, HEAD + 8, HEAD + 8  # of tuples and lists
_NUMBERS = ("float64", "float32")  # without axes these take a Python float too
_READABLE, _WRITEABLE = 0x101, 0x400  # C order and aligned; NumPy's numbers

ON_THE_STACK = 16384
"""An arena of at most so many bytes is on the stack of the calling thread."""
LONG = 20_000.0
"""From how many nanoseconds on Python's other threads may run meanwhile."""


DECLARATIONS = """
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyDict_New()
declare i32 @PyDict_SetItem(ptr, ptr, ptr)
declare i64 @PyDict_Size(ptr)
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare void @PyErr_Clear()
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare ptr @malloc(i64)
declare void @free(ptr)
declare ptr @PyErr_NoMemory()
""".strip().splitlines()


def entry_text(call: Call, frame: Frame, table: Table, segment: str) -> str:
    """The functions `entry` and `table_address`, and the table."""
    return _Entry(call, frame, table, segment).text()


class _Entry:
    def __init__(self, call: Call, frame: Frame, table: Table, segment: str) -> None:
        self.call, self.frame, self.table, self.segment = call, frame, table, segment
        self.lines: list[str] = []
        self.globals: list[str] = []
        self.count = 0
        self.data: dict[int, str] = {}
        self.given: dict[int, str] = {}  # the objects of all leaves
        self.sizes = [_bytes(spec) for spec in call.inputs]

    def new(self, text: str) -> str:
        self.count += 1
        self.lines.append(f"  %v{self.count} = {text}")
        return f"%v{self.count}"

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def block(self, name: str) -> str:
        """A fresh label; the lines after it belong to it."""
        self.count += 1
        return f"{name}{self.count}"

    def begin(self, label: str) -> None:
        self.lines.append(f"{label}:")

    def require(self, condition: str) -> None:
        """Go on where the condition holds, else to the fallback."""
        good = self.block("good")
        self.line(f"br i1 {condition}, label %{good}, label %mismatch")
        self.begin(good)

    def field(self, pointer: str, offset: int, type: str) -> str:
        return self.new(
            f"load {type}, ptr {self.new(f'getelementptr i8, ptr {pointer}, i64 {offset}')}"
        )

    def known(self, kind: str, value: Any = None) -> str:
        """An address of the table."""
        return self.field("@table", 8 * self.table.index(kind, value), "ptr")

    # -- the function ---------------------------------------------------------------------------

    def text(self) -> str:
        count = len(self.call.outputs)
        self.line(f"%frame = alloca [{self.frame.size} x ptr]")
        self.line(f"%made = alloca [{max(count, 1)} x ptr]")
        if 0 < self.frame.arena_bytes <= ON_THE_STACK:
            self.line(f"%stack = alloca [{self.frame.arena_bytes} x i8], align 64")
        for k, spec in enumerate(self.call.inputs):
            if spec == Spec((), np.dtype(np.float32)):
                self.line(f"%number{k} = alloca float")
        right = self.new(f"icmp eq i64 %nargs, {len(self.call.arguments)}")
        self.require(right)
        for k, tree in enumerate(self.call.arguments):
            self._walk(tree, self.field("%args", 8 * k, "ptr"))
        for position, given in self.frame.donated.items():
            self._check_donated(position, given)
        for k, address in self.data.items():
            self._put(k, address)
        for k in range(count):
            self.line(f"store ptr null, ptr {self._made(k)}")
        for k in range(count):
            self._make(k)
        for edge, slot in self.frame.constants.items():
            self._put(slot, self.known("constant", edge))
        self._arena_and_run()
        self._tail()
        head = (
            f"@table = global [{max(len(self.table.objects), 1)} x ptr] zeroinitializer\n"
            "@taken = internal global i64 0\n" + "\n".join(self.globals) + "\n"
            "define ptr @table_address() #0 {\n  ret ptr @table\n}\n"
            "define ptr @entry(ptr %self, ptr %args, i64 %nargs) #0 {\nentry:\n"
        )
        return head + "\n".join(self.lines) + "\n}\n"

    def _put(self, slot: int, address: str) -> None:
        place = self.new(f"getelementptr ptr, ptr %frame, i64 {slot}")
        self.line(f"store ptr {address}, ptr {place}")

    def _made(self, k: int) -> str:
        return self.new(f"getelementptr ptr, ptr %made, i64 {k}")

    # -- arguments ------------------------------------------------------------------------------

    def _walk(self, tree: Tree, value: str) -> None:
        """Take one argument apart, and check it."""
        if isinstance(tree, int):
            self._leaf(tree, value)
            return
        if isinstance(tree, Same):
            self.require(self.new(f"icmp eq ptr {value}, {self.known('object', tree.value)}"))
            return
        kind = self.known("object", type(tree))
        self.require(self.new(f"icmp eq ptr {self.field(value, _TYPE, 'ptr')}, {kind}"))
        if isinstance(tree, dict):
            size = self.new(f"call i64 @PyDict_Size(ptr {value})")
        else:
            size = self.field(value, _SIZE, "i64")
        self.require(self.new(f"icmp eq i64 {size}, {len(tree)}"))
        if isinstance(tree, dict):
            for name, child in tree.items():
                label = self.known("object", name)
                found = self.new(f"call ptr @PyDict_GetItemWithError(ptr {value}, ptr {label})")
                self.require(self.new(f"icmp ne ptr {found}, null"))
                self._walk(child, found)
            return
        first = self.field(value, _ITEMS, "ptr") if isinstance(tree, list) else value
        start = 0 if isinstance(tree, list) else _FIRST_ITEM
        for k, child in enumerate(tree):
            self._walk(child, self.field(first, start + 8 * k, "ptr"))

    def _leaf(self, k: int, value: str) -> None:
        """Check an array and find its data; a Python float is its own number without axes."""
        spec = self.call.inputs[k]
        self.given[k] = value
        kind = self.field(value, _TYPE, "ptr")
        is_array = self.new(f"icmp eq ptr {kind}, {self.known('object', np.ndarray)}")
        number = spec.shape == () and spec.dtype.name in _NUMBERS and k not in self._donors()
        if self.call.weak is not None:
            number = k in self.call.weak
        if number and self.call.weak is not None:
            is_float = self.new(f"icmp eq ptr {kind}, {self.known('object', float)}")
            self.require(is_float)
            self.data[k] = self.new(f"getelementptr i8, ptr {value}, i64 {HEAD}")
            return
        if not number:
            self.require(is_array)
            self.data[k] = self._array(k, spec, value)
            return
        array, other, plain, after = (self.block(n) for n in ("array", "other", "plain", "after"))
        self.line(f"br i1 {is_array}, label %{array}, label %{other}")
        self.begin(other)
        is_float = self.new(f"icmp eq ptr {kind}, {self.known('object', float)}")
        self.line(f"br i1 {is_float}, label %{plain}, label %mismatch")
        self.begin(plain)
        direct = self.new(f"getelementptr i8, ptr {value}, i64 {HEAD}")
        if spec.dtype == np.float32:
            rounded = self.new(f"fptrunc double {self.new(f'load double, ptr {direct}')} to float")
            self.line(f"store float {rounded}, ptr %number{k}")
            direct = f"%number{k}"
        self.line(f"br label %{after}")
        self.begin(array)
        data = self._array(k, spec, value)
        last = self.block("checked")
        self.line(f"br label %{last}")
        self.begin(last)
        self.line(f"br label %{after}")
        self.begin(after)
        self.data[k] = self.new(f"phi ptr [ {direct}, %{plain} ], [ {data}, %{last} ]")

    def _donors(self) -> set[int]:
        return set(self.frame.donated.values())

    def _array(self, k: int, spec: Spec, value: str) -> str:
        """Check the dtype, flags and shape of an array; where its data begins."""
        descr = self.field(value, _DESCR, "ptr")
        self.require(self.new(f"icmp eq ptr {descr}, {self.known('object', spec.dtype)}"))
        needed = _READABLE | (_WRITEABLE if k in self._donors() else 0)
        flags = self.new(f"and i32 {self.field(value, _FLAGS, 'i32')}, {needed}")
        self.require(self.new(f"icmp eq i32 {flags}, {needed}"))
        ndim = self.field(value, _NDIM, "i32")
        self.require(self.new(f"icmp eq i32 {ndim}, {len(spec.shape)}"))
        if spec.shape:
            dims = self.field(value, _DIMS, "ptr")
            for axis, extent in enumerate(spec.shape):
                length = self.field(dims, 8 * axis, "i64")
                self.require(self.new(f"icmp eq i64 {length}, {extent}"))
        return self.field(value, _DATA, "ptr")

    def _check_donated(self, position: int, given: int) -> None:
        """A result may be written over its input only if no other input overlaps with that."""
        start = self.new(f"ptrtoint ptr {self.data[given]} to i64")
        end = self.new(f"add i64 {start}, {self.sizes[given]}")
        for k, address in self.data.items():
            if k == given:
                continue
            other = self.new(f"ptrtoint ptr {address} to i64")
            other_end = self.new(f"add i64 {other}, {self.sizes[k]}")
            before = self.new(f"icmp uge i64 {other}, {end}")
            after = self.new(f"icmp uge i64 {start}, {other_end}")
            self.require(self.new(f"or i1 {before}, {after}"))

    # -- results --------------------------------------------------------------------------------

    def _make(self, k: int) -> None:
        """Allocate a result, or take the memory that was donated for it."""
        slot = self.frame.first_output + k
        if k in self.frame.donated:
            value = self.given[self.frame.donated[k]]
            self.line(f"call void @Py_IncRef(ptr {value})")
            self.line(f"store ptr {value}, ptr {self._made(k)}")
            self._put(slot, self.data[self.frame.donated[k]])
            return
        spec = self.call.outputs[k]
        extents = ", ".join(f"i64 {n}" for n in spec.shape)
        self.globals.append(
            f"@dims{k} = internal constant [{len(spec.shape)} x i64] "
            + (f"[{extents}]" if spec.shape else "zeroinitializer")
        )
        descr, kind = self.known("object", spec.dtype), self.known("object", np.ndarray)
        self.line(f"call void @Py_IncRef(ptr {descr})")  # the allocation takes it over
        value = self.new(
            f"call ptr {self.known('NewFromDescr')}(ptr {kind}, ptr {descr}, "
            f"i32 {len(spec.shape)}, ptr @dims{k}, ptr null, ptr null, i32 0, ptr null)"
        )
        good = self.block("good")
        there = self.new(f"icmp ne ptr {value}, null")
        self.line(f"br i1 {there}, label %{good}, label %failed")
        self.begin(good)
        self.line(f"store ptr {value}, ptr {self._made(k)}")
        self._put(slot, self.field(value, _DATA, "ptr"))

    def _arena_and_run(self) -> None:
        """Find memory for the arena, run, and go to `done` or `wrong`."""
        size = self.frame.arena_bytes
        if size <= ON_THE_STACK:
            self._put(self.frame.arena, "%stack" if size else "null")
            self.line("br label %run")
            owned = None
        else:
            pair = self.new("cmpxchg ptr @taken, i64 0, i64 1 seq_cst seq_cst, align 8")
            owned = self.new(f"extractvalue {{ i64, i1 }} {pair}, 1")
            self.line(f"br i1 {owned}, label %own, label %borrow")
            self.begin("own")
            arena = self.known("arena")
            self.line("br label %placed")
            self.begin("borrow")
            block = self.new(f"call ptr @malloc(i64 {size + 64})")
            there = self.new(f"icmp ne ptr {block}, null")
            self.line(f"br i1 {there}, label %borrowed, label %nomemory")
            self.begin("borrowed")
            number = self.new(f"ptrtoint ptr {block} to i64")
            rounded = self.new(f"and i64 {self.new(f'add i64 {number}, 63')}, -64")
            start = self.new(f"inttoptr i64 {rounded} to ptr")
            self.line("br label %placed")
            self.begin("placed")
            self.line(f"%arena = phi ptr [ {arena}, %own ], [ {start}, %borrowed ]")
            self.line(f"%block = phi ptr [ null, %own ], [ {block}, %borrowed ]")
            self._put(self.frame.arena, "%arena")
            self.line("br label %run")
        self.begin("run")
        long = self.call.nanoseconds > LONG
        if long:  # others may then take an array out of its list
            for value in self.given.values():
                self.line(f"call void @Py_IncRef(ptr {value})")
            self.line("%thread = call ptr @PyEval_SaveThread()")
        self.line(f"%bad = call i64 @{self.segment}(ptr %frame)")
        if long:
            self.line("call void @PyEval_RestoreThread(ptr %thread)")
            for value in self.given.values():
                self.line(f"call void @Py_DecRef(ptr {value})")
        if owned is not None:
            self.line(f"br i1 {owned}, label %giveback, label %release")
            self.begin("giveback")
            self.line("store atomic i64 0, ptr @taken seq_cst, align 8")
            self.line("br label %ran")
            self.begin("release")
            self.line("call void @free(ptr %block)")
            self.line("br label %ran")
            self.begin("ran")
        ended = self.new("icmp eq i64 %bad, 0")
        self.line(f"br i1 {ended}, label %done, label %wrong")

    def _tail(self) -> None:
        """What is handed back; and what happens where something is not as expected."""
        self.begin("done")
        self.line(f"ret ptr {self._built(self.call.result)}")
        for label, then in (("wrong", "mismatch"), ("failed", "error")):
            self.begin(label)
            for k in range(len(self.call.outputs)):
                held = self.new(f"load ptr, ptr {self._made(k)}")
                self.line(f"call void @Py_DecRef(ptr {held})")
            self.line(f"br label %{then}")
        self.begin("error")
        self.line("ret ptr null")
        if self.frame.arena_bytes > ON_THE_STACK:
            self.begin("nomemory")
            self.new("call ptr @PyErr_NoMemory()")
            self.line("br label %failed")
        self.begin("mismatch")
        self.line("call void @PyErr_Clear()")
        fallback = self.known("fallback")
        self.line(
            f"%other = call ptr @PyObject_Vectorcall(ptr {fallback}, ptr %args, i64 %nargs, "
            "ptr null)"
        )
        self.line("ret ptr %other")

    def _built(self, tree: Tree) -> str:
        """The result's tree. Its small containers are made after all arrays; if one of them cannot
        be allocated, the call after it fails with Python's error, never with a crash.
        """
        if isinstance(tree, int):
            value = self.new(f"load ptr, ptr {self._made(tree)}")
            if self.call.scalars and self.call.outputs[tree].shape == ():
                return self.new(f"call ptr {self.known('Return')}(ptr {value})")
            return value
        if isinstance(tree, Same):
            value = self.known("object", tree.value)
            self.line(f"call void @Py_IncRef(ptr {value})")
            return value
        if isinstance(tree, dict):
            made = self.new("call ptr @PyDict_New()")
            for name, child in tree.items():
                part = self._built(child)
                label = self.known("object", name)
                self.new(f"call i32 @PyDict_SetItem(ptr {made}, ptr {label}, ptr {part})")
                self.line(f"call void @Py_DecRef(ptr {part})")
            return made
        kind = "PyTuple" if isinstance(tree, tuple) else "PyList"
        made = self.new(f"call ptr @{kind}_New(i64 {len(tree)})")
        for k, child in enumerate(tree):
            part = self._built(child)
            self.new(f"call i32 @{kind}_SetItem(ptr {made}, i64 {k}, ptr {part})")
        return made


def _bytes(spec: Spec) -> int:
    count = int(spec.dtype.itemsize)
    for n in spec.shape:
        count *= n
    return count
