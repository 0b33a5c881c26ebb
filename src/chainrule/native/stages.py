"""The statements of a group's stages, and the small nests that join what its rows have left."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from chainrule.graph import Node, Spec
from chainrule.graph.node import Edge
from chainrule.native.instructions import MATHEMATICS
from chainrule.native.lowering import (
    ROW_BUFFER,
    Array,
    Loops,
    Lowering,
    LoweringError,
    Partial,
)
from chainrule.native.nest import (
    Access,
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
    Term,
    Value,
)
from chainrule.native.placing import Pick
from chainrule.native.placings import placing_of
from chainrule.native.scalars import SCALARS, type_of
from chainrule.native.views import ArrayView, contiguous
from chainrule.passes.fuse import REDUCTIONS, Group

PARTS = 8
"""Into how many parts rows are cut at most where every part has partial results of its own."""


def nests_of(
    name: str, group: Group, escaping: set[Edge], views: Mapping[Edge, ArrayView]
) -> list[Loops]:
    """The nests of a group: its loops, and what joins their partial results."""
    for dtype in (node.outputs[0].dtype for node in group.nodes):
        if type_of(dtype) is None:
            raise LoweringError(f"there are no loops over {dtype}")
    lowering = Lowering(name, group, escaping, views)
    while True:
        attempt = _Attempt(lowering)
        spill = attempt.build()
        if not attempt.arrays:
            return []  # nothing that anyone reads
        if spill is None:
            return attempt.loops()
        if lowering.layout.columns > ROW_BUFFER:
            lowering.escaping.append(spill)  # too long for the stack: an array of its own
        else:
            lowering.spilled[spill] = len(lowering.spilled)


class _Attempt:
    """Writes the stages; where a value must be kept for a later one, `build` says which."""

    def __init__(self, lowering: Lowering) -> None:
        self.lowering = lowering
        self.arrays: dict[Array, int] = {}
        self.stages: list[Stage] = []
        self.statements: list[Statement] = []
        self.start = 0
        self.types: list[str] = []
        self.uniform: dict[Edge, Value] = {}
        self.here: dict[object, Value] = {}
        self.stage = 0
        self.spill: Edge | None = None
        self.written: set[Edge] = set()
        self.joins: list[tuple[Node, Array]] = []
        self.scratch: list[str] = [""] * len(lowering.spilled)

    def add(self, statement: Statement, type: str) -> Value:
        self.statements.append(statement)
        self.types.append(type)
        return self.start + len(self.statements) - 1

    def once(self, statement: Statement, type: str) -> Value:
        """A statement without effects, the same one only once in a stage."""
        key = repr(statement) if isinstance(statement, Constant) else statement
        if key not in self.here:
            self.here[key] = self.add(statement, type)
        return self.here[key]

    # -- Builder --------------------------------------------------------------------------------

    def compute(self, operation: str, *operands: Value, type: str | None = None) -> Value:
        type = type or self.type_of(operands[0])
        return self.once(Compute(operation, operands, type), type)

    def constant(self, number: float | int | bool, type: str) -> Value:
        return self.once(Constant(number, type), type)

    def cast(self, value: Value, type: str) -> Value:
        if self.type_of(value) == type:
            return value
        return self.compute("cast", value, type=type)

    def type_of(self, value: Value) -> str:
        return self.types[value]

    # -- Placer ---------------------------------------------------------------------------------

    @property
    def index_type(self) -> str:
        return "i32" if prod(self.lowering.space) < 2**31 else "i64"

    def view(self, node: Node, position: int) -> ArrayView:
        return self.lowering.view(node.inputs[position])

    def index(self, node: Node, axis: int) -> Value:
        """The position along an axis of a node's result."""
        own = self.lowering.group.axes[node, 0][axis]
        loop = None if own is None else self.lowering.loop_of(own)
        if loop is None:
            return self.constant(0, self.index_type)
        return self.once(Index(loop, self.index_type), self.index_type)

    def _access(self, node: Node, pick: Pick) -> tuple[Access, str]:
        edge = node.inputs[pick.position]
        type = type_of(edge[0].outputs[edge[1]].dtype)
        assert type is not None
        array = self.array(self.lowering.view(edge).base)
        return self.lowering.picked(array, node, pick), type

    def pick(self, node: Node, pick: Pick, where: Value | None = None) -> Value:
        """The entry that a node reads elsewhere; 0 where the condition does not hold."""
        access, type = self._access(node, pick)
        return self.once(Load(access, type, where), type)

    def gather(self, node: Node, pick: Pick, terms: tuple[Term, ...]) -> Value:
        access, type = self._access(node, pick)
        return self.once(Gather(access, terms, type), type)

    def require(self, condition: Value) -> None:
        self.once(Require(condition), "i1")

    # -- values ---------------------------------------------------------------------------------

    def array(self, array: Array) -> int:
        return self.arrays.setdefault(array, len(self.arrays))

    def value(self, edge: Edge) -> Value:
        """A value of the group, in the present stage; what it needs is computed first."""
        waiting = [edge]
        while waiting:
            last = waiting[-1]
            missing = () if self._known(last) else self._missing(last)
            if missing:
                waiting += missing
            else:
                if not self._known(last):
                    self._make(last)
                waiting.pop()
        return self.uniform[edge] if edge in self.uniform else self.here[edge]

    def _known(self, edge: Edge) -> bool:
        return edge in self.uniform or edge in self.here

    def _past(self, edge: Edge) -> bool:
        low = self.lowering
        return low.stages_of[edge[0]] < self.stage and low.in_columns(edge)

    def _missing(self, edge: Edge) -> list[Edge]:
        """The inputs of a value that are not there yet."""
        kept = edge in self.written or edge in self.lowering.spilled or _is_heavy(edge[0])
        if self._past(edge) and kept:
            return []
        inside = self.lowering.inside
        return [e for e in edge[0].inputs if e[0] in inside and not self._known(e)]

    def _make(self, edge: Edge) -> None:
        node, low = edge[0], self.lowering
        type = type_of(node.outputs[0].dtype)
        assert type is not None
        past = self._past(edge)
        if past and (edge in self.written or edge in low.spilled):
            found = self.once(Load(self._own(edge), type), type)
        elif past and _is_heavy(node):
            self.spill = self.spill or edge
            found = self.constant(0, type)
        else:
            found = self._computed(node)
        self.here[edge] = found
        if not low.in_columns(edge):
            self.uniform[edge] = found

    def _own(self, edge: Edge) -> Access:
        """Where a value of the group is written."""
        low = self.lowering
        if edge in low.spilled and edge not in low.escaping:
            row = (0,) * len(low.layout.rows)
            return Access(-1 - low.spilled[edge], (*row, 1))
        return low.access(self.array(edge), edge, low.group.axes[edge])

    def _computed(self, node: Node) -> Value:
        if node.primitive.name in ("broadcast_to", "reshape"):
            return self.value(node.inputs[0])
        placing = placing_of(node)
        if placing is not None:
            return placing.write(self, node, self.lowering.picks[node])
        operands = [self.operand(node, k) for k in range(len(node.inputs))]
        return SCALARS[node.primitive.name](self, operands, node)

    def operand(self, node: Node, position: int) -> Value:
        """An input of a node: a value of the group, a number, or an entry of an array."""
        edge = node.inputs[position]
        if edge[0] in self.lowering.inside:
            return self.value(edge)
        spec = edge[0].outputs[edge[1]]
        type = type_of(spec.dtype)
        assert type is not None
        known = self.lowering.known(edge)
        if known is not None:
            return self.constant(known, type)
        axes = self.lowering.axes_of_input(node, position)
        array = self.array(self.lowering.view(edge).base)
        return self.once(Load(self.lowering.access(array, edge, axes), type), type)

    # -- stages ---------------------------------------------------------------------------------

    def build(self) -> Edge | None:
        """Write all stages; the value to keep that was missing, if one was."""
        low = self.lowering
        for self.stage in range(max(low.stages_of.values()) + 1):
            self.here = {}
            for node in low.group.nodes:
                if low.stages_of[node] == self.stage:
                    self._sink(node)
            self.stages.append(Stage(low.layout.columns, tuple(self.statements)))
            self.start += len(self.statements)
            self.statements = []
        return self.spill

    def _sink(self, node: Node) -> None:
        """What a node makes that is visible outside its stage."""
        low, edge = self.lowering, (node, 0)
        reduction = low.group.reductions.get(node)
        if reduction is not None:
            self._reduce(node)
            if not reduction.rows:
                return
        elif edge in low.escaping or edge in low.spilled or not low.in_columns(edge):
            self.value(edge)
        if edge in low.escaping and not low.in_columns(edge):
            self.add(Keep(self.value(edge), self._own(edge)), "")
        elif edge in low.escaping or edge in low.spilled:
            value = self.value(edge)
            self.add(Store(value, self._own(edge)), "")
            if edge in low.spilled:
                self.scratch[low.spilled[edge]] = self.type_of(value)
            self.written.add(edge)

    def _reduce(self, node: Node) -> None:
        low = self.lowering
        reduction = low.group.reductions[node]
        type = type_of(node.outputs[0].dtype)
        if type is None:
            raise LoweringError(f"there are no loops over {node.outputs[0].dtype}")
        value = self.cast(self.operand(node, 0), type)
        row = contiguous(low.layout.rows)
        name = f"{low.name}.{len(self.joins)}"
        if reduction.kind in ("last", "all"):
            total = self.add(Reduce(reduction.operation, value, type), type)
            if reduction.kind == "all":
                partial = Partial(name, prod(low.layout.rows), 1, type, False)
                self.add(Keep(total, Access(self.array(partial), (*row, 0))), "")
                self.joins.append((node, partial))
                return
            if node.primitive.name == "mean":
                total = self.compute("divide", total, self.constant(count(node), type))
            self.uniform[node, 0] = total
        elif reduction.kind == "first":
            parts = min(PARTS, low.bundles)
            partial = Partial(name, parts, low.layout.columns, type, True)
            here = Access(self.array(partial), (*(0 for _ in row), 1))
            self.add(Store(value, here, reduction.operation), "")
            self.joins.append((node, partial))
        else:
            alone = low.together == 1  # a middle of one row, which nothing came before
            operation = None if alone else reduction.operation
            self.add(Store(value, self._own((node, 0)), operation), "")
            if node.primitive.name == "mean":
                self.joins.append((node, (node, 0)))

    def loops(self) -> list[Loops]:
        """The finished nest, and one for each reduction that is to be joined."""
        low = self.lowering
        stages = tuple(_with_scratch(stage, len(self.arrays)) for stage in self.stages)
        arrays = tuple(self.arrays)
        nest = Nest(
            low.name,
            low.layout.rows,
            stages,
            tuple(_memory_type(a) for a in arrays),
            low.layout.entries,
            tuple((t, low.layout.columns) for t in self.scratch),
            low.together,
        )
        partials = [p for _, p in self.joins if isinstance(p, Partial)]
        parts = next((p.blocks for p in partials if p.of_parts), None)
        found = [Loops(nest, arrays, low.bundles, parts)]
        for k, (node, partial) in enumerate(self.joins):
            found.append(_joined(f"{low.name}_join{k}", node, partial))
        return found


