"""Colourings: columns of one colour are computed in one pass, and can be told apart afterwards.

Columns that share no row may share a colour. In a symmetric matrix an entry can also be read from
its mirror image, so fewer colours suffice: a star colouring, in which every path on four vertices
has three colours. Sources: Curtis, Powell & Reid, On the estimation of sparse Jacobian matrices,
1974; Gebremedhin, Tarafdar, Manne & Pothen, New acyclic and star coloring algorithms with
application to computing Hessians, 2007.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

Matrix = Any
Colours = np.ndarray[Any, np.dtype[np.int_]]
HUB = 8
"""A vertex with so many times the median number of neighbours is given a colour of its own."""
MOST_STEPS = 5_000_000


def column_colours(pattern: Matrix) -> Colours:
    """A colour for each column such that columns with a common row differ; -1 for empty columns.

    No colouring has fewer colours than the fullest row has entries.
    """
    width = pattern.shape[1]
    used = np.flatnonzero(np.diff(pattern.tocsc().indptr))
    colours = np.full(width, -1)
    fullest = fullest_row(pattern)
    if fullest == len(used):  # each needs its own: nothing to find out
        colours[used] = np.arange(len(used))
        return colours
    counts = pattern[:, used].astype(np.int32)
    graph = (counts.T @ counts).tocsr()
    colours[used] = _fewest(graph, fullest)
    return colours


def fullest_row(pattern: Matrix) -> int:
    return int(np.max(np.diff(pattern.indptr), initial=0))


def _fewest(graph: Matrix, enough: int) -> Colours:
    """The best of three orders of greedy colouring; one with `enough` colours ends the search."""
    degrees = np.diff(graph.indptr)
    starts, neighbours = graph.indptr.tolist(), graph.indices.tolist()
    orders = (
        lambda: range(len(degrees)),
        lambda: np.argsort(-degrees, kind="stable").tolist(),
        lambda: _smallest_last(starts, neighbours, degrees),
    )
    best: list[int] | None = None
    for order in orders:
        found = _greedy(starts, neighbours, order())
        if best is None or max(found) < max(best):
            best = found
        if max(best) + 1 <= enough:
            break
    return np.array(best, int)


def _greedy(starts: list[int], neighbours: list[int], order: Any) -> list[int]:
    """Each vertex in turn takes the smallest colour that no neighbour has."""
    colours = [-1] * (len(starts) - 1)
    for v in order:
        taken = {colours[w] for w in neighbours[starts[v] : starts[v + 1]]}
        colour = 0
        while colour in taken:
            colour += 1
        colours[v] = colour
    return colours


def _smallest_last(starts: list[int], neighbours: list[int], degrees: Any) -> list[int]:
    """The vertex with the fewest remaining neighbours last, and so on backwards.

    Source: Matula & Beck, Smallest-last ordering and clustering and graph coloring algorithms, 1983
    """
    left = degrees.tolist()
    buckets: list[list[int]] = [[] for _ in range(max(left) + 1)]
    for v, degree in enumerate(left):
        buckets[degree].append(v)
    removed = [False] * len(left)
    order: list[int] = []
    lowest = 0
    while len(order) < len(left):
        while not buckets[lowest]:
            lowest += 1
        v = buckets[lowest].pop()
        if removed[v] or left[v] != lowest:
            continue  # it has moved to another bucket since
        removed[v] = True
        order.append(v)
        for w in neighbours[starts[v] : starts[v + 1]]:
            if not removed[w]:
                left[w] -= 1
                buckets[left[w]].append(w)
        lowest = max(lowest - 1, 0)
    return order[::-1]


def star_colours(pattern: Matrix) -> Colours:
    """A star colouring of a symmetric pattern; -1 for empty columns.

    A vertex with a colour of its own lies on no path of two colours, so hubs take no part in the
    search: an arrow has two colours, whatever its size.
    """
    degrees = np.diff(pattern.indptr)
    used = np.flatnonzero(degrees)
    colours = np.full(pattern.shape[0], -1)
    if not len(used):
        return colours
    hubs = used[degrees[used] > HUB * np.median(degrees[used])]
    candidates = [hubs]
    if len(hubs) and int(degrees.astype(np.int64) @ (pattern.astype(np.int64) @ degrees)) < (
        MOST_STEPS
    ):
        candidates.append(used[:0])
    best: Colours | None = None
    for own in candidates:
        rest = np.setdiff1d(used, own)
        found = np.full(pattern.shape[0], -1)
        found[own] = np.arange(len(own))
        if len(rest):
            found[rest] = len(own) + _star(pattern[rest][:, rest].tocsr())
        if best is None or found.max() < best.max():
            best = found
    assert best is not None
    return best


def _star(graph: Matrix) -> Colours:
    """The better of two orders of a greedy star colouring."""
    degrees = np.diff(graph.indptr)
    starts, indices = graph.indptr.tolist(), graph.indices.tolist()
    neighbours = [
        [w for w in indices[starts[v] : starts[v + 1]] if w != v] for v in range(len(degrees))
    ]
    natural = _greedy_star(neighbours, range(len(degrees)))
    if max(natural) < 2:
        return np.array(natural, int)
    largest = _greedy_star(neighbours, np.argsort(-degrees, kind="stable").tolist())
    return np.array(min(natural, largest, key=max), int)


def _greedy_star(neighbours: list[list[int]], order: Any) -> list[int]:
    """Each vertex takes the smallest colour that makes no path on four vertices two-coloured.

    Through an uncoloured neighbour w no vertex at distance two may have the colour, because w can
    get any; through a coloured one only a path v, w, x, y with the colour of w at y forbids it.
    """
    colours = [-1] * len(neighbours)
    for v in order:
        forbidden = set()
        for w in neighbours[v]:
            between = colours[w]
            forbidden.add(between)
            for x in neighbours[w]:
                colour = colours[x]
                if x == v or colour < 0 or colour in forbidden:
                    continue
                if between < 0 or any(y != w and colours[y] == between for y in neighbours[x]):
                    forbidden.add(colour)
        colour = 0
        while colour in forbidden:
            colour += 1
        colours[v] = colour
    return colours


def readable(pattern: Matrix, colours: Colours) -> tuple[Any, Any, Any, Any]:
    """Where to read each entry of a symmetric matrix: its row, its column, and the pass.

    The sum of the columns of one colour shows an entry in the row where it is alone. The result
    is (rows, columns of the entries; row and colour in which each is read). An entry that is
    alone neither in its own place nor in its mirror image would be a colouring that is none.
    """
    entries = pattern.tocoo()
    rows, columns = entries.coords
    count = int(colours.max(initial=-1)) + 1
    shown = rows.astype(np.int64) * count + colours[columns]
    mirrored = columns.astype(np.int64) * count + colours[rows]
    _, position, times = np.unique(shown, return_inverse=True, return_counts=True)
    alone = times[position] == 1
    ordered = np.unique(shown)
    mirror_alone = times[np.searchsorted(ordered, mirrored)] == 1
    assert np.all(alone | mirror_alone), "an entry cannot be told apart: the colouring is no star"
    read_row = np.where(alone, rows, columns)
    read_colour = np.where(alone, colours[columns], colours[rows])
    return rows, columns, read_row, read_colour


def symmetric(pattern: Matrix) -> Matrix:
    """What a symmetric matrix with this pattern can have: the part that is symmetric itself."""
    found = sparse.csr_array(pattern.multiply(pattern.T))
    found.sort_indices()
    return found
