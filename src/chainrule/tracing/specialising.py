"""Recording for compilation: every leaf an input, outside arrays by reference, reads as guards."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule import errors
from chainrule.graph import (
    CONSTANT,
    VARIABLE,
    Guard,
    Node,
    Place,
    Primitive,
    Traced,
    registry,
    spec_of,
)
from chainrule.graph.node import OWN_FOLDERS, Edge, callers_place
from chainrule.graph.traced import owner
from chainrule.tracing.array import Recorded
from chainrule.tracing.levels import capture
from chainrule.tracing.outside import Binding, Outside
from chainrule.tracing.recording import Recording

PREDICATES: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "int": int,
    "count": lambda mask: int(np.count_nonzero(mask)),
    "shape": np.shape,
}
"""What is read of a value, and has to stay the same, by the kind of the guard."""

_WEAK = (float, int, complex)


class Foreign(BaseException):  # not an Exception: the user's code must not catch it
    """The function meets a traced value of another transform, so it has to run inside that."""


class Hidden(NamedTuple):
    """An array from outside that is an input of the graph."""

    node: Node
    binding: Binding
    array: np.ndarray[Any, Any]
    captured: np.ndarray[Any, Any]
    is_whole: bool  # the very array that the name means, not a view of it
    place: Place


class Taken(NamedTuple):
    """An array or number that was computed outside the graph while it was traced, and copied."""

    value: Any
    place: Place


class _Nothing(dict[Edge, Any]):
    """Forgets what is put in: the handles alone keep values, as long as the code needs them."""

    def __setitem__(self, edge: Edge, value: Any) -> None:
        pass


class Specialising(Recording):
    """Records one specialisation of a compiled function."""

    __slots__ = ("_known", "_states", "hidden", "outside", "taken")

    def __init__(self, outside: Outside) -> None:
        super().__init__("compile")
        self.values = _Nothing()
        self.outside = outside
        self.hidden: dict[int, Hidden] = {}
        self.taken: list[Taken] = []
        self._known: set[tuple[Edge, str]] = set()
        self._states = [(g, _state(g)) for g in (*outside.generators, np.random, random)]

    # -- what comes from outside ----------------------------------------------------------------

    def constant(self, value: Any) -> Recorded:
        if isinstance(value, Traced):
            raise Foreign
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
            return self._array(value)
        self._take(value)
        return super().constant(value)

    def _array(self, array: np.ndarray[Any, Any]) -> Recorded:
        known = self.hidden.get(id(array))
        if known is None:
            found = self.outside.binding_of(array)
            if found is None:
                self._take(array)
                return super().constant(array)
            binding, is_whole = found
            node = Node(VARIABLE, (), {}, (spec_of(array),), None, _identifier(binding.name))
            known = Hidden(node, binding, array, capture(array), is_whole, callers_place())
            self.hidden[id(array)] = known
        return Recorded(self, known.captured, (known.node, 0))

    def reference(self, array: Any) -> Any:
        if type(array) is np.ndarray and array.dtype.kind in "biufc":
            known = id(array) in self.hidden or self.outside.binding_of(array) is not None
            return self._array(array) if known else array
        return array

    def _take(self, value: Any) -> None:
        if _is_explained(value, self.outside.numbers):
            return
        self.check_generators()
        self.taken.append(Taken(value, callers_place()))

    def check_generators(self) -> None:
        """Raise if a random generator has advanced: its numbers would be constants."""
        for generator, state in self._states:
            if _state(generator) != state:
                raise errors.InputError(
                    f"random numbers are drawn at or just before {callers_place()} while the "
                    "function is traced for compile: every later call would see the same ones. "
                    "Pass them as arguments, or draw them with chainrule.numpy.random from a key"
                )

    def check_writes(self) -> None:
        """Raise if the function has written into an array from outside that it also uses."""
        for hidden in self.hidden.values():
            if hidden.captured is not hidden.array and (
                hidden.captured.tobytes() != hidden.array.tobytes()
            ):
                raise errors.MutationError(
                    f"the compiled function uses {hidden.binding.name} at {hidden.place} and "
                    "writes into it; a compiled call has no such side effects: pass the array as "
                    "an argument and return the new one"
                )

    # -- what the code reads --------------------------------------------------------------------

    def read(self, array: Traced, kind: str) -> Any:
        assert isinstance(array, Recorded)
        self._guard(array.mark, kind, array.value)
        return array.value

    def _guard(self, edge: Edge, kind: str, value: Any) -> None:
        if edge[0].primitive is CONSTANT or (edge, kind) in self._known:
            return
        self._known.add((edge, kind))
        observed = PREDICATES[kind](value)
        self.graph.guards.append(Guard(edge, kind, observed, callers_place()))

    # -- operations -----------------------------------------------------------------------------

    def apply(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        level = owner(arguments)
        if level is not self:
            return level.apply(primitive, arguments, params)
        if primitive.form == "call" and "call" in params:
            return tuple(params["call"](*arguments))  # a checkpointed function, traced as well
        weak = [_is_weak(a) for a in arguments]
        if any(weak) and not all(weak):  # Python numbers among themselves stay what they are
            arguments = self._strong(primitive, arguments)
        if primitive.name == "getitem":
            for index in arguments[1:]:
                if isinstance(index, Recorded) and index.level is self and index.dtype.kind == "b":
                    self._guard(index.mark, "count", index.value)
        if primitive.form == "general":  # SciPy's logm draws numbers of its own
            self.check_generators()
        result = super().apply(primitive, arguments, params)
        if primitive.form == "general":
            self._states = [(g, _state(g)) for g, _ in self._states]
        if primitive.form == "flat" and not isinstance(primitive.numpy, np.ufunc):
            self._guard_shapes(primitive, arguments, params, result)
        return result

    def _strong(self, primitive: Primitive, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Python numbers among the inputs in the dtype in which NumPy would take them.

        A graph knows no weak numbers: on its own, 0.5 is a float64, which would make float64
        code of float32 code.
        """
        dtypes = [a.dtype for a in arguments if not _is_weak(a) and hasattr(a, "dtype")]
        numbers = [type(_value(a))(0) for a in arguments if _is_weak(a)]
        if not dtypes:
            return arguments
        target = np.result_type(*dtypes, *numbers)
        counts = isinstance(primitive.numpy, np.ufunc) or primitive.name == "where"
        return tuple(
            super(Specialising, self).apply(registry["astype"], (a,), {"dtype": target})
            if isinstance(a, Recorded) and _is_weak(a) and (counts or type(a.value) is not int)
            else a
            for a in arguments
        )

    def _guard_shapes(
        self, primitive: Primitive, arguments: tuple[Any, ...], params: Any, result: Any
    ) -> None:
        results = result if isinstance(result, tuple) else (result,)
        shapes = [y.shape for y in results]
        plain = [np.asarray(_value(a)) for a in arguments]
        if _shape_depends_on_values(primitive, plain, params, shapes):
            for y in results:
                self._guard(y.mark, "shape", y.value)