def _joined(name: str, node: Node, partial: Array) -> Loops:
    """The nest that makes the result of a reduction from its partial results."""
    operation = REDUCTIONS[node.primitive.name]
    type = _memory_type((node, 0))
    statements: list[Statement] = []
    columns, single, arrays = prod(node.outputs[0].shape), False, ((node, 0),)
    if not isinstance(partial, Partial):
        statements.append(Load(Access(0, (0, 1)), type))
    elif not partial.of_parts:
        single, columns = True, partial.blocks
        statements += [Load(Access(0, (0, 1)), type), Reduce(operation, 0, type)]
    else:
        statements += [
            Load(Access(0, (0, 1), k * partial.entries), type) for k in range(partial.blocks)
        ]
        waiting = list(range(partial.blocks))
        while len(waiting) > 1:  # pairs of pairs, in an order that only the shape decides
            statements.append(Compute(operation, (waiting.pop(0), waiting.pop(0)), type))
            waiting.append(len(statements) - 1)
    last = len(statements) - 1
    if node.primitive.name == "mean":
        statements.append(Constant(count(node), type))
        statements.append(Compute("divide", (last, last + 1), type))
        last += 2
    found: tuple[Array, ...] = arrays
    if isinstance(partial, Partial):
        found = (partial, *arrays)
    out = len(found) - 1
    end = Keep(last, Access(out, (0, 0))) if single else Store(last, Access(out, (0, 1)))
    statements.append(end)
    stage = Stage(columns, tuple(statements))
    return Loops(Nest(name, (1,), (stage,), (type,) * len(found)), found, 1, None)


def count(node: Node) -> int:
    """How many entries of its input a reduction takes together for each of its results."""
    source, index = node.inputs[0]
    given, left = source.outputs[index].shape, node.outputs[0].shape
    return prod(given) // max(prod(left), 1)


def _with_scratch(stage: Stage, arrays: int) -> Stage:
    """Buffers of one row are counted from -1 while the arrays are not all known."""
    found: list[Statement] = []
    for statement in stage.statements:
        access = getattr(statement, "access", None)
        if access is not None and access.array < 0:
            moved = access._replace(array=arrays - 1 - access.array)
            statement = statement._replace(access=moved)  # type: ignore[call-arg]
        found.append(statement)
    return Stage(stage.columns, tuple(found))


def _memory_type(array: Array) -> str:
    if isinstance(array, Partial):
        return array.type
    spec: Spec = array[0].outputs[array[1]]
    type = type_of(spec.dtype)
    assert type is not None
    return type


def _is_heavy(node: Node) -> bool:
    """Whether computing a value again costs more than loading it."""
    name = node.primitive.name
    return (
        name in MATHEMATICS
        or name[:3] == "arc"
        or name in ("power", "divide", "sqrt", "logaddexp", "logaddexp2", "sinc")
    )
