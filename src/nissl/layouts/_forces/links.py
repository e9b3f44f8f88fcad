"""Who is linked to whom, and a drawing of such a graph by Fruchterman and Reingold's springs."""

import numpy as np
from numpy.typing import NDArray

from nissl.core.layout import Array

PIECE = 2_000_000


def linked(unlike: Array, percent: float) -> NDArray[np.intp]:
    """Pairs (link, 2) that are nearer than so many per cent of all pairs; pieces are joined by their shortest links."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    count = len(unlike)
    one, other = np.triu_indices(count, 1)
    lengths = unlike[one, other]
    close = lengths < np.percentile(lengths, percent)
    pairs = np.stack([one[close], other[close]], 1)
    graph = csr_array((np.ones(len(pairs)), pairs.T), (count, count))
    pieces, piece = connected_components(graph, directed=False)
    if pieces > 1:  # of a shortest tree, the links between pieces are the shortest that join them
        tree = minimum_spanning_tree(unlike + 1e-9).tocoo()
        between = piece[tree.row] != piece[tree.col]
        pairs = np.concatenate([pairs, np.stack([tree.row[between], tree.col[between]], 1)])
    return pairs


def drawn(points: Array, pairs: NDArray[np.intp], steps: int) -> Array:
    """Links pull, all pairs push, and moves grow smaller."""
    points = points.copy()
    count = len(points)
    ideal = np.sqrt(1 / count)
    heat = 0.1 * float(np.ptp(points, 0).max())
    for step in range(steps):
        move = _pushed(points, ideal)
        pull = points[pairs[:, 1]] - points[pairs[:, 0]]
        pull = pull * np.sqrt((pull**2).sum(1, keepdims=True)) / ideal
        for axis in (0, 1):
            move[:, axis] += np.bincount(pairs[:, 0], pull[:, axis], count)
            move[:, axis] -= np.bincount(pairs[:, 1], pull[:, axis], count)
        length = np.maximum(np.sqrt((move**2).sum(1, keepdims=True)), 0.01)
        points += move / length * heat * (1 - step / steps)
    return points


def _pushed(points: Array, ideal: float) -> Array:
    found = np.empty_like(points)
    rows = max(1, PIECE // len(points))
    for first in range(0, len(points), rows):
        away = points[first : first + rows, None] - points[None]
        square = np.maximum((away**2).sum(-1), 1e-4)
        found[first : first + rows] = ideal**2 * np.einsum("abx,ab->ax", away, 1 / square)
    return found
