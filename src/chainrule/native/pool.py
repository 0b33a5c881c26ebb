"""Threads for compiled code: woken in microseconds, parked when there is nothing to do.

`chainrule_parallel(task, frame, parts)` calls `task(frame, part)` for every part, on the calling
thread and on those of the pool, and returns the sum of what the tasks return. One 64-bit word, the
ticket, says which job is on and which part comes next; a thread takes a part by adding one to it:

    ticket = generation << 32 | next part << 16 | parts

A thread that comes late finds the ticket changed and takes nothing. While one caller has the pool,
others do all their parts themselves. Idle threads look at the ticket for some microseconds and then
wait on a condition variable. There is no C compiler here, so this is LLVM text; threads come from
pthreads, and where those are missing every caller works alone.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

import llvmlite.binding as llvm  # loaded with this module, which the first compilation imports

from chainrule.native.machine import machine

MOST_PARTS = 2**16 - 1
"""Parts of a job at most: the ticket has 16 bits for them."""
MOST_THREADS = 256
LOOKS = 2000
"""How often an idle thread looks at the ticket before it waits: some 30 microseconds."""

_PAUSES = {"x86_64": "llvm.x86.sse2.pause", "aarch64": "llvm.aarch64.hint"}

# The fields of the pool's state, in bytes; those that threads write often have a line of their own.
_TICKET, _DONE, _WRONG, _BUSY, _SLEEPING = 0, 64, 128, 192, 256
_TASK, _FRAME, _WANTED, _STARTED = 320, 328, 336, 344
_MUTEX, _CONDITION, _ATTRIBUTES, _THREAD = 384, 512, 640, 768
STATE_BYTES = 832

_ALONE = """
define i64 @chainrule_parallel(ptr %task, ptr %frame, i64 %parts) {
entry:
  br label %part
part:
  %k = phi i64 [ 0, %entry ], [ %next, %part ]
  %sum = phi i64 [ 0, %entry ], [ %more, %part ]
  %wrong = call i64 %task(ptr %frame, i64 %k)
  %more = add i64 %sum, %wrong
  %next = add i64 %k, 1
  %again = icmp slt i64 %next, %parts
  br i1 %again, label %part, label %exit
exit:
  ret i64 %more
}
"""

_POOL = """
@state = internal global [{bytes} x i8] zeroinitializer, align 64
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_setdetachstate(ptr, i32)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @sched_yield()
{declare_pause}

; how many threads may help, from the next job on; after a fork everything begins anew
define void @chainrule_pool_reset(i64 %wanted) {{
  call void @llvm.memset.p0.i64(ptr align 64 @state, i8 0, i64 {bytes}, i1 false)
  %1 = call i32 @pthread_mutex_init(ptr {mutex}, ptr null)
  %2 = call i32 @pthread_cond_init(ptr {condition}, ptr null)
  store atomic i64 %wanted, ptr {wanted} seq_cst, align 8
  ret void
}}
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define void @chainrule_pool_limit(i64 %wanted) {{
  store atomic i64 %wanted, ptr {wanted} seq_cst, align 8
  ret void
}}

define i64 @chainrule_pool_started() {{
  %n = load atomic i64, ptr {started} seq_cst, align 8
  ret i64 %n
}}

; do parts as long as there are any; the generation of the ticket is the caller's to change
define internal void @work() {{
entry:
  br label %look
look:
  %ticket = load atomic i64, ptr {ticket} acquire, align 8
  %parts = and i64 %ticket, 65535
  %shifted = lshr i64 %ticket, 16
  %part = and i64 %shifted, 65535
  %open = icmp ult i64 %part, %parts
  br i1 %open, label %take, label %exit
take:
  %taskword = load atomic i64, ptr {task} monotonic, align 8
  %frameword = load atomic i64, ptr {frame} monotonic, align 8
  %following = add i64 %ticket, 65536
  %pair = cmpxchg ptr {ticket}, i64 %ticket, i64 %following seq_cst seq_cst, align 8
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %run, label %look
run:
  %task = inttoptr i64 %taskword to ptr
  %frame = inttoptr i64 %frameword to ptr
  %wrong = call i64 %task(ptr %frame, i64 %part)
  %w = atomicrmw add ptr {wrong}, i64 %wrong monotonic, align 8
  %d = atomicrmw add ptr {done}, i64 1 seq_cst, align 8
  br label %look
exit:
  ret void
}}

