"""The LLVM text of a whole program: each step as a task on a frame, and the order of the steps.

    i64 task<n>(frame, part)     one part of step n: some rows of a nest, a panel of a product
    i64 segment<n>(frame)        steps in order, up to one that Python carries out or to the end

A task finds its buffers in the frame (`native/frames.py`). A segment returns 0, or 1 +
the number of the step in which an index was out of bounds; no later step has run then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chainrule.native.blas_calls import declarations, product_task
from chainrule.native.costs import PART, nanoseconds, parts_of
from chainrule.native.frames import Frame
from chainrule.native.in_place import can_fail
from chainrule.native.llvm_text import attributes, emit
from chainrule.native.lowering import Loops, Partial
from chainrule.native.machine import Machine
from chainrule.native.products import Product
from chainrule.native.schedule import BYTES, Interpreted, Step

NativeStep = Loops | Product


class Segment(NamedTuple):
    """The numbers of native steps, one after the other, and the step that Python does next."""

    name: str
    steps: tuple[int, ...]
    then: int | None


def segments(steps: Sequence[Step]) -> list[Segment]:
    """The native steps between those that Python carries out."""
    found: list[Segment] = []
    waiting: list[int] = []
    for number, step in enumerate(steps):
        if isinstance(step, Interpreted):
            found.append(Segment(f"segment{len(found)}", tuple(waiting), number))
            waiting = []
        else:
            waiting.append(number)
    return [*found, Segment(f"segment{len(found)}", tuple(waiting), None)]


_ONE_BY_ONE = """
define internal i64 @one_by_one(ptr %task, ptr %frame, i64 %parts) {
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


def driver_text(
    steps: Sequence[Step], frame: Frame, host: Machine, more: Sequence[str] = ()
) -> str:
    """The module of a program, with `more` functions of its own; everything in it depends on the
    schedule and the machine alone.
    """
    texts = [*more, _ONE_BY_ONE]
    types: set[str] = set()
    for number, step in enumerate(steps):
        match step:
            case Loops():
                texts.append(emit(step.nest, host.width, host.available))
                texts.append(_loops_task(f"task{number}", step, frame))
            case Product():
                types.add(step.type)
                texts.append(product_task(f"task{number}", step, parts_of(step), frame.place))
    found = segments(steps)
    texts += [_segment_text(segment, steps, frame) for segment in found]
    declared = [line for type in sorted(types) for line in declarations(type)]
    declared.append("declare i64 @chainrule_parallel(ptr, ptr, i64)")
    declared.append("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
    return one_module(texts, declared, host.width)


def one_module(texts: Sequence[str], declared: Sequence[str], width: int) -> str:
    """Functions in one module, which may declare each symbol once."""
    lines = [line for text in texts for line in text.splitlines()]
    declarations = sorted({*declared, *(line for line in lines if line.startswith("declare"))})
    rest = [line for line in lines if not line.startswith("declare")]
    return "\n".join([*declarations, *rest, attributes(width)])


def _loops_task(name: str, step: Loops, frame: Frame) -> str:
    """The rows of one part of a nest, on buffers found in the frame."""
    count = len(step.arrays)
    lines = [
        f"define internal i64 @{name}(ptr %frame, i64 %part) #0 {{",
        f"  %table = alloca [{count} x ptr]",
    ]
    for k, array in enumerate(step.arrays):
        place = frame.place(array)
        lines += [
            f"  %s{k} = getelementptr ptr, ptr %frame, i64 {place.slot}",
            f"  %b{k} = load ptr, ptr %s{k}",
            f"  %o{k} = getelementptr i8, ptr %b{k}, i64 {place.offset}",
        ]
        pointer = f"%o{k}"
        if isinstance(array, Partial) and array.of_parts:
            apart = array.entries * BYTES[array.type]
            lines += [
                f"  %m{k} = mul i64 %part, {apart}",
                f"  %q{k} = getelementptr i8, ptr %o{k}, i64 %m{k}",
            ]
            pointer = f"%q{k}"
        lines += [
            f"  %t{k} = getelementptr ptr, ptr %table, i64 {k}",
            f"  store ptr {pointer}, ptr %t{k}",
        ]
    cut = parts_of(step)
    lines += [
        f"  %first = mul i64 %part, {step.rows}",
        f"  %begin = udiv i64 %first, {cut}",
        f"  %second = add i64 %first, {step.rows}",
        f"  %end = udiv i64 %second, {cut}",
        f"  %wrong = call i64 @{step.nest.name}(i64 %begin, i64 %end, ptr %table)",
        "  ret i64 %wrong",
        "}",
        "",
    ]
    return "\n".join(lines)


def _segment_text(segment: Segment, steps: Sequence[Step], frame: Frame) -> str:
    """The steps of a segment, one after the other; the last one ends with the frame's copies."""
    lines = [f"define i64 @{segment.name}(ptr %frame) #0 {{"]
    for number in segment.steps:
        step = steps[number]
        assert isinstance(step, NativeStep)
        cut = parts_of(step)
        if cut == 1:
            lines.append(f"  %r{number} = call i64 @task{number}(ptr %frame, i64 0)")
        else:
            worth = nanoseconds(step) >= 2 * PART
            lines.append(
                f"  %r{number} = call i64 @{'chainrule_parallel' if worth else 'one_by_one'}"
                f"(ptr @task{number}, ptr %frame, i64 {cut})"
            )
        if can_fail(step):
            lines += [
                f"  %g{number} = icmp eq i64 %r{number}, 0",
                f"  br i1 %g{number}, label %good{number}, label %bad{number}",
                f"bad{number}:",
                f"  ret i64 {number + 1}",
                f"good{number}:",
            ]
    if segment.then is None:
        for k, copy in enumerate(frame.copies):
            lines += [
                f"  %fs{k} = getelementptr ptr, ptr %frame, i64 {copy.source.slot}",
                f"  %fb{k} = load ptr, ptr %fs{k}",
                f"  %fo{k} = getelementptr i8, ptr %fb{k}, i64 {copy.source.offset}",
                f"  %ft{k} = getelementptr ptr, ptr %frame, i64 {copy.slot}",
                f"  %to{k} = load ptr, ptr %ft{k}",
                f"  call void @llvm.memcpy.p0.p0.i64(ptr %to{k}, ptr %fo{k}, i64 {copy.size}, "
                "i1 false)",
            ]
    return "\n".join([*lines, "  ret i64 0", "}", ""])
