"""A sheet of nodes that learns the units' features, coarse to fine: an embedding that needs no library of its own.

A self-organising map in batches: every unit finds the node most like it, every node takes the mean of what was found around
it, and "around" shrinks. Nodes are few while it is wide, since then neighbours are alike anyway.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import plane
from nissl.layouts._even.halves import filled
from nissl.layouts._even.shapes import Cells
from nissl.layouts._even.weighing import gaussian

Array = NDArray[Any]
PASSES = 24
MOST = 64
"""Nodes on a side."""
PIECE = 8_000_000


def learned(features: Array, cells: Cells, start: Array | None = None, passes: int = PASSES) -> Array:
    """(unit, x and y), in cells' widths: where on the sheet each unit is at home. `start`: places to begin from."""
    size = np.array(cells.max(0) + 1)
    points = plane(features) if start is None else start
    held = filled(points, cells)
    places = np.empty((len(cells), 2))
    places[held] = cells[:, ::-1] + 0.5
    widest = 0.25 * float(np.sqrt(len(cells))) if start is None else 2.0
    for radius in np.geomspace(max(widest, 1.0), 1.0, passes if start is None else 5):
        scale = max(1.0, radius / 3, size.max() / MOST)  # of a node, in cells
        nodes = np.ceil(size / scale).astype(int)
        step = size / nodes
        goals, inside = _goals(features, places, cells, nodes, step, radius)
        places = _homes(features, goals, inside, nodes) * step[::-1]
    return places


def _goals(
    features: Array, places: Array, cells: Cells, nodes: NDArray[np.intp], step: Array, radius: float
) -> tuple[Array, NDArray[np.bool_]]:
    """What each node is to be like, and which nodes lie on the shape."""
    from scipy.sparse import csr_array

    at = np.minimum((places[:, ::-1] / step).astype(int), nodes - 1)
    flat = at[:, 0] * nodes[1] + at[:, 1]
    gather = csr_array((np.ones(len(flat)), (flat, np.arange(len(flat)))), (int(nodes.prod()), len(flat)))
    held = np.concatenate([features, np.ones((len(features), 1))], 1)
    table = (gather @ held).reshape(*nodes, -1)
    table = gaussian(table, radius / step)
    goals = table[..., :-1] / np.maximum(table[..., -1:], 1e-12)
    inside = np.zeros(nodes, bool)
    spot = np.minimum((cells + 0.5) / step, nodes - 1).astype(int)
    inside[spot[:, 0], spot[:, 1]] = True
    return goals, inside & (table[..., -1] > 1e-12)


def _homes(features: Array, goals: Array, inside: NDArray[np.bool_], nodes: NDArray[np.intp]) -> Array:
    """(unit, x and y) on the sheet, in nodes' widths: the node most like each unit, and how far it leans to that one's neighbours."""
    high, wide = nodes
    flat = goals.reshape(high * wide, -1)
    square = np.where(inside.ravel(), (flat**2).sum(1), np.inf)
    found = np.empty((len(features), 2))
    rows = max(1, PIECE // len(flat))
    for first in range(0, len(features), rows):
        apart = square - 2 * features[first : first + rows] @ flat.T
        best = apart.argmin(1)
        row, column = np.divmod(best, wide)
        every = np.arange(len(best))
        here = apart[every, best]
        for axis, (place, count, stride) in enumerate(((column, wide, 1), (row, high, wide))):
            before = np.where(place > 0, apart[every, np.maximum(best - stride, 0)], np.inf)
            behind = np.where(place < count - 1, apart[every, np.minimum(best + stride, len(flat) - 1)], np.inf)
            found[first : first + rows, axis] = place + 0.5 + _lean(before - here, behind - here)
    return found


def _lean(before: Array, behind: Array) -> Array:
    """The lowest point of the parabola through three values, the middle one being zero and the least."""
    known = np.isfinite(before) & np.isfinite(behind)
    before, behind = np.where(known, before, 1.0), np.where(known, behind, 1.0)
    bend = before + behind
    return np.clip(np.divide(before - behind, 2 * bend, where=bend > 0, out=np.zeros_like(bend)), -0.5, 0.5)