define internal i1 @open() {{
  %ticket = load atomic i64, ptr {ticket} seq_cst, align 8
  %parts = and i64 %ticket, 65535
  %shifted = lshr i64 %ticket, 16
  %part = and i64 %shifted, 65535
  %open = icmp ult i64 %part, %parts
  ret i1 %open
}}

define internal ptr @helper(ptr %argument) {{
entry:
  br label %idle
idle:
  %looks = phi i64 [ 0, %entry ], [ %more, %pause ], [ 0, %found ], [ 0, %awake ]
  %job = call i1 @open()
  br i1 %job, label %found, label %none
found:
  call void @work()
  br label %idle
none:
  %more = add i64 %looks, 1
  %tired = icmp sgt i64 %more, {looks}
  br i1 %tired, label %sleep, label %pause
pause:
  {pause}
  br label %idle
sleep:
  %l = call i32 @pthread_mutex_lock(ptr {mutex})
  %s = atomicrmw add ptr {sleeping}, i64 1 seq_cst, align 8
  br label %check
check:
  %now = call i1 @open()
  br i1 %now, label %awake, label %wait
wait:
  %c = call i32 @pthread_cond_wait(ptr {condition}, ptr {mutex})
  br label %check
awake:
  %a = atomicrmw sub ptr {sleeping}, i64 1 seq_cst, align 8
  %u = call i32 @pthread_mutex_unlock(ptr {mutex})
  br label %idle
}}

; start the threads that are wanted and not there yet; only the caller that has the pool does
define internal void @start(i64 %wanted) {{
entry:
  %there = load atomic i64, ptr {started} seq_cst, align 8
  %missing = icmp slt i64 %there, %wanted
  br i1 %missing, label %prepare, label %exit
prepare:
  %1 = call i32 @pthread_attr_init(ptr {attributes})
  %2 = call i32 @pthread_attr_setdetachstate(ptr {attributes}, i32 {detached})
  br label %thread
thread:
  %k = phi i64 [ %there, %prepare ], [ %next, %made ]
  %failed = call i32 @pthread_create(ptr {thread}, ptr {attributes}, ptr @helper, ptr null)
  %good = icmp eq i32 %failed, 0
  br i1 %good, label %made, label %exit
made:
  %next = add i64 %k, 1
  store atomic i64 %next, ptr {started} seq_cst, align 8
  %again = icmp slt i64 %next, %wanted
  br i1 %again, label %thread, label %exit
exit:
  ret void
}}

; wake as many threads as can be of use
define internal void @wake(i64 %parts) {{
entry:
  %sleeping = load atomic i64, ptr {sleeping} seq_cst, align 8
  %any = icmp sgt i64 %sleeping, 0
  br i1 %any, label %lock, label %exit
lock:
  %others = sub i64 %parts, 1
  %few = icmp slt i64 %others, %sleeping
  %count = select i1 %few, i64 %others, i64 %sleeping
  %l = call i32 @pthread_mutex_lock(ptr {mutex})
  br label %signal
signal:
  %k = phi i64 [ 0, %lock ], [ %next, %signal ]
  %s = call i32 @pthread_cond_signal(ptr {condition})
  %next = add i64 %k, 1
  %again = icmp slt i64 %next, %count
  br i1 %again, label %signal, label %unlock
unlock:
  %u = call i32 @pthread_mutex_unlock(ptr {mutex})
  br label %exit
exit:
  ret void
}}

define internal i64 @alone(ptr %task, ptr %frame, i64 %parts) {{
entry:
  br label %part
part:
  %k = phi i64 [ 0, %entry ], [ %next, %part ]
  %sum = phi i64 [ 0, %entry ], [ %more, %part ]
  %wrong = call i64 %task(ptr %frame, i64 %k)
  %more = add i64 %sum, %wrong
  %next = add i64 %k, 1
  %again = icmp slt i64 %next, %parts
  br i1 %again, label %part, label %exit
exit:
  ret i64 %more
}}