def _shape_depends_on_values(
    primitive: Primitive, inputs: list[Any], params: Any, shapes: list[tuple[int, ...]]
) -> bool:
    """Whether zeros or ones in the place of the inputs give results of other shapes."""
    for like in (np.zeros_like, np.ones_like):
        try:
            other = primitive.compute(*[like(x) for x in inputs], **params)
        except (ValueError, IndexError, np.linalg.LinAlgError):
            continue
        others = other if isinstance(other, tuple) else (other,)
        if [np.shape(y) for y in others] != shapes:
            return True
    return False


def _value(argument: Any) -> Any:
    return argument.value if isinstance(argument, Traced) else argument


def _is_weak(argument: Any) -> bool:
    return type(_value(argument)) in _WEAK


def _identifier(name: str) -> str | None:
    return name if name.isidentifier() else None


def _is_explained(value: Any, known: set[Any]) -> bool:
    """Whether a constant says nothing of the entries of an array from outside.

    A rule is handed those by reference, so what it makes on its own comes from shapes and
    parameters. Of what the code makes, that is sure only of numbers that stand in it, and of
    counting.
    """
    maker = _maker()
    if maker == "a rule":
        return True
    if isinstance(value, _WEAK):
        known_here = value in known or value != value
        return known_here or (maker == "a function of ours" and _is_simple(value))
    if isinstance(value, np.generic):
        return bool(value in known)
    is_counting = value.dtype.kind in "iu" and np.array_equal(value.flat, np.arange(value.size))
    return not value.size or maker == "a creation" or bool(is_counting)


def _is_simple(number: complex) -> bool:
    """Whether a number is one of those that formulas are made of, such as 0.5 or 1/12."""
    parts = (number.real, number.imag)
    return all(abs(part) <= 1000 and part * 24 % 1 == 0 for part in parts)


_FOLDER = OWN_FOLDERS[0]


def _maker() -> str:
    """Whose operation a constant is for: of a rule, of a function of ours, or of the user's."""
    frame: Any = sys._getframe(2)
    found = "the user"
    while frame is not None and frame.f_code.co_filename.startswith(OWN_FOLDERS):
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file.endswith("reverse.py") or (name == "push" and file.endswith("dual.py")):
            return "a rule"
        if name == "made":
            return "a creation"
        if file.startswith(_FOLDER) and not file.startswith(
            (_FOLDER + "tracing", _FOLDER + "graph")
        ):
            found = "a function of ours"
        frame = frame.f_back
    return found


def _state(generator: Any) -> Any:
    """What changes when a generator is asked for numbers."""
    if isinstance(generator, np.random.Generator):
        return _comparable(generator.bit_generator.state)
    if generator is random or isinstance(generator, random.Random):
        state = generator.getstate()[1]
        return state[0], state[-2], state[-1]
    kind, keys, *rest = generator.get_state()
    return kind, int(keys[0]), int(keys[-1]), *rest


def _comparable(state: Any) -> Any:
    """The state of a bit generator without arrays, which cannot be compared as a whole."""
    if isinstance(state, dict):
        return {key: _comparable(value) for key, value in state.items()}
    return state.tobytes() if isinstance(state, np.ndarray) else state
