"""`scan` and `while_loop`: loops of which a derivative keeps the carries alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule import errors, trees
from chainrule.graph import Traced
from chainrule.graph.node import callers_place
from chainrule.tracing.dispatch import lifted
from chainrule.transforms.closures import Closure
from chainrule.transforms.flattening import as_point
from chainrule.transforms.loops import Leaves, Loop

Function = Callable[..., Any]


def scan(f: Function, init: Any, xs: Any = None, length: int | None = None) -> tuple[Any, Any]:
    """(carry, ys) after `carry, y = f(carry, x)` for each row x of `xs`, the ys stacked.

    The loop

        carry = init
        for x in xs: carry, y = f(carry, x); ys.append(y)

    as one operation. Reverse mode keeps the carry before each step, and runs each step again when
    it walks back: for n steps n carries, however much a step computes. `init`, `xs` and y are trees
    of arrays; the carry keeps structure, shapes and dtypes. Without `xs` say how many steps
    (`length`); x is None then. A value of a running derivative that `f` closes over counts as an
    argument. Source: Griewank & Walther, Evaluating Derivatives, chapter 12.

    >>> carry, ys = scan(lambda c, x: (c + x, c * x), 0.0, np.array([1.0, 2.0, 3.0]))
    >>> float(carry), ys
    (6.0, array([0., 2., 9.]))
    """
    place = callers_place()
    rows, row_tree = ([], None) if xs is None else _leaves(as_point(xs))
    lengths = {np.shape(row)[0] if np.ndim(row) else None for row in rows}
    if length is not None:
        lengths.add(length)
    if len(lengths) != 1 or None in lengths:
        raise errors.StructureError(
            f"scan at {place} needs one number of steps: the leaves of xs have the lengths "
            f"{sorted(map(str, lengths))}; give xs leaves of one length, or length= without xs"
        )
    carry, carry_tree = _leaves(init)
    closure = Closure(f)
    step = Step("scan", closure, carry_tree, row_tree, has_rows=xs is not None)
    found = _looped(step, carry, rows, closure.values, length=lengths.pop())
    return trees.unflatten(carry_tree, list(found[: len(carry)])), step.outputs(found[len(carry) :])


def while_loop(cond: Function, body: Function, init: Any) -> Any:
    """The carry after `carry = body(carry)` for as long as `cond(carry)` holds.

    As `scan`: one operation, of which reverse mode keeps the carry before each step. How many
    steps there are is read from the values; the derivative is that of the steps that were taken.

    >>> while_loop(lambda c: c["x"] < 100.0, lambda c: {"x": c["x"] ** 2}, {"x": 3.0})
    {'x': np.float64(6561.0)}
    """
    carry, tree = _leaves(init)
    closure = Closure((cond, body))

    def step(values: Any) -> Function:
        return lambda carry, _: (values[1](carry), None)

    def condition(leaves: Leaves, constants: Leaves) -> bool:
        return bool(closure.holding(constants)[0](trees.unflatten(tree, leaves)))

    steps = Step("while_loop", closure, tree, None, has_rows=False, choose=step)
    found = _looped(steps, carry, [], closure.values, condition=condition)
    return trees.unflatten(tree, list(found[: len(carry)]))


class Step:
    """The user's function as one of lists of leaves, with what it closes over as constants."""

    def __init__(
        self,
        title: str,
        closure: Closure,
        carry_tree: Any,
        row_tree: Any,
        *,
        has_rows: bool,
        choose: Callable[[Any], Function] = lambda function: function,
    ) -> None:
        self.title = title
        self._closure = closure
        self._carry_tree = carry_tree
        self._row_tree = row_tree
        self._has_rows = has_rows
        self._choose = choose
        self._held: tuple[Any, Any] = (None, None)
        self._out: tuple[Any, list[int], int] = (None, [], 0)

    def __call__(self, carry: Leaves, row: Leaves, constants: Leaves) -> tuple[Leaves, Leaves]:
        if self._held[0] is not constants:
            self._held = (constants, self._choose(self._closure.holding(constants)))
        x = trees.unflatten(self._row_tree, row) if self._has_rows else None
        out = self._held[1](trees.unflatten(self._carry_tree, carry), x)
        if not (isinstance(out, tuple) and len(out) == 2):
            raise errors.OutputError(
                f"{self.title} at {callers_place()}: the function of the step has to return the "
                f"pair (carry, y), not a {type(out).__name__}; y may be None"
            )
        leaves, tree = _leaves(out[0])
        if tree != self._carry_tree:
            raise errors.StructureError(
                f"{self.title} at {callers_place()}: the carry begins with the structure "
                f"{self._carry_tree} and has {tree} after a step; it has to stay the same"
            )
        ys, tree = trees.flatten(out[1])
        present = [k for k, y in enumerate(ys) if y is not None]
        self._out = (tree, present, len(ys))
        return leaves, [_as_array(ys[k]) for k in present]

    def outputs(self, ys: Any) -> Any:
        """The stacked outputs as the tree that a step returns."""
        tree, present, count = self._out
        filled: Leaves = [None] * count
        for k, y in zip(present, ys, strict=True):
            filled[k] = y
        return trees.unflatten(tree, filled)


def _leaves(tree: Any) -> tuple[Leaves, Any]:
    leaves, structure = trees.flatten(tree)
    return [_as_array(leaf) for leaf in leaves], structure


def _as_array(leaf: Any) -> Any:
    leaf = lifted(leaf)
    return leaf if isinstance(leaf, Traced) else np.asarray(leaf)[()]


def _looped(
    step: Step,
    carry: Leaves,
    rows: Leaves,
    constants: Leaves,
    *,
    length: int | None = None,
    condition: Callable[[Leaves, Leaves], bool] | None = None,
) -> tuple[Any, ...]:
    leaves = [*carry, *rows, *constants]
    loop = Loop(
        step.title,
        step,
        carries=len(carry),
        rows=len(rows),
        length=length,
        place=callers_place(),
        condition=condition,
    )
    found = loop.run(leaves)
    return found[: len(found) - len(carry)] if loop.keeps else found
