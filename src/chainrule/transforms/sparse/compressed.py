"""A sparse derivative from few passes: record, find the pattern, colour it, pass, sort out.

This module needs SciPy's sparse arrays; `derivatives.py` loads it at the first call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from chainrule.graph import Spec, spec_of
from chainrule.tracing.recording import Recording
from chainrule.transforms.sparse.colouring import (
    column_colours,
    fullest_row,
    readable,
    star_colours,
    symmetric,
)
from chainrule.transforms.sparse.pattern import pattern_of, signature
from chainrule.transforms.sparse.sweeps import Sweeps

DIRECTIONS = {"columns": "forward", "rows": "backward", "star": "backward"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sparsity:
    """The pattern of a derivative, how it is coloured, and what a call costs.

    pattern   scipy.sparse array of truth values: where the derivative can be other than 0
    colours   the colour of each column or row; -1 where it is empty
    coloured  "columns" (one forward pass per colour), "rows" (one backward pass per colour), or
              "star" (a Hessian: one backward pass along the gradient per colour)
    reads     the lines at which the code reads values, so that the pattern may be another elsewhere
    """

    pattern: Any
    colours: Any
    coloured: str
    reads: tuple[str, ...]
    places: tuple[Any, Any, Any, Any]  # rows and columns of the entries; where each is read

    @property
    def nonzeros(self) -> int:
        return int(self.pattern.nnz)

    @property
    def passes(self) -> int:
        """How many passes a call takes, after one run of the function that records it."""
        return int(self.colours.max(initial=-1)) + 1

    def __str__(self) -> str:
        height, width = self.pattern.shape
        share = 100 * self.nonzeros / (height * width) if height and width else 0.0
        name = "Hessian" if self.coloured == "star" else "Jacobian"
        what = {"columns": "columns", "rows": "rows", "star": "columns, a star colouring"}
        dense = width if self.coloured == "star" else min(height, width)
        direction = DIRECTIONS[self.coloured]
        lines = [
            f"{name}: {height:,} × {width:,}, {self.nonzeros:,} entries ({share:.3g} %)",
            f"colours: {self.passes} (of {what[self.coloured]})",
            f"passes: 1 run of the function, then {self.passes} {direction} instead of {dense:,}",
        ]
        if self.reads:
            lines.append(
                f"pattern: at this point; the code reads values at {', '.join(self.reads)}"
            )
        return "\n".join(lines)

    __repr__ = __str__


def sparsity_of(recording: Recording, *, hessian: bool) -> Sparsity:
    """Pattern and colouring of the derivative of a recorded function (for a Hessian, gradient)."""
    with np.errstate(all="ignore"):
        pattern = pattern_of(recording)
    reads = tuple(dict.fromkeys(str(guard.place) for guard in recording.graph.guards))
    if hessian:
        pattern = symmetric(pattern)
        colours = star_colours(pattern)
        return Sparsity(pattern, colours, "star", reads, readable(pattern, colours))
    coloured, colours = _cheaper(pattern)
    rows, columns = pattern.tocoo().coords
    places = (
        (rows, columns, rows, colours[columns])
        if coloured == "columns"
        else (rows, columns, columns, colours[rows])
    )
    return Sparsity(pattern, colours, coloured, reads, places)


def _cheaper(pattern: Any) -> tuple[str, Any]:
    """Columns or rows, whichever have fewer colours; a forward pass where both are equal."""
    flipped = pattern.T.tocsr()
    sides = [("columns", pattern, fullest_row(pattern)), ("rows", flipped, fullest_row(flipped))]
    sides.sort(key=lambda side: side[2])
    name, side, _ = sides[0]
    colours = column_colours(side)
    other_name, other, least = sides[1]
    if least < int(colours.max(initial=-1)) + 1:
        others = column_colours(other)
        if others.max(initial=-1) < colours.max(initial=-1):
            return other_name, others
    return name, colours


class Known(NamedTuple):
    """What is kept from call to call: valid wherever a recording has the same signature."""

    signature: tuple[Any, ...]
    sparsity: Sparsity


def derivative(recording: Recording, known: Known | None, *, hessian: bool) -> tuple[Any, Known]:
    """The derivative as a `csr_array`, and what the next call can use again."""
    mark = signature(recording)
    if known is None or known.signature != mark:
        known = Known(mark, sparsity_of(recording, hessian=hessian))
    sparsity = known.sparsity
    graph = recording.graph
    inputs = [node.outputs[0] for node in graph.inputs]
    outputs = [spec_of(recording.values[edge]) for edge in graph.outputs]
    rows, columns, read_at, read_in = sparsity.places
    kept = np.argsort(read_in, kind="stable")
    ends = np.searchsorted(read_in[kept], np.arange(sparsity.passes + 1))
    dtype = np.result_type(np.float16, *(spec.dtype for spec in (*inputs, *outputs)))
    data = np.zeros(len(rows), dtype)
    sweeps = Sweeps(recording)
    forward = sparsity.coloured == "columns"
    for colour in range(sparsity.passes):
        chosen = sparsity.colours == colour
        if forward:
            found = _vector(sweeps.push(_seeds(chosen, inputs)), outputs)
        else:
            found = _vector(sweeps.pull(_seeds(chosen, outputs)), inputs)
        mine = kept[ends[colour] : ends[colour + 1]]
        data[mine] = found[read_at[mine]]
    shape = sparsity.pattern.shape
    return sparse.csr_array((data, (rows, columns)), shape=shape), known


def _seeds(chosen: Any, specs: list[Spec]) -> list[Any]:
    """1 for the chosen entries, as one array per leaf; None where none is chosen."""
    seeds: list[Any] = []
    start = 0
    for spec in specs:
        stop = start + int(np.prod(spec.shape, dtype=int))
        part = chosen[start:stop]
        seeds.append(part.astype(spec.dtype).reshape(spec.shape)[()] if part.any() else None)
        start = stop
    return seeds


def _vector(leaves: list[Any], specs: list[Spec]) -> Any:
    """All entries in one row; zeros for a leaf that nothing reached."""
    parts = [np.empty(0)]
    for leaf, spec in zip(leaves, specs, strict=True):
        size = int(np.prod(spec.shape, dtype=int))
        parts.append(np.zeros(size) if leaf is None else np.reshape(leaf, -1))
    return np.concatenate(parts)
