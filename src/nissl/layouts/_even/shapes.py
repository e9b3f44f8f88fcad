"""Shapes made of exactly as many cells as there are units."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.intp]
"""(cell, row and column), row by row."""


def grid(count: int, widest: float = 1.5) -> Cells:
    """A rectangle whose last row may be short: of those not much wider than high, the one with the fewest cells left free."""
    least = max(1, int(np.ceil(np.sqrt(count / widest))))
    rows = range(least, int(np.ceil(np.sqrt(count))) + 1)
    shapes = [(r * -(-count // r) - count, -(-count // r) - r, r) for r in rows]
    _, _, best = min(shapes)
    columns = -(-count // best)
    return np.stack(np.divmod(np.arange(count), columns), 1)


def disc(count: int) -> Cells:
    """The cells nearest to a centre."""
    reach = int(np.ceil(np.sqrt(count / np.pi))) + 2
    row, column = (axis.ravel() for axis in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    # a centre off the corners and middles of cells: fewer are equally far, and the rim is rounder
    away = (row + 0.28) ** 2 + (column + 0.17) ** 2
    inside = np.sort(away.argsort(kind="stable")[:count])
    found = np.stack([row[inside], column[inside]], 1)
    return found - found.min(0)


def middles(cells: Cells) -> NDArray[Any]:
    """x and y of each cell, a cell's side being one."""
    return cells[:, ::-1] + 0.5
