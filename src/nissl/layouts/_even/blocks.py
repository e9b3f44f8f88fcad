"""Units of a filled shape trade cells until each is where its surroundings are most like it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.layouts._even.shapes import Cells
from nissl.layouts._even.weighing import uniform

Array = NDArray[Any]
SIDE = 12
"""Of the blocks within which the best exchange is found exactly."""
SHRINKING = 0.85


def traded(features: Array, cells: Cells, held: NDArray[np.intp], seed: int, reach: float = 4.0) -> NDArray[np.intp]:
    """`held` (the unit in each cell) after exchanges: each cell wants what the features around it are on average.

    `reach`: how far around at first, in cells; it shrinks to one. Whole blocks exchange at once, and blocks shift at random.
    """
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    held = held.copy()
    radius = min(reach, 0.12 * float(np.sqrt(len(cells))))
    square = (features**2).sum(1)
    while radius >= 1 and len(cells) > 1:
        wanted = around(features[held], cells, radius)
        shift = rng.integers(0, SIDE, 2)
        for block in _blocks(cells + shift):
            mine, goals = held[block], wanted[block]
            cost = (
                square[mine, None] - 2 * features[mine] @ goals.T
            )  # what a goal adds to every unit alike is no matter
            _, column = linear_sum_assignment(cost)
            held[block[column]] = mine
        radius *= SHRINKING
    return held


def around(values: Array, cells: Cells, radius: float) -> Array:
    """The mean of values over the square around each cell, of cells that are there."""
    high, wide = cells.max(0) + 1
    table = np.zeros((high, wide, values.shape[1] + 1))
    table[cells[:, 0], cells[:, 1], :-1] = values
    table[cells[:, 0], cells[:, 1], -1] = 1
    found: Array = uniform(table, int(2 * radius) | 1)[cells[:, 0], cells[:, 1]]
    return found[:, :-1] / found[:, -1:]


def _blocks(cells: Cells) -> list[NDArray[np.intp]]:
    """Cells in squares of SIDE."""
    block = cells // SIDE
    number = block[:, 0] * (block[:, 1].max() + 1) + block[:, 1]
    order = number.argsort(kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
