"""From a loop nest to LLVM's text, with the vectors written out.

Every value is a vector of the machine's width, also one that is the same for a whole row. The last,
incomplete vector of a row is read and written under a mask. Sums keep a fixed number of partial
sums and join them in a fixed order, so a result does not depend on the number of threads.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping

from chainrule.native.instructions import BITS, MATHEMATICS
from chainrule.native.llvm_memory import Memory
from chainrule.native.llvm_vectors import Available, Vectors, literal
from chainrule.native.nest import (
    Compute,
    Constant,
    Gather,
    Index,
    Keep,
    Load,
    Nest,
    Reduce,
    Require,
    Stage,
    Statement,
    Store,
    Value,
)

PARTIAL_SUMS = 4
TOGETHER = ((4, 120), (2, 300))
"""How many vectors pass at a time through a body with calls, and the longest such body.

Measured on Zen 5: sin, exp, cos and tanh of one entry take 6.5 ns one vector at a time, 2.8 ns two
at a time. A longer body takes too long to compile.
"""


def emit(nest: Nest, width: int, available: Available) -> str:
    """The function `i64 name(i64 begin, i64 end, ptr arrays)` over the rows begin … end - 1.

    `width` is that of vectors in bits; `available` tells whether a symbol of libmvec is there. The
    result counts the indices that were out of bounds.
    """
    return _Emitter(nest, width, available).text()


class _Emitter:
    def __init__(self, nest: Nest, width: int, available: Available) -> None:
        self.nest = nest
        self.types: list[str] = []
        self.uniform: list[bool] = []
        self.names: MutableMapping[Value, str] = {}
        for statement in nest.statements():
            self._note(statement)
        kinds = zip(self.types, self.uniform, strict=True)
        sizes = [BITS[t] for t, uniform in kinds if BITS[t] >= 32 and not uniform]
        sizes += [BITS[s.type] for s in nest.statements() if isinstance(s, Reduce)]
        self.lanes = width // max(32, max(sizes, default=64))
        self.write = Vectors(self.lanes, available)
        self.memory = Memory(self.write, nest)
        self.positions: list[str] = []

    def _note(self, statement: Statement) -> None:
        """The type of a statement's value, and whether it is the same for a whole row."""
        uniform, last = self.uniform, len(self.nest.rows)
        match statement:
            case Load(access, type, where):
                same = access.strides[-1] == 0 and (where is None or uniform[where])
            case Gather(access, terms, type):
                same = access.strides[-1] == 0 and all(uniform[t.position] for t in terms)
            case Index(loop, type):
                same = loop != last
            case Compute(_, operands, type):
                same = all(uniform[k] for k in operands)
            case Require(value):
                type, same = "i1", uniform[value]
            case Constant(_, type) | Reduce(_, _, type):
                same = True
            case Keep(value, _):
                type, same = self.types[value], True
            case Store(value, _, _):
                type, same = self.types[value], False
        self.types.append(type)
        self.uniform.append(same)

    # -- the function ---------------------------------------------------------------------------

    def text(self) -> str:
        nest, write = self.nest, self.write
        write.label("entry")
        self.memory.begin()
        write.line(f"%from = mul nsw i64 %begin, {nest.together}")
        write.line(f"%to = mul nsw i64 %end, {nest.together}")
        nonempty = write.new("icmp slt i64 %from, %to")
        write.line(f"br i1 {nonempty}, label %row, label %exit")
        write.label("row")
        write.line("%r = phi i64 [ %from, %entry ], [ %next, %rowend ]")
        self.positions = self._find_positions()
        self.memory.find_bases(self.positions)
        start = 0
        for stage in nest.stages:
            self._stage(stage, start)
            start += len(stage.statements)
        write.line("br label %rowend")
        write.label("rowend")
        write.line("%next = add nsw i64 %r, 1")
        write.line("%more = icmp slt i64 %next, %to")
        write.line("br i1 %more, label %row, label %exit")
        write.label("exit")
        write.line(f"ret i64 {write.new(f'load i64, ptr {self.memory.bad}')}")
        head = f"define i64 @{nest.name}(i64 %begin, i64 %end, ptr noalias nocapture %arrays) #0 {{"
        return "\n".join([*sorted(write.declarations), head, *write.lines, "}", ""])

    def _find_positions(self) -> list[str]:
        """The index of every row loop, from the number of the row."""
        rest = "%r"
        found: list[str] = []
        for extent in reversed(self.nest.rows[1:]):
            found.append(self.write.new(f"urem i64 {rest}, {extent}"))
            rest = self.write.new(f"udiv i64 {rest}, {extent}")
        return [rest, *reversed(found)] if self.nest.rows else []

    # -- one stage ------------------------------------------------------------------------------

    def _stage(self, stage: Stage, start: int) -> None:
        numbered = list(enumerate(stage.statements, start))
        late = self._after(numbered)
        for k, statement in numbered:
            if self.uniform[k] and k not in late:
                self._statement(k, statement, "0")
        body = [(k, s) for k, s in numbered if not self.uniform[k] or isinstance(s, Reduce)]
        if body:
            self._columns(stage.columns, body)
        for k, statement in numbered:
            if k in late and not isinstance(statement, Reduce):
                self._statement(k, statement, "0")

    def _after(self, numbered: list[tuple[Value, Statement]]) -> set[Value]:
        """The statements of a stage that need one of its reductions."""
        late: set[Value] = set()
        for k, statement in numbered:
            match statement:
                case Reduce():
                    late.add(k)
                case Compute(_, operands, _) if any(o in late for o in operands):
                    late.add(k)
                case Keep(value, _) if value in late:
                    late.add(k)
        return late

    def _columns(self, columns: int, body: list[tuple[Value, Statement]]) -> None:
        """The loop over full vectors, several at a time where that hides latency, and the rest."""
        write, end = self.write, str(columns)
        if self.nest.entries is not None:
            passed = write.new(f"mul nsw i64 %r, {columns}")
            rest = write.new(f"sub nsw i64 {self.nest.entries}, {passed}")
            end = write.new(f"call i64 @llvm.smin.i64(i64 {rest}, i64 {columns})")
            write.declare("i64 @llvm.smin.i64(i64, i64)")
        reduces = [(k, s) for k, s in body if isinstance(s, Reduce)]
        calls = sum(isinstance(s, Compute) and s.operation in MATHEMATICS for _, s in body)
        together = self._together(calls, len(body), columns, reduces=bool(reduces))
        sums = {k: [write.identity(s.operation, s.type)] * together for k, s in reduces}
        step = together * self.lanes
        if self.nest.entries is not None or columns >= step:
            whole = write.new(f"sub nsw i64 {end}, {write.new(f'srem i64 {end}, {step}')}")
            sums = self._loop("main", ("0", whole), step, body, sums, masked=False)
        else:
            whole = "0"
        if self.nest.entries is not None or columns % step:
            sums = self._loop("tail", (whole, end), self.lanes, body, sums, masked=True)
        for k, statement in reduces:
            self.names[k] = write.joined(statement.operation, sums[k], statement.type)

    def _together(self, calls: int, length: int, columns: int, *, reduces: bool) -> int:
        """How many vectors pass at a time; a number that only the statements and sizes decide."""
        if calls > 1:
            wanted = next((n for n, longest in TOGETHER if length <= longest), 1)
        else:
            wanted = PARTIAL_SUMS if reduces and not calls else 1
        while wanted > 1 and columns < wanted * self.lanes:
            wanted //= 2
        return wanted

    def _loop(
        self,
        name: str,
        bounds: tuple[str, str],
        step: int,
        body: list[tuple[Value, Statement]],
        sums: dict[Value, list[str]],
        *,
        masked: bool,
    ) -> dict[Value, list[str]]:
        """One loop over the columns; `sums` are the partial sums before it, the result after it."""
        write, (begin, end) = self.write, bounds
        before, head, done = write.fresh("before"), write.fresh(name), write.fresh("done")
        enter = write.new(f"icmp slt i64 {begin}, {end}")
        write.line(f"br label %{before}")
        write.label(before)
        write.line(f"br i1 {enter}, label %{head}, label %{done}")
        write.label(head)
        column, following = f"%{write.fresh('c')}", f"%{write.fresh('c')}"
        place = len(write.lines)
        running = {k: [f"%{write.fresh('s')}" for _ in group] for k, group in sums.items()}
        inner = self._body(body, column, step // self.lanes, running, end if masked else None)
        write.line(f"{following} = add nsw i64 {column}, {step}")
        again = write.new(f"icmp slt i64 {following}, {end}")
        write.line(f"br i1 {again}, label %{head}, label %{done}")
        phis = [f"  {column} = phi i64 [ {begin}, %{before} ], [ {following}, %{head} ]"]
        after = {k: [f"%{write.fresh('s')}" for _ in group] for k, group in sums.items()}
        write.label(done)
        for k, group in sums.items():
            type = write.vector(self.types[k])
            for part, start in enumerate(group):
                moved = inner[k][part]
                ways = f"phi {type} [ {start}, %{before} ], [ {moved}, %{head} ]"
                phis.append(f"  {running[k][part]} = {ways}")
                write.line(f"{after[k][part]} = {ways}")
        write.lines[place:place] = phis
        return after

    def _body(
        self,
        body: list[tuple[Value, Statement]],
        column: str,
        copies: int,
        running: dict[Value, list[str]],
        end: str | None,
    ) -> dict[Value, list[str]]:
        """The statements for one or more vectors; `end` is given where places may be missing.

        Each statement comes for all vectors before the next one: the processor looks ahead less far
        than a function of the mathematics library is long, and so finds work that does not wait.
        """
        inner = {k: list(group) for k, group in running.items()}
        columns = [column]
        for copy in range(1, copies):
            columns.append(self.write.new(f"add nsw i64 {column}, {copy * self.lanes}"))
        outside = self.names
        names = [ChainMap(dict[Value, str](), outside) for _ in columns]
        self.memory.mask = None if end is None else self._mask(column, end)
        for k, statement in body:
            for copy, at in enumerate(columns):
                self.names = names[copy]
                if isinstance(statement, Reduce):
                    inner[k][copy] = self._accumulated(statement, inner[k][copy])
                else:
                    self._statement(k, statement, at)
        self.names = outside
        self.memory.mask = None
        return inner

    def _mask(self, column: str, end: str) -> str:
        left = self.write.splat(self.write.new(f"sub nsw i64 {end}, {column}"), "i64")
        return self.write.new(f"icmp slt {self.write.vector('i64')} {self._lanes('i64')}, {left}")

    def _lanes(self, type: str) -> str:
        return f"<{', '.join(f'{type} {k}' for k in range(self.lanes))}>"

    # -- statements -----------------------------------------------------------------------------

    def _statement(self, k: Value, statement: Statement, column: str) -> None:
        names, write = self.names, self.write
        match statement:
            case Load():
                names[k] = self.memory.load(statement, names, column)
            case Gather():
                names[k] = self.memory.gather(statement, names, self.types, column)
            case Index(loop, type):
                names[k] = self._index(loop, type, column)
            case Require(value):
                wrong = write.new(f"xor {write.vector('i1')} {names[value]}, splat (i1 true)")
                self.memory.count_bad(wrong)
            case Constant(number, type):
                names[k] = write.number(number, type)
            case Compute(operation, operands, type):
                given = [names[o] for o in operands]
                names[k] = write.compute(operation, given, self.types[operands[0]], type)
            case Store(value, access, accumulate):
                together = None if accumulate is None else (accumulate, self._first())
                self.memory.store(names[value], self.types[value], access, column, together)
            case Keep(value, access):
                self.memory.keep(names[value], self.types[value], access)
            case Reduce():
                raise AssertionError("a reduction belongs to its loop")

    def _first(self) -> str:
        """Whether this row is the first of those that accumulate."""
        if self.nest.together == 1:
            return self.write.new("icmp eq i64 %r, %from")
        place = self.write.new(f"urem i64 %r, {self.nest.together}")
        return self.write.new(f"icmp eq i64 {place}, 0")

    def _index(self, loop: int, type: str, column: str) -> str:
        """The position of a loop; along the columns it counts through the vector."""
        write = self.write
        position = column if loop == len(self.nest.rows) else self.positions[loop]
        if loop == len(self.nest.rows) and self.nest.entries is not None:
            passed = write.new(f"mul nsw i64 %r, {self.nest.stages[0].columns}")
            position = write.new(f"add nsw i64 {passed}, {column}")
        if type != "i64" and position[0] == "%":
            position = write.new(f"trunc i64 {position} to {type}")
        value = write.splat(position, type)
        if loop != len(self.nest.rows):
            return value
        return write.new(f"add {write.vector(type)} {value}, {self._lanes(type)}")

    def _accumulated(self, reduce: Reduce, known: str) -> str:
        write, type = self.write, reduce.type
        value = write.cast(self.names[reduce.value], self.types[reduce.value], type)
        joined = write.compute(reduce.operation, [known, value], type, type)
        if self.memory.mask is None:
            return joined
        vector = write.vector(type)
        return write.new(
            f"select <{self.lanes} x i1> {self.memory.mask}, {vector} {joined}, {vector} {known}"
        )


def attributes(width: int) -> str:
    """What all functions of a module carry: vectors of the whole width are passed in registers."""
    wide = f'"min-legal-vector-width"="{width}" "prefer-vector-width"="{width}"'
    return (
        f"attributes #0 = {{ nounwind {wide} }}\n"
        f"attributes #1 = {{ nounwind willreturn memory(none) {wide} }}\n"
    )


__all__ = ["attributes", "emit", "literal"]