define i64 @chainrule_parallel(ptr %task, ptr %frame, i64 %parts) {{
entry:
  %wanted = load atomic i64, ptr {wanted} monotonic, align 8
  %single = icmp eq i64 %wanted, 0
  %one = icmp slt i64 %parts, 2
  %skip = or i1 %single, %one
  br i1 %skip, label %alone, label %claim
claim:
  %pair = cmpxchg ptr {busy}, i64 0, i64 1 seq_cst seq_cst, align 8
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %publish, label %alone
alone:
  %sum = call i64 @alone(ptr %task, ptr %frame, i64 %parts)
  ret i64 %sum
publish:
  call void @start(i64 %wanted)
  %taskword = ptrtoint ptr %task to i64
  %frameword = ptrtoint ptr %frame to i64
  store atomic i64 %taskword, ptr {task} monotonic, align 8
  store atomic i64 %frameword, ptr {frame} monotonic, align 8
  store atomic i64 0, ptr {done} monotonic, align 8
  store atomic i64 0, ptr {wrong} monotonic, align 8
  %old = load atomic i64, ptr {ticket} monotonic, align 8
  %generation = lshr i64 %old, 32
  %later = add i64 %generation, 1
  %high = shl i64 %later, 32
  %new = or i64 %high, %parts
  store atomic i64 %new, ptr {ticket} seq_cst, align 8
  call void @wake(i64 %parts)
  call void @work()
  br label %wait
wait:
  %looks = phi i64 [ 0, %publish ], [ %more, %pause ], [ 0, %yield ]
  %done = load atomic i64, ptr {done} seq_cst, align 8
  %finished = icmp eq i64 %done, %parts
  br i1 %finished, label %free, label %still
still:
  %more = add i64 %looks, 1
  %long = icmp sgt i64 %more, {looks}
  br i1 %long, label %yield, label %pause
pause:
  {pause}
  br label %wait
yield:
  %y = call i32 @sched_yield()
  br label %wait
free:
  %total = load atomic i64, ptr {wrong} seq_cst, align 8
  store atomic i64 0, ptr {busy} seq_cst, align 8
  ret i64 %total
}}
"""


def pool_text(processor: str, *, pthreads: bool) -> str:
    """The pool as LLVM text."""
    if not pthreads:
        return _ALONE
    pause = _PAUSES.get(processor)
    argument = "" if processor != "aarch64" else "i32"
    value = "" if processor != "aarch64" else "i32 1"

    def field(offset: int) -> str:
        return f"getelementptr inbounds (i8, ptr @state, i64 {offset})"

    return _POOL.format(
        bytes=STATE_BYTES,
        looks=LOOKS,
        detached=1 if sys.platform == "linux" else 2,
        declare_pause=f"declare void @{pause}({argument})" if pause else "",
        pause=f"call void @{pause}({value})" if pause else "",
        ticket=field(_TICKET),
        done=field(_DONE),
        wrong=field(_WRONG),
        busy=field(_BUSY),
        sleeping=field(_SLEEPING),
        task=field(_TASK),
        frame=field(_FRAME),
        wanted=field(_WANTED),
        started=field(_STARTED),
        mutex=field(_MUTEX),
        condition=field(_CONDITION),
        attributes=field(_ATTRIBUTES),
        thread=field(_THREAD),
    )


def threads() -> int:
    """How many threads compiled code may use: CHAINRULE_NUM_THREADS, or the processors given."""
    text = os.environ.get("CHAINRULE_NUM_THREADS", "")
    if not text:
        available = getattr(os, "sched_getaffinity", None)
        return len(available(0)) if available else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"CHAINRULE_NUM_THREADS is {text!r}; it must be a whole number from 1 on")
    return min(int(text), MOST_THREADS)


class Pool:
    """The pool of this process, visible to compiled code as `chainrule_parallel`."""

    def __init__(self) -> None:
        host = machine()
        pthreads = os.name == "posix"
        text = pool_text(llvm.get_default_triple().split("-")[0], pthreads=pthreads)
        module = host.compile(text)
        self.address: int = module.address("chainrule_parallel")
        llvm.add_symbol("chainrule_parallel", self.address)
        if pthreads:
            one = ctypes.CFUNCTYPE(None, ctypes.c_int64)
            self._reset = one(module.address("chainrule_pool_reset"))
            self._limit = one(module.address("chainrule_pool_limit"))
            self._started = ctypes.CFUNCTYPE(ctypes.c_int64)(
                module.address("chainrule_pool_started")
            )
            self._count = threads()
            self._reset(self._count - 1)
            os.register_at_fork(after_in_child=self._after_fork)
        module.keep()

    def _after_fork(self) -> None:
        """A child has none of its parent's threads; its first job starts its own."""
        self._reset(self._count - 1)

    def limit(self, count: int) -> None:
        """Let compiled code use `count` threads from now on; those that run stay, parked."""
        if os.name == "posix":
            self._count = min(max(count, 1), MOST_THREADS)
            self._limit(self._count - 1)

    def started(self) -> int:
        """How many threads of the pool run."""
        return int(self._started()) if os.name == "posix" else 0


@functools.cache
def pool() -> Pool:
    """The pool, made when the first program is."""
    return Pool()
