"""One expression of the command line, turned into a function of the values of its names.

Python's parser reads the text, and its tree is taken over here node by node: there is no `eval`,
and whatever is not in `language.py` is refused by name. Numbers are floats, so that powers overflow
to infinity instead of growing, and no value may have more than MOST_ENTRIES entries.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.cli.language import ALLOWED, COMPARISONS, CONSTANTS, FUNCTIONS, SIGNS
from chainrule.errors import CommandError

DEEPEST = 60
MOST_ENTRIES = 100_000
_PRODUCTS = {SIGNS[ast.MatMult], FUNCTIONS["dot"].compute}

Environment = Mapping[str, Any]
Evaluate = Callable[[Environment], Any]


class Builder:
    """Builds functions from syntax trees, and notes in `used` the names that need a value."""

    def __init__(self) -> None:
        self.used: dict[str, None] = {}

    def build(self, node: ast.expr, depth: int = 0) -> Evaluate:
        """A function from the values of names to the value of the expression at `node`."""
        if depth > DEEPEST:
            raise CommandError(
                f"the expression is nested more than {DEEPEST} levels deep: write it as several "
                "named steps, such as u = x + 1; y = x*u"
            )
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self._number(number)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                value = self.build(operand, depth + 1)
                return value if isinstance(sign, ast.UAdd) else lambda env: -value(env)
            case ast.BinOp(left=left, op=operation, right=right) if type(operation) in SIGNS:
                first = self.build(left, depth + 1)
                exponent = _whole(right) if isinstance(operation, ast.Pow) else None
                if exponent is not None:  # a whole number stays whole: x² is a square
                    return _applied(node, lambda x: x**exponent, [first])
                return _applied(node, SIGNS[type(operation)], [first, self.build(right, depth + 1)])
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
                return self._call(node, name, depth)
            case ast.Attribute(value=inner, attr="T"):
                return _applied(node, lambda x: x.T, [self.build(inner, depth + 1)])
            case ast.Subscript(value=inner, slice=index):
                position = _position(index)
                array = self.build(inner, depth + 1)
                return _applied(node, lambda x: x[position], [array])
            case ast.List(elts=entries) if entries:
                operands = [self.build(entry, depth + 1) for entry in entries]
                return _applied(node, _stack, operands)
        raise refusal(node)

    def _number(self, number: float) -> Evaluate:
        if isinstance(number, int) and number.bit_length() > 1023:
            raise CommandError("a number in the expression is too large for floating point")
        value = np.float64(number)
        return lambda env: value

    def _name(self, name: str) -> Evaluate:
        if name in FUNCTIONS:
            raise CommandError(f"{name} is a function: write {name}(...). {ALLOWED}")
        if name in CONSTANTS:
            return lambda env: CONSTANTS[name]
        self.used.setdefault(name)
        return lambda env: env[name]

    def _call(self, node: ast.Call, name: str, depth: int) -> Evaluate:
        function = FUNCTIONS[name]
        if not function.fewest <= len(node.args) <= function.most:
            counts = " or ".join(str(n) for n in range(function.fewest, function.most + 1))
            raise CommandError(f"{name} takes {counts} arguments, and {len(node.args)} are given")
        options: dict[str, int] = {}
        for option in node.keywords:
            axis = _whole(option.value)
            if option.arg != "axis" or not function.axis or len(node.args) > 1 or axis is None:
                raise CommandError(
                    f"{_text(node)} is not allowed: the only option is axis=<whole number>, in "
                    f"{', '.join(n for n, f in FUNCTIONS.items() if f.axis)} of one argument"
                )
            options["axis"] = axis
        operands = [
            self._condition(argument, depth + 1)
            if name == "where" and k == 0
            else self.build(argument, depth + 1)
            for k, argument in enumerate(node.args)
        ]
        if options:
            return _applied(node, lambda x: function.compute(x, **options), operands)
        return _applied(node, function.compute, operands)

    def _condition(self, node: ast.expr, depth: int) -> Evaluate:
        match node:
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if (
                type(sign) in COMPARISONS
            ):
                operands = [self.build(left, depth), self.build(right, depth)]
                return _applied(node, COMPARISONS[type(sign)], operands)
        raise CommandError(
            f"where needs one comparison first, such as where(x > 0, x, 0), not {_text(node)}"
        )


def refusal(node: ast.AST) -> CommandError:
    """The sentence for a piece of syntax that is not on the list."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return CommandError(f"{node.func.id!r} is not a function that is allowed here. {ALLOWED}")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return CommandError("^ is no power in Python: write **, such as x**2")
    if isinstance(node, ast.Attribute):
        return CommandError(f"'.{node.attr}' is not allowed here. {ALLOWED}")
    if isinstance(node, ast.Compare):
        return CommandError(f"{_text(node)} is a comparison outside where. {ALLOWED}")
    return CommandError(f"{_text(node)} is not allowed here. {ALLOWED}")


def _text(node: ast.AST) -> str:
    text = ast.unparse(node)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _whole(node: ast.expr) -> int | None:
    """The whole number that is written at `node`; None where there is something else."""
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return number if number.bit_length() < 32 else None
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            number_inside = _whole(inner)
            return None if number_inside is None else -number_inside
    return None


def _position(index: ast.expr) -> tuple[int, ...]:
    entries = index.elts if isinstance(index, ast.Tuple) else [index]
    found = tuple(_whole(entry) for entry in entries)
    whole = tuple(entry for entry in found if entry is not None)
    if len(whole) != len(found) or not found:
        raise CommandError(
            f"the index {_text(index)} is not allowed: an index is made of whole numbers, such as "
            "x[0] or W[0, 1]"
        )
    return whole


def _stack(*values: Any) -> Any:
    """A list of equally shaped values as one array."""
    return np.stack(values)


def _applied(node: ast.expr, compute: Callable[..., Any], operands: list[Evaluate]) -> Evaluate:
    """The operation at `node` on its operands; what does not fit, or is too large, is told."""

    def evaluate(env: Environment) -> Any:
        values = [operand(env) for operand in operands]
        shapes = [np.shape(value) for value in values]
        entries = _entries(compute, shapes)
        if entries > MOST_ENTRIES:
            raise CommandError(
                f"{_text(node)} has {entries:,} entries, more than the {MOST_ENTRIES:,} that can "
                "be explained step by step: take smaller arrays"
            )
        try:
            return compute(*values)
        except CommandError:
            raise
        except (ValueError, IndexError, TypeError) as error:
            raise CommandError(
                f"{_text(node)} does not fit operands of shape {', '.join(map(str, shapes))}: "
                f"{error}"
            ) from error

    return evaluate


def _entries(compute: Callable[..., Any], shapes: list[tuple[int, ...]]) -> int:
    """How many entries the result has, at most; 0 where the shapes do not fit anyway."""
    if compute is _stack:
        return sum(math.prod(shape) for shape in shapes)
    if compute in _PRODUCTS and all(shapes):
        left, right = shapes
        return math.prod(left) * math.prod(right) // max(left[-1], 1) ** 2
    try:
        return math.prod(np.broadcast_shapes(*shapes))
    except ValueError:
        return 0
