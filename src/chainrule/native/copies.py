"""Copies: entries that lie in some strides, brought into C order by a loop nest."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.native.lowering import Array, Loops
from chainrule.native.nest import Access, Load, Nest, Stage, Store
from chainrule.native.views import contiguous


def copy_loops(
    name: str,
    type: str,
    source: tuple[Array, int],
    extents: Sequence[int],
    strides: Sequence[int],
    target: Array,
) -> Loops:
    """The nest that writes entries in C order into `target`; `source` is a buffer and an offset."""
    kept = [(n, s) for n, s in zip(extents, strides, strict=True) if n != 1] or [(1, 0)]
    rows, columns = tuple(n for n, _ in kept[:-1]) or (1,), kept[-1][0]
    padding = (0,) * (len(rows) + 1 - len(kept))
    own = contiguous([n for n, _ in kept])
    load = Load(Access(0, (*padding, *(s for _, s in kept)), source[1]), type)
    store = Store(0, Access(1, (*padding, *own)))
    nest = Nest(name, rows, (Stage(columns, (load, store)),), (type, type))
    count = 1
    for n in rows:
        count *= n
    return Loops(nest, (source[0], target), count, None)
