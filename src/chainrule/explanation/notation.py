"""How an operation is written in text: with a sign where NumPy's users write one, else as a call.

    add(x, 1)  x + 1        matmul(W, x)  W @ x        exp(x)  exp(x)        sum(x, axis=0)

`binds` orders the forms, so that an operand gets parentheses exactly where it needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.explanation.values import brief
from chainrule.graph import Primitive, registry

COMPARE, SUM, PRODUCT, POWER, SUFFIX, ATOM = range(6)


class Text(NamedTuple):
    """A piece of formula and how tightly it holds together."""

    text: str
    binds: int = ATOM

    def inside(self, binds: int, *, first: bool) -> str:
        """The text as an operand of a form that binds like `binds`; a truth value in brackets."""
        if self.binds == COMPARE and binds > COMPARE:
            return f"[{self.text}]"
        loose = self.binds < binds or (self.binds == binds and not first)
        # A leading minus is unclear after another sign, and too weak under a power.
        loose = loose or (self.text.startswith("-") and (not first or binds > PRODUCT))
        return f"({self.text})" if loose else self.text


# The operations that have a sign; every other one is written as a call of its own name.
SIGNS = {
    "add": Text("{} + {}", SUM),
    "subtract": Text("{} - {}", SUM),
    "multiply": Text("{} · {}", PRODUCT),
    "chain_product": Text("{} · {}", PRODUCT),
    "divide": Text("{} / {}", PRODUCT),
    "floor_divide": Text("{} // {}", PRODUCT),
    "remainder": Text("{} % {}", PRODUCT),
    "matmul": Text("{} @ {}", PRODUCT),
    "negative": Text("-{}", PRODUCT),
    "square": Text("{}²", POWER),
    "power": Text("{}^{}", POWER),
    "greater": Text("{} > {}", COMPARE),
    "greater_equal": Text("{} ≥ {}", COMPARE),
    "less": Text("{} < {}", COMPARE),
    "less_equal": Text("{} ≤ {}", COMPARE),
    "equal": Text("{} = {}", COMPARE),
    "not_equal": Text("{} ≠ {}", COMPARE),
}
CALLED = {"maximum": "max", "minimum": "min", "absolute": "abs", "broadcast_to": "broadcast"}
# The shape to fill follows from the line in which the formula stands.
UNSAID = {("broadcast_to", "to"), ("scatter", "to")}


def written(primitive: Primitive, params: Mapping[str, Any], operands: Sequence[Text]) -> Text:
    """One operation on operands that are texts already.

    >>> from chainrule.graph import registry
    >>> written(registry["multiply"], {}, [Text("x + 1", SUM), Text("-5")]).text
    '(x + 1) · (-5)'
    """
    name = primitive.name
    if primitive not in registry:  # a user's own, which may have the name of one of ours
        options = {key: value for key, value in params.items() if key != "call"}
        return _call(name, options, operands, name)
    if name in ("positive", "astype"):
        return operands[0]
    if name in SIGNS:
        form, binds = SIGNS[name]
        strict = name in ("negative", "power", "square")
        parts = [
            operand.inside(binds, first=k == 0 and not strict) for k, operand in enumerate(operands)
        ]
        return Text(form.format(*parts), binds)
    if name == "transpose" and params.get("axes") in (None, (1, 0)):
        return Text(f"{operands[0].inside(SUFFIX, first=True)}ᵀ", SUFFIX)
    if name == "getitem" and len(operands) == 1:
        return Text(f"{operands[0].inside(SUFFIX, first=True)}{params['template']!r}", SUFFIX)
    return _call(name, params, operands, CALLED.get(name, name))


def _call(name: str, params: Mapping[str, Any], operands: Sequence[Text], called: str) -> Text:
    arguments = [operand.inside(SUM, first=True) for operand in operands]
    arguments += [
        repr(value) if key == "template" else f"{key}={_parameter(value)}"
        for key, value in params.items()
        if value is not None and value is not False and (name, key) not in UNSAID
    ]
    return Text(f"{called}({', '.join(arguments)})")


def _parameter(value: Any) -> str:
    if isinstance(value, np.ndarray | float):
        return brief(value)
    if isinstance(value, str | int | tuple | list):
        return repr(value)
    if isinstance(value, np.integer):
        return str(value)
    if hasattr(value, "__name__"):
        return str(value.__name__)
    return type(value).__name__ if repr(value) == object.__repr__(value) else repr(value)
