"""Every record of the registry × every sample of it: a new primitive brings its own tests.

A test asks for `operation`, or for a narrower kind of it, and runs once for each sample that fits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule
from chainrule.checks.differences import directional
from chainrule.checks.space import from_vector, sizes, to_vector, unit
from chainrule.graph import Primitive, is_inexact, registry
from chainrule.primitives.samples import Case

WITHOUT_RULES = ("flat", "leaf", "call")  # no derivative, no operation, the user's own function


class Operation:
    """A primitive with drawn inputs, as a function of its floating inputs."""

    def __init__(
        self,
        record: Primitive,
        arguments: tuple[Any, ...],
        params: dict[str, Any],
        determined: Callable[..., tuple[Any, ...]] | None = None,
        function: Any = None,
    ) -> None:
        self.record = record
        self.arguments = arguments
        self.params = params
        self.determined = determined
        self.function = record if function is None else function
        self.positions = [i for i, argument in enumerate(arguments) if is_inexact(argument)]

    @property
    def point(self) -> list[Any]:
        return [self.arguments[i] for i in self.positions]

    def at(self, leaves: list[Any]) -> Operation:
        """The same operation with other floating inputs."""
        arguments = list(self.arguments)
        for i, leaf in zip(self.positions, leaves, strict=True):
            arguments[i] = leaf
        return Operation(self.record, tuple(arguments), self.params, self.determined, self.function)

    def outputs(self) -> tuple[Any, ...]:
        out = self.function(*self.arguments, **self.params)
        return out if isinstance(out, tuple) else (out,)

    def __call__(self, leaves: list[Any]) -> list[Any]:
        outputs = self.at(leaves).outputs()
        if self.determined is not None:
            outputs = self.determined(*outputs)
        return [y for y in outputs if is_inexact(y)]

    def direction(self, rng: np.random.Generator) -> list[Any]:
        """A random tangent."""
        vector = rng.normal(size=to_vector(self.point).size) * sizes(self.point)
        return from_vector(vector, self.point)

    def codirection(self, rng: np.random.Generator) -> list[Any]:
        """A random cotangent."""
        outputs = self(self.point)
        return from_vector(rng.normal(size=to_vector(outputs).size), outputs)

    def complex_step(self, t: list[Any], h: float = 1e-30) -> Any:
        """Im f(x + i h t) / h, coordinate by coordinate."""
        stepped = self([x + 1j * h * d for x, d in zip(self.point, t, strict=True)])
        return to_vector([np.imag(y) / h for y in stepped])

    def jacobian(self) -> tuple[Any, Any]:
        """All first derivatives by differences of the primitive alone, and how far to trust them.

        Rows are coordinates of the outputs, columns those of the inputs.
        """
        size = to_vector(self.point).size
        columns = [directional(self, self.point, unit(k, size)) for k in range(size)]
        value = np.stack([column.value for column in columns], axis=1)
        return value, np.stack([column.doubt(1e-6) for column in columns], axis=1)


class Example(NamedTuple):
    """One sample of one record."""

    record: Primitive
    case: Case

    def draw(self, rng: np.random.Generator) -> Operation:
        arguments, params = self.case.draw(rng)
        return Operation(self.record, arguments, params, self.case.determined)

    def is_complex(self) -> bool:
        arguments, _ = self.case.draw(np.random.default_rng(0))
        return any(np.iscomplexobj(argument) for argument in arguments)

    def draw_complex(self, rng: np.random.Generator) -> Operation:
        """With complex inputs: those of the sample, or real ones with an imaginary part.

        Where the record computes by a NumPy function that has a meaning of its own for traced
        arrays, that function is called, as users do: it may treat complex numbers otherwise.
        """
        operation = self.draw(rng)
        if self.record.compute in registry.meanings:
            operation.function = self.record.compute
        if self.is_complex():
            return operation
        point = operation.point
        return operation.at([x + 0.3j * rng.normal(size=np.shape(x)) for x in point])


def examples_of(record: Primitive) -> list[Example]:
    cases = list(record.samples or ())
    if record.domain is not None:
        cases += record.domain.cases()
    return [Example(record, case) for case in cases]


def examples() -> list[Example]:
    return [e for r in registry if r.form not in WITHOUT_RULES for e in examples_of(r)]


def complex_examples() -> list[Example]:
    """Where NumPy accepts complex numbers; of a record with complex samples, those alone."""

    def accepted(example: Example) -> bool:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                example.draw_complex(np.random.default_rng(0)).outputs()
        except (TypeError, np.exceptions.ComplexWarning):
            return False
        return True

    chosen = []
    for record in registry:
        if record.form not in WITHOUT_RULES:
            found = examples_of(record)
            chosen += [e for e in found if e.is_complex()] or [e for e in found if accepted(e)]
    return chosen


def analytic_examples() -> list[Example]:
    """Real samples for which a complex step sees the derivative: six digits of the difference.

    Where code takes absolute values, conjugates or compares, it does not; where it turns by unitary
    matrices (a Schur form), rounding may hide the step, on some draws only: so several are tried.
    """

    def analytic(example: Example) -> bool:
        return all(sees(example, np.random.default_rng(seed)) for seed in range(3))

    def sees(example: Example, rng: np.random.Generator) -> bool:
        operation = example.draw(rng)
        if any(np.iscomplexobj(x) for x in (*operation.point, *operation.outputs())):
            return False
        t = operation.direction(rng)
        with np.errstate(all="ignore"):
            stepped = operation.complex_step(t)
            measured = directional(operation, operation.point, to_vector(t)).value
        return bool(np.allclose(stepped, measured, rtol=1e-6, atol=1e-8))

    return [example for example in complex_examples() if analytic(example)]


def flat_examples() -> list[Example]:
    return [e for r in registry if r.form == "flat" for e in examples_of(r)]


def joint_examples() -> list[Example]:
    return [e for e in examples() if e.record.outputs > 1]


KINDS: dict[str, Callable[[], list[Any]]] = {
    "operation": examples,
    "complex_operation": complex_examples,
    "analytic_operation": analytic_examples,
    "flat_operation": flat_examples,
    "joint_operation": joint_examples,
    "example": lambda: [*examples(), *flat_examples()],
    "smooth_example": examples,
    "record": lambda: list(registry),
    "broadcasting_record": lambda: [
        r for r in registry if r.form == "elementwise" and r.domain is not None and r.inputs == 2
    ],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for kind, found in KINDS.items():
        if kind in metafunc.fixturenames:
            chosen = found()
            metafunc.parametrize(kind, chosen, ids=named(chosen), indirect=True)


def named(chosen: list[Any]) -> list[str]:
    """`matmul-0`, `matmul-1`, … for samples; the name for records."""
    counts: dict[str, int] = {}
    names = []
    for item in chosen:
        if isinstance(item, Primitive):
            names.append(item.name)
            continue
        name = item.record.name
        counts[name] = counts.get(name, -1) + 1
        names.append(f"{name}-{counts[name]}")
    return names


@pytest.fixture
def operation(request: pytest.FixtureRequest, rng: np.random.Generator) -> Operation:
    return request.param.draw(rng)


@pytest.fixture
def complex_operation(request: pytest.FixtureRequest, rng: np.random.Generator) -> Operation:
    return request.param.draw_complex(rng)


@pytest.fixture
def analytic_operation(request: pytest.FixtureRequest, rng: np.random.Generator) -> Operation:
    return request.param.draw(rng)


@pytest.fixture
def flat_operation(request: pytest.FixtureRequest, rng: np.random.Generator) -> Operation:
    return request.param.draw(rng)


@pytest.fixture
def joint_operation(request: pytest.FixtureRequest, rng: np.random.Generator) -> Operation:
    return request.param.draw(rng)


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Example:
    return request.param


@pytest.fixture
def smooth_example(request: pytest.FixtureRequest) -> Example:
    return request.param


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Primitive:
    return request.param


@pytest.fixture
def broadcasting_record(request: pytest.FixtureRequest) -> Primitive:
    return request.param


assert chainrule.__name__  # importing the front door fills the registry
registry.complete()
