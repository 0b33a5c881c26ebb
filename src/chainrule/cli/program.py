"""The text of a command: named steps, and the values of names."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.cli.expression import Builder, Evaluate, refusal
from chainrule.cli.language import ALLOWED, CONSTANTS, FUNCTIONS
from chainrule.errors import CommandError

LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Program:
    """The steps of an expression: a name (None for an unnamed result) and what evaluates it.

    `free` are the names without a step of their own, which need values, in order of appearance.
    """

    steps: tuple[tuple[str | None, Evaluate], ...]
    free: tuple[str, ...]

    @property
    def assigned(self) -> list[str]:
        return [name for name, _ in self.steps if name is not None]

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """The value of every step, in order; the last entry is the result."""
        environment = dict(values)
        results = []
        with np.errstate(all="ignore"):
            for name, evaluate in self.steps:
                results.append(evaluate(environment))
                if name is not None:
                    environment[name] = results[-1]
        return results

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise CommandError unless exactly the free names have values, and the steps fit them."""
        for name in self.free:
            if name not in values:
                raise CommandError(
                    f"{name!r} has no value: give it one, such as {name}=1.5. {ALLOWED}"
                )
        for name in values:
            if name not in self.free:
                names = ", ".join(self.free) or "none"
                raise CommandError(
                    f"{name!r} has a value that the expression does not use; it uses {names}"
                )
        if not values:
            raise CommandError(
                "the expression has no names, so nothing can be differentiated: write a name in "
                "place of a number, and give its value as name=value"
            )
        self.run(values)


def parse(text: str) -> Program:
    """Read `"u = x + 1; y = x*u"`: steps with names, and a result with or without one.

    Raises CommandError for whatever is not on the closed list of `language.py`.

    >>> program = parse("u = x + 1; x*u")
    >>> program.free, program.assigned
    (('x',), ['u'])
    >>> [float(value) for value in program.run({"x": 17.0})]
    [18.0, 306.0]
    """
    statements = _statements(text)
    builder = Builder()
    steps: list[tuple[str | None, Evaluate]] = []
    assigned: set[str] = set()
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                evaluate = builder.build(value)
                if name in builder.used or name in assigned:
                    raise CommandError(
                        f"{name!r} is assigned after it is used, or twice: every step needs a name "
                        "of its own, and stands before its uses"
                    )
                assigned.add(_new_name(name))
                steps.append((name, evaluate))
            case ast.Expr(value=value) if statement is statements[-1]:
                steps.append((None, builder.build(value)))
            case ast.Expr():
                raise CommandError(
                    f"the step {ast.unparse(statement)!r} has no name, and is not the last one: "
                    "write u = ... before it"
                )
            case _:
                raise refusal(statement)
    return Program(tuple(steps), tuple(name for name in builder.used if name not in assigned))


def named_values(texts: Sequence[str]) -> dict[str, Any]:
    """Read `["x=17", "W=[[1,2],[3,4]]"]`: numbers and lists of numbers, as float64.

    >>> named_values(["x=-3", "w=[1, 2e-1]"])
    {'x': np.float64(-3.0), 'w': array([1. , 0.2])}
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, written = (part.strip() for part in text.partition("="))
        if not equals:
            raise CommandError(f"{text!r} is no value of a name: write name=value, such as x=1.5")
        if _new_name(name) in values:
            raise CommandError(f"{name!r} has two values: give it once")
        builder = Builder()
        match _statements(written):
            case [ast.Expr(value=value)]:
                evaluate = builder.build(value)
            case _:
                raise CommandError(f"the value of {name} is {written!r}, not one number or list")
        if builder.used:
            raise CommandError(
                f"the value of {name} uses {next(iter(builder.used))!r}: a value is a number or a "
                "list of numbers, such as 1.5 or [[1, 2], [3, 4]]"
            )
        with np.errstate(all="ignore"):
            values[name] = evaluate({})
    return values


def _statements(text: str) -> list[ast.stmt]:
    if len(text) > LONGEST_TEXT:
        raise CommandError(
            f"the text has {len(text):,} characters, more than the {LONGEST_TEXT:,} that are read"
        )
    try:
        statements = ast.parse(text.strip()).body
    except SyntaxError as error:
        raise CommandError(f"{text!r} cannot be read: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise CommandError(f"{text!r} cannot be read: {error or 'nested too deeply'}") from error
    if not statements:
        raise CommandError("the text is empty: write an expression, such as x*(x + 1)")
    return statements


def _new_name(name: str) -> str:
    """A name that may be given to a value."""
    if name in FUNCTIONS or name in CONSTANTS:
        raise CommandError(f"{name!r} has a meaning here already: choose another name")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise CommandError(f"{name!r} is no name: a name is a word, such as x or W1")
    return name
