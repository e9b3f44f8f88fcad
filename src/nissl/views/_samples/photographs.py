"""Small pictures of some samples, set where there is room and tied to their points."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.marks import Lines, Mark, Photos
from nissl.core.palette import MUTED
from nissl.views._samples.field import Field

Array = NDArray[Any]
CELL = 8.0
"""How finely free room is looked for."""


def chosen(positions: Array, labels: Array, predicted: Array | None, most: int) -> Array:
    """A typical sample of each class, the nearest to the median of its places, then some that were mistaken, far from one another."""
    found: list[int] = []
    for label in np.unique(labels[labels >= 0])[: most * 2 // 3]:
        mine = np.flatnonzero(labels == label)
        middle = np.median(positions[mine], 0)
        found.append(int(mine[np.linalg.norm(positions[mine] - middle, axis=1).argmin()]))
    wrong = np.flatnonzero((predicted != labels) & (labels >= 0)) if predicted is not None else np.zeros(0, int)
    while len(found) < most and len(wrong):
        taken = positions[found] if found else positions.mean(0, keepdims=True)
        far = np.linalg.norm(positions[wrong, None] - taken, axis=2).min(1)
        found.append(int(wrong[far.argmax()]))
        wrong = np.delete(wrong, far.argmax())
    return np.array(found, int)


def placed(field: Field, positions: Array, which: Array, pixels: Array, colours: list[str], size: float) -> list[Mark]:
    """Each at the nearest room that no point and no other picture takes; those for which there is none are left out."""
    side = int(field.side / CELL)
    room = int(np.ceil((size + 10) / CELL))
    free = np.ones((side, side), bool)
    cells = ((field.at(positions) - [field.left, field.top]) / CELL).astype(int).clip(0, side - 1)
    free[cells[:, 1], cells[:, 0]] = False
    boxes, shown, threads = [], [], []
    high, wide = (max(size * along / max(pixels.shape[1:3]), size / 4) for along in pixels.shape[1:3])
    for number, point in zip(which, field.at(positions[which]), strict=True):
        corner = _room(free, room, (point - [field.left, field.top]) / CELL)
        if corner is None:
            continue
        row, column = corner
        free[row : row + room, column : column + room] = False
        x, y = field.left + column * CELL + 5 + (size - wide) / 2, field.top + row * CELL + 5 + (size - high) / 2
        boxes.append([x, y, wide, high])
        shown.append(number)
        near = np.clip(point, [x, y], [x + wide, y + high])
        threads.append([point, near, [np.nan, np.nan]])
    if not boxes:
        return []
    used = [colours[list(which).index(number)] for number in shown]
    return [Lines(np.array(threads).reshape(-1, 2), MUTED, 1.1), Photos(np.array(boxes), pixels[shown], tuple(used))]


def _room(free: Array, room: int, wanted: Array) -> tuple[int, int] | None:
    """The free square nearest to a place: its first row and column."""
    sums = np.zeros((len(free) + 1, len(free) + 1), int)
    sums[1:, 1:] = free.cumsum(0).cumsum(1)
    whole = sums[room:, room:] - sums[:-room, room:] - sums[room:, :-room] + sums[:-room, :-room] == room * room
    rows, columns = np.nonzero(whole)
    if not len(rows):
        return None
    best = ((rows + room / 2 - wanted[1]) ** 2 + (columns + room / 2 - wanted[0]) ** 2).argmin()
    return int(rows[best]), int(columns[best])
